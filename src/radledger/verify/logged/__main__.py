"""Say whether a ``.tlog-proof`` proves that a log has a receipt, and who watches that log."""

import argparse
import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from radledger.verify.form import Invalid
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
    add("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    try:
        policy = read_policy(given.policy.read_bytes())
        with given.proof.open("rb") as file:
            data = file.read(_LIMIT + 1)
    except (OSError, Invalid) as error:
        parser.exit(2, f"{parser.prog}: {_why(error)}\n")
    try:
        answer = {"answer": "yes", **logged(data, policy), "limits": _LIMITS}
    except Invalid as error:
        answer = {"answer": "no", "why": _why(error)}
    print(json.dumps(answer) if given.json else _in_words(answer))
    return 0 if answer["answer"] == "yes" else 1


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
    lines = [f"  {name:<12} {each}" for name, each in facts.items()]
    return "\n".join(["yes", *lines, answer["limits"]])


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly where the reader has enough
    sys.exit(main())
