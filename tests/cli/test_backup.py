"""The commands for backup and restore in docs/operations.md do what it says."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

_PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def test_what_was_backed_up_is_restored(home, ok, image, tmp_path):
    if shutil.which("sqlite3") is None:
        pytest.skip("needs sqlite3")
    text = _PAGE.read_text("utf-8")
    section = text[text.index("## Backup and restore") : text.index("## Rotating keys")]
    backup, restore = re.findall(r"```\n(.*?)```", section, re.DOTALL)
    backup = backup.replace("/backup/", f"{tmp_path}/backup/")
    kept = f"export RADLEDGER_HOME={home}\nset -e\n"

    subprocess.run(["bash", "-c", kept + backup], check=True)
    (folder,) = (tmp_path / "backup").iterdir()
    (journal,) = folder.glob("imaging/*/journal.sqlite3")
    assert [stat.S_IMODE(each.stat().st_mode) for each in (folder, journal)] == [0o700, 0o600]

    for part in ("keystore", "imaging", "deployments"):
        shutil.rmtree(home / part)
    (home / "networks.yaml").unlink()
    subprocess.run(["bash", "-c", kept + backup.split("mkdir")[0] + restore], check=True)
    assert ok("image", "rekey", image, "--as", "hospital")["image_id"] == image
