"""What docs/privacy.md says a stranger recovers and does not, counted in a world of people."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pydicom
import pytest
from eth_hash.auto import keccak

from radledger.chain.rpc import request
from radledger.consent.diseases import encode_disease
from radledger.crypto.envelope import padded, recipient
from radledger.crypto.keys import PrivateKey, new_private_key
from tests.privacy.stranger import Stranger, linked
from tests.privacy.world import CODES, PATIENT_IDS, World

PAGE = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text("utf-8")
ORIGINAL = 0


@pytest.fixture(scope="module")
def world(deployed_ledger, people, tmp_path_factory):
    snapshot = request(deployed_ledger.web3, "evm_snapshot", [])
    yield World(deployed_ledger, people, tmp_path_factory.mktemp("world"))
    request(deployed_ledger.web3, "evm_revert", [snapshot])
    vars(deployed_ledger).pop("sender", None)


@pytest.fixture(scope="module")
def stranger(world):
    return Stranger(world.ledger, world.store)


def found(world, groups):
    """How many people's pairs of addresses an attack has, and how many pairs of strangers."""
    pairs, guesses = {person.pair for person in world.people}, linked(groups)
    return len(guesses & pairs), len(guesses - pairs)


def test_derived_guardians_link_no_identities(world, stranger):
    assert found(world, stranger.by_any_guardian()) == (1, 0)
    assert linked(stranger.by_guardians()) == {world.careless.pair}


def test_encryption_keys_link_no_identities(world, stranger):
    # The chain may have other tests' people, who share keys; theirs are not this world's.
    ours = set().union(*(person.pair for person in world.people))
    published = stranger.by_encryption_key()
    groups = {key: [each for each in who if each in ours] for key, who in published.items()}
    assert sum(len(group) for group in groups.values()) >= 14
    assert found(world, groups) == (0, 0)


def test_ends_and_terms_do_not_single_out_careful_patients(world, stranger):
    crowd, careless = sorted(stranger.by_terms().values(), key=len, reverse=True)
    assert len(crowd) == len(set(crowd)) == 12
    assert set(crowd) == set().union(*(person.pair for person in world.careful))
    # The end to the second, as it was before ends were rounded.
    assert set(careless) == world.careless.pair


def test_no_disease_is_revealed(world, stranger):
    codes = [*CODES, *(f"MONDO:{number:07d}" for number in range(2_000))]
    digests = (keccak, lambda data: hashlib.sha256(data).digest())
    guesses = {digest(code.encode())[:13]: code for code in codes for digest in digests}
    guesses |= {code.encode()[:13].ljust(13, b"\0"): code for code in codes}
    assert len(stranger.by_disease()) == 13
    assert stranger.diseases(guesses) == {}
    assert linked(stranger.by_disease()) == {world.careless.pair}


def test_who_has_the_salt_reads_that_disease_alone(world, stranger):
    salt = world.salts[0].partition("@")[2]
    guesses = {encode_disease(f"{code}@{salt}"): code for code in CODES}
    told = stranger.diseases(guesses)
    assert list(told.values()) == [world.careful[0].disease]


def test_who_was_in_an_emergency_is_public(world, stranger, people):
    by = (people["radiologist"].address, people["hospital"].address)
    ill = [person.addresses["hospital"] for person in world.careful[1::2]]
    assert stranger.emergencies() == [(address, *by) for address in ill]


def test_versions_of_an_image_set_are_public(world, stranger):
    true = {
        (person.originals[name], person.deidentified[name])
        for person in world.people
        for name in person.originals
    }
    assert stranger.versions() == true
    assert len(true) == stranger.of_one_visit() == 14


def test_lengths_tell_the_padded_length_and_no_more(world, stranger):
    lengths = stranger.lengths()
    for person in world.people:
        for image in person.originals.values():
            told = lengths[image]
            assert told == tuple(sorted(map(padded, person.sizes)))
            assert not set(told) & set(person.sizes)
    # The lengths would tell each study from all others; padded, all originals have one length and
    # all de-identified versions another.
    assert len({person.sizes for person in world.people}) == 7
    assert len({length for told in lengths.values() for length in told[:1]}) == 2


def test_equal_numbers_of_files_of_like_length_hide_each_other(world, stranger):
    by_number = stranger.by_lengths(ORIGINAL)
    assert sorted(len(set(group)) for group in by_number.values()) == [6, 8]
    right, wrong = found(world, by_number)
    assert (right, wrong) == (7, 36)


def test_a_quantum_computer_opens_no_manifest(world, stranger, people, encryption_keys):
    """It computes the half of X25519 of every key that is published."""
    keys = {people[name].address: key for name, key in encryption_keys.items()}
    keys |= world.private_keys()
    halves = {address: key.hybrid[64:] for address, key in keys.items()}
    guessed = new_private_key().hybrid[:64]
    computed = {
        address: PrivateKey(hybrid=guessed + half, x25519=half) for address, half in halves.items()
    }
    assert stranger.opened(computed) == set()
    assert stranger.opened(keys) == set(world.secrets())
    assert len(world.secrets()) == 28


def test_the_keys_to_which_files_are_encrypted_are_nowhere(world, stranger):
    """With one of them, the X25519 in an age header would be open to a quantum computer as well."""
    content = stranger.content()
    assert content.count(b"-> X25519 ") > 28
    assert not [each for each in world.secrets() if recipient(each).encode() in content]


def test_no_identifier_is_found_by_guessing(world, stranger):
    words = {f"MRN-{number}" for number in range(1_000, 10_000)} | set(PATIENT_IDS)
    for person in world.people:
        file = next((world.store.parent / person.name).glob("*.dcm"))
        header = pydicom.dcmread(file, stop_before_pixels=True)
        words |= {str(header.StudyInstanceUID), str(header.SeriesInstanceUID)}
    digests = (keccak, lambda data: hashlib.sha256(data).digest())
    public = stranger.digests()
    assert len(public) >= 28
    assert sum(digest(word.encode()) in public for word in words for digest in digests) == 0


def test_dossiers_hold_the_careless_alone(world, stranger):
    unique = [
        pair
        for groups in (stranger.by_any_guardian(), stranger.by_terms(), stranger.by_disease())
        for pair in (frozenset(group) for group in groups.values())
        if len(pair) == 2
    ]
    assert set(unique) == {world.careless.pair}


def test_the_page_has_a_row_for_each_attack():
    section = PAGE[PAGE.index("## Counted") : PAGE.index("## Public for good")]
    rows = re.findall(r"`(test_\w+)`", section)
    here = {name for name in globals() if name.startswith("test_")} - {
        "test_the_page_has_a_row_for_each_attack"
    }
    assert set(rows) == here
