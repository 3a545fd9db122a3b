"""A grant ends by the later of both clocks, and a chain that makes no blocks decides nothing."""

from __future__ import annotations

import pytest

from radledger.access.errors import ReceiptStale
from radledger.chain.errors import ChainStale, DocumentExpired
from radledger.chain.refusals import ConsentNotPermittedExpired, ConsentNotPermittedNotYet
from radledger.consent import SealedNote, Terms
from radledger.consent.model import Decision
from radledger.consent.permission import Use
from tests.access.holding import PRIVATE_KEY, opened

pytestmark = pytest.mark.usefixtures("patient_with_ether")

HOUR = 3600
LIMIT = 60
SCOPES = ("all", "course", "visit", "image_id")


@pytest.fixture
def grant_for(consents, ledger, image_set, who):
    """Grant care with images for an hour; what comes back is when that ends."""

    def grant(grantee, scope="all"):
        until = ledger.now() + HOUR
        scope = scope if scope == "all" else getattr(image_set, scope)
        consents.grant(grantee.address, Terms(("CC",), until=until), scope=scope).send(who.patient)
        return until

    return grant


@pytest.mark.parametrize("grantee", ["radiologist", "hospital"])
@pytest.mark.parametrize("scope", SCOPES)
def test_a_grant_ends_though_the_chain_makes_no_block(
    consents,
    grant_for,
    image_set,
    ledger,
    reader,
    receipts,
    service,
    wall,
    who,
    ask,
    grantee,
    scope,
):
    until = grant_for(getattr(who, grantee), scope)
    left = until - ledger.now()
    wall(left - 1)
    decision = consents.check(reader.address, image_set, ["CC"])
    assert decision == Decision(True, "permitted", decision.grant_id, left - 1)
    assert service.release(ask(reader, time=until - 1)).block_age == left - 1

    wall(left)
    assert consents.check(reader.address, image_set, ["CC"]) == Decision(
        False, "expired", decision.grant_id, left
    )
    with pytest.raises(ConsentNotPermittedExpired) as refusal:
        service.release(ask(reader, time=until))
    whose = {"subject": who.patient.address, "reader": reader.address}
    assert refusal.value.values == whose | {"until": until}
    assert len(receipts.releases()) == 1
    (listed,) = consents.list(subject=who.patient.address)
    assert listed.status == "expired"


def test_an_emergency_ends_though_the_chain_makes_no_block(consents, image_set, wall, who):
    consents.break_glass(who.patient.address, SealedNote.of("stroke"), duration=HOUR).send(
        who.clinician
    )
    wall(HOUR - 1)
    assert consents.check(who.clinician.address, image_set, ["CC"]).permitted
    wall(HOUR)
    decision = consents.check(who.clinician.address, image_set, ["CC"])
    assert (decision.permitted, decision.reason) == (False, "expired")
    (emergency,) = consents.emergencies(subject=who.patient.address)
    assert not emergency.overdue
    wall(emergency.review_by - emergency.since)
    (emergency,) = consents.emergencies(subject=who.patient.address)
    assert emergency.overdue


def test_a_grant_that_begins_later_waits_for_the_chain(
    consents, image_set, ledger, reader, service, wall, who, ask
):
    start = ledger.now() + HOUR
    consents.grant(reader.address, Terms(("CC",), start=start)).send(who.patient)
    wall(2 * HOUR)
    assert consents.check(reader.address, image_set, ["CC"]).reason == "not yet"
    with pytest.raises(ConsentNotPermittedNotYet):
        service.release(ask(reader, time=ledger.now() + 2 * HOUR))


def test_a_machine_whose_clock_is_late_goes_by_the_chain(
    consents, grant_for, image_set, reader, travel, wall
):
    grant_for(reader)
    wall(-10 * HOUR)
    assert consents.check(reader.address, image_set, ["CC"]).permitted
    travel(HOUR)
    assert consents.check(reader.address, image_set, ["CC"]).reason == "expired"


def test_the_patients_own_images_have_no_end(consents, image_set, wall, who):
    wall(10**8)
    decision = consents.check(who.patient.address, image_set, ["CC"])
    assert decision == Decision(True, "permitted", None, 10**8)


def test_of_a_chain_that_stands_still_nothing_is_taken_for_true(
    consents, image_set, ledger, reader, receipts, service, wall, who, ask
):
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)
    now = ledger.now()
    wall(LIMIT, max_block_age=LIMIT)
    assert consents.check(reader.address, image_set, ["CC"]).permitted
    assert opened(service.release(ask(reader, time=now + LIMIT)))

    wall(LIMIT + 1, max_block_age=LIMIT)
    for person in (reader, who.patient, who.stranger):
        assert consents.check(person.address, image_set, ["CC"]) == Decision(
            False, "stale chain", None, LIMIT + 1
        )
    with pytest.raises(ChainStale) as refusal:
        service.release(ask(reader, time=now + LIMIT + 1))
    assert refusal.value.values == {
        "reason": "stale chain",
        "block": ledger.block_number(),
        "block_age": LIMIT + 1,
        "max_block_age": LIMIT,
    }
    assert refusal.value.message.startswith("stale chain: the latest block")
    assert "61 s old" in refusal.value.message
    assert len(receipts.releases()) == 1


def test_a_reader_learns_how_old_the_block_is(
    consents, image_set, reader, reading, service, wall, who
):
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)
    wall(17)
    released = reading.secret(
        image_set.image_id,
        reader=reader,
        private_key=PRIVATE_KEY,
        key_service=service,
        use=Use.of(["CC"]),
    )
    assert released.block_age == 17


def test_receipts_and_signatures_go_by_the_same_clock(
    consents, ledger, reader, service, wall, who, ask, submit
):
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)
    now = ledger.now()
    document = consents.revoke(reader.address).sign(who.patient, valid_for=HOUR)
    assert document["typedData"]["message"]["deadline"] == now + HOUR
    wall(HOUR + 1)
    with pytest.raises(ReceiptStale) as refusal:
        service.release(ask(reader, time=now))
    assert refusal.value.values == {"time": now, "now": now + HOUR + 1}
    with pytest.raises(DocumentExpired):
        submit(document, who.hospital)
    later = consents.revoke(reader.address).sign(who.patient, valid_for=HOUR)
    assert later["typedData"]["message"]["deadline"] == now + 2 * HOUR + 1
