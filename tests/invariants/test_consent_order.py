"""What was signed last prevails, whichever document arrives first and whatever the clocks say.

A patient signs on several devices, each of whose clocks is wrong by up to a day; couriers submit
what was signed in any order, late, and more than once.  The model knows in which order the
documents were truly signed.  On the real contract, always:

1. No grant stands that is truly older than a revocation that has arrived.
2. No document is applied twice.
3. What is signed over what stands, by a clock that is not ahead, is applied if it arrives first.
4. Where all clocks are right and nothing was revoked, the grant that was signed last stands; of
   those signed in one second, the first to arrive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from eth_account import Account
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from radledger.consent.bindings import TYPED_DATA
from tests.anvil import Chain, Contract, Reverted, running_chain
from tests.invariants.consent_model import (
    ALL,
    ANA,
    CARE,
    DAY,
    DOCTOR,
    HOUR,
    IMAGES,
    KEYS,
    NO_DISEASE,
    THIEF,
    Use,
    stage,
)
from tests.invariants.consent_signing import in_words

MINUTE = 60
ERRORS = (-DAY, -HOUR, -1, 0, 1, 5 * MINUTE, 6 * MINUTE, HOUR, DAY)
RIGHT, OPPOSITE = (0, 0), (DAY, -DAY)
FOREVER = 2**32 - 1
NOT_YET_DUE = {"ConsentSignedAhead", "ConsentSignatureExpired"}

clocks = st.one_of(
    st.just(RIGHT), st.just(OPPOSITE), st.just(OPPOSITE), st.tuples(*[st.sampled_from(ERRORS)] * 2)
)
devices = st.integers(0, 1)
functions = st.sampled_from(["grant", "grant", "grant", "revoke", "revoke", "revokeAll"])


@dataclass(eq=False)
class Document:
    """What the patient signed, or did directly: `number` is its place in the true order."""

    number: int
    function: str
    until: int
    arguments: tuple[Any, ...] = ()
    applied: bool = False
    arrived: bool = False
    signed: int = 0
    ahead: int = 0
    basis: tuple[int, int] = (0, 0)


@dataclass
class Chains:
    """What runs once for all examples."""

    chain: Chain
    consents: Contract
    chain_id: int = field(init=False)

    def __post_init__(self) -> None:
        self.chain_id = int(self.chain.request("eth_chainId"), 16)


class OrderMachine(RuleBasedStateMachine):
    """A patient with two devices, and accounts that submit what is signed on them."""

    def __init__(self, stage: Chains) -> None:
        super().__init__()
        self.chain, self.consents, self.chain_id = stage.chain, stage.consents, stage.chain_id
        self.snapshot = self.chain.request("evm_snapshot")
        latest = self.chain.request("eth_getBlockByNumber", "latest", False)
        self.now = int(latest["timestamp"], 16)
        self.documents: list[Document] = []
        self.clocks = RIGHT

    def teardown(self) -> None:
        assert self.chain.request("evm_revert", self.snapshot)

    @initialize(clocks=clocks)
    def set_clocks(self, clocks: tuple[int, ...]) -> None:
        self.clocks = clocks

    # ------------------------------------------------------------------ what the patient does

    @rule(device=devices, function=functions)
    def signs(self, device: int, function: str) -> None:
        self.sign(device, function)

    @rule(one=devices, two=devices, function=st.sampled_from(["revoke", "revokeAll"]))
    def signs_both_at_one_sitting(self, one: int, two: int, function: str) -> None:
        """A grant and its revocation, before either has arrived."""
        self.sign(one, "grant")
        self.sign(two, function)

    @rule(one=devices, two=devices)
    def grants_over_a_revocation(self, one: int, two: int) -> None:
        """While a grant from before the revocation is held back."""
        self.sign(one, "grant")
        for function in ("revoke", "grant"):
            self.sign(two, function)
            self.submit(self.documents[-1])

    @rule(function=functions)
    def acts_directly(self, function: str) -> None:
        """Direct calls always count: the patient sees what stands, and the chain has its clock."""
        document = self.new(function)
        arguments: list[Any] = [ANA, *([] if function == "revokeAll" else [DOCTOR, ALL])]
        if function == "grant":
            arguments.append(self.terms(document))
        assert self.send(ANA, function, *arguments) is None
        document.applied = document.arrived = True
        if function == "grant":
            assert self.standing() is document

    # ------------------------------------------------------------------ what others do

    @precondition(lambda self: self.on_their_way())
    @rule(data=st.data())
    def arrives(self, data: st.DataObject) -> None:
        self.submit(data.draw(st.sampled_from(self.on_their_way())))

    @precondition(lambda self: self.on_their_way())
    @rule()
    def arrives_at_once(self) -> None:
        """What was signed last, as a relayer submits it."""
        self.submit(self.on_their_way()[-1])

    @precondition(lambda self: self.on_their_way())
    @rule(days=st.integers(0, 2), data=st.data())
    def all_arrive(self, days: int, data: st.DataObject) -> None:
        """Days later, in any order."""
        self.time_passes(days * DAY + 1)
        for document in data.draw(st.permutations(self.on_their_way())):
            self.submit(document)
            self.nothing_stands_that_was_revoked_later()

    @precondition(lambda self: any(each.arguments for each in self.documents))
    @rule(data=st.data())
    def arrives_again(self, data: st.DataObject) -> None:
        signed = [document for document in self.documents if document.arguments]
        self.submit(data.draw(st.sampled_from(signed)))

    @rule(seconds=st.sampled_from([1, 6 * MINUTE, DAY, 2 * DAY]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        self.chain.batch([("evm_setNextBlockTimestamp", [self.now]), ("evm_mine", [])])

    # ------------------------------------------------------------------ what always holds

    @invariant()
    def nothing_stands_that_was_revoked_later(self) -> None:
        standing = self.standing()
        if standing is not None:
            revocations = [each for each in self.documents if each.function != "grant"]
            later = [each for each in revocations if each.number > standing.number]
            assert not any(each.arrived for each in later), standing

    @invariant()
    def the_last_grant_stands_where_nothing_is_in_doubt(self) -> None:
        if any(self.clocks) or any(each.function != "grant" for each in self.documents):
            return
        arrived = [each for each in self.documents if each.arrived]
        standing = self.standing()
        assert (standing is not None) == bool(arrived)
        kept, _ = self.basis()
        for later in arrived[arrived.index(standing) + 1 :] if standing else ():
            # The time that is kept rises with each change, so it may be that of a later document.
            assert not later.applied, later
            assert later.signed <= kept, later

    # ------------------------------------------------------------------ how it is done

    def on_their_way(self) -> list[Document]:
        return [each for each in self.documents if each.arguments and not each.arrived]

    def new(self, function: str) -> Document:
        number = len(self.documents)
        document = Document(number, function, until=FOREVER - number)  # by which it is known again
        self.documents.append(document)
        return document

    def terms(self, document: Document) -> tuple[Any, ...]:
        return (0, document.until, CARE, 0, NO_DISEASE)

    def sign(self, device: int, function: str) -> None:
        """Read what stands on chain, and sign by the clock of a device."""
        document = self.new(function)
        document.basis = seen, epoch = self.basis()
        signed, deadline = self.now + self.clocks[device], self.now + 60 * DAY
        whose = (ANA, DOCTOR, ALL)
        if function == "grant":
            parts: tuple[Any, ...] = (*whose, self.terms(document), document.basis)
            flat = (*whose, *in_words(*self.terms(document)), *document.basis)
        elif function == "revoke":
            parts = flat = whose
            signed = max(signed, seen + 1)
        else:
            parts = flat = (ANA, epoch)
            signed = max(signed, self.call("revokedAllAt", ANA) + 1)
        document.signed, document.ahead = signed, signed - self.now
        name = function[0].upper() + function[1:]
        domain = {
            "name": "RadLedger Consent",
            "version": "1",
            "chainId": self.chain_id,
            "verifyingContract": self.consents.address,
        }
        fields = [{"type": kind, "name": field} for kind, field in TYPED_DATA[name]]
        names = (each["name"] for each in fields)
        message = dict(zip(names, [*flat, signed, deadline], strict=True))
        signature = Account.sign_typed_data(KEYS[ANA], domain, {name: fields}, message).signature
        document.arguments = (*parts, (ANA, signed, deadline, bytes(signature)))

    def submit(self, document: Document) -> None:
        unchanged = self.basis() == document.basis
        refusal = self.send(THIEF, f"{document.function}BySig", *document.arguments)
        document.arrived |= refusal not in NOT_YET_DUE
        assert refusal is None or not unchanged or document.ahead > 5 * MINUTE, refusal
        if refusal is None:
            assert not document.applied, document
            document.applied = True

    def basis(self) -> tuple[int, int]:
        """What a subject sees on chain before it signs."""
        signed: int = self.call("grantOf", ANA, DOCTOR, ALL)[2]
        return signed, self.call("epochOf", ANA)

    def send(self, sender: str, function: str, *arguments: Any) -> str | None:
        """Send a transaction a second later; return the name of the error that refused it."""
        self.chain.request("evm_setNextBlockTimestamp", self.now + 1)
        try:
            self.chain.send(sender, self.consents, function, *arguments)
        except Reverted as refusal:
            return refusal.name
        finally:
            latest = self.chain.request("eth_getBlockByNumber", "latest", False)
            self.now = int(latest["timestamp"], 16)
        return None

    def call(self, view: str, *arguments: Any) -> Any:
        return self.chain.call(self.consents, view, *arguments)

    def standing(self) -> Document | None:
        """The grant that permits the reader to use images now."""
        reason, _ = self.call("permitted", DOCTOR, IMAGES[0], Use(CARE, 0, NO_DISEASE))
        if reason:
            return None
        return self.documents[FOREVER - self.call("grantOf", ANA, DOCTOR, ALL)[1]]


def test_order_of_consents() -> None:
    with running_chain() as chain:
        shared = Chains(chain, stage(chain)["consents"])
        run_state_machine_as_test(
            lambda: OrderMachine(shared),
            settings=settings(
                max_examples=150,
                stateful_step_count=15,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
