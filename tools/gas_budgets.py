"""What each operation may cost at most, and what the best peer that does as much costs."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ARGUED", "BUDGETS", "Budget"]


@dataclass(frozen=True)
class Budget:
    """An operation: its key in ``snapshots/gas.json``, words, best peer, and most gas."""

    key: str
    operation: str
    peer: str
    most: int | None


BUDGETS = (
    Budget(
        "ParticipantRegistry.admit",
        "new member by an institution",
        "51,454 (OpenZeppelin grantRole alone)",
        53_000,
    ),
    Budget("IdentityRegistry.changeOwner", "first", "68,824 (reference ERC-1056)", 48_000),
    Budget(
        "IdentityRegistry.setAttribute", "32-byte key, later", "34,565 (reference, 64 B)", 33_500
    ),
    Budget("IdentityRegistry.setAttribute.hybrid", "key of 1,220 bytes, later", "-", 65_000),
    Budget("ImageRegistry.anchor", "one image set", "153,637 (ERC-721), 203,114 (EAS)", 60_000),
    Budget(
        "ImageRegistry.anchorBatch100",
        "per set in a batch of 100",
        "169,054 (EAS multiAttest)",
        30_500,
    ),
    Budget("ImageRegistry.supersede", "a new version", "-", 68_500),
    Budget("ImageRegistry.rekey", "a new manifest of the same root", "-", None),
    Budget("ImageRegistry.erase", "with its certificate", "-", None),
    Budget("ImageRegistry.disown", "by the patient, identity checked", "-", None),
    Budget(
        "ConsentRegistry.grant",
        "new, by the patient, identity checked",
        "160,000 (Dwarna), 213,451 (MedRec), 200,644 (EAS)",
        60_000,
    ),
    Budget("ConsentRegistry.grant.renew", "existing", "-", 42_500),
    Budget(
        "ConsentRegistry.grantBySig",
        "new",
        "239,787 (EAS attestByDelegation)",
        73_000,
    ),
    Budget("ConsentRegistry.grantBySig.renew", "existing", "-", 56_000),
    Budget("ConsentRegistry.revoke", "", "51,664 (MedRec), 60,002 (EAS)", 37_500),
    Budget("ConsentRegistry.revokeAll", "later", "grows with the grants everywhere else", 35_500),
    Budget(
        "ConsentRegistry.request", "by a clinician", "244,000 (Orthanc consent prototype)", 58_000
    ),
    Budget("ConsentRegistry.approve", "by the patient, new grant", "-", 68_000),
    Budget("ConsentRegistry.breakGlass", "by a clinician", "-", None),
    Budget(
        "ConsentRegistry.breakGlass.first", "a clinician's and its institution's first", "-", None
    ),
    Budget("ConsentRegistry.breakGlass.again", "of the same patient", "-", None),
    Budget("ConsentRegistry.review", "by the institution", "-", None),
    Budget("DatasetRegistry.create", "with its vault", "-", None),
    Budget(
        "DatasetRegistry.contribute",
        "image set with data and custody, by a curator, consent checked strictly, later",
        "232,000 (two Ocean accesses), no consent check",
        2 * 88_000,
    ),
    Budget(
        "DatasetRegistry.contributeAccepted",
        "the same by its custodian, with a curator's signature",
        "-",
        2 * 88_000,
    ),
    Budget("DatasetRegistry.fund", "one class", "-", 55_000),
    Budget("DatasetRegistry.fund.twoClasses", "two classes", "-", None),
    Budget(
        "DatasetRegistry.claim",
        "existing holder",
        "66,127 (Ocean), 68,685 (Uniswap), new holders",
        51_500,
    ),
    Budget("DatasetRegistry.claim.new", "new holder", "66,127 to 91,688", 69_000),
    Budget(
        "DatasetRegistry.withdraw", "image set, data and custody, by the patient", "-", 2 * 41_500
    ),
    Budget("DatasetRegistry.withdrawWork", "by its contributor", "-", 41_500),
)

ARGUED = {
    "ConsentRegistry.request": 59_950,
    "ConsentRegistry.revoke": 38_000,
    "ConsentRegistry.revokeAll": 36_500,
    "DatasetRegistry.fund": 61_500,
    "DatasetRegistry.claim": 52_500,
    "DatasetRegistry.withdrawWork": 43_500,
}
"""Keys whose budget turned out too small, with the bound that holds; `docs/gas.md` says why."""
