"""What a stranger finds out with a node of the chain and one of the store, and no key."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import suppress
from itertools import combinations

from radledger.consent.model import unpack
from radledger.crypto.errors import UnwrapFailed
from radledger.imaging.manifest import read_envelope
from radledger.imaging.model import NONE
from radledger.storage import candidates


def linked(groups):
    """The pairs of addresses that an attack takes for one person's."""
    return {
        frozenset(pair) for group in groups.values() for pair in combinations(sorted(set(group)), 2)
    }


class Stranger:
    """Attacks, each a guess from public data alone."""

    def __init__(self, ledger, store):
        self._ledger = ledger
        self._store = store
        self.anchored = ledger.events("ImageRegistry", "ImageAnchored")
        # Emergency access, which names no disease, is looked at by itself.
        granted = ledger.events("ConsentRegistry", "ConsentGranted")
        self._granted = [event for event in granted if any(unpack(event.args["given"]).terms[-1])]

    def by_guardians(self):
        """Addresses by the guardians that they name."""
        groups = defaultdict(list)
        for event in self._ledger.events("IdentityRegistry", "IdentityGuardiansSet"):
            groups[tuple(event.args["guardians"])].append(event.args["identity"])
        return groups

    def by_any_guardian(self):
        """Addresses by each guardian that they name."""
        groups = defaultdict(list)
        for event in self._ledger.events("IdentityRegistry", "IdentityGuardiansSet"):
            for guardian in event.args["guardians"]:
                groups[guardian].append(event.args["identity"])
        return groups

    def by_encryption_key(self):
        """Addresses by the encryption key that they publish."""
        groups = defaultdict(list)
        for event in self._ledger.events("IdentityRegistry", "DIDAttributeChanged"):
            groups[event.args["value"]].append(event.args["identity"])
        return groups

    def by_terms(self):
        """Addresses by grantee, end and terms of what they granted, without the disease."""
        groups = defaultdict(list)
        for event in self._granted:
            _, until, purposes, conditions, _ = unpack(event.args["given"]).terms
            key = (event.args["grantee"], until, purposes, conditions)
            groups[key].append(event.args["subject"])
        return groups

    def by_disease(self):
        """Addresses by what stands for a disease in their grants."""
        groups = defaultdict(list)
        for event in self._granted:
            groups[unpack(event.args["given"]).terms[-1]].append(event.args["subject"])
        return groups

    def diseases(self, guesses):
        """Disease of each address whose grant has one of the guesses."""
        return {
            address: guesses[digest]
            for digest, addresses in self.by_disease().items()
            for address in addresses
            if digest in guesses
        }

    def versions(self):
        """Pairs of an image set and what it came from."""
        return {
            (event.args["parent"], event.args["image"])
            for event in self.anchored
            if event.args["parent"] != NONE
        }

    def of_one_visit(self):
        """How many visits have several image sets."""
        visits = Counter((event.args["patient"], event.args["visit"]) for event in self.anchored)
        return sum(count > 1 for count in visits.values())

    def emergencies(self):
        """Who was in an emergency, by whom treated where."""
        return [
            (event.args["subject"], event.args["clinician"], event.args["institution"])
            for event in self._ledger.events("ConsentRegistry", "EmergencyDeclared")
        ]

    def lengths(self):
        """Lengths of the padded contents of each image set's files, by its id.

        The store keeps the time of each file, and an image set's manifest is stored after them.
        """
        blobs = sorted(self._store.glob("pinned/*/*"), key=lambda path: path.stat().st_mtime_ns)
        place = {path.name: number for number, path in enumerate(blobs)}
        found = {}
        for event in self.anchored:
            manifest = next(
                place[cid]
                for cid in candidates(bytes.fromhex(event.args["manifest"][2:]))
                if cid in place
            )
            files = blobs[manifest - event.args["instances"] : manifest]
            found[event.args["image"]] = tuple(sorted(map(content_length, files)))
        return found

    def by_lengths(self, kind):
        """Addresses by the number and lengths of the files in an image set of theirs."""
        lengths, groups = self.lengths(), defaultdict(list)
        for event in self.anchored:
            if event.args["kind"] == kind:
                groups[lengths[event.args["image"]]].append(event.args["patient"])
        return groups

    def opened(self, private_keys):
        """The secrets in manifests that open with private keys, given by the address."""
        found = set()
        for event in self.anchored:
            (manifest,) = self._named(event.args["manifest"])
            with manifest.open("rb") as stored:
                envelope = read_envelope(stored)
            for role in envelope.wrapped:
                key = private_keys[event.args[role]]
                with suppress(UnwrapFailed):
                    found.add(envelope.secret_for(role, event.args["image"], key))
        return found

    def content(self):
        """All bytes in the store."""
        return b"".join(path.read_bytes() for path in self._store.glob("pinned/*/*"))

    def _named(self, digest):
        names = candidates(bytes.fromhex(digest[2:]))
        return [path for name in names for path in self._store.glob(f"pinned/*/{name}")]

    def digests(self):
        """Every digest of an image set that a guess could be tried on."""
        names = ("visit", "root", "course")
        return {bytes.fromhex(event.args[name][2:]) for event in self.anchored for name in names}


def content_length(path):
    """The length of what an age file encrypts, in chunks of 64 KiB with a tag of 16 bytes each."""
    data = path.read_bytes()
    mark = data.index(b"\n--- ") + 1
    body = len(data) - (data.index(b"\n", mark) + 1) - 16
    return body - 16 * -(-body // (65_536 + 16))
