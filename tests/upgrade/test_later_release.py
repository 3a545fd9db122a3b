"""What a later release does with the newest home, and what this one does then."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from tests.upgrade.conftest import PRESENT, RELEASES
from tests.upgrade.later_release import REGISTRY, LaterRelease
from tools.upgrade_answers import digests

NEWEST = [*RELEASES, *PRESENT][-1]


@pytest.fixture
def later(tmp_path_factory):
    later = LaterRelease(tmp_path_factory.mktemp("later"))
    yield later
    later.close()


def dump(home):
    """All that is in the journal of image sets, as SQL."""
    (path,) = home.glob("imaging/*/journal.sqlite3")
    with closing(sqlite3.connect(path)) as journal:
        return "\n".join(journal.iterdump())


@pytest.mark.parametrize("release", [NEWEST], indirect=True)
def test_a_later_release_opens_it_and_adds_what_it_brings(opened, later, tmp_path):
    home, endpoint = opened.home, opened.endpoint
    image, files = opened.names["image"], opened.expected["files"]["image"]
    opened.bring_up_index()
    images = opened("image", "list")
    history = [each["event"] for each in opened("history", image)]
    (record,) = (home / "deployments").glob("*.json")
    contracts = json.loads(record.read_text())["contracts"]

    # Its contract is missing; everything else works, the journal is migrated.
    assert later(home, endpoint, "deploy", "--verify")[0]["missing"] == [REGISTRY]
    assert later(home, endpoint, "image", "list") == images
    fetch = ("image", "fetch", image, "--purpose", "CC", "--as", "radiologist", "--to")
    later(home, endpoint, *fetch, tmp_path / "by the later one")
    assert digests(tmp_path / "by the later one") == files

    # Its index has one more table.
    assert later.refused(home, endpoint, "history", image) == "IndexOfAnotherRelease"
    later(home, endpoint, "index", "rebuild")
    assert [each["event"] for each in later(home, endpoint, "history", image)] == history

    # Its contract is deployed once, and followed from its own first block.
    (deployed,) = later(home, endpoint, "deploy", "--as", "governor")
    assert deployed["missing"] == []
    extended = json.loads(record.read_text())["contracts"]
    assert extended == {**contracts, REGISTRY: extended[REGISTRY]}
    later(home, endpoint, "deploy", "--as", "governor")
    assert json.loads(record.read_text())["contracts"] == extended
    governor = later(home, endpoint, "account", "show", "governor")[0]["address"]
    followed = [each["contract"] for each in later(home, endpoint, "history", governor)]
    assert followed.count(REGISTRY) == 1
    assert later(home, endpoint, "audit")[0]["differences"] == []

    # This release leaves alone what the later one has changed, and does without its contract.
    journal = dump(home)
    assert "'later'" in journal
    opened.refused("DatabaseOfLaterRelease", *fetch, tmp_path / "by this one")
    assert dump(home) == journal
    opened.refused("IndexOfAnotherRelease", "history", image)
    assert opened("image", "list") == images
    assert opened.one("deploy", "--verify")["missing"] == []
