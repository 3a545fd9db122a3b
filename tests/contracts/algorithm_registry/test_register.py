"""An algorithm belongs to the institution of its developer and is known by its name."""

from __future__ import annotations

import pytest

from tests.contracts.algorithm_registry.conftest import NAME, algorithm_id, family
from tests.contracts.conftest import Role, error, sign_request


def test_developer_registers_an_algorithm_of_the_institution(algorithms, developer, vendor):
    transaction = algorithms.register(NAME, family(), {"from": developer})
    assert transaction.return_value == algorithm_id(vendor)
    assert transaction.events["AlgorithmRegistered"] == {
        "algorithm": algorithm_id(vendor),
        "institution": vendor,
        "name": NAME,
        "family": family(),
    }


def test_institution_registers_itself(algorithms, vendor):
    registered = algorithms.register(NAME, family(), {"from": vendor})
    assert registered.return_value == algorithm_id(vendor)


@pytest.mark.parametrize(
    "name", ["A", "Whole brain large UNEST segmentation, T1w MRI", "Milz-Größe"]
)
def test_name_is_recorded_as_it_is(algorithms, developer, vendor, name):
    registered = algorithms.register(name, family(""), {"from": developer})
    assert registered.events["AlgorithmRegistered"]["name"] == name
    assert registered.events["AlgorithmRegistered"]["family"] == family("")
    assert algorithms.algorithmIdOf(vendor, name) == algorithm_id(vendor, name)


def test_name_is_needed(algorithms, developer, vendor):
    with error("AlgorithmNameMissing"):
        algorithms.register("", family(), {"from": developer})
    with error("AlgorithmNameMissing"):
        algorithms.algorithmIdOf(vendor, "")


def test_same_name_of_two_institutions_names_two_algorithms(algorithms, developer, vendor, clinic):
    ours = algorithms.register(NAME, family(), {"from": developer}).return_value
    theirs = algorithms.register(NAME, family(), {"from": clinic}).return_value
    assert (ours, theirs) == (algorithm_id(vendor), algorithm_id(clinic))
    assert ours != theirs


def test_registering_again_keeps_the_id_and_changes_the_family(algorithms, developer):
    first = algorithms.register(NAME, family(), {"from": developer})
    again = algorithms.register(NAME, family("DCM:123109"), {"from": developer})
    assert again.return_value == first.return_value
    assert again.events["AlgorithmRegistered"]["family"] == family("DCM:123109")


def test_others_register_nothing(
    algorithms, developer, stranger, hospital, researcher, radiologist
):
    for other, held in (
        (hospital, Role.CUSTODIAN | Role.RADIOLOGIST),
        (radiologist, Role.RADIOLOGIST),
        (researcher, Role.RESEARCHER),
    ):
        with error("ParticipantLacksRole", other, Role.DEVELOPER, held):
            algorithms.register(NAME, family(), {"from": other})
    with error("ParticipantNotAccredited", stranger):
        algorithms.register(NAME, family(), {"from": stranger})
    algorithms.register(NAME, family(), {"from": developer})


def test_suspended_developer_registers_nothing(algorithms, accredited, developer, vendor):
    accredited.suspend(developer, {"from": vendor})
    with error("ParticipantIsSuspended", developer, vendor):
        algorithms.register(NAME, family(), {"from": developer})
    accredited.reinstate(developer, {"from": vendor})
    algorithms.register(NAME, family(), {"from": developer})


def test_suspended_institution_registers_nothing(
    algorithms, accredited, developer, governor, vendor
):
    accredited.suspend(vendor, {"from": governor})
    with error("ParticipantIsSuspended", developer, vendor):
        algorithms.register(NAME, family(), {"from": developer})
    accredited.reinstate(vendor, {"from": governor})
    algorithms.register(NAME, family(), {"from": developer})


def test_forwarded_call_is_its_signers(algorithms, forwarder, developer, stranger, vendor, now):
    call = (algorithms, algorithms.register.encode_input(NAME, family()))
    request = sign_request(forwarder, developer, call, now() + 60)
    transaction = forwarder.execute(request, {"from": stranger})
    assert transaction.events["AlgorithmRegistered"]["institution"] == vendor


def test_only_the_forwarder_speaks_for_others(algorithms, developer, stranger):
    """A sender's address behind the call's input means something from the forwarder alone."""
    appended = algorithms.register.encode_input(NAME, family()) + developer.address[2:]
    with error("ParticipantNotAccredited", stranger):
        stranger.transfer(algorithms, data=appended)
