"""The programs of dcmtk; pynetdicom has others of the same names in virtual environments."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

__all__ = ["program"]


def program(name: str) -> str:
    """Return the path of a program of dcmtk; the test skips where it is missing."""
    folders = map(Path, os.environ["PATH"].split(os.pathsep))
    outside = (each for each in folders if not (each.parent / "pyvenv.cfg").exists())
    path = os.pathsep.join(map(str, outside))
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"needs dcmtk: {name}, on PATH")
    return found
