"""Lineage both ways, from an image set to a payout and back; as text, picture and PROV."""

from __future__ import annotations

import shutil
import subprocess

import pytest
import sqlalchemy

from radledger.algorithms import Algorithms, Release
from radledger.index import tables
from radledger.index.errors import NothingKnown
from radledger.index.graphs import to_dot, write_png
from radledger.index.lineage import Lineage, Link, Node, kinds
from radledger.index.provenance import to_prov
from radledger.index.service import Index
from tests.index.story import MODEL, digest


@pytest.fixture
def url(tmp_path):
    """SQLite; that PostgreSQL gives the same is shown where the index is built."""
    return f"sqlite:///{tmp_path / 'index.sqlite3'}"


def ids(lineage, kind):
    return {node.id for node in lineage.nodes if node.kind == kind}


def suspended_at(index):
    """When an image set was suspended last, Unix time."""
    table = tables.events
    last = sqlalchemy.func.max(table.c.timestamp)
    chosen = sqlalchemy.select(last).where(table.c.name == "DatasetImageSuspended")
    with index.database.reading() as connection:
        return connection.execute(chosen).scalar_one()


def relations(lineage):
    return {(link.source, link.relation, link.target) for link in lineage.links}


def test_from_an_image_set_to_what_was_paid_for_it(index, story):
    found = index.lineage(story.original.image_id)
    original, deidentified = story.original.image_id, story.deidentified.image_id
    assert ids(found, "image set") == {original, deidentified}
    assert ids(found, "data set") == {story.dataset}
    # The second version has the data of what was made of it; the patient ended the rest.
    assert ids(found, "version") == {f"{story.dataset}/1", f"{story.dataset}/2"}
    # The patient's and the hospital's, and what the patient's successor collected.
    assert len(ids(found, "payout")) == 3
    assert ids(found, "work") == set()
    assert relations(found) >= {
        (original, "became", deidentified),
        (original, "contributed to", story.dataset),
        (deidentified, "is part of", f"{story.dataset}/1"),
        (story.dataset, "frozen as", f"{story.dataset}/1"),
    }
    details = {
        (link.source, link.details["class"]): link.details
        for link in found.links
        if link.relation == "contributed to"
    }
    states = {which: each["state"] for which, each in details.items()}
    assert states == {
        (original, "data"): "withdrawn",
        (original, "custody"): "withdrawn",
        (deidentified, "data"): "suspended",
        (deidentified, "custody"): "withdrawn",
    }
    # What is suspended is withdrawn from then on, with no event that says so.
    ends = {which: each.get("ends_at") for which, each in details.items()}
    ends_at = suspended_at(index) + 30 * 24 * 3600
    assert ends == {**dict.fromkeys(states), (deidentified, "data"): ends_at}


def test_postgresql_tells_the_same(ledger, index, story, postgresql, tmp_path):
    other = Index(ledger, tmp_path, postgresql)
    other.sync()
    models = (story.model.child, story.model.execution)
    for id_ in (
        *models,
        story.original.image_id,
        story.dataset,
        f"{story.dataset}/2",
        story.claims[0],
    ):
        assert other.lineage(id_) == index.lineage(id_)
    other.database.engine.dispose()


def test_a_version_tells_its_origin_and_not_what_became_of_that(index, story):
    found = index.lineage(story.deidentified.image_id)
    assert ids(found, "image set") == {story.original.image_id, story.deidentified.image_id}
    assert (story.original.image_id, "contributed to", story.dataset) not in relations(found)


def test_from_a_data_set_back_to_its_originals(index, story):
    found = index.lineage(story.dataset)
    assert ids(found, "image set") == {story.original.image_id, story.deidentified.image_id}
    assert ids(found, "work") == {digest("labels")}
    assert ids(found, "version") == {f"{story.dataset}/1", f"{story.dataset}/2"}
    assert len(ids(found, "payout")) == 3


def test_from_a_version_back_to_what_it_consists_of(index, story):
    first, second = (index.lineage(f"{story.dataset}/{number}") for number in (1, 2))
    (version,) = [node for node in second.nodes if node.kind == "version"]
    images = {story.original.image_id, story.deidentified.image_id}
    assert {link.source for link in first.links if link.relation == "is part of"} == {
        *images,
        digest("labels"),
    }
    # The patient has withdrawn the original; the other was suspended after that.
    assert {link.source for link in second.links if link.relation == "is part of"} == {
        story.deidentified.image_id,
        digest("labels"),
    }
    assert index.lineage(version.details["root"]) == second


def test_from_a_payout_back_to_what_earned_it(index, story, who):
    found = index.lineage(story.claims[0])
    assert ids(found, "image set") == {story.original.image_id, story.deidentified.image_id}
    (payout,) = [node for node in found.nodes if node.kind == "payout"]
    assert payout.details["beneficiary"] == who.patient.address
    assert {link.details["class"] for link in found.links if link.relation == "contributed to"} == {
        "data"
    }
    assert index.lineage(payout.id) == found


def test_from_a_work(index, story):
    found = index.lineage(digest("labels"))
    assert ids(found, "work") == {digest("labels")}
    assert ids(found, "version") == {f"{story.dataset}/1", f"{story.dataset}/2"}
    assert ids(found, "payout") == ids(found, "image set") == set()


def test_from_an_image_set_to_the_models_that_learned_from_it(index, story):
    found = index.lineage(story.original.image_id)
    model = story.model
    assert ids(found, "algorithm version") == {model.version, model.child}
    assert ids(found, "execution") == {model.execution}
    (batch,) = [node for node in found.nodes if node.kind == "executions"]
    assert batch.details["root"] == model.batch
    assert relations(found) >= {
        (f"{story.dataset}/1", "trained", model.version),
        (model.version, "refined to", model.child),
        (model.version, "executed as", model.execution),
        (model.version, "executed as", batch.id),
        (story.original.image_id, "used in", model.execution),
    }
    (version,) = [node for node in found.nodes if node.id == model.version]
    assert (version.details["label"], version.details["state"]) == ("1.0.0", "recalled")


def test_from_a_model_back_to_what_it_learned_from(index, story, who):
    found = index.lineage(story.model.child)
    assert ids(found, "algorithm version") == {story.model.version, story.model.child}
    assert ids(found, "version") == {f"{story.dataset}/1"}
    assert ids(found, "data set") == {story.dataset}
    assert ids(found, "image set") == {story.original.image_id, story.deidentified.image_id}
    assert ids(found, "work") == {digest("labels")}
    # What its parent was executed on did not come from it, nor did it come from that.
    assert ids(found, "execution") == ids(found, "payout") == set()
    (algorithm,) = [node for node in found.nodes if node.kind == "algorithm"]
    assert (algorithm.details["name"], algorithm.details["family"]) == (MODEL, "DCM:123110")
    nodes = {node.id: node.details for node in found.nodes}
    assert nodes[story.model.child]["developers"] == who.researcher.address
    earners = {link.details["beneficiary"] for link in found.links if "class" in link.details}
    assert who.patient.address in earners
    whole = index.lineage(algorithm.id)
    assert ids(whole, "execution") == {story.model.execution}


def test_from_an_execution_back_to_images_and_training(index, story):
    found = index.lineage(story.model.execution)
    images = {story.original.image_id, story.deidentified.image_id}
    assert ids(found, "image set") == images
    assert ids(found, "algorithm version") == {story.model.version}
    assert ids(found, "version") == {f"{story.dataset}/1"}
    assert {source for source, name, _ in relations(found) if name == "used in"} == images
    assert index.lineage(digest("output")) == found
    batch = index.lineage(story.model.batch)
    assert ids(batch, "algorithm version") == {story.model.version}
    assert index.lineage(batch.start) == batch
    assert ids(batch, "executions") == {batch.start}


@pytest.mark.parametrize("name", ["image set", "data set", "algorithm version"])
def test_a_root_that_is_the_id_of_something_else_changes_nothing(index, ledger, who, story, name):
    named = {
        "image set": story.erased.image_id,
        "data set": story.dataset,
        "algorithm version": story.model.child,
    }[name]
    before = index.lineage(named)
    release = Release("1", digest("w"))
    Algorithms(ledger).register("Foreign").send(who.researcher)
    foreign = Algorithms(ledger).publish("Foreign", release).send(who.researcher).version_id
    record = ("AlgorithmRegistry", "recordExecutions", foreign, named, 1)
    ledger.send(who.hospital, *record)
    index.sync()
    assert index.lineage(named) == before
    assert before.start == named
    assert len(ids(index.lineage(foreign), "executions")) == 1


def test_a_root_that_two_operators_recorded_is_shown_of_both(index, ledger, who, story):
    version, root = story.model.version, story.model.batch
    ledger.send(who.hospital, "AlgorithmRegistry", "recordExecutions", version, root, 9)
    index.sync()
    of_both = [node for node in index.lineage(root).nodes if node.kind == "executions"]
    assert {(node.details["operator"], node.details["count"]) for node in of_both} == {
        (who.radiologist.address, 1),
        (who.hospital.address, 9),
    }


def test_a_model_of_a_data_set_that_is_elsewhere(index, ledger, who, tmp_path):
    release = Release("1", digest("w"), trained_on=digest("elsewhere") + "/1")
    Algorithms(ledger).register("Foreign").send(who.researcher)
    made = Algorithms(ledger).publish("Foreign", release).send(who.researcher)
    index.sync()
    found = index.lineage(made.version_id)
    assert {node.kind for node in found.nodes} == {"algorithm", "algorithm version"}
    assert relations(found) == {(made.algorithm_id, "published as", made.version_id)}


def test_an_algorithm_without_versions(index, ledger, who):
    made = Algorithms(ledger).register("Empty").send(who.researcher)
    index.sync()
    (node,) = index.lineage(made.algorithm_id).nodes
    assert (node.kind, node.details["name"]) == ("algorithm", "Empty")


def test_an_erased_image_set_is_shown_as_such(index, story):
    (node,) = index.lineage(story.erased.image_id).nodes
    assert node.details["state"] == "erased"


def test_a_disowned_image_set_is_shown_as_such_until_it_is_acknowledged(index, story):
    (node,) = index.lineage(story.disowned.image_id).nodes
    assert node.details["state"] == "disowned"
    nodes = index.lineage(story.original.image_id).nodes
    states = {each.id: each.details["state"] for each in nodes if each.kind == "image set"}
    assert states[story.original.image_id] == "anchored"


@pytest.mark.parametrize("ending", ["", "/1", "/x", "/99999999999999999999"])
def test_an_unknown_id(index, ending):
    with pytest.raises(NothingKnown):
        index.lineage(digest("nothing") + ending)


def test_an_unknown_version(index, story):
    with pytest.raises(NothingKnown):
        index.lineage(f"{story.dataset}/3")


def test_graphviz_draws_it(index, story):
    program = shutil.which("dot")
    if program is None:
        pytest.skip("needs graphviz")
    dot = to_dot(index.lineage(story.dataset))
    done = subprocess.run([program, "-Tplain"], input=dot, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\nnode ") == len(index.lineage(story.dataset).nodes)


def test_a_picture(index, story, tmp_path):
    pillow = pytest.importorskip("PIL.Image", reason="needs pillow")
    pytest.importorskip("networkx", reason="needs networkx")
    write_png(index.lineage(story.dataset), tmp_path / "lineage.png")
    with pillow.open(tmp_path / "lineage.png") as picture:
        assert picture.format == "PNG"
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 5


def test_a_picture_of_a_training_that_is_stated_in_a_circle(tmp_path):
    pytest.importorskip("networkx", reason="needs networkx")
    nodes = tuple(Node(id_, "algorithm version", {"label": id_}) for id_ in "abc")
    links = tuple(Link(*ends, "trained", {}) for ends in ("ab", "bc", "cb"))
    write_png(Lineage("a", nodes, links), tmp_path / "circle.png")
    assert (tmp_path / "circle.png").stat().st_size


def test_a_name_cannot_change_a_picture(tmp_path):
    """The author of a version chooses its name; $ begins a formula, & an entity."""
    pytest.importorskip("networkx", reason="needs networkx")
    labels = (r"$\frac{$", "&#8238;\u202e\u3164", '"];evil', "x" * 1000)
    nodes = tuple(
        Node(f"0x{number:064x}", "algorithm version", {"label": label})
        for number, label in enumerate(labels)
    )
    found = Lineage(nodes[0].id, nodes, ())
    write_png(found, tmp_path / "names.png")
    assert (tmp_path / "names.png").stat().st_size
    dot = to_dot(found)
    assert r"algorithm version &amp;#8238;\\u202e\\u3164\n0x" in dot
    assert r"algorithm version \"];evil\n0x" in dot
    assert "x" * 61 not in dot
    assert dot.replace("\n", "").isprintable()


def test_prov_says_the_same(index, story, ledger):
    model = pytest.importorskip("prov.model", reason="needs prov")
    found = index.lineage(story.original.image_id)
    document = to_prov(found, ledger.chain_id)
    text = document.serialize(format="json")
    again = model.ProvDocument.deserialize(content=text, format="json")
    assert again == document

    def of(kind):
        return list(again.get_records(kind))

    assert len(of(model.ProvEntity)) == len(found.nodes)
    derived = {
        tuple(str(value).removeprefix("eip155:") for _, value in each.formal_attributes[:2])
        for each in of(model.ProvDerivation)
    }
    original, deidentified = story.original.image_id, story.deidentified.image_id
    assert derived == {
        (deidentified, original),
        (story.model.version, f"{story.dataset}-1"),
        (story.model.child, story.model.version),
        (story.model.execution, original),
        (story.model.execution, deidentified),
    }
    assert len(of(model.ProvMembership)) == 3
    assert {str(agent.identifier) for agent in of(model.ProvAgent)} == {
        f"eip155:{node.details[role]}" for node in found.nodes if (role := kinds()[node.kind].agent)
    }


def test_from_a_receipt_to_the_demand_for_it_and_back(index, story):
    receipt, demand = f"{story.demands.receipt}/receipt", story.demands.answered
    for id_ in (receipt, demand):
        found = index.lineage(id_)
        assert found.start == id_
        assert relations(found) == {(receipt, "demanded by", demand)}
        details = {node.kind: node.details for node in found.nodes}
        assert details["receipt"]["institution"] == details["demand"]["institution"]
        assert details["demand"]["timestamp"] <= details["demand"]["answered_at"]
    (omitted,) = (
        node for node in index.lineage(story.demands.omitted).nodes if node.kind == "demand"
    )
    assert "answered_at" not in omitted.details


def test_receipt_that_was_not_demanded_tells_who_signed_it(index, story, who):
    (node,) = index.lineage(f"{story.demands.signed}/receipt").nodes
    assert node.details["signer"] == who.radiologist.address
    with pytest.raises(NothingKnown):
        index.lineage(digest("left out") + "/receipt")


def test_receipt_that_has_the_id_of_an_image_does_not_change_its_lineage(ledger, index, story, who):
    image = story.original.image_id
    before = index.lineage(image)
    same = bytes.fromhex(image[2:])
    ledger.send(who.stranger, "AccessLedger", "record", who.hospital.address, same)
    index.sync()
    assert index.lineage(image) == before
    assert "AccessReceiptRecorded" not in {each.event for each in index.history(image)}
