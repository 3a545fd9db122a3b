"""A double of what a custodian holds."""

from __future__ import annotations

import secrets

from radledger.crypto.envelope import new_secret
from radledger.imaging.model import NONE, ImageRecord, Kind, State


class Holding:
    """The hospital's secrets of image sets, in memory; re-keying goes to the chain."""

    def __init__(self, ledger, custodian, *image_sets):
        self._ledger, self._custodian = ledger, custodian
        self._image_sets = {image_set.image_id: image_set for image_set in image_sets}
        self._secrets = {image_id: new_secret() for image_id in self._image_sets}
        self._manifests = dict.fromkeys(self._image_sets, "0x" + "00" * 32)

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
            keyed_in_block=0,
            anchored_at=0,
            block=0,
            transaction=NONE,
            certificate=None,
        )

    def secret(self, image_id):
        return self._secrets[image_id]

    def rekey(self, image_id):
        manifest = secrets.token_bytes(32)
        image_set = self._image_sets[image_id]
        self._ledger.send(self._custodian, "ImageRegistry", "rekey", image_set.struct, manifest)
        self._secrets[image_id] = new_secret()
        self._manifests[image_id] = "0x" + manifest.hex()
