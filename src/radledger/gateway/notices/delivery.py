"""How notices are sent: webhooks signed as Standard Webhooks says, and mail.

References
----------
.. [1] Standard Webhooks, https://github.com/standard-webhooks/standard-webhooks
.. [2] RFC 5322, Internet Message Format; RFC 3834, Automatic Responses to Electronic Mail
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from functools import partial
from ipaddress import ip_network
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from radledger.endpoints import is_loopback
from radledger.gateway.errors import DestinationInvalid, InvalidDelivery, MailNotSent
from radledger.gateway.notices.store import Channel, Destination, Kind
from radledger.gateway.sign_in import moment
from radledger.texts import quoted
from radledger.transport import Deadline, within
from radledger.transport.addresses import Network, found

if TYPE_CHECKING:
    from radledger.gateway.notices.store import Notice

__all__ = ["Delivery", "NotDelivered", "delivery_of", "signature"]

_TIMEOUT = 10.0  # seconds, for each step and for all of an answer
_LONGEST = 2000
# As HTML has it for what a person types, in ASCII.
_MAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+"
)
_SERVER = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
_SMTP = 25
_PRINTABLE = re.compile(r"[!-~]+")
_SUBJECT = "Notice of access to your medical images"
_TEXTS = {
    Kind.READING: "Someone used the right to read medical images of yours that are kept at\n{url}\n"
    "\nWho it was, when and for what is in your access log: run `radledger access-log`.",
    Kind.BEGUN: "You will get a notice here each time that medical images of yours are read at\n"
    "{url}\n\nIf you did not ask for that, tell the operator of that address.",
    Kind.ENDED: "Notices about medical images at\n{url}\nare not sent here any more.\n\n"
    "If you did not change that, look at your access log: run `radledger access-log`.",
}


class NotDelivered(Exception):
    """A notice could not be delivered; it is tried again."""


@dataclass(frozen=True)
class Delivery:
    """What sends a gateway's notices.

    Attributes
    ----------
    url
        The gateway's public address, which notices name.
    mail_server
        Host and port of the server that takes mail, by STARTTLS unless it is on this machine;
        none: no mail is sent.
    mail_from
        The sender's address.
    allowed
        Networks to which webhooks may go although they are not public.
    """

    url: str
    mail_server: tuple[str, int] | None = None
    mail_from: str = ""
    allowed: Sequence[Network] = field(default_factory=tuple)

    def require(self, channel: Channel, target: str) -> Destination:
        """A destination, if notices may be sent there.

        Where a webhook's name leads is looked at when one is sent.

        Raises
        ------
        DestinationInvalid
            If it is not a URL with TLS, or not a mail address.
        MailNotSent
            If this gateway sends no mail.
        """
        if channel is Channel.WEBHOOK:
            self._webhook(target)
            return Destination(channel, target, _new_secret())
        if self.mail_server is None:
            raise MailNotSent("this gateway sends no mail; give a webhook")
        if not _MAIL.fullmatch(target) or len(target) > 254:
            raise DestinationInvalid(
                f"{quoted(target)} is not a mail address; give one such as patient@example.org",
                destination=target,
            )
        return Destination(channel, target)

    def send(self, notice: Notice, now: int) -> None:
        """Send a notice.

        Raises
        ------
        NotDelivered
            If it was not taken; the reason is not for the patient, who may probe networks by it.
        """
        if notice.destination.channel is Channel.MAIL:
            self._mail(notice, now)
        else:
            self._post(notice, now)

    def _webhook(self, target: str) -> SplitResult:
        try:
            parts = urlsplit(target)
            known = parts.hostname and parts.username is None and parts.port != 0
        except ValueError:
            known, parts = False, urlsplit("")
        schemes = ("https", "http") if self.allowed else ("https",)
        whole = _PRINTABLE.fullmatch(target) and len(target) <= _LONGEST and not parts.fragment
        if not known or not whole or parts.scheme not in schemes:
            raise DestinationInvalid(
                f"{quoted(target)} is not the URL of a webhook; give one such as "
                "https://patient.example/hook, without a user, password or fragment",
                destination=target,
            )
        return parts

    def _post(self, notice: Notice, now: int) -> None:
        import httpx

        from radledger.transport import over_httpx

        destination = notice.destination
        body = json.dumps(
            {
                "type": f"access-log.{notice.kind}",
                "timestamp": moment(notice.at),
                "data": {"gateway": self.url},
            }
        ).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "RadLedger",
            "webhook-id": notice.notice_id,
            "webhook-timestamp": str(now),
            "webhook-signature": signature(destination.secret, notice.notice_id, now, body),
        }
        try:
            public = self._webhook(destination.target).scheme == "https"
            address_of = partial(found, allowed=self.allowed, public=public)
            # No proxy and no redirect: either would connect to an address that was not looked at.
            with httpx.Client(timeout=_TIMEOUT, trust_env=False, follow_redirects=False) as client:
                over_httpx.hold_to_deadlines(client, address_of)
                request = client.build_request(
                    "POST", destination.target, content=body, headers=headers
                )
                with within(Deadline(_TIMEOUT)):
                    response = client.send(request, stream=True)
                    response.close()  # what it holds is not read
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, DestinationInvalid) as error:
            raise NotDelivered(type(error).__name__) from None
        if not response.is_success:
            raise NotDelivered(f"status {response.status_code}")

    def _mail(self, notice: Notice, now: int) -> None:
        if self.mail_server is None:
            raise NotDelivered("no mail server")
        message = EmailMessage()
        message["From"], message["To"] = self.mail_from, notice.destination.target
        message["Subject"], message["Date"] = _SUBJECT, formatdate(now)
        domain = self.mail_from.rpartition("@")[2]
        message["Message-ID"] = f"<{notice.notice_id}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(_TEXTS[notice.kind].format(url=self.url) + "\n")
        host, port = self.mail_server
        try:
            with smtplib.SMTP(host, port, timeout=_TIMEOUT) as server:
                if not is_loopback(f"smtp://{host}"):
                    server.starttls(context=ssl.create_default_context())
                server.send_message(message)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise NotDelivered(type(error).__name__) from None


def delivery_of(
    url: str, mail_server: str | None, mail_from: str | None, networks: Sequence[str]
) -> Delivery:
    """What sends a gateway's notices, from texts.

    Raises
    ------
    InvalidDelivery
        If a mail server has no sender, or one of the texts is not what it should be.

    Examples
    --------
    >>> delivery_of("https://g.example", "localhost", "notices@h.example", ()).mail_server
    ('localhost', 25)
    """
    if (mail_server is None) != (mail_from is None):
        raise InvalidDelivery(
            "mail needs a server and a sender; give --mail-server and --mail-from"
        )
    if mail_from is not None and not _MAIL.fullmatch(mail_from):
        raise InvalidDelivery(
            f"{quoted(mail_from)} is not a mail address; give one such as notices@hospital.example",
            text=mail_from,
        )
    try:
        allowed = tuple(ip_network(each) for each in networks)
    except ValueError as error:
        raise InvalidDelivery(f"{error}; give a network such as 10.1.0.0/16") from None
    return Delivery(url, _server(mail_server), mail_from or "", allowed)


def _server(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    match = _SERVER.fullmatch(text)
    port = int(match[2] or _SMTP) if match else 0
    if match is None or not 0 < port < 1 << 16:
        raise InvalidDelivery(
            f"{quoted(text)} is not a mail server; give one such as mail.example:25", text=text
        )
    return match[1].strip("[]"), port


def signature(secret: str, notice_id: str, time: int, body: bytes) -> str:
    """The header ``webhook-signature`` of a request: HMAC-SHA-256 over id, time and body.

    Examples
    --------
    >>> signature("whsec_" + base64.b64encode(bytes(24)).decode(), "1", 0, b"")[:3]
    'v1,'
    """
    key = base64.b64decode(secret.removeprefix("whsec_"))
    code = hmac.new(key, f"{notice_id}.{time}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(code).decode()


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
