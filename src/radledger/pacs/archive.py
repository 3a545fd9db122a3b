"""What workstations may query and retrieve: image sets of a home, as the chain permits them."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.access.book import Acknowledged
from radledger.access.errors import ReaderReplaced
from radledger.access.receipts import Receipt
from radledger.chain.refusals import ConsentNotPermittedErased
from radledger.errors import Refusal
from radledger.gateway.dicomweb.image_sets import ImageSets
from radledger.gateway.dicomweb.instances import Instances
from radledger.gateway.dicomweb.view import View
from radledger.gateway.permissions import Permissions
from radledger.gateway.publisher import LogPublisher
from radledger.gateway.tokens import Viewing

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.facade import RadLedger
    from radledger.gateway.dicomweb.view import Located
    from radledger.pacs.workstations import Workstation

__all__ = ["Archive"]

_MOST_STUDIES = 500  # that a database is asked about by name


class Archive:
    """The image sets of a custodian's home, for workstations.

    Parameters
    ----------
    radledger
        The custodian's home, with the secrets of its image sets.
    custodian
        Whose image sets.
    recorder
        Acknowledges receipts for the custodian, which appointed it; without one, no receipt is
        acknowledged.

    Attributes
    ----------
    url
        Empty: nothing here has an address of the web.
    image_sets, instances
        What workstations retrieve, opened with the secrets of the home.
    """

    url = ""

    def __init__(
        self, radledger: RadLedger, custodian: str, recorder: LocalAccount | None = None
    ) -> None:
        self._ledger = radledger.ledger
        self._custody, self._custodian = radledger.custody, custodian
        self._permissions = Permissions(radledger.ledger, radledger.images.show)
        self._keys = radledger.key_service(recorder=recorder)
        self._receipts, self._consents = radledger.receipts, radledger.consents
        self._subjects: dict[str, tuple[int, set[str]]] = {}
        self._publisher = LogPublisher(radledger.receipt_log)
        self.image_sets = ImageSets(radledger.images, radledger.storage)
        self.instances = Instances(self.image_sets)

    def start(self) -> None:
        """Publish the log of receipts from now on, if the home has one."""
        self._publisher.start()

    def close(self) -> None:
        """Stop publishing, and close the files that are open."""
        self._publisher.close()
        self.instances.close()

    def syntaxes(self) -> Mapping[str, Sequence[str]]:
        """Transfer syntaxes by storage class of what the home holds, those of most files first."""
        syntaxes: dict[str, list[str]] = {}
        for sop_class, syntax in self._custody.kinds(self._custodian):
            syntaxes.setdefault(sop_class, []).append(syntax)
        return syntaxes

    def viewing(self, station: Workstation, studies: Collection[str] = ()) -> Viewing:
        """What the chain permits to a workstation at the latest block, and by which grants.

        Parameters
        ----------
        station
            Who reads.
        studies
            Study Instance UIDs, of which something is sought; none: all studies.

        Raises
        ------
        ChainStale, ConnectionFailed
            If the chain cannot say.
        """
        grants = {}
        account, use = station.reader, station.use.struct
        time, subjects = self._asked(station.reader)
        few = studies if len(studies) <= _MOST_STUDIES else ()
        for image_id, patient in self._custody.image_sets(self._custodian, few):
            if patient not in subjects:
                continue
            try:
                permit = self._permissions.permit(account, station.reader, image_id, use)
            except ConsentNotPermittedErased:
                self.forget(image_id)
            except (Refusal, ReaderReplaced):
                continue
            else:
                grants[image_id] = permit.grant_id
        return Viewing(account, station.reader, use, grants, time)

    def view(self, station: Workstation, studies: Collection[str] = ()) -> View:
        """The image sets that the chain permits to a workstation at the latest block.

        Raises
        ------
        Refusal, ReaderReplaced
            If it does not permit them any more, in the block that came meanwhile.
        ChainStale, ConnectionFailed
            If the chain cannot say.
        """
        return View(self, self.viewing(station, studies))

    def _asked(self, reader: str) -> tuple[int, set[str]]:
        """What time it is, and whose images a reader can be permitted to use."""
        present = self._permissions.present()
        known = self._subjects.get(reader)
        if known is None or known[0] != present.block:
            known = self._subjects[reader] = present.block, self._consents.subjects(reader)
        return present.time, known[1]

    def admit(self, station: Workstation, viewing: Viewing, image_ids: set[str]) -> None:
        """Keep a receipt for each of some image sets, all or none.

        Raises
        ------
        Refusal, ReceiptGrantDiffers, ChainStale
            As :meth:`.CustodianKeyService.admit` refuses.
        """
        receipts = [
            Receipt.of(
                self._ledger, station.reader, image_id, station.use, viewing.grants[image_id]
            )
            for image_id in sorted(image_ids)
        ]
        signed = [receipt.sign(station.account) for receipt in receipts]
        for each, admission in zip(signed, self._keys.admit(signed), strict=True):
            if admission.acknowledgement is not None:
                acknowledged = Acknowledged(each, admission.acknowledgement)
                self._receipts.keep_acknowledged(acknowledged)

    @contextmanager
    def file(self, viewing: Viewing, view: View, located: Located, folder: Path) -> Iterator[Path]:
        """An instance's file, decrypted and verified, in a folder while the block runs.

        Raises
        ------
        Refusal, ReaderReplaced, TokenGrantDiffers
            If it is not permitted any more.
        ImageSetUnreadable, ContentNotFound, StorageUnavailable
            If it is not what was anchored, or cannot be had.
        """
        path = folder / f"{secrets.token_hex(16)}.dcm"
        try:
            with path.open("xb") as file:
                file.writelines(view.file(located))
            self.require(viewing, located.image_set.image_id)
            yield path
        finally:
            path.unlink(missing_ok=True)

    def require(self, viewing: Viewing, image_id: str) -> None:
        """Refuse what is not permitted at the latest block; see `Permissions.require`."""
        self._permissions.require(viewing, image_id)

    def forget(self, image_id: str) -> None:
        """Forget an image set that was erased: its secret, and what is open of it."""
        self.image_sets.forget(image_id)
        self.instances.forget(image_id)
