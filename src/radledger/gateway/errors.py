"""What :mod:`radledger.gateway` refuses.

::

    RadLedgerError
    └── GatewayError                 a gateway does not answer a request, or cannot be asked
        ├── SignInRefused            an account did not prove who it is
        │   ├── SignInMalformed      what was signed is not a message of Sign-In with Ethereum
        │   ├── SignInForAnother     signed for another domain, URI or chain
        │   ├── SignInExpired        its challenge or its own time is over, or was used before
        │   └── SignInNotSigned      not signed by the account that it names
        ├── SignInRequired           no session, or one that has ended
        ├── ReaderNotControlled      the account of the session does not control the reader
        ├── ErasureNotRequestable    neither custodian nor patient asks for an erasure
        ├── PatientNotRepresented    the account of the session does not act for the patient
        ├── PatientUnknown           no image set at the gateway is the patient's
        ├── DestinationInvalid       notices cannot be sent to such an address
        ├── MailNotSent              the gateway sends no mail
        ├── NoticesExceeded          notices were changed too often on a day
        ├── ReceiptsDiffer           receipts of one token are for several readers or uses
        ├── OrthancUnknown           a request is not from the gateway's Orthanc
        ├── TokenInvalid             no token, or one that has ended
        ├── TicketInvalid            a link to the viewer was opened before, or is too old
        ├── ViewerNotServed          the gateway serves no viewer
        ├── CrossSiteRequest         a page elsewhere has a browser send its cookie
        ├── TokenForOtherImages      a token does not name an image set
        ├── TokenGrantDiffers        the use is permitted by another grant than the token's
        ├── ResourceUnknown          nothing that a token permits has such UIDs
        ├── FrameUnknown             an instance has no such frame
        ├── QueryInvalid             a parameter is unknown, or its value is not valid
        ├── NotAcceptable            a resource cannot be sent in a form that the request accepts
        ├── StoringNotAllowed        the account may not add instances here
        ├── BodyMalformed            a body in parts is not one
        ├── MediaTypeNotSupported    a body is of another media type than those that are taken
        ├── RateExceeded             an account or token asks more often than it may
        ├── ImageSetUnreadable       what is stored of an image set is not what was anchored
        ├── GatewayBusy              as many sign in or read as the gateway takes
        ├── LinkNotAllowed           a link of a patient is not for the account to make or list
        ├── LinkUnknown              no such link, or it opens nothing any more
        ├── PasscodeWrong            the passcode of a link is another one
        ├── GatewayUnreachable       nothing answers at the gateway's address, or not a gateway
        └── GatewayNotListening      the address to listen at cannot be had
    UsageError
    ├── InvalidGatewayUrl            an address that is not a gateway's URL
    ├── InvalidViewerOrigin          what is to be the origin of a viewer elsewhere is not one
    ├── ViewerMissing                a folder has no viewer
    ├── InvalidDelivery              mail or webhooks for notices that cannot be sent
    ├── InvalidOrthanc               what is given of an Orthanc that asks is not usable
    └── GatewayNotInstalled          the extra packages of the gateway are not there
"""

from __future__ import annotations

from radledger.errors import RadLedgerError, UsageError
from radledger.httpapi.service import Service
from radledger.identity.errors import InvalidGatewayUrl
from radledger.texts import quoted

__all__ = [
    "GATEWAY",
    "BodyMalformed",
    "CrossSiteRequest",
    "DestinationInvalid",
    "ErasureNotRequestable",
    "FrameUnknown",
    "GatewayBusy",
    "GatewayError",
    "GatewayNotInstalled",
    "GatewayNotListening",
    "GatewayUnreachable",
    "ImageSetUnreadable",
    "InvalidDelivery",
    "InvalidGatewayUrl",
    "InvalidOrthanc",
    "InvalidViewerOrigin",
    "LinkNotAllowed",
    "LinkUnknown",
    "MailNotSent",
    "MediaTypeNotSupported",
    "NotAcceptable",
    "NoticesExceeded",
    "OrthancUnknown",
    "PasscodeWrong",
    "PatientNotRepresented",
    "PatientUnknown",
    "QueryInvalid",
    "RateExceeded",
    "ReaderNotControlled",
    "ReceiptsDiffer",
    "ResourceUnknown",
    "SignInExpired",
    "SignInForAnother",
    "SignInMalformed",
    "SignInNotSigned",
    "SignInRefused",
    "SignInRequired",
    "StoringNotAllowed",
    "TicketInvalid",
    "TokenForOtherImages",
    "TokenGrantDiffers",
    "TokenInvalid",
    "ViewerMissing",
    "ViewerNotServed",
]


class GatewayError(RadLedgerError):
    """A gateway does not answer a request, or cannot be asked."""


class SignInRefused(GatewayError):
    """An account did not prove who it is."""


class SignInMalformed(SignInRefused):
    """What was signed is not a message of Sign-In with Ethereum."""


class SignInForAnother(SignInRefused):
    """What was signed is for another domain, URI or chain."""


class SignInExpired(SignInRefused):
    """The challenge is not this gateway's, too old or used, or the message's own time is over."""


class SignInNotSigned(SignInRefused):
    """The message was not signed by the account that it names."""


class SignInRequired(GatewayError):
    """A request bears no session, or one that has ended."""


class ReaderNotControlled(GatewayError):
    """The account that signed in does not control the identity of the receipt's reader."""


class ErasureNotRequestable(GatewayError):
    """The account that signed in is neither the custodian nor the patient of an image set."""


class PatientNotRepresented(GatewayError):
    """The account that signed in is neither the patient's owner nor a delegate of the patient."""


class PatientUnknown(GatewayError):
    """No image set that the gateway's custodian anchored is the patient's."""


class DestinationInvalid(GatewayError):
    """An address for notices is not the URL of a webhook, or not a mail address."""


class MailNotSent(GatewayError):
    """Notices are wanted by mail, and the gateway has no mail server."""


class NoticesExceeded(GatewayError):
    """A patient's notices were changed more often on a day than a gateway takes."""


class ReceiptsDiffer(GatewayError):
    """A token is for one reader and one use; the receipts name several, or none is given."""


class OrthancUnknown(GatewayError):
    """A request does not have the name and password of the gateway's Orthanc."""

    scheme = "Basic"


class TokenInvalid(GatewayError):
    """A request bears no token, or one that has ended."""


class TicketInvalid(GatewayError):
    """A link to the viewer was opened before, is too old, or was never issued."""


class ViewerNotServed(GatewayError):
    """The gateway serves no viewer, so that no link can open it."""


class CrossSiteRequest(GatewayError):
    """A browser sends the viewer's cookie for a page that is not the gateway's own."""


class TokenForOtherImages(GatewayError):
    """A token does not name the image set that is asked for."""


class TokenGrantDiffers(GatewayError):
    """The use is permitted by another grant than the one to which the token is bound."""


class ResourceUnknown(GatewayError):
    """Nothing that the token permits has such UIDs; whether anything else has is not said."""


class FrameUnknown(GatewayError):
    """An instance has no such frame, or no such element."""


class QueryInvalid(GatewayError):
    """A parameter of a request is unknown, or its value is not valid."""

    @classmethod
    def of(cls, name: str, value: str, give: str) -> QueryInvalid:
        """The refusal of a parameter's value, with what to give instead."""
        return cls(
            f"{quoted(name)} is {quoted(value)}; give {give}", parameter=name, value=value[:100]
        )


class NotAcceptable(GatewayError):
    """A resource cannot be sent in any form that the request accepts."""


class StoringNotAllowed(GatewayError):
    """The account that signed in may not add instances at this gateway."""


class BodyMalformed(GatewayError):
    """A body in parts has no parts, or ends before they do."""


class MediaTypeNotSupported(GatewayError):
    """A body is of another media type than those that are taken."""


class RateExceeded(GatewayError):
    """An account, or the holder of a token, asks more often than the gateway allows."""


class ImageSetUnreadable(GatewayError):
    """What is stored of an image set is not what was anchored."""


class GatewayBusy(GatewayError):
    """As many accounts have signed in, or wait for a secret, as the gateway takes at a time."""


class LinkNotAllowed(GatewayError):
    """A link to a patient's images is not for this account to make, or is over before it begins."""


class LinkUnknown(GatewayError):
    """There is no such link, or it opens nothing any more; which of them is not said."""


class PasscodeWrong(GatewayError):
    """The passcode of a link is another one."""


class GatewayUnreachable(GatewayError):
    """Nothing answers at the gateway's address, or what answers is not a gateway."""


class GatewayNotListening(GatewayError):
    """The address at which the gateway is to listen is taken, or not one of this machine."""


class InvalidViewerOrigin(UsageError):
    """What is to be the origin of a viewer elsewhere is not one."""


class ViewerMissing(UsageError):
    """A folder has no viewer, or the gateway's address leaves no room for one."""


class InvalidOrthanc(UsageError):
    """A file does not hold the name and password of an Orthanc, or its address is not a URL."""


class InvalidDelivery(UsageError):
    """A mail server, its sender or an allowed network for notices is not one."""


class GatewayNotInstalled(UsageError):
    """The packages that serve the gateway's interface are not installed."""


GATEWAY = Service(
    name="gateway",
    key="gateway",
    refused=GatewayError,
    unreachable=GatewayUnreachable,
    not_listening=GatewayNotListening,
    not_installed=GatewayNotInstalled,
)
