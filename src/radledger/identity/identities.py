"""Owners, delegates, encryption keys and guardians: the service over ``IdentityRegistry``.

The registry is ERC-1056: any address is an identity (``did:ethr``) that owns itself until it says
otherwise, and what is published about it stands in the registry's events.

References
----------
.. [1] ERC-1056, Ethereum Lightweight Identity, https://eips.ethereum.org/EIPS/eip-1056
.. [2] did:ethr Method Specification,
   https://github.com/decentralized-identity/ethr-did-resolver/blob/master/doc/did-method-spec.md
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from radledger.chain.forwarding import Forwarding
from radledger.crypto.keys import PublicKey
from radledger.identity import records
from radledger.identity.address import parse_address
from radledger.identity.errors import NoEncryptionKey, NoGuardians

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Call, Ledger, Receipt

__all__ = ["CONSENT_DELEGATE", "MOST_NAMED", "Identities", "warn_of_x25519"]

CONSENT_DELEGATE = "radledger.consent"
"""Type of the delegates who grant and revoke for an identity: a parent, a proxy."""

MOST_NAMED = 3
"""How many participants a warning names."""

_LOG = logging.getLogger(__name__)
_DELEGATE_TYPE_LENGTH = 32
_WEEK = 7 * 24 * 3600
_TEN_YEARS = 10 * 365 * 24 * 3600


class Identities(Forwarding):
    """Identities, and what their owners and guardians do.

    Each change that an owner or a guardian makes exists twice: under its name, sent by the signer,
    who pays; and as ``sign_…``, which gives a document that anybody with Ether may ``submit``.

    Examples
    --------
    >>> identities = Identities(ledger)                            # doctest: +SKIP
    >>> identities.set_key(radiologist, public_key(private_key))   # doctest: +SKIP
    >>> identities.encryption_key(radiologist.address) == public_key(private_key)
    ... # doctest: +SKIP
    True
    >>> document = identities.sign_set_key(patient, public_key(patients_private_key))
    ... # doctest: +SKIP
    >>> identities.submit(document, hospital)                      # doctest: +SKIP
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    # --- reading ------------------------------------------------------------------------------

    def show(self, identity: str) -> records.Identity:
        """Say who owns an identity, who acts for it, what it publishes, who can recover it."""
        return records.identity_record(self._ledger, parse_address(identity))

    def encryption_key(self, identity: str) -> PublicKey:
        """The public key to wrap a secret to: the last one registered that is valid now.

        A hybrid key counts before those of X25519 alone; one that an earlier owner registered, or
        that nothing can be wrapped to, does not count.

        Raises
        ------
        NoEncryptionKey
            If there is none.
        """
        identity = parse_address(identity)
        key = records.encryption_key(self._ledger, identity)
        if key is None:
            raise NoEncryptionKey(
                f"{identity} has registered no encryption key; it does so with "
                "`radledger identity set-key`",
                identity=identity,
            )
        return key

    # --- the owner ----------------------------------------------------------------------------

    def set_key(
        self,
        signer: LocalAccount,
        public_key: PublicKey,
        *,
        identity: str | None = None,
        valid_for: int = _TEN_YEARS,
    ) -> Receipt:
        """Register an encryption key.

        Parameters
        ----------
        signer
            Who owns the identity.
        public_key
            From :func:`radledger.crypto.keys.public_key`.
        identity
            Default: the signer's own address.
        valid_for
            Seconds.
        """
        return self._send(signer, _set_key(signer, public_key, identity, valid_for))

    def sign_set_key(
        self,
        signer: LocalAccount,
        public_key: PublicKey,
        *,
        identity: str | None = None,
        valid_for: int = _TEN_YEARS,
    ) -> dict[str, Any]:
        """As :meth:`set_key`, signed for another account to submit."""
        return self._sign(signer, _set_key(signer, public_key, identity, valid_for))

    def change_owner(
        self, signer: LocalAccount, new_owner: str, *, identity: str | None = None
    ) -> Receipt:
        """Hand an identity over to another key, which alone acts for it from then on.

        What was set before ends, also for identities that it owns: delegates, guardians and
        attributes, the encryption key among them.  The new owner sets again what is to stay.
        """
        return self._send(signer, _change_owner(signer, new_owner, identity))

    def sign_change_owner(
        self, signer: LocalAccount, new_owner: str, *, identity: str | None = None
    ) -> dict[str, Any]:
        """As :meth:`change_owner`, signed for another account to submit."""
        return self._sign(signer, _change_owner(signer, new_owner, identity))

    def add_delegate(
        self,
        signer: LocalAccount,
        delegate: str,
        *,
        valid_for: int,
        delegate_type: str = CONSENT_DELEGATE,
        identity: str | None = None,
    ) -> Receipt:
        """Let a delegate act for an identity, as a parent does who grants, for some seconds."""
        return self._send(
            signer, _add_delegate(signer, delegate, valid_for, delegate_type, identity)
        )

    def sign_add_delegate(
        self,
        signer: LocalAccount,
        delegate: str,
        *,
        valid_for: int,
        delegate_type: str = CONSENT_DELEGATE,
        identity: str | None = None,
    ) -> dict[str, Any]:
        """As :meth:`add_delegate`, signed for another account to submit."""
        return self._sign(
            signer, _add_delegate(signer, delegate, valid_for, delegate_type, identity)
        )

    def revoke_delegate(
        self,
        signer: LocalAccount,
        delegate: str,
        *,
        delegate_type: str = CONSENT_DELEGATE,
        identity: str | None = None,
    ) -> Receipt:
        """End what a delegate may do."""
        return self._send(signer, _revoke_delegate(signer, delegate, delegate_type, identity))

    def sign_revoke_delegate(
        self,
        signer: LocalAccount,
        delegate: str,
        *,
        delegate_type: str = CONSENT_DELEGATE,
        identity: str | None = None,
    ) -> dict[str, Any]:
        """As :meth:`revoke_delegate`, signed for another account to submit."""
        return self._sign(signer, _revoke_delegate(signer, delegate, delegate_type, identity))

    def set_guardians(
        self,
        signer: LocalAccount,
        guardians: Iterable[str],
        threshold: int,
        *,
        identity: str | None = None,
    ) -> Receipt:
        """Set the guardians of an identity and how many recover it; none and 0 to dismiss them.

        The guardians of an identity are public.  A guardian with one address for several identities
        links them, so each gives an address derived for this one (`Keystore.derive`).
        """
        return self._send(signer, _set_guardians(signer, guardians, threshold, identity))

    def sign_set_guardians(
        self,
        signer: LocalAccount,
        guardians: Iterable[str],
        threshold: int,
        *,
        identity: str | None = None,
    ) -> dict[str, Any]:
        """As :meth:`set_guardians`, signed for another account to submit."""
        return self._sign(signer, _set_guardians(signer, guardians, threshold, identity))

    def guards_of_others(self, guardians: Iterable[str], *, identity: str) -> tuple[str, ...]:
        """Which addresses are guardians of other identities, or were: they link these for all."""
        addresses = [parse_address(each) for each in guardians]
        return records.guards_of_others(self._ledger, parse_address(identity), addresses)

    def veto(self, signer: LocalAccount, *, identity: str | None = None) -> Receipt:
        """Cancel every recovery of an identity that is under way."""
        return self._send(signer, _call("vetoRecovery", identity or signer.address))

    def sign_veto(self, signer: LocalAccount, *, identity: str | None = None) -> dict[str, Any]:
        """As :meth:`veto`, signed for another account to submit."""
        return self._sign(signer, _call("vetoRecovery", identity or signer.address))

    # --- guardians ----------------------------------------------------------------------------

    def approve_recovery(
        self, signer: LocalAccount, identity: str, new_owner: str, *, guardian: str | None = None
    ) -> Receipt:
        """As a guardian, approve a new owner of an identity.

        The approval that makes the threshold starts the delay in which the owner can veto.  It
        counts for 30 days, and as long as the guardian's own identity gets no other owner.

        Parameters
        ----------
        signer
            Who acts for the guardian.
        identity, new_owner
            What is recovered, and the key that is to own it.
        guardian
            The guardian's identity; default: the signer's own address.

        Raises
        ------
        NoGuardians
            If the identity has none.
        """
        return self._send(signer, self._approval(signer, identity, new_owner, guardian))

    def sign_approve_recovery(
        self, signer: LocalAccount, identity: str, new_owner: str, *, guardian: str | None = None
    ) -> dict[str, Any]:
        """As :meth:`approve_recovery`, signed for another account to submit.

        Raises
        ------
        NoGuardians
            If the identity has none.
        """
        return self._sign(signer, self._approval(signer, identity, new_owner, guardian))

    def withdraw_approval(
        self, signer: LocalAccount, identity: str, new_owner: str, *, guardian: str | None = None
    ) -> Receipt:
        """As a guardian, withdraw the approval of a new owner of an identity."""
        return self._send(signer, _withdrawal(signer, identity, new_owner, guardian))

    def sign_withdraw_approval(
        self, signer: LocalAccount, identity: str, new_owner: str, *, guardian: str | None = None
    ) -> dict[str, Any]:
        """As :meth:`withdraw_approval`, signed for another account to submit."""
        return self._sign(signer, _withdrawal(signer, identity, new_owner, guardian))

    def execute_recovery(self, signer: LocalAccount, identity: str, new_owner: str) -> Receipt:
        """Carry out an approved recovery after its delay; anybody may.

        What earlier owners set ends, as with :meth:`change_owner`, but for the guardians.
        """
        return self._send(signer, _call("executeRecovery", identity, parse_address(new_owner)))

    # --- internal -----------------------------------------------------------------------------

    def _send(self, signer: LocalAccount, call: Call) -> Receipt:
        return self._ledger.send(signer, call.contract, call.function, *call.arguments)

    def _sign(self, signer: LocalAccount, call: Call) -> dict[str, Any]:
        return self._sign_forward(
            signer, str(call.contract), call.function, *call.arguments, valid_for=_WEEK
        )

    def _approval(
        self, signer: LocalAccount, identity: str, new_owner: str, guardian: str | None
    ) -> Call:
        identity = parse_address(identity)
        named = records.guardians(self._ledger, identity)
        if named is None:
            raise NoGuardians(
                f"{identity} has no guardians, so it cannot be recovered; guardians that an "
                "earlier owner named do not count",
                identity=identity,
            )
        return _call(
            "approveRecovery",
            identity,
            parse_address(guardian or signer.address),
            parse_address(new_owner),
            list(named.guardians),
            named.threshold,
        )


def warn_of_x25519(addresses: Collection[str]) -> None:
    """Say in one line who is wrapped to by X25519 alone, for want of a hybrid key."""
    if addresses:
        others = " and others" if len(addresses) > MOST_NAMED else ""
        _LOG.warning(
            "no hybrid key is registered by %s%s, so that a later quantum computer could open what "
            "is wrapped to them; `radledger identity set-key` registers one",
            ", ".join(sorted(addresses)[:MOST_NAMED]),
            others,
        )


def _call(function: str, identity: str, *arguments: Any) -> Call:
    from radledger.chain.ledger import Call

    return Call(records.CONTRACT, function, (parse_address(identity), *arguments))


def _set_key(
    signer: LocalAccount, public_key: PublicKey, identity: str | None, valid_for: int
) -> Call:
    name, value = records.key_attribute(public_key)
    return _call("setAttribute", identity or signer.address, _word(name), value, valid_for)


def _add_delegate(
    signer: LocalAccount, delegate: str, valid_for: int, delegate_type: str, identity: str | None
) -> Call:
    arguments = (_word(delegate_type), parse_address(delegate), valid_for)
    return _call("addDelegate", identity or signer.address, *arguments)


def _revoke_delegate(
    signer: LocalAccount, delegate: str, delegate_type: str, identity: str | None
) -> Call:
    return _call(
        "revokeDelegate", identity or signer.address, _word(delegate_type), parse_address(delegate)
    )


def _change_owner(signer: LocalAccount, new_owner: str, identity: str | None) -> Call:
    return _call("changeOwner", identity or signer.address, parse_address(new_owner))


def _withdrawal(signer: LocalAccount, identity: str, new_owner: str, guardian: str | None) -> Call:
    approving = parse_address(guardian or signer.address)
    return _call("withdrawApproval", identity, approving, parse_address(new_owner))


def _set_guardians(
    signer: LocalAccount, guardians: Iterable[str], threshold: int, identity: str | None
) -> Call:
    # The registry wants the list in ascending order, which shows at one glance that none is twice.
    ascending = sorted(map(parse_address, guardians), key=lambda address: int(address, 16))
    return _call("setGuardians", identity or signer.address, ascending, threshold)


def _word(text: str) -> bytes:
    return text.encode().ljust(_DELEGATE_TYPE_LENGTH, b"\0")
