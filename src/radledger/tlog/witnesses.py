"""Cosignatures of witnesses, which see that a log only grows (C2SP tlog-witness).

References
----------
.. [1] C2SP, tlog-witness, https://c2sp.org/tlog-witness
.. [2] C2SP, tlog-cosignature, https://c2sp.org/tlog-cosignature
"""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radledger.endpoints import shown
from radledger.texts import one_line
from radledger.tlog.errors import WitnessesMissing, WitnessRefused
from radledger.tlog.exchange import Unanswered, exchange
from radledger.tlog.tiles import TiledTree
from radledger.verify.form import Invalid
from radledger.verify.logged.notes import Checkpoint, base64_of, read_signatures, signed_at

if TYPE_CHECKING:
    from radledger.tlog.log import Log
    from radledger.tlog.sources import Source
    from radledger.verify.logged.policy import Policy, Witness

__all__ = ["REFRESHED", "Cosigned", "cosign", "publish"]

REFRESHED = 600
"""Seconds after which witnesses are asked again about a log that has not grown."""
_CLOCKS = 300  # seconds by which a witness's clock may differ
_LONGEST = 1 << 16  # bytes of an answer
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,17})\n")


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A published checkpoint, and who cosigned it.

    Attributes
    ----------
    checkpoint
        The checkpoint.
    witnesses
        When each witness cosigned it, Unix time.
    refused
        Why others did not.
    """

    checkpoint: Checkpoint
    witnesses: dict[str, int]
    refused: dict[str, str]


def publish(log: Log, policy: Policy, now: Callable[[], int]) -> Cosigned:
    """Publish all entries of a log, once the witnesses of its policy have cosigned.

    Parameters
    ----------
    log
        The log.
    policy
        Its witnesses with their addresses, and how many of them have to cosign.
    now
        The time, Unix.

    Raises
    ------
    WitnessesMissing
        If too few cosigned; what was published before stays as it is.
    LogDiffers
        If the entries here are not those that the log published.
    """
    with log.publishing() as draft:
        old = log.published()
        known = _cosigned(policy, old)
        if old is not None and old.size == draft.checkpoint.size:
            recent = {name: time for name, time in known.items() if now() - time < REFRESHED}
            if policy.is_quorum(recent):
                return Cosigned(old, known, {})
        lines, refused = _asked(log.source, policy, draft.checkpoint, old, known, now)
        cosignatures = "".join(lines.values())
        cosigned = draft.checkpoint._replace(note=draft.checkpoint.note + cosignatures)
        times = policy.cosigned(cosigned)
        if not policy.is_quorum(times):
            raise WitnessesMissing(
                f"the log is not published: {policy.quorum} has to cosign, and "
                + ("; ".join(refused.values()) or "no witness has an address in the policy")
                + "; correct the policy, or publish again once they answer",
                quorum=policy.quorum,
                cosigned=list(times),
                refused=refused,
            )
        log.publish(draft, cosignatures)
        return Cosigned(cosigned, times, refused)


def _cosigned(policy: Policy, old: Checkpoint | None) -> dict[str, int]:
    """When witnesses cosigned what is published; none if a cosignature there is not valid."""
    try:
        return {} if old is None else policy.cosigned(old)
    except Invalid:
        return {}


def _asked(
    source: Source,
    policy: Policy,
    checkpoint: Checkpoint,
    old: Checkpoint | None,
    known: dict[str, int],
    now: Callable[[], int],
) -> tuple[dict[str, str], dict[str, str]]:
    """The lines of the witnesses that cosigned, and why the others did not."""
    lines, refused = {}, {}
    asked = [each for each in policy.witnesses if each.url is not None]
    if not asked:
        return {}, {}
    with ThreadPoolExecutor(len(asked)) as pool:
        answers = {
            each.name: pool.submit(
                cosign,
                *(each, source, checkpoint, old.size if old and each.name in known else 0),
                now,
            )
            for each in asked
        }
    for name, answer in answers.items():
        try:
            lines[name] = answer.result()
        except WitnessRefused as error:
            refused[name] = error.message
    return lines, refused


def cosign(
    witness: Witness,
    source: Source,
    checkpoint: Checkpoint,
    seen: int,
    now: Callable[[], int],
) -> str:
    """Ask a witness to cosign a checkpoint; its line of signature, which was checked.

    Parameters
    ----------
    witness
        With its address.
    source
        Where the tiles of the checkpoint's tree are.
    checkpoint
        Signed by its log.
    seen
        The size that the witness cosigned last, as far as is known; 0 if not.
    now
        The time, Unix.

    Raises
    ------
    WitnessRefused
        With the reason, such as that it has seen another history of the log.
    """
    tree = TiledTree(source, checkpoint.size)
    status, answer = _submitted(witness, tree, checkpoint, seen)
    if status == 409:
        status, answer = _submitted(witness, tree, checkpoint, _seen(witness, checkpoint, answer))
    if status != 200:
        why = one_line(answer.decode("utf-8", "replace")) or "without a reason"
        raise _refused(witness, f"it answers {status}: {why}", status=status)
    return _line(witness, checkpoint, answer, now())


def _submitted(
    witness: Witness, tree: TiledTree, checkpoint: Checkpoint, seen: int
) -> tuple[int, bytes]:
    proof = "".join(base64_of(each) + "\n" for each in tree.consistency(seen))
    url = f"{witness.url}".rstrip("/") + "/add-checkpoint"
    try:
        return exchange(url, _LONGEST, f"old {seen}\n{proof}\n{checkpoint.note}".encode())
    except Unanswered as error:
        raise _refused(witness, str(error)) from None


def _seen(witness: Witness, checkpoint: Checkpoint, answer: bytes) -> int:
    """The size that a witness says it cosigned last."""
    match = _SIZE.fullmatch(answer)
    if match is None:
        raise _refused(witness, "it does not say which size of the log it has seen")
    size = int(match[1])
    if size > checkpoint.size:
        raise _refused(
            witness,
            f"it has seen {size} entries of the log, which has {checkpoint.size}; the log was "
            "restored from an older backup, or another process continues it",
            seen=size,
            size=checkpoint.size,
        )
    return size


def _line(witness: Witness, checkpoint: Checkpoint, answer: bytes, now: int) -> str:
    """The witness's line in its answer."""
    key = witness.key
    try:
        text = answer.decode("utf-8")
        lines = [
            f"\N{EM DASH} {name} {base64_of(identifier + signature)}\n"
            for name, identifier, signature in read_signatures(text)
            if (name, identifier) == (key.name, key.id)
        ]
        time = signed_at(checkpoint._replace(note=checkpoint.note + "".join(lines[:1])), key)
    except (Invalid, UnicodeDecodeError) as error:
        raise _refused(witness, f"its cosignature is not valid: {one_line(error)}") from None
    if time is None:
        raise _refused(witness, f"its answer has no signature of {key.name}")
    if abs(now - time) > _CLOCKS:
        raise _refused(witness, f"its cosignature is of the time {time}, and it is {now}")
    return lines[0]


def _refused(witness: Witness, why: str, **values: int) -> WitnessRefused:
    return WitnessRefused(
        f"the witness {witness.name} at {shown(witness.url or '')} did not cosign, as {why}",
        witness=witness.name,
        **values,
    )
