"""What in a DICOM series would tell who the patient is."""

from __future__ import annotations

from pathlib import Path

__all__ = ["identifying_values"]

_KEYWORDS = (
    "PatientName",
    "PatientID",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "PatientComments",
    "AccessionNumber",
    "StudyDescription",
    "InstitutionName",
    "InstitutionAddress",
    "ReferringPhysicianName",
    "OperatorsName",
    "DeviceSerialNumber",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "SOPInstanceUID",
)


def identifying_values(folder: Path) -> set[bytes]:
    """Names, numbers and UIDs in a folder's files, as they are in the files."""
    from pydicom import dcmread

    found = set()
    for path in folder.iterdir():
        dataset = dcmread(path, stop_before_pixels=True)
        found |= {str(dataset[name].value).encode() for name in _KEYWORDS if dataset.get(name)}
    return found
