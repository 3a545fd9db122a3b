"""Check that each relative link of the project's Markdown files leads to a file, or a heading.

python tools/check_links.py
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes of the headings of a Markdown text."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(text))
    return {heading.replace(" ", "-") for heading in plain}


def leads_somewhere(path: Path, link: str) -> bool:
    """Whether the file, and the heading if one is named, exist."""
    name, _, anchor = link.partition("#")
    target = (path.parent / name).resolve() if name else path
    if not target.exists():
        return False
    return not anchor or target.suffix != ".md" or anchor in anchors(target.read_text("utf-8"))


def broken(path: Path) -> list[str]:
    """The links of one file that lead nowhere."""
    links = LINK.findall(FENCE.sub("", path.read_text("utf-8")))
    return [link for link in links if not leads_somewhere(path, link)]


def main() -> int:
    """Print each broken link; return 1 if there is one."""
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = [f"{name}: {link}" for name in listed.stdout.split() for link in broken(ROOT / name)]
    if found:
        print("Links that lead nowhere:\n" + "\n".join(f"  {line}" for line in found))
        return 1
    print("all links lead somewhere")
    return 0


if __name__ == "__main__":
    sys.exit(main())
