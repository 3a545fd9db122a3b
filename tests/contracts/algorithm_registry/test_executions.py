"""Executions on images that the operator may use, and by a root over any number of them."""

from __future__ import annotations

import pytest

from tests.contracts.algorithm_registry.conftest import (
    CARE,
    NO_DISEASE,
    NONE,
    YEAR,
    Purpose,
    execution_id,
)
from tests.contracts.conftest import Role, digest, error, plain, sign_request, travel

OUTPUT = digest("output")
ROOT = digest("root")


# ---------------------------------------------------------------------------- on images


def test_execution_on_one_image_set(execute, version, anchored, consented, radiologist):
    image_set, grant = anchored(), consented()
    recorded = execute(image_set).events["AlgorithmExecutionRecorded"]
    assert (recorded["version"], recorded["operator"]) == (version, radiologist)
    assert recorded["output"] == OUTPUT
    assert plain(recorded["use"]) == CARE
    assert plain(recorded["images"]) == (image_set.id,)
    assert plain(recorded["grantIds"]) == (grant,)


def test_execution_on_image_sets_of_several_patients_keeps_their_order(
    execute, anchored, consented, patient, neighbour
):
    ours, theirs, later = anchored(), anchored(neighbour), anchored()
    grants = {patient: consented(), neighbour: consented(neighbour)}
    recorded = execute(ours, theirs, later).events["AlgorithmExecutionRecorded"]
    assert plain(recorded["images"]) == (ours.id, theirs.id, later.id)
    assert plain(recorded["grantIds"]) == (
        grants[patient],
        grants[neighbour],
        grants[patient],
    )


def test_execution_on_sets_under_different_grants_names_each(execute, anchored, consented):
    """One patient's grants for single image sets."""
    image_sets = [anchored() for _ in range(3)]
    grants = [consented(scope=image_set.id) for image_set in image_sets]
    recorded = execute(*image_sets).events["AlgorithmExecutionRecorded"]
    assert plain(recorded["grantIds"]) == tuple(grants)


def test_patient_executes_on_own_images_without_a_grant(execute, anchored, patient):
    recorded = execute(anchored(), sender=patient).events["AlgorithmExecutionRecorded"]
    assert recorded["operator"] == patient
    assert plain(recorded["grantIds"]) == (NONE,)


def test_reader_of_no_institution_executes_under_a_grant_of_its_own(
    execute, anchored, consented, stranger
):
    image_set, grant = anchored(), consented(grantee=stranger)
    recorded = execute(image_set, sender=stranger).events["AlgorithmExecutionRecorded"]
    assert plain(recorded["grantIds"]) == (grant,)


def test_execution_is_recorded_again_with_nothing_new(execute, anchored, consented):
    image_set = anchored()
    consented()
    first, again = ([dict(log) for log in execute(image_set).logs] for _ in range(2))
    for key in ("address", "topics", "data"):
        assert [log[key] for log in again] == [log[key] for log in first]


def test_image_set_named_twice_is_recorded_as_named(execute, anchored, consented):
    image_set, grant = anchored(), consented()
    recorded = execute(image_set, image_set).events["AlgorithmExecutionRecorded"]
    assert plain(recorded["images"]) == (image_set.id, image_set.id)
    assert plain(recorded["grantIds"]) == (grant, grant)


def test_execution_needs_image_sets_and_an_output(execute, anchored, consented):
    image_set = anchored()
    consented()
    with error("AlgorithmExecutionIncomplete", 0, OUTPUT):
        execute()
    with error("AlgorithmExecutionIncomplete", 1, NONE):
        execute(image_set, output=NONE)
    execute(image_set)


def test_execution_of_an_unknown_version_is_refused(execute, anchored, consented, version):
    image_set = anchored()
    consented()
    with error("AlgorithmVersionUnknown", digest("unknown")):
        execute(image_set, of=digest("unknown"))
    execute(image_set, of=version)


def test_execution_of_a_recalled_version_is_refused(
    algorithms, execute, publish, anchored, consented, version, developer
):
    image_set = anchored()
    consented()
    execute(image_set)
    corrected = publish(label="1.0.1", parent=version).return_value
    algorithms.recall(version, digest("notice"), {"from": developer})
    with error("AlgorithmVersionIsRecalled", version):
        execute(image_set)
    execute(image_set, of=corrected)


def test_execution_names_the_version_that_ran(execute, publish, anchored, consented, clinic):
    """Its institution need not be permitted anything."""
    image_set = anchored()
    consented()
    theirs = publish(sender=clinic).return_value
    recorded = execute(image_set, of=theirs).events["AlgorithmExecutionRecorded"]
    assert recorded["version"] == theirs


# ---------------------------------------------------------------------------- consent


def test_consent_is_needed(execute, anchored, patient, radiologist):
    with error("ConsentNotPermittedNeverGranted", patient, radiologist):
        execute(anchored())


def test_consent_to_the_developer_does_not_permit_the_operator(
    execute, anchored, consented, patient, vendor, developer, radiologist
):
    image_set = anchored()
    consented(grantee=vendor)
    with error("ConsentNotPermittedNeverGranted", patient, radiologist):
        execute(image_set)
    execute(image_set, sender=developer)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_one_image_set_that_is_not_permitted_refuses_them_all(
    execute, anchored, consented, neighbour, radiologist, position
):
    image_sets = [anchored(), anchored()]
    consented()
    image_sets.insert(position, anchored(neighbour))
    with error("ConsentNotPermittedNeverGranted", neighbour, radiologist):
        execute(*image_sets)
    consented(neighbour)
    execute(*image_sets)


def test_consent_revoked_in_between(
    execute, anchored, consented, consents, patient, hospital, radiologist
):
    image_sets = anchored(), anchored()
    consented()
    execute(*image_sets)
    consents.revoke(patient, hospital, NONE, {"from": patient})
    with error("ConsentNotPermittedRevoked", patient, radiologist):
        execute(*image_sets)
    consented()
    execute(*image_sets)


def test_consent_of_all_revoked_in_between(
    execute, anchored, consented, consents, patient, radiologist
):
    image_set = anchored()
    consented()
    execute(image_set)
    consents.revokeAll(patient, {"from": patient})
    with error("ConsentNotPermittedRevoked", patient, radiologist):
        execute(image_set)


def test_consent_expired_in_between(execute, anchored, consented, patient, radiologist, now):
    image_set, until = anchored(), now() + YEAR
    consented()
    execute(image_set)
    travel(until)
    with error("ConsentNotPermittedExpired", patient, radiologist, until):
        execute(image_set)
    consented()
    execute(image_set)


def test_consent_is_for_the_stated_purpose(execute, anchored, consented):
    image_sets = anchored(), anchored()
    consented()
    research = (Purpose.BIOMEDICAL_RESEARCH, 0, NO_DISEASE)
    refusal = ("ConsentNotPermittedPurpose", Purpose.CLINICAL_CARE, Purpose.BIOMEDICAL_RESEARCH)
    with error(*refusal):
        execute(*image_sets, use=research)
    execute(*image_sets)


@pytest.mark.parametrize("position", [0, 1])
def test_erased_image_set_refuses_them_all(
    execute, images, anchored, consented, hospital, position
):
    erased, kept = anchored(), anchored()
    consented()
    execute(kept, erased)
    images.erase(erased, digest("certificate"), {"from": hospital})
    image_sets = [kept]
    image_sets.insert(position, erased)
    with error("ConsentNotPermittedErased", erased.id):
        execute(*image_sets)
    execute(kept)


@pytest.mark.parametrize("position", [0, 1])
def test_disowned_image_set_refuses_them_all(
    execute, images, anchored, consented, patient, position
):
    disowned, kept = anchored(), anchored()
    consented()
    images.disown(disowned, {"from": patient})
    image_sets = [kept]
    image_sets.insert(position, disowned)
    with error("ConsentNotPermittedDisowned", disowned.id):
        execute(*image_sets)
    execute(kept)


def test_image_set_that_is_not_anchored_is_refused(execute, anchored, consented):
    """Another value makes another id, which stands for nothing."""
    image_set = anchored()
    consented()
    claimed = image_set._replace(root=digest("other root"))
    with error("ConsentNotPermittedNotAnchored", claimed.id):
        execute(image_set, claimed)


def test_suspended_operator_executes_nothing(
    execute, accredited, anchored, consented, hospital, radiologist
):
    image_sets = anchored(), anchored()
    consented()
    accredited.suspend(radiologist, {"from": hospital})
    with error("ConsentNotPermittedReaderSuspended", radiologist):
        execute(*image_sets)
    accredited.reinstate(radiologist, {"from": hospital})
    execute(*image_sets)


def test_forwarded_call_is_its_signers(
    algorithms, execute, forwarder, version, anchored, patient, stranger, now
):
    """The signer's permission decides, not that of the sender, who pays."""
    image_set = anchored()
    with error("ConsentNotPermittedNeverGranted", patient, stranger):
        execute(image_set, sender=stranger)
    call = (algorithms, algorithms.recordExecution.encode_input(version, [image_set], CARE, OUTPUT))
    request = sign_request(forwarder, patient, call, now() + 60)
    transaction = forwarder.execute(request, {"from": stranger})
    assert transaction.events["AlgorithmExecutionRecorded"]["operator"] == patient


# ---------------------------------------------------------------------------- by a root


def test_executions_are_recorded_by_their_root(algorithms, version, radiologist):
    transaction = algorithms.recordExecutions(version, ROOT, 10_000, {"from": radiologist})
    assert transaction.events["AlgorithmExecutionsRecorded"] == {
        "version": version,
        "operator": radiologist,
        "root": ROOT,
        "count": 10_000,
    }


def test_leaf_of_the_root_is_the_id_of_an_execution(algorithms, version, anchored, radiologist):
    images = [anchored().id, anchored().id]
    arguments = (version, radiologist, images, CARE, OUTPUT)
    assert algorithms.executionIdOf(*arguments) == execution_id(*arguments)
    for other in (
        (digest("version"), *arguments[1:]),
        (version, version[:42], *arguments[2:]),
        (*arguments[:2], images[::-1], CARE, OUTPUT),
        (*arguments[:3], (Purpose.METHOD_DEVELOPMENT, 0, NO_DISEASE), OUTPUT),
        (*arguments[:4], digest("other output")),
    ):
        assert algorithms.executionIdOf(*other) == execution_id(*other)
        assert execution_id(*other) != execution_id(*arguments)


def test_executions_need_a_root_and_a_number(algorithms, version, radiologist):
    for root, number in ((NONE, 1), (ROOT, 0)):
        with error("AlgorithmExecutionsIncomplete", root, number):
            algorithms.recordExecutions(version, root, number, {"from": radiologist})
    algorithms.recordExecutions(version, ROOT, 2**32 - 1, {"from": radiologist})


def test_executions_of_an_unknown_version_are_refused(algorithms, version, radiologist):
    with error("AlgorithmVersionUnknown", digest("unknown")):
        algorithms.recordExecutions(digest("unknown"), ROOT, 1, {"from": radiologist})
    algorithms.recordExecutions(version, ROOT, 1, {"from": radiologist})


def test_executions_before_a_recall_are_recorded_after_it(
    algorithms, version, developer, radiologist
):
    """A root tells of what has happened: so it is seen who was treated with a faulty version."""
    algorithms.recall(version, digest("notice"), {"from": developer})
    algorithms.recordExecutions(version, ROOT, 1, {"from": radiologist})


def test_operator_is_accredited(algorithms, accredited, version, stranger, hospital):
    with error("AlgorithmOperatorNotAccredited", stranger):
        algorithms.recordExecutions(version, ROOT, 1, {"from": stranger})
    accredited.admit(stranger, Role.RADIOLOGIST, {"from": hospital})
    algorithms.recordExecutions(version, ROOT, 1, {"from": stranger})


def test_operator_is_not_suspended(
    algorithms, accredited, version, governor, hospital, radiologist
):
    for suspended, authority in ((radiologist, hospital), (hospital, governor)):
        accredited.suspend(suspended, {"from": authority})
        with error("AlgorithmOperatorNotAccredited", radiologist):
            algorithms.recordExecutions(version, ROOT, 1, {"from": radiologist})
        accredited.reinstate(suspended, {"from": authority})
    algorithms.recordExecutions(version, ROOT, 1, {"from": radiologist})


def test_forwarded_root_is_its_signers(algorithms, forwarder, version, developer, stranger, now):
    call = (algorithms, algorithms.recordExecutions.encode_input(version, ROOT, 7))
    request = sign_request(forwarder, developer, call, now() + 60)
    transaction = forwarder.execute(request, {"from": stranger})
    assert transaction.events["AlgorithmExecutionsRecorded"]["operator"] == developer
