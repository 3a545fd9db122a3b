"""Native pixels: as long as their attributes say, and nothing in the bits beside them."""

from __future__ import annotations

import io
import random
import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import pixel_array
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from radledger.dicom.deidentify import deidentify_file
from radledger.dicom.digest import image_digest
from radledger.dicom.errors import MalformedDicom, NotDicom, TruncatedDicom
from radledger.dicom.image import ImagePixels
from radledger.dicom.pixels import hidden_bits
from radledger.dicom.profiles import Profile
from radledger.dicom.read import read_header
from tests.dicom.files import deflated, image, sample, save

KEY = b"a secret of the custodian".ljust(32)


def copied(path: Path) -> Dataset:
    stream = io.BytesIO()
    deidentify_file(path, stream, Profile.parse("basic"), KEY, allow_burned_in=True)
    stream.seek(0)
    return pydicom.dcmread(stream)


def colours(**attributes: object) -> Dataset:
    return image(
        8,
        8,
        SamplesPerPixel=3,
        PlanarConfiguration=0,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelData=bytes(range(192)),
        **attributes,
    )


# -- length -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dataset", "size", "needed"),
    [
        (colours(PhotometricInterpretation="YBR_FULL_422"), 192, 128),
        (image(PixelData=bytes(range(96))), 96, 32),  # three frames, one named
        (image(BitsAllocated=8, BitsStored=8, HighBit=7), 32, 16),
        (image(PixelData=bytes(96)), 96, 32),  # black frames are frames
        (image(PixelData=bytes(range(32)) + bytes(11) + b"\1"), 44, 32),
        (image(PixelData=bytes(range(32)) + bytes(16)), 48, 32),
    ],
)
def test_more_than_padding_is_refused_with_both_lengths(
    dataset: Dataset, size: int, needed: int, tmp_path: Path
) -> None:
    path = save(dataset, tmp_path / "in.dcm")
    for read in (read_header, image_digest, copied):
        with pytest.raises(MalformedDicom) as refusal:
            read(path)
        assert refusal.value.values == {"size": size, "needed": needed}
        assert f"{size} bytes" in refusal.value.message
        assert f"ask for {needed}" in refusal.value.message


@pytest.mark.parametrize("excess", [0, 2, 14])
def test_padding_is_dropped(excess: int, tmp_path: Path) -> None:
    plain = image()
    digest = image_digest(save(plain, tmp_path / "in.dcm"))
    whole = plain.PixelData
    plain.PixelData += bytes(excess)
    path = save(plain, tmp_path / "in.dcm")
    assert image_digest(path) == digest
    assert copied(path).PixelData == whole


def test_random_lengths_are_exact_or_padding_or_refused(rng: random.Random, tmp_path: Path) -> None:
    """Whatever the length, a digest stands for every byte that is not zero."""
    path, counts = tmp_path / "in.dcm", {"exact": 0, "padding": 0, "refused": 0}
    data = save(image(8, 8, NumberOfFrames=1), path).read_bytes()
    head = data[: data.rindex(b"OW")] + b"OW\0\0"
    for _ in range(3000):
        rows, columns, bits = rng.randrange(1, 9), rng.randrange(1, 9), rng.choice((8, 16, 32))
        needed = rows * columns * bits // 8
        size = rng.choice((needed, needed + rng.randrange(40), rng.randrange(2, 3 * needed)))
        pixels = bytes(rng.randrange(1, 256) for _ in range(min(size, needed)))
        pixels += bytes(rng.choice((0, 0, 0, 7)) for _ in range(size - len(pixels)))
        pixels += bytes(size % 2)
        numbers = {"Rows": rows, "Columns": columns, "BitsAllocated": bits, "BitsStored": bits}
        whole = numbered(head, {**numbers, "HighBit": bits - 1})
        whole += struct.pack("<I", len(pixels))
        path.write_bytes(whole + pixels)
        tail = pixels[needed:]
        if len(pixels) < needed:
            with pytest.raises(TruncatedDicom):
                read_header(path)
        elif len(tail) > needed % 2 and (any(tail) or 2 * len(tail) >= needed):
            counts["refused"] += 1
            with pytest.raises(MalformedDicom):
                image_digest(path)
        else:
            counts["padding" if tail else "exact"] += 1
            digest = image_digest(path)
            at = rng.randrange(needed)
            path.write_bytes(whole + pixels[:at] + bytes([pixels[at] ^ 1]) + pixels[at + 1 :])
            assert image_digest(path) != digest
    assert min(counts.values()) > 100, counts


TAGS = {
    "Rows": 0x10,
    "Columns": 0x11,
    "BitsAllocated": 0x100,
    "BitsStored": 0x101,
    "HighBit": 0x102,
}


def numbered(data: bytes, numbers: dict[str, int]) -> bytes:
    for keyword, number in numbers.items():
        at = data.index(struct.pack("<HH", 0x28, TAGS[keyword]) + b"US\2\0") + 8
        data = data[:at] + struct.pack("<H", number) + data[at + 2 :]
    return data


# -- bits -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]
)
@pytest.mark.parametrize(("stored", "high"), [(12, 11), (12, 15), (12, 13), (10, 9), (16, 15)])
@pytest.mark.parametrize("signed", [0, 1])
def test_bits_outside_the_pixel_are_zero(
    stored: int, high: int, signed: int, syntax: str, tmp_path: Path
) -> None:
    words = np.random.default_rng(stored).integers(0, 1 << 16, 64).astype("<u2")
    little = syntax != ExplicitVRBigEndian
    dataset = image(8, 8, BitsStored=stored, HighBit=high, PixelRepresentation=signed)
    dataset.PixelData = (words if little else words.byteswap()).tobytes()
    dataset.file_meta.TransferSyntaxUID = syntax
    path = save(dataset, tmp_path / "in.dcm")
    copy = copied(path)
    left = np.frombuffer(copy.PixelData, "<u2" if little else ">u2")
    mask = ((1 << stored) - 1) << (high + 1 - stored)
    assert np.array_equal(left, words & mask)
    assert image_digest(path) == image_digest(save(copy, tmp_path / "copy.dcm"))
    if high == stored - 1:
        assert np.array_equal(pixel_array(pydicom.dcmread(path)), pixel_array(copy))


@pytest.mark.parametrize("little", [True, False])
def test_what_fills_the_last_byte_is_zero(little: bool, tmp_path: Path) -> None:
    dataset = image(3, 3, BitsAllocated=1, BitsStored=1, HighBit=0, NumberOfFrames=3)
    dataset.PixelData = b"\xff\xff\xff\xff"  # 27 bits
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    save(dataset, tmp_path / "in.dcm")
    copy = copied(tmp_path / "in.dcm")
    assert copy.PixelData == (b"\xff\xff\xff\7" if little else b"\xff\xff\7\xff")


@pytest.mark.parametrize("little", [True, False])
def test_the_byte_that_makes_the_length_even_is_zero(little: bool, tmp_path: Path) -> None:
    dataset = image(3, 3, BitsAllocated=8, BitsStored=8, HighBit=7)
    dataset.PixelData = b"123456789x" if little else b"21436587x9"
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    save(dataset, tmp_path / "in.dcm")
    assert copied(tmp_path / "in.dcm").PixelData == (b"123456789\0" if little else b"21436587\x009")


def test_hidden_bits_of_an_rle_frame_are_zero(tmp_path: Path) -> None:
    dataset = image(8, 8)
    words = np.arange(64, dtype="<u2") | 0x8000
    dataset.PixelData = words.tobytes()
    dataset.BitsStored, dataset.HighBit = 16, 15
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.BitsStored, dataset.HighBit = 12, 11
    copy = copied(save(dataset, tmp_path / "in.dcm"))
    copy.BitsStored, copy.HighBit = 16, 15
    assert np.array_equal(copy.pixel_array.ravel(), words & 0x0FFF)


def test_hidden_bits_of_other_frames_refuse_the_file(tmp_path: Path) -> None:
    dataset = pydicom.dcmread(sample("MR_small_jpeg_ls_lossless.dcm"))
    values = dataset.pixel_array
    bits = int(values.max()).bit_length()
    dataset.BitsStored, dataset.HighBit = bits + 1, bits
    assert copied(save(dataset, tmp_path / "in.dcm")).BitsStored == bits + 1
    dataset.BitsStored, dataset.HighBit = bits - 1, bits - 2
    with pytest.raises(MalformedDicom) as refusal:
        copied(save(dataset, tmp_path / "in.dcm"))
    assert refusal.value.values == {"attribute": "BitsStored", "frame": 1}


@pytest.mark.parametrize(
    ("words", "signed", "hidden"),
    [
        ([0x0001, 0x07FF], False, False),
        ([0x0001, 0x0800], False, False),
        ([0x1001, 0x0800], False, True),
        ([0xF800, 0x07FF], True, False),  # the sign is extended
        ([0x0800, 0x07FF], True, False),  # or it is not
        ([0xF800, 0x0FFF], True, True),  # but not now and then
        ([0xF800, 0x17FF], True, True),
    ],
)
def test_an_extended_sign_hides_nothing(words: list[int], signed: bool, hidden: bool) -> None:
    dataset = image(1, 2, PixelRepresentation=int(signed))
    samples = np.array(words, "<u2").view("<i2" if signed else "<u2")
    assert hidden_bits(samples, ImagePixels.of(dataset, 0x7FE00010)) is hidden


# -- what stands after, and beside ------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 7, 8, 512, 40_000])
@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_implicit.dcm", "test-SR.dcm"])
def test_zeros_after_the_last_element_are_padding(name: str, count: int, tmp_path: Path) -> None:
    path = tmp_path / "in.dcm"
    path.write_bytes(sample(name).read_bytes() + bytes(count))
    assert image_digest(path) == image_digest(sample(name))


@pytest.mark.parametrize(
    "tail", [b"\r\n", b"\1", b"\xfe\xff\xdd\xe0\0\0\0\0", b"\0\0\0\0\0\0\0\1", b"x" * 600]
)
def test_other_bytes_after_the_pixel_data_are_reported(tail: bytes, tmp_path: Path) -> None:
    data = save(image(), tmp_path / "a.dcm").read_bytes()
    (tmp_path / "in.dcm").write_bytes(data + tail)
    with pytest.raises(MalformedDicom) as refusal:
        read_header(tmp_path / "in.dcm")
    assert refusal.value.values == {"offset": len(data), "size": len(tail)}
    assert f"{len(tail)} bytes after the pixel data" in refusal.value.message


def test_too_few_bytes_for_an_element_are_reported(tmp_path: Path) -> None:
    data = sample("test-SR.dcm").read_bytes()
    (tmp_path / "in.dcm").write_bytes(data + b"\r\n")
    with pytest.raises(TruncatedDicom, match="2 bytes after the last whole element") as refusal:
        read_header(tmp_path / "in.dcm")
    assert refusal.value.values == {"offset": len(data), "size": 2}


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"PK\3\4" + bytes(200), "ZIP"),
        (b"\x1f\x8b\x08" + bytes(200), "gzip"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"name".ljust(257, b"\0") + b"ustar\0" + bytes(200), "tar"),
    ],
)
def test_an_archive_is_to_be_unpacked(head: bytes, kind: str, tmp_path: Path) -> None:
    (tmp_path / "in.dcm").write_bytes(head)
    with pytest.raises(NotDicom, match=f"the file is a {kind} archive; unpack it"):
        read_header(tmp_path / "in.dcm")


def test_a_deflated_file_may_have_padding(tmp_path: Path) -> None:
    data = save(image(), tmp_path / "a.dcm").read_bytes()
    digest = image_digest(tmp_path / "a.dcm")
    length = int.from_bytes(data[140:144], "little")
    (tmp_path / "in.dcm").write_bytes(deflated(data[144 + length :] + bytes(9)))
    assert image_digest(tmp_path / "in.dcm") == digest
