"""The story, played once on anvil with a small CT: every step happens, and each is on the page."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO

import pytest

from radledger.chain.errors import ConnectionFailed
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.demo.checks import Unexpected, check
from radledger.demo.environment import LocalNode
from radledger.demo.play import play, pydicom_samples
from radledger.demo.step import StepOutcome
from radledger.demo.story import STORY

STEPS = [step for chapter in STORY for step in chapter.steps]
LINE = re.compile(
    r"\s*(?P<number>\d+)  (?P<actor>\w+) +(?:no|(?P<gas>[\d,]+)) gas +[\d.]+ s  (?P<text>.+)"
)


class Watched(LocalNode):
    """A local node that remembers where it was."""

    endpoint = ""

    def up(self, home):
        radledger = super().up(home)
        self.endpoint = radledger.ledger.web3.provider.endpoint_uri
        return radledger

    @property
    def answers(self):
        try:
            connect(Network("demo", self.endpoint))
        except ConnectionFailed:
            return False
        return True


def played(folder, environment, story=STORY, **options):
    samples = folder.with_name("samples")
    samples.mkdir()
    for name in ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "MR_truncated.dcm"):
        shutil.copy(pydicom_samples() / "test_files" / name, samples)
    return play(
        folder,
        environment,
        story=story,
        slices=4,
        size=64,
        samples=(samples,),
        inspected=("MR_small.dcm",),
        **options,
    )


@pytest.fixture(scope="module")
def performance(tmp_path_factory):
    """Exit code, printed lines, page and node of one run, in which a link was asked for twice."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    environment = Watched("anvil")
    viewer = tmp_path_factory.mktemp("viewer")
    (viewer / "index.html").write_text("<!doctype html><title>OHIF</title>")
    asked = iter((True, False))
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as printed:
        # OHIF in a browser is looked at elsewhere.
        patch.setattr("radledger.demo.chromium.program", lambda: None)
        for module in ("stage", "look"):
            patch.setattr(f"radledger.demo.{module}.viewer_folder", lambda: viewer)
        code = played(folder, environment, another=lambda: next(asked))
    environment.links = re.findall(r"http://127.0.0.1:\d+/open\?ticket=\S+", printed.getvalue())
    lines = [match for match in map(LINE.fullmatch, printed.getvalue().splitlines()) if match]
    return code, lines, (folder / "index.html").read_text("utf-8"), environment


def test_every_step_happens_and_prints_a_line(performance):
    code, lines, _, _ = performance
    assert code == 0
    assert [line["actor"] for line in lines] == [step.actor for step in STEPS]
    assert [int(line["number"]) for line in lines] == list(range(1, len(STEPS) + 1))


def test_every_refusal_is_the_expected_one_and_costs_nothing(performance):
    refusals = [
        (line["text"].rpartition("refused, ")[2], line["gas"])
        for line, step in zip(performance[1], STEPS, strict=True)
        if step.refusal
    ]
    assert refusals == [(step.refusal, None) for step in STEPS if step.refusal]


def test_the_refusals_that_users_fear_are_shown(performance):
    assert {line["text"].rpartition("refused, ")[2] for line in performance[1]} >= {
        "ConsentNotPermittedNeverGranted",
        "ConsentNotPermittedPurpose",
        "ConsentNotPermittedExpired",
        "ConsentNotPermittedRevoked",
        "ContentMismatch",
        "ConsentSuperseded",
        "DatasetAlreadyContributed",
        "ImageIsErased",
    }


def test_it_ends_with_links_to_the_viewer_as_long_as_they_are_asked_for(performance):
    first, second = performance[3].links
    assert first != second


def test_the_node_is_ended(performance):
    assert not performance[3].answers


def test_the_page_shows_each_step(performance):
    _, lines, page, _ = performance
    shown = _Page(page)
    assert [int(number) for number in shown.steps] == [int(line["number"]) for line in lines]
    for line, step in zip(lines, STEPS, strict=True):
        text = " ".join("".join(shown.steps[line["number"]]).split())
        for part in (step.attempt, step.refusal) if step.refusal else (line["text"],):
            assert part in text
        if line["gas"]:
            assert f"{line['gas']} gas" in text


def test_the_page_tells_refusals_in_words(performance):
    page = performance[2]
    assert "not all of its purposes are granted (granted CC, used HMB)" in page
    assert "The recovery cannot be executed before 20" in page
    assert "Unix time" not in page


def test_the_page_loads_nothing(performance):
    page = _Page(performance[2])
    assert page.pictures
    assert all(source.startswith("data:image/png;base64,") for source in page.pictures)
    assert all(address.startswith(("#", "data:")) for address in page.addresses)
    assert not re.findall(r"https?://|@import|url\(", performance[2])
    assert page.tags.isdisjoint({"script", "link", "iframe", "object", "base"})


def test_the_page_is_accessible(performance):
    page = _Page(performance[2])
    assert page.language == "en"
    assert all(page.alternatives)
    assert page.headings[0] == "h1"
    assert page.headings.count("h1") == 1
    targets = {address[1:] for address in page.addresses if address.startswith("#")}
    assert targets <= page.ids
    assert len(page.ids) == page.id_count


def test_a_step_that_is_not_refused_as_expected_is_named(tmp_path, capsys):
    wrong = _only("bring up", "add CT", "stranger", stranger="ConsentNotPermittedRevoked")
    environment = Watched("anvil")
    assert played(tmp_path / "out", environment, wrong) == 1
    assert "FAILED at step “stranger”" in capsys.readouterr().err
    assert not (tmp_path / "out" / "index.html").exists()
    assert not environment.answers


def test_a_step_that_should_be_refused_and_is_not_is_named(tmp_path, capsys):
    wrong = _only("bring up", **{"bring up": "ConsentNotPermittedRevoked"})
    assert played(tmp_path / "out", LocalNode("anvil"), wrong) == 1
    error = capsys.readouterr().err
    assert "FAILED at step “bring up”: should be refused with ConsentNotPermittedRevoked" in error


def test_a_step_whose_check_fails_is_named(tmp_path, capsys):
    chapter = _only("bring up")[0]

    def act(stage):
        chapter.steps[0].act(stage)
        check(stage.ledger.block_number() < 0, "there are blocks")
        return StepOutcome("did nothing")

    wrong = replace(chapter, steps=(replace(chapter.steps[0], act=act),))
    assert played(tmp_path / "out", LocalNode("anvil"), [wrong]) == 1
    assert "FAILED at step “bring up”: there are blocks" in capsys.readouterr().err


def test_check_says_what_did_not_hold():
    check(True, "fine")
    with pytest.raises(Unexpected, match="59 slices"):
        check(False, "59 slices")


def test_the_command_fails_where_there_is_no_node(tmp_path):
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "radledger.demo", "--out", str(tmp_path / "out"), "--chain", "nil"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "invalid choice: 'nil'" in done.stderr


def _only(*names, **refusals):
    """The story with these steps alone, some with another expectation."""
    chapters = []
    for chapter in STORY:
        steps = tuple(
            replace(step, refusal=refusals.get(step.name, step.refusal))
            for step in chapter.steps
            if step.name in names
        )
        if steps:
            chapters.append(replace(chapter, steps=steps))
    return chapters


class _Page(HTMLParser):
    """What a page holds: steps with their texts, and whatever a browser would load."""

    def __init__(self, text):
        super().__init__()
        self.steps: dict[str, list[str]] = {}
        self.pictures: list[str] = []
        self.alternatives: list[str] = []
        self.addresses: list[str] = []
        self.headings: list[str] = []
        self.tags: set[str] = set()
        self.ids: set[str] = set()
        self.id_count = 0
        self.language = None
        self._step = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.add(tag)
        if "id" in attributes:
            self.ids.add(attributes["id"])
            self.id_count += 1
        if tag == "html":
            self.language = attributes["lang"]
        if tag == "li" and attributes.get("id", "").startswith("step-"):
            self._step = attributes["id"].removeprefix("step-")
            self.steps[self._step] = []
        if tag == "img":
            self.pictures.append(attributes["src"])
            self.alternatives.append(attributes.get("alt", ""))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(tag)
        self.addresses += [attributes[name] for name in ("href", "src") if name in attributes]

    def handle_data(self, data):
        if self._step:
            self.steps[self._step].append(data)
