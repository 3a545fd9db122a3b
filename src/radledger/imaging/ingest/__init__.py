"""From files and folders to anchored image sets.

================  ==========================================================================
``additions``     which files are added, for which purpose, stored by whom
``run``           one addition, from its files to its image sets on the chain
``storing``       one file, from its path to its stored ciphertext: what a worker does
``workers``       the worker processes of one machine
``cluster``       the workers of a Dask cluster
``anchoring``     seal image sets and anchor them, each exactly once
``original``      a file as it was given: how it is recognised again
``isolation``     limits of a process that reads files which may be hostile
``retry``         wait for a server that became unavailable
================  ==========================================================================
"""

from __future__ import annotations

__all__: list[str] = []
