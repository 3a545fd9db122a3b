"""Identities under any order of calls: the chain agrees with a model, and four things always hold.

1. After a change of owner, by recovery or otherwise, nothing that an earlier owner wrote has an
   effect, for the identity and for those that it owns: neither that owner nor a delegate, a
   guardian or an approval from before.  Who was put out acts again when a present owner says so.
2. The block of the last change only grows, and the events, followed back from it by
   ``previousChange``, are all the changes there were.
3. No recovery is executed before its delay has passed, nor after its owner intervened.
4. A signer's nonce grows by one with each accepted signature, and by nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from eth_abi import decode, encode
from eth_abi.packed import encode_packed
from eth_keys import keys
from eth_utils import keccak, to_checksum_address
from eth_utils.abi import abi_to_signature
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.anvil import ARTIFACTS, Chain, Contract, Reverted, account, running_chain
from tests.invariants.identity_model import NOBODY, Model

DAY = 24 * 3600
DELAY = 3 * DAY
KIND = b"veriKey".ljust(32, b"\0")
NAME = b"did/svc/Records".ljust(32, b"\0")

KEYS = {
    key.public_key.to_checksum_address(): key
    for key in (keys.PrivateKey(keccak(text=name)) for name in ("ana", "ben", "cem", "dil", "eve"))
}
PEOPLE = sorted(KEYS, key=str.lower)

# What happens to a few identities adds up: a parent, its child and one of their guardians.
IDENTITIES = PATIENT, CHILD, GUARDIAN = PEOPLE[:3]

people = st.sampled_from(PEOPLE)
identities = st.sampled_from([PATIENT, PATIENT, CHILD, CHILD, GUARDIAN])
new_owners = st.sampled_from([*PEOPLE, *PEOPLE, NOBODY])
guardian_lists = st.lists(people, unique=True).map(lambda chosen: sorted(chosen, key=str.lower))


EVENTS = {
    "0x" + keccak(text=abi_to_signature(item)).hex(): item
    for item in json.loads((ARTIFACTS / "IdentityRegistry.json").read_text())["abi"]
    if item["type"] == "event"
}


def decoded(log: dict[str, Any]) -> dict[str, Any]:
    """An event's values by name, its ``event`` and its ``block``."""
    event = EVENTS[log["topics"][0]]
    indexed = [item["name"] for item in event["inputs"] if item["indexed"]]
    rest = [item for item in event["inputs"] if not item["indexed"]]
    topics = [to_checksum_address("0x" + topic[-40:]) for topic in log["topics"][1:]]
    values = decode([item["type"] for item in rest], bytes.fromhex(log["data"][2:]))
    return {
        "event": event["name"],
        "block": int(log["blockNumber"], 16),
        **dict(zip(indexed, topics, strict=True)),
        **{item["name"]: value for item, value in zip(rest, values, strict=True)},
    }


class IdentityMachine(RuleBasedStateMachine):
    """Calls by anyone, for anyone; the model says beforehand which are refused, and why.

    Any of the people may be a thief at the time: who owns an identity, by its key or by recovery,
    writes what a thief would write, and another owner ends it.
    """

    def __init__(self, chain: Chain, registry: Contract) -> None:
        super().__init__()
        self.chain, self.registry = chain, registry
        self.snapshot = chain.request("evm_snapshot")
        self.model = Model(PEOPLE)
        self.first_block = self.latest()[0] + 1
        self.ousted: dict[str, set[str]] = {person: set() for person in PEOPLE}

    def latest(self) -> tuple[int, int]:
        """The number and the time of the latest block."""
        block = self.chain.request("eth_getBlockByNumber", "latest", False)
        return int(block["number"], 16), int(block["timestamp"], 16)

    def send(self, refusal: str | None, sender: str, function: str, *arguments: Any) -> bool:
        """Send; the chain must refuse with `refusal`, or accept if that is None."""
        given = None
        try:
            self.chain.send(sender, self.registry, function, *arguments)
        except Reverted as reverted:
            given = reverted.name
        assert given == refusal, (function, arguments)
        return given is None

    def announced(self, identity: str) -> None:
        """A change of `identity` was announced in the latest block."""
        record = self.model[identity]
        block, _ = self.latest()
        assert block > record.changed
        record.changed = block
        record.changes += 1

    def unless_owner(self, identity: str, actor: str) -> str | None:
        return None if self.model.controller(identity) == actor else "IdentityNotOwner"

    # ------------------------------------------------------------------------------- ERC-1056

    @rule(identity=identities, owner=new_owners, data=st.data())
    def change_owner(self, identity: str, owner: str, data: st.DataObject) -> None:
        actor = self.probably_controller(identity, data)
        if self.send(self.unless_owner(identity, actor), actor, "changeOwner", identity, owner):
            self.handed_over(identity, lambda: self.model.hand_to(identity, owner))

    def handed_over(self, identity: str, hand_over: Callable[[], None]) -> None:
        """Remember whom a change of owner put out, for whichever identities."""
        before = {person: self.actors(person) for person in PEOPLE}
        hand_over()
        self.announced(identity)
        for person in PEOPLE:
            self.ousted[person] |= before[person]
            self.ousted[person] -= self.actors(person)

    def actors(self, identity: str) -> set[str]:
        """Who may act for an identity."""
        now = self.latest()[1]
        return {actor for actor in PEOPLE if self.model.may_act(identity, actor, now)}

    @rule(identity=identities, delegate=people, days=st.sampled_from([0, 1, 300]), data=st.data())
    def add_delegate(self, identity: str, delegate: str, days: int, data: st.DataObject) -> None:
        actor = self.probably_controller(identity, data)
        call = ("addDelegate", identity, KIND, delegate, days * DAY)
        if self.send(self.unless_owner(identity, actor), actor, *call):
            appointed = (self.latest()[1] + days * DAY, self.model.writing(identity))
            self.model[identity].delegates[delegate] = appointed
            self.ousted[identity].discard(delegate)
            self.announced(identity)

    @rule(identity=identities, delegate=people, data=st.data())
    def revoke_delegate(self, identity: str, delegate: str, data: st.DataObject) -> None:
        actor = self.probably_controller(identity, data)
        call = ("revokeDelegate", identity, KIND, delegate)
        if self.send(self.unless_owner(identity, actor), actor, *call):
            self.model[identity].delegates.pop(delegate, None)
            self.announced(identity)

    @rule(identity=identities, ahead=st.sampled_from([0, 0, 0, 1, -1]), data=st.data())
    def set_attribute_signed(self, identity: str, ahead: int, data: st.DataObject) -> None:
        owner = self.model.controller(identity)
        signer = self.probably_controller(identity, data)
        nonce = max(0, ahead + (self.model[owner].nonce if owner in PEOPLE else 0))
        is_next = owner in PEOPLE and nonce == self.model[owner].nonce
        parts = ["bytes1", "bytes1", "address", "uint256", "address", "string"]
        values = [b"\x19", b"\0", self.registry.address, nonce, identity, "setAttribute"]
        content = encode_packed([*parts, "bytes32", "bytes", "uint256"], [*values, NAME, b"", DAY])
        signature = KEYS[signer].sign_msg_hash(keccak(content))
        r, s = (part.to_bytes(32, "big") for part in (signature.r, signature.s))
        refusal = None if signer == owner and is_next else "IdentityBadSignature"
        call = ("setAttributeSigned", identity, signature.v + 27, r, s, NAME, b"", DAY)
        if self.send(refusal, account("anyone"), *call):
            self.model[owner].nonce += 1
            self.announced(identity)

    # ------------------------------------------------------------------------------- recovery

    @initialize(threshold=st.sampled_from([1, 2]))
    def begin_with_a_child_and_guardians(self, threshold: int) -> None:
        self.send(None, CHILD, "changeOwner", CHILD, PATIENT)
        self.handed_over(CHILD, lambda: self.model.hand_to(CHILD, PATIENT))
        others = [each for each in PEOPLE if each not in (PATIENT, CHILD)]
        for identity in PATIENT, CHILD:
            self.named(identity, PATIENT, others, threshold)

    @rule(identity=identities, chosen=guardian_lists, most=st.integers(1, 3), data=st.data())
    def set_guardians(
        self, identity: str, chosen: list[str], most: int, data: st.DataObject
    ) -> None:
        actor = self.probably_controller(identity, data)
        own = (identity, self.model.owner(identity))
        chosen = [each for each in chosen if each not in own]
        self.named(identity, actor, chosen, min(most, len(chosen)))

    def named(self, identity: str, actor: str, guardians: list[str], threshold: int) -> None:
        call = ("setGuardians", identity, guardians, threshold)
        if self.send(self.unless_owner(identity, actor), actor, *call):
            self.model.name_guardians(identity, guardians, threshold)

    @rule(identity=identities, guardian=people, actor=people, owner=people)
    def anyone_approves(self, identity: str, guardian: str, actor: str, owner: str) -> None:
        self.approve(identity, guardian, actor, owner)

    @rule(identity=identities, owner=people)
    def guardians_approve(self, identity: str, owner: str) -> None:
        threshold = self.model[identity].threshold
        for guardian in self.model[identity].guardians[-threshold:]:
            actor = self.model.controller(guardian)
            self.approve(identity, guardian, actor if actor in PEOPLE else guardian, owner)

    def approve(self, identity: str, guardian: str, actor: str, owner: str) -> None:
        record, now = self.model[identity], self.latest()[1]
        given = (record.guardians, record.threshold)
        refusal = self.unless_owner(guardian, actor)
        if not refusal and record.owner == NOBODY:
            refusal = "IdentityDeactivated"
        if not refusal and owner == record.owner:
            refusal = "IdentityNewOwnerInvalid"
        if not refusal and record.guardians != self.model.guardians(identity):
            refusal = "IdentityGuardiansMismatch"
        if not refusal and guardian not in record.guardians:
            refusal = "IdentityNotGuardian"
        if not refusal and guardian in self.model.standing(identity, owner, now):
            refusal = "IdentityAlreadyApproved"

        call = ("approveRecovery", identity, guardian, owner, *given)
        if self.send(refusal, actor, *call):
            self.model.approve(identity, guardian, owner, self.latest()[1], DELAY)

    @rule(identity=identities, guardian=people, owner=people, data=st.data())
    def withdraw_approval(
        self, identity: str, guardian: str, owner: str, data: st.DataObject
    ) -> None:
        actor = self.probably_controller(guardian, data)
        refusal = self.unless_owner(guardian, actor)
        if not refusal and guardian not in self.model.standing(identity, owner, self.latest()[1]):
            refusal = "IdentityNoApproval"
        if self.send(refusal, actor, "withdrawApproval", identity, guardian, owner):
            del self.model[identity].recoveries[owner].approvals[guardian]

    @rule(identity=identities, data=st.data())
    def veto_recovery(self, identity: str, data: st.DataObject) -> None:
        actor = self.probably_controller(identity, data)
        refusal = self.unless_owner(identity, actor)
        if not refusal and not self.model[identity].recovering:
            refusal = "IdentityNoRecovery"
        if self.send(refusal, actor, "vetoRecovery", identity):
            self.model.cancel_recoveries(identity)

    @rule(identity=identities, owner=people)
    def execute_recovery(self, identity: str, owner: str) -> None:
        now = self.latest()[1]
        ready_at = self.model.ready_at(identity, owner, now)
        refusal = None
        if not ready_at:
            refusal = "IdentityRecoveryNotApproved"
        elif now < ready_at:
            refusal = "IdentityRecoveryNotReady"
        if self.send(refusal, account("anyone"), "executeRecovery", identity, owner):
            self.handed_over(identity, lambda: self.model.recover_to(identity, owner))

    @rule(identity=identities, owner=people, days=st.sampled_from([3, 3, 2, 31]), data=st.data())
    def recover(self, identity: str, owner: str, days: int, data: st.DataObject) -> None:
        """All that it takes in a row, which chance alone would seldom bring about."""
        if owner == self.model.owner(identity):
            owner = next(person for person in PEOPLE if person != owner)
        self.guardians_approve(identity, owner)
        if data.draw(st.integers(0, 3)) == 0:
            self.veto_recovery(identity, data)
        self.wait(days)
        self.execute_recovery(identity, owner)

    @rule(days=st.sampled_from([1, 3, 31]))
    def wait(self, days: int) -> None:
        self.chain.travel(days * DAY)

    def probably_controller(self, identity: str, data: st.DataObject) -> str:
        """Mostly who acts as the owner, since a run of refusals shows little."""
        controller = self.model.controller(identity)
        known = controller if controller in PEOPLE else identity
        return data.draw(st.sampled_from([known, known, known, known, *PEOPLE]))

    # ----------------------------------------------------------------------------- invariants

    @invariant()
    def chain_agrees_with_the_model(self) -> None:
        now = self.latest()[1]
        expected: dict[tuple[str, tuple[Any, ...]], Any] = {}
        for identity, record in self.model.identities.items():
            expected["identityOwner", (identity,)] = record.owner.lower()
            expected["controllerOf", (identity,)] = self.model.controller(identity).lower()
            expected["changed", (identity,)] = record.changed
            expected["nonce", (identity,)] = record.nonce
            guardians = (list(self.model.guardians(identity)), record.threshold)
            hashed = keccak(encode(["address[]", "uint256"], guardians)) if guardians[0] else None
            expected["guardiansHash", (identity,)] = hashed or bytes(32)
        for identity in IDENTITIES:
            for actor in PEOPLE:
                is_delegate = self.model.is_delegate(identity, actor, now)
                expected["validDelegate", (identity, KIND, actor)] = is_delegate
                acts = self.model.may_act(identity, actor, now)
                expected["mayAct", (identity, actor, KIND)] = acts
                approvals = len(self.model.standing(identity, actor, now))
                ready_at = self.model.ready_at(identity, actor, now)
                expected["recoveryOf", (identity, actor)] = (approvals, ready_at)
            expected["mayAct", (identity, NOBODY, KIND)] = False
        answers = self.chain.call_all([(self.registry, *question) for question in expected])
        assert dict(zip(expected, answers, strict=True)) == expected

    @invariant()
    def who_was_put_out_does_not_act(self) -> None:
        """Whatever the model says: until it owns again, or the new owner appoints it."""
        questions = [
            (self.registry, "mayAct", (identity, actor, KIND))
            for identity, actors in self.ousted.items()
            for actor in actors
            if actor != self.model.controller(identity)
        ]
        if questions:
            assert not any(self.chain.call_all(questions)), self.ousted

    def teardown(self) -> None:
        """At the end, read the story from the events alone."""
        try:
            for identity in IDENTITIES:
                self.check_chain_of_changes(identity)
                self.check_recoveries(identity)
        finally:
            assert self.chain.request("evm_revert", self.snapshot)

    def check_chain_of_changes(self, identity: str) -> None:
        """A resolver that follows `previousChange` back from `changed` sees every change."""
        blocks = []
        previous = self.chain.call(self.registry, "changed", identity)
        while previous:
            blocks.append(previous)
            (event,) = self.events(identity, previous, previous, "DID")
            assert event["previousChange"] < previous
            previous = event["previousChange"]
        assert len(blocks) == self.model[identity].changes

    def check_recoveries(self, identity: str) -> None:
        """Each executed recovery was ready, by approvals that nothing came after but waiting."""
        ready_at: dict[str, int] = {}
        for event in self.events(identity, self.first_block, self.latest()[0]):
            match event["event"]:
                case "IdentityRecoveryApproved" if event["readyAt"]:
                    ready_at[event["newOwner"]] = event["readyAt"]
                case "IdentityRecoveryExecuted":
                    block = self.chain.request("eth_getBlockByNumber", hex(event["block"]), False)
                    assert ready_at[event["newOwner"]] <= int(block["timestamp"], 16)
                    ready_at.clear()
                case "IdentityRecoveryVetoed" | "IdentityGuardiansSet":
                    ready_at.clear()
                case "DIDOwnerChanged" if not event["by_recovery"]:
                    ready_at.clear()

    def events(
        self, identity: str, first: int, last: int, prefix: str = ""
    ) -> list[dict[str, Any]]:
        """The registry's events about `identity`, decoded, in their order."""
        subject = "0x" + identity[2:].lower().rjust(64, "0")
        logs = self.chain.request(
            "eth_getLogs",
            {
                "address": self.registry.address,
                "fromBlock": hex(first),
                "toBlock": hex(last),
                "topics": [None, subject],
            },
        )
        found = [decoded(log) for log in logs]
        executed = {each["block"] for each in found if each["event"] == "IdentityRecoveryExecuted"}
        for each in found:
            each["by_recovery"] = each["block"] in executed
        return [each for each in found if each["event"].startswith(prefix)]


def test_identities_follow_the_model() -> None:
    with running_chain() as chain:
        registry = chain.deploy("IdentityRegistry", account("forwarder"), DELAY)
        run_state_machine_as_test(
            lambda: IdentityMachine(chain, registry),
            settings=settings(
                max_examples=30,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=HealthCheck.all(),
            ),
        )
