"""The command that writes a release's home: from committed files, once, and small."""

from __future__ import annotations

import subprocess

import pytest

from radledger import __version__
from tools import make_upgrade_home


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the home of this release would be, in a repository with one commit."""
    root = tmp_path / "repository"
    root.mkdir()
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    for command in (("init", "--quiet"), (*identity, "commit", "-qm", "x", "--allow-empty")):
        subprocess.run(["git", "-C", root, *command], check=True)
    homes = root / "tests" / "upgrade"
    monkeypatch.setattr(make_upgrade_home, "ROOT", root)
    monkeypatch.setattr(make_upgrade_home, "HOMES", homes)
    return homes / __version__


@pytest.fixture
def size(monkeypatch):
    """Writes homes of a size, in place of those with a chain."""

    def of(size):
        def make(folder):
            folder.mkdir(parents=True)
            (folder / "homes.tar.xz").write_bytes(bytes(size))

        monkeypatch.setattr(make_upgrade_home, "make", make)

    of(1_000)
    return of


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        make_upgrade_home.main(arguments)
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_it_is_made_once_unless_it_is_to_be_replaced(folder, size, capsys):
    make_upgrade_home.main([])
    assert capsys.readouterr().out == f"{folder}: 1,000 bytes\n"
    size(2_000)
    assert "never changed" in refused(capsys)
    assert (folder / "homes.tar.xz").stat().st_size == 1_000
    make_upgrade_home.main(["--replace"])
    assert (folder / "homes.tar.xz").stat().st_size == 2_000


def test_it_is_of_a_commit(folder, size, capsys):
    (folder.parents[2] / "changed.py").touch()
    assert "commit these changes first" in refused(capsys)
    assert not folder.exists()


def test_it_is_small(folder, size, capsys):
    size(1_000_001)
    assert "1,000,001 bytes" in refused(capsys)
    assert not folder.exists()
