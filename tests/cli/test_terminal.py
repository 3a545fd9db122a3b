"""What reaches a terminal: no control characters, from any source, and always one line."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radledger import RadLedger
from radledger.chain import refusals
from radledger.chain.keystore.accounts import Keystore
from radledger.cli import output
from radledger.cli.run import run
from radledger.cli.session import session
from radledger.errors import RadLedgerError
from radledger.wording import humanize
from tests.cli.conftest import command, environment

ESCAPE = "\x1b]0;owned\x07\x1b[8m\u202e\u200b\x9b1A\r\n\ud800"
TOLD = r"\x1b]0;owned\x07\x1b[8m\u202e\u200b\x9b1A\r\n\ud800"
KINDS = [getattr(refusals, name) for name in refusals.__all__ if name != "ContractError"]
EXAMPLES = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Awkward:
    """An object that nothing can be done with."""

    def __repr__(self):
        raise ValueError("no words for it")

    __str__ = __repr__


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.builds(lambda: 10**5000),
    st.floats(),
    st.text(st.characters()),
    st.text(st.sampled_from(ESCAPE)),
    st.binary(),
    st.just("0x" + "11" * 20),
    st.builds(Awkward),
    st.builds(object),
    st.just(ValueError),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner),
        st.dictionaries(st.one_of(st.text(), st.integers(), st.just((1, 2))), inner),
        st.tuples(inner, inner),
    ),
    max_leaves=5,
)
NAMES = st.one_of(
    st.text(), st.sampled_from(("message", "self", "skipped", "path", "name", "args"))
)


def with_values(kind):
    named = {name: VALUES for name, *_ in kind.parameters}
    return st.tuples(st.just(kind), st.fixed_dictionaries(named))


def raising(monkeypatch, error):
    def fail(self):
        raise error

    monkeypatch.setattr(Keystore, "list", fail)


@pytest.mark.parametrize("mode", [[], ["--json"]])
@settings(EXAMPLES, max_examples=40)
@given(
    kind=st.sampled_from([RadLedgerError, *KINDS]),
    message=st.text(),
    values=st.dictionaries(NAMES, VALUES),
)
def test_whatever_an_error_holds_is_one_line(monkeypatch, capsys, mode, kind, message, values):
    with monkeypatch.context() as patched:
        raising(patched, kind(message, **values))
        capsys.readouterr()
        code = run(["account", "list", *mode])
    told = capsys.readouterr()
    assert code in (1, 2)
    (line,) = (told.out if mode else told.err).splitlines()
    assert line.isprintable()
    assert kind.__name__ in line
    if mode:
        json.loads(line, parse_constant=pytest.fail)  # NaN and Infinity are not JSON


@EXAMPLES
@given(refused=st.sampled_from(KINDS).flatmap(with_values))
def test_a_refusal_with_any_values_is_reported(refused):
    """As a relayer could send it: the values of a contract's error, and of any type."""
    kind, values = refused
    assert isinstance(humanize(kind("the relayer's own words", **values)), str)


@pytest.mark.parametrize(
    "error", [Exception(Awkward()), UnicodeDecodeError("utf-8", b"hush", 0, 1, "x")]
)
def test_a_fault_of_our_own_is_one_line_too(accounts, plain_cli, monkeypatch, error):
    raising(monkeypatch, error)
    outcome = plain_cli("account", "list")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("InternalError: ")
    assert "hush" not in outcome.err
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize("filename", [None, 7, b"\xff", "a\x1bb", ("x",)])
def test_errors_of_the_system_with_any_file(accounts, plain_cli, monkeypatch, filename):
    raising(monkeypatch, OSError(5, "Input/output error", filename))
    outcome = plain_cli("account", "list")
    assert outcome.code == 1
    assert outcome.err.rstrip("\n").isprintable()
    assert outcome.err.endswith("Input/output error\n")


@pytest.fixture
def accounts(tmp_path):
    """A home with the account ``alice``, without a chain."""
    Keystore(tmp_path / "home").new("alice", "")
    return tmp_path / "home"


@pytest.mark.parametrize(
    "result",
    [
        ESCAPE,
        {"name": ESCAPE},
        {ESCAPE: {"name": 1}},
        {"names": [ESCAPE, {ESCAPE: ESCAPE}]},
        {"names": [{"name": ESCAPE}, ESCAPE]},
        [{"name": ESCAPE}],
    ],
)
def test_results_are_printed_without_what_steers_a_terminal(capsys, result):
    session.reset()
    if isinstance(result, list):
        output.show_all(result, empty="")
    else:
        output.show(result)
    printed = capsys.readouterr().out
    assert TOLD in printed
    assert printed.replace("\n", "").isprintable()


def test_what_is_written_on_chain_is_shown_and_steers_nothing(home, plain_cli):
    name = "a\x1b[8m\u202e".encode().ljust(32, b"\0")
    hospital, patient = (Keystore(home).open(name) for name in ("hospital", "patient"))
    ledger = RadLedger.open(home=home).ledger
    change = (hospital.address, name, b"x", 10**6)
    ledger.send(hospital, "IdentityRegistry", "setAttribute", *change)
    change = (hospital.address, name, patient.address, 10**6)
    ledger.send(hospital, "IdentityRegistry", "addDelegate", *change)
    shown = plain_cli("identity", "show", "hospital")
    assert shown.out.count(r"a\x1b[8m\u202e") == 2
    assert shown.out.replace("\n", "").isprintable()
    for found in (plain_cli("history", "hospital"), plain_cli("audit")):
        assert found.code == 0
        assert found.out.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1:strict"},
    ],
    ids=str,
)
def test_a_locale_without_a_sign_shows_its_number(tmp_path, variables):
    home = tmp_path / "h ö 日本"
    Keystore(home).new("alice", "")
    (home / "keystore" / "日本.json").write_text("{}")
    surroundings = {
        name: value
        for name, value in environment().items()
        if name not in ("LC_ALL", "PYTHONUTF8", "PYTHONIOENCODING", "LANG")
    }
    done = subprocess.run(
        command("account", "list", "--home", home),
        env={**surroundings, **variables},
        capture_output=True,
    )
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    assert b"alice" in done.stdout
    told = ("日本".encode(), rb"\u65e5\u672c", rb"\udce6\udc97\udca5")
    assert any(each in done.stderr for each in told), done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [["account", "list"], ["account", "show", "bob", "--json"]])
def test_an_output_that_cannot_be_written_is_reported_once(accounts, arguments, unbuffered):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command(*arguments),
            env={**environment(), "PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
        )
    assert done.returncode == 1
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 1, lines
    assert "No space left on device" in lines[0]


def test_an_output_that_is_closed(accounts):
    done = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *command("account", "list")],
        env=environment(),
        stderr=subprocess.PIPE,
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("given", [{}, {"RADLEDGER_PASSPHRASE": "word"}])
def test_a_closed_input_holds_no_key(tmp_path, given):
    done = subprocess.run(
        ["sh", "-c", '"$@" <&-', "sh", *command("account", "import", "alice")],
        env=environment() | given,
        capture_output=True,
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"AccountInvalid: standard input is closed")


def test_a_signed_document_may_be_in_the_user_s_own_folder(
    home, ok, plain_cli, tmp_path, monkeypatch
):
    (tmp_path / "me").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    ok("consent", "revoke-all", "--as", "patient", "--sign-only", "~/signed.json")
    assert (tmp_path / "me" / "signed.json").is_file()
    ok("submit", "~/signed.json", "--as", "hospital")
    signing = ("consent", "revoke-all", "--as", "patient", "--sign-only", "")
    for arguments in (signing, ("submit", "")):
        outcome = plain_cli(*arguments)
        told = "InvalidFile: a path is empty; name a file or folder\n"
        assert (outcome.code, outcome.out, outcome.err) == (2, "", told)


def test_a_tilde_is_the_user_s_own_folder(ok, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("RADLEDGER_PASSPHRASE", "word")
    monkeypatch.setenv("RADLEDGER_HOME", "~/named by the environment")
    ok("account", "new", "alice")
    ok("account", "new", "bob", "--home", "~/named here")
    ok("account", "new", "carol", "--home", "~nobody-of-this-name/home")
    found = {path.parts[len(tmp_path.parts) :][:2] for path in tmp_path.rglob("*.json")}
    assert found == {
        ("me", "named by the environment"),
        ("me", "named here"),
        ("~nobody-of-this-name", "home"),
    }


@pytest.mark.parametrize(
    "name", ["with space", "ö 日本 עברית", "100%41?mode=ro#x&y", "'q\" $HOME ;"]
)
def test_a_home_may_have_any_name(pristine, tmp_path, cli, name):
    home = shutil.copytree(pristine, tmp_path / "odd" / name / "home")
    before = {path.relative_to(tmp_path) for path in tmp_path.rglob("*")}
    (image,) = cli("image", "list", "--home", home).objects
    history = cli("history", image["image_id"], "--home", home).objects
    assert [each["event"] for each in history] == ["ImageAnchored"]
    added = {path.relative_to(tmp_path) for path in tmp_path.rglob("*")} - before
    assert added
    assert {path.parts[:3] for path in added} == {("odd", name, "home")}
    assert [each.name for each in (tmp_path / "odd").iterdir()] == [name]


def test_a_warning_is_one_line_without_control_characters(capsys):
    """A node's or a relayer's words are in warnings."""
    assert run(["--version"]) == 0
    try:
        raise ValueError(ESCAPE)
    except ValueError as error:
        raised = (ValueError, error, error.__traceback__)
    record = {"msg": "the node says %s", "args": (ESCAPE,), "exc_info": raised}
    first, *traceback = logging.lastResort.format(logging.makeLogRecord(record)).split("\n")
    assert first == f"the node says {TOLD}"
    assert all(line.isprintable() for line in traceback)
