"""Erasures over HTTP: a holder is asked to delete its copy, and a custodian takes certificates."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from radledger.gateway.authorization import Account, TheGateway
from radledger.gateway.fields import Address, Digest
from radledger.httpapi.problems import problems
from radledger.imaging.certificates import ErasureCertificate

__all__ = ["router"]

router = APIRouter()

Count = Annotated[int, Field(strict=True, ge=0, lt=1 << 32)]


class ErasureRequest(BaseModel):
    """Which image set."""

    model_config = ConfigDict(extra="forbid")
    image_id: Digest


class Certificate(BaseModel):
    """A certificate of erasure (EIP-712): `ErasureCertificate.to_json` of the library."""

    model_config = ConfigDict(extra="forbid")
    statement: Annotated[str, Field(min_length=1, max_length=500)]
    image_id: Digest
    holder: Address
    instances: Count = Field(description="How many the image set had.")
    contents: Count = Field(description="How many contents the holder has unpinned.")
    time: Annotated[int, Field(strict=True, ge=0, lt=1 << 40, description="Unix time.")]
    chain_id: Annotated[int, Field(strict=True, ge=0, lt=1 << 256)]
    contract: Address
    signature: Annotated[str, Field(max_length=8_194, description="In hexadecimal.")]


class ErasureAnswer(BaseModel):
    """How far an erasure has come."""

    image_id: str
    complete: bool = Field(description="Whether all holders have certified.")


@router.post(
    "/erasures", status_code=201, responses=problems(400, 401, 403, 404, 409, 413, 422, 429, 503)
)
def erase_copy(gateway: TheGateway, account: Account, request: ErasureRequest) -> Certificate:
    """Delete this home's copy of an image set that the chain says is erased, and certify it."""
    return Certificate(**gateway.erase_copy(account, request.image_id.lower()).to_json())


@router.post(
    "/certificates",
    status_code=201,
    responses=problems(400, 401, 403, 404, 409, 413, 422, 429, 503),
)
def take_certificate(
    gateway: TheGateway, account: Account, certificate: Certificate
) -> ErasureAnswer:
    """Take a holder's certificate for an image set of this custodian."""
    read = ErasureCertificate.from_json(certificate.model_dump())
    erasure = gateway.take_certificate(account, read)
    return ErasureAnswer(image_id=erasure.image_id, complete=erasure.complete)
