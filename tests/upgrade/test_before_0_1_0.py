"""A home from before 0.1.0: its contracts are others, so it is refused, and keeps all it has."""

from __future__ import annotations

import hashlib
import json

import pytest

from radledger.access.book import ReceiptBook
from radledger.cli.application import command_tree
from radledger.imaging.journal.homekey import HomeKey
from radledger.imaging.journal.journal import Journal
from radledger.imaging.manifest import read_envelope
from radledger.imaging.reading import write_files
from radledger.storage import LocalStore
from tests.upgrade.conftest import Opened, running, verified_offline
from tools.make_upgrade_home import HOMES
from tools.upgrade_answers import digests

BEFORE = HOMES / "before-0.1.0"
# Every command that asks the contracts, as a user would give it.
COMMANDS = """
conduct radiologist
submit FILE --as hospital
history IMAGE
lineage IMAGE
access-log
access-log show --as patient
access-log check --as patient
access-log notify --off --as patient
audit
deploy --as governor
deploy --verify
deploy import RECORD
participant admit stranger --role clinician --as hospital
participant suspend radiologist --as hospital
participant reinstate radiologist --as hospital
participant leave --as radiologist
participant vote-governor stranger --as governor
participant show hospital
identity show patient
identity set-key --as hospital
identity set-gateway https://gateway.example --as hospital
identity withdraw-gateway --as hospital
identity change-owner stranger --as hospital
identity add-delegate stranger --as patient
identity revoke-delegate stranger --as patient
identity guardians hospital --threshold 1 --as patient
identity recover patient --new-owner stranger --as hospital
identity withdraw-approval patient --new-owner stranger --as hospital
identity veto --as patient
image add FILE --patient patient --as hospital
image deidentify IMAGE --as hospital
image show IMAGE
image list
image versions IMAGE
image verify IMAGE FILE --as hospital
image fetch IMAGE --to NEW --as hospital
image rekey IMAGE --as hospital
image erase IMAGE --as hospital
image forget IMAGE --as radiologist
image disown IMAGE --as patient
image acknowledge IMAGE --as patient
bundle export IMAGE NEW --as hospital
consent grant stranger --purpose GRU --as patient
consent revoke radiologist --as patient
consent revoke-all --as patient
consent request patient --purpose GRU --as researcher
consent approve IMAGE --as patient
consent sign FILE NEW --as patient
consent expiring --as patient
consent list
consent check radiologist IMAGE --purpose GRU
consent break-glass patient --reason fall --as radiologist
consent review patient radiologist --since 1796054559 --opinion fine --justified --as hospital
consent emergencies
consent forbid-emergencies --as patient
consent allow-emergencies --as patient
receipt appoint stranger --as hospital
receipt dismiss stranger --as hospital
receipt record IMAGE --as stranger
receipt anchor --as stranger
receipt publish
receipt anchor-log --as stranger
receipt watch FILE --policy FILE
receipt prove IMAGE NEW
receipt check FILE
receipt demand IMAGE --as radiologist
receipt answer IMAGE --as hospital
receipt demands
receipt roots
receipt logs
receipt list
algorithm register --name nodules --as researcher
algorithm publish --name nodules --version 1 --weights FILE --as researcher
algorithm recall IMAGE FILE --as researcher
algorithm run IMAGE IMAGE --output FILE --purpose GRU --as researcher
algorithm show IMAGE
algorithm list
algorithm history IMAGE
dataset create --purpose GRU --as clinic
dataset show DATASET
dataset list
dataset accept DATASET IMAGE NEW --as researcher
dataset contribute DATASET IMAGE --as researcher
dataset withdraw DATASET IMAGE --as patient
dataset suspend DATASET IMAGE --as researcher
dataset resume DATASET IMAGE --as researcher
dataset free DATASET --as patient
dataset freeze DATASET --as researcher
dataset fund DATASET 1 --as researcher
dataset claim DATASET --as patient
store status IMAGE --as hospital
store repair IMAGE --as hospital
store pin IMAGE --as hospital
store unpin IMAGE --as hospital
index sync
index status
index rebuild
relay serve --port 0 --as hospital
gateway serve --port 0 --as hospital
gateway view IMAGE --purpose CC --as radiologist
link create IMAGE --gateway http://127.0.0.1:1 --as patient
link list --gateway http://127.0.0.1:1 --as patient
link revoke IMAGE --gateway http://127.0.0.1:1 --as patient
pacs receive --patients PATIENTS --allow A --port 0 --as hospital
pacs send IMAGE --to A@127.0.0.1:1 --as hospital
pacs serve --workstations STATIONS --port 0 --as hospital
transaction finish --as hospital
""".strip().splitlines()
# Groups and commands that ask no contract, or only what this machine has.
OTHERS = {
    *("account", "devnet", "network", "transaction list"),
    *("pacs list", "pacs close", "pacs discard"),
}


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    place = tmp_path_factory.mktemp("before") / "homes"
    with running(BEFORE / "home.tar.gz", place) as endpoint:
        yield place, endpoint


@pytest.fixture
def before(chain):
    """The home, on its chain, and what it must tell."""
    place, endpoint = chain
    expected = json.loads((BEFORE / "expected.json").read_text())
    return Opened(place, endpoint, {**expected, "names": expected["accounts"]})


def leaves(group, path=()):
    for name, command in group.commands.items():
        below = getattr(command, "commands", None)
        if below is None or command.invoke_without_command:
            yield (*path, name)
        if below:
            yield from leaves(command, (*path, name))


def contents(home):
    """Every file of a home but the chain's, and its digest."""
    files = [path for path in home.rglob("*") if path.is_file() and "devnet" not in path.parts]
    # SQLite has these beside an open database, and removes them with the last connection.
    files = [path for path in files if not path.name.endswith(("-wal", "-shm"))]
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_all_commands_are_tried():
    tried = {" ".join(command.split()[:2]) for command in COMMANDS} | {
        command.split()[0] for command in COMMANDS
    }
    every = {" ".join(path) for path in leaves(command_tree()) if path[0] not in OTHERS}
    assert every - OTHERS <= tried


def test_every_command_says_how_old_it_is_and_changes_nothing(before, tmp_path):
    kept = contents(before.home)
    assert len(kept) > 20
    (tmp_path / "file").write_text("{}")
    (tmp_path / "patients").write_text("patient_id,patient\n")
    stations = "title,host,port,account,purpose\nA,127.0.0.1,1,hospital,CC\n"
    (tmp_path / "stations").write_text(stations)
    (record,) = (before.home / "deployments").glob("*.json")
    words = {
        "IMAGE": before.expected["image_id"],
        "DATASET": before.expected["dataset_id"],
        "FILE": tmp_path / "file",
        "PATIENTS": tmp_path / "patients",
        "STATIONS": tmp_path / "stations",
        "RECORD": record,
        "NEW": tmp_path / "new",
    }
    for command in COMMANDS:
        given = [words.get(word, word) for word in command.split()]
        before.refused(r"DeploymentOutdated.*older than 0\.1\.0.*--successor", *given)
        assert contents(before.home) == kept, command
    assert not (tmp_path / "new").exists()


def test_what_needs_no_contract_is_read_and_a_successor_is_deployed(before, tmp_path):
    expected = before.expected
    listed = before("account", "list")
    assert {each["name"]: each["address"] for each in listed} == expected["accounts"]
    sent = before("transaction", "list", "--all")
    assert {each["state"] for each in sent} == {"mined"}
    assert "DatasetRegistry.fund" in [each["call"] for each in sent]
    trust = ("--block-hash", expected["block_hash"], "--contract", expected["registry"])
    assert verified_offline(before.home / "image.bundle", *trust)["answer"] == "yes"
    (release,) = ReceiptBook(before.home / "receipts.sqlite3").releases()
    assert release.signed.receipt.reader == expected["accounts"]["radiologist"]
    (journal,) = before.home.glob("imaging/*/journal.sqlite3")
    (record,) = (before.home / "deployments").glob("*.json")
    kept = contents(before.home)
    before("deploy", "--successor", "--as", "governor")
    assert before("image", "list") == []
    lost = kept.keys() - contents(before.home).keys()
    assert lost == set()
    predecessor = json.loads(record.read_text())["predecessor"]["contracts"]
    assert predecessor["ImageRegistry"]["address"] == expected["registry"]
    assert decrypted(journal, before, tmp_path / "reading") == expected["files"]


def decrypted(path, before, folder):
    """Digests of an image set's files, decrypted with the secret in the journal."""
    journal = Journal(path, HomeKey.read(path.parent / "journal.key"))
    row = journal.find(before.expected["image_id"])
    secret = journal.secret_of(row)
    assert journal.require_authentic(row) == len(before.expected["files"])
    journal.close()
    store = LocalStore(before.home / "store")
    with store.get(row.manifest_cid) as stored:
        manifest = read_envelope(stored).open(secret)
    write_files(store, manifest, secret, folder)
    return digests(folder)
