"""Look at an attribute without changing how its data set holds it.

What the files of a series repeat is converted once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pydicom.datadict import keyword_for_tag, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from radledger.dicom.errors import MalformedDicom
from radledger.dicom.spelling import corrected
from radledger.dicom.structure import SHORT_VRS

__all__ = ["element_of", "value_at", "value_of"]

_REMEMBERED_BYTES, _REMEMBERED_ELEMENTS = 256, 4096


def element_of(dataset: Dataset, element: DataElement | RawDataElement) -> DataElement:
    """An element of a data set with its value converted; not to be changed.

    It is read as `radledger.dicom.spelling` says.  ``Dataset[tag]`` keeps what it converted,
    which has to be encoded again when the data set is written.

    Parameters
    ----------
    dataset
        Whose element it is.
    element
        As ``dataset.get_item`` gives it.

    Examples
    --------
    >>> raw = RawDataElement(0x00280010, "US", 2, bytes([0, 2]), 0, False, True)
    >>> element_of(Dataset({raw.tag: raw}), raw).value
    512
    """
    if isinstance(element, DataElement):
        return element
    encoding = dataset.original_character_set
    value = element.value
    if element.VR not in SHORT_VRS or value is None or len(value) > _REMEMBERED_BYTES:
        return convert_raw_data_element(corrected(element), encoding=encoding, ds=dataset)
    return _converted(
        int(element.tag),
        element.VR,
        value,
        element.is_implicit_VR,
        element.is_little_endian,
        encoding if isinstance(encoding, str) else tuple(encoding),
    )


@lru_cache(_REMEMBERED_ELEMENTS)
def _converted(
    tag: int, vr: str, value: bytes, implicit: bool, little: bool, encoding: str | tuple[str, ...]
) -> DataElement:
    """Convert an element whose VR is stated, so that no other one tells what it means."""
    raw = RawDataElement(BaseTag(tag), vr, len(value), value, 0, implicit, little)
    return convert_raw_data_element(
        corrected(raw), encoding=encoding if isinstance(encoding, str) else list(encoding)
    )


def value_of(dataset: Dataset, keyword: str) -> Any:
    """The value of an attribute, None without it.

    Parameters
    ----------
    dataset
        As read, or made.
    keyword
        Of pydicom's dictionary, and of one value representation.

    Raises
    ------
    LookupError
        If the keyword is not in the dictionary: a slip in this package.
    MalformedDicom
        If the value cannot be read; values hold the keyword.

    Examples
    --------
    >>> dataset = Dataset()
    >>> dataset.Rows = 512
    >>> value_of(dataset, "Rows"), value_of(dataset, "Columns")
    (512, None)
    """
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise LookupError(f"{keyword} is not in pydicom's dictionary")
    return value_at(dataset, tag)


def value_at(dataset: Dataset, tag: int) -> Any:
    """`value_of` an attribute that has no keyword, or many.

    Raises
    ------
    MalformedDicom
        If the value cannot be read; values hold the keyword or the tag.
    """
    element = dataset.get_item(tag)
    if element is None:
        return None
    try:
        return element_of(dataset, element).value
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # pydicom's conversions raise what values provoke
        name = keyword_for_tag(tag) or f"({tag >> 16:04x},{tag & 0xFFFF:04x})"
        raise MalformedDicom(
            f"{name} cannot be read; export the file again", attribute=name
        ) from error
