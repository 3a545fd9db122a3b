"""Re-encrypt and erase anchored image sets, as their custodian.

Both record each step in the journal, so that the next run resumes an interrupted one.  A resumed
run finishes what was sent and checks the chain first, so that nothing is sent twice.
"""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.chain.rpc import request
from radledger.crypto import envelope
from radledger.identity.identities import warn_of_x25519
from radledger.imaging import reading, records
from radledger.imaging.certificates import BY_CUSTODIAN, ErasureCertificate
from radledger.imaging.ciphertext import decrypt_instance, encrypted
from radledger.imaging.errors import CiphertextRemains
from radledger.imaging.home import exclusive_workdir
from radledger.imaging.ingest import anchoring
from radledger.imaging.journal import pinning
from radledger.imaging.model import EraseResult, ImageRecord, RekeyResult, State
from radledger.storage import candidates, cid_digest
from radledger.storage.errors import StorageUnavailable

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.imaging.home import ImagingHome
    from radledger.imaging.journal.rekeying import Rekeying
    from radledger.imaging.journal.tables import SetRow
    from radledger.imaging.manifest import Instance, Manifest

__all__ = ["Maintenance"]


@dataclass(frozen=True)
class Maintenance:
    """Maintenance of the image sets in one home.

    Attributes
    ----------
    home
        Where the sets are, and their journal.
    """

    home: ImagingHome

    def rekey(self, image_id: str, signer: LocalAccount) -> RekeyResult:
        """Encrypt a set under a new secret, let the chain point to it, unpin the old ciphertext."""
        with (
            exclusive_workdir(self.home.folder, "rekeying", wait=True) as temporary,
            self.home.journal.claimed("rekeying"),
        ):
            return self._rekey(image_id, signer, temporary)

    def _rekey(self, image_id: str, signer: LocalAccount, temporary: Path) -> RekeyResult:
        row = self.home.held(image_id)
        rekeying = self._without_lost(self.home.journal.begin_rekey(row))
        manifest_cid = rekeying.manifest_cid
        if manifest_cid is None:
            manifest_cid = self._reencrypted(row, rekeying, temporary)
            rekeying = self.home.journal.seal_rekey(row, rekeying, manifest_cid)
        self._point_chain_to(manifest_cid, image_id, signer)
        self.home.journal.finish_rekey(row, rekeying)
        self.home.journal.abandon("rekeying")
        # What an unavailable node still has of the old ciphertext goes by a later collection.
        with suppress(StorageUnavailable):
            pinning.collect(self.home.journal, self.home.storage)
        transaction, gas = self._last("ImageRekeyed", image_id)
        return RekeyResult(image_id, manifest_cid, transaction, gas)

    def erase(self, image_id: str, signer: LocalAccount) -> EraseResult:
        """Mark a set as erased on chain, then destroy everything that opens or proves it.

        The chain comes first: it decides whether the signer may erase the set, and from then on
        no account is permitted to read it.

        Raises
        ------
        CiphertextRemains
            If a node of the store is unavailable; run again, it finishes.
        JournalAltered
            If the journal's row is not as the home wrote it.
        """
        record = records.image_record(self.home.ledger, image_id)
        row = self.home.journal.find(image_id)
        certificate = self.home.certificates.own(image_id)
        if row is None or not (row.secret or certificate.exists()):
            self.home.held(image_id)
            raise AssertionError("unreachable")
        if not certificate.exists():
            if row.secret is not None:
                self.home.journal.require_authentic(row)  # another set's would be certified
            self._certify(record, row, signer)
        digest = hashlib.sha256(certificate.read_bytes()).digest()
        self.home.ledger.sender.finish(signer)
        record = records.image_record(self.home.ledger, image_id)
        if record.state is not State.ERASED:
            self.home.ledger.send(
                signer, records.CONTRACT, "erase", record.image_set.struct, digest
            )
        self._destroy(record, row)
        transaction, gas = self._last("ImageErased", image_id)
        # In a home from a backup, the certificate is another one than that of the chain.
        on_chain = record.certificate or "0x" + digest.hex()
        return EraseResult(image_id, certificate, on_chain, transaction, gas)

    def destroy_again(self, image_id: str) -> bool:
        """Destroy what a backup brought back of a set that the chain says is erased, if anything.

        Returns
        -------
        bool
            Whether this home had its secret.

        Raises
        ------
        ImageNotErased
            If the chain does not say so.
        CiphertextRemains, JournalAltered
            As for `erase`.
        """
        record = self.home.erased(image_id)
        row = self.home.journal.find(record.image_id)
        if row is None:
            return False
        if row.secret is None and not self.home.journal.garbage():
            self.home.journal.overwrite()  # which another process may have held up
            return False
        self._destroy(record, row)
        return row.secret is not None

    def _destroy(self, record: ImageRecord, row: SetRow) -> None:
        if row.secret is not None:
            self.home.journal.require_authentic(row)  # another set would be destroyed
        # With a journal from a backup, the set may have been sealed under another manifest.
        self.home.journal.erase(row.set_id, candidates(bytes.fromhex(record.manifest[2:])))
        try:
            pinning.collect(self.home.journal, self.home.storage)
        except StorageUnavailable as error:
            raise CiphertextRemains(
                "the image set is erased, and its secret with it; its ciphertext, which nothing "
                f"opens any more, remains where the store is unavailable: {error.message}; then "
                "run this again",
                image=record.image_id,
                reason=error.message,
            ) from error
        self.home.journal.overwrite()  # the names of the ciphertexts, which were garbage

    def _without_lost(self, rekeying: Rekeying) -> Rekeying:
        """A re-keying without what the store has lost since; the old ciphertext is there yet."""
        contents = [*rekeying.cids.values(), *filter(None, [rekeying.manifest_cid])]
        lost = self.home.storage.missing(contents)
        if not lost:
            return rekeying
        cids = {name: cid for name, cid in rekeying.cids.items() if cid not in lost}
        return replace(rekeying, manifest_cid=None, cids=cids)

    def _reencrypted(self, row: SetRow, rekeying: Rekeying, temporary: Path) -> str:
        """Encrypt what is not re-encrypted yet, then the manifest; its CID."""
        old = self.home.journal.secret_of(row)
        secret = self.home.journal.secret_of_rekey(row, rekeying)
        recipient, cids = envelope.recipient(secret), dict(rekeying.cids)
        # As the home sealed it: workers may have written to the journal's rows of files since, and
        # the chain may name a manifest of this re-keying that the store has lost.
        sealed = "0x" + cid_digest(row.manifest_cid or "").hex()
        record = replace(
            records.image_record(self.home.ledger, row.image_id or ""), manifest=sealed
        )
        manifest = reading.open_manifest(self.home.storage, record, old)
        for instance in manifest.instances:
            if instance.sop_instance not in cids:
                cid = self._moved(instance, old, recipient, temporary)
                self.home.journal.add_rekeyed(row, rekeying, instance.sop_instance, cid)
                cids[instance.sop_instance] = cid
        renewed: Manifest = replace(
            manifest,
            instances=tuple(
                replace(each, cid=cids[each.sop_instance]) for each in manifest.instances
            ),
        )
        who = record.image_set
        keys = anchoring.encryption_keys(self.home.ledger, who.custodian, who.patient)
        warn_of_x25519(self.home.ledger, anchoring.without_hybrid(keys, who.custodian, who.patient))
        return pinning.put(
            self.home.journal, self.home.storage, io.BytesIO(renewed.seal(secret, keys)), "rekeying"
        )

    def _moved(self, instance: Instance, secret: str, recipient: str, temporary: Path) -> str:
        path = temporary / "plain"
        decrypt_instance(self.home.storage, instance, secret, path)
        with path.open("rb") as plain, encrypted(plain, recipient, temporary) as ciphertext:
            return pinning.put(self.home.journal, self.home.storage, ciphertext, "rekeying")

    def _point_chain_to(self, manifest_cid: str, image_id: str, signer: LocalAccount) -> None:
        """Anchor a set's new manifest, unless it is anchored."""
        self.home.ledger.sender.finish(signer)
        record = records.image_record(self.home.ledger, image_id)
        digest = cid_digest(manifest_cid)
        if record.manifest != "0x" + digest.hex():
            self.home.ledger.send(
                signer, records.CONTRACT, "rekey", record.image_set.struct, digest
            )

    def _last(self, event: str, image_id: str) -> tuple[str, int]:
        """Transaction and gas of a set's last event of a kind."""
        found = self.home.ledger.events(records.CONTRACT, event, image=bytes.fromhex(image_id[2:]))
        transaction = found[-1].transaction
        receipt = request(self.home.ledger.web3, "eth_getTransactionReceipt", [transaction])
        return transaction, int(receipt["gasUsed"], 16)

    def _certify(self, record: ImageRecord, row: SetRow, signer: LocalAccount) -> None:
        """Sign and keep the custodian's certificate, whose digest goes on chain."""
        contents = len(self.home.journal.files(row.set_id)) + 1  # and the manifest
        custodian = record.image_set.custodian
        certificate = ErasureCertificate.of(
            self.home.ledger, record, BY_CUSTODIAN, custodian, contents, signer
        )
        self.home.certificates.write_own(certificate)
