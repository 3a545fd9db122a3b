"""Play a story, and write its page."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from radledger.demo.environment import Environment
from radledger.demo.look import let_look
from radledger.demo.page import write_page
from radledger.demo.runner import Record, StepFailed, run
from radledger.demo.stage import Stage
from radledger.demo.step import Chapter
from radledger.demo.story import STORY

__all__ = ["play", "pydicom_samples"]

INSPECTED = (
    "MR_small.dcm",
    "MR_small_RLE.dcm",
    "JPEG2000.dcm",
    "JPEG-lossy.dcm",
    "examples_overlay.dcm",
    "examples_ybr_color.dcm",
)
"""Files of pydicom's that do not show whom they are of; each was looked at.  Other ultrasound
images there show the name of a hospital, or a date, and stay out."""


def pydicom_samples() -> Path:
    """The folder of DICOM files that pydicom's package ships."""
    import pydicom.data

    return Path(pydicom.data.__file__).parent


def play(
    folder: Path,
    environment: Environment,
    *,
    story: Iterable[Chapter] = STORY,
    slices: int = 60,
    size: int = 512,
    samples: tuple[Path, ...] | None = None,
    inspected: tuple[str, ...] = INSPECTED,
    another: Callable[[], bool] | None = None,
) -> int:
    """Play a story in a new folder, and write its page there.

    Parameters
    ----------
    folder, environment, story
        Where, on which chain, and what.
    slices, size, samples, inspected
        The images; see `Stage`.
    another
        Waits while the user looks at images in the viewer, and says whether they want another
        link; default: no one waits.

    Returns
    -------
    int
        0 if every step did as it should; otherwise 1, the step named on standard error.
    """
    shutil.rmtree(folder, ignore_errors=True)
    stage = Stage(
        folder=folder.absolute(),
        environment=environment,
        slices=slices,
        size=size,
        samples=samples or (pydicom_samples(),),
        inspected=inspected,
    )
    stage.home.mkdir(parents=True)
    started = time.perf_counter()
    print(f"RadLedger: an image's whole journey, on {environment.name}", flush=True)
    try:
        records = run(story, stage, _Printer())
        _report(records, write_page(stage, records), time.perf_counter() - started)
        let_look(stage, another)
    except StepFailed as error:
        print(f"\nFAILED at {error}", file=sys.stderr)
        return 1
    finally:
        stage.close()
    return 0


def _report(records: Sequence[Record], page: Path, seconds: float) -> None:
    refused = sum(record.refused is not None for record in records)
    gas = sum(record.gas for record in records)
    print(
        f"\n{len(records)} steps as they should be, {refused} of them refusals; {gas:,} gas, "
        f"{seconds:.1f} s\n{page.as_uri()}",
        flush=True,
    )


class _Printer:
    """One line for each step, and a heading for each chapter."""

    def __init__(self) -> None:
        self._chapter: Chapter | None = None

    def __call__(self, record: Record) -> None:
        if record.chapter is not self._chapter:
            self._chapter = record.chapter
            print(f"\n{record.chapter.title}")
        what = record.outcome.text
        if record.refused:
            what = f"{record.step.attempt}: refused, {record.refused}"
        gas = f"{record.gas:,} gas" if record.gas else "no gas"
        print(
            f"{record.number:3}  {record.step.actor:11} {gas:>14} {record.seconds:5.1f} s  {what}",
            flush=True,
        )
