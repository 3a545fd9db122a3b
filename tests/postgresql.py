"""A PostgreSQL server of the tests' own, in a folder that goes with them."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["empty_database", "running_postgresql"]

_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


@contextmanager
def running_postgresql() -> Iterator[str]:
    """URL of an empty database; the server is ended at the end."""
    user = _user()
    with tempfile.TemporaryDirectory(prefix="postgresql-") as name:
        folder = Path(name)
        shutil.chown(folder, user)
        data, log = folder / "data", folder / "log"
        _run(user, _program("initdb"), "-D", data, "-U", "radledger", "-A", "trust", "-N")
        control = _program("pg_ctl")
        for left in reversed(range(3)):
            port = _free_port()
            options = f"-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off -k {folder}"
            try:
                _run(user, control, "start", "-D", data, "-l", log, "-w", "-o", options)
            except AssertionError:
                # Another process may have taken the port meanwhile.
                if not left or "Address already in use" not in log.read_text():
                    raise
            else:
                break
        try:
            yield f"postgresql://radledger@127.0.0.1:{port}/postgres"
        finally:
            _run(user, control, "stop", "-D", data, "-m", "immediate", "-w")


def empty_database(url: str) -> None:
    """End all other connections to a database, drop all its schemas and make an empty ``public``.

    What earlier tests left open would use up the server's connections until it is collected.
    """
    import psycopg
    from psycopg.sql import SQL, Identifier

    schemas = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$)'"
    others = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(others)
        for (name,) in connection.execute(schemas).fetchall():
            connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(name)))
        connection.execute("CREATE SCHEMA public")


def _program(name: str) -> str:
    path = os.pathsep.join([os.environ.get("PATH", ""), *map(str, _BINARIES)])
    program = shutil.which(name, path=path)
    if program is None:
        pytest.skip(f"needs postgresql: {name} is not on PATH")
    return program


def _user() -> str:
    """Who runs the server, which refuses to be run by root."""
    if os.getuid():
        return pwd.getpwuid(os.getuid()).pw_name
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _run(user: str, *command: str | Path) -> None:
    other = {} if os.getuid() else {"user": user, "extra_groups": ()}
    done = subprocess.run(
        [*map(str, command)],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if "start" not in command else subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
        **other,
    )
    assert done.returncode == 0, done.stdout


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
