"""Write the ERC-7730 descriptions by which wallets show what is signed, or check them.

``python -m tools.generate_clear_signing`` writes ``src/radledger/clear_signing/*.json``: a file for
the typed data of each contract, one for forward requests, and one for the relayed functions of each
contract, from the generated bindings, the areas' declarations and the ABI.  With ``--check`` it
exits 1 with the names of those that differ.

References
----------
.. [1] ERC-7730, Structured Data Clear Signing Format, https://eips.ethereum.org/EIPS/eip-7730
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from radledger.access.bindings import TYPED_DATA as ACCESS_DATA
from radledger.areas import CONTRACTS
from radledger.chain.forward import STRUCTS as FORWARDED
from radledger.consent.bindings import TYPED_DATA as CONSENT_DATA
from radledger.research.bindings import TYPED_DATA as RESEARCH_DATA

ROOT = Path(__file__).resolve().parent.parent
ARTIFACTS = ROOT / "src" / "radledger" / "chain" / "artifacts"
FOLDER = ROOT / "src" / "radledger" / "clear_signing"
SCHEMA = "https://eips.ethereum.org/assets/eip-7730/erc7730-v2.schema.json"

INTENTS = {
    "Grant": "Permit use of images",
    "Approve": "Permit use as requested",
    "Revoke": "Revoke a permission",
    "RevokeAll": "Revoke all permissions",
    "ForbidEmergencies": "Decide on emergency access",
    "Accept": "Accept images in data set",
    "Acknowledgement": "Acknowledge a receipt",
    "ForwardRequest": "Send a call, fees paid",
    "acknowledge": "Acknowledge images as yours",
    "disown": "Disown images",
    "anchorDay": "Anchor a day's receipts",
    "anchorLog": "Anchor the log of receipts",
    "demand": "Demand a receipt",
    "claim": "Claim a reward",
    "claimFor": "Claim a reward for another",
    "setFree": "Give a share for free",
    "withdraw": "Withdraw images",
    "withdrawWork": "Withdraw a work",
    "addDelegate": "Add a delegate",
    "approveRecovery": "Approve a recovery",
    "changeOwner": "Hand over an identity",
    "revokeAttribute": "Revoke an attribute",
    "revokeDelegate": "Revoke a delegate",
    "setAttribute": "Set an attribute",
    "setGuardians": "Set guardians",
    "vetoRecovery": "Veto a recovery",
    "withdrawApproval": "Withdraw an approval",
}
"""What signing does, in few words, for each message and relayed function."""

LABELS = {
    "grantee": "May use them",
    "scope": "Scope (zero: everything)",
    "from": "From",
    "until": "Until",
    "conditions": "On condition",
    "disease": "Disease (digest)",
    "seen": "Known state of",
    "epoch": "Known epoch",
    "signed": "Signed",
    "deadline": "To be submitted by",
    "to": "Contract",
    "data": "Call",
}
"""Labels that are not the name of the field."""

TIMES = {"from", "until", "signed", "deadline"}
# What proves the order of documents: of no use to a reader.
TECHNICAL = {"seen", "epoch", "gas", "nonce", "value"}


def wanted() -> dict[Path, str]:
    """Text of each description by its path."""
    texts = {
        "eip712-acknowledgements": typed("RadLedger Access", ACCESS_DATA),
        "eip712-consents": typed("RadLedger Consent", CONSENT_DATA),
        "eip712-data-sets": typed("RadLedger Data Sets", RESEARCH_DATA),
        "eip712-forward-requests": typed("RadLedger Forwarder", FORWARDED),
    }
    for name, contract in CONTRACTS.items():
        if contract.relayed:
            texts[f"calldata-{name}"] = calls(name, contract.relayed)
    return {
        FOLDER / f"{name}.json": json.dumps(text, indent=2) + "\n" for name, text in texts.items()
    }


def typed(domain: str, structs: Mapping[str, Iterable[tuple[str, str]]]) -> dict[str, Any]:
    """The description of the messages of one EIP-712 domain."""
    formats = {}
    for primary, fields in structs.items():
        encoded = ",".join(f"{type_} {name}" for type_, name in fields)
        shown = [field(name, type_, name in TIMES) for type_, name in fields]
        formats[f"{primary}({encoded})"] = {"intent": INTENTS[primary], "fields": shown}
    context = {"eip712": {"domain": {"name": domain, "version": "1"}, "deployments": []}}
    return described(context, domain, formats)


def calls(name: str, functions: Iterable[str]) -> dict[str, Any]:
    """The description of a contract's relayed functions."""
    abi = json.loads((ARTIFACTS / f"{name}.json").read_text())["abi"]
    declared = {each["name"]: each["inputs"] for each in abi if each["type"] == "function"}
    formats = {}
    for function in functions:
        inputs = declared[function]
        signature = ", ".join(f"{written(each)} {each['name']}" for each in inputs)
        formats[f"{function}({signature})"] = {
            "intent": INTENTS[function],
            "fields": [shown for each in inputs for shown in of_parameter(each)],
        }
    return described({"contract": {"deployments": []}}, name, formats)


def described(context: dict[str, Any], name: str, formats: dict[str, Any]) -> dict[str, Any]:
    """A whole description; a deployment adds its chain and address."""
    return {
        "$schema": SCHEMA,
        "context": context,
        "metadata": {"owner": "RadLedger", "contractName": name},
        "display": {"formats": formats},
    }


def of_parameter(parameter: Mapping[str, Any], within: str = "") -> list[dict[str, Any]]:
    """The fields that show a parameter, each member of a struct by itself."""
    path = within + str(parameter["name"])
    if parameter["type"] == "tuple":
        parts = (of_parameter(each, f"{path}.") for each in parameter["components"])
        return [field for part in parts for field in part]
    is_time = parameter["internalType"] in ("Time", "Time32")
    return [field(path, parameter["type"], is_time)]


def field(path: str, type_: str, is_time: bool) -> dict[str, Any]:
    """How a value is shown."""
    name = path.rpartition(".")[2]
    shown: dict[str, Any] = {
        "path": path + (".[]" if type_.endswith("[]") else ""),
        "label": LABELS.get(name, re.sub("([A-Z])", r" \1", name).capitalize()),
        "format": "raw",
        "visible": "optional" if name in TECHNICAL else "always",
    }
    if is_time:
        shown |= {"format": "date", "params": {"encoding": "timestamp"}}
    elif type_.removesuffix("[]") == "address":
        shown["format"] = "addressName"
    elif name == "validity":
        shown["format"] = "duration"
    elif name == "data":
        params = {"calleePath": "to", "amountPath": "value", "spenderPath": "from"}
        shown |= {"format": "calldata", "params": params}
    return shown


def written(parameter: Mapping[str, Any]) -> str:
    """A parameter's type as a signature has it, structs by their members."""
    if parameter["type"] != "tuple":
        return str(parameter["type"])
    members = (f"{written(each)} {each['name']}" for each in parameter["components"])
    return f"({', '.join(members)})"


def main() -> None:
    """Write the descriptions, or with ``--check`` compare them."""
    texts = wanted()
    present = set(FOLDER.glob("*.json"))
    stale = [path for path in texts if path not in present or path.read_text() != texts[path]]
    if "--check" in sys.argv[1:]:
        if stale or present - texts.keys():
            names = " ".join(sorted(path.name for path in {*stale, *(present - texts.keys())}))
            sys.exit(f"stale descriptions: {names}; run python -m tools.generate_clear_signing")
        return
    for path in present - texts.keys():
        path.unlink()
    for path in stale:
        path.write_text(texts[path])
    print(f"{len(texts)} descriptions, {len(stale)} written")


if __name__ == "__main__":
    main()
