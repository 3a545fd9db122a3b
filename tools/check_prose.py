"""Find phrases with a plainer form in what people read: comments, docstrings, messages, documents.

Names of functions count as well.  In tests other strings are data.

python tools/check_prose.py [PATH…]
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKED = (
    *("src", "contracts", "interfaces", "scripts", "tests", "tools", "benchmarks", "docs", "infra"),
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"),
)

PHRASES = {
    r"(?<!there )\b(is|are|was|were|be) no (?!longer\b|more\b|such\b|later\b|older\b)": "is not a",
    r"\b(no|some|every|any)body\b|\bwhoever\b": "name the subject: no account, the reader, anyone",
    r"\banew\b": "again",
    r"\btold\b(?! (=|INTEGER))": "reported, recorded",  # the journal has a column of this name
    r"\boff line\b": "offline",
    r"\bg(ive|ives|ave|iven|iving)( \w+)? up\b": "release, unpin, stop",
    # A process may be killed; a run is interrupted.
    r"\bkilled (run|command)|\b(run|it|which|whatever) (that )?was killed": "interrupted",
    r"\bunless given\b": "default: …",
    r"\bone's\b|\boneself\b": "your, its own",
    r"(?<![-\w])(?<!break )glas(s|ses)\b": "emergency access",
    r"\bworked out\b": "derived, computed",
    r"\bgone\b": "missing, removed, lost",
    r"\bgo(es|ing)? on with\b": "continue, resume",
    r"\bhand(s|ed|ing)? on\b": "hand over",
    r"\bfor want of\b": "without, for lack of",
    r"\bto the letter\b": "exactly",
    r"\bsees? to it\b": "ensures, enforces",
    r"\bbe it\b": "name the cases",
    r"\ball the same\b": "still, nevertheless",
    r"\bput away\b|\bputs? (it|them) away\b": "sealed, stored",
}
SOLIDITY = re.compile(r"//.*|/\*(?:.|\n)*?\*/")
FENCE = re.compile(r"^ *```(?:.|\n)*?^ *```", re.MULTILINE)
CODE = re.compile(r"`[^`]+`")


def is_test(path: Path) -> bool:
    """Whether a file is a test, or belongs to tests."""
    return "tests" in path.parts


def pieces(path: Path) -> list[tuple[int, str]]:
    """The comments and strings of a source file, or the text of a document, each with its line."""
    text = path.read_text("utf-8")
    if path.suffix == ".sol":
        return [(text.count("\n", 0, at.start()) + 1, at[0]) for at in SOLIDITY.finditer(text)]
    if path.suffix != ".py":
        return [(1, FENCE.sub(lambda code: "\n" * code[0].count("\n"), text))]
    found = []
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        name, string = tokenize.tok_name[token.type], token.string
        if before == "def":
            found.append((token.start[0], string.strip("_").replace("_", " ") + "."))
        before = string
        if name == "STRING" and (" " in string) and (string[:3] == '"""' or not is_test(path)):
            # Without its quotes and what an f-string inserts.
            string = re.sub(r'^\w*["\']+|["\']+$', "", string)
            found.append((token.start[0], re.sub(r"\{[^{}]*\}", "…", string)))
        elif name == "COMMENT" or (name == "FSTRING_MIDDLE" and not is_test(path)):
            found.append((token.start[0], string))
    return found


def complaints(path: Path) -> list[tuple[int, str, str]]:
    """Line, phrase and suggestion for each phrase of a file, also where it spans lines."""
    words = [
        (number + offset, word)
        for number, piece in pieces(path)
        for offset, line in enumerate(
            CODE.sub(lambda code: "…" + "\n" * code[0].count("\n"), piece).splitlines()
        )
        for word in line.split()
        if word.strip("/*#")
    ]
    lines = [number for number, word in words for _ in f"{word} "]
    text = " ".join(word for _, word in words)
    return sorted(
        (lines[at.start()], at[0].strip(), advice)
        for phrase, advice in PHRASES.items()
        for at in re.finditer(phrase, text, re.IGNORECASE)
    )


def main(paths: list[str]) -> int:
    """Print each phrase with its place; return 1 if there is one."""
    files = [
        file
        for path in (ROOT / name for name in paths or CHECKED)
        for file in ([path] if path.is_file() else sorted(path.rglob("*")))
        if file.suffix in (".py", ".sol", ".md")
    ]
    found = [
        f"{file.relative_to(ROOT) if ROOT in file.parents else file}:{line}: {phrase!r} -> {advice}"
        for file in files
        for line, phrase, advice in complaints(file)
    ]
    print("\n".join(found) or "the prose is plain")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
