"""What a clinician does: ask for a grant, read, and in an emergency read without one.

::

    brownie run clinician request PATIENT PURPOSE[,PURPOSE…] [SCOPE] [DAYS]
    brownie run clinician read IMAGE FOLDER [PURPOSE[,PURPOSE…]]
    brownie run clinician emergency PATIENT REASON [HOURS]

``PATIENT`` is an address, or a name on a development chain; ``FOLDER`` is new or empty; ``PURPOSE``
is CC for care (the default of ``read``).  ``brownie run patient approve`` approves a request.
Emergency access lasts 24 hours at most (the default) and permits ``read`` for CC; a second person
of the institution has to review it.

``read`` uses the custodian's key service, which runs in the custodian's home.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from radledger.consent import SealedNote
from scripts import brownie_network as network

__all__ = ["emergency", "main", "read", "request"]


@network.script
def request(patient: str, purposes: str, scope: str = "all", days: str = "") -> None:
    """Ask a patient for a grant, and print the request's id."""
    radledger = network.opened()
    asked = radledger.consents.request(
        network.address(patient), network.terms(radledger, purposes, days), scope=scope
    ).send(network.signer("radiologist"))
    print(f"request {asked.request_id}")


@network.script
def read(image: str, folder: str, purposes: str = "CC") -> None:
    """Fetch an image set against a signed receipt; every byte is checked and decrypted."""
    radledger = network.opened()
    reader, payer = network.signer("radiologist"), network.payer("radiologist")
    image_set = radledger.images.show(image).image_set
    rekey = partial(radledger.images.rekey, custodian=payer)
    fetched = radledger.reading.fetch(
        image,
        Path(folder),
        reader=reader,
        private_key=network.encryption_key("radiologist"),
        key_service=radledger.key_service(rekey if payer.address == image_set.custodian else None),
        use=radledger.consents.use(reader.address, image_set, purposes.split(",")),
    )
    print(f"{len(fetched.files)} files in {fetched.folder}")


@network.script
def emergency(patient: str, reason: str, hours: str = "24") -> None:
    """Declare emergency access to everything of a patient, for care."""
    note, seconds = SealedNote.of(reason), network.number(hours, "HOURS") * 3600
    receipt = (
        network.opened()
        .consents.break_glass(network.address(patient), note, duration=seconds)
        .send(network.signer("radiologist"))
    )
    print(f"{receipt.transaction}, {receipt.gas_used:,} gas")
    print(f"keep the reason and its salt for the review: 0x{note.salt.hex()}")


def main() -> None:
    """Say what the script accepts."""
    print(__doc__)
