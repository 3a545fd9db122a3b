"""Whatever a viewer asks for is answered, or refused in words."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pydicom
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.datadict import DicomDictionary

from radledger.gateway.dicomweb.matching import INSTANCE, SERIES, STUDY
from tests.gateway.conftest import refused

WORDS = st.one_of(
    st.sampled_from(
        [
            *("", "*", "?", "-", "1", "0", "1,2", "1,1", "99999999999", "-1", "1e9", "nan", "all"),
            *("20240314", "20240314-", "-", "0926", "0926-", "..", "%", "[", "\\", "^", "true"),
            *("40,400,linear", "512,512", "7FE00010", "00100010", "application/dicom", "a/b;c="),
        ]
    ),
    st.text(max_size=20),
)
NAMES = st.one_of(
    st.sampled_from([*STUDY, *SERIES, *INSTANCE]),
    st.sampled_from([each[4] for each in DicomDictionary.values()]),
    st.sampled_from(["limit", "offset", "includefield", "fuzzymatching", "accept"]),
    st.sampled_from(["window", "viewport", "quality"]),
    st.text(max_size=20),
)
ENDS = st.lists(
    st.one_of(
        st.sampled_from(["studies", "series", "instances", "frames", "metadata", "rendered"]),
        st.sampled_from(["bulkdata", "7FE00010", "00080005", "1", "study", "of", "instance"]),
        WORDS,
    ),
    max_size=9,
)
ACCEPTED = st.sampled_from(
    ["*/*", "image/png", "application/dicom", "multipart/related; type=*/*; transfer-syntax=*"]
)


def uids(dataset):
    return {
        "study": dataset.StudyInstanceUID,
        "of": dataset.SeriesInstanceUID,
        "instance": dataset.SOPInstanceUID,
    }


def test_any_request_is_answered_or_refused(shown, series):
    known = uids(pydicom.dcmread(series[0]))

    @settings(max_examples=60)
    @given(
        st.sampled_from(
            [
                ["studies"],
                ["series"],
                ["instances"],
                ["studies", "study", "series", "of", "instances", "instance"],
            ]
        ),
        ENDS,
        st.dictionaries(NAMES, WORDS, max_size=3),
        ACCEPTED,
    )
    def asked(start, end, parameters, accept):
        path = "/".join(quote(known.get(each, each), safe="") for each in [*start, *end])
        response = shown.get(f"/{path}?{urlencode(parameters)}", accept)
        if response.status_code != 200:
            assert response.status_code in (400, 404, 405, 406), response.text
            refused(response, response.status_code, response.json().get("error"))

    asked()
