"""Who may be connected to, and how many bytes may come in: decided at the socket, where no spelling can hide anything.

Names, redirects and number formats do not matter here. The aiohttp connector asks for a socket with the address that
came out of DNS, and connects that very socket to that very address; ``ConnectionGuard.open`` is that place. So a name
that resolves differently a second time, a redirect, a robots.txt and a feed are all held to the same rule.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any

from crawler.config.values import AllowedAddress

#: bytes read at once: few enough that the count is looked at before much of an endless header is parsed
AT_ONCE = 16_384
#: the same of a body, of which each read costs a turn of the event loop and of the parser
BODY_AT_ONCE = 65_536

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# What the registries for special purposes take out of the public unicast space. Written out, because the answer of
# ``ipaddress.is_global`` changed between releases of Python and leaves out multicast and the tunnels.
_CLOSED_4 = [
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, where clouds answer questions about secrets
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",
        "168.63.129.16/32",  # a cloud's own service address, public by its number only
    )
]
_OPEN_6 = ipaddress.IPv6Network("2000::/3")  # all that was ever given out as public unicast
_CLOSED_6 = [
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments; Teredo, which carries an IPv4 address inside, is 2001::/32
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, carries an IPv4 address inside
        "3fff::/20",  # documentation
    )
]
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class BlockedAddress(OSError):
    """A connection that was not made. An OSError, so that the next address of the same name is tried."""


class TooManyBytes(OSError):
    """The other side sent more than this request may take."""


def is_public(address: Address) -> bool:
    """Whether *address* is one that anybody on the internet may reach. IPv4 inside IPv6 counts as that IPv4."""
    address = inner(address)
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _CLOSED_4)
    return address.scope_id is None and address in _OPEN_6 and not any(address in network for network in _CLOSED_6)


def inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where the operating system or a translator would use that."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def may_connect(host: str, port: int, allowed: Iterable[AllowedAddress] = ()) -> bool:
    """Whether a socket may be connected to this numeric *host* and *port*; anything but a plain number is refused."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if not 0 < port < 65536:
        return False
    if is_public(address):
        return True
    address = inner(address)
    return any(rule.port in (None, port) and address in rule.network for rule in allowed)


class ConnectionGuard:
    """The connections of one request: every one checked, every byte counted.

    *allowed* are the private addresses that the request's source may reach. ``limit`` is the number of bytes that may
    still come in, encryption and framing included; when more come, the connection ends and ``over`` is set. ``blocked``
    are the addresses that were refused. ``broken`` is set when a connection ended by an error rather than by its peer's
    proper close: aiohttp takes both for the end of a body that has no stated length.
    """

    def __init__(self, allowed: Iterable[AllowedAddress] = (), limit: int = 0):
        self.allowed = tuple(allowed)
        self.limit = limit
        self.blocked: list[str] = []
        self.opened = 0
        self.over = False
        self.broken = False
        self.at_once = AT_ONCE

    def start(self, limit: int) -> None:
        """A new connection begins, which may bring *limit* bytes."""
        self.limit, self.blocked, self.over, self.broken = limit, [], False, False
        self.at_once = AT_ONCE

    def start_body(self, limit: int) -> None:
        """The headers have come and were few enough; the rest may bring *limit* bytes."""
        self.limit, self.at_once = limit, BODY_AT_ONCE

    def open(self, addr_info: tuple[Any, ...]) -> socket.socket:
        """A socket for one address, or BlockedAddress. This is the ``socket_factory`` of the connector."""
        family, kind, protocol, _, address = addr_info
        if family not in (socket.AF_INET, socket.AF_INET6) or not may_connect(address[0], address[1], self.allowed):
            self.blocked.append(str(address[0]))
            raise BlockedAddress(f"{address[0]} port {address[1]} is not a public address")
        self.opened += 1
        return _CountingSocket(self, family, kind, protocol)

    def take(self, count: int) -> None:
        self.limit -= count
        if self.limit < 0:
            self.over = True
            raise TooManyBytes("more bytes than this request may take")


class _CountingSocket(socket.socket):
    """Counts what comes in below aiohttp and TLS, where endless headers, 1xx answers, chunk extensions still show."""

    __slots__ = ("_wire",)

    def __init__(self, wire: ConnectionGuard, family: int, kind: int, protocol: int):
        super().__init__(family, kind, protocol)
        self._wire = wire

    def recv(self, size: int, flags: int = 0) -> bytes:
        try:
            data = super().recv(min(size, self._wire.at_once), flags)
        except (BlockingIOError, InterruptedError):
            raise
        except OSError:
            self._wire.broken = True
            raise
        self._wire.take(len(data))
        return data

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> int:
        try:
            count = super().recv_into(buffer, min(size or len(buffer), self._wire.at_once), flags)
        except (BlockingIOError, InterruptedError):
            raise
        except OSError:
            self._wire.broken = True
            raise
        self._wire.take(count)
        return count
