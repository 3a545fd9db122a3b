"""Links by which a patient shows images to anyone who is given one, as long as a grant holds.

A link has an account of its own, to which the patient grants the images.  Opening it is a reading:
the link's account signs receipts, and is given a token.  On the disk are the digest of a link's
address and its keys, sealed by that address: the disk alone opens nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from radledger.access.receipts import Receipt
from radledger.chain.refusals import ImageIsErased
from radledger.consent.permission import Use
from radledger.databases import SqliteDatabase
from radledger.fhir.health_links import HealthLink
from radledger.fhir.onchain import OnChain
from radledger.gateway.errors import LinkNotAllowed, LinkUnknown, PasscodeWrong
from radledger.gateway.link_model import Link, Made
from radledger.imaging.errors import SecretUnknown

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.access.receipts import SignedReceipt
    from radledger.chain.ledger import Ledger
    from radledger.consent import Consents
    from radledger.facade import RadLedger
    from radledger.gateway.dicomweb.image_sets import ImageSets
    from radledger.gateway.model import Issued
    from radledger.imaging.model import ImageSet

__all__ = ["ATTEMPTS", "Links", "Opened"]

ATTEMPTS = 5
"""How many wrong passcodes a link takes in all; with the last it is destroyed."""
_MOST_IMAGES = 100
_SCRYPT: dict[str, Any] = {"n": 1 << 14, "r": 8, "p": 1}
_SCHEMA = (
    """
CREATE TABLE links (
    id TEXT PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    subject TEXT NOT NULL,
    address TEXT NOT NULL,
    scope TEXT NOT NULL,
    label TEXT,
    until INTEGER NOT NULL,
    long_term INTEGER NOT NULL,
    salt BLOB,
    passcode BLOB,
    attempts INTEGER NOT NULL,
    sealed BLOB,
    opened INTEGER NOT NULL,
    opened_at INTEGER,
    recipient TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX links_by_subject ON links (subject);
""",
)


@dataclass(frozen=True, slots=True)
class Opened:
    """What the opener of a link is given: a token, and the key of the link."""

    issued: Issued
    key: bytes = field(repr=False)


class Showing(Protocol):
    """What a gateway shows, and to whom."""

    @property
    def url(self) -> str:
        """Its address, without a slash at its end."""
        ...

    @property
    def image_sets(self) -> ImageSets:
        """The image sets that it has."""
        ...

    def image_set(self, image_id: str) -> ImageSet:
        """An image set of the chain."""
        ...

    def admit(self, account: str, requests: Sequence[SignedReceipt]) -> Issued:
        """Issue a token against receipts of an account."""
        ...


class Links:
    """The links of one gateway.

    Parameters
    ----------
    ledger, consents
        The chain, and consents on it.
    path
        The database; made if it does not exist.
    gateway
        Shows the images, and has the links below its address.
    """

    def __init__(self, ledger: Ledger, consents: Consents, path: Path, gateway: Showing) -> None:
        self._ledger, self._consents, self._gateway = ledger, consents, gateway
        self._chain = OnChain(ledger, gateway.url, ())
        self._database = SqliteDatabase(path, _SCHEMA)
        self._database.open()
        # Passcodes are tried one after the other, so that none is tried beside the last.
        self._opening = threading.Lock()

    @classmethod
    def open_home(cls, radledger: RadLedger, gateway: Showing) -> Links:
        """The links of a home's gateway."""
        ledger = radledger.ledger
        path = radledger.home / "gateway" / f"{ledger.deployment.chain_slug}.links.sqlite3"
        return cls(ledger, radledger.consents, path, gateway)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def make(
        self,
        account: str,
        subject: str,
        *,
        scope: str,
        until: int,
        label: str | None,
        long_term: bool,
        passcode: str | None,
    ) -> Made:
        """Make a link, which opens nothing before its account is granted the images.

        Raises
        ------
        LinkNotAllowed
            If the account may not consent for the subject, or the link has ended.
        """
        self._require_may_act(account, subject)
        if until <= self._chain.now():
            raise LinkNotAllowed("the link would have ended; give a later time", until=until)
        from eth_account import Account

        owner = Account.create()
        name, key = secrets.token_urlsafe(32), secrets.token_bytes(32)
        salt = None if passcode is None else secrets.token_bytes(16)
        id_ = uuid.uuid4().hex
        with self._database.writing() as write:
            write(
                "INSERT INTO links VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, NULL, NULL)",
                *(id_, _digest(name), subject, owner.address, scope, label, until),
                *(int(long_term), salt, salt and _stretched(passcode or "", salt), ATTEMPTS),
                _cipher(name).encrypt(bytes(12), key + bytes(owner.key), None),
            )
        text = HealthLink(
            f"{self._gateway.url}/shl/{name}", key, until, long_term, passcode is not None, label
        )
        return Made(id_, owner.address, text)

    def list(self, account: str, subject: str) -> list[Link]:
        """The links of a subject.

        Raises
        ------
        LinkNotAllowed
            If the account may not consent for the subject.
        """
        self._require_may_act(account, subject)
        now = self._chain.now()
        rows = self._database.rows(
            "SELECT id, address, scope, label, until, long_term, passcode IS NOT NULL, attempts, "
            "opened, opened_at, recipient, sealed IS NULL FROM links WHERE subject = ? "
            "ORDER BY until, id",
            subject,
        )
        found = []
        for id_, address, scope, label, until, long_term, locks, attempts, *opened, gone in rows:
            if gone:
                status = "locked" if locks and attempts == 0 else "used"
            elif until <= now:
                status = "expired"
            else:
                status = self._granted(subject, address)
            found.append(
                Link(
                    *(id_, subject, address, scope, label, until, bool(long_term)),
                    attempts=attempts if locks else None,
                    status=status,
                    opened=opened[0],
                    opened_at=opened[1],
                    recipient=opened[2],
                )
            )
        return found

    def revoke(self, account: str, id_: str) -> None:
        """Destroy a link.

        Raises
        ------
        LinkUnknown
            If there is none of that id whose subject the account may consent for.
        """
        rows = self._database.rows("SELECT subject FROM links WHERE id = ?", id_)
        if not rows or not self._chain.may_act(rows[0][0], account):
            raise LinkUnknown("there is no such link of yours; list them", id=id_)
        with self._database.writing() as write:
            write("DELETE FROM links WHERE id = ?", id_)

    def open(self, name: str, recipient: str, passcode: str | None) -> Opened:
        """Open a link: receipts are signed, and a token is issued.

        Parameters
        ----------
        name
            The last part of its address.
        recipient
            Who opens it, as they say.
        passcode
            As they were given it.

        Raises
        ------
        PasscodeWrong
            If it is; the link is destroyed with the last wrong one.
        LinkUnknown
            If there is no such link, or it has ended, was used, or its grant does not hold.
        ChainStale, ConnectionFailed
            If the chain cannot say.
        """
        with self._opening:
            now = self._chain.now()
            rows = self._database.rows(
                "SELECT id, subject, address, scope, salt, passcode, attempts, sealed FROM links "
                "WHERE digest = ? AND sealed IS NOT NULL AND until > ?",
                *(_digest(name), now),
            )
            if not rows:
                raise _no_link()
            id_, subject, address, scope, salt, stored, attempts, sealed = rows[0]
            if stored is not None:
                self._require_passcode(id_, passcode, salt, stored, attempts)
            opened = _cipher(name).decrypt(bytes(12), sealed, None)
            key, owner = opened[:32], opened[32:]
            issued = self._issue(owner, subject, address, scope)
            with self._database.writing() as write:
                write(
                    "UPDATE links SET opened = opened + 1, opened_at = ?, recipient = ?, "
                    "sealed = CASE WHEN long_term THEN sealed END WHERE id = ?",
                    *(now, recipient, id_),
                )
            return Opened(issued, key)

    def _issue(self, key: bytes, subject: str, address: str, scope: str) -> Issued:
        """A token for what the link's account is granted, against its receipts."""
        from eth_account import Account

        owner: LocalAccount = Account.from_key(key)
        use = Use.of(["CC"])
        receipts = []
        for image_id in self._chain.images_of(subject, scope):
            image_set = self._gateway.image_set(image_id)
            decision = self._consents.check(address, image_set, ["CC"])
            if decision.permitted and decision.grant_id is not None and self._shows(image_id):
                receipt = Receipt.of(self._ledger, address, image_id, use, decision.grant_id)
                receipts.append(receipt.sign(owner))
        if not receipts:
            raise _no_link()
        return self._gateway.admit(address, receipts[:_MOST_IMAGES])

    def _shows(self, image_id: str) -> bool:
        """Whether this home has the secret of an image set."""
        try:
            self._gateway.image_sets.find(image_id)
        except (SecretUnknown, ImageIsErased):
            return False
        return True

    def _require_may_act(self, account: str, subject: str) -> None:
        if not self._chain.may_act(subject, account):
            raise LinkNotAllowed(
                f"{account} may not consent for {subject}; sign in as the patient or a delegate",
                account=account,
                subject=subject,
            )

    def _require_passcode(
        self, id_: str, passcode: str | None, salt: bytes, stored: bytes, attempts: int
    ) -> None:
        """Count a wrong passcode; with the last, destroy what the link opens."""
        if passcode is not None and hmac.compare_digest(_stretched(passcode, salt), stored):
            return
        with self._database.writing() as write:
            write(
                "UPDATE links SET attempts = attempts - 1, "
                "sealed = CASE WHEN attempts > 1 THEN sealed END WHERE id = ?",
                id_,
            )
        raise PasscodeWrong(
            "the passcode is not the link's; ask the patient for it", remaining=attempts - 1
        )

    def _granted(self, subject: str, address: str) -> str:
        grants = self._consents.list(subject=subject, grantee=address)
        return grants[-1].status if grants else "not granted"


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _cipher(name: str) -> AESGCM:
    """What seals the keys of one link, once, by its address."""
    info = b"radledger health link"
    return AESGCM(HKDF(hashes.SHA256(), 32, salt=None, info=info).derive(name.encode()))


def _stretched(passcode: str, salt: bytes) -> bytes:
    return hashlib.scrypt(passcode.encode(), salt=salt, **_SCRYPT)


def _no_link() -> LinkUnknown:
    return LinkUnknown("there is no such link, or it is no longer active; ask for another one")
