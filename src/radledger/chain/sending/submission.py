"""Bring transactions into a node's pool: nonces, fees and rejections."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from radledger.chain.errors import NonceContended, RequestFailed, TransactionUnderpriced
from radledger.chain.sending import fees
from radledger.chain.sending.broadcast import broadcast, count, diagnose, sign, with_higher_fee
from radledger.chain.sending.pool_errors import Rejection, rejection
from radledger.errors import RadLedgerError

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3 import Web3

    from radledger.chain.sending.journal import Intent, Intents

__all__ = ["OnSigned", "Submission"]

_ATTEMPTS = 5
_NONCES = (Rejection.NONCE_USED, Rejection.NONCE_CONTENDED)

OnSigned = Callable[[int, str], None]


class Submission:
    """Submission of the transactions of one account.

    Parameters
    ----------
    web3, intents
        The chain, and the journal.
    signer
        Who sends and pays.
    on_signed
        Called with nonce and hash of each version before it leaves.
    """

    def __init__(
        self,
        web3: Web3,
        intents: Intents,
        signer: LocalAccount,
        on_signed: OnSigned | None = None,
    ) -> None:
        self._web3 = web3
        self._intents = intents
        self._signer = signer
        self._on_signed = on_signed

    def submit(self, drafts: Sequence[Mapping[str, Any]], nonce: int | None = None) -> list[Intent]:
        """Record transactions and hand them to the node until it accepts each.

        Parameters
        ----------
        drafts
            Fields of each but for the nonce.
        nonce
            Of the first; by default the lowest that are free.

        Raises
        ------
        OutOfFunds, TransactionUnderpriced, NonceContended, RequestFailed
            If the node does not take one; it will not be sent again then.
        """
        sent = self._begin(drafts, nonce)
        places = list(range(len(sent)))
        try:
            for attempt in range(_ATTEMPTS):
                problems = self._problems(sent, places)
                if not problems:
                    break
                for place, (kind, problem) in problems.items():
                    movable = nonce is None and kind in _NONCES
                    # Where gas is free, the account may have nothing to offer.
                    dearer = kind is Rejection.UNDERPRICED and fees.offered(sent[place].fields)
                    if attempt + 1 == _ATTEMPTS or not (movable or dearer):
                        raise self._abandoned(sent, problems) from problem
                for place, (kind, _) in problems.items():
                    if kind is Rejection.UNDERPRICED:
                        sent[place] = with_higher_fee(
                            self._web3, self._intents, self._signer, sent[place]
                        )
                        self._tell(sent[place])
                    else:
                        self._intents.drop(sent[place], "refused", kind.value)
                        sent[place] = self._begin([drafts[place]], None)[0]
                places = list(problems)
        except BaseException:
            self._intents.leave(sent)
            raise
        return sent

    def _begin(self, drafts: Sequence[Mapping[str, Any]], nonce: int | None) -> list[Intent]:
        account = self._signer.address
        first = count(self._web3, account, "pending")
        begun = self._intents.begin(
            account, first, drafts, lambda fields: sign(self._signer, fields), nonce=nonce
        )
        try:
            for intent in begun:
                self._tell(intent)
        except BaseException:
            self._intents.leave(begun)
            raise
        return begun

    def _tell(self, intent: Intent) -> None:
        if self._on_signed is not None:
            self._on_signed(intent.nonce, intent.versions[-1].transaction)

    def _problems(
        self, sent: Sequence[Intent], places: Sequence[int]
    ) -> dict[int, tuple[Rejection, RequestFailed]]:
        """The rejections by the node, except of what it may accept later."""
        answers = broadcast(self._web3, [sent[place] for place in places])
        problems: dict[int, tuple[Rejection, RequestFailed]] = {}
        for place, problem in zip(places, answers, strict=True):
            if problem is None:
                continue
            kind = rejection(problem)
            if kind is Rejection.OTHER and self._is_used(sent[place]):
                kind = Rejection.NONCE_USED
            if kind not in (Rejection.NONCE_AHEAD, Rejection.FULL):
                problems[place] = (kind, problem)
        return problems

    def _is_used(self, intent: Intent) -> bool:
        return count(self._web3, intent.account, "pending") > intent.nonce

    def _abandoned(
        self, sent: Sequence[Intent], problems: dict[int, tuple[Rejection, RequestFailed]]
    ) -> RadLedgerError:
        """Close what no node accepts, and return the reason as an error."""
        for place, (_, problem) in problems.items():
            self._intents.drop(sent[place], "refused", str(problem.values["reason"]))
        place, (kind, problem) = next(iter(problems.items()))
        intent, reason = sent[place], problem.values["reason"]
        if kind in _NONCES:
            return NonceContended(
                f"another transaction of {intent.account} has the nonce {intent.nonce} ({reason}); "
                "let no other program send from this account meanwhile, and try again",
                account=intent.account,
                nonce=intent.nonce,
            )
        if kind is Rejection.UNDERPRICED:
            price = fees.offered(intent.fields)
            return TransactionUnderpriced(
                f"the node does not take {price} wei for a unit of gas ({reason}); ask its "
                "operator for the least that it takes, or use another node",
                account=intent.account,
                price=price,
            )
        return diagnose(self._web3, problem, intent)
