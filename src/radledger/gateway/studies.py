"""What a token permits of studies whose files another system shows, such as Orthanc."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from radledger.gateway.errors import ResourceUnknown
from radledger.imaging.errors import SecretUnknown

if TYPE_CHECKING:
    from radledger.gateway.permissions import Permissions
    from radledger.gateway.tokens import Tokens, Viewing
    from radledger.imaging.custody import Custody
    from radledger.imaging.journal.tables import Level

__all__ = ["Studies"]


class Studies:
    """The studies of a gateway's home, by the UIDs that their files have.

    Parameters
    ----------
    custody
        Which image sets hold what.
    permissions, tokens
        Those of the gateway.
    """

    def __init__(self, custody: Custody, permissions: Permissions, tokens: Tokens) -> None:
        self._custody, self._permissions, self._tokens = custody, permissions, tokens

    def permits(self, viewing: Viewing, level: Level, uid: str) -> bool:
        """Whether a token permits all that this home has of a study, series or instance.

        What the home does not have is not permitted.

        Raises
        ------
        ChainStale, ConnectionFailed
            If the chain cannot say.
        """
        image_ids = self._custody.holding(level, uid)
        return bool(image_ids) and all(
            image_id is not None and self._permissions.permits(viewing, image_id)
            for image_id in image_ids
        )

    def permitted(self, viewing: Viewing) -> list[str]:
        """UIDs of the studies of which a token permits all."""
        studies: dict[str, None] = {}
        for image_id in self._permissions.permitted(viewing):
            try:
                studies[self._custody.study(image_id)] = None
            except SecretUnknown:
                continue
        return [study for study in studies if self.permits(viewing, "study", study)]

    def share(
        self, viewing: Viewing, studies: Iterable[str], expires_at: int | None = None
    ) -> tuple[str, Viewing]:
        """Issue a token of the same reader and use for some studies of a token.

        Parameters
        ----------
        viewing
            What the first token is for.
        studies
            UIDs.
        expires_at
            Unix time; default: when the first one ends, which it does not outlast.

        Raises
        ------
        ResourceUnknown
            If the token does not permit all of each study.
        """
        grants = {}
        for study in studies:
            if not self.permits(viewing, "study", study):
                raise ResourceUnknown(
                    "the token does not permit all of a study, or there is none of that UID; name "
                    "studies that it permits"
                )
            for image_id in self._custody.holding("study", study):
                if image_id is not None:
                    grants[image_id] = viewing.grants[image_id]
        ends = viewing.expires_at if expires_at is None else min(viewing.expires_at, expires_at)
        shared = replace(viewing, grants=grants, expires_at=ends)
        return self._tokens.issue(shared, self._permissions.present()), shared
