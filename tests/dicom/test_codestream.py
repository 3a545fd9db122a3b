"""Nothing but picture gets into a copy, and every picture stays bit for bit the same."""

from __future__ import annotations

import copy
import io
import random
import struct
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels import pixel_array
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, JPEGLSNearLossless, RLELossless

from radledger.dicom.deidentify import deidentify_file
from radledger.dicom.digest import image_digest
from radledger.dicom.errors import DicomError, MalformedDicom, PixelsUnreadable
from radledger.dicom.profiles import Profile
from radledger.dicom.read import read_header
from tests.dicom.files import image, sample, samples, save

KEY = b"a secret of the custodian".ljust(32)
CANARY = b"Doe^Jane MRN0001"
LARGE = 1 << 16
BASELINE = "1.2.840.10008.1.2.4.50"
EXTENDED = "1.2.840.10008.1.2.4.51"
RETIRED = "1.2.840.10008.1.2.4.55"
LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_2000 = "1.2.840.10008.1.2.4.91"


def copied(path: Path) -> bytes:
    stream = io.BytesIO()
    deidentify_file(path, stream, Profile.parse("basic"), KEY, allow_burned_in=True)
    return stream.getvalue()


def picture(rows: int, columns: int, samples: int, bits: int) -> Dataset:
    steps = np.random.default_rng(7).integers(-3, 4, rows * columns * samples).cumsum()
    values = (steps % (1 << bits)).astype("<u2" if bits > 8 else "u1")
    dataset = image(
        rows,
        columns,
        SamplesPerPixel=samples,
        PhotometricInterpretation="RGB" if samples == 3 else "MONOCHROME2",
        BitsAllocated=16 if bits > 8 else 8,
        BitsStored=bits,
        HighBit=bits - 1,
        PixelData=values.tobytes(),
    )
    if samples == 3:
        dataset.PlanarConfiguration = 0
    dataset["PixelData"].VR = "OW" if bits > 8 else "OB"
    return dataset


def of_wheel(name: str) -> tuple[Dataset, bytes]:
    dataset = pydicom.dcmread(sample(name))
    frames = int(dataset.get("NumberOfFrames") or 1)
    return dataset, next(generate_frames(dataset.PixelData, number_of_frames=frames))


@cache
def frame_of(kind: str) -> tuple[Dataset, bytes]:
    """A data set with one compressed frame, and the codestream; not to be changed."""
    wheel = {
        "JPEG extended": "JPGExtended.dcm",
        "JPEG lossless": "SC_rgb_jpeg_gdcm.dcm",
        "JPEG 2000": "SC_rgb_gdcm_KY.dcm",
        "JPEG 2000 in tiles": "examples_jpeg2k.dcm",
    }
    if kind in wheel:
        return of_wheel(wheel[kind])
    if kind == "JPEG":
        dataset = picture(40, 40, 3, 8)
        buffer = io.BytesIO()
        pixels = np.frombuffer(dataset.PixelData, "u1").reshape(40, 40, 3)
        Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
        dataset.PhotometricInterpretation = "YBR_FULL_422"
        dataset.file_meta.TransferSyntaxUID = BASELINE
        return dataset, buffer.getvalue()
    syntax, bits, samples = {
        "RLE": (RLELossless, 12, 1),
        "RLE in colour": (RLELossless, 8, 3),
        "JPEG-LS": (JPEGLSLossless, 12, 1),
        "JPEG-LS near": (JPEGLSNearLossless, 8, 1),
        "JPEG 2000 lossless": (JPEG2000Lossless, 12, 1),
    }[kind]
    dataset = picture(40, 40, samples, bits)
    options = {"jls_error": 2} if syntax == JPEGLSNearLossless else {}
    dataset.compress(syntax, generate_instance_uid=False, **options)
    return dataset, next(generate_frames(dataset.PixelData, number_of_frames=1))


JPEG_KINDS = ["JPEG", "JPEG extended", "JPEG lossless", "JPEG-LS", "JPEG-LS near"]
JPEG_2000_KINDS = ["JPEG 2000", "JPEG 2000 lossless", "JPEG 2000 in tiles"]
RLE_KINDS = ["RLE", "RLE in colour"]
KINDS = [*JPEG_KINDS, *JPEG_2000_KINDS, *RLE_KINDS]


def written(kind: str, path: Path, *fragments: bytes, **attributes: object) -> Path:
    """The file of a kind with other fragments as its one frame."""
    changed = copy.deepcopy(frame_of(kind)[0])
    changed.PixelData = encapsulate(list(fragments), has_bot=False)
    changed["PixelData"].VR = "OB"
    for keyword, value in attributes.items():
        setattr(changed, keyword, value)
    return save(changed, path)


def decoded(data: Path | bytes) -> np.ndarray:
    source = io.BytesIO(data) if isinstance(data, bytes) else data
    return pixel_array(pydicom.dcmread(source), raw=True)


def test_all_files_of_the_wheel_decode_to_the_same_pixels() -> None:
    compared = set()
    for path in samples():
        try:
            if read_header(path).pixels is None:
                continue
            data = copied(path)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                before = decoded(path)
        except (DicomError, RuntimeError):  # pydicom decodes no 12 bits of JPEG extended
            continue
        assert np.array_equal(before, decoded(data)), path.name
        compared.add(pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID)
    assert len(compared) == 10


# -- segments that are not image data ---------------------------------------------------------


def jpeg_places(frame: bytes) -> list[int]:
    """Where a marker segment may be put before the first scan."""
    places, position = [2], 2
    while frame[position + 1] != 0xDA:
        position += 2 + int.from_bytes(frame[position + 2 : position + 4], "big")
        places.append(position)
    return places


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def put(frame: bytes, place: int, more: bytes) -> bytes:
    return frame[:place] + more + frame[place:]


def with_jpeg_segment(frame: bytes, rng: random.Random) -> bytes:
    marker = rng.choice([*range(0xE0, 0xF0), 0xFE])
    start = rng.choice([b"", b"Exif\0\0", b"JFXX\0", b"ICC_PROFILE\0", b"SPIFF\0", b"mr", b"http:"])
    content = start + bytes(rng.randrange(256) for _ in range(rng.randrange(40))) + CANARY
    fill = b"\xff" * rng.randrange(3)
    return put(frame, rng.choice(jpeg_places(frame)), fill + segment(marker, content))


def with_comment(frame: bytes, rng: random.Random) -> bytes:
    """A comment in the main header or in the first tile's, whose length is put right."""
    first = frame.index(b"\xff\x90\0\x0a")
    comment = segment(0x64, b"\0\1" + CANARY + bytes(rng.randrange(30)))
    if rng.random() < 0.5:
        places, position = [], 4 + int.from_bytes(frame[4:6], "big")
        while position <= first:
            places.append(position)
            position += 2 + int.from_bytes(frame[position + 2 : position + 4], "big")
        return put(frame, rng.choice(places), comment)
    (length,) = struct.unpack_from(">I", frame, first + 6)
    frame = (
        frame[: first + 6]
        + struct.pack(">I", length and length + len(comment))
        + frame[first + 10 :]
    )
    return put(frame, first + 12, comment)


def with_tail(frame: bytes, rng: random.Random) -> bytes:
    return frame + bytes(rng.randrange(3)) + CANARY + bytes(rng.randrange(4))


CHANGES: dict[str, list[Callable[[bytes, random.Random], bytes]]] = {
    **{kind: [with_jpeg_segment, with_tail] for kind in JPEG_KINDS},
    **{kind: [with_comment, with_tail] for kind in JPEG_2000_KINDS},
    **{kind: [with_tail] for kind in RLE_KINDS},
}


@pytest.mark.parametrize("kind", KINDS)
def test_random_segments_do_not_get_into_the_copy(
    kind: str, rng: random.Random, tmp_path: Path
) -> None:
    _, frame = frame_of(kind)
    plain = written(kind, tmp_path / "plain.dcm", frame)
    clean, digest = copied(plain), image_digest(plain)
    for _ in range(150 if len(frame) < LARGE else 5):
        changed = frame
        for change in CHANGES[kind]:
            changed = change(changed, rng)
        path = written(kind, tmp_path / "in.dcm", changed)
        assert CANARY in path.read_bytes()
        assert image_digest(path) == digest
        assert copied(path) == clean
    assert CANARY not in clean


def test_a_jpeg_keeps_what_tells_its_colours(tmp_path: Path) -> None:
    _, frame = frame_of("JPEG")
    jfif = frame[2 : 4 + int.from_bytes(frame[4:6], "big")]
    assert jfif[4:9] == b"JFIF\0"
    adobe = segment(0xEE, b"Adobe" + bytes(6) + b"\1")
    noted = put(frame, len(jfif) + 2, segment(0xEE, adobe[4:] + CANARY))
    thumbnail = segment(0xE0, jfif[4:16] + b"\3\1" + bytes(9))
    noted = noted[:2] + thumbnail + noted[2 + len(jfif) :]
    data = copied(written("JPEG", tmp_path / "in.dcm", noted))
    [left] = generate_frames(pydicom.dcmread(io.BytesIO(data)).PixelData, number_of_frames=1)
    assert left.startswith(frame[:2] + jfif + adobe)


def test_boxes_beside_a_jpeg_2000_codestream_go(tmp_path: Path) -> None:
    dataset, frame = of_wheel("GDCMJ2K_TextGBR.dcm")
    plain = save(dataset, tmp_path / "plain.dcm")
    clean = copied(plain)
    code = frame.index(b"jp2c") - 4
    for kind in (b"uuid", b"xml ", b"free", b"asoc"):
        box = struct.pack(">I4s", 8 + len(CANARY), kind) + CANARY
        changed = frame[:code] + box + frame[code:].rstrip(b"\0") + box
        dataset.PixelData = encapsulate([changed])
        path = save(dataset, tmp_path / "in.dcm")
        assert image_digest(path) == image_digest(plain)
        assert copied(path) == clean


def test_lengths_of_tiles_that_are_not_true_any_more_go(tmp_path: Path) -> None:
    _, frame = frame_of("JPEG 2000 lossless")
    first = frame.index(b"\xff\x90\0\x0a")
    (length,) = struct.unpack_from(">I", frame, first + 6)
    lengths = segment(0x55, b"\0\x40" + struct.pack(">I", length))
    plain = put(frame, first, lengths)
    assert lengths in copied(written("JPEG 2000 lossless", tmp_path / "plain.dcm", plain))
    comment = segment(0x64, b"\0\1" + CANARY)
    start = first + len(lengths)
    stated = segment(0x55, b"\0\x40" + struct.pack(">I", length + len(comment)))
    changed = put(plain.replace(lengths, stated), start + 12, comment)
    changed = (
        changed[: start + 6] + struct.pack(">I", length + len(comment)) + changed[start + 10 :]
    )
    data = copied(written("JPEG 2000 lossless", tmp_path / "in.dcm", changed))
    assert lengths[:2] not in data[-len(frame) :]
    assert CANARY not in data


def test_an_rle_header_and_the_bytes_between_segments_are_written_again(tmp_path: Path) -> None:
    _, frame = frame_of("RLE in colour")
    clean = copied(written("RLE in colour", tmp_path / "plain.dcm", frame))
    offsets = struct.unpack_from("<4I", frame)[1:]
    parts = [frame[a:b] for a, b in zip(offsets, (*offsets[1:], None), strict=True)]
    header, body = [3], CANARY
    for part in parts:
        header.append(64 + len(body))
        body += part + CANARY
    changed = struct.pack("<4I", *header) + (CANARY * 3) + body
    path = written("RLE in colour", tmp_path / "in.dcm", changed)
    assert copied(path) == clean
    assert CANARY not in clean


@pytest.mark.parametrize("syntax", [RETIRED, BASELINE])
def test_a_progressive_jpeg_is_decoded(syntax: str, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(5).integers(0, 256, (40, 40, 3), "u1")
    Image.fromarray(pixels).save(buffer, "JPEG", progressive=True, comment=CANARY)
    path = written("JPEG", tmp_path / "in.dcm", buffer.getvalue())
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = syntax
    data = copied(save(dataset, path))
    assert CANARY not in data
    (tmp_path / "copy.dcm").write_bytes(data)
    assert image_digest(tmp_path / "copy.dcm") == image_digest(path)


@pytest.mark.parametrize("side", [16, 13])
def test_single_bits_in_rle_are_those_of_native_pixels(side: int, tmp_path: Path) -> None:
    bits = np.random.default_rng(side).integers(0, 2, side * side, "u1")
    packed = np.packbits(bits, bitorder="little").tobytes()
    dataset = image(side, side, BitsAllocated=1, BitsStored=1, HighBit=0)
    dataset.PixelData = packed + b"\0" * (len(packed) % 2)
    digest = image_digest(save(dataset, tmp_path / "native.dcm"))
    runs = b"".join(bytes([len(run) - 1]) + run for run in runs_of(packed))
    spare = bytes([0, 0xFF]) if side % 2 else b""  # after the last pixel
    dataset.PixelData = encapsulate([struct.pack("<16I", 1, 64, *[0] * 14) + runs + spare + CANARY])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = RLELossless
    path = save(dataset, tmp_path / "rle.dcm")
    assert image_digest(path) == digest
    data = copied(path)
    assert CANARY not in data
    (tmp_path / "copy.dcm").write_bytes(data)
    assert image_digest(tmp_path / "copy.dcm") == digest


def runs_of(data: bytes) -> list[bytes]:
    return [data[start : start + 128] for start in range(0, len(data), 128)]


# -- what no decoder reads --------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_codestream_that_was_cut_anywhere_is_refused(
    kind: str, rng: random.Random, tmp_path: Path
) -> None:
    _, frame = frame_of(kind)
    whole = frame.rstrip(b"\0\xff")
    least = 2 if kind in JPEG_2000_KINDS else 1  # all tiles are there without the end marker
    for end in [len(whole) - least - 1, *(rng.randrange(2, len(whole) - 4) for _ in range(60))]:
        path = written(kind, tmp_path / "in.dcm", frame[:end] + b"\0" * (end % 2))
        with pytest.raises(PixelsUnreadable):
            image_digest(path)
        with pytest.raises(PixelsUnreadable):
            copied(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_codestream_of_another_transfer_syntax_is_refused(kind: str, tmp_path: Path) -> None:
    _, frame = frame_of(kind)
    groups = [
        [BASELINE, EXTENDED],
        [LOSSLESS],
        [JPEGLSLossless, JPEGLSNearLossless],
        [JPEG_2000, JPEG2000Lossless],
        [RLELossless],
    ]
    path = written(kind, tmp_path / "in.dcm", frame)
    dataset = pydicom.dcmread(path)
    own = dataset.file_meta.TransferSyntaxUID
    for syntax in (each for group in groups if own not in group for each in group):
        dataset.file_meta.TransferSyntaxUID = syntax
        save(dataset, path)
        with pytest.raises(PixelsUnreadable):
            image_digest(path)


# -- frames and fragments ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_more_frames_than_are_named_are_refused(kind: str, tmp_path: Path) -> None:
    _, frame = frame_of(kind)
    path = written(kind, tmp_path / "in.dcm", frame, frame, frame)
    for read in (image_digest, copied):
        with pytest.raises(MalformedDicom) as refusal:
            read(path)
        assert refusal.value.values["frames"] == 1
    three = written(kind, tmp_path / "three.dcm", frame, frame, frame, NumberOfFrames=3)
    assert len(image_digest(three)) == 32
    written(kind, three, frame, frame, frame, NumberOfFrames=2)
    with pytest.raises(MalformedDicom) as refusal:
        image_digest(three)
    assert refusal.value.values == {"fragments": 3, "frames": 2}


@pytest.mark.parametrize("kind", [*JPEG_KINDS, *JPEG_2000_KINDS])
def test_two_codestreams_in_one_fragment_are_refused(kind: str, tmp_path: Path) -> None:
    _, frame = frame_of(kind)
    path = written(kind, tmp_path / "in.dcm", frame + frame)
    with pytest.raises(MalformedDicom) as refusal:
        image_digest(path)
    assert refusal.value.values == {"frames": 1}


@pytest.mark.parametrize("kind", [*JPEG_KINDS, *JPEG_2000_KINDS])
def test_fragments_without_an_offset_table_are_put_together(kind: str, tmp_path: Path) -> None:
    _, frame = frame_of(kind)
    frame += b"\0" * (len(frame) % 2)
    middle = len(frame) // 4 * 2
    pieces = (frame[:middle], frame[middle:])
    whole = written(kind, tmp_path / "whole.dcm", frame, frame, NumberOfFrames=2)
    split = written(kind, tmp_path / "split.dcm", *pieces, *pieces, NumberOfFrames=2)
    assert image_digest(split) == image_digest(whole)
    assert copied(split) == copied(whole)
