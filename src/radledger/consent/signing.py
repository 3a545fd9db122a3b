"""A subject's documents: dated, and over what stands on chain when they are signed.

The time is that of the chain, since a device's clock may be wrong; the machine's clock counts as
far as the contract takes it to be ahead of the latest block, for chains that make few.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from radledger.chain.typed_data import typed_data
from radledger.consent import documents, messages, records

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger

__all__ = ["basis", "epoch", "is_granted", "last_signed", "sign"]

# Seconds ahead of the block: a little less than `GrantStore.sol` takes, for nodes that lag.
_AHEAD = {
    **dict.fromkeys(("Grant", "Approve", "ForbidEmergencies"), 4 * 60),
    **dict.fromkeys(("Revoke", "RevokeAll"), 23 * 3600),
}
# `IConsentRegistry.Status.Granted`
_GRANTED = 1


def is_granted(ledger: Ledger, subject: str, grantee: str, scope: bytes) -> bool:
    """Whether a subject's last word on a grantee and scope is a grant."""
    return int(_standing(ledger, subject, grantee, scope).status) == _GRANTED


def last_signed(ledger: Ledger, subject: str, grantee: str, scope: bytes) -> int:
    """When what stands for a grantee and scope was signed, Unix time; zero if nothing stands."""
    return int(_standing(ledger, subject, grantee, scope).signed)


def epoch(ledger: Ledger, subject: str) -> int:
    """How often a subject has taken everything back."""
    return int(ledger.call(records.CONTRACT, "epochOf", subject))


def basis(ledger: Ledger, subject: str, grantee: str, scope: bytes) -> dict[str, int]:
    """What stands on chain before a grant is signed, as fields of its message."""
    return {
        "seen": last_signed(ledger, subject, grantee, scope),
        "epoch": epoch(ledger, subject),
    }


def sign(
    ledger: Ledger,
    signer: LocalAccount,
    primary: str,
    fields: Mapping[str, Any],
    valid_for: int,
    *,
    after: int = -1,
) -> dict[str, Any]:
    """Sign a message of now into a document.

    Parameters
    ----------
    ledger
        The chain that it is for, and the clocks.
    signer
        The subject or its delegate.
    primary, fields
        The struct and its fields, but for the times.
    valid_for
        Seconds in which it can be submitted.
    after
        A Unix time that it must be later than: that of what it takes back.
    """
    present = ledger.present()
    now = min(present.time, present.block_time + _AHEAD[primary])
    message = {
        **fields,
        "signed": max(now, after + 1),
        "deadline": present.time + valid_for,
    }
    data = typed_data(messages.domain(ledger), primary, messages.STRUCTS[primary], message)
    return documents.sign(signer, messages.KIND, messages.summarise(primary, message), data)


def _standing(ledger: Ledger, subject: str, grantee: str, scope: bytes) -> Any:
    """What the registry keeps for a grantee and scope."""
    return ledger.call(records.CONTRACT, "grantOf", subject, grantee, scope)
