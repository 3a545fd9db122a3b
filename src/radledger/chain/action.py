"""Actions: what an account can do, put into words, sent, or signed for another to submit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from radledger.chain.calls import words_of
from radledger.chain.forward import Forwarded
from radledger.errors import UsageError

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Call, Ledger, Receipt

__all__ = ["WEEK", "Action", "Statement", "last", "one_call"]

T = TypeVar("T", covariant=True)

WEEK = 7 * 24 * 3600
"""Seconds for which a signature is valid, unless its signer says otherwise."""


class Statement(Protocol):
    """A statement that one account signs and another submits."""

    @property
    def words(self) -> str:
        """Return the statement in words, without the times."""
        ...

    def sign(self, signer: LocalAccount, valid_for: int) -> dict[str, Any]:
        """The signed document (:mod:`radledger.chain.documents`)."""
        ...

    def unsigned(self, signer: str, valid_for: int) -> dict[str, Any]:
        """The document, for its signer's wallet to sign."""
        ...


@dataclass(frozen=True)
class Action(Generic[T]):
    """A use case, ready to be sent or signed.

    Creating one sends nothing.  The account that sends or signs it is the one that acts; use cases
    for another account take its address as an argument.

    Attributes
    ----------
    ledger
        The connected contracts.
    calls
        The calls that an account makes, by its address; sent one after the other.
    result
        What the use case returns, from the receipts of the calls.
    statement
        What an account signs instead of sending, by its address; by default a forward request
        (ERC-2771) of the one call.

    Examples
    --------
    >>> action = consents.grant(radiologist.address, Terms(("CC",)))  # doctest: +SKIP
    >>> action.words(patient.address)                              # doctest: +SKIP
    "0x2b… lets 0x7c… use all images, today's and later ones for clinical care; …"
    >>> action.send(patient).block                                 # doctest: +SKIP
    1234
    >>> document = action.sign(patient, valid_for=3600)            # doctest: +SKIP
    """

    ledger: Ledger
    calls: Callable[[str], Sequence[Call]]
    result: Callable[[Sequence[Receipt]], T]
    statement: Callable[[str], Statement] | None = None

    def words(self, account: str) -> str:
        """Say in words what the account would do.

        Parameters
        ----------
        account
            Address of the account that would send or sign it.

        Raises
        ------
        RadLedgerError
            If it cannot be done, as far as this is known without simulating it.
        """
        if self.statement is not None:
            return self.statement(account).words
        return "; ".join(words_of(self.ledger, account, call) for call in self.calls(account))

    def send(self, signer: LocalAccount) -> T:
        """Send it, at the signer's cost, and wait until it is mined.

        Raises
        ------
        Refusal
            If a contract refuses, by the type of its custom error.
        OutOfFunds, TransactionPending, TransactionSuperseded
            See :meth:`radledger.chain.sending.sender.Sender.send`.
        """
        receipts = [
            self.ledger.send(signer, call.contract, call.function, *call.arguments)
            for call in self.calls(signer.address)
        ]
        return self.result(receipts)

    def sign(self, signer: LocalAccount, *, valid_for: int = WEEK) -> dict[str, Any]:
        """Sign it for another account to submit; the signer needs no Ether.

        Parameters
        ----------
        signer
            Who acts.
        valid_for
            Seconds during which it can be submitted.

        Returns
        -------
        dict
            A document for :func:`radledger.signed.submit`, or a relayer; can be written as JSON.

        Raises
        ------
        NotSignable
            If the contract accepts it only from its sender.
        UsageError
            If it needs more than one call.
        Refusal
            If the contract would refuse it now, as far as that can be known.
        """
        return self._stated(signer.address).sign(signer, valid_for)

    def unsigned(self, signer: str, *, valid_for: int = WEEK) -> dict[str, Any]:
        """The document of :meth:`sign` without its signature, for a wallet that has the key.

        Parameters
        ----------
        signer
            Address of who acts.
        valid_for
            Seconds during which it can be submitted.

        Raises
        ------
        NotSignable, UsageError, Refusal
            As :meth:`sign` does.
        """
        return self._stated(signer).unsigned(signer, valid_for)

    def _stated(self, account: str) -> Statement:
        if self.statement is not None:
            return self.statement(account)
        made = self.calls(account)
        if len(made) != 1:
            raise UsageError(
                f"this takes {len(made)} calls, and a signature covers one; sign them one by one",
                calls=len(made),
            )
        return Forwarded(self.ledger, account, made[0])


def one_call(
    ledger: Ledger,
    call: Callable[[str], Call],
    statement: Callable[[str], Statement] | None = None,
) -> Action[Receipt]:
    """The action of one call, which returns its receipt.

    Parameters
    ----------
    ledger, statement
        As in :class:`Action`.
    call
        The call that an account makes, by its address.
    """
    return Action(ledger, lambda account: [call(account)], last, statement)


def last(receipts: Sequence[Receipt]) -> Receipt:
    """Return the receipt of the last call."""
    return receipts[-1]
