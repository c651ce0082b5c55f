from __future__ import annotations

import pytest
from scrapy import Request

from pipelines.urls import BadUrl, host, normalise, origin, same_site, url_key


@pytest.mark.parametrize(
    ("written", "known_as"),
    [
        ("HTTP://WWW.Example.DE", "http://www.example.de/"),
        ("https://example.de:443/a#top", "https://example.de/a"),
        ("http://example.de:443/a", "http://example.de:443/a"),
        ("https://example.de./a", "https://example.de/a"),
        ("  https://example.de/a b\n", "https://example.de/a%20b"),
        ("https://example.de/%7ename/%e4%2fx", "https://example.de/~name/%E4%2Fx"),
        ("https://example.de/a/./b/../c/%2e%2E/d", "https://example.de/a/d"),
        ("https://example.de/../../a/..", "https://example.de/"),
        ("https://example.de/a//b/", "https://example.de/a//b/"),
        ("https://example.de/100%", "https://example.de/100%25"),
        ("https://example.de/straße?q=ü", "https://example.de/stra%C3%9Fe?q=%C3%BC"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://example.de/a?", "https://example.de/a"),
        ("https://example.de/a?utm_source=rss&id=7&fbclid=x&wt_mc=y&UTM_Medium=z", "https://example.de/a?id=7"),
        ("https://example.de/a?utm_source=rss", "https://example.de/a"),
        ("https://example.de/a?tx_news[news]=5&b", "https://example.de/a?tx_news%5Bnews%5D=5&b"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://0177.0.0.1/", "http://127.0.0.1/"),
        ("http://127.66/", "http://127.0.0.66/"),
        ("http://127.0.0.1/", "http://127.0.0.1/"),
        ("http://①②⑦。0.0.1/", "http://127.0.0.1/"),
        ("http://[::FFFF:7f00:1]/", "http://[::ffff:7f00:1]/"),
        ("http://[0:0:0:0:0:0:0:1]:80/x", "http://[::1]/x"),
    ],
)
def test_one_page_has_one_spelling(written, known_as):
    assert normalise(written) in (known_as, known_as.replace("::ffff:7f00:1", "::ffff:127.0.0.1"))
    assert normalise(normalise(written)) == normalise(written)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "   ",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://example.de/",
        "mailto:a@example.de",
        "example.de/a",
        "/a",
        "http:",
        "http://",
        "http:///a",
        "http:/example.de/a",
        "http://[",
        "http://[::1",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://user@example.de/",
        "http://user:secret@example.de/",
        "http://example.de:0/",
        "http://example.de:99999/",
        "http://example.de:８０/",
        "http://example.de:x/",
        "http://example.de\\@127.0.0.1/",
        "http://ex%61mple.de/",
        "http://exa mple.de/",
        "http://a..b.de/",
        "http://-a.de/",
        "http://256.1.1.1/",
        "http://1.2.3.4.5/",
        "http://a.1/",
        "http://4294967296/",
        "http://example.de/a\x00b",
        "http://example.de/a\nb",
        "http://example.de/\ud800",
        "http://xn--/",
        "http://" + "a" * 64 + ".de/",
        "http://example.de/" + "a" * 2000,
        "http://example.de/" + "a" * 1_000_000,
    ],
)
def test_what_is_no_address_is_refused(written):
    with pytest.raises(BadUrl):
        normalise(written)


def test_a_refusal_never_repeats_the_password():
    with pytest.raises(BadUrl) as refused:
        normalise("http://user:hunter2@example.de/")
    assert "hunter2" not in str(refused.value)


def test_relative_links_are_resolved_against_their_page():
    assert normalise("../b?x=1", "https://example.de/a/c/d") == "https://example.de/a/b?x=1"
    assert normalise("//other.de/b", "https://example.de/a") == "https://other.de/b"
    with pytest.raises(BadUrl):
        normalise("javascript:void(0)", "https://example.de/a")


def test_tracking_is_kept_when_asked():
    assert normalise("https://a.de/?utm_source=x", keep_tracking=True) == "https://a.de/?utm_source=x"


def test_the_length_limit_is_a_parameter():
    assert normalise("https://a.de/" + "b" * 2500, max_length=3000)
    with pytest.raises(BadUrl, match="50 are allowed"):
        normalise("https://a.de/" + "b" * 50, max_length=50)


def test_scrapy_sends_the_address_as_it_is_known():
    signs = "".join(map(chr, range(33, 127))).replace("#", "").replace("?", "")
    for url in (f"https://a.de/{signs}?{signs}", "https://a.de/x y?ü", "http://[::1]:81/?a=%C3%BC"):
        assert Request(normalise(url)).url == normalise(url)


def test_the_key_is_the_same_for_http_and_https_and_different_for_pages():
    assert url_key("http://a.de/b") == url_key("https://a.de/b")
    assert url_key("https://a.de/b") != url_key("https://a.de/B")
    assert len(url_key("https://a.de/")) == 16


def test_host_and_origin():
    assert host("https://a.de/b?c") == "a.de"
    assert host("http://127.0.0.1:8000/") == "127.0.0.1:8000"
    assert origin("http://127.0.0.1:8000/x/y") == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("https://www.a.de/", "http://a.de/x", True),
        ("https://sport.a.de/", "https://www.a.de/", True),
        ("https://a.de/", "https://sport.a.de:8443/", True),
        ("https://a.de/", "https://ba.de/", False),
        ("https://sport.a.de/", "https://politik.a.de/", True),
        ("https://kurier.co.at/", "https://standard.co.at/", False),
        ("https://www.kurier.co.at/", "https://kurier.co.at/", True),
        ("https://a.blogspot.com/", "https://b.blogspot.com/", False),
        ("https://a.github.io/", "https://b.github.io/", False),
        ("https://co.at/", "https://a.co.at/", False),
        ("https://www.blatt.example/", "https://sport.blatt.example/", True),
        ("http://localhost:1/", "http://localhost:2/", True),
        ("https://a.de/", "https://a.com/", False),
        ("http://127.0.0.1:1/", "http://127.0.0.1:1/x", True),
        ("http://127.0.0.1:1/", "http://127.0.0.1:2/", False),
        ("http://1.127.0.0.1.de/", "http://[::1]/", False),
    ],
)
def test_same_site(a, b, same):
    assert same_site(a, b) is same
