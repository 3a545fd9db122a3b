"""What the commands that read image sets have in common: for which use, and as whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from radledger.cli.session import session
from radledger.errors import UsageError

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.access import KeyService
    from radledger.access.keyservice import Viewers
    from radledger.consent.permission import Use
    from radledger.imaging.model import ImageSet

__all__ = ["ReadOptions", "recorder_of"]


class PurposeNotNamed(UsageError):
    """A reader did not say what the images are for."""


class CustodiansDiffer(UsageError):
    """Image sets of several custodians are to be viewed at one gateway."""


class GatewayNotNamed(UsageError):
    """A custodian has published no gateway, and none was named."""


@dataclass(frozen=True)
class ReadOptions:
    """What a reader wants to do with an image set, as the command line says it.

    Attributes
    ----------
    purpose, fulfils, disease
        The use.
    identity
        The account as which they read, if not their own.
    key_service
        URL of the gateway to ask.
    """

    purpose: list[str] | None
    fulfils: list[str] | None
    disease: str | None
    identity: str | None
    key_service: str | None

    def secret(self, image: str) -> str | None:
        """The image set's secret, as the account that acts may have it; the home's if none acts."""
        if session.account is None:
            return None
        return session.radledger.reading.secret(image, **self.arguments(image)).secret

    def arguments(self, image: str) -> dict[str, Any]:
        """Who reads, and whom they ask for what use: arguments of `Reading.secret`."""
        name, whose = session.name, session.whose(self.identity)
        use = self._use(image, whose)
        return {
            "reader": session.signer,
            "private_key": session.keystore.encryption_key(name, session.passphrase(name)),
            "key_service": None if use is None else _key_service(image, self.key_service),
            "use": use,
            "identity": whose,
        }

    def viewing(self, images: Sequence[str]) -> dict[str, Any]:
        """Who looks at image sets, at whose gateway for what use: arguments of `Reading.view`."""
        whose = session.whose(self.identity)
        image_sets = [session.radledger.images.show(each).image_set for each in images]
        custodians = {each.custodian for each in image_sets}
        if len(custodians) != 1:
            raise CustodiansDiffer(
                "the image sets are of several custodians, each with a gateway of its own; view "
                "those of one at a time",
                custodians=sorted(custodians),
            )
        if not self.purpose:
            raise PurposeNotNamed(
                f"say what {session.name} uses the images for with --purpose, such as CC"
            )
        (custodian,) = custodians
        return {
            "reader": session.signer,
            "viewers": _gateway(custodian, self.key_service),
            "use": self._named_use(image_sets[0], whose, self.purpose),
            "identity": whose,
        }

    def _use(self, image: str, identity: str | None) -> Use | None:
        """What a reader wants to do; nothing for the patient and the custodian themselves."""
        image_set = session.radledger.images.show(image).image_set
        if self.purpose:
            return self._named_use(image_set, identity, self.purpose)
        if identity or session.signer.address not in (image_set.patient, image_set.custodian):
            raise PurposeNotNamed(
                f"say what {session.name} uses the images for with --purpose, such as CC; only "
                "their patient and custodian need none"
            )
        return None

    def _named_use(self, image_set: ImageSet, identity: str | None, purpose: list[str]) -> Use:
        return session.radledger.consents.use(
            identity or session.signer.address,
            image_set,
            purpose,
            fulfilled=self.fulfils or (),
            disease=self.disease,
        )


def _gateway(custodian: str, url: str | None) -> Viewers:
    """The gateway at a URL; else the one that the custodian published."""
    from radledger.gateway.client import GatewayKeyService

    radledger = session.radledger
    url = url or radledger.identities.gateway(custodian)
    if url is None:
        raise GatewayNotNamed(
            f"{custodian} has published no gateway; name one with --key-service URL",
            custodian=custodian,
        )
    return GatewayKeyService(url, session.signer, radledger.ledger.chain_id)


def _key_service(image: str, url: str | None) -> KeyService:
    """The gateway at a URL; else this home's own if the custodian's account is here, or theirs."""
    radledger, images = session.radledger, session.radledger.images
    address = images.show(image).image_set.custodian
    custodian = [each.name for each in session.keystore.list() if each.address == address]
    if url is None and not custodian:
        url = radledger.identities.gateway(address)
    if url is not None:
        from radledger.gateway.client import GatewayKeyService

        return GatewayKeyService(url, session.signer, radledger.ledger.chain_id)

    def rekey(image_id: str) -> object:
        return images.rekey(image_id, custodian=session.open(custodian[0]))

    return radledger.key_service(rekey if custodian else None, recorder_of(address))


def recorder_of(custodian: str) -> LocalAccount | None:
    """The account of this home that acknowledges receipts for a custodian; none without one."""
    radledger = session.radledger
    if "AccessLedger" not in radledger.ledger.deployment.contracts:
        return None
    appointed = {recorder for _, recorder in radledger.access_ledger.recorders(custodian)}
    names = [each.name for each in session.keystore.list() if each.address in appointed]
    return session.open(names[0]) if names else None
