"""Elements as they are in a file: what a series repeats is encoded once.

pydicom encodes; what is encoded already passes by it, for its bookkeeping of an element takes
longer than all else that is done to one.
"""

from __future__ import annotations

import struct

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element, write_dataset

from radledger.dicom.structure import SHORT_VRS, Encoding

__all__ = ["encoded", "encoded_data_set"]

_DEFAULT_CHARACTER_SET = "iso8859"
# tag, VR and two bytes of length: PS3.5 section 7.1.2
_SHORT_HEADER = 8


def encoded(element: DataElement, character_set: str, *, little: bool) -> RawDataElement:
    """Encode an element of a short VR in explicit VR.

    Parameters
    ----------
    element
        With a VR whose length takes two bytes.
    character_set
        Value of Specific Character Set.
    little
        Whether the byte order is little endian.

    Examples
    --------
    >>> encoded(DataElement(0x00080060, "CS", "OPT"), "ISO_IR 192", little=True).value
    b'OPT '
    """
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = False, little
    write_data_element(buffer, element, character_set)
    value = buffer.getvalue()[_SHORT_HEADER:]
    return RawDataElement(element.tag, element.VR, len(value), value, 0, False, little)


def encoded_data_set(dataset: Dataset, encoding: Encoding) -> bytes:
    """Encode a data set that was read, and perhaps changed since.

    Raises
    ------
    Exception
        Whatever pydicom raises for values that cannot be written.
    """
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = encoding.implicit, encoding.little
    kept = (encoding.implicit, encoding.little) == dataset.original_encoding
    if encoding.implicit or not kept or dataset.original_character_set != dataset._character_set:
        write_dataset(buffer, dataset)
        return buffer.getvalue()
    character_set = dataset.get("SpecificCharacterSet", _DEFAULT_CHARACTER_SET)
    header = struct.Struct(encoding.order + "HH2sH")
    for tag, element in sorted((int(tag), element) for tag, element in dataset.items()):
        if isinstance(element, RawDataElement) and element.VR in SHORT_VRS:
            value = element.value or b""
            vr = element.VR.encode("ascii")
            buffer.write(header.pack(tag >> 16, tag & 0xFFFF, vr, len(value)) + value)
        else:
            write_data_element(buffer, dataset.get_item(tag), character_set)
    return buffer.getvalue()
