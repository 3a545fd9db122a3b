"""What each operation may cost at most, and what the best peer that does as much costs."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BUDGETS", "Budget"]


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
    Budget("ParticipantRegistry.admitInstitution", "a new institution, by a governor", "-", None),
    Budget("ParticipantRegistry.leaveInstitution", "by a member", "-", None),
    Budget("ParticipantRegistry.suspend", "a member, by its institution", "-", None),
    Budget("ParticipantRegistry.reinstate", "by the same", "-", None),
    Budget("ParticipantRegistry.voteGovernor", "the vote that adds one", "-", None),
    Budget("IdentityRegistry.changeOwner", "first", "68,824 (reference ERC-1056)", 48_000),
    Budget(
        "IdentityRegistry.setAttribute", "32-byte key, later", "34,565 (reference, 64 B)", 33_500
    ),
    Budget("IdentityRegistry.setAttribute.hybrid", "key of 1,220 bytes, later", "-", 65_000),
    Budget("IdentityRegistry.setAttributeSigned", "signed with ERC-1056, later", "-", None),
    Budget("IdentityRegistry.revokeAttribute", "later", "-", None),
    Budget("IdentityRegistry.revokeAttributeSigned", "later", "-", None),
    Budget("IdentityRegistry.addDelegate", "first", "-", None),
    Budget("IdentityRegistry.addDelegateSigned", "one that was revoked", "-", None),
    Budget("IdentityRegistry.revokeDelegate", "", "-", None),
    Budget("IdentityRegistry.revokeDelegateSigned", "", "-", None),
    Budget("IdentityRegistry.changeOwnerSigned", "later", "-", None),
    Budget("IdentityRegistry.setGuardians", "three, of whom two must approve", "-", None),
    Budget("IdentityRegistry.approveRecovery", "the first of three guardians", "-", None),
    Budget("IdentityRegistry.withdrawApproval", "", "-", None),
    Budget("IdentityRegistry.vetoRecovery", "", "-", None),
    Budget("IdentityRegistry.executeRecovery", "by two of three guardians", "-", None),
    Budget("ImageRegistry.anchor", "one image set", "153,637 (ERC-721), 203,114 (EAS)", 60_000),
    Budget(
        "ImageRegistry.anchorBatch.of100",
        "per set in a batch of 100",
        "169,054 (EAS multiAttest)",
        30_500,
    ),
    Budget("ImageRegistry.supersede", "a new version", "-", 68_500),
    Budget("ImageRegistry.rekey", "a new manifest of the same root", "-", None),
    Budget("ImageRegistry.erase", "with its certificate", "-", None),
    Budget("ImageRegistry.disown", "by the patient, identity checked", "-", None),
    Budget("ImageRegistry.acknowledge", "by the patient, identity checked", "-", None),
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
    Budget("ConsentRegistry.revoke", "", "51,664 (MedRec), 60,002 (EAS)", 38_000),
    Budget("ConsentRegistry.revokeBySig", "", "-", None),
    Budget("ConsentRegistry.revokeAll", "later", "grows with the grants everywhere else", 36_500),
    Budget("ConsentRegistry.revokeAllBySig", "later", "-", None),
    Budget(
        "ConsentRegistry.request", "by a clinician", "244,000 (Orthanc consent prototype)", 59_950
    ),
    Budget("ConsentRegistry.approve", "by the patient, new grant", "-", 68_000),
    Budget("ConsentRegistry.approveBySig", "new grant", "-", None),
    Budget("ConsentRegistry.breakGlass", "by a clinician", "-", None),
    Budget(
        "ConsentRegistry.breakGlass.first", "a clinician's and its institution's first", "-", None
    ),
    Budget("ConsentRegistry.breakGlass.again", "of the same patient", "-", None),
    Budget("ConsentRegistry.review", "by the institution", "-", None),
    Budget("ConsentRegistry.forbidEmergencies", "first", "-", None),
    Budget("ConsentRegistry.forbidEmergenciesBySig", "allowed again", "-", None),
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
    Budget("DatasetRegistry.contributeWork", "by a curator, first of its class", "-", None),
    Budget("DatasetRegistry.suspend", "image set whose consent was revoked", "-", None),
    Budget("DatasetRegistry.resume", "after consent was given again", "-", None),
    Budget("DatasetRegistry.freeze", "first version", "-", None),
    Budget("DatasetRegistry.fund", "one class", "-", 61_000),
    Budget("DatasetRegistry.fund.twoClasses", "two classes", "-", None),
    Budget(
        "DatasetRegistry.claim",
        "existing holder",
        "66,127 (Ocean), 68,685 (Uniswap), new holders",
        52_500,
    ),
    Budget("DatasetRegistry.claim.new", "new holder", "66,127 to 91,688", 69_500),
    Budget("DatasetRegistry.claimFor", "to a new holder, identity checked", "-", None),
    Budget("DatasetRegistry.setFree", "identity checked", "-", None),
    Budget(
        "DatasetRegistry.withdraw", "image set, data and custody, by the patient", "-", 2 * 41_500
    ),
    Budget("DatasetRegistry.withdrawWork", "by its contributor", "-", 43_500),
    Budget(
        "AlgorithmRegistry.register",
        "with its name and family",
        "153,485 (ERC-721 with URI), 202,912 (EAS)",
        34_000,
    ),
    Budget(
        "AlgorithmRegistry.publish",
        "version of one developer, parent known",
        "153,485 (ERC-721 with URI), 202,912 (EAS)",
        66_500,
    ),
    Budget("AlgorithmRegistry.recall", "by its institution", "62,044 (EAS revoke)", None),
    Budget(
        "AlgorithmRegistry.recordExecution",
        "on one image set, consent checked",
        "202,912 (EAS), unchecked; 116,000 (Ocean access)",
        60_000,
    ),
    Budget("AlgorithmRegistry.recordExecution10", "per image set, 10 of one patient", "-", 14_000),
    Budget("AlgorithmRegistry.recordExecution50", "per image set, 50 of one patient", "-", 9_500),
    Budget(
        "AlgorithmRegistry.recordExecution10.patients",
        "per image set, 10 of 10 patients",
        "-",
        21_500,
    ),
    Budget(
        "AlgorithmRegistry.recordExecution50.patients",
        "per image set, 50 of 50 patients",
        "-",
        18_000,
    ),
    Budget(
        "AlgorithmRegistry.recordExecutions",
        "any number by one root",
        "45,869 (EAS timestamp)",
        38_000,
    ),
    Budget("AccessLedger.appoint", "a recorder, by its institution", "-", None),
    Budget("AccessLedger.dismiss", "by its institution", "-", None),
    Budget("AccessLedger.record", "one receipt", "45,869 (EAS timestamp)", 35_000),
    Budget(
        "AccessLedger.recordSigned",
        "one receipt, its reader's signature checked",
        "202,912 (EAS), unchecked",
        40_500,
    ),
    Budget(
        "AccessLedger.anchorDay",
        "the root of a day's receipts, later than its first 64 days",
        "45,869 (EAS timestamp)",
        38_000,
    ),
    Budget("AccessLedger.anchorDay.first", "in a slot that was not used before", "-", None),
    Budget(
        "AccessLedger.anchorLog",
        "a checkpoint of the log of receipts, of any number of new ones",
        "34,056 (prototype of size, root and time, no recorder)",
        34_000,
    ),
    Budget("AccessLedger.anchorLog.first", "of a log that was not anchored before", "-", None),
    Budget("AccessLedger.demand", "of a receipt, by anyone", "-", 62_000),
    Budget("AccessLedger.answer", "a demand, with the proof of 1,000 receipts", "-", 44_500),
    Budget("Forwarder.execute", "a patient's disown, first of the signer", "-", None),
    Budget("Forwarder.executeBatch", "with one call, acknowledge", "-", None),
)
