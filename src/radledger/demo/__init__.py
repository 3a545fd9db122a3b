"""An image's whole journey on a local chain, step by step: ``python -m radledger.demo``.

==============  ============================================================================
``story``       what happens, as data: chapters of steps, each with who acts and what is expected
``chapters``    what the steps do
``stage``       where it happens: chain, store, people, and what one step leaves to the next
``environment`` the chain below it: a local node of its own, or one that is there already
``runner``      runs a story, and compares what happens with what is expected
``page``        the story as one self-contained web page
==============  ============================================================================

Nothing is imported here: web3 and pydicom cost seconds.
"""

from __future__ import annotations

__all__: list[str] = []
