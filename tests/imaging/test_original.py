from __future__ import annotations

import hashlib
import os

import pytest

from radledger.dicom.errors import UnsafePath
from radledger.dicom.source import open_regular
from radledger.imaging.ingest.original import FileChanged, OriginalFile, source_digest


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "image.dcm"
    path.write_bytes(os.urandom(3_000_000))
    return path


def test_a_file_is_known_by_its_blake3(tmp_path):
    empty = tmp_path / "empty"
    empty.touch()
    # of the empty string, as the BLAKE3 specification gives it
    assert source_digest(empty).hex() == (
        "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
    )


def test_what_is_anchored_is_the_sha256_of_what_was_read(path):
    with OriginalFile(open_regular(path)) as file:
        content = b"".join(iter(lambda: file.read(1000), b""))
        assert content == path.read_bytes()
        assert file.file_digest(source_digest(path)) == hashlib.sha256(content).digest()


def test_a_file_that_was_written_to_meanwhile_is_refused(path):
    known = source_digest(path)
    with path.open("r+b") as file:
        file.seek(2_999_999)
        file.write(b"\0" if path.read_bytes()[-1] else b"\1")
    with OriginalFile(open_regular(path)) as file:
        file.read()
        with pytest.raises(FileChanged, match="add it again"):
            file.file_digest(known)


def test_a_pipe_is_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UnsafePath):
        source_digest(pipe)
