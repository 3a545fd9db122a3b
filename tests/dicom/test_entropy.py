"""Entropy-coded data of JPEG holds its picture, nothing else and nothing less."""

from __future__ import annotations

import io
import random
import re
import struct
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate, generate_frames

from radledger.dicom import entropy
from radledger.dicom.digest import image_digest
from radledger.dicom.errors import PixelsUnreadable
from radledger.dicom.jpeg import clean_jpeg
from tests.dicom.files import save
from tests.dicom.test_codestream import (
    CANARY,
    LOSSLESS,
    copied,
    frame_of,
    picture,
    put,
    segment,
    written,
)

START, END, SCAN, RESTART = b"\xff\xd8", b"\xff\xd9", 0xDA, 0xDD
RESTARTS = range(0xD0, 0xD8)
HUFFMAN, QUANTIZATION = 0xC4, 0xDB
MARKER = re.compile(rb"\xff+[\x01-\xfe]")
SIDE = 24


def of_pillow(**options: object) -> bytes:
    pixels = np.random.default_rng(5).integers(0, 256, (40, 40, 3), "u1")
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def lossless(
    samples: np.ndarray, precision: int, *, lines: int = 0, scans: bool = False, fill: str = "1"
) -> bytes:
    """Encode samples by ISO/IEC 10918-1 Annex H, with the sample to the left as prediction.

    Parameters
    ----------
    samples
        By row, column and colour.
    precision
        In bits.
    lines
        Between two restart markers, 0 for none.
    scans
        Whether each colour has a scan of its own.
    fill
        What fills the last byte.
    """
    rows, columns, colours = samples.shape
    groups = [[colour] for colour in range(colours)] if scans else [[*range(colours)]]
    sizes = b"".join(bytes([colour, 0x11, 0]) for colour in range(colours))
    size = bytes([precision, 0, rows, 0, columns, colours])
    parts = [START, segment(0xC3, size + sizes), segment(RESTART, bytes([0, lines * columns]))]
    # 17 codes of five bits
    parts.append(segment(HUFFMAN, bytes([0, 0, 0, 0, 0, 17, *bytes(11), *range(17)])))
    for group in groups:
        header = bytes([len(group)]) + b"".join(bytes([colour, 0]) for colour in group)
        parts.append(segment(SCAN, header + b"\1\0\0"))
        bounds = [*range(0, rows, lines or rows), rows]
        for number, (top, bottom) in enumerate(pairwise(bounds)):
            bits = "".join(differences(samples[top:bottom, :, group], precision))
            bits += fill * (-len(bits) % 8)
            coded = int(bits, 2).to_bytes(len(bits) // 8, "big")
            parts.append(coded.replace(b"\xff", b"\xff\0"))
            parts.append(bytes([0xFF, 0xD0 + number % 8]))
        parts.pop()
    return b"".join([*parts, END])


def differences(samples: np.ndarray, precision: int) -> list[str]:
    codes = []
    rows, columns, colours = samples.shape
    for row, column, colour in np.ndindex(rows, columns, colours):
        before = 1 << precision - 1
        if column:
            before = int(samples[row, column - 1, colour])
        elif row:
            before = int(samples[row - 1, column, colour])
        difference = (int(samples[row, column, colour]) - before) & 0xFFFF
        if difference == 1 << 15:
            codes.append(f"{16:05b}")
            continue
        if difference > 1 << 15:
            difference -= 1 << 16
        size = abs(difference).bit_length()
        value = difference if difference >= 0 else difference + (1 << size) - 1
        codes.append(f"{size:05b}" + (f"{value:0{size}b}" if size else ""))
    return codes


def values(precision: int, colours: int) -> np.ndarray:
    """Random samples, with differences of every size."""
    random_ones = np.random.default_rng(precision).integers(0, 1 << 16, (SIDE, SIDE, colours))
    samples = random_ones >> 16 - precision
    samples[::2, 1::2] = samples[::2, ::2] ^ 1 << precision - 1
    return samples.astype("<u2" if precision > 8 else "u1")


def of_samples(path: Path, samples: np.ndarray, precision: int, **options: Any) -> Path:
    dataset = picture(SIDE, SIDE, samples.shape[2], precision)
    dataset.PixelData = encapsulate([lossless(samples, precision, **options)])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = LOSSLESS
    return save(dataset, path)


@cache
def kind_and_frame(name: str) -> tuple[str, bytes]:
    if name in ("JPEG", "JPEG extended", "JPEG lossless"):
        return name, frame_of(name)[1].rstrip(b"\0\xff")
    options = {
        "in restart intervals": {"restart_marker_blocks": 2},
        "halved colours": {"subsampling": 2, "restart_marker_rows": 1},
        "progressive": {"progressive": True},
        "progressive in restart intervals": {"progressive": True, "restart_marker_blocks": 5},
    }
    return "JPEG", of_pillow(quality=60, **options[name])


NAMES = [
    *("JPEG", "JPEG extended", "JPEG lossless", "in restart intervals", "halved colours"),
    *("progressive", "progressive in restart intervals"),
]


def coded(frame: bytes) -> list[tuple[int, int]]:
    """Where entropy-coded segments begin and end."""
    found, position = [], 2
    while frame[position + 1] != END[1]:
        marker, position = frame[position + 1], position + 2
        if marker not in RESTARTS:
            position += int.from_bytes(frame[position : position + 2], "big")
        if marker == SCAN or marker in RESTARTS:
            after = MARKER.search(frame, position)
            assert after is not None
            found.append((position, after.start()))
            position = after.start()
    return found


def ends(frame: bytes) -> list[int]:
    return [end for _, end in coded(frame)]


def refused(path: Path, why: str) -> None:
    for read in (image_digest, copied):
        with pytest.raises(PixelsUnreadable, match=why) as refusal:
            read(path)
        assert refusal.value.message.startswith("a frame's codestream is damaged or cut: ")
        assert refusal.value.values.keys() == {"offset", "size"}


# -- nothing else -----------------------------------------------------------------------------


def test_texts_after_the_last_code_do_not_get_into_the_copy(
    rng: random.Random, tmp_path: Path
) -> None:
    for name in NAMES:
        kind, frame = kind_and_frame(name)
        plain = written(kind, tmp_path / "plain.dcm", frame)
        clean, digest = copied(plain), image_digest(plain)
        assert frame in clean or name == "JPEG lossless"
        places = ends(frame)
        for chosen in (places, places[-1:], rng.sample(places, rng.randint(1, len(places)))):
            changed = frame
            for place in sorted(chosen, reverse=True):
                more = bytes(rng.randrange(0xFF) for _ in range(rng.randrange(20))) + CANARY
                changed = put(changed, place, more + b"\xff" * rng.randrange(3))
            path = written(kind, tmp_path / "in.dcm", changed)
            assert image_digest(path) == digest, name
            assert copied(path) == clean, name


def test_the_bits_that_fill_the_last_byte_hold_nothing(tmp_path: Path) -> None:
    samples = values(16, 3)
    clean = copied(of_samples(tmp_path / "plain.dcm", samples, 16, lines=4))
    zeros = of_samples(tmp_path / "in.dcm", samples, 16, lines=4, fill="0")
    assert zeros.read_bytes() != (tmp_path / "plain.dcm").read_bytes()
    assert copied(zeros) == clean


@pytest.mark.parametrize("scans", [False, True])
@pytest.mark.parametrize("lines", [0, 1, 5])
@pytest.mark.parametrize(("precision", "colours"), [(8, 3), (12, 1), (16, 1), (16, 3)])
def test_a_lossless_frame_is_the_native_image(
    precision: int, colours: int, lines: int, scans: bool, tmp_path: Path
) -> None:
    samples = values(precision, colours)
    path = of_samples(tmp_path / "in.dcm", samples, precision, lines=lines, scans=scans)
    native = picture(SIDE, SIDE, colours, precision)
    native.PixelData = samples.tobytes()
    assert image_digest(path) == image_digest(save(native, tmp_path / "native.dcm"))
    [frame] = generate_frames(pydicom.dcmread(path).PixelData, number_of_frames=1)
    clean = copied(path)
    assert frame in clean
    for place in reversed(ends(frame)):
        frame = put(frame, place, CANARY)
    dataset = pydicom.dcmread(path)
    dataset.PixelData = encapsulate([frame])
    assert copied(save(dataset, path)) == clean


@pytest.mark.parametrize("kind", ["JPEG-LS", "JPEG-LS near"])
def test_a_text_before_the_end_of_jpeg_ls_is_refused(kind: str, tmp_path: Path) -> None:
    frame = frame_of(kind)[1].rstrip(b"\0")
    for more in (CANARY, b"A", b"\0"):
        path = written(kind, tmp_path / "in.dcm", put(frame, len(frame) - 2, more))
        for read in (image_digest, copied):
            with pytest.raises(PixelsUnreadable, match="frame 1 cannot be decoded: pyjpegls"):
                read(path)


def test_long_data_is_followed_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [kind_and_frame(name)[1] for name in NAMES if name != "JPEG lossless"]
    frames.append(lossless(values(16, 3), 16))
    clean = [clean_jpeg.__wrapped__(frame, "") for frame in frames]
    assert [each.data for each in clean] == frames
    monkeypatch.setattr(entropy, "_PIECE", 37)
    assert [clean_jpeg.__wrapped__(frame, "") for frame in frames] == clean


def test_tables_that_no_scan_uses_go(tmp_path: Path) -> None:
    text = CANARY.ljust(64)
    unused = [
        segment(HUFFMAN, b"\3" + bytes([0] * 7 + [64] + [0] * 8) + text),
        segment(HUFFMAN, b"\x13" + bytes([0] * 7 + [64] + [0] * 8) + text),
        segment(QUANTIZATION, b"\3" + text),
        segment(QUANTIZATION, b"\x13" + text * 2),
        segment(QUANTIZATION, b"\3" + text + b"\2" + text),
        # defined again before a scan uses them
        segment(HUFFMAN, b"\0" + bytes([0] * 7 + [64] + [0] * 8) + text),
        segment(QUANTIZATION, b"\0" + text),
    ]
    for name in NAMES:
        kind, frame = kind_and_frame(name)
        clean = copied(written(kind, tmp_path / "plain.dcm", frame))
        for more in unused:
            for place in (2, len(frame) - 2):
                path = written(kind, tmp_path / "in.dcm", put(frame, place, more))
                assert copied(path) == clean, name


def test_an_unused_table_goes_from_a_segment_with_others(tmp_path: Path) -> None:
    kind, frame = kind_and_frame("JPEG")
    clean = copied(written(kind, tmp_path / "plain.dcm", frame))
    at = frame.index(b"\xff\xdb")
    (length,) = struct.unpack_from(">H", frame, at + 2)
    content = frame[at + 4 : at + 2 + length]
    for changed in (content + b"\3" + CANARY.ljust(64), b"\3" + CANARY.ljust(64) + content):
        longer = frame[:at] + segment(QUANTIZATION, changed) + frame[at + 2 + length :]
        assert copied(written(kind, tmp_path / "in.dcm", longer)) == clean


# -- nothing less -----------------------------------------------------------------------------


def test_entropy_coded_data_that_was_cut_is_refused_also_with_an_end(
    rng: random.Random, tmp_path: Path
) -> None:
    for name in NAMES:
        kind, frame = kind_and_frame(name)
        segments = coded(frame)
        places = [segments[-1][1] - 1, *(rng.randrange(*rng.choice(segments)) for _ in range(6))]
        for place in places:
            cut = frame[:place].rstrip(b"\xff") + END
            refused(written(kind, tmp_path / "in.dcm", cut), "ends before its picture|restart")


def test_data_missing_before_a_restart_or_between_scans_is_refused(
    rng: random.Random, tmp_path: Path
) -> None:
    for name in ("in restart intervals", "progressive"):
        kind, frame = kind_and_frame(name)
        for place in rng.sample(ends(frame), 5):
            changed = frame[: place - 3].rstrip(b"\xff") + frame[place:]
            refused(written(kind, tmp_path / "in.dcm", changed), "ends before its picture")


def test_restart_markers_in_a_wrong_number_or_order_are_refused(
    rng: random.Random, tmp_path: Path
) -> None:
    kind, frame = kind_and_frame("in restart intervals")
    places = ends(frame)
    interval = frame.index(b"\xff\xdd\0\4")
    for place in rng.sample(places[:-1], 3):
        other = bytes([0xD0 + (frame[place + 1] - 0xD0 + rng.randrange(1, 8)) % 8])
        for changed in (
            frame[: place + 1] + other + frame[place + 2 :],
            frame[:place] + frame[place + 2 :],
            put(frame, place, frame[place : place + 2]),
            frame[:place] + frame[places[places.index(place) + 1] :],
            put(frame, places[-1], bytes([0xFF, 0xD0 + (len(places) - 1) % 8])),
            frame[:interval] + frame[interval + 6 :],
        ):
            why = "its restart markers are not those of its intervals"
            refused(written(kind, tmp_path / "in.dcm", changed), why)


def test_undefined_codes_are_refused(tmp_path: Path) -> None:
    kind, frame = kind_and_frame("JPEG")
    start = frame.index(b"\xff\xda")
    changed = frame[: start + 20] + b"\xff\0" * 40 + frame[start + 60 :]
    refused(written(kind, tmp_path / "in.dcm", changed), "has undefined codes")


def test_every_colour_stands_in_one_scan(tmp_path: Path) -> None:
    path = of_samples(tmp_path / "in.dcm", values(8, 3), 8, scans=True)
    dataset = pydicom.dcmread(path)
    [frame] = generate_frames(dataset.PixelData, number_of_frames=1)
    frame = frame.rstrip(b"\0")
    last = frame.rindex(b"\xff\xda")
    for changed, why in (
        (frame[:last] + END, "a component is in no scan"),
        (frame[:-2] + frame[last:], "a component is in two scans"),
        (frame.replace(b"\xff\xda\0\x08\1\2", b"\xff\xda\0\x08\1\7"), "that the frame does not"),
        (frame.replace(b"\xff\xda\0\x08\1\2\0", b"\xff\xda\0\x08\1\2\x10"), "no Huffman table"),
    ):
        assert changed != frame
        dataset.PixelData = encapsulate([changed])
        refused(save(dataset, path), why)


@pytest.mark.parametrize(
    ("marker", "content", "why"),
    [
        (HUFFMAN, b"\0" + bytes([3] * 16) + bytes(48), "more codes than there can be"),
        (HUFFMAN, b"\0" + bytes([1] * 16) + CANARY[:15], "a Huffman table is cut"),
        (HUFFMAN, b"\0", "a Huffman table is cut"),
        (QUANTIZATION, b"\0" + CANARY, "a quantization table is cut"),
        (QUANTIZATION, b"\x10" + CANARY.ljust(64), "a quantization table is cut"),
        (RESTART, b"\0\0" + CANARY, "its restart interval has another size"),
        (0xC0, b"\x08\0\x28\0\x28\1\1\x11\0" + CANARY, "its frame header has another size"),
        (0xC0, b"\x11\0\x28\0\x28\1\1\x11\0", "its samples have 17 bits, not 2 to 16"),
        (0xC0, b"\1\0\x28\0\x28\1\1\x11\0", "its samples have 1 bits, not 2 to 16"),
        (0xC0, b"\x08\0\x28\0\x28\1\1\x51\0", "its sampling factors are not from 1 to 4"),
        (SCAN, b"\1\1\0\0\x3f\0", "a scan precedes the frame header"),
    ],
)
def test_headers_that_are_not_of_their_size_are_refused(
    marker: int, content: bytes, why: str, tmp_path: Path
) -> None:
    kind, frame = kind_and_frame("JPEG")
    path = written(kind, tmp_path / "in.dcm", put(frame, 2, segment(marker, content)))
    refused(path, why)


def test_a_scan_header_of_another_size_is_refused(tmp_path: Path) -> None:
    kind, frame = kind_and_frame("JPEG")
    start = frame.index(b"\xff\xda")
    end = start + 2 + int.from_bytes(frame[start + 2 : start + 4], "big")
    for content in (frame[start + 4 : end] + CANARY, b"", bytes(4)):
        changed = frame[:start] + segment(SCAN, content) + frame[end:]
        path = written(kind, tmp_path / "in.dcm", changed)
        refused(path, "a scan header has another size")


def test_damaged_bytes_are_refused_or_cleaned_once(rng: random.Random) -> None:
    frames = [kind_and_frame(name)[1] for name in NAMES]
    frames.append(lossless(values(16, 3), 16, lines=5, scans=True))
    outcomes = set()
    for _ in range(400):
        damaged = bytearray(rng.choice(frames))
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randrange(2, len(damaged))] = rng.choice([0, 1, 0xFF, rng.randrange(256)])
        try:
            clean = clean_jpeg.__wrapped__(bytes(damaged), "").data
        except PixelsUnreadable:
            outcomes.add("refused")
            continue
        assert clean_jpeg.__wrapped__(clean, "").data == clean
        outcomes.add("cleaned")
    assert outcomes == {"refused", "cleaned"}
