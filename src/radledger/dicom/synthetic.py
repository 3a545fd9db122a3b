"""Make a synthetic CT series, for demonstrations, benchmarks and tests.

The phantom is a body with lungs, a spine and one bright lesion; the patient is invented and
has all the identifiers that a real one would, so that there is something to remove.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

__all__ = ["make_ct_series"]

_AIR, _LUNG, _FAT, _TISSUE, _LESION, _BONE = -1000, -820, -90, 45, 130, 700
_START = datetime.datetime(2024, 3, 14, 9, 26, 53)


def make_ct_series(
    folder: Path, slices: int = 60, *, size: int = 512, seed: int = 1, patient: str = "HZ-4711-88"
) -> list[Path]:
    """Write a CT series of axial slices, 16 bits signed, explicit VR little endian.

    Parameters
    ----------
    folder
        Where to write ``CT0001.dcm`` and so on; made if it is not there.
    slices
        How many, 2.5 mm apart.
    size
        Rows and columns.
    seed
        Of the noise and of the UIDs: the same gives the same files.
    patient
        Patient ID.

    Returns
    -------
    list of Path
        In the order of the slices.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     [path.name for path in make_ct_series(Path(folder), 2, size=64)]
    ['CT0001.dcm', 'CT0002.dcm']
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for index, pixels in enumerate(_phantom(slices, size, seed)):
        dataset = _header(index, slices, size, seed, patient)
        dataset.PixelData = pixels.astype("<i2").tobytes()
        dataset["PixelData"].VR = "OW"
        path = folder / f"CT{index + 1:04d}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def _phantom(slices: int, size: int, seed: int) -> Iterator[NDArray[np.int16]]:
    noise = np.random.default_rng(seed).normal(0, 12, (size * 2, size)).astype(np.int16)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
    for index in range(slices):
        z = 2 * (index + 0.5) / slices - 1
        image = np.full((size, size), _AIR, np.int16)
        width = 0.86 - 0.10 * z * z
        image[_ellipse(x, y, 0, 0, width, 0.62)] = _FAT
        image[_ellipse(x, y, 0, 0, width - 0.06, 0.56)] = _TISSUE
        lung = np.sqrt(max(0.0, 1 - z * z))
        for side in (-1, 1):
            if lung:
                image[_ellipse(x, y, 0.40 * side, -0.04, 0.27 * lung, 0.40 * lung)] = _LUNG
        image[_ellipse(x, y, 0, 0.40, 0.12, 0.11)] = _BONE
        # a ball of 3 cm at a third of the way through the left lung
        lesion = 0.09**2 - ((z + 0.2) * 0.35) ** 2
        if lesion > 0:
            image[_ellipse(x, y, 0.42, 0.02, lesion**0.5, lesion**0.5)] = _LESION
        yield image + noise[(index * 7) % size :][:size]


def _ellipse(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    left: float,
    top: float,
    width: float,
    height: float,
) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = ((x - left) / width) ** 2 + ((y - top) / height) ** 2 <= 1
    return inside


def _uid(seed: int, name: str) -> str:
    return str(generate_uid(entropy_srcs=["radledger.dicom.synthetic", str(seed), name]))


def _header(index: int, slices: int, size: int, seed: int, patient: str) -> Dataset:
    spacing = 400 / size
    taken = _START + datetime.timedelta(seconds=0.4 * index)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = Dataset()
    dataset.file_meta = meta
    values = {
        "SpecificCharacterSet": "ISO_IR 192",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": _uid(seed, f"slice {index}"),
        "StudyDate": f"{_START:%Y%m%d}",
        "SeriesDate": f"{_START:%Y%m%d}",
        "AcquisitionDate": f"{taken:%Y%m%d}",
        "ContentDate": f"{taken:%Y%m%d}",
        "StudyTime": f"{_START:%H%M%S}",
        "AcquisitionTime": f"{taken:%H%M%S.%f}",
        "ContentTime": f"{taken:%H%M%S.%f}",
        "AccessionNumber": "A20240314-0093",
        "Modality": "CT",
        "Manufacturer": "Example Imaging",
        "InstitutionName": "St. Example University Hospital",
        "InstitutionAddress": "1 Sample Street, Exampletown",
        "ReferringPhysicianName": "Quincy^Medea^^Dr.",
        "StationName": "CT-EAST-2",
        "StudyDescription": "CT chest with contrast, Mrs. Hernández-Zöller",
        "SeriesDescription": "Thorax axial 2.5mm soft tissue",
        "OperatorsName": "Tern^Ina",
        "ManufacturerModelName": "Phantom 64",
        "PatientName": "Hernández-Zöller^María",
        "PatientID": patient,
        "PatientBirthDate": "19580702",
        "PatientSex": "F",
        "PatientAge": "065Y",
        "PatientWeight": "68.5",
        "PatientAddress": "7 Invented Lane, Exampletown",
        "PatientTelephoneNumbers": "+00 555 0147",
        "PatientComments": "Daughter calls on Thursdays",
        "BodyPartExamined": "CHEST",
        "KVP": "120",
        "SliceThickness": "2.5",
        "DeviceSerialNumber": "SN-0042-1138",
        "ProtocolName": "Chest CE",
        "ConvolutionKernel": "STANDARD",
        "PatientPosition": "HFS",
        "StudyInstanceUID": _uid(seed, "study"),
        "SeriesInstanceUID": _uid(seed, "series"),
        "FrameOfReferenceUID": _uid(seed, "frame of reference"),
        "StudyID": "0093",
        "SeriesNumber": 2,
        "InstanceNumber": index + 1,
        "ImagePositionPatient": [-200, -200, round(-1.25 * slices + 2.5 * index, 2)],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PositionReferenceIndicator": "",
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": size,
        "Columns": size,
        "PixelSpacing": [spacing, spacing],
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 1,
        "BurnedInAnnotation": "NO",
        "WindowCenter": "40",
        "WindowWidth": "400",
        "RescaleIntercept": "0",
        "RescaleSlope": "1",
        "RescaleType": "HU",
    }
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    private = dataset.private_block(0x0029, "EXAMPLE IMAGING HEADER", create=True)
    private.add_new(0x10, "LO", f"{dataset.PatientName} {patient}")
    return dataset
