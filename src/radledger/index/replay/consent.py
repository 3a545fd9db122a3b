"""The state of ``ConsentRegistry``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from radledger.consent.model import unpack
from radledger.index.replay.emergencies import EmergencyState, is_emergency
from radledger.index.replay.view import View
from radledger.index.rows import request_id

if TYPE_CHECKING:
    from radledger.index.events import ChainEvent

__all__ = ["ConsentState"]

_GRANTED, _REVOKED = 1, 2
_CONTRACT = "ConsentRegistry"
# What a revocation finds where nothing was granted.
_NOTHING = {
    **dict.fromkeys(("from", "until", "purposes", "conditions", "epoch"), 0),
    "disease": "0x" + "00" * 13,
}


class ConsentState:
    """Grants, what was taken back with all others, requests and emergencies."""

    def __init__(self) -> None:
        self._grants: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._revoked_all: dict[str, tuple[int, int]] = {}
        self._requested: dict[str, int] = {}
        self._emergencies = EmergencyState()

    def apply(self, event: ChainEvent) -> None:
        """Do what the contract did."""
        self._emergencies.apply(event)
        args = event.arguments
        match event.name:
            case "ConsentGranted":
                (start, until, purposes, conditions, disease), signed, epoch = unpack(args["given"])
                self._grants[_key(args)] = {
                    "from": start,
                    "until": until,
                    "signed": signed,
                    "purposes": purposes,
                    "conditions": conditions,
                    "disease": "0x" + disease.hex(),
                    "epoch": epoch,
                    "status": _GRANTED,
                }
            case "ConsentWithdrawn":
                kept = self._grants.get(_key(args), _NOTHING)
                # An emergency keeps its own time, whenever it was ended.
                signed = kept["signed"] if is_emergency(args) else args["signed"]
                self._grants[_key(args)] = {**kept, "signed": signed, "status": _REVOKED}
            case "ConsentWithdrawnAll":
                self._revoked_all[args["subject"]] = args["epoch"], args["signed"]
            case "ConsentRequested":
                who = {name: args[name] for name in ("requester", "subject", "grantee", "scope")}
                self._requested[request_id(**who, asked=args["asked"])] = event.timestamp
            case "ConsentRequestApproved":
                self._requested[args["request"]] = 0

    def views(self, now: int) -> Iterator[View]:
        """What its views must answer."""
        for key, grant in self._grants.items():
            yield View(_CONTRACT, "grantOf", key, (grant,))
        for subject in dict.fromkeys([*self._revoked_all, *(key[0] for key in self._grants)]):
            epoch, at = self._revoked_all.get(subject, (0, 0))
            yield View(_CONTRACT, "epochOf", (subject,), (epoch,))
            yield View(_CONTRACT, "revokedAllAt", (subject,), (at,))
        for request, requested_at in self._requested.items():
            yield View(_CONTRACT, "requestedAt", (request,), (requested_at,))
        yield from self._emergencies.views(now)


def _key(args: Mapping[str, Any]) -> tuple[str, str, str]:
    return args["subject"], args["grantee"], args["scope"]
