"""What a home keeps as it was given: on the chain, with the identity, and not erased."""

from __future__ import annotations

import pydicom
import pytest

from radledger.imaging.custody import Custody
from radledger.imaging.journal.journal import Journal


@pytest.fixture
def journal(each_journal):
    return each_journal


@pytest.fixture
def custody(ledger, store, home, journal):
    return Custody(ledger, store, home, journal)


def test_instances_are_kept_from_anchoring_to_erasure(
    custody, add, series, images, who, monkeypatch
):
    header = pydicom.dcmread(next(series.iterdir()))
    assert custody.classes(header.SOPInstanceUID) == set()
    add(series)  # de-identified: other instances
    assert custody.classes(header.SOPInstanceUID) == set()

    def lost(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "confirm", lost)
        with pytest.raises(KeyboardInterrupt):
            add(series, keep_identity=True)
    assert custody.classes(header.SOPInstanceUID) == set()  # not known to be on the chain
    (added,) = add(series, keep_identity=True)
    assert custody.classes(header.SOPInstanceUID) == {header.SOPClassUID}
    assert custody.classes(header.StudyInstanceUID) == set()

    images.erase(added.image_id, custodian=who.hospital)
    assert custody.classes(header.SOPInstanceUID) == set()
