"""Which logs and witnesses are believed: a policy of C2SP (tlog-policy)."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from radledger.verify.form import Invalid
from radledger.verify.logged.notes import ED25519, Checkpoint, Key, read_key, signed_at

__all__ = ["Policy", "Witness", "read_policy"]

_NONE = "none"
_MOST_BYTES = 1 << 20


class Witness(NamedTuple):
    """A witness of a policy: its name there, its key, and its address, if there is one."""

    name: str
    key: Key
    url: str | None


class Policy(NamedTuple):
    """Believed logs, witnesses, and the quorum: a witness, a group or ``none``.

    `groups` has of each group how many of its members it takes.
    """

    logs: tuple[Key, ...]
    witnesses: tuple[Witness, ...]
    groups: Mapping[str, tuple[int, tuple[str, ...]]]
    quorum: str

    def cosigned(self, checkpoint: Checkpoint) -> dict[str, int]:
        """When each witness cosigned a checkpoint; raises `Invalid` if a signature is wrong."""
        times = {each.name: signed_at(checkpoint, each.key) for each in self.witnesses}
        return {name: time for name, time in times.items() if time is not None}

    def require(self, checkpoint: Checkpoint) -> dict[str, int]:
        """Refuse a checkpoint that no log of the policy signed, or too few witnesses.

        Its witnesses, and when each cosigned it; raises `Invalid`.
        """
        logs = [key for key in self.logs if key.name == checkpoint.origin]
        if all(signed_at(checkpoint, key) is None for key in logs):
            raise Invalid("checkpoint", f"of {checkpoint.origin[:80]!r} is of no log of the policy")
        times = self.cosigned(checkpoint)
        if not self.is_quorum(times):
            by = ", ".join(times) or "no witness"
            raise Invalid("checkpoint", f"is cosigned by {by}; the policy asks for {self.quorum}")
        return times

    def is_quorum(self, witnesses: Mapping[str, object], name: str | None = None) -> bool:
        """Whether these witnesses are enough for the quorum, or for a group."""
        name = name or self.quorum
        if name not in self.groups:
            return name == _NONE or name in witnesses
        needed, members = self.groups[name]
        return sum(self.is_quorum(witnesses, member) for member in members) >= needed


def read_policy(data: bytes) -> Policy:
    """A policy from its file; raises `Invalid`."""
    if len(data) > _MOST_BYTES or re.search(rb"[\0-\x08\x0b-\x1f\x7f]", data):
        raise Invalid("policy", f"has control characters, or more than {_MOST_BYTES:,} bytes")
    reader = _Reader()
    # Other octets are opaque: one to one.
    for number, line in enumerate(data.decode("latin-1").split("\n"), 1):
        words = re.split("[ \t]+", line.strip(" \t"))
        if words[0] and not words[0].startswith("#"):
            try:
                reader.read(*words)
            except ValueError as error:
                raise Invalid(f"policy, line {number},", str(error)) from None
            except TypeError:
                raise Invalid(f"policy, line {number},", "has missing or further words") from None
            except Invalid as error:
                raise Invalid(f"policy, line {number}:", " ".join(error.args)) from None
    if reader.quorum is None:
        raise Invalid("policy", "has no line with the quorum")
    return Policy(tuple(reader.logs), tuple(reader.witnesses), reader.groups, reader.quorum)


class _Reader:
    """What has been read of a policy."""

    def __init__(self) -> None:
        self.logs: list[Key] = []
        self.witnesses: list[Witness] = []
        self.groups: dict[str, tuple[int, tuple[str, ...]]] = {}
        self.quorum: str | None = None
        self._names: set[str] = set()
        self._members: set[str] = set()

    def read(self, keyword: str, *words: str) -> None:
        """One line, by its words."""
        lines: dict[str, Callable[..., None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        if keyword not in lines:
            raise ValueError(f"begins with {keyword[:40]!r}, not log, witness, group or quorum")
        lines[keyword](*words)

    def _log(self, vkey: str, url: str | None = None) -> None:
        key = self._new(vkey, self.logs)
        if key.kind != ED25519:
            raise ValueError("names a key that does not sign checkpoints of logs")
        self.logs.append(key)

    def _witness(self, name: str, vkey: str, url: str | None = None) -> None:
        self._define(name)
        key = self._new(vkey, [each.key for each in self.witnesses])
        if key.kind == ED25519:
            raise ValueError("names a log's key for a witness")
        self.witnesses.append(Witness(name, key, url))

    def _group(self, name: str, needed: str, first: str, *others: str) -> None:
        members = (first, *others)
        for member in members:
            if member not in self._names:
                raise ValueError(f"names {member[:40]!r}, which is not defined before")
            if member in self._members:
                raise ValueError(f"names {member[:40]!r}, which is a member already")
            self._members.add(member)
        self._define(name)
        least = {"any": "1", "all": str(len(members))}.get(needed, needed)
        if not re.fullmatch("[1-9][0-9]{0,5}", least) or int(least) > len(members):
            raise ValueError(f"asks for {needed[:40]!r} of {len(members)}")
        self.groups[name] = (int(least), members)

    def _quorum(self, name: str) -> None:
        if self.quorum is not None:
            raise ValueError("is a second quorum")
        if name != _NONE and name not in self._names:
            raise ValueError(f"names {name[:40]!r}, which is not defined before")
        self.quorum = name

    def _define(self, name: str) -> None:
        if name == _NONE or name in self._names:
            raise ValueError(f"defines {name[:40]!r}, which has a meaning already")
        self._names.add(name)

    def _new(self, vkey: str, known: list[Key]) -> Key:
        # A key is UTF-8, unlike the rest of the file.
        key = read_key(vkey.encode("latin-1").decode("utf-8", "replace"))
        if key.public in {each.public for each in known}:
            raise ValueError("names a key that is named before")
        return key
