"""Write a Python class for every custom error of every contract, or check them.

    python tools/generate_refusals.py           # write src/radledger/chain/refusals/*.py
    python tools/generate_refusals.py --check   # exit 1 with a list where they differ

Names, arguments and selectors come from the compiled artifacts, descriptions from the NatSpec
notice above each error in the sources.  An error that several contracts declare is written once.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from eth_utils.abi import event_signature_to_log_topic as keccak_of

from radledger.chain import artifacts

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "radledger" / "chain" / "refusals"
SOURCES = ("interfaces", "contracts")
HAND_WRITTEN = {"base"}
LIBRARIES = "libraries"  # errors that come with OpenZeppelin

ERROR = re.compile(r"(?P<comment>(?:^[ \t]*///[^\n]*\n)+)[ \t]*error (?P<name>\w+)\(", re.MULTILINE)
# OpenZeppelin's comments speak to developers; these speak to users.
LIBRARY_NOTICES = {
    "ERC20InsufficientAllowance": (
        "`spender` may spend `allowance` base units of the token and needs `needed`; approve more."
    ),
    "ERC20InsufficientBalance": (
        "`sender` has `balance` base units of the token and needs `needed`."
    ),
    "ERC20InvalidApprover": "The token does not let `approver` approve.",
    "ERC20InvalidReceiver": "The token cannot be sent to `receiver`.",
    "ERC20InvalidSender": "The token cannot be sent from `sender`.",
    "ERC20InvalidSpender": "The token cannot be approved to `spender`.",
    "ERC2771ForwarderExpiredRequest": "The signed call expired at `deadline` (Unix time).",
    "ERC2771ForwarderInvalidSigner": (
        "The signed call is not by `from`, or was submitted before: its signature gives `signer`."
    ),
    "ERC2771ForwarderMismatchedValue": (
        "The signed call sends `requestedValue` wei, and `msgValue` came with it."
    ),
    "ERC2771UntrustfulTarget": "`target` takes no calls from `forwarder`.",
    "FailedCall": "The forwarded call failed.",
    "InsufficientBalance": "The contract has `balance` wei and needs `needed`.",
    "InvalidAccountNonce": "The next nonce of `account` is `currentNonce`.",
    "InvalidShortString": "A stored text is malformed.",
    "ReentrancyGuardReentrantCall": "The function was called again while it ran.",
    "SafeCastOverflowedUintDowncast": "`value` does not fit into `bits` bits.",
    "SafeERC20FailedOperation": "The token `token` did not do what it was asked.",
    "StringTooLong": "`str` is longer than 31 bytes.",
}
# What OpenZeppelin's arguments are in this project's types.
LIBRARY_TYPES = {("ERC2771ForwarderExpiredRequest", "deadline"): "Time"}
HEADER = """\"\"\"{title}

Written by ``tools/generate_refusals.py``; edit the contracts instead.
\"\"\"
"""
TITLES = {LIBRARIES: "Custom errors of the OpenZeppelin contracts that RadLedger's are built on."}


def notices() -> dict[str, str]:
    """Map the name of each error of this project to its description."""
    return {
        match["name"]: notice(match["comment"])
        for folder in SOURCES
        for path in sorted((ROOT / folder).rglob("*.sol"))
        for match in ERROR.finditer(path.read_text("utf-8"))
    }


def notice(comment: str) -> str:
    """The text after ``@notice`` in a NatSpec comment, on one line."""
    text = re.sub(r"^[ \t]*///[ \t]?", "", comment, flags=re.MULTILINE)
    text = re.split(r"^@(?!notice)\w+", text, flags=re.MULTILINE)[0]
    return " ".join(text.replace("@notice", "").split())


def classes() -> dict[str, dict[str, str]]:
    """Source text of each class, by module and name."""
    described = notices()
    modules: dict[str, dict[str, str]] = {}
    seen: dict[str, Any] = {}
    for contract in artifacts.names():
        for entry in artifacts.load(contract).abi:
            if entry["type"] != "error":
                continue
            name = entry["name"]
            if name in seen:
                if seen[name] != entry["inputs"]:
                    sys.exit(f"two errors are named {name} and have different arguments")
                continue
            seen[name] = entry["inputs"]
            module = snake_case(contract) if name in described else LIBRARIES
            text = described.get(name) or LIBRARY_NOTICES.get(name)
            if text is None:
                sys.exit(f"{name} of {contract} has no notice")
            modules.setdefault(module, {})[name] = class_text(name, text, entry["inputs"])
    return modules


def class_text(name: str, text: str, inputs: list[dict[str, Any]]) -> str:
    """Source text of one class."""
    parameters = tuple(
        (each["name"], each["type"], LIBRARY_TYPES.get((name, each["name"]), each["internalType"]))
        for each in inputs
    )
    if any(type_.startswith("tuple") for _, type_, _ in parameters):
        sys.exit(f"{name} has a struct as argument, which is not provided for")
    signature = f"{name}({','.join(type_ for _, type_, _ in parameters)})"
    selector = keccak_of(signature)[:4].hex()
    docstring = textwrap.fill(
        f'"""{text}"""', 96, initial_indent="", subsequent_indent="", break_long_words=False
    )
    body = f"{docstring}\n\nselector = {selector!r}\nparameters = {parameters!r}\n"
    return f"class {name}(ContractError):\n{textwrap.indent(body, '    ')}"


def module_text(module: str, members: dict[str, str]) -> str:
    """Source text of one module."""
    title = TITLES.get(module, f"Custom errors of {''.join(map(str.title, module.split('_')))}.")
    names = "\n".join(f"    {name!r}," for name in sorted(members))
    head = HEADER.format(title=title) + "\nfrom __future__ import annotations\n\n"
    head += "from radledger.chain.refusals.base import ContractError\n\n"
    bodies = "\n\n".join(members[name] for name in sorted(members))
    return f"{head}__all__ = [\n{names}\n]\n\n{bodies}"


def index_text(modules: dict[str, dict[str, str]]) -> str:
    """Source text of the package, which has all of them."""
    title = "Every custom error of every contract, as a Python class of the same name."
    head = HEADER.format(title=title) + "\nfrom __future__ import annotations\n\n"
    imports = ["from radledger.chain.refusals.base import ContractError\n"]
    for module, members in sorted(modules.items()):
        listed = ", ".join(sorted(members))
        imports.append(f"from radledger.chain.refusals.{module} import ({listed},)\n")
    names = sorted(name for members in modules.values() for name in members)
    everything = "\n".join(f"    {name!r}," for name in sorted([*names, "ContractError"]))
    return f"{head}{''.join(imports)}\n__all__ = [\n{everything}\n]\n"


def snake_case(name: str) -> str:
    """`ImageRegistry` as ``image_registry``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def formatted(text: str) -> str:
    """`text` as ruff would leave it, without imports that it does not use."""
    fix = ["check", "--quiet", "--fix", "--select"]
    for command in ([*fix, "F401"], [*fix, "I,RUF022"], ["format"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--stdin-filename", "refusals.py", "-"]
        done = subprocess.run(ruff, input=text, text=True, stdout=subprocess.PIPE, cwd=ROOT)
        done.check_returncode()
        text = done.stdout
    return text


def wanted() -> dict[str, str]:
    """Text of every file by its name without ``.py``."""
    modules = classes()
    texts = {module: module_text(module, members) for module, members in modules.items()}
    texts["__init__"] = index_text(modules)
    return {name: formatted(text) for name, text in texts.items()}


def main() -> None:
    """Write the files, or with ``--check`` compare them."""
    texts = wanted()
    found = {path.stem: path for path in PACKAGE.glob("*.py") if path.stem not in HAND_WRITTEN}
    stale = [name for name in texts if name not in found or found[name].read_text() != texts[name]]
    gone = sorted(found.keys() - texts.keys())
    if "--check" in sys.argv[1:]:
        if stale or gone:
            names = " ".join(sorted([*stale, *gone]))
            sys.exit(f"differ from the contracts: {names}; run tools/generate_refusals.py")
        return
    for name in gone:
        found[name].unlink()
    for name in stale:
        (PACKAGE / f"{name}.py").write_text(texts[name])
    print(f"{len(texts)} files, {len(stale)} written, {len(gone)} removed")


if __name__ == "__main__":
    main()
