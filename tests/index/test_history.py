"""The history of an image set, a data set, a person; and ids that the index does not know."""

from __future__ import annotations

import pytest

from radledger.algorithms import Algorithms, Release
from radledger.areas import CONTRACTS
from radledger.chain import artifacts
from radledger.consent import Consents, Terms
from radledger.identity.errors import InvalidAddress
from radledger.index.errors import NoIdOrAddress, NothingKnown
from radledger.index.history import parse_term
from radledger.research import Datasets
from tests.index.story import digest


def names(entries):
    return [entry.event for entry in entries]


def test_an_image_sets_history_is_whole(index, story):
    entries = index.history(story.original.image_id)
    assert sorted(entries, key=lambda e: (e.block, e.log_index)) == entries
    told = names(entries)
    assert told[0] == "ImageAnchored"
    assert told.count("ImageAnchored") == 2  # its own, and that of the version made of it
    assert told.count("ImageRekeyed") == 1
    assert told.count("DatasetImageContributed") == told.count("DatasetImageWithdrawn") == 1
    # What the patient consented to for everything, the visit or this set, and took back.
    assert told.count("ConsentRequested") == 1
    assert {"ConsentGranted", "ConsentRevoked", "ConsentRevokedAll"} <= set(told)
    assert {"EmergencyDeclared", "EmergencyReviewed"} <= set(told)
    assert "ImageErased" not in told


def test_who_disowned_it_and_acknowledged_it_again(index, story, who):
    told = [
        (entry.event, entry.who, entry.details["change"])
        for entry in index.history(story.original.image_id)
        if entry.event in ("ImageDisowned", "ImageAcknowledged")
    ]
    patient = who.patient.address
    assert told == [
        ("ImageDisowned", patient, "disowned"),
        ("ImageAcknowledged", patient, "acknowledged"),
    ]


def test_consent_for_another_image_set_is_not_its_history(index, story):
    def scopes(image):
        return {
            entry.details["scope"]
            for entry in index.history(image.image_id)
            if entry.event == "ConsentGranted"
        }

    assert story.original.image_id in scopes(story.original)
    assert story.original.image_id not in scopes(story.erased)


def test_a_data_sets_history(index, story):
    told = names(index.history(story.dataset))
    assert told[0] == "DatasetCreated"
    assert told.count("DatasetVersionFrozen") == 2
    assert told.count("DatasetFunded") == 4
    assert told[-1] == "DatasetRewardClaimed"


def test_a_persons_history_has_what_they_did_and_what_was_done(index, who):
    told = set(names(index.history(who.clinician.address)))
    assert {"ParticipantAdmitted", "EmergencyDeclared", "ParticipantSuspended"} <= told


def test_a_transactions_history(index, story):
    assert names(index.history(story.claims[0])) == ["DatasetRewardClaimed"]


def test_addresses_are_shown_as_everywhere(index, story, who):
    entry = index.history(story.original.image_id)[0]
    assert entry.who == who.hospital.address
    assert entry.details["patient"] == who.patient.address
    assert index.history(who.patient.address.lower()) == index.history(who.patient.address)


def test_unknown_ids_and_addresses_are_refused(index):
    with pytest.raises(NothingKnown) as unknown:
        index.history(digest("nothing"))
    assert unknown.value.values == {"term": digest("nothing")}
    with pytest.raises(NoIdOrAddress):
        index.history("0x12")
    with pytest.raises(InvalidAddress):
        index.history("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD")  # EIP-55 ends it in d


def test_an_executions_history(index, story):
    """Its id is in no event of the chain; it was recorded twice, and is one."""
    first, second = index.history(story.model.execution)
    assert first.event == second.event == "AlgorithmExecutionRecorded"
    assert first.details == second.details
    assert first.details["version"] == story.model.version
    images = [story.original.image_id, story.deidentified.image_id]
    assert first.details["images"] == images
    told = names(index.history(story.original.image_id))
    assert told.count("AlgorithmExecutionRecorded") == 2


@pytest.fixture
def foreign(ledger, story, who):
    """Events by which others name an image set and its patient without having to do with them."""
    image, patient = story.original.image_id, who.patient.address
    stranger, relative = who.stranger, who.relatives[2]
    word, registry = bytes.fromhex(image[2:]), "IdentityRegistry"
    ledger.web3.provider.make_request("anvil_setBalance", [relative.address, hex(10**20)])
    for value in (word, bytes.fromhex(patient[2:]), image.encode(), patient.encode()):
        attribute = (relative.address, word, value, 1000)
        ledger.send(relative, registry, "setAttribute", *attribute)
    ledger.send(relative, registry, "addDelegate", relative.address, word, stranger.address, 1000)
    consents = Consents(ledger)
    consents.grant(stranger.address, Terms(("CC",)), scope=image).send(relative)
    consents.request(relative.address, Terms(("CC",)), scope=image).send(who.researcher)
    algorithms = Algorithms(ledger)
    for name in (image, patient, "0x" + "zz" * 20):
        algorithms.register(name).send(who.researcher)
    algorithms.publish(image, Release(image, image, conditions=image)).send(who.researcher)
    return relative.address


def test_no_account_writes_into_the_history_of_what_it_does_not_own(index, foreign, story, who):
    terms = (story.original.image_id, who.patient.address)
    before = [index.history(term) for term in terms]
    index.sync()
    assert [index.history(term) for term in terms] == before
    # They are where they belong: with who wrote them.
    told = names(index.history(foreign))
    assert told.count("DIDAttributeChanged") == 4
    assert {"DIDDelegateChanged", "ConsentGranted", "ConsentRequested"} <= set(told)
    assert names(index.history(who.researcher.address)).count("AlgorithmRegistered") >= 5
    assert index.audit().differences == ()


def test_a_visits_history_is_that_of_its_image_sets(index, foreign, story):
    index.sync()
    told = index.history(story.original.visit)
    assert {entry.event for entry in told} == {"ImageAnchored", "ConsentRequested"}
    assert {entry.details["visit"] for entry in told if entry.event == "ImageAnchored"} == {
        story.original.visit
    }


def test_a_work_with_the_id_of_an_image_set_is_kept_apart(ledger, index, story, who):
    """A curator chooses the id of a work."""
    image = story.erased.image_id
    before = index.lineage(image)
    Datasets(ledger).contribute_work(
        story.dataset, "annotation", who.researcher.address, image, 1
    ).send(who.researcher)
    index.sync()
    *others, last = index.history(image)
    assert (last.event, last.named_as) == ("DatasetWorkContributed", ("work",))
    assert {entry.named_as for entry in others if entry.event == "ImageErased"} == {("image",)}
    assert all("work" not in entry.named_as for entry in others)
    assert index.lineage(image) == before


def test_as_what_something_is_named(index, story, who):
    entries = index.history(story.original.image_id)
    assert {entry.event: entry.named_as for entry in entries} == {
        "AlgorithmExecutionRecorded": ("images",),
        "ConsentGranted": (),
        "ConsentRequested": (),
        "ConsentRevoked": (),
        "ConsentRevokedAll": (),
        "DatasetImageContributed": ("image",),
        "DatasetImageWithdrawn": ("image",),
        "EmergenciesForbidden": (),
        "EmergencyDeclared": (),
        "EmergencyReviewed": (),
        "ImageAcknowledged": ("image",),
        "ImageAnchored": ("parent",),
        "ImageDisowned": ("image",),
        "ImageRekeyed": ("image",),
    }
    assert index.history(who.patient.address)[0].named_as
    assert index.history(story.model.execution)[0].named_as == ("execution",)


@pytest.mark.parametrize(
    "text", ["0X" + "ab" * 32, "0X" + "ab" * 20, "ab" * 32, "0x" + "a b " * 16]
)
def test_ids_and_addresses_begin_with_0x(text):
    with pytest.raises(NoIdOrAddress, match="give 0x and 64 or 40"):
        parse_term(text)
    assert parse_term("0x" + "AB" * 32) == "0x" + "ab" * 32
    assert parse_term("0x" + "AB" * 20) == parse_term("0x" + "ab" * 20)


def test_every_type_of_an_id_is_known_by_its_name():
    """The types of events decide what is mentioned: those of ids have names in ``Id``."""
    types = {
        parameter["internalType"]
        for contract in CONTRACTS
        for entry in artifacts.load(contract).abi
        if entry["type"] == "event"
        for parameter in entry["inputs"]
        if parameter["type"] == "bytes32"
    }
    # The recorder of a receipt chooses its digest, and that of a log its origin.
    others = {"LogOrigin", "ReceiptDigest", "Scope", "bytes32"}
    assert {each for each in types if not each.endswith("Id")} == others
