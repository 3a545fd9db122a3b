"""What cannot be checked is refused: pixels that no decoder reads, and videos with user data."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEGBaseline8Bit

from radledger.dicom.deidentify import deidentify_file
from radledger.dicom.digest import image_digest, undecoded_digest_of
from radledger.dicom.errors import PixelsUnreadable, UncheckedData, UnsupportedTransferSyntax
from radledger.dicom.profiles import Profile
from radledger.dicom.read import header_of, read_header
from radledger.dicom.source import open_dicom
from tests.dicom.files import image, part10, sample, save

KEY = b"a secret of the custodian".ljust(32)
MPEG_2 = "1.2.840.10008.1.2.4.100"
H264 = "1.2.840.10008.1.2.4.102"
HEVC = "1.2.840.10008.1.2.4.107"
START = b"\0\0\0\1"


def copied(path: Path, *, allow_unchecked: bool = False) -> bytes:
    stream = io.BytesIO()
    profile = Profile.parse("basic")
    deidentify_file(path, stream, profile, KEY, allow_unchecked=allow_unchecked)
    return stream.getvalue()


def compressed(syntax: str, path: Path, *fragments: bytes, **attributes: object) -> Path:
    """A file of any transfer syntax, whether or not pydicom knows it."""
    dataset = image(BurnedInAnnotation="NO", **attributes)
    dataset.PixelData = encapsulate(list(fragments), has_bot=False)
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    data = save(dataset, path).read_bytes()
    length = int.from_bytes(data[140:144], "little")
    path.write_bytes(part10(data[144 + length :], syntax))
    return path


def undecoded(path: Path) -> bytes:
    with open_dicom(path) as source:
        return undecoded_digest_of(source, header_of(source, path))


# -- no decoder -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("syntax", "name"),
    [
        ("1.2.840.10008.1.2.4.110", "JPEG XL Lossless"),
        ("1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression"),
        ("1.2.840.10008.1.2.4.112", "JPEG XL"),
        ("1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression"),
        ("1.2.840.10008.1.2.1.98", "Encapsulated Uncompressed Explicit VR Little Endian"),
    ],
)
def test_a_transfer_syntax_without_decoder_is_named(syntax: str, name: str, tmp_path: Path) -> None:
    path = compressed(syntax, tmp_path / "in.dcm", b"\xff\x0a" + bytes(62))
    assert read_header(path).transfer_syntax == syntax
    for read in (image_digest, copied):
        with pytest.raises(PixelsUnreadable) as refusal:
            read(path)
        assert refusal.value.message.startswith(f"there is no decoder for {name};")
    assert len(undecoded(path)) == 32


def test_an_unknown_transfer_syntax_is_refused(tmp_path: Path) -> None:
    path = compressed("1.2.840.10008.1.2.4.199", tmp_path / "in.dcm", bytes(64))
    with pytest.raises(UnsupportedTransferSyntax, match="is not a transfer syntax of the standard"):
        read_header(path)


def test_the_digest_of_what_is_not_decoded_has_every_byte_and_a_kind_of_its_own(
    rng: random.Random, tmp_path: Path
) -> None:
    data = rng.randbytes(64)
    path = compressed("1.2.840.10008.1.2.4.112", tmp_path / "in.dcm", data)
    digest = undecoded(path)
    for at in range(64):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        assert undecoded(compressed("1.2.840.10008.1.2.4.112", path, changed)) != digest
    whole = compressed(H264, path, H264_STREAM, Rows=16, Columns=16)
    assert undecoded(whole) != image_digest(whole)


DAMAGED = {
    "JPGExtended.dcm": (b"\xff\xc1", "gdcm: it returned no pixels"),
    "MR_small_jpeg_ls_lossless.dcm": (b"\xff\xf7", "pyjpegls: Decoding error: "),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_decoder_s_reason_is_one_line(name: str, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(sample(name))
    (codestream, *_) = generate_frames(dataset.PixelData, number_of_frames=1)
    marker, reason = DAMAGED[name]
    damaged = bytearray(codestream)
    damaged[codestream.index(marker) + 4] = 9  # bits
    dataset.PixelData = encapsulate([bytes(damaged)])
    path = save(dataset, tmp_path / "in.dcm")
    with pytest.raises(PixelsUnreadable) as refusal:
        image_digest(path)
    assert refusal.value.message.startswith(f"frame 1 cannot be decoded: {reason}")
    assert "\n" not in refusal.value.message
    assert len(refusal.value.message.splitlines()) == 1


# -- video ------------------------------------------------------------------------------------

NAME = b"Doe^Jane MRN0001"
LONG = b"\1\xff\1" + NAME * 16
H264_STREAM = b"".join(START + unit for unit in (b"\x67\x64\0\x1f" * 3, b"\x68\xee", b"\x65" * 999))
HEVC_STREAM = b"".join(START + unit for unit in (b"\x40\1\f", b"\x42\1\1", b"\x26\1" + b"x" * 999))
MPEG_2_STREAM = b"".join(
    b"\0\0\1" + unit for unit in (b"\xb3\x16\1\x20", b"\xb8\0\x08", b"\0\0\x0f", b"\1" * 999)
)
STREAMS = {MPEG_2: MPEG_2_STREAM, H264: H264_STREAM, HEVC: HEVC_STREAM}
MESSAGE = b"\5" + bytes([16 + len(NAME)]) + bytes(16) + NAME + b"\x80"
TIMING = b"\1\4abcd"
USER_DATA = {
    MPEG_2: [b"\0\0\1\xb2" + NAME, b"\0\0\1\xb7" + NAME],
    H264: [
        *(START + b"\6" + MESSAGE, START + b"\6" + TIMING + MESSAGE, START + b"\x18" + NAME),
        *(START + b"\6\x03\x10" + NAME + b"\x80", START + b"\6" + LONG + b"\x80"),
        *(START + b"\x0a" + NAME, START + b"\x0b" + NAME),
    ],
    HEVC: [
        *(START + b"\x4e\1" + MESSAGE, START + b"\x50\1" + MESSAGE, START + b"\x60\1" + NAME),
        *(START + b"\x4e\1\xc8\x10" + NAME + b"\x80", START + b"\x48\1" + NAME),
    ],
}


@pytest.mark.parametrize("syntax", STREAMS)
def test_a_video_without_user_data_is_taken(syntax: str, tmp_path: Path) -> None:
    stream = STREAMS[syntax] + b"\0" * (len(STREAMS[syntax]) % 2)
    path = compressed(syntax, tmp_path / "in.dcm", stream, NumberOfFrames=25)
    data = copied(path)
    assert stream in data
    (tmp_path / "out.dcm").write_bytes(data)
    assert image_digest(tmp_path / "out.dcm") == image_digest(path)


@pytest.mark.parametrize(
    ("syntax", "more"), [(syntax, more) for syntax, all_ in USER_DATA.items() for more in all_]
)
def test_a_video_with_user_data_is_refused_unless_allowed(
    syntax: str, more: bytes, tmp_path: Path
) -> None:
    stream = STREAMS[syntax] + more + STREAMS[syntax]
    stream += b"\0" * (len(stream) % 2)
    path = compressed(syntax, tmp_path / "in.dcm", stream)
    with pytest.raises(UncheckedData) as refusal:
        copied(path)
    assert refusal.value.values == {"found": "user data"}
    assert NAME in copied(path, allow_unchecked=True)
    assert len(image_digest(path)) == 32


@pytest.mark.parametrize("syntax", STREAMS)
def test_user_data_at_any_place_is_found(syntax: str, rng: random.Random, tmp_path: Path) -> None:
    """Also where a start code lies across two fragments."""
    for _ in range(100):
        units = [STREAMS[syntax], rng.choice(USER_DATA[syntax]), STREAMS[syntax]]
        stream = b"".join(units) + b"\0" * (sum(map(len, units)) % 2)
        at = rng.randrange(1, len(stream) // 2) * 2
        path = compressed(syntax, tmp_path / "in.dcm", stream[:at], stream[at:])
        with pytest.raises(UncheckedData):
            copied(path)


@pytest.mark.parametrize("messages", [TIMING, TIMING * 3, b"\6\1\xc4"])
def test_supplemental_information_about_pictures_is_not_user_data(
    messages: bytes, tmp_path: Path
) -> None:
    stream = H264_STREAM + START + b"\6" + messages + b"\x80" + H264_STREAM
    stream += b"\0" * (len(stream) % 2)
    assert stream in copied(compressed(H264, tmp_path / "in.dcm", stream))


@pytest.mark.parametrize(
    "stream", [(b"\x47" + bytes(187)) * 3, b"\0\0\0\x18ftypmp42" + bytes(200), b"\0\0\1\xba" * 60]
)
def test_a_container_is_not_searched(stream: bytes, tmp_path: Path) -> None:
    path = compressed(H264, tmp_path / "in.dcm", stream)
    with pytest.raises(UncheckedData, match="a container"):
        copied(path)
    assert stream in copied(path, allow_unchecked=True)


@pytest.mark.parametrize("syntax", STREAMS)
def test_what_is_not_a_video_of_its_transfer_syntax_is_refused(syntax: str, tmp_path: Path) -> None:
    others = [stream for other, stream in STREAMS.items() if other != syntax]
    for stream in (*others, b"\xff\xd8\xff\xe0" + bytes(300), b"", b"text " * 50):
        stream += b"\0" * (len(stream) % 2)
        path = compressed(syntax, tmp_path / "in.dcm", stream or b"\0\0")
        for read in (image_digest, lambda path: copied(path, allow_unchecked=True)):
            with pytest.raises(PixelsUnreadable, match="not a video of the file's transfer syntax"):
                read(path)


def test_a_made_file_is_what_pydicom_reads(tmp_path: Path) -> None:
    dataset: Dataset = pydicom.dcmread(compressed(H264, tmp_path / "in.dcm", H264_STREAM))
    assert dataset.file_meta.TransferSyntaxUID == H264
