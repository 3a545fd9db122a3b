"""Times, ratios, and the memory of processes."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def peak_memory() -> Iterator[dict[int, int]]:
    """The most that this process and those below it had resident meanwhile, in KiB by process."""
    peaks: dict[int, int] = {}
    done = threading.Event()
    own = Path("/proc/self").resolve().name
    Path("/proc/self/clear_refs").write_text("5")  # reset the high-water mark

    def watch() -> None:
        while not done.wait(0.05):
            for pid in descendants(int(own)):
                peaks[pid] = max(peaks.get(pid, 0), high_water(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peaks
    finally:
        done.set()
        watcher.join()


def descendants(root: int) -> list[int]:
    """A process and all below it, the local chain aside."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = status.read_text().rsplit(")", 1)
        except OSError:
            continue
        if "anvil" not in name:
            parents[int(status.parent.name)] = int(rest.split()[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def high_water(pid: int) -> int:
    """Peak resident memory of a process in KiB, 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio(ours: Sequence[float], theirs: Sequence[float], digits: int = 2) -> float:
    """Median of the rounds' ratios."""
    return round(statistics.median(a / b for a, b in zip(ours, theirs, strict=True)), digits)
