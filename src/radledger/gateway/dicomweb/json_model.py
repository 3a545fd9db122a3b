"""Instances in the DICOM JSON Model: PS3.18 Annex F."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydicom.config import disable_value_validation
from pydicom.datadict import tag_for_keyword

from radledger.dicom.values import element_of

if TYPE_CHECKING:
    from radledger.gateway.dicomweb.instances import OpenInstance

__all__ = [
    "AVAILABLE_TRANSFER_SYNTAX",
    "BINARY",
    "CHARACTER_SET",
    "entry",
    "instance_json",
    "tag_of",
    "tags_of",
]

BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
CHARACTER_SET, AVAILABLE_TRANSFER_SYNTAX = "00080005", "00083002"
_LONGEST_INLINE = 1024
_Entry = dict[str, Any]


def tag_of(keyword: str) -> str:
    """The tag of an attribute of the dictionary, as the model writes it.

    Examples
    --------
    >>> tag_of("PatientID")
    '00100020'
    """
    return f"{tag_for_keyword(keyword):08X}"


def tags_of(*keywords: str) -> tuple[str, ...]:
    """The tags of several attributes; see `tag_of`."""
    return tuple(map(tag_of, keywords))


def entry(vr: str, *values: Any) -> _Entry:
    """An attribute with some values.

    Examples
    --------
    >>> entry("UI", "1.2.3"), entry("SH")
    ({'vr': 'UI', 'Value': ['1.2.3']}, {'vr': 'SH'})
    """
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}


def instance_json(instance: OpenInstance, url: str) -> Mapping[str, _Entry]:
    """What is before the pixel data; values that are long and binary, and the pixels, by address.

    A value that cannot be read is left out.

    Parameters
    ----------
    instance
        The open instance.
    url
        Its address.
    """
    source = instance.source
    found: dict[str, _Entry] = {}
    with disable_value_validation():
        for tag in source.dataset.keys():  # noqa: SIM118 - iterating converts the elements
            if tag.group > 2 and tag.element:
                name = f"{int(tag):08X}"
                written = _written(instance, tag, f"{url}/bulkdata/{name}")
                if written is not None:
                    found[name] = written
    found[CHARACTER_SET] = entry("CS", "ISO_IR 192")
    found[AVAILABLE_TRANSFER_SYNTAX] = entry("UI", source.transfer_syntax)
    if source.pixels is not None:
        name = f"{source.pixels.tag:08X}"
        found[name] = {"vr": source.pixels.vr or "OW", "BulkDataURI": f"{url}/bulkdata/{name}"}
    return dict(sorted(found.items()))


def _written(instance: OpenInstance, tag: Any, url: str) -> _Entry | None:
    dataset = instance.source.dataset
    try:
        element = element_of(dataset, dataset.get_item(tag))
        if element.VR in BINARY and len(element.value or b"") > _LONGEST_INLINE:
            return {"vr": element.VR, "BulkDataURI": url}
        # Without a handler, all is inline.
        written: _Entry = _finite(element.to_json_dict(None, _LONGEST_INLINE))
        return written
    except MemoryError:
        raise
    except Exception:  # pydicom raises what values provoke
        return None


def _finite(value: Any) -> Any:
    """JSON has no number for what is infinite or not a number."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_finite(each) for each in value]
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    return value
