"""URLs of servers: which parts may be shown, and whether a proxy is used."""

from __future__ import annotations

import base64
import re
import socket
from ipaddress import IPv4Address, ip_address
from urllib.parse import unquote, urlsplit

__all__ = ["hidden", "is_loopback", "proxy_for", "shown"]

_HOST = re.compile(r"(?:[\w.-]+|\[[0-9a-fA-F:.]+(?:%[\w.-]+)?\])(?::[0-9]{1,5})?")
# Some providers take their key as a part of the host's name.
_KEY_IN_HOST = re.compile(r"(?<![\w-])(?=[a-z]*[0-9])[0-9a-z]{24,}(?![\w-])", re.IGNORECASE)
# Shorter parts of an address are names such as `v3`, or too common to be looked for in a text.
_SHORTEST_SECRET = 6
# As systems name their loopback interface, beside `localhost`.
_LOOPBACK_NAMES = {
    "localhost.localdomain",
    "localhost4",
    "localhost6",
    "ip6-localhost",
    "ip6-loopback",
}


def shown(url: str) -> str:
    """An address without user, password, path and query, which may hold a provider's key.

    A long part of the host's name that has digits counts as a key as well.

    Examples
    --------
    >>> shown("https://user:password@sepolia.example:8545/v3/KEY?token=KEY")
    'https://sepolia.example:8545'
    >>> shown("ganache")
    'ganache'
    """
    scheme, mark, rest = url.rpartition("://") if "://" in url else ("", "", url)
    host = re.split(r"[/?#\\]", rest, maxsplit=1)[0].rpartition("@")[2]
    # A password with a slash in it, or without a host after it, leaves the host unknown.
    is_shown = _HOST.fullmatch(host) or not re.search(r"[@/?#\\%:]", rest)
    return f"{scheme}{mark}{_KEY_IN_HOST.sub('…', host) if is_shown else '…'}"


def hidden(text: str, url: str) -> str:
    """A text of a server, or about it, with nothing in it that `shown` leaves out."""
    text = text.replace(url, shown(url))
    try:
        parts = urlsplit(url)
        user, password = parts.username or "", parts.password or ""
    except ValueError:
        return text
    pieces = [*re.split("[/&=;]", parts.path), *re.split("[&=;]", parts.query), parts.fragment]
    secrets = {piece for piece in pieces if len(piece) >= _SHORTEST_SECRET}
    secrets |= {*_KEY_IN_HOST.findall(parts.netloc), user, password}
    secrets |= {unquote(each) for each in secrets}
    # As a request carries them (RFC 7617).
    secrets.add(base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode())
    for secret in sorted(secrets - {""}, key=len, reverse=True):
        text = re.sub(re.escape(secret), "…", text, flags=re.IGNORECASE)
    return text


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine, where no proxy can reach it.

    Examples
    --------
    >>> is_loopback("http://127.0.0.1:8545"), is_loopback("http://node.example")
    (True, False)
    """
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return False
    if host in _LOOPBACK_NAMES or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        # In all the forms that systems take for IPv4, such as 127.1.
        address = ip_address(host) if ":" in host else IPv4Address(socket.inet_aton(host))
    except (ValueError, OSError):
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for an address, as it may be shown; None if none."""
    from requests.utils import get_environ_proxies, select_proxy

    if is_loopback(url):
        return None
    try:
        proxy = select_proxy(url, get_environ_proxies(url))
    except ValueError:
        return None
    return shown(proxy) if proxy else None
