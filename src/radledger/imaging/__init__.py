"""Image sets: added, shown, verified, fetched, re-encrypted, disowned and erased.

==============  ============================================================================
``service``     :class:`~radledger.imaging.service.Images`, the use cases
``model``       what they return, and how an image set is named
``keys``        how a reader asks for an image set's secret, and what answers
``manifest``    what is stored of an image set beside its files
``journal``     the custodian's secrets, and how far each addition has come
``ingest``      from files to an anchored image set
``copies``      who holds an image set's ciphertext
==============  ============================================================================

This package file imports nothing, so that ``radledger --help`` does not pay for pydicom.
"""

from __future__ import annotations

__all__: list[str] = []
