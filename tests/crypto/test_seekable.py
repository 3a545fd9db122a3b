"""Encrypted files read in part: the same bytes as pyrage gives, or nothing."""

from __future__ import annotations

import io
import os
import random
import tracemalloc

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radledger.crypto.envelope import encrypt, new_secret, recipient
from radledger.crypto.errors import DecryptionFailed, InvalidSecret
from radledger.crypto.seekable import open_decrypted

CHUNK, TAG = 1 << 16, 16
SECRET = new_secret()
CONTENT = random.Random(1).randbytes(3 * CHUNK + 100)
SIZE = len(CONTENT)


def sealed(content, secret=SECRET):
    target = io.BytesIO()
    encrypt(io.BytesIO(content), target, recipient(secret))
    return target.getvalue()


SEALED = sealed(CONTENT)
PAYLOAD = SEALED.index(b"\n", SEALED.index(b"\n--- ") + 1) + 1 + 16
"""Where the first chunk begins."""


def refused(ciphertext, reason, secret=SECRET, size=SIZE):
    with pytest.raises(DecryptionFailed) as refusal:
        open_decrypted(io.BytesIO(ciphertext), secret, size).read()
    assert refusal.value.values == {"reason": reason}
    assert secret not in str(refusal.value)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK])
def test_what_is_read_is_what_was_sealed(size):
    content = os.urandom(size)
    with open_decrypted(io.BytesIO(sealed(content)), SECRET, size) as file:
        assert file.read() == content
        assert file.read(1) == b""
        assert file.seek(0, os.SEEK_END) == size


@given(st.lists(st.tuples(st.integers(0, len(CONTENT) + 10), st.integers(0, 2 * CHUNK))))
def test_any_part_is_that_of_the_content(parts):
    with open_decrypted(io.BytesIO(SEALED), SECRET, SIZE) as file:
        for start, length in parts:
            file.seek(start)
            assert file.read(length) == CONTENT[start : start + length]


def test_seeking_is_relative_to_the_place_that_is_named():
    with open_decrypted(io.BytesIO(SEALED), SECRET, SIZE) as file:
        file.seek(-7, os.SEEK_END)
        assert file.read() == CONTENT[-7:]
        file.seek(-3, os.SEEK_CUR)
        assert (file.tell(), file.read()) == (len(CONTENT) - 3, CONTENT[-3:])
        with pytest.raises(ValueError, match="-1"):
            file.seek(-1)


def test_only_the_chunks_of_a_part_are_read():
    class Counting(io.BytesIO):
        count = 0

        def read(self, size=-1):
            data = super().read(size)
            self.count += len(data)
            return data

    content = bytes(40 * CHUNK)
    source = Counting(sealed(content))
    with open_decrypted(source, SECRET, len(content)) as file:
        before = source.count
        file.seek(20 * CHUNK + 5)
        assert file.read(1000) == bytes(1000)
        assert source.count - before <= 2 * (CHUNK + TAG)


def test_memory_does_not_grow_with_the_content():
    content = bytes(64 * CHUNK)
    source = io.BytesIO(sealed(content))
    tracemalloc.start()
    with open_decrypted(source, SECRET, len(content)) as file:
        while file.read(CHUNK):
            pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 * CHUNK


def test_a_file_for_several_recipients_opens_for_each():
    secrets = [new_secret(), new_secret()]
    recipients = [pyrage.x25519.Recipient.from_str(recipient(each)) for each in secrets]
    ciphertext = pyrage.encrypt(CONTENT, recipients)
    for secret in secrets:
        with open_decrypted(io.BytesIO(ciphertext), secret, SIZE) as file:
            assert file.read() == CONTENT
    refused(ciphertext, "it is for another secret")


def test_what_is_not_a_secret_is_refused_without_showing_it():
    with pytest.raises(InvalidSecret) as refusal:
        open_decrypted(io.BytesIO(SEALED), SECRET[:-1], SIZE)
    assert SECRET[:-1] not in repr((refusal.value.message, refusal.value.values))


@pytest.mark.parametrize("number", range(4))
def test_a_changed_chunk_is_refused(number):
    changed = bytearray(SEALED)
    changed[PAYLOAD + number * (CHUNK + TAG)] ^= 1
    refused(changed, f"chunk {number + 1} of 4 was changed")


def test_chunks_in_another_order_are_refused():
    step = CHUNK + TAG
    first, second = (SEALED[PAYLOAD + n * step : PAYLOAD + (n + 1) * step] for n in (0, 1))
    refused(
        SEALED[:PAYLOAD] + second + first + SEALED[PAYLOAD + 2 * step :],
        "chunk 1 of 4 was changed",
    )


# The header, and so the length, differs each time.
@pytest.mark.parametrize(
    "length",
    [len(SEALED) - 1, PAYLOAD + 2 * (CHUNK + TAG), PAYLOAD + 5],
    ids=["in the last chunk", "between chunks", "in the first chunk"],
)
def test_a_file_that_was_cut_short_is_refused_before_anything_is_read(length):
    last = -(-(length - PAYLOAD) // (CHUNK + TAG))
    with pytest.raises(DecryptionFailed, match=f"chunk {last} of {last} was changed"):
        open_decrypted(io.BytesIO(SEALED[:length]), SECRET, SIZE)


def test_a_file_that_was_extended_is_refused():
    refused(SEALED + bytes(20), "chunk 4 of 4 was changed")


def test_a_content_that_is_shorter_than_was_said_is_refused():
    refused(sealed(b"pixels"), "it is shorter than the content", size=7)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda head: head.replace(b"--- ", b"--- A", 1), "its header was changed"),
        (lambda head: head.replace(b"/v1", b"/v2"), "it has no header of age"),
        (lambda head: head.replace(b"\n--- ", b"\n+++ "), "it has no header of age"),
        (lambda head: head.replace(b"-> X25519 ", b"-> X25519 !"), "its header is not valid"),
        (lambda head: head.replace(b"-> X25519 ", b"-> X25519 AAAA"), "its header is not valid"),
        (lambda head: head.replace(b"-> X25519 ", b"-> Y25519 "), "it is for another secret"),
        (lambda head: head.replace(b"\n--- ", b"\n-> more\n\n--- "), "its header was changed"),
        (lambda head: b"", "it has no header of age"),
    ],
)
def test_a_changed_header_is_refused(change, reason):
    head = SEALED[: PAYLOAD - 16]
    refused(change(head) + SEALED[PAYLOAD - 16 :], reason)
