"""Algorithms through the service: registered, published, executed with consent, recalled."""

from __future__ import annotations

import pytest
from eth_abi import encode

from radledger.algorithms import Release, Run
from radledger.algorithms.bindings import NewVersion
from radledger.algorithms.errors import (
    InvalidAlgorithmId,
    InvalidFamily,
    InvalidTraining,
    UnknownAlgorithm,
    UnknownVersion,
)
from radledger.chain.refusals import (
    AlgorithmNotPublisher,
    AlgorithmVersionAlreadyPublished,
    AlgorithmVersionIsRecalled,
    AlgorithmVersionUnknown,
    ConsentNotPermittedNeverGranted,
    ConsentNotPermittedPurpose,
    ParticipantLacksRole,
)
from radledger.consent import Consents
from radledger.consent.permission import Use
from radledger.crypto.errors import EmptyTree
from radledger.crypto.merkle import MerkleTree, verify
from radledger.index.service import Index
from tests.algorithms.conftest import NAME, digest

RESEARCH = Use.of(["HMB"], ["NCU"])
UNKNOWN = "0x" + "07" * 32


def test_an_algorithm_has_the_name_and_family_that_were_registered_last(algorithms, people):
    developer, clinic = people["researcher"], people["clinic"].address
    assert algorithms.list() == ()
    first = algorithms.register(NAME).send(developer).algorithm_id
    assert (algorithms.show(first).name, algorithms.show(first).family) == (NAME, None)
    assert algorithms.register(NAME, "DCM:123110").send(developer).algorithm_id == first
    shown = algorithms.show(first)
    assert (shown.name, shown.family, shown.institution) == (NAME, "DCM:123110", clinic)
    assert algorithms.list(institution=clinic) == (shown,)
    assert algorithms.list(institution=people["hospital"].address) == ()


def test_a_version_tells_what_was_stated_of_it(algorithms, people, ledger):
    developer, other = people["researcher"], people["radiologist"].address
    dataset = digest("data set")
    algorithms.register(NAME).send(developer)
    parent = algorithms.publish(NAME, Release("1", digest("a"))).send(developer)
    release = Release(
        "2.0.0",
        digest("weights"),
        trained_on=f"{dataset}/3",
        conditions=digest("conditions"),
        parent=parent.version_id,
        developers=(developer.address, other),
    )
    made = algorithms.publish(NAME, release).send(developer)
    shown = algorithms.version(made.version_id)
    names = ("label", "digest", "trained_on", "conditions", "parent", "developers")
    assert all(getattr(shown, name) == getattr(release, name) for name in names)
    assert shown.institution == people["clinic"].address
    assert shown.published_at == ledger.now()
    assert (shown.recalled_at, shown.notice, shown.executions, shown.batches) == (
        None,
        None,
        (),
        (),
    )
    whole = algorithms.show(made.algorithm_id)
    assert [each.label for each in whole.versions] == ["1", "2.0.0"]
    assert whole.versions[0].developers == (developer.address,)
    assert (whole.versions[0].trained_on, whole.versions[0].parent) == (None, None)
    assert whole.name == NAME
    with pytest.raises(AlgorithmVersionAlreadyPublished) as again:
        algorithms.publish(NAME, release).send(developer)
    assert again.value.values == {"version": made.version_id}


def test_a_version_belongs_to_a_registered_algorithm_of_the_institution(algorithms, people):
    developer, clinic = people["researcher"], people["clinic"].address
    release = Release("1", digest("a"))
    algorithms.register(NAME).send(developer)
    with pytest.raises(UnknownAlgorithm, match="`radledger algorithm register`") as refused:
        algorithms.publish(NAME.lower(), release).send(developer)
    assert refused.value.values == {"name": NAME.lower(), "institution": clinic}
    assert algorithms.publish(NAME, release).send(developer).version_id


def test_a_version_that_another_client_published_without_registration_has_no_name(
    algorithms, people, ledger
):
    """The contract keeps no names, so it cannot refuse."""
    stated = NewVersion(bytes(31) + b"1", bytes(32), 0, bytes(32), bytes(32))
    developer = people["researcher"]
    call = ("AlgorithmRegistry", "publish", NAME, "1", stated, [developer.address])
    args = ledger.send(developer, *call).event("AlgorithmVersionPublished").args
    assert algorithms.show(args["algorithm"]).name is None


def test_only_a_developer_registers_and_publishes(algorithms, people):
    for action in (algorithms.register(NAME), algorithms.publish(NAME, Release("1", UNKNOWN))):
        with pytest.raises(ParticipantLacksRole) as refused:
            action.send(people["radiologist"])
        assert refused.value.values["account"] == people["radiologist"].address


def test_an_execution_is_recorded_with_the_grant_that_permitted_it(
    algorithms, people, version, anchor, consent, ledger
):
    images = [anchor(), anchor()]
    made = algorithms.run(version, images, RESEARCH, digest("output")).send(people["researcher"])
    (shown,) = algorithms.version(version).executions
    assert shown.execution_id == made.execution_id
    assert shown.images == tuple(image.image_id for image in images)
    assert (shown.operator, shown.output) == (people["researcher"].address, digest("output"))
    assert (shown.purposes, shown.fulfilled, shown.disease) == (("HMB",), ("NCU",), None)
    assert shown.transaction == made.receipt.transaction
    (grant,) = Consents(ledger).list(subject=people["patient"].address)
    assert shown.grant_ids == (grant.grant_id, grant.grant_id)
    sets = [bytes.fromhex(image.image_id[2:]) for image in images]
    words = (bytes.fromhex(each[2:]) for each in (version, digest("output")))
    id_, output = words
    computed = ledger.call(
        "AlgorithmRegistry", "executionIdOf", id_, shown.operator, sets, RESEARCH.struct, output
    )
    assert shown.execution_id == "0x" + computed.hex()
    # Recorded again it is the same one.
    algorithms.run(version, images, RESEARCH, digest("output")).send(people["researcher"])
    assert algorithms.version(version).executions == (shown,)


def test_an_execution_without_consent_is_refused(algorithms, people, version, anchor, consent):
    image, others = anchor(), anchor(people["stranger"])
    output = digest("output")
    with pytest.raises(ConsentNotPermittedNeverGranted) as refused:
        algorithms.run(version, [image, others], RESEARCH, output).send(people["researcher"])
    assert refused.value.values["subject"] == people["stranger"].address
    with pytest.raises(ConsentNotPermittedPurpose) as refused:
        algorithms.run(version, [image], Use.of(["CC"]), output).send(people["researcher"])
    assert refused.value.values["used"] == Use.of(["CC"]).purposes
    assert algorithms.version(version).executions == ()


def test_a_recalled_version_is_not_executed_any_more(
    algorithms, people, version, anchor, consent, ledger
):
    with pytest.raises(ParticipantLacksRole):
        algorithms.recall(version, digest("notice")).send(people["radiologist"])
    with pytest.raises(AlgorithmNotPublisher) as foreign:
        algorithms.recall(version, digest("notice")).send(people["hospital"])
    assert foreign.value.values["institution"] == people["hospital"].address
    algorithms.recall(version, digest("notice")).send(people["clinic"])
    shown = algorithms.version(version)
    assert (shown.recalled_at, shown.notice) == (ledger.now(), digest("notice"))
    assert shown.recalled_by == people["clinic"].address
    with pytest.raises(AlgorithmVersionIsRecalled) as refused:
        algorithms.run(version, [anchor()], RESEARCH, digest("out")).send(people["researcher"])
    assert refused.value.values == {"version": version}


def test_many_executions_are_recorded_by_a_root_that_proves_each(
    algorithms, people, version, ledger
):
    runs = [Run((digest(f"image {n}"),), RESEARCH, digest(f"output {n}")) for n in range(5)]
    made = algorithms.run_batch(version, runs).send(people["radiologist"])
    (batch,) = algorithms.version(version).batches
    assert (batch.root, batch.count) == (made.root, 5)
    assert batch.operator == people["radiologist"].address
    leaves = [bytes.fromhex(id_[2:]) for id_ in made.execution_ids]
    proof = MerkleTree(leaves).proof(3)
    assert verify(bytes.fromhex(made.root[2:]), leaves[3], proof)
    assert not verify(bytes.fromhex(made.root[2:]), leaves[2], proof)
    with pytest.raises(AlgorithmVersionUnknown) as refused:
        algorithms.run_batch(UNKNOWN, runs).send(people["radiologist"])
    assert refused.value.values == {"version": UNKNOWN}
    with pytest.raises(EmptyTree):
        algorithms.run_batch(version, []).send(people["radiologist"])


@pytest.mark.parametrize("family", ["DCM", "DCM:", ":1", "DCM:1 2", "DCM:ä", "DCM:12345678901234"])
def test_what_is_not_a_family(algorithms, family):
    with pytest.raises(InvalidFamily) as refused:
        algorithms.register(NAME, family)
    assert refused.value.values == {"text": family}


@pytest.mark.parametrize("training", ["/1", "x/1", "0x12/1"])
def test_what_is_not_the_id_of_a_data_set(algorithms, training):
    with pytest.raises(InvalidAlgorithmId) as refused:
        algorithms.publish(NAME, Release("1", UNKNOWN, trained_on=training))
    assert refused.value.values == {"text": training.partition("/")[0]}


@pytest.mark.parametrize("number", ["", "/", "/0", "/x", "/-1", "/4294967296", "/" + "9" * 5000])
def test_what_is_not_the_number_of_a_version(algorithms, number):
    with pytest.raises(InvalidTraining) as refused:
        algorithms.publish(NAME, Release("1", UNKNOWN, trained_on=UNKNOWN + number))
    assert refused.value.values == {"text": UNKNOWN + number}


def test_what_does_not_exist(algorithms):
    with pytest.raises(UnknownAlgorithm) as refused:
        algorithms.show(UNKNOWN)
    assert refused.value.values == {"algorithm": UNKNOWN}
    with pytest.raises(UnknownVersion) as refused:
        algorithms.version(UNKNOWN)
    assert refused.value.values == {"version": UNKNOWN}
    for find in (algorithms.show, algorithms.version):
        with pytest.raises(InvalidAlgorithmId):
            find("0x12")


def test_a_name_that_is_not_text_stops_no_index(algorithms, people, ledger, tmp_path, postgresql):
    """A developer's name may have any bytes; an index that did not accept them would stop."""
    arguments = encode(["bytes", "bytes16"], [b"A\xff\0B", b"\xfe\0C"])
    selector = bytes.fromhex(ledger.encode("AlgorithmRegistry", "register", "", bytes(16))[1][2:10])
    data = "0x" + (selector + arguments).hex()
    ledger.sender.send(people["researcher"], ledger.address("AlgorithmRegistry"), data)
    (shown,) = algorithms.list()
    assert (shown.name, shown.family) == (r"A\xff\x00B", r"\xfe\x00C")
    for url in (f"sqlite:///{tmp_path / 'index.sqlite3'}", postgresql):
        index = Index(ledger, tmp_path, url)
        index.sync()
        assert index.audit().differences == ()
        assert index.history(shown.algorithm_id)[0].details["name"] == shown.name
        index.database.engine.dispose()
