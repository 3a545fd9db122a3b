"""The parts of a story: chapters, steps, and their outcomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from radledger.demo.stage import Stage

__all__ = ["Act", "Chapter", "Picture", "Step", "StepOutcome"]


@dataclass(frozen=True)
class Picture:
    """A picture to show beside a step: PNG and captions; a wide one has a line of its own."""

    png: bytes
    caption: str
    detail: str
    wide: bool = False


@dataclass(frozen=True)
class StepOutcome:
    """What came of a step: words made of what really happened, pictures, and further lines."""

    text: str
    pictures: tuple[Picture, ...] = ()
    details: tuple[tuple[str, str], ...] = ()


Act = Callable[["Stage"], StepOutcome]


@dataclass(frozen=True)
class Step:
    """One step of a story.

    Parameters
    ----------
    name
        Names it where it fails, and in tests.
    actor
        Who acts.
    act
        Does it, checks it, and says what happened.
    refusal
        Name of the error that must refuse it; none where it must succeed.
    attempt
        What is tried, for a step that must be refused.
    moves_time
        Whether it needs a chain whose clock can be moved.
    """

    name: str
    actor: str
    act: Act
    refusal: str | None = None
    attempt: str = ""
    moves_time: bool = False


@dataclass(frozen=True)
class Chapter:
    """Steps that belong together, and a sentence on what they show."""

    title: str
    introduction: str
    steps: tuple[Step, ...]
