"""What the documents say is so: commands, links, named files and examples."""

from __future__ import annotations

import doctest
import importlib
import itertools
import json
import re
import shlex
import subprocess
import sys
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest

from radledger.cli.application import command_tree
from radledger.cli.files import InvalidFile
from radledger.cli.session import session
from tools.check_links import broken

ROOT = Path(__file__).parents[1]
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = [
    path for folder in ("", "docs/**/", "infra/**/") for path in ROOT.glob(f"{folder}*.md")
]
SOURCES = sorted((ROOT / "src" / "radledger").rglob("*.py"))
FOLDERS = (
    "benchmarks",
    "contracts",
    "docs",
    "infra",
    "interfaces",
    "scripts",
    "snapshots",
    "src",
    "tests",
    "tools",
)
NAMED_PATH = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]+)`")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# A file of another project, and a placeholder.
ELSEWHERE = {"docs/Algorithms.md", "tests/upgrade/VERSION/"}
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
GRANT_BY_SIGNATURE = "ConsentRegistry.grantBySig"
RUNNABLE = re.compile(r"^ *>>> (?!.*doctest: \+SKIP)", re.MULTILINE)
REQUIREMENT = re.compile(r"^\| (?P<id>[RX]\d+a?) \|(?P<cells>.*)\|$", re.MULTILINE)
TREE_LINE = re.compile(r"^(?P<indent> *)(?P<name>[\w./-]+/|[\w-]+\.py) +(?P<caption>.*)$")


@pytest.fixture(autouse=True)
def fresh_session():
    """Parsing a command line tells the session of its options."""
    yield
    session.reset()


def plain_blocks(text):
    """The code blocks of no language."""
    return [code for language, code in BLOCK.findall(text) if not language]


def shell_lines():
    lines = (line for block in plain_blocks(README) for line in block.splitlines())
    return [line for line in lines if line.startswith("radledger ")]


def table_commands():
    """Each command of the README's table: in a row, the group goes before its first command."""
    commands = []
    for cell in re.findall(r"^\| (`.+?) \|", README, re.MULTILINE):
        group = []
        for number, code in enumerate(re.findall(r"`([^`]+)`", cell)):
            *named, command = code.split()
            group = named if number == 0 else group
            commands.append((*group, command))
    return commands


def all_commands(group, path=()):
    for name, command in group.commands.items():
        below = (*path, name)
        if getattr(command, "invoke_without_command", True):
            yield below
        if hasattr(command, "commands"):
            yield from all_commands(command, below)


@pytest.mark.parametrize("line", shell_lines())
def test_commands_of_the_readme_are_understood(line):
    command, words = command_tree(), shlex.split(line, comments=True)[1:]
    while hasattr(command, "commands") and not words[0].startswith("-"):
        command = command.commands[words.pop(0)]
    with suppress(InvalidFile):  # its files are not here, which is found once all is understood
        command.make_context(command.name, words)


def test_a_command_line_with_a_wrong_option_is_not_understood():
    with pytest.raises(Exception, match="No such option: --nobody"):
        test_commands_of_the_readme_are_understood("radledger devnet up --nobody")


def test_the_table_has_every_command():
    assert sorted(table_commands()) == sorted(all_commands(command_tree()))


def test_options_that_the_readme_names_exist():
    tree = command_tree()
    options = {name for option in tree.params for name in option.opts}
    for path in all_commands(tree):
        command = tree
        for name in path:
            command = command.commands[name]
        options |= {name for option in command.params for name in option.opts}
    verifier = [sys.executable, "-m", "radledger.verify", "--help"]
    told = subprocess.run(verifier, capture_output=True, text=True, check=True).stdout
    options |= set(OPTION.findall(told))
    assert set(OPTION.findall(README)) <= options


def test_environment_variables_that_the_readme_names_are_read():
    read = [*SOURCES, *(ROOT / "scripts").glob("*.py")]
    code = "".join(path.read_text("utf-8") for path in read)
    named = set(re.findall(r"RADLEDGER_[A-Z_]+", README))
    assert named
    assert {name for name in named if f'"{name}"' not in code} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_named_files_are_there(document):
    assert broken(document) == []
    named = set(NAMED_PATH.findall(document.read_text("utf-8"))) - ELSEWHERE
    assert {name for name in named if not (ROOT / name).exists()} == set()


def requirements():
    """Each row of the table of requirements: id, then demand, modules, tests and state."""
    table = (ROOT / "docs/requirements.md").read_text("utf-8")
    rows = {row["id"]: row["cells"].split("|") for row in REQUIREMENT.finditer(table)}
    assert len(rows) == len(REQUIREMENT.findall(table))
    return {name: [cell.strip() for cell in cells] for name, cells in rows.items()}


def test_every_requirement_has_a_row():
    numbered = [f"R{n}" for n in range(1, 43)] + [f"X{n}" for n in range(1, 17)]
    assert sorted(requirements()) == sorted(
        [*numbered, "R27a", *(f"X{n}" for n in (22, 24, 25, 26, 27))]
    )


@pytest.mark.parametrize(("name", "row"), requirements().items(), ids=requirements())
def test_a_requirement_is_done_where_something_does_it_and_a_test_shows_it(name, row):
    demand, modules, tests, state = row
    assert demand.endswith(".")
    stated = re.match(r"(done|part: .|not yet)", state)
    assert stated, state
    named = [path for path in NAMED_PATH.findall(modules) if not path.startswith("tests/")]
    shown = NAMED_PATH.findall(tests)
    assert [path for path in shown if not path.startswith("tests/")] == []
    for path in shown:
        assert re.search(r"^def test_|^Test\w+ = ", (ROOT / path).read_text("utf-8"), re.MULTILINE)
    assert (bool(named), bool(shown)) == (
        (False, False) if stated[0] == "not yet" else (True, True)
    )
    sources = "".join((ROOT / path).read_text("utf-8") for path in named if (ROOT / path).is_file())
    assert {code for code in re.findall(r"`(\w+)`", modules) if code not in sources} == set()


def test_gas_in_the_document_on_scale_is_that_of_the_snapshot():
    scale = (ROOT / "docs/scale.md").read_text("utf-8")
    measured = json.loads((ROOT / "snapshots/gas.json").read_text("utf-8"))
    told = {f"{measured[key]:,}" for key in ("ImageRegistry.anchorBatch.of100", GRANT_BY_SIGNATURE)}
    assert set(re.findall(r"\| ([\d,]+) \| `make gas` \|", scale)) == told
    sums = re.findall("[+\N{MULTIPLICATION SIGN}] (\\d\\d,\\d{3})", scale)
    assert set(sums) == told


def architecture_tree():
    (tree,) = [block for block in plain_blocks(ARCHITECTURE) if "contracts/" in block]
    return tree.splitlines()


def test_the_tree_of_the_architecture_is_there():
    missing, above = [], {}
    for line in architecture_tree():
        match = TREE_LINE.match(line)
        assert match, line
        depth = len(match["indent"]) // 2
        path = above.get(depth - 1, ROOT) / match["name"]
        above[depth] = path
        inside = re.findall(r"(?<![\w/])([\w-]+/)(?!\w)", match["caption"])
        missing += [each for each in (path, *(path / name for name in inside)) if not each.exists()]
    assert missing == []


@pytest.mark.parametrize("folder", ["contracts", "src/radledger"])
def test_the_tree_of_the_architecture_has_every_package(folder):
    lines = iter(architecture_tree())
    assert any(line.startswith(f"{folder}/ ") for line in lines)
    inside = itertools.takewhile(lambda line: line.startswith(" "), lines)
    listed = [TREE_LINE.match(line)["name"].rstrip("/") for line in inside]
    there = (ROOT / folder).iterdir()
    # Each folder with files in it, and each module.
    packages = {path.name for path in there if any(path.glob("*.*")) or path.suffix == ".py"}
    assert sorted(listed) == sorted(packages - {"__init__.py", "__pycache__"})


def test_the_dependencies_of_the_architecture_are_those_that_are_checked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    one_way, *_ = project["tool"]["importlinter"]["contracts"]
    there = {path.stem for path in (ROOT / "src/radledger").iterdir()}
    layers = [
        [name for name in re.findall(r"radledger\.(\w+)", layer) if name in there]
        for layer in one_way["layers"]
    ]
    (stated,) = re.findall(r"Dependencies point one way:\*\* `(.+?)`", ARCHITECTURE)
    assert [layer.split(", ") for layer in stated.split(" → ")] == [each for each in layers if each]


@pytest.mark.parametrize(
    "path",
    [path for path in SOURCES if RUNNABLE.search(path.read_text("utf-8"))],
    ids=lambda path: str(path.relative_to(ROOT / "src/radledger")),
)
def test_examples_in_docstrings(path):
    parts = path.relative_to(ROOT / "src").with_suffix("").parts
    module = importlib.import_module(".".join(part for part in parts if part != "__init__"))
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0
