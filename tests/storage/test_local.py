"""The store in a folder: what damage, killed processes and other processes can do to it."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from radledger.storage import LocalStore, MemoryStore
from radledger.storage.errors import ContentMismatch, ContentNotFound

_SOURCE = Path(__file__).parents[2] / "src"


def _process(code: str, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        env={**os.environ, "PYTHONPATH": str(_SOURCE)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _only_file(folder: Path) -> Path:
    (path,) = _files(folder)
    return path


@pytest.mark.parametrize("damage", ["flipped", "cut short", "extended", "exchanged"])
def test_damage_on_the_disk_is_found_before_a_byte_is_handed_over(
    damage: str, tmp_path: Path
) -> None:
    store, content = LocalStore(tmp_path), os.urandom(300_000)
    cid = store.put(io.BytesIO(content)).cid
    damaged = {
        "flipped": content[:-1] + bytes([content[-1] ^ 1]),
        "cut short": content[:-1],
        "extended": content + b"\0",
        "exchanged": b"other",
    }[damage]
    path = _only_file(tmp_path)
    path.chmod(0o600)
    path.write_bytes(damaged)

    with pytest.raises(ContentMismatch) as refusal:
        store.get(cid)
    got = MemoryStore().put(io.BytesIO(damaged)).cid
    assert refusal.value.values == {"cid": cid, "got": got, "size": len(damaged)}

    store.put(io.BytesIO(content))
    with store.get(cid) as stream:
        assert stream.read() == content


def test_what_was_handed_over_does_not_change_with_the_disk(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    cid = store.put(io.BytesIO(b"pixels")).cid
    with store.get(cid) as stream:
        path = _only_file(tmp_path)
        path.chmod(0o600)
        path.write_bytes(b"others")
        assert stream.read() == b"pixels"


def test_content_is_read_only_and_for_its_owner_alone(tmp_path: Path) -> None:
    LocalStore(tmp_path).put(io.BytesIO(b"pixels"))
    assert _only_file(tmp_path).stat().st_mode & 0o777 == 0o400


def test_another_store_on_the_folder_sees_the_same(tmp_path: Path) -> None:
    cid = LocalStore(tmp_path).put(io.BytesIO(b"pixels")).cid
    other = LocalStore(tmp_path)
    other.unpin(cid)
    assert not LocalStore(tmp_path).stat(cid).pinned


def test_reading_and_a_failed_write_leave_no_file_behind(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    cid = store.put(io.BytesIO(os.urandom(9 << 20))).cid
    with store.get(cid) as stream:
        stream.read()

    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.put(Failing())
    assert [path.name for path in _files(tmp_path)] == [cid]


_KILLED_IN_PUT = """
import io, sys
from pathlib import Path
from radledger.storage import LocalStore

class Slow(io.RawIOBase):
    pieces = [b"first piece" * 100_000]
    def read(self, size=-1):
        if self.pieces:
            return self.pieces.pop()
        print("writing", flush=True)
        return sys.stdin.buffer.read()

LocalStore(Path(sys.argv[1])).put(Slow())
"""


def test_a_process_killed_while_putting_leaves_no_content(tmp_path: Path) -> None:
    process = _process(_KILLED_IN_PUT, tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == b"writing\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()

    store = LocalStore(tmp_path)
    leftover = _only_file(tmp_path)
    assert leftover.parent.name == "temporary"
    cid = MemoryStore().put(io.BytesIO(b"first piece" * 100_000)).cid
    with pytest.raises(ContentNotFound):
        store.get(cid)

    store.collect()
    assert _files(tmp_path) == [leftover], "it may be another process's that still writes"
    os.utime(leftover, (0, 0))
    store.collect()
    assert _files(tmp_path) == []


_AT_ONCE = """
import io, sys
from pathlib import Path
from radledger.storage import LocalStore

store = LocalStore(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for turn in range(15):
    for n in range(5):
        content = bytes([n]) * (300_000 if n else 10)
        cid = store.put(io.BytesIO(content)).cid
        store.pin(cid)
        with store.get(cid) as stream:
            assert stream.read() == content
        other = store.put(io.BytesIO(b"%d %d" % (turn, n))).cid
        store.unpin(other)
        store.collect()
"""


def test_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    processes = [_process(_AT_ONCE, tmp_path) for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0, 0, 0]

    store = LocalStore(tmp_path)
    store.collect()
    assert len(_files(tmp_path)) == 5
    for path in _files(tmp_path):
        assert store.stat(path.name).pinned
        store.get(path.name).close()
