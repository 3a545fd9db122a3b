"""Custom errors of AlgorithmRegistry.

Written by ``tools/generate_refusals.py``; edit the contracts instead.
"""

from __future__ import annotations

from radledger.chain.refusals.base import ContractError

__all__ = [
    "AlgorithmExecutionIncomplete",
    "AlgorithmExecutionsIncomplete",
    "AlgorithmNameMissing",
    "AlgorithmNotPublisher",
    "AlgorithmOperatorNotAccredited",
    "AlgorithmTrainingInvalid",
    "AlgorithmVersionAlreadyPublished",
    "AlgorithmVersionIncomplete",
    "AlgorithmVersionIsRecalled",
    "AlgorithmVersionUnknown",
]


class AlgorithmExecutionIncomplete(ContractError):
    """The execution lacks image sets or an output."""

    selector = "c9a393c1"
    parameters = (("imageSets", "uint256", "uint256"), ("output", "bytes32", "bytes32"))


class AlgorithmExecutionsIncomplete(ContractError):
    """The root is missing, or the number of executions is zero."""

    selector = "93b48490"
    parameters = (("root", "bytes32", "bytes32"), ("count", "uint32", "uint32"))


class AlgorithmNameMissing(ContractError):
    """The algorithm has no name."""

    selector = "a98a10b7"
    parameters = ()


class AlgorithmNotPublisher(ContractError):
    """The caller is neither a regulator nor a developer of the institution that published the
    version."""

    selector = "a181da4a"
    parameters = (("publisher", "address", "address"), ("institution", "address", "address"))


class AlgorithmOperatorNotAccredited(ContractError):
    """The operator is not an active accredited participant."""

    selector = "b086f7a3"
    parameters = (("operator", "address", "address"),)


class AlgorithmTrainingInvalid(ContractError):
    """A data set is named without a version, or a version without a data set."""

    selector = "8c8c1d2a"
    parameters = (("dataset", "bytes32", "DatasetId"), ("datasetVersion", "uint32", "uint32"))


class AlgorithmVersionAlreadyPublished(ContractError):
    """The version is already published."""

    selector = "be3c71c8"
    parameters = (("version", "bytes32", "AlgorithmVersionId"),)


class AlgorithmVersionIncomplete(ContractError):
    """The version lacks a label, a digest of its weights or code, or developers."""

    selector = "d54ffa23"
    parameters = (
        ("label", "string", "string"),
        ("digest", "bytes32", "bytes32"),
        ("developers", "uint256", "uint256"),
    )


class AlgorithmVersionIsRecalled(ContractError):
    """The version was recalled; use another one."""

    selector = "3838f83c"
    parameters = (("version", "bytes32", "AlgorithmVersionId"),)


class AlgorithmVersionUnknown(ContractError):
    """No such version of an algorithm is published."""

    selector = "edb8c1ba"
    parameters = (("version", "bytes32", "AlgorithmVersionId"),)
