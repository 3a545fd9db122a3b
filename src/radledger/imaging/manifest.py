"""The manifest, which is stored beside the files of an image set and describes all of them.

A stored manifest is one line of JSON, the envelope, and then the manifest proper as an age file::

    {"commitment":"0x…","format":"radledger-manifest","hybrid":{"patient":"…"},"version":1,"wrapped":{}}
    age-encryption.org/v1 …

The envelope is not encrypted and reveals nothing.  ``commitment`` binds the custodian to
one secret (:func:`radledger.crypto.envelope.commitment`).  ``hybrid`` holds that secret, in
base64, wrapped by HPKE to the registered hybrid keys of the ``custodian`` and the ``patient``;
``wrapped`` that of those who had registered a key of X25519 alone.  Who these are, the event that
names the manifest's digest says already, so the envelope links nothing that the chain does not.

The manifest is JSON in ASCII with sorted keys and without spaces, the same bytes for the same
set.  It holds the image set's preimage and, for each instance, the Merkle leaf and where the
ciphertext is.  What could identify the patient stands in it only where the files keep it too:
``visit`` and ``course``, each with its name and salt, are left out of de-identified sets.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, TypeVar

from radledger.crypto import envelope, keys
from radledger.crypto.merkle import Leaf, MerkleTree
from radledger.errors import RadLedgerError
from radledger.forms import Form, integer, optional, text
from radledger.forms import fields as read_fields
from radledger.imaging.errors import (
    CommitmentMismatch,
    ManifestInvalid,
    RootMismatch,
    SecretUnknown,
)
from radledger.imaging.model import ImageSet, Kind
from radledger.storage import cid_digest
from radledger.storage.errors import InvalidCid

__all__ = ["LONGEST_MANIFEST", "Envelope", "Group", "Instance", "Manifest", "read_envelope"]

_FORMAT = "radledger-manifest"
_VERSION = 1
_LONGEST_ENVELOPE = 8192
LONGEST_MANIFEST = 256 << 20
"""Bytes of a stored manifest at most, some million instances."""
_LARGEST_FILE = 1 << 40
_WRAP_DOMAIN = b"manifest\0"
_FIELDS = {keys.Kem.X25519: "wrapped", keys.Kem.HYBRID: "hybrid"}
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Instance:
    """One DICOM instance of an image set.

    Attributes
    ----------
    sop_instance, sop_class, transfer_syntax
        UIDs, as they are in the file.
    number
        Instance Number, where the file has one.
    salt, file_digest, image_digest
        The Merkle leaf, each ``0x`` and 64 digits.
    cid
        Of the ciphertext.
    size
        Bytes of the file itself.
    """

    sop_instance: str
    sop_class: str
    transfer_syntax: str
    number: int | None
    salt: str
    file_digest: str
    image_digest: str
    cid: str
    size: int

    @property
    def leaf(self) -> Leaf:
        """The leaf that stands for it in the tree."""
        values = (self.salt, self.file_digest, self.image_digest)
        return Leaf(*(bytes.fromhex(value[2:]) for value in values))


@dataclass(frozen=True, slots=True)
class Group:
    """What a visit or course is called, and the salt of what the chain holds of it.

    That is :func:`radledger.imaging.model.group_digest` of them and the custodian.
    """

    name: str
    salt: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The description of an image set: everything except the pixels.

    Attributes
    ----------
    image_set
        What the image id is the hash of.
    kind, parent
        How it came about, and from which image id.
    profile
        Name of the de-identification profile; `None` where the identity was kept.
    study, series, modality
        As they are in the files.
    visit, course
        Their names and salts; `None` in de-identified sets.
    instances
        By Instance Number.

    Examples
    --------
    >>> cid = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
    >>> instance = Instance("1.2.3", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1", 1,
    ...                     *["0x" + "ab" * 32] * 3, cid, 10)
    >>> root = "0x" + MerkleTree([instance.leaf]).root.hex()
    >>> image_set = ImageSet("0x" + "11" * 20, "0x" + "22" * 20, root, "0x" + "33" * 32)
    >>> manifest = Manifest(image_set, "original", None, None, "1.2", "1.2.4", "CT",
    ...                     Group("1.2", "0x" + "44" * 32), None, (instance,))
    >>> secret = envelope.new_secret()
    >>> stored = io.BytesIO(manifest.seal(secret, {}))
    >>> read_envelope(stored).open(secret) == manifest
    True
    """

    image_set: ImageSet
    kind: str
    parent: str | None
    profile: str | None
    study: str
    series: str
    modality: str
    visit: Group | None
    course: Group | None
    instances: tuple[Instance, ...]

    def to_bytes(self) -> bytes:
        """The manifest as JSON, the same bytes for the same set."""
        fields = {"format": _FORMAT, "version": _VERSION, **asdict(self)}
        return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode("ascii")

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Read the form of :meth:`to_bytes`.

        Raises
        ------
        ManifestInvalid
            If it is not a manifest, or is of a later version.
        RootMismatch
            If its leaves do not add up to its root.
        """
        try:
            fields = json.loads(data)
            _require_format(fields)
            del fields["format"], fields["version"]
            fields["image_set"] = _read(ImageSet, fields["image_set"])
            fields["instances"] = tuple(_read(Instance, each) for each in fields["instances"])
            for name in ("visit", "course"):
                if fields[name] is not None:
                    fields[name] = _read(Group, fields[name])
            manifest = _read(cls, fields)
        except _MALFORMED as error:
            raise _invalid(str(error)) from error
        if len({each.sop_instance for each in manifest.instances}) < len(manifest.instances):
            raise _invalid("it has a SOP Instance UID twice")
        manifest.require_root()
        return manifest

    def require_root(self) -> None:
        """Check that the leaves add up to the root.

        Raises
        ------
        RootMismatch
            With both roots.
        """
        root = "0x" + MerkleTree(each.leaf for each in self.instances).root.hex()
        if root != self.image_set.root:
            raise RootMismatch(
                "the manifest's leaves do not add up to its root; fetch it again, and if it stays "
                "so, ask the custodian",
                expected=self.image_set.root,
                got=root,
            )

    def seal(self, secret: str, public_keys: Mapping[str, keys.PublicKey]) -> bytes:
        """Encrypt the manifest, and put the envelope before it.

        Parameters
        ----------
        secret
            The image set's.
        public_keys
            Registered keys by role, ``custodian`` and ``patient``.
        """
        context = _WRAP_DOMAIN + bytes.fromhex(self.image_set.image_id[2:])
        wrapped: dict[str, dict[str, str]] = {field: {} for field in _FIELDS.values()}
        for role, key in public_keys.items():
            data = keys.wrap(secret, key, context).data
            wrapped[_FIELDS[key.kem]][role] = base64.b64encode(data).decode("ascii")
        head = {
            "format": _FORMAT,
            "version": _VERSION,
            "commitment": "0x" + envelope.commitment(secret).hex(),
            **wrapped,
        }
        line = json.dumps(head, sort_keys=True, separators=(",", ":")).encode("ascii")
        ciphertext = io.BytesIO()
        plain = self.to_bytes()
        # Padded by JSON's own white space, so that what age gives is the manifest as it is.
        plain = plain.ljust(envelope.padded(len(plain)))
        envelope.encrypt(io.BytesIO(plain), ciphertext, envelope.recipient(secret))
        return line + b"\n" + ciphertext.getvalue()


@dataclass(frozen=True, slots=True)
class Envelope:
    """The readable part of a stored manifest, and its ciphertext to come."""

    commitment: str
    wrapped: Mapping[str, keys.Wrapped]
    ciphertext: IO[bytes]

    def secret_for(self, role: str, image_id: str, private_key: keys.PrivateKey) -> str:
        """The secret, as it was wrapped to the custodian or the patient.

        Raises
        ------
        SecretUnknown
            If it was not wrapped to ``role``.
        UnwrapFailed
            If it was wrapped to another key.
        """
        if role not in self.wrapped:
            raise SecretUnknown(
                f"the secret was not wrapped to the {role}, who had no registered key when the "
                "images were added; ask the custodian's key service",
                image=image_id,
                role=role,
            )
        context = _WRAP_DOMAIN + bytes.fromhex(image_id[2:])
        return keys.unwrap(self.wrapped[role], private_key, context)

    def require_secret(self, secret: str) -> None:
        """Check that a secret is the one that the envelope commits to.

        Raises
        ------
        CommitmentMismatch
            If it is another one.
        """
        found = "0x" + envelope.commitment(secret).hex()
        if found != self.commitment:
            raise CommitmentMismatch(
                "the secret is not this manifest's; ask for it again, it may have changed",
                expected=self.commitment,
                got=found,
            )

    def open(self, secret: str) -> Manifest:
        """Decrypt the manifest.

        Raises
        ------
        CommitmentMismatch
            If the secret is not the one that the envelope commits to.
        DecryptionFailed, ManifestInvalid, RootMismatch
            If the manifest was changed, or is none.
        """
        self.require_secret(secret)
        with TemporaryDirectory(prefix="radledger-") as folder:
            plain = Path(folder) / "manifest"
            envelope.decrypt(self.ciphertext, plain, secret)
            if plain.stat().st_size > LONGEST_MANIFEST:
                raise _invalid("it is larger than any image set's")
            return Manifest.from_bytes(plain.read_bytes())


def read_envelope(stored: IO[bytes]) -> Envelope:
    """Read the envelope of a stored manifest.

    Parameters
    ----------
    stored
        As :func:`radledger.storage.get_by_digest` opens it; must stay open until the manifest
        has been opened.

    Raises
    ------
    ManifestInvalid
        If it does not begin with one.
    """
    line = stored.readline(_LONGEST_ENVELOPE)
    try:
        head: dict[str, Any] = json.loads(line)
        _require_format(head)
        wrapped = {
            str(role): keys.Wrapped(kem, base64.b64decode(encoded, validate=True))
            for kem, field in _FIELDS.items()
            # An earlier release writes no field of hybrid keys.
            for role, encoded in head.get(field, {}).items()
        }
        return Envelope(str(head["commitment"]), wrapped, stored)
    except _MALFORMED as error:
        raise _invalid(str(error)) from error


def _require_format(value: Any) -> None:
    try:
        read_fields(_HEAD, value)
    except ValueError:
        raise _invalid("it is of another format or a later version") from None


def _cid(value: Any) -> str:
    try:
        if isinstance(value, str) and len(cid_digest(value)) == 32:
            return value
    except InvalidCid:
        pass
    raise ValueError("not a CID")


def _some(value: Any) -> Any:
    if not value:
        raise ValueError("none")
    return value


_HEAD = {"format": text(re.escape(_FORMAT)), "version": integer(_VERSION, _VERSION)}
_HASH, _ADDRESS, _ANY = text("0x[0-9a-f]{64}"), text("0x[0-9a-fA-F]{40}"), text()
_FORMS: Mapping[type, Mapping[str, Form]] = {
    ImageSet: {
        **dict.fromkeys(("custodian", "patient"), _ADDRESS),
        **dict.fromkeys(("root", "visit", "course"), _HASH),
    },
    Instance: {
        "sop_instance": text("[0-9.]{1,64}"),
        **dict.fromkeys(("sop_class", "transfer_syntax"), _ANY),
        "number": optional(integer(-(1 << 63), (1 << 63) - 1)),
        **dict.fromkeys(("salt", "file_digest", "image_digest"), _HASH),
        "cid": _cid,
        "size": integer(0, _LARGEST_FILE),
    },
    Group: {"name": _ANY, "salt": _HASH},
    Manifest: {
        "kind": text("|".join(Kind)),
        "parent": optional(_HASH),
        "profile": optional(_ANY),
        **dict.fromkeys(("study", "series", "modality"), _ANY),
        "instances": _some,
    },
}
"""The values that the fields of each may have."""


def _read(cls: type[T], fields: Mapping[str, Any]) -> T:
    """Check some fields of a manifest; its form is untrusted."""
    return cls(**{**fields, **read_fields(_FORMS[cls], fields)})


def _invalid(reason: str) -> RadLedgerError:
    return ManifestInvalid(
        f"what is stored is not a manifest of an image set ({reason}); ask the custodian",
        reason=reason,
    )
