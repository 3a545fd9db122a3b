"""Addresses of servers: what of them may be shown, and whether a proxy stands before them."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

__all__ = ["hidden", "is_loopback", "proxy_for", "shown"]

_HOST = re.compile(r"(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?")
# Shorter parts of an address are names such as `v3`, or too common to be looked for in a text.
_SHORTEST_SECRET = 6


def shown(url: str) -> str:
    """An address without user, password, path and query, which may hold a provider's key.

    Examples
    --------
    >>> shown("https://user:password@sepolia.example:8545/v3/KEY?token=KEY")
    'https://sepolia.example:8545'
    >>> shown("ganache")
    'ganache'
    """
    scheme, mark, rest = url.rpartition("://") if "://" in url else ("", "", url)
    if not re.search("[@/?#]", rest):
        return url
    host = re.split("[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    # A password with a slash in it leaves no host that can be told from the rest.
    return f"{scheme}{mark}{host if _HOST.fullmatch(host) else '…'}"


def hidden(text: str, url: str) -> str:
    """A text of a server, or about it, with nothing in it that `shown` leaves out."""
    text = text.replace(url, shown(url))
    try:
        parts = urlsplit(url)
        user = [parts.username, parts.password]
    except ValueError:
        return text
    pieces = [*re.split("[/&=;]", parts.path), *re.split("[&=;]", parts.query), parts.fragment]
    secrets = {piece for piece in pieces if len(piece) >= _SHORTEST_SECRET}
    secrets |= {each for each in user if each}
    for secret in sorted(secrets | {unquote(each) for each in secrets}, key=len, reverse=True):
        text = text.replace(secret, "…")
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
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
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
