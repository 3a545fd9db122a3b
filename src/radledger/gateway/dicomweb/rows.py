"""Studies, series and instances of a view as rows, in which a search looks for what matches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydicom.datadict import dictionary_VR

from radledger.gateway.dicomweb.json_model import CHARACTER_SET, entry, tag_of
from radledger.gateway.dicomweb.matching import MODALITIES, SERIES, STUDY, Search

if TYPE_CHECKING:
    from radledger.gateway.dicomweb.image_sets import OpenSet
    from radledger.gateway.dicomweb.view import Located, View

__all__ = [
    "ADDED",
    "IN_SERIES",
    "IN_STUDY",
    "SERIES_UID",
    "STUDY_UID",
    "Row",
    "instance_rows",
    "series_rows",
    "study_rows",
]

Row = dict[str, dict[str, Any]]
"""Attributes in the DICOM JSON Model."""

_AVAILABILITY, _RETRIEVE_URL = tag_of("InstanceAvailability"), tag_of("RetrieveURL")
IN_STUDY = tag_of("NumberOfStudyRelatedSeries"), tag_of("NumberOfStudyRelatedInstances")
IN_SERIES = tag_of("NumberOfSeriesRelatedInstances")
STUDY_UID, SERIES_UID = tag_of("StudyInstanceUID"), tag_of("SeriesInstanceUID")
ADDED = (CHARACTER_SET, _AVAILABILITY, _RETRIEVE_URL)
_MANIFEST = tag_of("SOPClassUID"), tag_of("SOPInstanceUID"), tag_of("InstanceNumber")


def study_rows(view: View) -> Iterator[Row]:
    """The studies that a view shows."""
    for study, image_sets in _grouped(view.image_sets, "study").items():
        series = {each.manifest.series for each in image_sets}
        row = dict(view.header(image_sets[0]))
        row[MODALITIES] = entry("CS", *sorted({each.manifest.modality for each in image_sets}))
        row[IN_STUDY[0]] = entry("IS", len(series))
        row[IN_STUDY[1]] = entry("IS", len(view.select(study)))
        yield _located(row, f"{view.url}/studies/{study}")


def series_rows(view: View, study: str | None) -> dict[tuple[str, str], Row]:
    """The series that a view shows, of one study or of all; by the UIDs of study and series."""
    rows = {}
    for uid, of_study in _grouped(view.image_sets, "study").items():
        if study in (None, uid):
            modalities = sorted({each.manifest.modality for each in of_study})
            for series, image_sets in _grouped(of_study, "series").items():
                row = dict(view.header(image_sets[0]))
                row[MODALITIES] = entry("CS", *modalities)
                row[IN_SERIES] = entry("IS", len(view.select(uid, series)))
                rows[uid, series] = _located(row, f"{view.url}/studies/{uid}/series/{series}")
    return rows


def instance_rows(view: View, search: Search, of: tuple[str, ...]) -> Iterator[Row]:
    """The instances that a view shows and that match; of a study or a series, by their UIDs."""
    series = series_rows(view, of[0] if of else None)
    for located in view.select(*of):
        manifest = located.image_set.manifest
        row = series[manifest.study, manifest.series]
        # The header is read of those alone that may match.
        if search.matches(row, (*STUDY, *SERIES)) and search.matches(
            _of_manifest(located), _MANIFEST
        ):
            row = {**view.json(located), MODALITIES: row[MODALITIES]}
            if search.matches(row):
                yield _located(row, f"{view.url}{located.path}")


def _of_manifest(located: Located) -> Row:
    instance = located.instance
    values = (instance.sop_class, instance.sop_instance, instance.number)
    return {
        tag: entry(dictionary_VR(int(tag, 16)), *(() if value is None else (value,)))
        for tag, value in zip(_MANIFEST, values, strict=True)
    }


def _located(row: Row, url: str) -> Row:
    """A row with what is said of each resource."""
    row[CHARACTER_SET] = entry("CS", "ISO_IR 192")
    row[_AVAILABILITY] = entry("CS", "ONLINE")
    row[_RETRIEVE_URL] = entry("UR", url)
    return row


def _grouped(image_sets: Iterable[OpenSet], uid: str) -> Mapping[str, list[OpenSet]]:
    """Image sets by the UID of their study or series."""
    groups: dict[str, list[OpenSet]] = {}
    for each in image_sets:
        groups.setdefault(getattr(each.manifest, uid), []).append(each)
    return groups
