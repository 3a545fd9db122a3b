"""A double of what a custodian holds."""

from __future__ import annotations

import secrets

from radledger.access.keyservice import release_context
from radledger.crypto.envelope import new_secret
from radledger.crypto.keys import new_private_key, unwrap
from radledger.imaging.model import NONE, ImageRecord, Kind, State

PRIVATE_KEY = new_private_key()
"""That of the reader, to whose public key secrets are wrapped."""


def opened(answer, private_key=PRIVATE_KEY):
    context = release_context(answer.image_id, answer.grant_id)
    return unwrap(answer.wrapped, private_key, context)


class Holding:
    """The hospital's secrets of image sets, in memory; re-keying goes to the chain."""

    def __init__(self, ledger, custodian, *image_sets):
        self._ledger, self._custodian = ledger, custodian
        self._image_sets = {image_set.image_id: image_set for image_set in image_sets}
        self._secrets = {image_id: new_secret() for image_id in self._image_sets}
        self._manifests = dict.fromkeys(self._image_sets, "0x" + "11" * 32)
        self._keyed_in = dict.fromkeys(self._image_sets, 0)

    def show(self, image_id):
        image_set = self._image_sets[image_id]
        return ImageRecord(
            image_id=image_id,
            image_set=image_set,
            kind=Kind.ORIGINAL,
            parent=None,
            instances=1,
            state=State.ANCHORED,
            manifest=self._manifests[image_id],
            keyed_in_block=self._keyed_in[image_id],
            anchored_at=0,
            block=0,
            transaction=NONE,
            certificate=None,
        )

    def secret(self, image_id):
        return self._secrets[image_id]

    def own_secret(self, image_id, *, reader, private_key):
        return self._secrets[image_id]

    def rekey(self, image_id):
        manifest = secrets.token_bytes(32)
        image_set = self._image_sets[image_id]
        rekey = ("ImageRegistry", "rekey", image_set.struct, manifest)
        self._keyed_in[image_id] = self._ledger.send(self._custodian, *rekey).block
        self._secrets[image_id] = new_secret()
        self._manifests[image_id] = "0x" + manifest.hex()
