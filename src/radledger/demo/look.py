"""After the story: what it left can be looked at in the viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.demo.chapters.viewer import link
from radledger.devnet.gateway import viewer_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from radledger.demo.stage import Stage

__all__ = ["let_look"]


def let_look(stage: Stage, another: Callable[[], bool] | None) -> None:
    """Print a link that opens the earlier images in the viewer, or how to get one.

    Parameters
    ----------
    stage
        What the story left.
    another
        Waits while the gateway runs, and says whether the user wants another link; None where no
        one waits.
    """
    if viewer_folder() is None:
        print("\nWith the viewer OHIF (`make ohif`), the demo ends with a link that shows images.")
    elif another is None:
        home = f"--home {stage.home}"
        print(
            f"\nTo see the earlier images in OHIF:\n  radledger devnet up --gateway {home}\n"
            f"  radledger gateway view {stage.earlier.image_id} --purpose CC --as radiologist "
            f"{home} --open"
        )
    else:
        print("\nThe gateway runs. A link shows the earlier images in OHIF once, within a minute:")
        print(link(stage, stage.earlier.image_id), flush=True)
        while another():
            print(link(stage, stage.earlier.image_id), flush=True)
