"""Look at an attribute without changing how its data set holds it."""

from __future__ import annotations

from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset

__all__ = ["value_of"]


def value_of(dataset: Dataset, keyword: str) -> Any:
    """The value of an attribute, None without it.

    ``Dataset.get`` gives the same and keeps what it converted, which has to be encoded again
    when the data set is written.

    Parameters
    ----------
    dataset
        As read, or made.
    keyword
        Of pydicom's dictionary, and of one value representation.

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
    element = dataset.get_item(tag)
    if isinstance(element, RawDataElement):
        element = convert_raw_data_element(
            element, encoding=dataset.original_character_set, ds=dataset
        )
    return element.value if element is not None else None
