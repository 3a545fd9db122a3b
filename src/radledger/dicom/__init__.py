"""DICOM files: find, read, digest, de-identify, preview.

====================  =====================================================================
``scan``              which of the given paths are files to read, safely and in order
``read``              the header of one file, checked for completeness
``digest``            what the file is, and what its image is
``deidentify``        PS3.15 Annex E, whole files in flat memory
``preview``           a small PNG
``limits``            memory and time limits for workers that read hostile files
``synthetic``         a CT series made on the spot
====================  =====================================================================

This package file imports nothing, so that ``radledger --help`` does not pay for pydicom.
"""

from __future__ import annotations
