"""What :mod:`radledger.pacs` refuses.

::

    RadLedgerError
    └── PacsError                 instances cannot be received or sent
        ├── PacsNotListening      the address to listen at cannot be had
        ├── StudyNotHeld          no such study waits in the inbox
        ├── PeerUnreachable       nothing answers at a peer's address, or not with DICOM
        ├── PeerRefused           a peer rejects the association
        └── InstancesNotSent      a peer did not take all instances
    UsageError
    ├── InvalidPatientList        a list of patients that cannot be understood
    ├── InvalidWorkstationList    a list of workstations that cannot be understood
    ├── InvalidTitle              not an AE title
    ├── InvalidPeer               not a peer's AE title, host and port
    ├── InvalidTls                certificates with which no TLS can be spoken
    └── PacsNotInstalled          the extra packages of DICOM's network are not there
"""

from __future__ import annotations

from radledger.errors import RadLedgerError, UsageError

__all__ = [
    "InstancesNotSent",
    "InvalidPatientList",
    "InvalidPeer",
    "InvalidTitle",
    "InvalidTls",
    "InvalidWorkstationList",
    "PacsError",
    "PacsNotInstalled",
    "PacsNotListening",
    "PeerRefused",
    "PeerUnreachable",
    "StudyNotHeld",
]


class PacsError(RadLedgerError):
    """Instances cannot be received or sent."""


class PacsNotListening(PacsError):
    """The address at which instances are to be received is taken, or not one of this machine."""


class StudyNotHeld(PacsError):
    """No instance of such a study waits in the inbox."""


class PeerUnreachable(PacsError):
    """Nothing answers at a peer's address, or what answers does not speak DICOM."""


class PeerRefused(PacsError):
    """A peer rejects an association."""


class InstancesNotSent(PacsError):
    """A peer did not take all instances of an image set."""


class InvalidPatientList(UsageError):
    """A list of patients that cannot be understood."""


class InvalidWorkstationList(UsageError):
    """A list of workstations that cannot be understood."""


class InvalidPeer(UsageError):
    """A peer that is not given as AE title, host and port."""


class InvalidTitle(UsageError):
    """A text that is not an AE title."""


class InvalidTls(UsageError):
    """Certificates or a key with which TLS cannot be spoken."""


class PacsNotInstalled(UsageError):
    """The packages that speak DICOM's network protocol are not installed."""

    @classmethod
    def of(cls, error: ImportError) -> PacsNotInstalled:
        """The refusal for a package that could not be imported."""
        return cls(
            "DICOM's network protocol is not installed; run `pip install radledger[pacs]`",
            missing=str(error.name),
        )
