"""Identities under any order of calls: the chain agrees with a model, and four things always hold.

1. Who lost an identity by a recovery, as its owner or as a delegate, acts for it no longer until
   its new owner says so.
2. The block of the last change only grows, and the events, followed back from it by
   ``previousChange``, are all the changes there were.
3. No recovery is executed before its delay has passed, nor after its owner intervened.
4. A signer's nonce grows by one with each accepted signature, and by nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from eth_abi import decode
from eth_abi.packed import encode_packed
from eth_keys import keys
from eth_utils import keccak, to_checksum_address
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.anvil import ARTIFACTS, Chain, Contract, Reverted, account, running_chain, types

DAY = 24 * 3600
DELAY = 3 * DAY
NOBODY = "0x" + "00" * 20
KIND = b"veriKey".ljust(32, b"\0")
NAME = b"did/svc/Records".ljust(32, b"\0")

KEYS = {
    key.public_key.to_checksum_address(): key
    for key in (keys.PrivateKey(keccak(text=name)) for name in ("ana", "ben", "cem", "dil"))
}
PEOPLE = sorted(KEYS, key=str.lower)

PATIENT, GUARDIAN, *_ = PEOPLE  # what happens to one identity adds up; another is its guardian

people = st.sampled_from(PEOPLE)
new_owners = st.sampled_from([*PEOPLE, *PEOPLE, NOBODY])
guardian_lists = st.lists(people, unique=True).map(lambda chosen: sorted(chosen, key=str.lower))


EVENTS = {
    "0x" + keccak(text=f"{item['name']}({','.join(types(item['inputs']))})").hex(): item
    for item in json.loads((ARTIFACTS / "IdentityRegistry.json").read_text())["abi"]
    if item["type"] == "event"
}


def decoded(log: dict[str, Any]) -> dict[str, Any]:
    """An event's values by name, its ``event`` and its ``block``."""
    event = EVENTS[log["topics"][0]]
    indexed = [item["name"] for item in event["inputs"] if item["indexed"]]
    rest = [item for item in event["inputs"] if not item["indexed"]]
    topics = [to_checksum_address("0x" + topic[-40:]) for topic in log["topics"][1:]]
    values = decode(types(rest), bytes.fromhex(log["data"][2:]))
    return {
        "event": event["name"],
        "block": int(log["blockNumber"], 16),
        **dict(zip(indexed, topics, strict=True)),
        **{item["name"]: value for item, value in zip(rest, values, strict=True)},
    }


@dataclass
class Identity:
    """What the model knows of one identity."""

    owner: str
    changed: int = 0
    changes: int = 0
    nonce: int = 0
    guardians: list[str] = field(default_factory=list)
    threshold: int = 0
    approvals: dict[str, set[str]] = field(default_factory=dict)
    ready_at: dict[str, int] = field(default_factory=dict)
    delegates: dict[str, int] = field(default_factory=dict)
    lost_by_recovery: set[str] = field(default_factory=set)

    def hand_to(self, owner: str) -> None:
        self.owner = owner
        self.lost_by_recovery.discard(owner)
        if owner == NOBODY:
            self.delegates.clear()
        self.cancel_recoveries()

    def recover_to(self, owner: str) -> None:
        self.lost_by_recovery |= {self.owner, *self.delegates}
        self.delegates.clear()
        self.hand_to(owner)

    def cancel_recoveries(self) -> None:
        self.approvals.clear()
        self.ready_at.clear()


class IdentityMachine(RuleBasedStateMachine):
    """Calls by anybody, for anybody; the model says beforehand which are refused, and why."""

    def __init__(self, chain: Chain, registry: Contract) -> None:
        super().__init__()
        self.chain, self.registry = chain, registry
        self.snapshot = chain.request("evm_snapshot")
        self.model = {person: Identity(person) for person in PEOPLE}
        self.patient = self.model[PATIENT]
        self.first_block = self.latest()[0] + 1

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
        return None if self.model[identity].owner == actor else "IdentityNotOwner"

    # ------------------------------------------------------------------------------- ERC-1056

    @rule(identity=st.sampled_from([PATIENT, GUARDIAN]), actor=people, owner=new_owners)
    def change_owner(self, identity: str, actor: str, owner: str) -> None:
        if self.send(self.unless_owner(identity, actor), actor, "changeOwner", identity, owner):
            self.model[identity].hand_to(owner)
            self.announced(identity)

    @rule(delegate=people, days=st.sampled_from([0, 1, 30]), data=st.data())
    def add_delegate(self, delegate: str, days: int, data: st.DataObject) -> None:
        actor = self.probably_owner(data)
        call = ("addDelegate", PATIENT, KIND, delegate, days * DAY)
        if self.send(self.unless_owner(PATIENT, actor), actor, *call):
            self.patient.delegates[delegate] = self.latest()[1] + days * DAY
            self.patient.lost_by_recovery.discard(delegate)
            self.announced(PATIENT)

    @rule(delegate=people, data=st.data())
    def revoke_delegate(self, delegate: str, data: st.DataObject) -> None:
        actor = self.probably_owner(data)
        call = ("revokeDelegate", PATIENT, KIND, delegate)
        if self.send(self.unless_owner(PATIENT, actor), actor, *call):
            self.patient.delegates.pop(delegate, None)
            self.announced(PATIENT)

    @rule(ahead=st.sampled_from([0, 0, 0, 1, -1]), data=st.data())
    def set_attribute_signed(self, ahead: int, data: st.DataObject) -> None:
        owner = self.patient.owner
        signer = self.probably_owner(data)
        nonce = max(0, ahead + (self.model[owner].nonce if owner in self.model else 0))
        is_next = owner in self.model and nonce == self.model[owner].nonce
        parts = ["bytes1", "bytes1", "address", "uint256", "address", "string"]
        values = [b"\x19", b"\0", self.registry.address, nonce, PATIENT, "setAttribute"]
        content = encode_packed([*parts, "bytes32", "bytes", "uint256"], [*values, NAME, b"", DAY])
        signature = KEYS[signer].sign_msg_hash(keccak(content))
        r, s = (part.to_bytes(32, "big") for part in (signature.r, signature.s))
        refusal = None if signer == owner and is_next else "IdentityBadSignature"
        call = ("setAttributeSigned", PATIENT, signature.v + 27, r, s, NAME, b"", DAY)
        if self.send(refusal, account("anybody"), *call):
            self.model[owner].nonce += 1
            self.announced(PATIENT)

    # ------------------------------------------------------------------------------- recovery

    @initialize(threshold=st.sampled_from([1, 2]))
    def begin_with_guardians(self, threshold: int) -> None:
        self.set_guardians(PATIENT, [each for each in PEOPLE if each != PATIENT], threshold)

    @rule(actor=people, guardians=guardian_lists, threshold=st.integers(1, 3))
    def set_guardians(self, actor: str, guardians: list[str], threshold: int) -> None:
        guardians = [each for each in guardians if each not in (PATIENT, self.patient.owner)]
        threshold = min(threshold, len(guardians))
        call = ("setGuardians", PATIENT, guardians, threshold)
        if self.send(self.unless_owner(PATIENT, actor), actor, *call):
            self.patient.guardians, self.patient.threshold = guardians, threshold
            self.patient.cancel_recoveries()

    @rule(guardian=people, actor=people, owner=people)
    def anybody_approves(self, guardian: str, actor: str, owner: str) -> None:
        self.approve(guardian, actor, owner)

    @rule(owner=people)
    def guardians_approve(self, owner: str) -> None:
        for guardian in self.patient.guardians[-self.patient.threshold :]:
            actor = self.model[guardian].owner
            self.approve(guardian, actor if actor in PEOPLE else guardian, owner)

    def approve(self, guardian: str, actor: str, owner: str) -> None:
        patient = self.patient
        approvals = patient.approvals.get(owner, set())
        refusal = self.unless_owner(guardian, actor)
        if not refusal and patient.owner == NOBODY:
            refusal = "IdentityDeactivated"
        if not refusal and owner == patient.owner:
            refusal = "IdentityNewOwnerInvalid"
        if not refusal and guardian not in patient.guardians:
            refusal = "IdentityNotGuardian"
        if not refusal and guardian in approvals:
            refusal = "IdentityAlreadyApproved"

        call = ("approveRecovery", PATIENT, guardian, owner, patient.guardians, patient.threshold)
        if self.send(refusal, actor, *call):
            patient.approvals[owner] = approvals | {guardian}
            if len(patient.approvals[owner]) == patient.threshold:
                patient.ready_at[owner] = self.latest()[1] + DELAY

    @rule(data=st.data())
    def veto_recovery(self, data: st.DataObject) -> None:
        actor = self.probably_owner(data)
        refusal = self.unless_owner(PATIENT, actor)
        if not refusal and not self.patient.approvals:
            refusal = "IdentityNoRecovery"
        if self.send(refusal, actor, "vetoRecovery", PATIENT):
            self.patient.cancel_recoveries()

    @rule(owner=people)
    def execute_recovery(self, owner: str) -> None:
        ready_at = self.patient.ready_at
        refusal = None
        if owner not in ready_at:
            refusal = "IdentityRecoveryNotApproved"
        elif self.latest()[1] < ready_at[owner]:
            refusal = "IdentityRecoveryNotReady"
        if self.send(refusal, account("anybody"), "executeRecovery", PATIENT, owner):
            self.patient.recover_to(owner)
            self.announced(PATIENT)

    @rule(owner=people, days=st.sampled_from([3, 3, 2]), vetoed=st.sampled_from([0, 0, 1]))
    def recover(self, owner: str, days: int, vetoed: int) -> None:
        """All that it takes in a row, which chance alone would seldom bring about."""
        if owner == self.patient.owner:
            owner = next(person for person in PEOPLE if person != owner)
        self.guardians_approve(owner)
        if vetoed and self.patient.approvals and self.patient.owner in PEOPLE:
            self.send(None, self.patient.owner, "vetoRecovery", PATIENT)
            self.patient.cancel_recoveries()
        self.wait(days)
        self.execute_recovery(owner)

    @rule(days=st.sampled_from([1, 3]))
    def wait(self, days: int) -> None:
        self.chain.travel(days * DAY)

    def probably_owner(self, data: st.DataObject) -> str:
        """Mostly the patient's owner, since a run of refusals shows little."""
        owner = self.patient.owner
        known = owner if owner in PEOPLE else PATIENT
        return data.draw(st.sampled_from([known, known, known, *PEOPLE]))

    # ----------------------------------------------------------------------------- invariants

    @invariant()
    def chain_agrees_with_the_model(self) -> None:
        now = self.latest()[1]
        expected: dict[tuple[str, tuple[Any, ...]], Any] = {}
        for identity, record in self.model.items():
            expected["identityOwner", (identity,)] = record.owner.lower()
            expected["changed", (identity,)] = record.changed
            expected["nonce", (identity,)] = record.nonce
        for actor in [*PEOPLE, NOBODY]:
            is_delegate = self.patient.delegates.get(actor, 0) > now
            is_owner = actor == self.patient.owner != NOBODY
            expected["validDelegate", (PATIENT, KIND, actor)] = is_delegate
            # Whose own identity is another's by now speaks for nobody else.
            is_itself = actor not in self.model or self.model[actor].owner == actor
            acts = (is_owner or is_delegate) and (is_itself or actor == PATIENT)
            expected["mayAct", (PATIENT, actor, KIND)] = acts
        answers = self.chain.call_all([(self.registry, *question) for question in expected])
        assert dict(zip(expected, answers, strict=True)) == expected

    @invariant()
    def who_lost_by_recovery_does_not_act(self) -> None:
        lost = self.patient.lost_by_recovery - {self.patient.owner}
        if lost:
            questions = [(self.registry, "mayAct", (PATIENT, actor, KIND)) for actor in lost]
            assert not any(self.chain.call_all(questions)), lost

    def teardown(self) -> None:
        """At the end, read the story from the events alone."""
        try:
            for identity in PATIENT, GUARDIAN:
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
                case "RecoveryApproved" if event["readyAt"]:
                    ready_at[event["newOwner"]] = event["readyAt"]
                case "RecoveryExecuted":
                    block = self.chain.request("eth_getBlockByNumber", hex(event["block"]), False)
                    assert ready_at[event["newOwner"]] <= int(block["timestamp"], 16)
                    ready_at.clear()
                case "RecoveryVetoed" | "GuardiansChanged":
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
        executed = {each["block"] for each in found if each["event"] == "RecoveryExecuted"}
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
