"""The image sets of a gateway's home, opened with the secrets that the home holds."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from radledger.errors import CryptoError
from radledger.gateway.errors import ImageSetUnreadable
from radledger.imaging.ciphertext import open_instance
from radledger.imaging.errors import ManifestInvalid, RootMismatch
from radledger.storage.errors import ContentNotFound

if TYPE_CHECKING:
    from radledger.imaging.manifest import Instance, Manifest
    from radledger.imaging.service import Images
    from radledger.storage import Storage

__all__ = ["ImageSets", "OpenSet", "readable"]

_log = logging.getLogger(__name__)
_IDLE = 900.0
"""Seconds after which an image set that is not used is closed: a session."""
_MOST_INSTANCES = 200_000
"""Of all sets that are kept open; each takes about a kilobyte."""


@dataclass(slots=True, eq=False)
class OpenSet:
    """An image set with its secret.

    Attributes
    ----------
    image_id, manifest
        Which, and what it consists of.
    instances
        By SOP Instance UID.
    header
        That of its first instance in the DICOM JSON Model, once it was read.
    used
        When it was found last, by the clock of all.
    """

    image_id: str
    manifest: Manifest
    instances: Mapping[str, Instance]
    secret: str = field(repr=False)
    header: Mapping[str, Any] | None = field(default=None, repr=False)
    used: float = 0.0


class ImageSets:
    """Opened image sets; those that were not used for longest are closed for others.

    Parameters
    ----------
    images
        Those of the home, with their secrets.
    storage
        Where the ciphertext is.
    clock
        Seconds.
    """

    def __init__(
        self, images: Images, storage: Storage, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._images, self._storage, self._clock = images, storage, clock
        self._opened: OrderedDict[str, OpenSet] = OrderedDict()
        self._lock, self._opening = threading.Lock(), threading.Lock()

    def find(self, image_id: str) -> OpenSet:
        """An image set, opened.

        Raises
        ------
        SecretUnknown, ImageIsErased
            If this home does not hold its secret, or no longer.
        ImageSetUnreadable
            If what is stored is not what was anchored.
        """
        opened = self._kept(image_id)
        if opened is None:
            # One after the other: several requests of a viewer ask for the same set at once.
            with self._opening:
                opened = self._kept(image_id) or self._open(image_id)
        return opened

    def forget(self, image_id: str) -> None:
        """Close an image set, such as one that was erased."""
        with self._lock:
            self._opened.pop(image_id, None)

    def idle(self) -> list[str]:
        """The ids of those that were not used for a quarter of an hour."""
        with self._lock:
            before = self._clock() - _IDLE
            return [each.image_id for each in self._opened.values() if each.used <= before]

    def open_file(self, opened: OpenSet, sop_instance: str) -> BinaryIO:
        """One instance's file, decrypted as it is read.

        Raises
        ------
        ImageSetUnreadable
            If what is stored is not what was anchored.
        ContentNotFound, StorageUnavailable
            If the store does not have it, or cannot be reached.
        """
        with readable(opened.image_id):
            try:
                return open_instance(self._storage, opened.instances[sop_instance], opened.secret)
            except ContentNotFound:
                # Its ciphertext goes when the set is encrypted again; its files stay the same.
                self.forget(opened.image_id)
                again = self.find(opened.image_id)
                return open_instance(self._storage, again.instances[sop_instance], again.secret)

    def _kept(self, image_id: str) -> OpenSet | None:
        with self._lock:
            opened = self._opened.get(image_id)
            if opened is not None:
                opened.used = self._clock()
                self._opened.move_to_end(image_id)
            return opened

    def _open(self, image_id: str) -> OpenSet:
        with readable(image_id):
            secret = self._images.secret(image_id)
            manifest = self._images.contents(image_id, secret=secret)
        instances = {each.sop_instance: each for each in manifest.instances}
        opened = OpenSet(image_id, manifest, instances, secret, used=self._clock())
        with self._lock:
            self._opened[image_id] = opened
            total = sum(len(each.instances) for each in self._opened.values())
            while total > _MOST_INSTANCES and len(self._opened) > 1:
                total -= len(self._opened.popitem(last=False)[1].instances)
        return opened


@contextmanager
def readable(image_id: str) -> Iterator[None]:
    """Say of an image set alone that it cannot be read, and why in the log of its custodian.

    Raises
    ------
    ImageSetUnreadable
        If what the block reads is not what was anchored.
    """
    try:
        yield
    except (CryptoError, ManifestInvalid, RootMismatch) as error:
        _log.error("image set %s cannot be read: %s", image_id, error)
        raise ImageSetUnreadable(
            "what is stored of the image set is not what was anchored; ask the custodian",
            image=image_id,
        ) from error
