"""The whole way of a reading: anchored files, a grant, a receipt, a secret, the files again."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pydicom.data
import pytest

from radledger.chain.refusals import ConsentNotPermittedRevoked
from radledger.consent import Terms
from radledger.consent.permission import Use
from radledger.facade import RadLedger
from radledger.imaging.errors import CommitmentMismatch
from radledger.storage.local import LocalStore

CARE = Use.of(["CC"])


def test_two_read_one_is_revoked_and_the_other_reads_on(
    consents, encryption_keys, ledger, tmp_path, who, submit
):
    radledger = RadLedger(ledger, LocalStore(tmp_path / "store"), tmp_path / "home")
    images, receipts = radledger.images, radledger.receipts
    files = [Path(pydicom.data.get_testdata_file("CT_small.dcm", download=False))]
    (added,) = images.add(files, who.patient.address, custodian=who.hospital)
    image_id = added.image_id
    service = radledger.key_service(partial(images.rekey, custodian=who.hospital))

    def read(name, folder):
        return radledger.reading.fetch(
            image_id,
            tmp_path / folder,
            reader=getattr(who, name),
            private_key=encryption_keys[name],
            key_service=service,
            use=CARE,
        )

    for name in ("radiologist", "researcher"):
        grant = consents.grant(getattr(who, name).address, Terms(("CC",))).sign(who.patient)
        submit(grant, who.stranger)
    before = images.secret(image_id)
    first = read("radiologist", "first")
    read("radiologist", "again")
    assert [r.verdict for r in images.verify(image_id, [first.folder])] == ["identical"]
    submit(consents.revoke(who.radiologist.address).sign(who.patient), who.stranger)
    with pytest.raises(ConsentNotPermittedRevoked):
        read("radiologist", "second")
    third = read("researcher", "third")
    assert [f.path.read_bytes() for f in third.files] == [f.path.read_bytes() for f in first.files]
    assert images.secret(image_id) != before
    with pytest.raises(CommitmentMismatch):
        images.contents(image_id, secret=before)
    assert [r.signed.receipt.reader for r in receipts.releases(image_id)] == [
        who.radiologist.address,
        who.radiologist.address,
        who.researcher.address,
    ]
