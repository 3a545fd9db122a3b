"""Algorithms, their versions and their executions.

The names are those of DICOM's Algorithm Identification (PS3.16, TID 4019), by which structured
reports and segmentations cite an algorithm.  Addresses are EIP-55 texts; ids and digests are ``0x``
and 64 lower-case hexadecimal digits; times are Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from radledger.chain.ledger import Receipt
    from radledger.consent.permission import Use

__all__ = [
    "Algorithm",
    "Executed",
    "ExecutedBatch",
    "Execution",
    "ExecutionBatch",
    "Published",
    "Registered",
    "Release",
    "Run",
    "Version",
]


@dataclass(frozen=True, slots=True)
class Release:
    """A new version of an algorithm, as its developer describes it.

    Parameters
    ----------
    label
        Algorithm Version (111003, DCM), such as ``2.1.0``.
    digest
        SHA-256 of the weights, the code or the bundle.
    trained_on
        The frozen data set version that it was trained on, ``DATASET/NUMBER``.
    conditions
        Digest of the document that describes the training.
    parent
        Id of the version that it came from.
    developers
        Addresses of its developers; default: the signer.

    Examples
    --------
    >>> Release("1.0.0", "0x" + "ab" * 32).trained_on is None
    True
    """

    label: str
    digest: str
    trained_on: str | None = None
    conditions: str | None = None
    parent: str | None = None
    developers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One execution to record with others by their root.

    Parameters
    ----------
    images
        Ids of the image sets, in the order in which the version took them.
    use
        The use.
    output
        SHA-256 of the output.
    """

    images: tuple[str, ...]
    use: Use
    output: str


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution of a version on image sets, whose use was permitted when it was recorded.

    ``grant_ids`` are in the order of ``images``, all zero where the operator was the patient;
    ``disease`` is a digest.
    """

    execution_id: str
    operator: str
    output: str
    images: tuple[str, ...]
    purposes: tuple[str, ...]
    fulfilled: tuple[str, ...]
    disease: str | None
    grant_ids: tuple[str, ...]
    timestamp: int
    transaction: str


@dataclass(frozen=True, slots=True)
class ExecutionBatch:
    """Executions that an operator recorded by the root of the Merkle tree over their ids."""

    root: str
    count: int
    operator: str
    timestamp: int
    transaction: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version of an algorithm, its recall and its executions.

    Attributes
    ----------
    version_id, algorithm_id, institution
        Its id, its algorithm, and the institution.
    label, digest, trained_on, conditions, parent, developers
        As in :class:`Release`.
    published_at, transaction
        When and where it was published.
    recalled_at, recalled_by, notice
        When, by whom and with which safety notice it was recalled; None if it was not.
    executions, batches
        Its executions, each once, and batches of executions that were recorded by their root.
    """

    version_id: str
    algorithm_id: str
    institution: str
    label: str
    digest: str
    trained_on: str | None
    conditions: str | None
    parent: str | None
    developers: tuple[str, ...]
    published_at: int
    transaction: str
    recalled_at: int | None
    recalled_by: str | None
    notice: str | None
    executions: tuple[Execution, ...]
    batches: tuple[ExecutionBatch, ...]


@dataclass(frozen=True, slots=True)
class Algorithm:
    """An algorithm of an institution.

    Attributes
    ----------
    algorithm_id, institution
        Its id, and its source or manufacturer (122405, DCM).
    name, family
        Algorithm Name (111001, DCM), and scheme and code of the Algorithm Family (111000, DCM),
        as registered last; none where only versions were published.
    versions
        In the order in which they were published.
    """

    algorithm_id: str
    institution: str
    name: str | None
    family: str | None
    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True)
class Registered:
    """An algorithm that was just registered."""

    algorithm_id: str
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Published:
    """A version that was just published."""

    version_id: str
    algorithm_id: str
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Executed:
    """An execution that was just recorded."""

    execution_id: str
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class ExecutedBatch:
    """Executions that were just recorded by their root.

    ``execution_ids`` are in the order of the runs, which
    :class:`~radledger.crypto.merkle.MerkleTree` needs to prove one.
    """

    root: str
    execution_ids: tuple[str, ...]
    receipt: Receipt
