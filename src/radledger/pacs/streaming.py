"""pynetdicom as it is used here: instances go from and to files, and nothing is logged."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from pynetdicom import _config

__all__ = ["streaming"]

_SETTINGS = {
    "STORE_SEND_CHUNKED_DATASET": True,
    "STORE_RECV_CHUNKED_DATASET": True,
    "LOG_REQUEST_IDENTIFIERS": False,
    "LOG_RESPONSE_IDENTIFIERS": False,
}


@contextmanager
def streaming() -> Iterator[None]:
    """Stream instances while the block runs, in all associations of this process.

    pynetdicom holds each in memory otherwise, and logs identifiers of patients.
    """
    before = {name: getattr(_config, name) for name in _SETTINGS}
    logger = logging.getLogger("pynetdicom")
    level = logger.level
    vars(_config).update(_SETTINGS)
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        vars(_config).update(before)
        logger.setLevel(level)
