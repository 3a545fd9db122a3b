"""Decide whether the pixels themselves may identify the patient."""

from __future__ import annotations

from typing import Any

from pydicom.config import disable_value_validation
from pydicom.multival import MultiValue

from radledger.dicom.read import DicomHeader
from radledger.dicom.values import value_at, value_of

__all__ = ["burned_in_risk"]

# machines and readers that write on the picture, by Modality (PS3.3 C.7.3.1.1.1)
_MODALITIES = frozenset("US IVUS ES XC OT SC GM OP OPT DG RF XA PX IO HC DOC".split())  # noqa: SIM905
_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.7",  # secondary capture
    "1.2.840.10008.5.1.4.1.1.3.1",  # ultrasound, multi-frame
    "1.2.840.10008.5.1.4.1.1.6.",  # ultrasound
    "1.2.840.10008.5.1.4.1.1.77.1.",  # visible light
)


def burned_in_risk(header: DicomHeader) -> str | None:
    """Why the pixels may show the patient's identity; None where they do not seem to.

    Burned In Annotation decides where it is there (PS3.3 C.7.6.1.1).  Without it, the kind of
    image does: captures of a screen, ultrasound, photographs and the like.  No text is
    looked for in the pixels.

    Parameters
    ----------
    header
        Of an instance; one without pixels has no such risk.

    Examples
    --------
    >>> from pathlib import Path
    >>> from pydicom.data import get_testdata_file
    >>> from radledger.dicom.read import read_header
    >>> burned_in_risk(read_header(Path(get_testdata_file("ExplVR_BigEnd.dcm", download=False))))
    'modality US'
    """
    if header.pixels is None:
        return None
    dataset = header.dataset
    with disable_value_validation():
        stated = str(value_of(dataset, "BurnedInAnnotation") or "").strip().upper()
        kinds = _texts(value_of(dataset, "ImageType"))
        overlays = [tag for tag in dataset.keys() if _overlay_position(int(tag))]  # noqa: SIM118
        # a plane in spare bits of the pixels: its position is a bit, 0 stands for a separate one
        if any(value_at(dataset, int(tag)) not in (None, 0) for tag in overlays):
            return "overlay within the pixels"
    if stated == "YES":
        return "Burned In Annotation is YES"
    if stated == "NO":
        return None
    if header.modality in _MODALITIES:
        return f"modality {header.modality}"
    if header.sop_class.startswith(_CLASSES):
        return "secondary capture, ultrasound or visible light"
    if "SECONDARY" in kinds[1:2] or any("SCREEN" in kind for kind in kinds):
        return f"image type {kinds[-1]}"
    return None


def _texts(value: Any) -> list[str]:
    """One value or several, as texts in capitals."""
    return [str(each).upper() for each in (value if isinstance(value, MultiValue) else [value])]


def _overlay_position(tag: int) -> bool:
    return tag >> 24 == 0x60 and tag & 0xFFFF == 0x0102
