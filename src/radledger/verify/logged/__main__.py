"""Say whether a ``.tlog-proof`` proves that a log has a receipt, and who watches that log."""

import argparse
import json
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from radledger.verify.form import Invalid
from radledger.verify.logged.notes import read_proof
from radledger.verify.logged.policy import read_policy
from radledger.verify.logged.receipt import logged

_LIMIT = 1 << 20
_LIMITS = """Not proven: what the receipt says, which its own signature proves; that the log has no
other history, unless a witness of the policy cosigned."""


def main() -> int:
    """Exit codes: 0 yes, 1 no, 2 usage."""
    parser = argparse.ArgumentParser(
        "python -m radledger.verify.logged", None, __doc__, main.__doc__
    )
    add = parser.add_argument
    add("proof", type=Path, help="as `radledger receipt prove --log` writes it")
    add("--policy", type=Path, required=True, metavar="FILE", help="of C2SP: logs and witnesses")
    add("--block", type=Path, metavar="FILE", help="as `receipt prove --block` writes it")
    add("--contract", metavar="ADDRESS", help="the access ledger, for --block")
    add("--validators", type=Path, metavar="FILE", help="addresses of a Clique chain's validators")
    add("--all-validators", action="store_true", help="ask for seals of all, not of most")
    add("--block-hash", action="append", default=[], metavar="HASH", help="repeatable")
    add("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    try:
        policy = read_policy(given.policy.read_bytes())
        with given.proof.open("rb") as file:
            data = file.read(_LIMIT + 1)
        anchored = _anchored(given) if given.block else None
    except (OSError, ValueError, Invalid) as error:
        parser.exit(2, f"{parser.prog}: {_why(error)}\n")
    try:
        answer = {"answer": "yes", **logged(data, policy)}
        answer |= {"anchored": anchored(data)} if anchored else {}
        answer["limits"] = _LIMITS
    except Exception as error:  # a trusted hash of a hostile block lets much through
        answer = {"answer": "no", "why": _why(error)}
    print(json.dumps(answer) if given.json else _in_words(answer))
    return 0 if answer["answer"] == "yes" else 1


def _anchored(given: argparse.Namespace) -> Callable[[bytes], dict[str, Any]]:
    """What says by which block the chain had the checkpoint of a proof."""
    from radledger.verify.anchored.block import anchored, trust

    validators = given.validators.read_text("utf-8") if given.validators else ""
    told = (validators, given.block_hash, given.contract or "")
    believed, block = trust(*told, all_=given.all_validators), given.block.read_bytes()
    return lambda data: anchored(block, read_proof(data).checkpoint, believed)


def _why(error: Exception) -> str:
    return " ".join(map(str, error.args)) if isinstance(error, Invalid) else str(error)


def _in_words(answer: dict[str, Any]) -> str:
    if "why" in answer:
        return f"no: {answer['why']}"
    moment = {
        name: datetime.fromtimestamp(min(time, 1 << 35), UTC)
        for name, time in answer["witnesses"].items()
    }
    seen = {f"seen by {name}": f"{at:%Y-%m-%d %H:%M:%S} UTC" for name, at in moment.items()}
    facts = {name: answer[name] for name in ("receipt", "log", "index", "size", "root")} | seen
    if block := answer.get("anchored"):
        at = f"{datetime.fromtimestamp(min(block['timestamp'], 1 << 35), UTC):%Y-%m-%d %H:%M:%S}"
        facts["logged by"] = f"block {block['block']}, {at} UTC, by {block['vouched']}"
        facts |= {name: block[name] for name in ("institution", "hash")}
    lines = [f"  {name:<12} {each}" for name, each in facts.items()]
    return "\n".join(["yes", *lines, answer["limits"]])


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly where the reader has enough
    sys.exit(main())
