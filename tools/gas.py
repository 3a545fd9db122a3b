"""Measure what each operation costs and how large each contract is; compare with the snapshots.

``python -m tools.gas`` measures on anvil and prints the differences from ``snapshots``; with
``--update`` it writes them there and into ``docs/gas.md``.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eth_account import Account

from radledger.chain import artifacts
from radledger.chain.ledger import ContractAt, Ledger
from radledger.consent import Consents, Terms, duo
from radledger.consent.bindings import DataUse
from radledger.research import Datasets
from radledger.signed import submit
from tools.gas_access import measure_access
from tools.gas_budgets import BUDGETS
from tools.gas_meter import YEAR, Meter, anchored, digest, image_set, new_image, parts
from tools.gas_operations import OPERATIONS

ROOT = Path(__file__).resolve().parent.parent
SNAPSHOT = ROOT / "snapshots" / "gas.json"
SIZES = ROOT / "snapshots" / "sizes.json"
REPORT = ROOT / "docs" / "gas.md"
MNEMONIC = "test test test test test test test test test test test junk"
NONE = bytes(32)
EMPTY = bytes(13)
BEGIN, END = "<!-- begin: make gas -->", "<!-- end -->"
START = 1_900_000_000
BIOMEDICAL, DISEASE = DataUse.BIOMEDICAL_RESEARCH, DataUse.DISEASE_RESEARCH
CARE = DataUse.CLINICAL_CARE
NON_PROFIT_WITH_ETHICS_APPROVAL = duo.condition_bits(["NPUNCU", "IRB"])


def measure(ledger: Ledger, people: dict[str, Any]) -> dict[str, int]:
    """Gas of each operation in steady state, called directly.

    Parameters
    ----------
    ledger
        A fresh deployment on anvil with a token, all people accredited; the patient needs Ether.
    people
        Accounts of :mod:`radledger.devnet.people`, and further ones as ``new-…``.
    """
    meter = Meter(ledger, people)
    parts = (_identity, _imaging, _consent, _research, _hybrid_key, *OPERATIONS, _algorithms)
    for part in (*parts, measure_access):
        part(meter)
    return dict(sorted(meter.costs.items()))


def _identity(meter: Meter) -> None:
    roles = 1 << 2 | 1 << 3
    newcomer = meter.address("newcomer")
    meter.measure(
        "ParticipantRegistry.admit", "clinic", "ParticipantRegistry", "admit", newcomer, roles
    )
    name = b"did/pub/X25519/enc/base64".ljust(32, b"\0")
    for key in ("", "IdentityRegistry.setAttribute"):
        change = (meter.address("radiologist"), name, digest(), YEAR)
        receipt = meter.send("radiologist", "IdentityRegistry", "setAttribute", *change)
        if key:
            meter.costs[key] = receipt.gas_used
    owner = (newcomer, meter.address("stranger"))
    meter.measure(
        "IdentityRegistry.changeOwner", "newcomer", "IdentityRegistry", "changeOwner", *owner
    )


def _hybrid_key(meter: Meter) -> None:
    name = b"did/pub/Multikey/enc".ljust(32, b"\0")
    change = (meter.address("radiologist"), name, b"\1" * 1220, YEAR)
    meter.measure(
        "IdentityRegistry.setAttribute.hybrid",
        *("radiologist", "IdentityRegistry", "setAttribute", *change),
    )


def _imaging(meter: Meter) -> None:
    parent = anchored(meter)
    registry = "ImageRegistry"
    meter.measure(f"{registry}.anchor", "hospital", registry, "anchor", new_image(meter))
    batch = meter.send("hospital", registry, "anchorBatch", [new_image(meter) for _ in range(100)])
    meter.costs[f"{registry}.anchorBatch.of100"] = batch.gas_used // 100
    derived = new_image(meter, kind=1)
    meter.measure(f"{registry}.supersede", "hospital", registry, "supersede", derived, parent)
    meter.measure(f"{registry}.rekey", "hospital", registry, "rekey", parent, digest())
    meter.measure(f"{registry}.erase", "hospital", registry, "erase", parent, digest())
    meter.measure(f"{registry}.disown", "patient", registry, "disown", anchored(meter))


def _consent(meter: Meter) -> None:
    registry, patient, clinic = "ConsentRegistry", meter.address("patient"), meter.address("clinic")
    now = meter.ledger.now()
    conditions = NON_PROFIT_WITH_ETHICS_APPROVAL
    disease = (now, now + YEAR, DISEASE, conditions, b"MONDO:0004992")
    renewed = (now + 1, now + YEAR + 1, BIOMEDICAL, 3, EMPTY)
    care = (now, now + YEAR, CARE, 0, EMPTY)
    meter.send("patient", registry, "grant", patient, clinic, digest(), care)
    scope = digest()
    grant = (patient, clinic, scope)
    meter.measure(f"{registry}.grant", "patient", registry, "grant", *grant, disease)
    meter.measure(f"{registry}.grant.renew", "patient", registry, "grant", *grant, renewed)
    meter.measure(f"{registry}.revoke", "patient", registry, "revoke", *grant)
    _signed(meter)
    meter.send("patient", registry, "revokeAll", patient)
    meter.measure(f"{registry}.revokeAll", "patient", registry, "revokeAll", patient)
    radiologist = meter.address("radiologist")
    asked = (patient, radiologist, digest(), care)
    meter.measure(f"{registry}.request", "radiologist", registry, "request", *asked)
    meter.measure(f"{registry}.approve", "patient", registry, "approve", radiologist, *asked)
    broken = (patient, 3_600, digest())
    meter.measure(f"{registry}.breakGlass.first", "radiologist", registry, "breakGlass", *broken)
    since = meter.ledger.now()
    other = (meter.address("stranger"), *broken[1:])
    meter.measure(f"{registry}.breakGlass", "radiologist", registry, "breakGlass", *other)
    meter.measure(f"{registry}.breakGlass.again", "radiologist", registry, "breakGlass", *broken)
    review = ("review", patient, radiologist, since, True, digest())
    meter.measure(f"{registry}.review", "hospital", registry, *review)


def _signed(meter: Meter) -> None:
    consents, clinic = Consents(meter.ledger), meter.address("clinic")
    scope, other = "0x" + digest().hex(), "0x" + digest().hex()
    # Of a salt that is the same in each run, as the signature and its zero bytes depend on it.
    terms = Terms(("DS",), ("NPUNCU", "IRB"), "MONDO:0004992@" + "11" * 16)
    for key, where in (("", other), (".grantBySig", scope), (".grantBySig.renew", scope)):
        renewed = Terms(("HMB",)) if key.endswith("renew") else terms
        document = consents.grant(clinic, renewed, scope=where).sign(meter.people["patient"])
        receipt = submit(meter.ledger, document, meter.people["hospital"])
        if key:
            meter.costs[f"ConsentRegistry{key}"] = receipt.gas_used


def _research(meter: Meter) -> None:
    registry, patient, clinic = "DatasetRegistry", meter.address("patient"), meter.address("clinic")
    token = ContractAt("LocalToken", meter.ledger.address("LocalToken"))
    now = meter.ledger.now()
    consent = (now, now + YEAR, BIOMEDICAL, NON_PROFIT_WITH_ETHICS_APPROVAL, EMPTY)
    meter.send("patient", "ConsentRegistry", "grant", patient, clinic, NONE, consent)
    meter.send("researcher", token, "approve", meter.ledger.address(registry), 2**256 - 1)
    use = (BIOMEDICAL, NON_PROFIT_WITH_ETHICS_APPROVAL, EMPTY)

    def created(shares: list[int]) -> bytes:
        terms = (token.address, shares, 0, 0, use, digest())
        receipt = meter.measure(
            f"{registry}.create", "researcher", registry, "create", terms, digest()
        )
        return bytes.fromhex(receipt.event("DatasetCreated").args["dataset"][2:])

    one, two = created([10_000, 0, 0, 0]), created([7_000, 3_000, 0, 0])
    for dataset in (one, two):
        meter.send("researcher", registry, "contribute", dataset, anchored(meter), 1)
    curator = ("contribute", two, anchored(meter), 1)
    meter.measure(f"{registry}.contribute", "researcher", registry, *curator)
    image = anchored(meter)
    meter.costs[f"{registry}.contributeAccepted"] = _contributed_by_signature(meter, two, image)
    annotator, works = meter.address("researcher"), (digest(), digest())
    for work in works:
        meter.send("researcher", registry, "contributeWork", two, 2, annotator, work, 1)
    withdrawal = ("withdrawWork", two, 2, works[0])
    meter.measure(f"{registry}.withdrawWork", "researcher", registry, *withdrawal)
    for dataset, key, weights in (
        (one, "fund", (1, 0, 0, 0)),
        (two, "fund.twoClasses", (3, 3, 0, 0)),
    ):
        fund = ("fund", dataset, 10**20, weights)
        meter.send("researcher", registry, *fund)
        meter.measure(f"{registry}.{key}", "researcher", registry, *fund)
    meter.measure(f"{registry}.claim.new", "patient", registry, "claim", two, 0)
    meter.send("researcher", registry, "fund", two, 10**20, (3, 3, 0, 0))
    meter.measure(f"{registry}.claim", "patient", registry, "claim", two, 0)
    meter.measure(f"{registry}.withdraw", "patient", registry, "withdraw", two, image)


def _contributed_by_signature(meter: Meter, dataset: bytes, parts: tuple[Any, ...]) -> int:
    """Gas of a contribution by the custodian, with the signature of a curator."""
    datasets, id_ = Datasets(meter.ledger), "0x" + dataset.hex()
    image = image_set(parts)
    accepted = datasets.sign_acceptance(meter.people["researcher"], id_, image)
    return (
        datasets.contribute(id_, image, acceptance=accepted).send(meter.people["hospital"]).gas_used
    )


def _algorithms(meter: Meter) -> None:
    registry, patient, hospital = "AlgorithmRegistry", *map(meter.address, ("patient", "hospital"))
    name, family = "Lung nodule detection", b"DCM:123110".ljust(16, b"\0")
    meter.measure(f"{registry}.register", "researcher", registry, "register", name, family)

    version = NONE
    for label in ("1.0.0", "1.1.0"):  # The second one has a parent.
        stated = (name, label, (digest(), digest(), 1, digest(), version))
        publish = ("publish", *stated, [meter.address("researcher")])
        receipt = meter.measure(f"{registry}.publish", "researcher", registry, *publish)
        version = bytes.fromhex(receipt.event("AlgorithmVersionPublished").args["version"][2:])
    now = meter.ledger.now()
    consent = (now, now + YEAR, CARE, 0, EMPTY)
    meter.send("patient", "ConsentRegistry", "grant", patient, hospital, NONE, consent)
    images = [anchored(meter) for _ in range(50)]
    for key, count in (("", 1), ("10", 10), ("50", 50)):
        execution = ("recordExecution", version, images[:count], (CARE, 0, EMPTY), digest())
        receipt = meter.send("radiologist", registry, *execution)
        meter.costs[f"{registry}.recordExecution{key}"] = receipt.gas_used // count
    images = _of_many_patients(meter, 50)
    for count in (10, 50):
        execution = ("recordExecution", version, images[:count], (CARE, 0, EMPTY), digest())
        receipt = meter.send("radiologist", registry, *execution)
        meter.costs[f"{registry}.recordExecution{count}.patients"] = receipt.gas_used // count
    executions = ("recordExecutions", version, digest(), 10_000)
    meter.measure(f"{registry}.recordExecutions", "radiologist", registry, *executions)
    meter.measure(f"{registry}.recall", "researcher", registry, "recall", version, digest())


def _of_many_patients(meter: Meter, count: int) -> list[tuple[Any, ...]]:
    """Image sets of as many patients, each of whom granted the hospital everything."""
    consents, hospital = Consents(meter.ledger), meter.people["hospital"]
    images = []
    for _ in range(count):
        patient = Account.from_key(digest())
        document = consents.grant(hospital.address, Terms(("CC",))).sign(patient)
        submit(meter.ledger, document, hospital)
        images.append((patient.address, *new_image(meter)[1:]))
    meter.send("hospital", "ImageRegistry", "anchorBatch", images)
    return [parts(meter, image) for image in images]


def prepared(folder: Path) -> tuple[Callable[[], None], Ledger, dict[str, Any]]:
    """An anvil with a fresh deployment: how to end it, the ledger, and the people."""
    from eth_account import Account

    from radledger.chain.nodes.connect import connect
    from radledger.chain.nodes.networks import Network
    from radledger.chain.rpc import request
    from radledger.deployment.deploy import deploy
    from radledger.devnet import people, process

    node = process.start("anvil", folder, MNEMONIC, accounts=10)
    web3 = connect(Network("anvil", node.endpoint))
    Account.enable_unaudited_hdwallet_features()
    names = (*people.PEOPLE, "newcomer")
    accounts: dict[str, Any] = {
        name: Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
        for index, name in enumerate(names)
    }
    # A clock that runs the same in each run, for its bytes are calldata too.
    request(web3, "anvil_setBlockTimestampInterval", [1])
    request(web3, "evm_setNextBlockTimestamp", [START])
    for name in ("patient", "newcomer"):
        request(web3, "anvil_setBalance", [accounts[name].address, hex(10**20)])
    holder = accounts["researcher"].address
    ledger = Ledger(web3, deploy(web3, accounts["governor"], folder, token_holder=holder))
    people.accredit(ledger, accounts)
    return node.stop, ledger, accounts


def differences(measured: dict[str, int], committed: dict[str, int]) -> list[str]:
    """A line for each figure that is not the committed one."""
    lines = []
    for key in sorted(measured.keys() | committed.keys()):
        new, old = measured.get(key), committed.get(key)
        if new != old:
            change = f"{new - old:+d}" if new is not None and old is not None else "-"
            lines.append(f"{key:40} {old or '-':>9} {new or '-':>9} {change:>8}")
    return lines


def sizes() -> dict[str, int]:
    """Bytes of each contract's code on the chain."""
    return {name: len(artifacts.load(name).deployed_bytecode) for name in artifacts.names()}


def table(measured: dict[str, int]) -> str:
    """The costs as Markdown, beside the peers' and the budget."""
    rows = ["| key | operation | best peer that does as much | at most | measured |"]
    rows.append("|---|---|---|---:|---:|")
    for budget in BUDGETS:
        most = f"{budget.most:,}" if budget.most else "-"
        cost = f"{measured[budget.key]:,}"
        rows.append(f"| `{budget.key}` | {budget.operation} | {budget.peer} | {most} | {cost} |")
    return "\n".join(rows)


def size_table() -> str:
    """The sizes as Markdown."""
    rows = ["| contract | bytes of code, of the 24,576 that EIP-170 allows |", "|---|---:|"]
    rows += [f"| `{name}` | {size:,} |" for name, size in sizes().items()]
    return "\n".join(rows)


def report(text: str, measured: dict[str, int]) -> str:
    """The report with its tables replaced."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table(measured)}\n\n{size_table()}\n{END}{tail}"


def committed(snapshot: Path) -> dict[str, int]:
    """The figures of a snapshot; none where there is none."""
    return dict(json.loads(snapshot.read_text())) if snapshot.exists() else {}


def main() -> int:
    """Measure; print or write the differences."""
    with tempfile.TemporaryDirectory() as folder:
        stop, ledger, people = prepared(Path(folder))
        try:
            measured = measure(ledger, people)
        finally:
            stop()
    figures = {SNAPSHOT: measured, SIZES: sizes()}
    changed = [line for path in figures for line in differences(figures[path], committed(path))]
    print("\n".join(changed) or "every operation and contract is as the snapshots say")
    if "--update" not in sys.argv:
        return 1 if changed else 0
    for path, found in figures.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(found, indent=2) + "\n")
    REPORT.write_text(report(REPORT.read_text(), measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
