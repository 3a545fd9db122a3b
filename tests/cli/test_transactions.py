"""What an interrupted command has left: listed, finished and reported."""

from __future__ import annotations

import pytest
import yaml

from radledger.chain.sending import sender as transact


class Killed(BaseException):
    """What no code may catch, as a kill is."""


@pytest.fixture
def grant(home, ok, tmp_path):
    """A signed grant, to be submitted by the hospital."""
    path = tmp_path / "grant.json"
    granted = ("consent", "grant", "radiologist", "--purpose", "CC", "--as", "patient")
    ok(*granted, "--sign-only", path)
    return "submit", path, "--as", "hospital"


@pytest.fixture
def killed(home, plain_cli, monkeypatch):
    """Run a command that is killed when its transaction has left."""

    def run(*arguments):
        def kill(*_):
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(transact.Watch, "outcomes", kill)
            with pytest.raises(Killed):
                plain_cli(*arguments)
        # the mark of the living, which a kill would have taken the lock from
        for mark in home.glob("transactions/*/running/*"):
            mark.unlink()

    return run


def test_what_is_open_is_listed_and_finished(cli, plain_cli, ok, image, grant, killed):
    assert cli("transaction", "list").objects == []
    killed(*grant)
    (left,) = cli("transaction", "list").objects
    assert (left["call"], left["state"], left["followed"]) == (
        "ConsentRegistry.grantBySig",
        "open",
        False,
    )
    assert left["reason"] is left["block"] is None
    (done,) = cli("transaction", "finish", "--as", "hospital").objects
    assert (done["state"], done["tx"]) == ("mined", left["tx"])
    assert done["block"] > 0
    assert cli("transaction", "list").objects == []
    assert cli("transaction", "list", "--all").objects[0] == done
    again = plain_cli("transaction", "finish", "--as", "hospital")
    assert (again.code, again.err) == (0, "nothing was left open for hospital\n")
    check = ("consent", "check", "radiologist", image, "--purpose", "CC")
    assert ok(*check)["permitted"]


def test_the_same_command_again_goes_on(plain_cli, cli, grant, killed):
    killed(*grant)
    (left,) = cli("transaction", "list").objects
    again = plain_cli(*grant)
    assert again.code == 0
    assert left["tx"] in again.out
    assert "ConsentRegistry.grantBySig" in again.err
    assert "mined, in block" in again.err
    # and once more it is a second time
    cli(*grant).refused("ConsentSuperseded")


def test_another_command_finishes_it_first(plain_cli, cli, grant, killed, study):
    killed(*grant)
    add = plain_cli("image", "add", study, "--patient", "stranger", "--as", "hospital")
    assert (add.code, "an earlier run had left ConsentRegistry.grantBySig" in add.err) == (0, True)
    states = [each["state"] for each in cli("transaction", "list", "--all").objects]
    assert set(states) == {"mined"}


def test_finishing_takes_an_account(cli, home):
    cli("transaction", "finish").refused("AccountNotNamed", code=2)


def test_a_journal_that_is_not_a_database_is_reported_in_one_line(cli, plain_cli, home):
    for path in home.glob("transactions/*/transactions.sqlite3*"):
        path.write_text("spilt coffee" * 1_000)
    values = cli("transaction", "list").refused("DatabaseUnavailable")
    assert values["path"].endswith("transactions.sqlite3")
    told = plain_cli("transaction", "list")
    assert (told.code, told.out, told.err.count("\n")) == (1, "", 1)


def test_the_journal_is_listed_while_no_node_answers(home, cli, grant):
    before = cli("transaction", "list", "--all").objects
    assert before
    networks = home / "networks.yaml"
    content = yaml.safe_load(networks.read_text())
    content["networks"]["devnet"]["endpoint"] = "http://127.0.0.1:1"
    networks.write_text(yaml.safe_dump(content))
    assert cli("image", "list").refused("ConnectionFailed")
    assert cli("transaction", "list", "--all").objects == before


def test_what_was_never_deployed_has_no_journal(home, cli):
    (home / "deployments" / "31337.json").unlink()
    assert cli("transaction", "list").refused("DeploymentMissing") == {"chain_id": 31337}
