"""pynetdicom as it is used here: instances go from and to files, and nothing is logged."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from pynetdicom import _config

__all__ = ["streaming"]


@contextmanager
def streaming() -> Iterator[None]:
    """Stream instances while the block runs, in all associations of this process.

    pynetdicom holds each in memory otherwise, and logs identifiers of patients.
    """
    before = _config.STORE_SEND_CHUNKED_DATASET, _config.STORE_RECV_CHUNKED_DATASET
    logger = logging.getLogger("pynetdicom")
    level = logger.level
    _config.STORE_SEND_CHUNKED_DATASET = _config.STORE_RECV_CHUNKED_DATASET = True
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        _config.STORE_SEND_CHUNKED_DATASET, _config.STORE_RECV_CHUNKED_DATASET = before
        logger.setLevel(level)
