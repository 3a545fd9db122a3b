"""The DICOM files in pydicom's wheel, and files that are made to be bad."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from radledger.dicom.source import dicom_in
from radledger.dicom.structure import SHORT_VRS

DATA = Path(pydicom.__file__).parent / "data"
CT = "1.2.840.10008.5.1.4.1.1.2"


def sample(name: str) -> Path:
    """A file of pydicom's wheel by its name."""
    return next(DATA.rglob(name))


def samples() -> list[Path]:
    """Every file of pydicom's wheel that is meant to be DICOM, in a fixed order."""
    return sorted(p for p in DATA.rglob("*") if p.is_file() and p.suffix in (".dcm", ""))


def image(rows: int = 4, columns: int = 4, **attributes: object) -> Dataset:
    """A small CT image, explicit VR little endian, whose attributes may be changed."""
    dataset = Dataset()
    dataset.SOPClassUID = CT
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.StudyInstanceUID = "1.2.3"
    dataset.SeriesInstanceUID = "1.2.3.1"
    dataset.Modality = "CT"
    dataset.PatientName = "Müller^Anna"
    dataset.PatientID = "4711"
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.Rows, dataset.Columns = rows, columns
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.PixelSpacing = ["0.5", "0.5"]
    dataset.RescaleSlope, dataset.RescaleIntercept = "1", "-1024"
    dataset.PixelData = struct.pack(
        f"<{rows * columns}H", *(i % 65536 for i in range(rows * columns))
    )
    dataset["PixelData"].VR = "OW"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def save(dataset: Dataset, path: Path) -> Path:
    """Write a data set as a Part 10 file."""
    dataset.save_as(path, enforce_file_format=True)
    return path


def element(tag: int, vr: str, value: bytes) -> bytes:
    """An element in explicit VR little endian, whatever its dictionary says."""
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    length = struct.pack("<H" if vr in SHORT_VRS else "<2xI", len(value))
    return head + length + value


def with_elements(path: Path, elements: dict[int, tuple[str, bytes]]) -> bytes:
    """A file of explicit VR little endian with these elements of its top level, as they are."""
    data = path.read_bytes()
    with path.open("rb") as stream, dicom_in(stream) as source:
        present = {
            each.tag: data[each.start : each.end]
            for each in source.elements
            if each.tag not in elements
        }
    present |= {tag: element(tag, vr, value) for tag, (vr, value) in elements.items()}
    return part10(b"".join(present[tag] for tag in sorted(present)), ExplicitVRLittleEndian)


def part10(data_set: bytes, transfer_syntax: str) -> bytes:
    """A file of hand-made bytes."""
    uid = transfer_syntax.encode() + b"\0" * (len(transfer_syntax) % 2)
    meta = b"\x02\0\x10\0UI" + struct.pack("<H", len(uid)) + uid
    length = b"\x02\0\0\0UL\x04\0" + struct.pack("<I", len(meta))
    return bytes(128) + b"DICM" + length + meta + data_set


def deflated(data_set: bytes) -> bytes:
    """A deflated file (PS3.5 A.5)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return part10(packer.compress(data_set) + packer.flush(), "1.2.840.10008.1.2.1.99")


def nested(depth: int, *, delimited: bool) -> bytes:
    """Referenced Image Sequences in each other."""
    tag = b"\x08\0\x40\x11SQ\0\0"
    if delimited:
        item = b"\xfe\xff\0\xe0\xff\xff\xff\xff"
        ends = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
        return (tag + b"\xff\xff\xff\xff" + item) * depth + ends * depth
    inner = b""
    for _ in range(depth):
        item = b"\xfe\xff\0\xe0" + struct.pack("<I", len(inner)) + inner
        inner = tag + struct.pack("<I", len(item)) + item
    return inner
