"""Segments where decoders continue to read, with content that is not image data."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from radledger.dicom.digest import image_digest
from radledger.dicom.errors import PixelsUnreadable
from tests.dicom.test_codestream import CANARY, copied, frame_of, put, segment, written

JPEG_2000 = ["JPEG 2000", "JPEG 2000 lossless"]
LENGTHS, CAPABILITIES, SIZE, CODING, QUANTIZATION = 0x55, 0x50, 0x51, 0x52, 0x5C


def first_tile(frame: bytes) -> int:
    return frame.index(b"\xff\x90\0\x0a")


@pytest.mark.parametrize("marker", [0x57, 0x59, 0x74, 0x75, LENGTHS])
@pytest.mark.parametrize("kind", JPEG_2000)
def test_a_main_header_keeps_what_a_decoder_needs(kind: str, marker: int, tmp_path: Path) -> None:
    _, frame = frame_of(kind)
    plain = written(kind, tmp_path / "plain.dcm", frame)
    changed = put(frame, first_tile(frame), segment(marker, b"\0\x50" + CANARY))
    path = written(kind, tmp_path / "in.dcm", changed)
    assert image_digest(path) == image_digest(plain)
    assert copied(path) == copied(plain)


@pytest.mark.parametrize("kind", JPEG_2000)
def test_a_tile_keeps_no_lengths_of_packets(kind: str, tmp_path: Path) -> None:
    _, frame = frame_of(kind)
    plain, first = written(kind, tmp_path / "plain.dcm", frame), first_tile(frame)
    more = segment(0x58, b"\0" + CANARY)
    (length,) = struct.unpack_from(">I", frame, first + 6)
    changed = put(frame, first + 12, more)
    length = struct.pack(">I", length and length + len(more))
    changed = changed[: first + 6] + length + changed[first + 10 :]
    assert copied(written(kind, tmp_path / "in.dcm", changed)) == copied(plain)


@pytest.mark.parametrize("marker", [SIZE, CAPABILITIES, CODING, QUANTIZATION])
@pytest.mark.parametrize("kind", JPEG_2000)
def test_a_segment_that_hides_a_text_is_refused(kind: str, marker: int, tmp_path: Path) -> None:
    _, frame = frame_of(kind)
    at = frame.find(bytes([0xFF, marker]), 2, first_tile(frame))
    if at < 0:  # no capabilities
        changed = put(frame, first_tile(frame), segment(marker, bytes(4) + CANARY))
        changes = [changed]
    else:
        (size,) = struct.unpack_from(">H", frame, at + 2)
        whole = frame[at : at + 2 + size]
        longer = whole[:2] + struct.pack(">H", size + len(CANARY)) + whole[4:] + CANARY
        changes = [put(frame, at + 2 + size, longer)]
        if marker != QUANTIZATION:
            changes.append(frame.replace(whole, longer))
    for changed in changes:
        assert CANARY in changed
        with pytest.raises(PixelsUnreadable, match="another size than it must be, or stands twice"):
            copied(written(kind, tmp_path / "in.dcm", changed))


def test_nothing_stays_of_the_boxes_around_a_codestream(tmp_path: Path) -> None:
    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I4s", len(content) + 8, kind) + content

    kind = "JPEG 2000 lossless"
    _, frame = frame_of(kind)
    size = box(b"ihdr", struct.pack(">IIHBBBB", 40, 40, 1, 11, 7, 0, 0))
    colour = box(b"colr", b"\1\0\0\0\0\0\x11" + CANARY)
    boxed = (
        box(b"jP  ", b"\r\n\x87\n")
        + box(b"ftyp", b"jp2 \0\0\0\0jp2 " + CANARY)
        + box(b"jp2h", size + colour + box(b"res ", CANARY))
        + box(b"jp2c", frame)
    )
    plain = written(kind, tmp_path / "plain.dcm", frame)
    path = written(kind, tmp_path / "in.dcm", boxed)
    assert image_digest(path) == image_digest(plain)
    assert copied(path) == copied(plain)


@pytest.mark.parametrize("marker", [0xDC, 0xCC])
@pytest.mark.parametrize("at_end", [False, True])
@pytest.mark.parametrize("kind", ["JPEG", "JPEG extended", "JPEG lossless"])
def test_a_number_of_lines_and_arithmetic_tables_hold_no_text(
    kind: str, at_end: bool, marker: int, tmp_path: Path
) -> None:
    frame = frame_of(kind)[1].rstrip(b"\0\xff")
    plain = written(kind, tmp_path / "plain.dcm", frame)
    place = len(frame) - 2 if at_end else 2
    path = written(kind, tmp_path / "in.dcm", put(frame, place, segment(marker, CANARY)))
    assert CANARY in path.read_bytes()
    assert copied(path) == copied(plain)
