"""Encrypted files: what opens is what was sealed, or nothing opens."""

from __future__ import annotations

import errno
import io
import os
import shutil
import subprocess
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radledger.crypto.envelope import (
    commitment,
    decrypt,
    encrypt,
    longest_ciphertext,
    new_secret,
    padded,
    recipient,
)
from radledger.crypto.errors import DecryptionFailed, InvalidRecipient, InvalidSecret

_CHUNK = 64 * 1024  # the payload chunk of the age format


def _sealed(content: bytes, secret: str) -> bytes:
    target = io.BytesIO()
    encrypt(io.BytesIO(content), target, recipient(secret))
    return target.getvalue()


def _assert_refused(ciphertext: bytes, secret: str, folder: Path) -> None:
    with pytest.raises(DecryptionFailed) as refusal:
        decrypt(io.BytesIO(ciphertext), folder / "out", secret)
    assert refusal.value.values["reason"]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("size", [0, 1, _CHUNK - 1, _CHUNK, _CHUNK + 1, 1_000_000])
def test_what_is_opened_is_what_was_sealed(size: int, tmp_path: Path) -> None:
    secret, content = new_secret(), os.urandom(size)
    decrypt(io.BytesIO(_sealed(content, secret)), tmp_path / "out", secret, size)
    assert (tmp_path / "out").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@given(size=st.integers(0, 1 << 40))
def test_padding_costs_at_most_an_eighth_and_leaves_few_lengths(size: int) -> None:
    length = padded(size)
    assert size <= length <= size * 1.12
    assert padded(length) == length
    assert padded(size + 1) >= length
    # Only the first bits differ from zero, as many as the number of bits has bits (PURBs, 4.2).
    bits = length.bit_length()
    assert length % (1 << max(0, bits - 1 - (bits - 1).bit_length())) == 0


@pytest.mark.parametrize("size", [100_353, 101_000, 102_399])
def test_lengths_of_ciphertexts_tell_no_exact_size(size: int) -> None:
    secret = new_secret()
    payloads = {_without_header(_sealed(bytes(each), secret)) for each in (size, 102_400)}
    assert len(payloads) == 1
    assert len(_sealed(bytes(size), secret)) <= longest_ciphertext(size)


def _without_header(ciphertext: bytes) -> int:
    """Bytes behind the header, whose stanzas differ in length at random."""
    return len(ciphertext) - ciphertext.index(b"\n", ciphertext.index(b"\n--- "))


def test_a_content_of_another_size_is_not_filled_up(tmp_path: Path) -> None:
    secret = new_secret()
    sealed = _sealed(b"pixels", secret)
    decrypt(io.BytesIO(sealed), tmp_path / "out", secret, 100)
    assert (tmp_path / "out").read_bytes() == b"pixels"
    decrypt(io.BytesIO(sealed), tmp_path / "out", secret, 3)
    assert (tmp_path / "out").read_bytes() == b"pix"


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    secret = new_secret()
    decrypt(io.BytesIO(_sealed(b"pixels", secret)), tmp_path / "out", secret)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600


def test_an_existing_file_is_replaced_on_success_and_kept_on_failure(tmp_path: Path) -> None:
    secret, target = new_secret(), tmp_path / "out"
    target.write_bytes(b"old")
    with pytest.raises(DecryptionFailed):
        decrypt(io.BytesIO(_sealed(b"new", secret)[:-1]), target, secret)
    assert target.read_bytes() == b"old"
    decrypt(io.BytesIO(_sealed(b"new", secret)), target, secret)
    assert target.read_bytes() == b"new"


def test_every_flipped_byte_is_refused(tmp_path: Path) -> None:
    secret = new_secret()
    ciphertext = _sealed(b"pixels", secret)
    for position in range(len(ciphertext)):
        changed = bytearray(ciphertext)
        changed[position] ^= 0x01
        _assert_refused(bytes(changed), secret, tmp_path)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    secret = new_secret()
    ciphertext = _sealed(b"pixels", secret)
    for length in range(len(ciphertext)):
        _assert_refused(ciphertext[:length], secret, tmp_path)


def test_a_change_after_good_chunks_leaves_nothing_behind(tmp_path: Path) -> None:
    secret = new_secret()
    ciphertext = _sealed(os.urandom(5 * _CHUNK), secret)
    sealed_chunk = _CHUNK + 16
    for bad in (
        ciphertext[:-1],
        ciphertext[: -2 * sealed_chunk],
        ciphertext + b"\0",
        ciphertext[:-1] + bytes([ciphertext[-1] ^ 1]),
        ciphertext[: -2 * sealed_chunk] + ciphertext[-sealed_chunk:],
    ):
        _assert_refused(bad, secret, tmp_path)


@settings(deadline=None, max_examples=30)
@given(junk=st.binary(max_size=300))
def test_junk_is_refused(junk: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    _assert_refused(junk, new_secret(), tmp_path_factory.mktemp("junk"))


def test_another_secret_is_refused(tmp_path: Path) -> None:
    _assert_refused(_sealed(b"pixels", new_secret()), new_secret(), tmp_path)


def test_a_text_that_is_not_a_secret_is_refused_and_not_repeated(tmp_path: Path) -> None:
    almost = new_secret()[:-1]
    for use in (
        lambda: recipient(almost),
        lambda: commitment(almost),
        lambda: decrypt(io.BytesIO(), tmp_path / "out", almost),
    ):
        with pytest.raises(InvalidSecret) as refusal:
            use()
        assert almost[20:] not in str(refusal.value)
        assert refusal.value.values == {}
        assert refusal.value.__cause__ is None


def test_a_text_that_is_not_a_recipient_is_refused() -> None:
    target = io.BytesIO()
    with pytest.raises(InvalidRecipient) as refusal:
        encrypt(io.BytesIO(b"pixels"), target, "age1nobody")
    assert refusal.value.values == {"recipient": "age1nobody"}
    assert target.getvalue() == b""


class _Disk(io.RawIOBase):
    """A file on a disk that has room for so many writes."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, data: object) -> int:
        if self.room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= 1
        return len(data)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 1000, 3 * _CHUNK])
def test_a_full_disk_is_never_taken_for_success(size: int) -> None:
    to, large = recipient(new_secret()), _Disk(room=100)
    encrypt(io.BytesIO(bytes(size)), large, to)  # type: ignore[arg-type]
    writes = 100 - large.room
    assert writes > size // _CHUNK
    for room in range(writes):
        with pytest.raises(OSError, match="No space left"):
            encrypt(io.BytesIO(bytes(size)), _Disk(room), to)  # type: ignore[arg-type]


class _Failing(io.BytesIO):
    """A source whose medium fails after some reads."""

    def __init__(self, content: bytes, good_reads: int) -> None:
        super().__init__(content)
        self._good_reads = good_reads

    def read(self, size: int | None = -1) -> bytes:
        if self._good_reads == 0:
            raise OSError(errno.EIO, "Input/output error")
        self._good_reads -= 1
        return super().read(size)


@pytest.mark.parametrize("good_reads", [0, 4])
def test_a_failing_source_is_named_as_such(good_reads: int, tmp_path: Path) -> None:
    secret = new_secret()
    ciphertext = _sealed(bytes(5 * _CHUNK), secret)
    with pytest.raises(OSError, match="Input/output error"):
        decrypt(_Failing(ciphertext, good_reads), tmp_path / "out", secret)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="Input/output error"):
        encrypt(_Failing(ciphertext, good_reads), io.BytesIO(), recipient(secret))


class _Zeros(io.RawIOBase):
    """A stream of zeros that takes no memory."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1) -> bytes:
        count = min(size, self._left)
        self._left -= count
        return bytes(count)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    secret, size = new_secret(), 64 << 20
    tracemalloc.start()
    try:
        with (tmp_path / "sealed").open("wb") as target:
            encrypt(_Zeros(size), target, recipient(secret))  # type: ignore[arg-type]
        with (tmp_path / "sealed").open("rb") as source:
            decrypt(source, tmp_path / "out", secret)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (tmp_path / "out").stat().st_size == size
    assert peak < 8 << 20


def test_a_commitment_binds_one_secret_however_it_is_written() -> None:
    secret = new_secret()
    assert len(commitment(secret)) == 32
    assert commitment(secret) == commitment(secret.lower())
    assert commitment(secret) != commitment(new_secret())


@pytest.mark.skipif(shutil.which("age") is None, reason="needs age: the program, on PATH")
def test_the_age_program_opens_what_is_sealed_here_and_the_reverse(tmp_path: Path) -> None:
    secret, content = new_secret(), os.urandom(3 * _CHUNK + 5)
    (tmp_path / "secret.txt").write_text(secret + "\n")
    command = f"age --decrypt --identity secret.txt | head --bytes {len(content)}"
    opened = subprocess.run(
        ["sh", "-c", command],  # as the documentation has it
        cwd=tmp_path,
        input=_sealed(content, secret),
        capture_output=True,
        check=True,
    )
    assert opened.stdout == content
    sealed = subprocess.run(
        ["age", "--recipient", recipient(secret)], input=content, capture_output=True, check=True
    )
    decrypt(io.BytesIO(sealed.stdout), tmp_path / "out", secret)
    assert (tmp_path / "out").read_bytes() == content
