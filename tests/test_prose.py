"""`tools/check_prose.py` finds phrases that have a plainer form, and nothing else."""

from __future__ import annotations

import pytest

from tools.check_prose import PHRASES, complaints, main

PHRASES_FOUND = (
    "this is no file",
    "whoever calls",
    "made anew",
    "as it was told",
    "works off line",
    "it gives them up",
    "a killed run",
    "all unless given",
    "in one's own store",
    "broken glasses",
    "a worked out example",
    "the node is gone",
    "it goes on with the rest",
    "an identity that was handed on",
    "refused for want of consent",
    "granted to the letter",
    "the contract sees to it",
    "each read, be it of a header",
    "counts all the same",
    "a secret that was put away",
    "anybody may call it",
)


@pytest.mark.parametrize("phrase", PHRASES_FOUND)
@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("code.py", '"""A docstring.\n\nIn it {}.\n"""\n'),
        ("code.py", "\n\nnumber = 1  # {}\n"),
        ("code.py", '\nraise ValueError(\n    f"{{number}}: {}"\n)\n'),
        ("contract.sol", "contract C {{\n\n    /// @dev {}.\n}}\n"),
        ("page.md", "# Page\n\nIn it {}.\n"),
    ],
)
def test_phrase_is_found_with_its_line(tmp_path, phrase, name, form):
    file = tmp_path / name
    file.write_text(form.format(phrase))
    ((line, found, advice),) = complaints(file)
    assert (line, found in phrase) == (3, True)
    assert advice


def test_every_pattern_has_an_example(tmp_path):
    file = tmp_path / "page.md"
    file.write_text(". ".join(PHRASES_FOUND))
    assert {advice for _, _, advice in complaints(file)} == set(PHRASES.values())


def test_phrase_across_lines_is_found(tmp_path):
    file = tmp_path / "code.py"
    file.write_text('# what is\n# no file\ntext = (\n    "it gives them "\n    "up at once"\n)\n')
    assert [(line, phrase) for line, phrase, _ in complaints(file)] == [
        (1, "is no"),
        (4, "gives them up"),
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("code.py", '"""There is no file, and this is no longer one."""\n'),
        ("code.py", 'nobody = gone = told = "nobody"  # `nobody`\nprint(f"it {told}")\n'),
        ("code.py", '"""A process that was killed with SIGKILL; break-the-glass."""\n'),
        ("contract.sol", "contract C {\n    address nobody;\n}\n"),
        ("page.md", "```\nnobody is gone\n```\n\nSee `gone`.\n"),
    ],
)
def test_code_and_plain_words_are_accepted(tmp_path, name, text):
    file = tmp_path / name
    file.write_text(text)
    assert complaints(file) == []


def test_in_tests_only_comments_and_docstrings_count(tmp_path):
    file = tmp_path / "tests" / "test_one.py"
    file.parent.mkdir()
    file.write_text('"""One of nobody."""\n\nname = "Somebody else"\n')
    assert [(line, phrase) for line, phrase, _ in complaints(file)] == [(1, "nobody")]


def test_command_prints_place_and_advice(tmp_path, capsys):
    (tmp_path / "good.md").write_text("All is well.\n")
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == "the prose is plain\n"
    (tmp_path / "page.md").write_text("# Page\n\nIt works off line.\n")
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out == f"{tmp_path}/page.md:3: 'off line' -> offline\n"
