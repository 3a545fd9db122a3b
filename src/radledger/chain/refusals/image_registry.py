"""Custom errors of ImageRegistry.

Written by ``tools/generate_refusals.py``; edit the contracts instead.
"""

from __future__ import annotations

from radledger.chain.refusals.base import ContractError

__all__ = [
    "ImageAlreadyAnchored",
    "ImageGroupsNotOfCustodian",
    "ImageIncomplete",
    "ImageIsDisowned",
    "ImageIsErased",
    "ImageKindNotDerived",
    "ImageNotAnchored",
    "ImageNotAuthorized",
    "ImageNotCustodian",
    "ImageNotDisowned",
    "ImagePatientDiffers",
]


class ImageAlreadyAnchored(ContractError):
    """The image set is already anchored."""

    selector = "a4f879c9"
    parameters = (("image", "bytes32", "ImageId"),)


class ImageGroupsNotOfCustodian(ContractError):
    """The visit or course does not end in the address of the custodian."""

    selector = "597ac590"
    parameters = (
        ("visit", "bytes32", "bytes32"),
        ("course", "bytes32", "bytes32"),
        ("custodian", "address", "address"),
    )


class ImageIncomplete(ContractError):
    """The image set lacks a patient, a root or instances."""

    selector = "1f5fd298"
    parameters = (
        ("patient", "address", "address"),
        ("root", "bytes32", "bytes32"),
        ("instances", "uint32", "uint32"),
    )


class ImageIsDisowned(ContractError):
    """The patient disowned the image set."""

    selector = "5cdc7abd"
    parameters = (("image", "bytes32", "ImageId"),)


class ImageIsErased(ContractError):
    """The image set was erased for good."""

    selector = "4841d15b"
    parameters = (("image", "bytes32", "ImageId"),)


class ImageKindNotDerived(ContractError):
    """A new version of an image set cannot be an original."""

    selector = "befb1912"
    parameters = (("kind", "uint8", "enum IImageRegistry.Kind"),)


class ImageNotAnchored(ContractError):
    """No such image set is anchored."""

    selector = "565a5955"
    parameters = (("image", "bytes32", "ImageId"),)


class ImageNotAuthorized(ContractError):
    """The caller may not act for the patient."""

    selector = "d098fa5b"
    parameters = (("patient", "address", "address"), ("actor", "address", "address"))


class ImageNotCustodian(ContractError):
    """The caller does not act for the institution that holds the images."""

    selector = "5f1c7b53"
    parameters = (("custodian", "address", "address"), ("institution", "address", "address"))


class ImageNotDisowned(ContractError):
    """The image set is not disowned."""

    selector = "486a8e0c"
    parameters = (("image", "bytes32", "ImageId"),)


class ImagePatientDiffers(ContractError):
    """The new version names another patient than the image set that it came from."""

    selector = "a0fddab8"
    parameters = (("patient", "address", "address"), ("parentPatient", "address", "address"))
