"""Ids, digests and codes of algorithms, as text and as on chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from radledger import texts
from radledger.algorithms.errors import InvalidAlgorithmId, InvalidFamily, InvalidTraining
from radledger.area.fold import NOTHING
from radledger.texts import quoted

__all__ = [
    "encode_family",
    "execution_id",
    "family_text",
    "parse_digest",
    "parse_training",
    "training_text",
]

_FAMILY_LENGTH = 16
_MOST_VERSIONS = 1 << 32


def parse_digest(text: str | None) -> bytes:
    """An id or digest as the chain holds it, 32 bytes; all zero for none.

    Raises
    ------
    InvalidAlgorithmId
        If it is not ``0x`` and 64 hexadecimal digits.

    Examples
    --------
    >>> parse_digest("0x" + "ab" * 32)[0], parse_digest(None)[0]
    (171, 0)
    """
    return bytes(32) if text is None else texts.parse_digest(text, InvalidAlgorithmId)


def parse_training(text: str | None) -> tuple[bytes, int]:
    """A data set and the number of its version, from ``DATASET/NUMBER``; zeros for none.

    Raises
    ------
    InvalidTraining
        If it is neither.

    Examples
    --------
    >>> parse_training("0x" + "ab" * 32 + "/3")[1]
    3
    """
    if text is None:
        return bytes(32), 0
    dataset, _, number = text.partition("/")
    if not (number.isascii() and number.isdigit() and 0 < int(number[:11]) < _MOST_VERSIONS):
        raise InvalidTraining(
            f"{quoted(text)} is not a version of a data set; give its id and number, as 0x…/1",
            text=text,
        )
    return parse_digest(dataset), int(number)


def training_text(dataset: str, number: int) -> str | None:
    """The id of a data set's version, as lineages have it; none where there is no data set.

    Examples
    --------
    >>> training_text("0x" + "ab" * 32, 3)[-4:]
    'ab/3'
    """
    return None if dataset == NOTHING else f"{dataset}/{number}"


def encode_family(text: str | None) -> bytes:
    """The scheme and code of an algorithm family, as the chain holds them: 16 bytes.

    Raises
    ------
    InvalidFamily
        If it is not a scheme, a colon and a code, of 16 characters at most.

    Examples
    --------
    >>> encode_family("DCM:123110")
    b'DCM:123110\\x00\\x00\\x00\\x00\\x00\\x00'
    """
    if text is None:
        return bytes(_FAMILY_LENGTH)
    scheme, _, code = text.partition(":")
    if not (scheme and code and text.isascii() and text.isprintable()) or " " in text:
        raise InvalidFamily(
            f"{quoted(text)} is not an algorithm family; give scheme and code, such as DCM:123110",
            text=text,
        )
    if len(text) > _FAMILY_LENGTH:
        raise InvalidFamily(
            f"{quoted(text)} has {len(text)} characters; the chain holds {_FAMILY_LENGTH}",
            text=text,
        )
    return text.encode().ljust(_FAMILY_LENGTH, b"\0")


def family_text(word: str) -> str | None:
    """A family that the chain holds, from ``0x…``; none where there is none.

    The account that registers an algorithm writes it, so what is not text is escaped.

    Examples
    --------
    >>> family_text("0x44434d3a31323331313000000000000000")
    'DCM:123110'
    """
    text = bytes.fromhex(word[2:]).rstrip(b"\0").decode("utf-8", "backslashreplace")
    return text.replace("\0", r"\x00") or None


def execution_id(
    version: str, operator: str, images: Sequence[str], use: Mapping[str, Any], output: str
) -> str:
    """The id of an execution, as ``AlgorithmRegistry.executionIdOf`` computes it.

    Parameters
    ----------
    version, operator, images, output
        What was executed, by whom, on which image sets in their order, and the output's digest.
    use
        ``purposes``, ``fulfilled`` and ``disease``, as events have them.
    """
    from eth_abi.abi import encode
    from eth_hash.auto import keccak

    types = ("bytes32", "address", "bytes32[]", "(uint16,uint16,bytes13)", "bytes32")
    struct = (use["purposes"], use["fulfilled"], bytes.fromhex(use["disease"][2:]))
    sets = [bytes.fromhex(image[2:]) for image in images]
    version_word, output_word = (bytes.fromhex(word[2:]) for word in (version, output))
    return "0x" + keccak(encode(types, (version_word, operator, sets, struct, output_word))).hex()
