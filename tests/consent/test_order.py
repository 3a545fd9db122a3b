"""What was signed last counts, in whichever order it arrives and whatever a clock says."""

from __future__ import annotations

import pytest

from radledger.chain.refusals import ConsentRevokedSince
from radledger.consent import Terms
from radledger.errors import Refusal
from radledger.wording import humanize

DAY = 24 * 3600
CARE = Terms(("CC",))


@pytest.fixture
def outcomes(who, submit):
    """Have documents submitted; the names of the refusals, none for what counts."""

    def outcomes(*documents):
        refusals = []
        for document in documents:
            try:
                submit(document, who.stranger)
                refusals.append(None)
            except Refusal as refusal:
                refusals.append(refusal.name)
        return refusals

    return outcomes


@pytest.fixture
def reason(consents, who, image_set):
    return lambda: consents.check(who.radiologist.address, image_set, ["CC"]).reason


@pytest.mark.parametrize("seconds", [0, 10, 3 * DAY])
@pytest.mark.parametrize("everything", [False, True], ids=["revoke", "revoke_all"])
@pytest.mark.parametrize("first", ["grant", "revocation"])
def test_a_grant_and_its_revocation_of_one_sitting(
    consents, who, travel, submit, outcomes, reason, first, everything, seconds
):
    patient, reader = who.patient, who.radiologist.address
    grant = consents.grant(reader, CARE).sign(patient)
    if seconds:
        travel(seconds)
    revocation = (
        consents.revoke_all().sign(patient) if everything else consents.revoke(reader).sign(patient)
    )
    if first == "grant":
        assert outcomes(grant, revocation) == [None, None]
        assert reason() == "revoked"
    else:
        submit(revocation, who.stranger)
        with pytest.raises(Refusal, match="to grant again, sign a new grant") as refusal:
            submit(grant, who.stranger)
        assert refusal.value.values["signed"] == revocation["typedData"]["message"]["signed"]
        assert reason() == ("never granted" if everything else "revoked")


def test_of_two_grants_of_one_sitting_the_later_counts(consents, who, travel, outcomes, reason):
    patient, reader = who.patient, who.radiologist.address
    wide = consents.grant(reader, Terms(("CC", "GRU"))).sign(patient)
    travel(3_600)  # the chain's clock may be minutes behind the machine's
    narrow = consents.grant(reader, Terms(("TEACHING",))).sign(patient)
    assert outcomes(narrow, wide) == [None, "ConsentSuperseded"]
    assert reason() == "purpose"


@pytest.mark.usefixtures("patient_with_ether")
def test_a_grant_that_was_held_back_while_its_subject_revoked(consents, who, outcomes, reason):
    patient, reader = who.patient, who.radiologist.address
    held_back = consents.grant(reader, CARE).sign(patient)
    consents.grant(reader, CARE).send(patient)
    consents.revoke(reader).send(patient)
    assert outcomes(held_back) == ["ConsentRevokedSince"]
    assert reason() == "revoked"


def test_granting_again_after_a_revocation(consents, who, outcomes, reason):
    """Over a revocation that stands a new grant counts at once, and no replay takes it back."""
    patient, reader = who.patient, who.radiologist.address
    grant = consents.grant(reader, CARE).sign(patient)
    outcomes(grant)
    revocation = consents.revoke(reader).sign(patient)
    too_early = consents.grant(reader, CARE).sign(patient)
    assert outcomes(revocation, too_early) == [None, "ConsentRevokedSince"]
    assert outcomes(consents.grant(reader, CARE).sign(patient)) == [None]
    assert outcomes(revocation, grant) == ["ConsentGrantedSince", "ConsentSuperseded"]
    assert reason() == "permitted"


@pytest.mark.parametrize("error", [-DAY, -60, 60, DAY, 30 * DAY])
def test_a_machine_whose_clock_is_wrong(consents, who, wall, outcomes, reason, error):
    """It signs what counts: the chain tells the time, and what stands."""
    patient, reader = who.patient, who.radiologist.address
    wall(error)
    grant = consents.grant(reader, CARE).sign(patient)
    assert outcomes(grant) == [None]
    assert outcomes(consents.revoke(reader).sign(patient)) == [None]
    assert outcomes(consents.grant(reader, CARE).sign(patient)) == [None]
    assert outcomes(consents.revoke_all().sign(patient)) == [None]
    assert outcomes(grant) == ["ConsentAllRevokedSince"]


def test_a_refusal_says_when_what_prevails_was_signed(consents, who, submit, outcomes):
    patient, reader = who.patient, who.radiologist.address
    grant = consents.grant(reader, CARE).sign(patient)
    outcomes(consents.revoke(reader).sign(patient))
    with pytest.raises(ConsentRevokedSince) as refusal:
        submit(grant, who.stranger)
    told = humanize(refusal.value)
    assert told.startswith("The grant may be older than a recorded revocation; to grant again")
    assert " UTC" in told
