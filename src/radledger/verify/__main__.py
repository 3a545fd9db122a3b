"""Say whether a bundle proves what it says of an image set, and whether files are of the set."""

import argparse
import hashlib
import json
import re
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from radledger.verify.form import LIMIT, Invalid, text
from radledger.verify.proof import Trust, verify

_UNKNOWN = "is not byte for byte a file of the bundle; `radledger image verify` compares images"
_LIMITS = """Not proven: that the custodian was truthful, that nothing was recorded later. A seal
proves that a validator built on a block, not that the chain cannot leave it: --all-validators."""


def main() -> int:
    """Exit codes: 0 yes, 1 no, 2 usage, 3 yes if the contract, which was not given, is right."""
    parser = argparse.ArgumentParser("python -m radledger.verify", None, __doc__, main.__doc__)
    add = parser.add_argument
    add("bundle", type=Path, help="as `radledger bundle export` writes it")
    add("files", type=Path, nargs="*", metavar="FILE", help="to be looked for in the image set")
    add("--validators", type=Path, metavar="FILE", help="addresses of a Clique chain's validators")
    add("--all-validators", action="store_true", help="ask for seals of all, not of most")
    add("--block-hash", action="append", default=[], metavar="HASH", help="repeatable")
    add("--contract", action="append", default=[], metavar="ADDRESS", help="the image registry")
    add("--json", action="store_true", help="print one JSON object")
    given = parser.parse_intermixed_args()
    try:
        listed = given.validators.read_text("utf-8").split() if given.validators else []
        validators, hashes = _words(listed, 20), _words(given.block_hash, 32)
        if not validators and (given.all_validators or not hashes):
            raise ValueError("say what to trust: --validators FILE, or --block-hash HASH")
        needed = len(validators) if given.all_validators else len(validators) // 2 + 1
        trust = Trust(validators, needed, hashes, _words(given.contract, 20))
        answer = _answer(given.bundle, given.files, trust)
    except (OSError, ValueError) as error:
        parser.exit(2, f"{parser.prog}: {re.sub('^.Errno [0-9]+. ', '', str(error))}\n")
    print(json.dumps(answer) if given.json else _in_words(answer))
    return (3 if answer["if"] else 0) if answer["answer"] == "yes" else 1


def _words(texts: list[str], size: int) -> frozenset[bytes]:
    if bad := [each for each in texts if not re.fullmatch(f"0x[0-9a-fA-F]{{{2 * size}}}", each)]:
        raise ValueError(f"{bad[0][:80]!r} is not 0x and {2 * size} hexadecimal digits")
    return frozenset(bytes.fromhex(each[2:]) for each in texts)


def _answer(bundle: Path, files: list[Path], trust: Trust) -> dict[str, Any]:
    with bundle.open("rb") as file:
        data = file.read(LIMIT + 1)
    try:
        facts = verify(data, trust)
    except Exception as error:  # a trusted hash of a hostile block lets much through
        where, why = error.args if isinstance(error, Invalid) else ("bundle", repr(error)[:200])
        return {"answer": "no", "where": where, "why": why}
    told = "" if trust.contracts else f"{facts['contract']} is the image registry: see --contract"
    answer = {"answer": "yes", "if": told, **facts, "files": {}, "limits": _LIMITS}
    for path in files:
        name = "".join(each if each.isprintable() else "?" for each in str(path))
        with path.open("rb") as file:
            known = text(hashlib.file_digest(file, "sha256").digest()) in answer["leaves"]
        answer["files"][name] = "identical" if known else "unknown"
        answer |= {} if known else {"answer": "no", "where": name, "why": _UNKNOWN}
    return answer


def _in_words(answer: dict[str, Any]) -> str:
    yes = f"yes, if {answer['if']}" if answer.get("if") else "yes"
    lines = [f"no: {answer['where']} {answer['why']}" if "why" in answer else yes]
    for event in answer.get("events", []):
        time = f"{datetime.fromtimestamp(event['timestamp'], UTC):%Y-%m-%d %H:%M:%S} UTC"
        lines += [f"  {name:<11} {each}" for name, each in {**event, "timestamp": time}.items()]
    lines += [f"  {verdict:<11} {name}" for name, verdict in answer.get("files", {}).items()]
    return "\n".join([*lines, answer["limits"]] if "limits" in answer else lines)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly where the reader has enough
    sys.exit(main())
