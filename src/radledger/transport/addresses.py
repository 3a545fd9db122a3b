"""Which addresses a request may go to that someone else names.

A name is resolved once, and the connection made to what was found: a name that is resolved again
could be another address then.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

__all__ = ["AddressForbidden", "Network", "found"]

Network = IPv4Network | IPv6Network
_Address = IPv4Address | IPv6Address
# An IPv4 address is inside these, and where it leads is for a router to say.
_TRANSLATED = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))


class AddressForbidden(OSError):
    """A name leads to an address that is not public, and was not allowed."""


def found(host: str, port: int, allowed: Sequence[Network], *, public: bool = True) -> str:
    """The address to connect to for a host, if all of its addresses may be asked.

    Parameters
    ----------
    host, port
        As the URL names them.
    allowed
        Networks that may be asked although they are not public.
    public
        Whether public addresses may be asked at all.

    Raises
    ------
    AddressForbidden
        If one of its addresses is not public and in no network of ``allowed``, such as a private,
        loopback, link-local, multicast or reserved one.
    OSError
        If the name cannot be resolved.

    Examples
    --------
    >>> found("127.0.0.1", 80, [IPv4Network("127.0.0.0/8")])
    '127.0.0.1'
    """
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [_unmapped(ip_address(str(each[4][0]).partition("%")[0])) for each in answers]
    for address in addresses:
        if not (public and _is_public(address)) and not any(address in each for each in allowed):
            raise AddressForbidden(f"{host} is not a public address")
    return str(addresses[0])


def _unmapped(address: _Address) -> _Address:
    return getattr(address, "ipv4_mapped", None) or address


def _is_public(address: _Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in each for each in _TRANSLATED)
