"""The UIDs that PS3.6 Annex A registers: they identify neither an instance nor a patient."""

from __future__ import annotations

import re

from pydicom._uid_dict import UID_dictionary

__all__ = ["is_class", "is_registered"]

# Table A-3 numbers the context groups of PS3.16; pydicom's dictionary leaves them out.
_CONTEXT_GROUP = re.compile(r"1\.2\.840\.10008\.6\.1\.[1-9][0-9]{0,3}")
# The arc of the SOP classes; one that is newer than pydicom's dictionary still has short numbers.
_CLASS = re.compile(r"1\.2\.840\.10008\.5\.1\.4(\.[0-9]{1,3}){2,5}")


def is_registered(uid: str) -> bool:
    """Whether PS3.6 Annex A registers a UID.

    That a UID is under the standard's root does not make it one: some writers put the UIDs of
    their instances there.

    Examples
    --------
    >>> is_registered("1.2.840.10008.1.4.1.1"), is_registered("1.2.840.10008.1.4.1.1.4711")
    (True, False)
    """
    return uid in UID_dictionary or _CONTEXT_GROUP.fullmatch(uid) is not None


def is_class(uid: str) -> bool:
    """Whether a UID is a SOP class of the standard, or of a later one than pydicom's dictionary.

    Examples
    --------
    >>> is_class("1.2.840.10008.5.1.4.1.1.2"), is_class("1.2.840.10008.5.1.4.1.1.2.20240301")
    (True, False)
    """
    return is_registered(uid) or _CLASS.fullmatch(uid) is not None
