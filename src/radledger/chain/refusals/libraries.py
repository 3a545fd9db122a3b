"""Custom errors of the OpenZeppelin contracts that RadLedger's are built on.

Written by ``tools/generate_refusals.py``; edit the contracts instead.
"""

from __future__ import annotations

from radledger.chain.refusals.base import ContractError

__all__ = [
    "ERC20InsufficientAllowance",
    "ERC20InsufficientBalance",
    "ERC20InvalidApprover",
    "ERC20InvalidReceiver",
    "ERC20InvalidSender",
    "ERC20InvalidSpender",
    "ERC2771ForwarderExpiredRequest",
    "ERC2771ForwarderInvalidSigner",
    "ERC2771ForwarderMismatchedValue",
    "ERC2771UntrustfulTarget",
    "FailedCall",
    "InsufficientBalance",
    "InvalidAccountNonce",
    "InvalidShortString",
    "ReentrancyGuardReentrantCall",
    "SafeCastOverflowedUintDowncast",
    "SafeERC20FailedOperation",
    "StringTooLong",
]


class ERC20InsufficientAllowance(ContractError):
    """`spender` may spend `allowance` base units of the token and needs `needed`; approve more."""

    selector = "fb8f41b2"
    parameters = (
        ("spender", "address", "address"),
        ("allowance", "uint256", "uint256"),
        ("needed", "uint256", "uint256"),
    )


class ERC20InsufficientBalance(ContractError):
    """`sender` has `balance` base units of the token and needs `needed`."""

    selector = "e450d38c"
    parameters = (
        ("sender", "address", "address"),
        ("balance", "uint256", "uint256"),
        ("needed", "uint256", "uint256"),
    )


class ERC20InvalidApprover(ContractError):
    """The token does not let `approver` approve."""

    selector = "e602df05"
    parameters = (("approver", "address", "address"),)


class ERC20InvalidReceiver(ContractError):
    """The token cannot be sent to `receiver`."""

    selector = "ec442f05"
    parameters = (("receiver", "address", "address"),)


class ERC20InvalidSender(ContractError):
    """The token cannot be sent from `sender`."""

    selector = "96c6fd1e"
    parameters = (("sender", "address", "address"),)


class ERC20InvalidSpender(ContractError):
    """The token cannot be approved to `spender`."""

    selector = "94280d62"
    parameters = (("spender", "address", "address"),)


class ERC2771ForwarderExpiredRequest(ContractError):
    """The signed call expired at `deadline` (Unix time)."""

    selector = "94eef58a"
    parameters = (("deadline", "uint48", "Time"),)


class ERC2771ForwarderInvalidSigner(ContractError):
    """The signed call is not by `from`, or was submitted before: its signature gives `signer`."""

    selector = "c845a056"
    parameters = (("signer", "address", "address"), ("from", "address", "address"))


class ERC2771ForwarderMismatchedValue(ContractError):
    """The signed call sends `requestedValue` wei, and `msgValue` came with it."""

    selector = "70647f79"
    parameters = (("requestedValue", "uint256", "uint256"), ("msgValue", "uint256", "uint256"))


class ERC2771UntrustfulTarget(ContractError):
    """`target` takes no calls from `forwarder`."""

    selector = "d2650cd1"
    parameters = (("target", "address", "address"), ("forwarder", "address", "address"))


class FailedCall(ContractError):
    """The forwarded call failed."""

    selector = "d6bda275"
    parameters = ()


class InsufficientBalance(ContractError):
    """The contract has `balance` wei and needs `needed`."""

    selector = "cf479181"
    parameters = (("balance", "uint256", "uint256"), ("needed", "uint256", "uint256"))


class InvalidAccountNonce(ContractError):
    """The next nonce of `account` is `currentNonce`."""

    selector = "752d88c0"
    parameters = (("account", "address", "address"), ("currentNonce", "uint256", "uint256"))


class InvalidShortString(ContractError):
    """A stored text is malformed."""

    selector = "b3512b0c"
    parameters = ()


class ReentrancyGuardReentrantCall(ContractError):
    """The function was called again while it ran."""

    selector = "3ee5aeb5"
    parameters = ()


class SafeCastOverflowedUintDowncast(ContractError):
    """`value` does not fit into `bits` bits."""

    selector = "6dfcc650"
    parameters = (("bits", "uint8", "uint8"), ("value", "uint256", "uint256"))


class SafeERC20FailedOperation(ContractError):
    """The token `token` did not do what it was asked."""

    selector = "5274afe7"
    parameters = (("token", "address", "address"),)


class StringTooLong(ContractError):
    """`str` is longer than 31 bytes."""

    selector = "305a27a9"
    parameters = (("str", "string", "string"),)
