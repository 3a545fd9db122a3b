"""Video: which transfer syntaxes it has, and what its streams hold beside pictures."""

from __future__ import annotations

import re

__all__ = ["is_video"]

_VIDEO = re.compile(r"1\.2\.840\.10008\.1\.2\.4\.10[0-8](\.1)?")


def is_video(syntax: str) -> bool:
    """Whether a transfer syntax is one of MPEG-2, H.264 and HEVC."""
    return _VIDEO.fullmatch(syntax) is not None
