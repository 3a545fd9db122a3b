"""What receipts, their roots and demands cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from radledger.access import Acknowledgement, Receipt
from radledger.access.days import DAY, day_of, to_number
from radledger.chain.rpc import request
from radledger.consent.permission import Use
from radledger.crypto.merkle import MerkleTree
from tools.gas_meter import Meter, digest

__all__ = ["measure_access"]

LEDGER = "AccessLedger"
RING = 64
RECEIPTS = 1_000


def measure_access(meter: Meter) -> None:
    """Each function, in steady state; time passes meanwhile."""
    hospital, recorder = meter.address("hospital"), meter.people["newcomer"]
    receipts = [digest() for _ in range(RECEIPTS)]
    tree = MerkleTree(receipts)
    meter.measure(f"{LEDGER}.appoint", "hospital", LEDGER, "appoint", recorder.address)
    meter.measure(f"{LEDGER}.record", "newcomer", LEDGER, "record", hospital, receipts[0])
    _signed(meter, hospital)
    today = day_of(meter.ledger.now())
    for key, later in ((f"{LEDGER}.anchorDay.first", 0), (f"{LEDGER}.anchorDay", RING)):
        day = _travel(meter, today, later)
        anchored = ("anchorDay", hospital, to_number(day), tree.root)
        meter.measure(key, "newcomer", LEDGER, *anchored)
    log = digest()
    for key, size in ((f"{LEDGER}.anchorLog.first", RECEIPTS), (f"{LEDGER}.anchorLog", 2_100_000)):
        told = ("anchorLog", hospital, log, size, digest())
        meter.measure(key, "newcomer", LEDGER, *told)
    made = Acknowledgement.sign(meter.ledger, recorder, receipts[7], hospital, day)
    words = made.signature_words
    assert words is not None  # noqa: S101 - it was just made
    _travel(meter, day, 3)
    meter.measure(f"{LEDGER}.demand", "stranger", LEDGER, "demand", made.struct, *words)
    answer = ("answer", made.struct, tree.proof(7))
    meter.measure(f"{LEDGER}.answer", "hospital", LEDGER, *answer)
    meter.measure(f"{LEDGER}.dismiss", "hospital", LEDGER, "dismiss", recorder.address)


def _signed(meter: Meter, hospital: str) -> None:
    reader = meter.people["radiologist"]
    names = ("0x" + digest().hex(), Use.of(["CC"]), "0x" + digest().hex())
    # Of a nonce that is the same in each run, as the signature depends on it.
    receipt = replace(
        Receipt.of(meter.ledger, reader.address, *names), nonce="0x" + digest()[:16].hex()
    )
    told = (receipt.content, reader.address, receipt.sign(reader).standard_signature)
    meter.measure(f"{LEDGER}.recordSigned", "newcomer", LEDGER, "recordSigned", hospital, *told)


def _travel(meter: Meter, day: date, days: int) -> date:
    """Have the next block come noon of a day so many days later; that day."""
    later = to_number(day) + days
    noon = later * DAY + DAY // 2
    if days:
        request(meter.ledger.web3, "evm_setNextBlockTimestamp", [noon])
    return day_of(noon)
