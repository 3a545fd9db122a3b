"""The word in which the contract keeps a grant is read as the contract reads it."""

from __future__ import annotations

from radledger.consent import bindings
from radledger.consent.bindings import DataUse, Status
from radledger.consent.model import UNTIL_REVOKED, unpack

CONTRACT = "ConsentRegistry"


def test_each_field_of_a_grant_is_where_the_contract_has_it(ledger, who):
    subject, grantee, scope = who.hospital.address, who.radiologist.address, b"\xa5" * 32
    ledger.send(who.hospital, CONTRACT, "revokeAll", subject)
    purposes = DataUse.DISEASE_RESEARCH | DataUse.METHOD_DEVELOPMENT | DataUse.TEACHING
    terms = bindings.Terms(0x1234_5678, UNTIL_REVOKED - 1, purposes, 0x2A5A, bytes(range(1, 14)))
    receipt = ledger.send(who.hospital, CONTRACT, "grant", subject, grantee, scope, terms)
    slot = unpack(receipt.event("ConsentGranted").args["given"])
    kept = bindings.Grant(*ledger.call(CONTRACT, "grantOf", subject, grantee, scope))
    assert slot.terms == terms == (*kept[:2], *kept[3:6])
    assert (slot.signed, slot.epoch) == (kept.signed, kept.epoch) == (receipt.timestamp, 1)
    assert kept.status == Status.GRANTED.number


def test_a_request_has_terms_alone(ledger, who):
    subject, grantee, scope = who.patient.address, who.hospital.address, bytes(32)
    terms = bindings.Terms(7, UNTIL_REVOKED, DataUse.CLINICAL_CARE, 0, bytes(13))
    receipt = ledger.send(who.radiologist, CONTRACT, "request", subject, grantee, scope, terms)
    assert unpack(receipt.event("ConsentRequested").args["asked"]) == (terms, 0, 0)
