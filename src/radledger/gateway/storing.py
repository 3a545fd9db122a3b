"""What a gateway needs of that which takes instances, such as the inbox of a home."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Protocol

__all__ = ["InstanceStore", "Stored"]


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of an instance.

    Attributes
    ----------
    sop_class, sop_instance
        UIDs; none if it cannot be read.
    failure
        Failure Reason (0008,1197); 0 if it is held.
    """

    sop_class: str | None
    sop_instance: str | None
    failure: int


class InstanceStore(Protocol):
    """Takes instances; any number of threads may use it."""

    @property
    def allowed(self) -> Collection[str]:
        """Accounts that may send."""

    def start(self) -> None:
        """Begin to do something with what was taken."""

    def close(self) -> None:
        """End that."""

    def receiving(self) -> AbstractContextManager[IO[bytes]]:
        """A file for an instance that arrives; it is deleted in the end unless it is held."""

    def hold(self, file: IO[bytes], study: str | None) -> Stored:
        """Take an instance over that has arrived, of a study or of any.

        It is on the disk when this returns.
        """
