"""Errors of :mod:`radledger.chain`, besides the refusals of contracts.

::

    ChainError
    ├── ConnectionFailed      nothing answers at the endpoint
    ├── NodesDisagree         the nodes give different answers, and nothing shows which is right
    ├── ChainStale            the latest block is too old to decide by
    ├── RequestFailed         the node answered with an error that is not a revert
    ├── ProofUnavailable      a block or its receipts do not add up to the block's hash
    ├── NotSealedYet          more blocks are needed on top of one
    ├── DeploymentMissing     the contracts are not on this chain
    │   └── ContractNotDeployed   the deployment lacks one that this release can use
    ├── DeploymentMismatch    the recorded contracts are another chain's, or not this code
    │   ├── DeploymentOutdated    they were deployed by a release that this one cannot work with
    │   └── DeploymentConflict    a record to be imported contradicts the one here
    ├── DeploymentUnreadable  a record to be imported cannot be fetched
    ├── OutOfFunds            the account cannot pay for its transaction
    ├── TransactionUnderpriced no node takes a transaction for its fee
    ├── NonceContended        another program sends from the account at the same time
    ├── TransactionPending    a transaction was not mined in time
    ├── TransactionSuperseded another transaction of the account replaced it
    └── DocumentForAnotherChain a document was signed for another chain or deployment
    CryptoError
    ├── DocumentTampered      a document differs from what was signed
    └── DocumentExpired       a document is past its deadline
    UsageError
    ├── DeploymentUnconfirmed a deployment may exist that this home does not know
    ├── InvalidRecord         what is to be imported is not the record of a deployment
    ├── UnknownNetwork        no network of that name
    ├── NetworksInvalid       the home's networks.yaml cannot be understood
    ├── DocumentMalformed     not a document that was signed for this
    ├── DocumentForAnotherSigner a document is prepared for another account to sign
    ├── NotSignable           a contract takes a call from its sender alone
    ├── UnknownContract       no contract of that name
    ├── AccountUnknown        no account of that name
    ├── AccountExists         an account of that name is there already
    ├── AccountInvalid        not a usable name, key or mnemonic
    └── PassphraseWrong       the passphrase does not open the account
    Refusal
    ├── RevertedWithReason    a contract refused with a text instead of a custom error
    ├── RevertedWithPanic     a contract failed: overflow, division by zero and the like
    ├── RevertedUnexplained   a contract refused and gave no reason known here
    └── OutOfGas              a call was given less gas than it needs, and nothing of it was done
"""

from __future__ import annotations

from radledger.errors import ChainError, CryptoError, Refusal, UsageError

__all__ = [
    "AccountExists",
    "AccountInvalid",
    "AccountUnknown",
    "ChainStale",
    "ConnectionFailed",
    "ContractNotDeployed",
    "DeploymentConflict",
    "DeploymentMismatch",
    "DeploymentMissing",
    "DeploymentOutdated",
    "DeploymentUnconfirmed",
    "DeploymentUnreadable",
    "DocumentExpired",
    "DocumentForAnotherChain",
    "DocumentForAnotherSigner",
    "DocumentMalformed",
    "DocumentTampered",
    "InvalidRecord",
    "NetworksInvalid",
    "NodesDisagree",
    "NonceContended",
    "NotSealedYet",
    "NotSignable",
    "OutOfFunds",
    "OutOfGas",
    "PassphraseWrong",
    "ProofUnavailable",
    "RequestFailed",
    "RevertedUnexplained",
    "RevertedWithPanic",
    "RevertedWithReason",
    "TransactionPending",
    "TransactionSuperseded",
    "TransactionUnderpriced",
    "UnknownContract",
    "UnknownNetwork",
]


class ConnectionFailed(ChainError):
    """Nothing answers at the endpoint, or what answers is not an Ethereum node."""


class NodesDisagree(ChainError):
    """The nodes of a network are on different branches or give different answers; no majority."""


class ChainStale(ChainError):
    """The latest block is older than the network allows, so nothing is decided by it."""


class RequestFailed(ChainError):
    """The node answered a request with an error that is not a contract's revert."""


class ProofUnavailable(ChainError):
    """A block or receipts from the node do not match the block's hash."""


class NotSealedYet(ChainError):
    """Too few blocks follow one to know that most validators have accepted it."""


class DeploymentMissing(ChainError):
    """The contracts, or some of them, have not been deployed on this chain."""


class ContractNotDeployed(DeploymentMissing):
    """The deployment lacks a contract that this release can use; everything else works."""


class DeploymentMismatch(ChainError):
    """The recorded deployment belongs to another chain, or an address has other code."""


class DeploymentOutdated(DeploymentMismatch):
    """The contracts were deployed by a release whose contracts this one cannot work with."""


class DeploymentConflict(DeploymentMismatch):
    """A record to be imported names other contracts than the record that is here."""


class DeploymentUnreadable(ChainError):
    """The record of a deployment cannot be fetched from its URL."""


class DeploymentUnconfirmed(UsageError):
    """Contracts would be deployed that another participant may have deployed already."""


class InvalidRecord(UsageError):
    """A file or URL to be imported is not there, or does not have the record of a deployment."""


class OutOfFunds(ChainError):
    """The account has less Ether than its transaction may cost."""


class TransactionUnderpriced(ChainError):
    """The node takes no transaction that pays so little, and asks for no price either."""


class NonceContended(ChainError):
    """Other transactions of the account repeatedly took the nonce."""


class TransactionPending(ChainError):
    """A transaction was sent and not mined in time; it may be mined later."""


class TransactionSuperseded(ChainError):
    """Another transaction of the same account and nonce was mined instead."""


class UnknownNetwork(UsageError):
    """No network of that name is configured."""


class NetworksInvalid(UsageError):
    """The file with the user's own networks cannot be understood."""


class UnknownContract(UsageError):
    """RadLedger has no contract of that name."""


class AccountUnknown(UsageError):
    """The keystore has no account of that name."""


class AccountExists(UsageError):
    """The keystore has an account of that name already."""


class AccountInvalid(UsageError):
    """A name, key or mnemonic that cannot be used; a secret itself is never part of the error."""


class PassphraseWrong(UsageError):
    """The passphrase does not open the account, or none was given where one is needed."""


class RevertedWithReason(Refusal):
    """A contract refused with a text; `values` has it as ``reason``."""


class RevertedWithPanic(Refusal):
    """A contract failed with a Solidity panic; `values` has its ``code``."""


class RevertedUnexplained(Refusal):
    """A contract refused without a reason, or with one that no known contract declares."""


class OutOfGas(Refusal):
    """A call was given less gas than it needs; `values` says how much, and nothing was done."""


class DocumentMalformed(UsageError):
    """A document lacks a part, or was signed for something else."""


class DocumentTampered(CryptoError):
    """A document's content is not what its signer signed."""


class DocumentExpired(CryptoError):
    """The deadline of a document's signature has passed."""


class DocumentForAnotherChain(ChainError):
    """A document was signed for another chain or another deployment."""


class DocumentForAnotherSigner(UsageError):
    """A document was prepared for another account to sign."""


class NotSignable(UsageError):
    """A contract accepts the call only from its sender, so it cannot be signed for another."""
