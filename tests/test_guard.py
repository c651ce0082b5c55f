from __future__ import annotations

import ipaddress
import socket

import pytest

from crawler.config.values import allowed_address
from crawler.downloader.guard import BlockedAddress, ConnectionGuard, is_public, may_connect

CLOSED = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1",
    "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1",
    "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16", "::",
    "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
    "64:ff9b:1::7f00:1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:10::1", "2001:db8::1",
    "2002:7f00:1::1",    "2002:808:808::1", "3fff::1", "100::1", "fc00::1", "fd00:ec2::254", "fe80::1",
    "fe80::1%eth0", "2a00:1450::1%eth0", "fec0::1", "ff02::1", "4000::1", "5f00::1",
]  # fmt: skip


@pytest.mark.parametrize("address", CLOSED)
def test_what_is_not_public_unicast_is_not_connected_to(address):
    assert not is_public(ipaddress.ip_address(address))
    assert not may_connect(address, 80)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    wire = ConnectionGuard()
    with pytest.raises(BlockedAddress):
        wire.open((family, socket.SOCK_STREAM, 6, "", (address, 80)))
    assert wire.blocked == [address] and wire.opened == 0


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "100.63.255.255", "172.32.0.1", "223.255.255.255", "2a00:1450:4001::1", "2620:fe::fe",
                "::ffff:8.8.8.8", "64:ff9b::808:808"]
)  # fmt: skip
def test_public_addresses_are(address):
    assert is_public(ipaddress.ip_address(address))
    assert may_connect(address, 443)


@pytest.mark.parametrize(
    "host", ["localhost", "2130706433", "0x7f.1", "127.66", "127.0.0.01", "", "8.8.8.8 ", "１.1.1.1"]
)
def test_only_plain_numbers_are_looked_at(host):
    assert not may_connect(host, 80)


def test_a_source_may_be_allowed_one_address_and_port():
    allowed = [allowed_address("127.0.0.1/32:8080"), allowed_address("10.1.0.0/16:*"), allowed_address("[::1]/128:81")]
    assert may_connect("127.0.0.1", 8080, allowed)
    assert may_connect("::ffff:127.0.0.1", 8080, allowed)
    assert may_connect("10.1.2.3", 9, allowed)
    assert may_connect("::1", 81, allowed)
    assert not may_connect("127.0.0.1", 8081, allowed)
    assert not may_connect("127.0.0.2", 8080, allowed)
    assert not may_connect("10.2.0.1", 9, allowed)
    assert not may_connect("::1", 80, allowed)


def test_no_port_zero():
    assert not may_connect("8.8.8.8", 0)


def test_bytes_are_counted_and_the_one_too_many_is_an_error():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        wire = ConnectionGuard([allowed_address("127.0.0.1/32")], limit=10)
        sock = wire.open((socket.AF_INET, socket.SOCK_STREAM, 6, "", listener.getsockname()))
        sock.connect(listener.getsockname())
        peer, _ = listener.accept()
        peer.sendall(b"x" * 10)
        assert sock.recv(100) == b"x" * 10
        peer.sendall(b"y")
        with pytest.raises(OSError, match="more bytes"):
            sock.recv_into(bytearray(5))
        assert wire.over and not wire.broken
        for each in (sock, peer):
            each.close()
