"""How every command is called and answers: options, help, errors, exit codes."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

import radledger.cli
from radledger import __version__
from radledger.chain.keystore.accounts import Keystore
from radledger.cli.application import command_tree
from radledger.cli.run import run
from tests.cli.conftest import command, environment


@pytest.fixture
def accounts(tmp_path):
    """A home with the account ``alice``, without a chain."""
    Keystore(tmp_path / "home").new("alice", "")
    return tmp_path / "home"


def test_the_installed_command_is_this_one():
    (script,) = entry_points(group="console_scripts", name="radledger")
    assert script.load() is radledger.cli.main


def test_help_says_what_to_write_and_not_its_type():
    for words, group in groups():
        for name, entry in group.commands.items():
            context = entry.make_context(name, [], resilient_parsing=True)
            told = entry.get_help(context)
            assert not re.search(r"<(str|int|path|list|Path)|--no-", told), (*words, name)
            described = [each.help for each in entry.params if not each.hidden]
            assert all(described), (*words, name)


def test_help_names_what_to_write_in_capitals_and_the_options_of_all_commands_once():
    for words, group in groups():
        for name, entry in group.commands.items():
            context = entry.make_context(name, [], resilient_parsing=True)
            for each in entry.params:
                if each.param_type_name == "argument":
                    assert each.metavar == each.metavar.upper(), (*words, name, each.name)
            told = " ".join(entry.get_help(context).split())
            everywhere = re.findall(r"Every command takes --json, .* anywhere\.", told)
            assert len(everywhere) == 1, (*words, name)


def groups(group=None, words=()):
    """The commands' groups, the outermost first."""
    group = group or command_tree()
    yield words, group
    for name, below in group.commands.items():
        if hasattr(below, "commands"):
            yield from groups(below, (*words, name))


def test_help_loads_nothing_heavy():
    program = (
        "import sys; from radledger.cli.run import run; code = run(['--help']);"
        "heavy = {'web3', 'pydicom', 'eth_account', 'cryptography', 'numpy', 'rich'};"
        "print('loaded', sorted(heavy & set(sys.modules)), code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True
    )
    assert "Commands:" in done.stdout
    assert done.stdout.endswith("loaded [] 0\n")
    assert done.stderr == ""


def test_version(plain_cli):
    assert plain_cli("--version").out == __version__ + "\n"


@pytest.mark.parametrize(
    "arguments",
    [
        "--json --home {home} account show alice",
        "account --json show --home {home} alice",
        "account show alice --home={home} --json",
        "account show --json alice --home {home}",
    ],
)
def test_shared_options_are_taken_anywhere(accounts, plain_cli, monkeypatch, arguments):
    monkeypatch.delenv("RADLEDGER_HOME")
    outcome = plain_cli(*(each.format(home=accounts) for each in arguments.split()))
    assert outcome.code == 0
    assert outcome.object == {
        "name": "alice",
        "address": Keystore(accounts).show("alice").address,
        "protected": False,
    }


def test_the_last_of_a_shared_option_counts(accounts, cli):
    outcome = cli("--home", "elsewhere", "account", "list", "--home", accounts)
    assert [each["name"] for each in outcome.objects] == ["alice"]


def test_an_option_is_not_the_value_of_a_shared_one(accounts, plain_cli):
    outcome = plain_cli("--as", "--json", "account", "list")
    assert outcome.refused("UsageError", code=2) == {}
    assert "--json" in outcome.object["message"]
    assert plain_cli("account", "list", "--json", "--network", "").code == 2


def test_what_follows_two_dashes_is_not_an_option(accounts, plain_cli):
    outcome = plain_cli("account", "show", "--", "--json")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("AccountInvalid: ")


def test_a_value_may_look_like_a_shared_option(accounts, plain_cli):
    """The reason is the text ``--json``: what is printed is for people."""
    nowhere = ("--network", "http://127.0.0.1:1")
    outcome = plain_cli("consent", "break-glass", "alice", "--reason", "--json", *nowhere)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("ConnectionFailed: ")


def test_nothing_is_left_of_an_earlier_run(accounts, plain_cli):
    assert plain_cli("--json", "--as", "alice", "--home", accounts, "account", "list").objects
    outcome = plain_cli("account", "derive", "--for", "alice")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("AccountNotNamed: ")


def test_runs_in_one_process_have_their_own_chain(home, cli, tmp_path):
    assert cli("image", "list").objects
    (tmp_path / "other").mkdir()
    nowhere = cli("image", "list", "--home", tmp_path / "other", "--network", "http://127.0.0.1:1")
    assert nowhere.refused("ConnectionFailed")["endpoint"] == "http://127.0.0.1:1"
    assert cli("image", "list").objects


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "Missing command; see `radledger --help`"),
        ("consent", "Missing command; see `radledger consent --help`"),
        ("bogus", "No such command 'bogus'; see `radledger --help`"),
        ("account show", "Missing argument"),
        ("account list more", "Got unexpected extra argument"),
        ("account list --bogus", "No such option: --bogus"),
        ("consent grant alice", "Missing option '--purpose'"),
        ("dataset contribute a b --score x", "as an integer, and is 'x'; see"),
        ("dataset contribute a b --score=-1", "equal to 0, and is '-1'; see"),
        ("dataset withdraw a b --class foo", "'--class': 'foo' is not one of 'annotation', '"),
        ("account list --home", "Option '--home' requires an argument"),
    ],
)
def test_usage_errors(plain_cli, arguments, message):
    for_programs = plain_cli("--json", *arguments.split())
    assert for_programs.refused("UsageError", code=2) == {}
    assert message in for_programs.object["message"]
    outcome = plain_cli(*arguments.split())
    assert (outcome.code, outcome.out) == (2, "")
    last = outcome.err.splitlines()[-1]
    assert last.startswith("UsageError: ")
    assert message in last


def test_an_empty_list_prints_nothing_for_programs(plain_cli):
    assert plain_cli("account", "list", "--json").out == ""
    outcome = plain_cli("account", "list")
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == "no accounts; make one with `radledger account new`\n"


@pytest.mark.parametrize(
    ("network", "error", "code", "values"),
    [
        ("nowhere", "UnknownNetwork", 2, {"network": "nowhere"}),
        ("sepolia", "UnknownNetwork", 2, {"network": "sepolia"}),
        ("http://127.0.0.1:1", "ConnectionFailed", 1, {"endpoint": "http://127.0.0.1:1"}),
        ("http://[", "ConnectionFailed", 1, {"endpoint": "http://["}),
    ],
)
def test_networks_that_are_not_there(cli, monkeypatch, network, error, code, values):
    monkeypatch.delenv("SEPOLIA_ENDPOINT", raising=False)
    told = cli("image", "list", "--network", network).refused(error, code)
    assert values.items() <= told.items()


@pytest.mark.parametrize("content", ["{", "networks: 3", "networks: {a: 3}", "networks: {a: {}}"])
def test_networks_that_cannot_be_understood(cli, tmp_path, content):
    file = tmp_path / "home" / "networks.yaml"
    file.parent.mkdir()
    file.write_text(content)
    assert cli("image", "list").refused("NetworksInvalid", 2) == {"path": str(file)}


@pytest.mark.parametrize("content", ["{", "{}", "[]"])
def test_a_deployment_s_record_that_cannot_be_understood(home, cli, content):
    file = home / "deployments" / "31337.json"
    file.write_text(content)
    assert cli("image", "list").refused("DeploymentMismatch") == {"path": str(file)}


def test_a_chain_without_contracts(home, cli):
    (home / "deployments" / "31337.json").unlink()
    assert cli("image", "list").refused("DeploymentMissing") == {"chain_id": 31337}


def test_a_fault_of_our_own_is_kept_for_a_report(accounts, cli, monkeypatch):
    monkeypatch.setattr(Keystore, "list", lambda self: 1 // 0)
    outcome = cli("account", "list")
    assert outcome.refused("InternalError") == {}
    log = accounts / "errors.log"
    assert str(log) in outcome.object["message"]
    assert "ZeroDivisionError" in log.read_text()


def test_the_system_s_refusal_is_one_line(tmp_path, plain_cli, monkeypatch):
    (tmp_path / "keystore").write_text("")
    monkeypatch.setenv("RADLEDGER_HOME", str(tmp_path))
    monkeypatch.setenv("RADLEDGER_PASSPHRASE", "secret words")
    outcome = plain_cli("account", "new", "bob")
    assert outcome.code == 1
    assert outcome.err == f"FileExistsError: {tmp_path / 'keystore'}: File exists\n"


def test_a_full_disk_says_where_to_make_room(accounts, cli, monkeypatch):
    def fill(self):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Keystore, "list", fill)
    outcome = cli("account", "list")
    outcome.refused("OSError")
    told = outcome.object["message"]
    assert told.startswith(f"No space left on device; make room where the home ({accounts})")


def test_a_reader_who_has_had_enough(accounts):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        command("account", "list"), env=environment(), stdout=writing, stderr=subprocess.PIPE
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_interrupted(accounts, capsys, monkeypatch):
    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Keystore, "list", interrupt)
    assert run(["account", "list"]) == 130
    assert capsys.readouterr() == ("", "Interrupted: run the command again to go on\n")
    assert run(["account", "list", "--json"]) == 130
    assert json.loads(capsys.readouterr().out)["error"] == "Interrupted"


def test_ctrl_c_while_a_command_waits():
    """A deployment that waits for a node which keeps silent."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            command("image", "list", "--network", endpoint),
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Tests that run in the background of a script ignore the signal, and so would this.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        silent.settimeout(60)
        silent.accept()[0].recv(1)  # it has asked
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=240)
    assert (process.returncode, out) == (130, "")
    assert err == "Interrupted: run the command again to go on\n"
