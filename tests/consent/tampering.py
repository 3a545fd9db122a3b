"""Signed documents that were altered."""

from __future__ import annotations

import copy


def altered(document, *path_and_value):
    """A copy of a document with another value at a path."""
    *path, last, value = path_and_value
    changed = copy.deepcopy(document)
    part = changed
    for name in path:
        part = part[name]
    part[last] = value
    return changed
