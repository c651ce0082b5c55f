"""Which hosts are one site."""

from __future__ import annotations

import pytest

from pipelines.sites import site_of


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("www.kurier.co.at:8443", "kurier.co.at"),
        ("KURIER.CO.AT.", "kurier.co.at"),
        ("leser@news.example.org", "example.org"),
        ("eins.blogspot.com", "eins.blogspot.com"),  # two blogs of one hoster are two sites
        ("blogspot.com", "blogspot.com"),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("[::1]:8080", "[::1]:8080"),
        ("zeitung.intern", "zeitung.intern"),
        ("a.b.intern", "b.intern"),
        ("localhost", "localhost"),
    ],
)
def test_a_site_is_what_was_registered(host: str, site: str):
    assert site_of(host) == site
