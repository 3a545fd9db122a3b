"""A file that lists executions to record by one root."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from radledger.algorithms.errors import InvalidRunList

__all__ = ["ListedRun", "read_run_list"]


@dataclass(frozen=True, slots=True)
class ListedRun:
    """One line of a list.

    Attributes
    ----------
    output
        File with the output; a relative path starts at the folder of the list.
    images
        Ids of the image sets, in the order in which the version took them.
    """

    output: Path
    images: tuple[str, ...]


def read_run_list(path: Path) -> tuple[ListedRun, ...]:
    """Read a CSV file (RFC 4180) without a header: in each line an output file, then image sets.

    Parameters
    ----------
    path
        The list.

    Raises
    ------
    InvalidRunList
        If it is not CSV in UTF-8, is empty, or a line has no image set or names a missing output.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            runs = tuple(_run(path, reader.line_num, row) for row in reader if any(row))
    except (OSError, ValueError, csv.Error) as error:
        raise InvalidRunList(
            f"{path} is not a CSV file in UTF-8: {error}", path=str(path)
        ) from error
    if not runs:
        raise InvalidRunList(
            f"{path} lists no execution; write a line for each: OUTPUT-FILE,IMAGE,…", path=str(path)
        )
    return runs


def _run(path: Path, line: int, row: list[str]) -> ListedRun:
    output, *images = (cell.strip() for cell in row)
    if not output or not images or not all(images):
        raise InvalidRunList(
            f"{path}, line {line}: give the output file, then at least one image set, separated "
            "by commas",
            path=str(path),
            line=line,
        )
    file = path.parent / output
    if not file.is_file():
        raise InvalidRunList(
            f"{path}, line {line}: there is no output file {file}; check the path",
            path=str(path),
            line=line,
        )
    return ListedRun(file, tuple(images))
