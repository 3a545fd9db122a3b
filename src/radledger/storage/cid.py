"""Content identifiers: CIDv1, SHA-256, raw leaves, chunks of 256 KiB, in lower-case base32.

Content of at most one chunk is named by its own SHA-256 (codec ``raw``), larger content by that
of the root of its UnixFS tree (codec ``dag-pb``), as ``ipfs add --cid-version=1 --raw-leaves
--chunker=size-262144`` does.  The chain holds the 32 bytes of the digest only.

References
----------
.. [1] Content identifiers, https://github.com/multiformats/cid
.. [2] UnixFS, https://specs.ipfs.tech/unixfs/
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from tempfile import SpooledTemporaryFile
from typing import IO

import aleph_cid

from radledger.storage.errors import ContentMismatch, InvalidCid

__all__ = [
    "BUFFER",
    "DAG_PB",
    "RAW",
    "block_count",
    "candidates",
    "cid_digest",
    "cid_from_digest",
    "cid_of",
    "new_hasher",
    "too_long",
    "verified",
]

RAW = 0x55
DAG_PB = 0x70
BUFFER = 1 << 20
"""Bytes that are read, hashed and written at once."""

_SPOOL_IN_MEMORY = 8 << 20
# Bytes of a block without links, and links of one with them, as Kubo builds its trees.
_CHUNK, _LINKS = 1 << 18, 174
# version 1, then the codec, then SHA-256 (0x12) of 32 bytes (0x20)
_PREFIXES = {codec: bytes([1, codec, 0x12, 0x20]) for codec in (RAW, DAG_PB)}


def cid_from_digest(digest: bytes, codec: int) -> str:
    """Name content by its SHA-256 multihash digest.

    Parameters
    ----------
    digest
        32 bytes.
    codec
        :data:`RAW` for content of one chunk, :data:`DAG_PB` for larger content.

    Raises
    ------
    InvalidCid
        If ``digest`` is not 32 bytes long or ``codec`` is another one.

    Examples
    --------
    >>> import hashlib
    >>> cid_from_digest(hashlib.sha256(b"").digest(), RAW)
    'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
    """
    if len(digest) != 32 or codec not in _PREFIXES:
        raise InvalidCid(
            f"a CID needs a digest of 32 bytes, not {len(digest)}, and codec 0x55 or 0x70, "
            f"not {codec:#x}",
            digest=digest.hex(),
            codec=codec,
        )
    text = base64.b32encode(_PREFIXES[codec] + digest).decode().rstrip("=").lower()
    return f"b{text}"


def cid_digest(cid: str) -> bytes:
    """SHA-256 multihash digest of a CID, 32 bytes, as the chain holds it.

    Only the one canonical spelling of a CID passes, so that it is safe as a file name.

    Raises
    ------
    InvalidCid
        If ``cid`` is not a CIDv1 in lower-case base32 with SHA-256 and codec raw or dag-pb.

    Examples
    --------
    >>> cid_digest("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku").hex()[:8]
    'e3b0c442'
    """
    try:
        # 36 bytes are 58 characters, to which RFC 4648 wants 6 of padding
        content = base64.b32decode(cid[1:].upper() + "======")
        if cid == cid_from_digest(content[4:], content[1]):
            return content[4:]
    except (binascii.Error, ValueError, IndexError, InvalidCid):
        pass
    raise InvalidCid(
        f"{cid!r} is not a CIDv1 in base32 of SHA-256, raw or dag-pb; copy it from what `put` gave",
        cid=cid,
    )


def candidates(digest: bytes) -> tuple[str, str]:
    """Both CIDs that a digest on the chain may stand for: of large content, and of small.

    The order matters to a store that keeps blocks by digest alone, as Kubo does: under the small
    CID it hands over the root node of large content, while under the large CID it can never
    hand over small content that is JSON or age ciphertext, as that does not parse as a node.

    Examples
    --------
    >>> [cid[:7] for cid in candidates(bytes(32))]
    ['bafybei', 'bafkrei']
    """
    return cid_from_digest(digest, DAG_PB), cid_from_digest(digest, RAW)


def block_count(size: int) -> int:
    """The number of blocks of a content of `size` bytes: its chunks, and the nodes of its tree.

    Examples
    --------
    >>> [block_count(size) for size in (0, 262_144, 262_145, 100_000_000)]
    [1, 1, 3, 386]
    """
    level = max(1, -(-size // _CHUNK))
    count = level
    while level > 1:
        level = -(-level // _LINKS)
        count += level
    return count


def too_long(cid: str, most: int) -> ContentMismatch:
    """The error for a content that has more bytes than its limit."""
    return ContentMismatch(
        f"{cid} has more than the {most} bytes that it can have; fetch it from another copy, or "
        "ask the custodian",
        cid=cid,
        most=most,
    )


def new_hasher() -> aleph_cid.CidHasher:
    """Hasher whose ``finalize()`` gives the CID of what ``update(bytes)`` was fed."""
    return aleph_cid.CidHasher.for_ipfs_v1_raw_leaves()


def cid_of(content: IO[bytes]) -> str:
    """The CID that a store will give to a stream, which is read to its end.

    Examples
    --------
    >>> import io
    >>> cid_of(io.BytesIO(b"pixels"))
    'bafkreidozhblb2yuaedunsf45cjzga5tqi2ewklcazqs5ofja6rxwkzpg4'
    """
    hasher = new_hasher()
    while chunk := content.read(BUFFER):
        hasher.update(chunk)
    return hasher.finalize()


def verified(
    cid: str, chunks: Iterable[bytes], most: int | None = None, folder: str | None = None
) -> IO[bytes]:
    """Read all of a content, and return it only if it is what ``cid`` names.

    Parameters
    ----------
    cid
        The name to hold it to.
    chunks
        The content from wherever it comes.
    most
        How many bytes it can have at most, where that is known: no more are taken.
    folder
        Where to keep it meanwhile if it is larger than 8 MiB; the system's temporary folder
        if not given.

    Returns
    -------
    IO[bytes]
        A seekable stream at its start; closing it frees what it holds.

    Raises
    ------
    ContentMismatch
        If it is anything else.
    """
    hasher = new_hasher()
    spool = SpooledTemporaryFile(max_size=_SPOOL_IN_MEMORY, dir=folder)  # noqa: SIM115 (handed over)
    try:
        for chunk in chunks:
            hasher.update(chunk)
            spool.write(chunk)
            if most is not None and spool.tell() > most:
                raise too_long(cid, most)
        got = hasher.finalize()
        if got != cid:
            raise ContentMismatch(
                f"the bytes stored as {cid} are those of {got}: damaged, cut short or exchanged; "
                "fetch them from another copy",
                cid=cid,
                got=got,
                size=spool.tell(),
            )
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    return spool
