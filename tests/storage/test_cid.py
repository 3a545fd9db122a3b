"""Content identifiers: the ones that Kubo gives, and no other spelling."""

from __future__ import annotations

import hashlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radledger.storage import (
    MemoryStore,
    candidates,
    cid_digest,
    cid_from_digest,
    get_by_digest,
)
from radledger.storage.cid import DAG_PB, RAW, verified
from radledger.storage.errors import ContentMismatch, ContentNotFound, InvalidCid

_RAW_CID = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
_LARGE_CID = "bafybeibp4affrl5svfd2wwp3l2srpu76awzmvyc37zmrtap5iqydfxffuy"

untimed = settings(deadline=None)


@untimed
@given(st.binary(max_size=1000))
def test_small_content_is_named_by_its_own_sha256(content: bytes) -> None:
    digest = hashlib.sha256(content).digest()
    cid = MemoryStore().put(io.BytesIO(content)).cid
    assert cid == cid_from_digest(digest, RAW)
    assert cid_digest(cid) == digest


@untimed
@given(st.binary(min_size=32, max_size=32), st.sampled_from([RAW, DAG_PB]))
def test_a_digest_and_its_cid_are_two_spellings_of_one_thing(digest: bytes, codec: int) -> None:
    cid = cid_from_digest(digest, codec)
    assert cid_digest(cid) == digest
    assert cid in candidates(digest)


@pytest.mark.parametrize("size", [0, 1, 262144, 262145, 1048577])
@pytest.mark.parametrize("piece", [1000, 262144, 1 << 20])
def test_verified_content_comes_whole_and_seekable(size: int, piece: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    content = content[:size]
    cid = MemoryStore().put(io.BytesIO(content)).cid
    pieces = (content[start : start + piece] for start in range(0, size, piece))
    with verified(cid, pieces) as stream:
        assert stream.read() == content
        stream.seek(size // 2)
        assert stream.read() == content[size // 2 :]


def test_other_bytes_are_a_mismatch() -> None:
    other = MemoryStore().put(io.BytesIO(b"other")).cid
    with pytest.raises(ContentMismatch) as refusal:
        verified(_RAW_CID, [b"oth", b"er"])
    assert refusal.value.values == {"cid": _RAW_CID, "got": other, "size": 5}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "b",
        "../../etc/passwd",
        "b/../../../../etc/passwd",
        "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n",
        _RAW_CID.upper(),
        _RAW_CID[:-1],
        _RAW_CID + "a",
        _RAW_CID + "/x",
        _RAW_CID + "\n",
        _RAW_CID + "\0",
        _RAW_CID[:-1] + "v",  # the same bytes, with other unused bits at the end
        "z" + _RAW_CID[1:],
        _RAW_CID.replace("bafkrei", "bafyrei"),  # dag-cbor
        "b" + "é" * 58,
    ],
)
def test_any_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(InvalidCid) as refusal:
        cid_digest(text)
    assert refusal.value.values == {"cid": text}


@untimed
@given(st.text(max_size=80))
def test_no_text_gives_more_than_a_refusal(text: str) -> None:
    with pytest.raises(InvalidCid):
        cid_digest(text)


@pytest.mark.parametrize(("length", "codec"), [(31, RAW), (33, DAG_PB), (32, 0x71)])
def test_a_digest_or_codec_that_no_content_here_has_is_refused(length: int, codec: int) -> None:
    with pytest.raises(InvalidCid) as refusal:
        cid_from_digest(bytes(length), codec)
    assert refusal.value.values == {"digest": bytes(length).hex(), "codec": codec}


def test_candidates_are_the_large_and_the_small_content() -> None:
    assert candidates(cid_digest(_LARGE_CID))[0] == _LARGE_CID
    assert candidates(cid_digest(_RAW_CID))[1] == _RAW_CID


def test_a_digest_that_the_store_does_not_have_is_refused() -> None:
    with pytest.raises(ContentNotFound):
        get_by_digest(MemoryStore(), bytes(32))
