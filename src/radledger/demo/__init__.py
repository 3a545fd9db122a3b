"""An image's whole journey on a local chain, step by step: ``python -m radledger.demo``.

==============  ============================================================================
``story``       what happens, as data: chapters of steps, each with who acts and what is expected
``chapters``    what the steps do
``stage``       where it happens: chain, store, people, and what one step leaves to the next
``environment`` the chain below it: a local node of its own, or one that is there already
``runner``      runs a story, and compares what happens with what is expected
``page``        the story as one self-contained web page
``look``        after the story: images in the viewer
``chromium``    has Chromium open a page, and takes a picture of it
==============  ============================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.demo.runner import Record, StepFailed, run
    from radledger.demo.step import Chapter, Step
    from radledger.demo.story import STORY

__all__ = ["STORY", "Chapter", "Record", "Step", "StepFailed", "run"]

__getattr__ = lazily(
    __name__,
    {
        "runner": ("Record", "StepFailed", "run"),
        "step": ("Chapter", "Step"),
        "story": ("STORY",),
    },
)
