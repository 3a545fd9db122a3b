"""DICOM files: find, read, digest, de-identify, preview.

====================  =====================================================================
``scan``              which of the given paths are files to read, safely and in order
``read``              the header of one file, checked for completeness
``digest``            what the file is, and what its image is
``deidentify``        PS3.15 Annex E, whole files in flat memory
``preview``           a small PNG, and frames as a viewer shows them
``exchange``          frames as they are sent to others
``limits``            memory and time limits for workers that read hostile files
``synthetic``         a CT series made on the spot
====================  =====================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.dicom.deidentify import DeidentifiedInstance, deidentify_file
    from radledger.dicom.digest import file_digest, image_digest
    from radledger.dicom.profiles import OPTIONS, Action, Profile
    from radledger.dicom.pseudonyms import Pseudonyms
    from radledger.dicom.read import DicomHeader, read_header
    from radledger.dicom.scan import Candidate, Skipped
    from radledger.dicom.source import DicomSource, open_dicom
    from radledger.dicom.synthetic import make_ct_series

__all__ = [
    "OPTIONS",
    "Action",
    "Candidate",
    "DeidentifiedInstance",
    "DicomHeader",
    "DicomSource",
    "Profile",
    "Pseudonyms",
    "Skipped",
    "deidentify_file",
    "file_digest",
    "image_digest",
    "make_ct_series",
    "open_dicom",
    "read_header",
]

__getattr__ = lazily(
    __name__,
    {
        "deidentify": ("DeidentifiedInstance", "deidentify_file"),
        "digest": ("file_digest", "image_digest"),
        "profiles": ("OPTIONS", "Action", "Profile"),
        "pseudonyms": ("Pseudonyms",),
        "read": ("DicomHeader", "read_header"),
        "scan": ("Candidate", "Skipped"),
        "source": ("DicomSource", "open_dicom"),
        "synthetic": ("make_ct_series",),
    },
)
