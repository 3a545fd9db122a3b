"""The history of an image set, a data set, a person; and ids that the index does not know."""

from __future__ import annotations

import pytest

from radledger.identity.errors import InvalidAddress
from radledger.index.errors import NoIdOrAddress, NothingKnown
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
