"""Every given path comes out once, to be read or with the reason why not, in one order."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from radledger.dicom.scan import Candidate, Skipped, printable, scan


def found(*paths: Path) -> dict[str, str | int]:
    """Name of each path that was found: its size, or the reason for leaving it out."""
    return {
        entry.path.name: entry.size if isinstance(entry, Candidate) else entry.reason
        for entry in scan(paths)
    }


def test_files_and_folders_in_any_mix_and_one_order(tmp_path: Path) -> None:
    for name in ("b/2.dcm", "b/10.dcm", "a/x/1.dcm", "c.dcm"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    entries = list(scan([tmp_path / "c.dcm", tmp_path]))
    assert [str(entry.path.relative_to(tmp_path)) for entry in entries] == [
        "c.dcm",
        "c.dcm",
        "a/x/1.dcm",
        "b/10.dcm",
        "b/2.dcm",
    ]
    assert entries[1] == Skipped(tmp_path / "c.dcm", "given twice")
    assert all(isinstance(entry, Candidate) for entry in entries[2:])


def test_what_is_not_a_file_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "good").write_bytes(b"x")
    (tmp_path / "empty").touch()
    (tmp_path / "DICOMDIR").write_bytes(b"x")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(tmp_path)  # the name of a socket may only be short
        server.bind("socket")
        assert found(tmp_path, Path("/dev/null"), tmp_path / "gone") == {
            "DICOMDIR": "a DICOMDIR lists other files; give those",
            "empty": "empty",
            "fifo": "pipe",
            "good": 1,
            "socket": "socket",
            "null": "device",
            "gone": "not found",
        }


def test_links_may_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "real").write_bytes(b"xy")
    (tmp_path / "secret").write_bytes(b"x")
    (folder / "inside").symlink_to("deep/real")
    (folder / "outside").symlink_to("../secret")
    (folder / "cycle").symlink_to(folder)
    (folder / "nothing").symlink_to("gone")
    (folder / "self").symlink_to("self")
    result = found(folder)
    assert result["inside"] == 2
    assert result["real"] == "given twice"
    assert result["outside"] == "link out of the folder"
    assert result["cycle"] == "link to a folder"
    assert result["nothing"] == "link to nothing"
    assert isinstance(result["self"], str)
    # a path that is named explicitly is followed, link or not
    assert found(folder / "outside") == {"outside": 1}


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every file")
def test_what_may_not_be_read_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "closed").write_bytes(b"x")
    (tmp_path / "closed").chmod(0)
    assert found(tmp_path) == {"closed": "unreadable"}


@pytest.mark.parametrize(
    "name",
    [b"line\nbreak", b"\xff\xfe not UTF-8", b"\x1b[31mred", "\u202egnp".encode(), b"a" * 255],
)
def test_odd_names_are_found_and_can_be_printed(name: bytes, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.write_bytes(b"x")
    [entry] = scan([tmp_path])
    assert isinstance(entry, Candidate)
    shown = printable(entry.path)
    assert shown.isprintable()
    assert len(shown) <= 200
    assert json.loads(json.dumps(shown).encode("utf-8")) == shown


def test_a_name_that_no_file_can_have() -> None:
    [too_long, zero] = scan([Path("a" * 5000), Path("a\0b")])
    assert isinstance(too_long, Skipped)
    assert isinstance(zero, Skipped)
    assert zero.name == "a\\x00b"
