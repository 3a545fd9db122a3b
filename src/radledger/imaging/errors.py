"""Errors of :mod:`radledger.imaging`.

::

    RadLedgerError
    ├── ImageError                an operation on an image set failed
    │   ├── ImageUnknown          no such image set on this chain
    │   │   └── InvalidImageId    nothing of the form of an image set's id
    │   ├── SecretUnknown         this home does not have the set's secret
    │   ├── ManifestInvalid       the stored manifest is not one, or not this set's
    │   ├── RootMismatch          what was read does not add up to the root on the chain
    │   ├── FileNotInSet          a file is not byte for byte one of the set's
    │   ├── BundleTooLarge        a bundle would have more bytes than its verifier reads
    │   ├── CiphertextRemains     an erased set's ciphertext is on an unavailable node
    │   ├── ImageNotErased        the chain does not say that the set was erased
    │   ├── SecretRemains         this home still has the secret of an erased set
    │   ├── CopiesMissing         copies of the set's ciphertext are missing, and cannot be made
    │   ├── FolderNotEmpty        where files are to be written there are some already
    │   ├── NothingToAdd          none of the given paths could be taken
    │   ├── HomeBusy              another addition runs in this home, or on its journal
    │   ├── JournalAltered        the journal's rows are not as this home wrote them
    │   ├── JournalKeyMissing     the journal belongs to a key that this home does not have
    │   ├── WorkerAnswerInvalid   a worker answered for files that it was not given
    │   ├── ClusterUnavailable    a Dask scheduler or its workers cannot be reached
    │   └── ClusterUnusable       a cluster that cannot do the work
    ├── DatabaseUnavailable
    │   └── JournalUnavailable    the journal's database is damaged or does not answer
    ├── InvalidDatabaseUrl
    │   └── InvalidJournalUrl     a URL with which no journal can be opened
    └── CryptoError
        ├── CertificateInvalid    not a certificate of erasure by its holder
        └── CommitmentMismatch    a secret that is not the one which was committed to
"""

from __future__ import annotations

from radledger.errors import (
    CryptoError,
    DatabaseUnavailable,
    InvalidDatabaseUrl,
    RadLedgerError,
    UsageError,
)

__all__ = [
    "BundleTooLarge",
    "CertificateInvalid",
    "CiphertextRemains",
    "ClusterUnavailable",
    "ClusterUnusable",
    "CommitmentMismatch",
    "CopiesMissing",
    "FileNotInSet",
    "FolderNotEmpty",
    "HomeBusy",
    "ImageError",
    "ImageNotErased",
    "ImageUnknown",
    "InvalidImageId",
    "InvalidJournalUrl",
    "JournalAltered",
    "JournalKeyMissing",
    "JournalUnavailable",
    "ManifestInvalid",
    "NothingToAdd",
    "RootMismatch",
    "SecretRemains",
    "SecretUnknown",
    "WorkerAnswerInvalid",
]


class ImageError(RadLedgerError):
    """An operation on an image set failed."""


class ImageUnknown(ImageError):
    """No image set of that id has been anchored on this chain."""


class InvalidImageId(ImageUnknown, UsageError):
    """An image set id must be 32 bytes in hexadecimal."""


class SecretUnknown(ImageError):
    """The image set's secret is neither in the journal nor wrapped to the caller."""


class ManifestInvalid(ImageError):
    """A stored manifest is invalid, or is another image set's."""


class RootMismatch(ImageError):
    """Files or leaves do not add up to the root that the chain holds."""


class FileNotInSet(ImageError):
    """A file is not byte for byte one of the image set's."""


class BundleTooLarge(ImageError):
    """A bundle would have more bytes than its verifier reads."""


class CiphertextRemains(ImageError):
    """An image set is erased, its secret and salts too, but a node still has its ciphertext."""


class ImageNotErased(ImageError):
    """The chain does not say that an image set was erased."""


class SecretRemains(ImageError):
    """This home still has the secret of an erased image set, from a backup for instance."""


class CopiesMissing(ImageError):
    """An image set's ciphertext has fewer copies than required."""


class FolderNotEmpty(ImageError):
    """The folder to write into is not empty; nothing is overwritten."""


class NothingToAdd(ImageError):
    """None of the given paths could be taken; ``values["skipped"]`` says why each was not."""


class HomeBusy(ImageError):
    """Another process is doing the same in this home, or on the same journal."""


class JournalUnavailable(DatabaseUnavailable):
    """The journal's database is damaged, does not answer, or refuses."""


class JournalAltered(ImageError):
    """The journal's rows are not as this home wrote them."""


class JournalKeyMissing(ImageError):
    """The journal belongs to a key that this home does not have."""


class WorkerAnswerInvalid(ImageError):
    """A worker answered with an image set or a task that it was not given."""


class InvalidJournalUrl(InvalidDatabaseUrl):
    """A URL with which no journal can be opened."""


class ClusterUnavailable(ImageError):
    """A Dask scheduler or its workers cannot be reached, or were lost."""


class ClusterUnusable(ImageError, UsageError):
    """A cluster that cannot do the work: a package or a journal in PostgreSQL is missing."""


class CertificateInvalid(CryptoError):
    """A text is not a certificate of erasure, or not one that its holder signed."""


class CommitmentMismatch(CryptoError):
    """A released secret is not the one that the manifest commits to."""
