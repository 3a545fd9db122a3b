"""The progress of an addition of images, on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from radledger.imaging.ingest.run import Progress

__all__ = ["progress_bar"]


@contextmanager
def progress_bar() -> Iterator[Callable[[Progress], None] | None]:
    """A bar with rate and time left on the terminal; none where the output goes elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.BarColumn(),
        rich.TaskProgressColumn(),
        rich.TransferSpeedColumn(),
        rich.TimeRemainingColumn(),
        rich.TextColumn("{task.description}"),
    )
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def update(progress: Progress) -> None:
            told = f"{progress.files} files, {progress.anchored} of {progress.sealed} image sets"
            if progress.skipped:
                told += f", {progress.skipped} left out"
            bar.update(
                task, description=told, completed=progress.size, total=progress.total or None
            )

        yield update
