"""Apply a profile to every element of a data set, at every depth."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeGuard

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset

from radledger.dicom.coding import CODE_TAGS, clean_code
from radledger.dicom.encoded import encoded
from radledger.dicom.errors import MalformedDicom
from radledger.dicom.icc import colours_only
from radledger.dicom.keywords import tags
from radledger.dicom.moments import as_written, moved, offset
from radledger.dicom.profiles import Action, Profile
from radledger.dicom.pseudonyms import Pseudonyms
from radledger.dicom.spelling import corrected
from radledger.dicom.structure import SHORT_VRS
from radledger.dicom.uids import is_class
from radledger.dicom.values import value_of
from radledger.dicom.vocabulary import clean

__all__ = ["TECHNICAL_TEXT", "Deidentifier"]

TECHNICAL_TEXT = tags(
    """
    Manufacturer ManufacturerModelName SoftwareVersions ConvolutionKernel SequenceName
    ReceiveCoilName TransmitCoilName RescaleType
    """
)
"""Free text that the standard lets every profile keep, since machines write it."""

_CLASSES = tags(
    "SOPClassUID ReferencedSOPClassUID RelatedGeneralSOPClassUID OriginalSpecializedSOPClassUID"
)
_BYTES_KEPT = tags(
    """
    WaveformData
    SegmentedRedPaletteColorLookupTableData SegmentedGreenPaletteColorLookupTableData
    SegmentedBluePaletteColorLookupTableData AlphaPaletteColorLookupTableData
    RedPaletteColorLookupTableData GreenPaletteColorLookupTableData
    BluePaletteColorLookupTableData WaveformPaddingValue ChannelMinimumValue ChannelMaximumValue
    EdgePointIndexList TrianglePointIndexList
    """
)
# Places and lengths of the frames (PS3.3 section C.7.6.3.1.8), which are others in the copy, and
# pictures in sequences, which are neither cleaned nor looked at.
_NOT_KEPT = tags(
    """
    ExtendedOffsetTable ExtendedOffsetTableLengths EncapsulatedPixelDataValueTotalLength
    PixelData FloatPixelData DoubleFloatPixelData
    """
)
_CONTENT_SEQUENCE = 0x0040A730
_ICC_PROFILE = 0x00282000
_CODING_SCHEMES = 0x00080110
# Of public versions it is known when they appeared: moved, they would tell by how many days.
_PUBLIC_DATES = tags("ContextGroupVersion ContextGroupLocalVersion")

_TEXTS = frozenset({"LO", "LT", "SH", "ST", "UC", "UT"})
_TIMES = frozenset({"DA", "DT", "TM"})
_CLEANING = frozenset({Action.CLEAN, Action.DATE})
_PERSONAL = frozenset({"AE", "AS", "PN", "UR"})
_SIZES = {
    "AT": 4, "FD": 8, "FL": 4, "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8
}  # fmt: skip
# no term of the standard has so many digits, but dates and the numbers of patients do
_TERM = re.compile(r"(?!.*[0-9]{6})[A-Z0-9_ ]{0,16}")
_UID = re.compile(r"[0-9]+(\.[0-9]+)+")


def _values(one: str) -> re.Pattern[bytes]:
    """Values or none between backslashes, with the spaces around them; never backtracks."""
    one = rf"(?>[ \0]*({one}[ \0]*)?)"
    return re.compile(rf"{one}(\\{one})*".encode())


_WRITTEN = {
    "CS": _values(r"(?![A-Z0-9_ ]*[0-9]{6})[A-Z0-9_][A-Z0-9_ ]{0,15}"),
    "DS": _values(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"),
    "IS": _values(r"[+-]?[0-9]+"),
}

_LONGEST_DESCRIPTOR = 6  # bytes of a LUT Descriptor, the longest value that is US or SS

_REMOVED = "REMOVED"
_DUMMIES: dict[str, Any] = {
    "AS": "000Y",
    "DA": "19000101",
    "DT": "19000101000000",
    "TM": "000000",
    "UR": "urn:removed",
    **dict.fromkeys(("DS", "IS"), "0"),
    **dict.fromkeys(("FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"), 0),
    **dict.fromkeys(("OB", "OD", "OF", "OL", "OV", "OW"), bytes(8)),
}


# The files of a series differ in a few elements; the rest is decided and encoded once.
_REMEMBERED_BYTES, _REMEMBERED_ELEMENTS = 256, 10_000


class Deidentifier:
    """Changes data sets in place by one profile, for one patient.

    What became of a short element is remembered, so keep one for the files of a series.

    Parameters
    ----------
    profile
        What to do with which tag.
    pseudonyms
        Where UIDs come from.
    days
        By how many days dates move, where the profile moves them.
    """

    def __init__(self, profile: Profile, pseudonyms: Pseudonyms, days: int) -> None:
        self._actions = profile.actions
        self._basic = Profile().actions
        self._shifts = profile.shifts_dates
        self._pseudonyms = pseudonyms
        self._days = days
        self._signed = False
        self._known: dict[tuple[Any, ...], RawDataElement | None] = {}

    def apply(self, dataset: Dataset) -> None:
        """De-identify a data set and every item in it."""
        character_set = dataset.get("SpecificCharacterSet") or "ISO_IR 6"
        self._signed = value_of(dataset, "PixelRepresentation") == 1
        for tag, element in list(dataset.items()):
            if isinstance(character_set, str) and _stands_alone(element):
                self._repeated(dataset, element, character_set)
            else:
                self._element(dataset, int(tag))
        clean_code(dataset)

    def _repeated(self, dataset: Dataset, element: RawDataElement, character_set: str) -> None:
        """Do as was done for the same element of an earlier data set, if there was one."""
        tag, little = int(element.tag), element.is_little_endian
        key = (tag, element.VR, element.value, little, character_set)
        if key not in self._known:
            self._element(dataset, tag)
            if len(self._known) == _REMEMBERED_ELEMENTS:
                self._known.clear()
            self._known[key] = _encoded(dataset, tag, character_set, little=little)
            return
        known = self._known[key]
        if known is None:
            del dataset[tag]
        elif (known.VR, known.value) != (element.VR, element.value):
            dataset[tag] = known

    def _item(self, item: Dataset) -> None:
        for tag in list(item.keys()):
            self._element(item, int(tag))
        clean_code(item)

    def _element(self, dataset: Dataset, tag: int) -> None:
        if not _is_public(tag):
            del dataset[tag]
            return
        if tag == _ICC_PROFILE:
            _clean_profile(dataset)
            return
        _correct(dataset, tag, self._signed)
        vr = _vr(dataset, tag)
        action = self._actions.get(tag)
        if action is None:
            action = self._unlisted(dataset, tag, vr)
        if vr == "UN":
            action = Action.REMOVE
        elif action in _CLEANING and vr != "SQ":
            if self._clean(dataset, tag, vr, action):
                return
            # what cannot be cleaned goes as the Basic Profile says
            action = self._basic.get(tag, Action.EMPTY)
        self._act(dataset, tag, vr, action)

    def _act(self, dataset: Dataset, tag: int, vr: str, action: Action) -> None:
        if action is Action.REMOVE:
            del dataset[tag]
        elif action is Action.EMPTY:
            dataset[tag] = DataElement(tag, vr, [] if vr == "SQ" else None)
        elif action is Action.DUMMY:
            self._dummy(dataset, tag, vr)
        elif vr == "SQ":
            self._sequence(dataset, tag)
        elif action is Action.UID:
            self._map(dataset, tag, vr, self._class if tag in _CLASSES else self._pseudonyms.uid)
        else:
            self._keep(dataset, tag, vr)

    def _keep(self, dataset: Dataset, tag: int, vr: str) -> None:
        """Keep a value as far as it is written as its VR demands."""
        if vr == "AS":
            self._map(dataset, tag, vr, _age)
        elif vr in _TIMES:
            self._map(dataset, tag, vr, as_written(vr))
        elif vr == "UI":
            self._map(dataset, tag, vr, self._kept_uid)
        elif vr in _WRITTEN and not _WRITTEN[vr].fullmatch(_written(dataset.get_item(tag))):
            if vr == "CS":
                self._map(dataset, tag, vr, lambda term: term if _TERM.fullmatch(term) else "")
            else:
                dataset[tag] = DataElement(tag, vr, None)

    def _kept_uid(self, uid: str) -> str:
        return uid if _UID.fullmatch(uid) else self._pseudonyms.uid(uid)

    def _sequence(self, dataset: Dataset, tag: int) -> None:
        items = dataset[tag].value or ()
        for item in items:
            self._item(item)
        if tag == _CODING_SCHEMES:
            named = [item for item in items if "CodingSchemeDesignator" in item]
            dataset[tag] = DataElement(tag, "SQ", named)

    def _clean(self, dataset: Dataset, tag: int, vr: str, action: Action) -> bool:
        """Clean a value; whether there was a way to, and it left something."""
        if vr == "OB":
            return False
        change: Callable[[str], str] = clean
        if action is Action.DATE:
            if tag in _PUBLIC_DATES:
                return False
            change = moved(vr, self._days) if vr in _TIMES else offset
        return self._map(dataset, tag, vr, change)

    def _class(self, uid: str) -> str:
        return uid if is_class(uid) else self._pseudonyms.uid(uid)

    def _unlisted(self, dataset: Dataset, tag: int, vr: str) -> Action:
        """What happens to an attribute that the table does not name."""
        if tag in _NOT_KEPT:
            return Action.REMOVE
        if vr == "UI":
            return Action.KEEP if tag in CODE_TAGS else Action.UID
        if vr in _TEXTS:
            return Action.KEEP if tag in TECHNICAL_TEXT or tag in CODE_TAGS else Action.CLEAN
        if vr in _TIMES:
            return Action.DATE if self._shifts else Action.EMPTY
        if vr in _PERSONAL:
            return Action.EMPTY
        if vr == "OB":
            return Action.KEEP if tag in _BYTES_KEPT else Action.REMOVE
        return Action.KEEP

    def _dummy(self, dataset: Dataset, tag: int, vr: str) -> None:
        if vr == "UI":
            self._map(dataset, tag, vr, self._pseudonyms.uid)
        elif vr == "SQ":
            dataset[tag] = DataElement(tag, vr, [_dummy_item(tag)])
        else:
            dataset[tag] = DataElement(tag, vr, _DUMMIES.get(vr, _REMOVED))

    @staticmethod
    def _map(dataset: Dataset, tag: int, vr: str, change: Callable[[str], str]) -> bool:
        """Change each value; whether one is left that is not empty."""
        value = dataset[tag].value
        several = not isinstance(value, str | bytes) and hasattr(value, "__iter__")
        changed = [change(str(part).strip(" \0")) for part in (value if several else [value or ""])]
        dataset[tag] = DataElement(tag, vr, changed if several else changed[0])
        return any(changed)


def _encoded(
    dataset: Dataset, tag: int, character_set: str, *, little: bool
) -> RawDataElement | None:
    if tag not in dataset:
        return None
    element = dataset.get_item(tag)
    if isinstance(element, RawDataElement):
        return element
    return encoded(element, character_set, little=little)


def _stands_alone(element: DataElement | RawDataElement) -> TypeGuard[RawDataElement]:
    """Whether nothing but itself and the character set decides what becomes of an element."""
    return (
        isinstance(element, RawDataElement)
        and not element.is_implicit_VR
        and element.VR in SHORT_VRS
        and element.value is not None
        and len(element.value) <= _REMEMBERED_BYTES
    )


def _is_public(tag: int) -> bool:
    """Whether a tag is the standard's, and no curve, overlay or part of another group."""
    group = tag >> 16
    return (
        group % 2 == 0
        and group >= 0x0008
        and group >> 8 not in (0x50, 0x60)
        and bool(tag & 0xFFFF)
        and dictionary_has_tag(tag)
    )


def _clean_profile(dataset: Dataset) -> None:
    """Colours depend on the profile, so it stays, whatever its VR; or the file is refused."""
    element = dataset.get_item(_ICC_PROFILE)
    try:
        profile = colours_only(bytes(element.value)) if element.value else None
    except (TypeError, ValueError) as error:
        raise MalformedDicom(
            f"ICCProfile holds no valid ICC profile: {error}; correct or remove it and export the "
            "file again",
            attribute="ICCProfile",
        ) from error
    dataset[_ICC_PROFILE] = DataElement(_ICC_PROFILE, "OB", profile)


def _correct(dataset: Dataset, tag: int, signed: bool) -> None:
    """Put a value that can be read in its right form."""
    element = dataset.get_item(tag)
    if isinstance(element, RawDataElement):
        right = corrected(element, signed=signed)
        if right is not element:
            dataset[tag] = right


def _vr(dataset: Dataset, tag: int) -> str:
    """The value representation to judge by; ``UN`` if the stated one is not possible."""
    known, element = dictionary_VR(tag), dataset.get_item(tag)
    stated, alternatives = element.VR, known.split(" or ")
    size = _SIZES.get(alternatives[0] if stated in (None, "UN") else stated, 1)
    if isinstance(element, RawDataElement) and len(element.value or b"") % size:
        return "UN"
    if stated is None:
        return known
    if stated == "UN":
        if known.startswith("US or SS") and len(element.value or b"") <= _LONGEST_DESCRIPTOR:
            return "US"  # a number of either sign, whose bytes stay as they are
        stated = dataset[tag].VR
    return stated if stated in alternatives else "UN"


def _written(element: DataElement | RawDataElement) -> bytes:
    if isinstance(element, RawDataElement):
        return element.value or b""
    values = element.value if element.VM > 1 else [element.value]
    texts = (getattr(value, "original_string", None) or value for value in values)
    return "\\".join("" if text is None else str(text) for text in texts).encode()


def _age(value: str) -> str:
    """Ages above 89 are rare enough to tell who it is (45 CFR 164.514(b)(2)(i)(C))."""
    if not re.fullmatch(r"\d{3}[DWMY]", value):
        return ""
    return "090Y" if value.endswith("Y") and int(value[:3]) > 89 else value


def _dummy_item(tag: int) -> Dataset:
    item = Dataset()
    if tag == _CONTENT_SEQUENCE:
        concept = Dataset()
        concept.CodeValue, concept.CodingSchemeDesignator = "121106", "DCM"
        concept.CodeMeaning = "Comment"
        item.RelationshipType, item.ValueType = "CONTAINS", "TEXT"
        item.ConceptNameCodeSequence = [concept]
        item.TextValue = _REMOVED
    return item
