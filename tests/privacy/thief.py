"""What an attacker finds out of an erased image set, who guesses which files it was made of."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress

import pydicom
from eth_hash.auto import keccak

from radledger.crypto.errors import UnwrapFailed
from radledger.crypto.merkle import Leaf, MerkleTree
from radledger.dicom.digest import file_digest, image_digest
from radledger.imaging.errors import CommitmentMismatch
from radledger.imaging.manifest import read_envelope
from radledger.storage import candidates
from tests.privacy.stranger import content_length


def header_of(file):
    return pydicom.dcmread(file, stop_before_pixels=True)


def traces_of(files):
    """What files of a study leave where they are known: bytes to look for."""
    digests = [digest(file) for file in files for digest in (file_digest, image_digest)]
    headers = [header_of(file) for file in files]
    names = {str(header[name].value) for header in headers for name in ("PatientID", "PatientName")}
    uids = {
        str(header[f"{level}InstanceUID"].value)
        for header in headers
        for level in ("Study", "Series", "SOP")
    }
    texts = [*names, *uids, *(digest.hex() for digest in digests)]
    return {*digests, *(text.encode() for text in texts), *(f.read_bytes()[-512:] for f in files)}


def found_in(folder, traces):
    """Those traces that are anywhere in the bytes of a folder's files."""
    content = b"\0".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return {trace for trace in traces if trace in content}


class Thief:
    """Attacks on one erased image set.

    Parameters
    ----------
    ledger
        A node of the chain.
    image_id
        The set.
    store
        An old copy of the store's folder.
    """

    def __init__(self, ledger, image_id, store):
        image = bytes.fromhex(image_id[2:])
        (self._anchored,) = ledger.events("ImageRegistry", "ImageAnchored", image=image)
        (self._erased,) = ledger.events("ImageRegistry", "ImageErased", image=image)
        self._image_id = image_id
        self._blobs = sorted(store.glob("pinned/*/*"), key=lambda path: path.stat().st_mtime_ns)

    def confirmed(self, files, salts=()):
        """The words of the chain that files give, with any of some salts or with none."""
        known = {*self._anchored.args.values(), *self._erased.args.values()}
        words = {value.lower() for value in known if isinstance(value, str)}
        header = header_of(files[0])
        names = (header.StudyInstanceUID, header.SeriesInstanceUID, header.PatientID)
        guessed = [*map(str.encode, map(str, names)), *(file.read_bytes() for file in files)]
        digests = [
            digest(salt + content)
            for salt in (b"", *salts)
            for content in guessed
            for digest in (keccak, lambda data: hashlib.sha256(data).digest())
        ]
        digests += [digest(file) for file in files for digest in (file_digest, image_digest)]
        digests += [self.root(files, [salt] * len(files)) for salt in (bytes(32), *salts)]
        # Of the digest of a visit's name the chain has the first 12 bytes.
        return {word for word in words for each in digests if word[2:26] == each.hex()[:24]}

    @staticmethod
    def root(files, salts):
        """The root over files, for one order of them."""
        pairs = zip(files, salts, strict=True)
        leaves = [Leaf(salt, file_digest(each), image_digest(each)) for each, salt in pairs]
        return MerkleTree(leaves).root

    def certified(self, statement):
        """Whether the chain has the digest of a statement with the names in the old store."""
        manifest = self._manifest.name
        names = sorted(path.name for path in self._blobs if path != self._manifest)
        whole = statement | {"manifest": manifest, "ciphertexts": names}
        text = json.dumps(whole, indent=2, sort_keys=True) + "\n"
        digest = "0x" + hashlib.sha256(text.encode()).hexdigest()
        return digest == self._erased.args["certificate"]

    def secret(self, role, private_key):
        """The secret in the old copy of the manifest, if a key opens it."""
        with self._manifest.open("rb") as stored, suppress(UnwrapFailed):
            return read_envelope(stored).secret_for(role, self._image_id, private_key)
        return None

    def manifest(self, secret):
        """The manifest in the old copy of the store, if a secret opens it."""
        with self._manifest.open("rb") as stored, suppress(CommitmentMismatch):
            return read_envelope(stored).open(secret)
        return None

    def lengths(self):
        """The padded lengths of the set's files, which the store took just before the manifest."""
        end = self._blobs.index(self._manifest)
        start = end - self._anchored.args["instances"]
        return sorted(map(content_length, self._blobs[start:end]))

    @property
    def _manifest(self):
        names = candidates(bytes.fromhex(self._anchored.args["manifest"][2:]))
        return next(path for path in self._blobs if path.name in names)
