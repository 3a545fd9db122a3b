"""What a token permits now, as studies, series and instances."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from radledger.access.errors import ReaderReplaced
from radledger.chain.refusals import ConsentNotPermittedErased, ImageIsErased
from radledger.errors import RadLedgerError, Refusal
from radledger.gateway.dicomweb import ROOT
from radledger.gateway.dicomweb.image_sets import readable
from radledger.gateway.dicomweb.instances import PYDICOM
from radledger.gateway.dicomweb.json_model import BINARY, instance_json
from radledger.gateway.errors import ImageSetUnreadable, ResourceUnknown, TokenGrantDiffers
from radledger.imaging.errors import SecretUnknown

if TYPE_CHECKING:
    from radledger.gateway.dicomweb.image_sets import ImageSets, OpenSet
    from radledger.gateway.dicomweb.instances import Instances, OpenInstance
    from radledger.gateway.tokens import Viewing
    from radledger.imaging.manifest import Instance

__all__ = ["Located", "Shelf", "View"]

_PIECE = 1 << 19


@dataclass(frozen=True, slots=True)
class Located:
    """An instance, and the image set that it is of."""

    image_set: OpenSet
    instance: Instance

    @property
    def path(self) -> str:
        """Of its resource, below that of the service."""
        manifest = self.image_set.manifest
        return (
            f"/studies/{manifest.study}/series/{manifest.series}"
            f"/instances/{self.instance.sop_instance}"
        )


class Shelf(Protocol):
    """Where a view is of, such as :class:`.Gateway`."""

    @property
    def url(self) -> str:
        """Address of the service, without a slash at its end."""
        ...

    @property
    def image_sets(self) -> ImageSets:
        """The image sets that are there."""
        ...

    @property
    def instances(self) -> Instances:
        """Their instances."""
        ...

    def require(self, viewing: Viewing, image_id: str) -> None:
        """Refuse what is not permitted at the latest block."""
        ...

    def forget(self, image_id: str) -> None:
        """Forget an image set that was erased."""
        ...


class View:
    """The image sets that a token permits at the latest block.

    Parameters
    ----------
    gateway, viewing
        Whose image sets, and what the token is for.

    Raises
    ------
    Refusal, ReaderReplaced, TokenGrantDiffers
        If it permits none any more; the reason is that of the first.
    """

    def __init__(self, gateway: Shelf, viewing: Viewing) -> None:
        self._gateway, self._viewing = gateway, viewing
        self.image_sets = self._permitted()

    @property
    def url(self) -> str:
        """Address of the service."""
        return self._gateway.url + ROOT

    def select(
        self, study: str | None = None, series: str | None = None, instance: str | None = None
    ) -> list[Located]:
        """The permitted instances of a study, of a series, or all; each UID once."""
        found: dict[str, Located] = {}
        for image_set in self.image_sets:
            manifest = image_set.manifest
            if study in (None, manifest.study) and series in (None, manifest.series):
                if instance is None:
                    chosen = manifest.instances
                else:
                    chosen = tuple(filter(None, [image_set.instances.get(instance)]))
                for each in chosen:
                    found.setdefault(each.sop_instance, Located(image_set, each))
        return list(found.values())

    def require(
        self, study: str, series: str | None = None, instance: str | None = None
    ) -> list[Located]:
        """As `select`, of what has to be there.

        Raises
        ------
        ResourceUnknown
            If the token permits none; the same where there is none at all.
        """
        found = self.select(study, series, instance)
        if not found:
            raise ResourceUnknown(
                f"the token permits nothing with these UIDs; {ROOT}/studies lists what it does"
            )
        return found

    @contextmanager
    def opened(self, located: Located) -> Iterator[OpenInstance]:
        """An instance, opened for this thread alone; permission is asked for again."""
        self._require(located)
        image_set, sop_instance = located.image_set, located.instance.sop_instance
        with (
            readable(image_set.image_id),
            self._gateway.instances.opened(image_set, sop_instance) as instance,
        ):
            yield instance

    def json(self, located: Located) -> Mapping[str, Any]:
        """An instance in the DICOM JSON Model; permission is asked for again."""
        with self.opened(located) as instance, PYDICOM:
            return instance_json(instance, f"{self.url}{located.path}")

    def header(self, image_set: OpenSet) -> Mapping[str, Any]:
        """What the first instance of an image set says in few bytes, in the DICOM JSON Model."""
        if image_set.header is None:
            written = self.json(Located(image_set, image_set.manifest.instances[0]))
            image_set.header = {
                tag: each
                for tag, each in written.items()
                if each["vr"] != "SQ" and each["vr"] not in BINARY
            }
        return image_set.header

    def file(self, located: Located) -> Iterator[bytes]:
        """The file of an instance, in pieces; permission is asked for before each.

        The last piece comes when the whole file is the one that was anchored.

        Raises
        ------
        ImageSetUnreadable
            If it is not.
        """
        digest, held = hashlib.sha256(), b""
        sop_instance = located.instance.sop_instance
        with (
            readable(located.image_set.image_id),
            self._gateway.image_sets.open_file(located.image_set, sop_instance) as file,
        ):
            while True:
                self._require(located)
                piece = file.read(_PIECE)
                if not piece:
                    break
                digest.update(piece)
                if held:
                    yield held
                held = piece
        if "0x" + digest.hexdigest() != located.instance.file_digest:
            raise ImageSetUnreadable(
                "a decrypted file is not the one that was anchored; ask the custodian",
                image=located.image_set.image_id,
            )
        yield held

    def _require(self, located: Located) -> None:
        # An answer takes longer than a block, perhaps.
        self._gateway.require(self._viewing, located.image_set.image_id)

    def _permitted(self) -> list[OpenSet]:
        permitted: list[OpenSet] = []
        refusal: RadLedgerError | None = None
        for image_id in self._viewing.grants:
            try:
                self._gateway.require(self._viewing, image_id)
                permitted.append(self._gateway.image_sets.find(image_id))
            except (ConsentNotPermittedErased, ImageIsErased) as error:
                self._gateway.forget(image_id)
                refusal = refusal or error
            except (Refusal, ReaderReplaced, TokenGrantDiffers, SecretUnknown) as error:
                refusal = refusal or error
        if refusal is not None and not permitted:
            raise refusal
        return permitted
