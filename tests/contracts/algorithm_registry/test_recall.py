"""A faulty version is recalled for good, by its institution or a regulator."""

from __future__ import annotations

import pytest

from tests.contracts.conftest import Role, digest, error, plain, sign_request, travel

NOTICE = digest("safety notice")


@pytest.mark.parametrize("who", ["developer", "vendor", "regulator"])
def test_institution_or_a_regulator_recalls(algorithms, version, vendor, request, now, who):
    actor = request.getfixturevalue(who)
    published_at = algorithms.versionOf(version)["publishedAt"]
    travel(now() + 60)
    transaction = algorithms.recall(version, NOTICE, {"from": actor})
    assert transaction.events["AlgorithmVersionRecalled"] == {
        "version": version,
        "actor": actor,
        "notice": NOTICE,
    }
    assert plain(algorithms.versionOf(version)) == (vendor.address, published_at, now())
    assert now() >= published_at + 60


def test_another_developer_of_the_institution_recalls(
    algorithms, accredited, version, vendor, stranger
):
    accredited.admit(stranger, Role.DEVELOPER, {"from": vendor})
    algorithms.recall(version, NOTICE, {"from": stranger})


def test_regulator_who_develops_too_recalls_those_of_others(
    algorithms, accredited, governor, version, clinic
):
    with error(
        "AlgorithmNotPublisher", accredited.institutionOf(algorithms.versionOf(version)[0]), clinic
    ):
        algorithms.recall(version, NOTICE, {"from": clinic})
    accredited.admitInstitution(clinic, Role.DEVELOPER | Role.REGULATOR, {"from": governor})
    algorithms.recall(version, NOTICE, {"from": clinic})


def test_others_recall_nothing(algorithms, version, vendor, clinic, hospital, stranger, developer):
    with error("AlgorithmNotPublisher", vendor, clinic):
        algorithms.recall(version, NOTICE, {"from": clinic})
    held = Role.CUSTODIAN | Role.RADIOLOGIST
    with error("ParticipantLacksRole", hospital, Role.DEVELOPER, held):
        algorithms.recall(version, NOTICE, {"from": hospital})
    with error("ParticipantNotAccredited", stranger):
        algorithms.recall(version, NOTICE, {"from": stranger})
    assert algorithms.versionOf(version)["recalledAt"] == 0
    algorithms.recall(version, NOTICE, {"from": developer})


def test_suspended_regulator_recalls_nothing(algorithms, accredited, governor, version, regulator):
    accredited.suspend(regulator, {"from": governor})
    with error("ParticipantIsSuspended", regulator, regulator):
        algorithms.recall(version, NOTICE, {"from": regulator})
    accredited.reinstate(regulator, {"from": governor})
    algorithms.recall(version, NOTICE, {"from": regulator})


def test_developer_who_changed_institution_recalls_nothing_of_the_old_one(
    algorithms, accredited, version, developer, vendor, clinic
):
    accredited.leaveInstitution({"from": developer})
    accredited.admit(developer, Role.DEVELOPER, {"from": clinic})
    with error("AlgorithmNotPublisher", vendor, clinic):
        algorithms.recall(version, NOTICE, {"from": developer})


def test_unknown_version_is_not_recalled(algorithms, developer):
    with error("AlgorithmVersionUnknown", digest("unknown")):
        algorithms.recall(digest("unknown"), NOTICE, {"from": developer})


def test_recall_is_for_good(algorithms, publish, version, developer, regulator, now):
    algorithms.recall(version, NOTICE, {"from": developer})
    recalled_at = now()
    travel(recalled_at + 60)
    for again in (developer, regulator):
        with error("AlgorithmVersionIsRecalled", version):
            algorithms.recall(version, NOTICE, {"from": again})
    with error("AlgorithmVersionAlreadyPublished", version):
        publish(label="0.9.0")
    assert algorithms.versionOf(version)["recalledAt"] == recalled_at


def test_recall_touches_no_other_version(algorithms, publish, version, developer):
    another = publish(label="1.1.0", parent=version).return_value
    algorithms.recall(version, NOTICE, {"from": developer})
    assert algorithms.versionOf(another)["recalledAt"] == 0


def test_forwarded_call_is_its_signers(algorithms, forwarder, version, developer, stranger, now):
    call = (algorithms, algorithms.recall.encode_input(version, NOTICE))
    request = sign_request(forwarder, developer, call, now() + 60)
    transaction = forwarder.execute(request, {"from": stranger})
    assert transaction.events["AlgorithmVersionRecalled"]["actor"] == developer
