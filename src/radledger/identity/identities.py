"""Owners, delegates, encryption keys and guardians: the service over ``IdentityRegistry``.

The registry is ERC-1056: any address is an identity (``did:ethr``) that owns itself until it names
another owner. The registry's events hold what it publishes.

References
----------
.. [1] ERC-1056, Ethereum Lightweight Identity, https://eips.ethereum.org/EIPS/eip-1056
.. [2] did:ethr Method Specification,
   https://github.com/decentralized-identity/ethr-did-resolver/blob/master/doc/did-method-spec.md
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from radledger.chain.action import Action, last, one_call
from radledger.chain.ledger import Call
from radledger.crypto.keys import PublicKey
from radledger.endpoints import is_loopback, shown
from radledger.identity import records
from radledger.identity.address import parse_address
from radledger.identity.errors import (
    InvalidGatewayUrl,
    NoEncryptionKey,
    NoGateway,
    NoGuardians,
)

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger, Receipt
    from radledger.identity.model import Identity

__all__ = [
    "CONSENT_DELEGATE",
    "MOST_NAMED",
    "Identities",
    "require_gateway_url",
    "warn_of_x25519",
]

CONSENT_DELEGATE = "radledger.consent"
"""Type of the delegates who grant and revoke for an identity: a parent, a proxy."""

MOST_NAMED = 3
"""How many participants a warning names."""

_GATEWAY_URL = re.compile(
    r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?"
)
_LOG = logging.getLogger(__name__)
_DELEGATE_TYPE_LENGTH = 32
_TEN_YEARS = 10 * 365 * 24 * 3600


class Identities:
    """Identities, and what their owners and guardians do.

    Each change that an owner or a guardian makes is an :class:`~radledger.chain.action.Action`:
    they send it and pay, or sign it for any account with Ether to submit
    (:func:`radledger.signed.submit`).

    Examples
    --------
    >>> from radledger import signed
    >>> identities = Identities(ledger)                            # doctest: +SKIP
    >>> identities.set_key(public_key(private_key)).send(radiologist)  # doctest: +SKIP
    >>> identities.encryption_key(radiologist.address) == public_key(private_key)
    ... # doctest: +SKIP
    True
    >>> document = identities.set_key(public_key(patients_private_key)).sign(patient)
    ... # doctest: +SKIP
    >>> signed.submit(ledger, document, payer=hospital)            # doctest: +SKIP
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    # --- reading ------------------------------------------------------------------------------

    def show(self, identity: str) -> Identity:
        """Show an identity: its owner, delegates, attributes and guardians."""
        return records.identity_record(self._ledger, parse_address(identity))

    def encryption_key(self, identity: str) -> PublicKey:
        """The public key to which secrets are wrapped: the last registered one that is valid.

        A hybrid key counts before those of X25519 alone; one that an earlier owner registered, or
        that nothing can be wrapped to, does not count.

        Raises
        ------
        NoEncryptionKey
            If there is none.
        RequestFailed
            If the node returns other events than those that the contract counts.
        """
        identity = parse_address(identity)
        key = records.encryption_key(self._ledger, identity)
        if key is None:
            unusable = records.unusable_key(self._ledger, identity)
            if unusable is not None:
                raise NoEncryptionKey(
                    f"the encryption key of {identity} cannot be used ({unusable}); it registers "
                    "another with `radledger identity set-key`",
                    identity=identity,
                    reason=unusable,
                )
            raise NoEncryptionKey(
                f"{identity} has registered no encryption key; it does so with "
                "`radledger identity set-key`",
                identity=identity,
            )
        return key

    def gateway(self, identity: str) -> str | None:
        """The URL of the gateway that an identity published last; none if there is none."""
        published = records.gateways(self._ledger, parse_address(identity))
        return published[-1] if published else None

    def may_act(
        self, identity: str, account: str, *, delegate_type: str = CONSENT_DELEGATE
    ) -> bool:
        """Whether an account acts for an identity now: as its owner, or as a delegate."""
        arguments = parse_address(identity), parse_address(account), _word(delegate_type)
        return bool(self._ledger.call(records.CONTRACT, "mayAct", *arguments))

    # --- the owner ----------------------------------------------------------------------------

    def set_key(
        self, public_key: PublicKey, *, identity: str | None = None, validity: int = _TEN_YEARS
    ) -> Action[Receipt]:
        """Register an encryption key.

        Parameters
        ----------
        public_key
            From :func:`radledger.crypto.keys.public_key`.
        identity
            Default: the signer's own address.
        validity
            Seconds for which the key counts.
        """
        name, value = records.key_attribute(public_key)
        return self._action("setAttribute", identity, _word(name), value, validity)

    def set_gateway(
        self, url: str, *, identity: str | None = None, validity: int = _TEN_YEARS
    ) -> Action[Receipt]:
        """Publish the URL of a gateway, at which readers ask for image sets; the last one counts.

        Parameters
        ----------
        url
            Its public address.
        identity
            Default: the signer's own address.
        validity
            Seconds for which it counts.

        Raises
        ------
        InvalidGatewayUrl
            If it is not such an address.
        """
        value = require_gateway_url(url).encode()
        name = _word(records.GATEWAY_ATTRIBUTE)
        return self._action("setAttribute", identity, name, value, validity)

    def withdraw_gateway(
        self, url: str | None = None, *, identity: str | None = None
    ) -> Action[Receipt]:
        """Withdraw the URL of a gateway; of several that were published, a call for each.

        Parameters
        ----------
        url
            The one that is withdrawn, so that one published before it counts again; default: all.
        identity
            Default: the signer's own address.

        Raises
        ------
        NoGateway
            When it is sent or signed, if the identity publishes no such URL.
        """
        whose = None if identity is None else parse_address(identity)

        def calls(account: str) -> list[Call]:
            published = records.gateways(self._ledger, whose or account)
            withdrawn = [each for each in published if url in (None, each)]
            if not withdrawn:
                raise NoGateway(
                    f"{whose or account} publishes no gateway{'' if url is None else f' {url}'}; "
                    "see what it publishes with `radledger identity show`",
                    identity=whose or account,
                    published=published,
                )
            name = _word(records.GATEWAY_ATTRIBUTE)
            return [
                Call(records.CONTRACT, "revokeAttribute", (whose or account, name, each.encode()))
                for each in withdrawn
            ]

        return Action(self._ledger, calls, last)

    def change_owner(self, new_owner: str, *, identity: str | None = None) -> Action[Receipt]:
        """Hand an identity over to another key, which alone acts for it from then on.

        This ends delegates, guardians and attributes, including the encryption key, also those of
        identities that it owns.  The new owner has to set again what is to stay.
        """
        return self._action("changeOwner", identity, parse_address(new_owner))

    def add_delegate(
        self,
        delegate: str,
        *,
        validity: int,
        delegate_type: str = CONSENT_DELEGATE,
        identity: str | None = None,
    ) -> Action[Receipt]:
        """Let a delegate, such as a parent, act for an identity for a number of seconds."""
        arguments = _word(delegate_type), parse_address(delegate), validity
        return self._action("addDelegate", identity, *arguments)

    def revoke_delegate(
        self,
        delegate: str,
        *,
        delegate_type: str = CONSENT_DELEGATE,
        identity: str | None = None,
    ) -> Action[Receipt]:
        """Revoke a delegate."""
        arguments = _word(delegate_type), parse_address(delegate)
        return self._action("revokeDelegate", identity, *arguments)

    def set_guardians(
        self, guardians: Iterable[str], threshold: int, *, identity: str | None = None
    ) -> Action[Receipt]:
        """Set the guardians and how many a recovery takes; an empty list and 0 dismiss them.

        The guardians of an identity are public.  A guardian with one address for several identities
        links them, so each gives an address derived for this one (`Keystore.derive`).
        """
        # The registry wants the list in ascending order, which shows that none is twice.
        ascending = sorted(map(parse_address, guardians), key=lambda address: int(address, 16))
        return self._action("setGuardians", identity, ascending, threshold)

    def guards_of_others(self, guardians: Iterable[str], *, identity: str) -> tuple[str, ...]:
        """Return the addresses that guard or guarded other identities, and so link them."""
        addresses = [parse_address(each) for each in guardians]
        return records.guards_of_others(self._ledger, parse_address(identity), addresses)

    def veto(self, *, identity: str | None = None) -> Action[Receipt]:
        """Cancel every recovery of an identity that is under way."""
        return self._action("vetoRecovery", identity)

    # --- guardians ----------------------------------------------------------------------------

    def approve_recovery(
        self, identity: str, new_owner: str, *, guardian: str | None = None
    ) -> Action[Receipt]:
        """As a guardian, approve a new owner of an identity.

        The approval that reaches the threshold starts the delay in which the owner can veto.  It
        counts for 30 days, and as long as the guardian's own identity gets no other owner.

        Parameters
        ----------
        identity, new_owner
            The identity, and the key that is to own it.
        guardian
            The guardian's identity; default: the signer's own address.

        Raises
        ------
        NoGuardians
            If the identity has none.
        """
        identity, owner = parse_address(identity), parse_address(new_owner)
        named = records.guardians(self._ledger, identity)
        if named is None:
            raise NoGuardians(
                f"{identity} has no guardians, so it cannot be recovered; guardians that an "
                "earlier owner named do not count",
                identity=identity,
            )
        guardians = list(named.guardians), named.threshold

        def call(account: str) -> Call:
            arguments = (identity, parse_address(guardian or account), owner, *guardians)
            return Call(records.CONTRACT, "approveRecovery", arguments)

        return one_call(self._ledger, call)

    def withdraw_approval(
        self, identity: str, new_owner: str, *, guardian: str | None = None
    ) -> Action[Receipt]:
        """As a guardian, withdraw the approval of a new owner of an identity."""
        identity, owner = parse_address(identity), parse_address(new_owner)

        def call(account: str) -> Call:
            arguments = (identity, parse_address(guardian or account), owner)
            return Call(records.CONTRACT, "withdrawApproval", arguments)

        return one_call(self._ledger, call)

    def execute_recovery(self, identity: str, new_owner: str) -> Action[Receipt]:
        """Carry out an approved recovery after its delay; anyone may.

        What earlier owners set ends, as with :meth:`change_owner`, except the guardians.
        """
        return self._action("executeRecovery", identity, parse_address(new_owner))

    # --- internal -----------------------------------------------------------------------------

    def _action(self, function: str, identity: str | None, *arguments: Any) -> Action[Receipt]:
        """A call about an identity, by default the caller's own."""
        whose = None if identity is None else parse_address(identity)

        def call(account: str) -> Call:
            return Call(records.CONTRACT, function, (whose or account, *arguments))

        return one_call(self._ledger, call)


def require_gateway_url(url: str) -> str:
    """The URL of a gateway, without a slash at its end.

    Raises
    ------
    InvalidGatewayUrl
        If it has a user, query or fragment, or no TLS where it leaves this machine.

    Examples
    --------
    >>> require_gateway_url("https://gateway.hospital.example/")
    'https://gateway.hospital.example'
    """
    if not _GATEWAY_URL.fullmatch(url) or (url.startswith("http:") and not is_loopback(url)):
        raise InvalidGatewayUrl(
            f"{shown(url)!r} is not the URL of a gateway; give one such as "
            "https://gateway.hospital.example, or http:// on this machine alone",
            gateway=shown(url),
        )
    return url.rstrip("/")


def warn_of_x25519(ledger: Ledger, addresses: Collection[str]) -> None:
    """Warn of participants without a usable hybrid key, for whom X25519 alone wraps secrets."""
    if addresses:
        others = " and others" if len(addresses) > MOST_NAMED else ""
        named = sorted(addresses)[:MOST_NAMED]
        _LOG.warning(
            "no usable hybrid key is registered by %s%s, so that a later quantum computer could "
            "open what is wrapped to them; `radledger identity set-key` registers one",
            ", ".join(_with_reason(ledger, address) for address in named),
            others,
        )


def _with_reason(ledger: Ledger, address: str) -> str:
    unusable = records.unusable_key(ledger, address)
    return address if unusable is None else f"{address} (theirs cannot be used: {unusable})"


def _word(text: str) -> bytes:
    return text.encode().ljust(_DELEGATE_TYPE_LENGTH, b"\0")
