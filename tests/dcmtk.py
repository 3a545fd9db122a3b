"""The programs of dcmtk; pynetdicom has others of the same names in the virtual environment."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

__all__ = ["program"]


def program(name: str) -> str:
    """Return the path of a program of dcmtk; the test skips where it is missing."""
    own = Path(sys.executable).parent.resolve()
    folders = os.environ["PATH"].split(os.pathsep)
    path = os.pathsep.join(each for each in folders if Path(each).resolve() != own)
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"needs dcmtk: {name}, on PATH")
    return found
