"""Any identifier is a query or refused in words, and whatever is asked for is answered."""

from __future__ import annotations

import io
import struct

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from radledger.gateway.dicomweb.matching import INSTANCE, SERIES, STUDY
from radledger.pacs.querying import LEVELS, IdentifierInvalid, Query, understanding

TAGS = [int(tag, 16) for tag in (*STUDY, *SERIES, *INSTANCE)]
OTHERS = [0x00080005, 0x00081140, 0x00280106, 0x00283006, 0x00091010, 0x7FE00010, 0x00080000]
TEXTS = [
    b"*",
    b"1.2.3",
    b"20260101-20261231",
    b"0900-",
    b"4711",
    b"CT\\MR",
    b"\xff\xfe",
    b"-1",
    b"",
]
ROW = {
    "0020000D": {"vr": "UI", "Value": ["1.2.3"]},
    "00080020": {"vr": "DA", "Value": ["20260601"]},
    "00080030": {"vr": "TM", "Value": ["093000.5"]},
    "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Müller^Anna"}]},
    "00200011": {"vr": "IS", "Value": [3]},
    "00280010": {"vr": "US", "Value": [512]},
}

elements = st.tuples(
    st.sampled_from(TAGS + OTHERS), st.one_of(st.sampled_from(TEXTS), st.binary(max_size=12))
)


def written(level, contents):
    """An identifier in implicit VR, as a peer may send it."""
    everything = {0x00080052: level.encode().ljust(len(level) + len(level) % 2), **dict(contents)}
    return b"".join(
        struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value
        for tag, value in sorted(everything.items())
    )


@pytest.mark.filterwarnings("error:Invalid value:UserWarning")  # it would name the value
@given(level=st.sampled_from([*LEVELS, "NONE"]), contents=st.lists(elements, max_size=8))
def test_any_identifier_is_a_query_or_refused(level, contents):
    try:
        with understanding():
            identifier = pydicom.dcmread(io.BytesIO(written(level, contents)), force=True)
        query = Query.of(identifier, patient_root=True)
    except IdentifierInvalid:
        return
    assert query.level == level
    assert set(query.search.filters) <= set(query.wanted)
    query.search.matches(ROW)
    answer = query._answer(ROW, "RADLEDGER")
    assert {f"{tag:08X}" for tag in set(answer.keys())} >= set(query.wanted) - {"00091010"}
    assert answer.QueryRetrieveLevel == level


@pytest.mark.parametrize(
    ("patient_root", "level", "allowed"),
    [(True, "PATIENT", True), (False, "PATIENT", False), (False, "STUDY", True)],
)
def test_levels_of_each_model(patient_root, level, allowed):
    identifier = Dataset()
    identifier.QueryRetrieveLevel = level
    if allowed:
        assert Query.of(identifier, patient_root=patient_root).level == level
    else:
        with pytest.raises(IdentifierInvalid):
            Query.of(identifier, patient_root=patient_root)


def test_studies_that_are_asked_for():
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    assert Query.of(identifier, patient_root=False).studies == []
    identifier.StudyInstanceUID = ["1.2.3", "1.2.4"]
    assert Query.of(identifier, patient_root=False).studies == ["1.2.3", "1.2.4"]
