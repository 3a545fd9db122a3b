"""The operations without a peer: with them, each function that writes has been measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eth_abi.packed import encode_packed
from eth_hash.auto import keccak

from radledger.chain.action import WEEK
from radledger.chain.forward import Forwarded
from radledger.chain.ledger import Call
from radledger.chain.rpc import request
from radledger.consent import Consents, Terms
from radledger.consent.bindings import DataUse
from radledger.identity.bindings import Roles
from radledger.signed import read, submit
from tools.gas_meter import YEAR, Meter, anchored, digest

__all__ = ["OPERATIONS"]

DELEGATE_TYPE = b"radledger.consent".ljust(32, b"\0")
ATTRIBUTE = b"did/svc/report".ljust(32, b"\0")
EVERYTHING = bytes(32)
EMPTY = bytes(13)


def _participants(meter: Meter) -> None:
    registry = "ParticipantRegistry"
    stranger, newcomer = meter.address("stranger"), meter.address("newcomer")
    for who, function, *arguments in (
        ("governor", "admitInstitution", stranger, Roles.CUSTODIAN),
        ("clinic", "suspend", newcomer),
        ("clinic", "reinstate", newcomer),
        ("newcomer", "leaveInstitution"),
        ("governor", "voteGovernor", stranger, True),
    ):
        meter.measure(f"{registry}.{function}", who, registry, function, *arguments)


def _identities(meter: Meter) -> None:
    registry, owner = "IdentityRegistry", meter.address("hospital")
    delegate, value = meter.address("stranger"), digest()
    for function, *arguments in (
        ("addDelegate", DELEGATE_TYPE, delegate, YEAR),
        ("revokeDelegate", DELEGATE_TYPE, delegate),
        ("revokeAttribute", ATTRIBUTE, value),
    ):
        meter.measure(f"{registry}.{function}", "hospital", registry, function, owner, *arguments)
    changes: tuple[tuple[str, list[str], list[Any]], ...] = (
        ("addDelegate", ["bytes32", "address", "uint256"], [DELEGATE_TYPE, delegate, YEAR]),
        ("revokeDelegate", ["bytes32", "address"], [DELEGATE_TYPE, delegate]),
        ("setAttribute", ["bytes32", "bytes", "uint256"], [ATTRIBUTE, value, YEAR]),
        ("revokeAttribute", ["bytes32", "bytes"], [ATTRIBUTE, value]),
        ("changeOwner", ["address"], [delegate]),
    )
    for function, types, values in changes:
        nonce = meter.ledger.call(registry, "nonce", owner)
        change = encode_packed(["address", "string", *types], [owner, function, *values])
        head = encode_packed(
            ["bytes2", "address", "uint256"], [b"\x19\0", meter.ledger.address(registry), nonce]
        )
        signed = meter.people["hospital"].unsafe_sign_hash(keccak(head + change))
        vrs = (signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big"))
        signed_change = (f"{function}Signed", owner, *vrs, *values)
        meter.measure(f"{registry}.{function}Signed", "clinic", registry, *signed_change)


def _recovery(meter: Meter) -> None:
    registry, lost = "IdentityRegistry", meter.address("researcher")
    names = sorted(
        ("clinic", "radiologist", "stranger"), key=lambda who: int(meter.address(who), 16)
    )
    guardians, owner = [meter.address(who) for who in names], meter.address("governor")
    threshold = 2
    meter.measure(
        f"{registry}.setGuardians",
        *("researcher", registry, "setGuardians", lost),
        guardians,
        threshold,
    )

    def approve(who: str) -> tuple[Any, ...]:
        return (
            who,
            registry,
            "approveRecovery",
            lost,
            meter.address(who),
            owner,
            guardians,
            threshold,
        )

    meter.measure(f"{registry}.approveRecovery", *approve(names[0]))
    withdrawal = ("withdrawApproval", lost, guardians[0], owner)
    meter.measure(f"{registry}.withdrawApproval", names[0], registry, *withdrawal)
    meter.measure(f"{registry}.vetoRecovery", "researcher", registry, "vetoRecovery", lost)
    for who in names[:threshold]:
        meter.send(*approve(who))
    ready = meter.ledger.now() + meter.ledger.call(registry, "recoveryDelay") + 1
    request(meter.ledger.web3, "evm_setNextBlockTimestamp", [ready])
    executed = ("executeRecovery", lost, owner)
    meter.measure(f"{registry}.executeRecovery", "stranger", registry, *executed)


def _imaging(meter: Meter) -> None:
    image = anchored(meter)
    meter.send("patient", "ImageRegistry", "disown", image)
    meter.measure("ImageRegistry.acknowledge", "patient", "ImageRegistry", "acknowledge", image)


def _consent(meter: Meter) -> None:
    registry, consents = "ConsentRegistry", Consents(meter.ledger)
    patient, clinic = meter.people["patient"], meter.address("clinic")

    def submitted(function: str, document: Mapping[str, Any]) -> None:
        receipt = submit(meter.ledger, document, meter.people["hospital"])
        meter.costs[f"{registry}.{function}"] = receipt.gas_used

    scope = "0x" + digest().hex()
    care = Terms(("CC",))
    consents.grant(clinic, care, scope=scope).send(patient)
    submitted("revokeBySig", consents.revoke(clinic, scope=scope).sign(patient))
    submitted("revokeAllBySig", consents.revoke_all().sign(patient))
    request_ = consents.request(patient.address, care, scope="0x" + digest().hex())
    asked = request_.send(meter.people["radiologist"])
    submitted("approveBySig", consents.approve(asked.request_id).sign(patient))
    choice = ("forbidEmergencies", patient.address, True)
    meter.measure(f"{registry}.forbidEmergencies", "patient", registry, *choice)
    submitted("forbidEmergenciesBySig", consents.allow_emergencies().sign(patient))


def _research(meter: Meter) -> None:
    registry, patient, clinic = "DatasetRegistry", meter.address("patient"), meter.address("clinic")
    researcher, token = meter.address("researcher"), meter.ledger.address("LocalToken")
    now = meter.ledger.now()
    grant = (
        "grant",
        patient,
        clinic,
        EVERYTHING,
        (now, now + YEAR, DataUse.BIOMEDICAL_RESEARCH, 0, EMPTY),
    )
    meter.send("patient", "ConsentRegistry", *grant)
    terms = (token, (10_000, 0, 0, 0), 0, 0, (DataUse.BIOMEDICAL_RESEARCH, 0, EMPTY), digest())
    created = meter.send("researcher", registry, "create", terms, digest())
    dataset = created.event("DatasetCreated").args["dataset"]
    image = anchored(meter)
    meter.send("researcher", registry, "contribute", dataset, image, 1)
    meter.send("researcher", registry, "fund", dataset, 10**20, (1, 0, 0, 0))
    for who, function, *arguments in (
        ("researcher", "contributeWork", 2, researcher, digest(), 1),
        ("researcher", "freeze", digest(), 1),
        ("patient", "claimFor", 0, patient, meter.address("newcomer")),
        ("patient", "setFree", 0, patient, True),
    ):
        meter.measure(f"{registry}.{function}", who, registry, function, dataset, *arguments)
    meter.send("patient", "ConsentRegistry", "revoke", patient, clinic, EVERYTHING)
    meter.measure(f"{registry}.suspend", "stranger", registry, "suspend", dataset, image)
    meter.send("patient", "ConsentRegistry", *grant)
    meter.measure(f"{registry}.resume", "stranger", registry, "resume", dataset, image)


def _forwarding(meter: Meter) -> None:
    image, patient = anchored(meter), meter.people["patient"]

    def signed(function: str) -> Any:
        call = Call("ImageRegistry", function, (image,))
        document = Forwarded(meter.ledger, patient.address, call).sign(patient, WEEK)
        (forwarded,) = read(meter.ledger, document).call.arguments
        return forwarded

    forwarder, payer = "Forwarder", meter.address("hospital")
    one = signed("disown")
    meter.measure(f"{forwarder}.execute", "hospital", forwarder, "execute", one)
    several = ([signed("acknowledge")], payer)
    meter.measure(f"{forwarder}.executeBatch", "hospital", forwarder, "executeBatch", *several)


OPERATIONS = (_imaging, _consent, _research, _forwarding, _participants, _recovery, _identities)
"""In an order in which none disturbs the next: identities change hands at the end."""
