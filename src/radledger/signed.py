"""Signed documents of every kind: read, checked, and submitted at another account's cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from radledger.chain import documents, forward
from radledger.chain.documents import PARTS
from radledger.chain.errors import DocumentMalformed
from radledger.chain.refusals import FailedCall
from radledger.consent import messages
from radledger.consent.bindings import TYPED_DATA
from radledger.texts import quoted

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.documents import Signed
    from radledger.chain.ledger import Ledger, Receipt
    from radledger.chain.typed_data import Fields
    from radledger.consent.diseases import Diseases

__all__ = ["identity", "read", "submit"]

_KINDS: Mapping[str, Callable[[Ledger, Mapping[str, Any]], Signed]] = {
    messages.KIND: messages.read,
    forward.KIND: forward.read,
}
_STRUCTS: Mapping[str, Mapping[str, Fields]] = {
    messages.KIND: TYPED_DATA,
    forward.KIND: forward.STRUCTS,
}


def read(ledger: Ledger, document: Mapping[str, Any]) -> Signed:
    """Check all of a document that can be checked without sending it.

    Parameters
    ----------
    ledger
        The deployed contracts.
    document
        From :meth:`radledger.chain.action.Action.sign`, perhaps by way of JSON.

    Raises
    ------
    DocumentMalformed
        If a part is missing or of another form, or the kind or format is not known.
    DocumentForAnotherChain
        If it was signed for another chain or deployment.
    DocumentTampered
        If the summary or the signature does not belong to what it says.
    DocumentExpired
        If its deadline has passed.
    """
    return _KINDS[_kind(document)](ledger, document)


def identity(document: Mapping[str, Any]) -> str:
    """A digest of who signed what; see :func:`radledger.chain.documents.identity`.

    Raises
    ------
    DocumentMalformed
        If a part is missing or of another form, or the kind or format is not known.
    """
    kind = _kind(document)
    return documents.identity(document, kind, _STRUCTS[kind])


def _kind(document: Mapping[str, Any]) -> str:
    if not isinstance(document, Mapping) or "kind" not in document:
        raise DocumentMalformed(
            f"not a signed document: that is a JSON object with {', '.join(PARTS)}, as `radledger` "
            "writes it with --sign-only, and this one has no kind; give the file that was signed"
        )
    kind = document["kind"]
    if not isinstance(kind, str) or kind not in _KINDS:
        raise DocumentMalformed(
            f"not a document for this: its kind is {quoted(kind)}, not {' or '.join(_KINDS)}; "
            "have it signed again"
        )
    return kind


def submit(
    ledger: Ledger,
    document: Mapping[str, Any],
    payer: LocalAccount,
    diseases: Diseases | None = None,
) -> Receipt:
    """Send a signed document.

    Parameters
    ----------
    ledger
        The deployed contracts.
    document
        From :meth:`radledger.chain.action.Action.sign`, perhaps by way of JSON.
    payer
        The account that sends and pays; it can be any.
    diseases
        Where a disease that the document names is kept.

    Raises
    ------
    DocumentMalformed, DocumentForAnotherChain, DocumentTampered, DocumentExpired
        If it cannot hold, see :func:`read`; nothing is sent then.
    ConsentSuperseded, ConsentRevokedSince, ConsentAllRevokedSince
        If it is a grant, and it or a later document was submitted before.
    ConsentNothingToRevoke, ConsentAllRevokedAlready, ConsentGrantedSince
        If it is a revocation, and it or a later document was submitted before.
    ERC2771ForwarderInvalidSigner
        If it is a call, and it or another one of its signer was submitted since it was signed.
    Refusal
        If the contract refuses otherwise, by the type of its custom error.
    """
    signed = read(ledger, document)
    if diseases is not None:
        diseases.sealed(document.get("disease"))  # the submitter knows it from now on
    call = signed.call
    try:
        return ledger.send(payer, call.contract, call.function, *call.arguments)
    except FailedCall:
        _, data = ledger.encode(call.contract, call.function, *call.arguments)
        forward.explain_failed_call(ledger, data)
        raise
