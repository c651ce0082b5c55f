"""The fetcher beyond single answers: robots.txt, Retry-After, conditions, TLS, the environment, stopping, fairness."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import zlib
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import brotli
import pytest
import zstandard
from aiohttp.abc import AbstractResolver
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from crawler.config.values import allowed_address
from crawler.downloader.client import HttpClient, LargeBodies
from crawler.downloader.errors import FetchError, ShutdownError, failure_reason
from crawler.downloader.hosts import HostInBackoff
from crawler.downloader.policy import FetchPolicy
from crawler.robots import Disallowed, RobotsUnavailable
from pipelines.decompress import Undecodable, Unfinished, decoded, encodings_of, is_text
from pipelines.urls import BadUrl
from tests.fetching import AGENT, Fetcher
from tests.hostile_web import BODY, bomb, serve


def made(store, **more) -> Fetcher:
    return Fetcher(store, HttpClient(**more))


@pytest.fixture
async def fetcher(store):
    fetcher = made(store)
    yield fetcher
    await fetcher.close()


def policy(web, source="s", seconds=60.0, **more) -> FetchPolicy:
    allowed = (allowed_address(f"127.0.0.1/32:{web.port}"),)
    return limited(source, allowed, timeout=seconds, **more)


def limited(source="s", allowed=(), **more) -> FetchPolicy:
    bounds = {"delay": 0.0, "concurrency": 50, "timeout": 60.0, "connect": 30.0, "robots_timeout": 30.0}
    return FetchPolicy(source, allowed, **(bounds | {"page": 1_000_000, "document": 2_000_000} | more))


def robots(text: str = "", status: str = "200 OK", **headers):
    async def answer(visit):
        await visit.answer(text.encode(), status, Content_Type="text/plain", **headers)

    return {"robots.txt": answer}


# --- what is sent -----------------------------------------------------------------------------------------------------


async def test_a_request_says_who_asks_and_nothing_it_need_not(fetcher):
    async with serve() as web:
        await fetcher.get(web.url("/good"), policy(web))
    sent = web.asked_with[-1]
    assert sent["user-agent"] == AGENT
    assert sent["host"] == f"127.0.0.1:{web.port}"
    assert sent["accept-encoding"] == "gzip, deflate, br, zstd"
    assert not {"referer", "cookie", "authorization", "if-none-match", "if-modified-since"} & set(sent)


async def test_an_answer_tells_where_it_came_from_and_when(fetcher):
    before = datetime.now(UTC)
    async with serve() as web:
        answer = await fetcher.get(web.url("/to/two/hops"), policy(web))
    assert answer.url == web.url("/good?utm_source=kept")
    assert answer.hops == [web.url("/to/two/hops"), web.url("/to/good/301")]
    assert before <= answer.fetched_at <= datetime.now(UTC)
    assert answer.body == BODY


async def test_headers_about_compression_go_with_it(fetcher):
    async with serve() as web:
        answer = await fetcher.get(web.url("/gzip"), policy(web))
    assert [name.lower() for name, _ in answer.headers] == [b"content-type"]


async def test_html_under_another_name_goes_on_as_html(fetcher):
    async def page(visit):
        await visit.answer(BODY, Content_Type="Text/Plain; charset=utf-8")

    async with serve(page=page) as web:
        answer = await fetcher.get(web.url("/page"), policy(web))
    assert answer.headers == ((b"Content-Type", b"text/html; charset=utf-8"),)


async def test_a_condition_is_sent_and_304_is_an_answer(fetcher):
    async def document(visit):
        unchanged = visit.headers.get("if-none-match") == '"7"' and "if-modified-since" in visit.headers
        await visit.answer(b"" if unchanged else BODY, "304 Not Modified" if unchanged else "200 OK", ETag='"7"')

    async with serve(feed=document) as web:
        first = await fetcher.get(web.url("/feed"), policy(web), "feed")
        assert first.status == 200 and (b"Etag", b'"7"') in first.headers
        again = await fetcher.get(web.url("/feed"), policy(web), "feed", '"7"', "Sun, 01 Mar 2026 12:00:00 GMT")
        assert (again.status, again.body) == (304, b"")


async def test_a_validator_cannot_smuggle_a_header(fetcher):
    async with serve() as web:
        await fetcher.get(web.url("/good"), policy(web), etag='"7"\r\nX-Evil: 1', modified="ü")
    assert not {"x-evil", "if-none-match", "if-modified-since"} & set(web.asked_with[-1])


async def test_proxies_and_passwords_of_the_environment_are_not_used(fetcher, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    async with serve() as web, serve() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url(""))
        await fetcher.get(web.url("/good"), policy(web))
        assert proxy.seen == [] and "authorization" not in web.asked_with[-1]


# --- robots.txt -------------------------------------------------------------------------------------------------------


async def test_a_forbidden_page_is_not_asked_for(fetcher):
    async with serve(**robots("User-agent: *\nDisallow: /good")) as web:
        with pytest.raises(Disallowed) as refused:
            await fetcher.get(web.url("/good"), policy(web))
        failure = failure_reason(refused.value)
        assert failure.reason == "robots" and not failure.transient
        assert web.seen == ["/robots.txt"]


async def test_a_redirect_does_not_lead_around_robots_txt(fetcher):
    async with serve(**robots("User-agent: *\nDisallow: /good")) as web:
        with pytest.raises(Disallowed):
            await fetcher.get(web.url("/to/good/301"), policy(web))
        assert web.seen == ["/robots.txt", "/to/good/301"]


async def test_a_redirect_to_another_site_asks_for_its_robots_txt(fetcher):
    async with serve(**robots("User-agent: *\nDisallow: /good")) as other:

        async def away(visit):
            await visit.redirect(other.url("/good"))

        async with serve(away=away) as web:
            allowed = (allowed_address("127.0.0.1/32:*"),)
            with pytest.raises(Disallowed):
                await fetcher.get(web.url("/away"), limited("s", allowed))
        assert other.seen == ["/robots.txt"]


@pytest.mark.parametrize("status", ["500 X", "503 X", "429 X", "599 X"])
async def test_while_robots_txt_cannot_be_had_pages_stay_pending(fetcher, status):
    async with serve(**robots("", status)) as web:
        with pytest.raises(RobotsUnavailable) as refused:
            await fetcher.get(web.url("/good"), policy(web))
        failure = failure_reason(refused.value)
        assert failure.reason == "robots" and failure.transient and not failure.counts_as_attempt
        assert failure.retry_at > datetime.now(UTC)
        assert web.seen == ["/robots.txt"]


async def test_a_robots_txt_that_hangs_drips_or_breaks_off_forbids_for_now(store):
    async def hang(visit):
        await visit.hang()

    async def cut(visit):
        await visit.answer(b"User-agent: *\n", Content_Length="500")

    async def nothing(visit):
        pass

    for says in (hang, cut, nothing):
        fetcher = made(store)
        async with serve(**{"robots.txt": says}) as web:
            with pytest.raises(RobotsUnavailable) as refused:
                await fetcher.get(web.url("/good"), policy(web, robots_timeout=0.3 if says is hang else 30.0))
            assert failure_reason(refused.value)[0] == "robots" and not failure_reason(refused.value).counts_as_attempt
            assert web.seen == ["/robots.txt"]
        await fetcher.close()


async def test_a_host_that_cannot_be_reached_is_no_matter_of_robots_txt(fetcher):
    async with serve() as web:
        pass  # nobody listens there any more
    with pytest.raises(RobotsUnavailable) as refused:
        await fetcher.get(web.url("/good"), policy(web))
    assert failure_reason(refused.value)[0] == "connection" and failure_reason(refused.value).counts_as_attempt
    with pytest.raises(RobotsUnavailable) as refused:
        await fetcher.get("http://nobody.invalid/", policy(web))
    assert failure_reason(refused.value)[0] == "dns"


async def test_robots_txt_may_redirect_but_not_into_the_private_network(fetcher):
    async def moved(visit):
        await visit.redirect("/rules")

    async def inside(visit):
        await visit.redirect(f"http://127.0.0.1:{visit.web.canary_port}/robots.txt")

    async with serve(**{"robots.txt": moved, "rules": robots("User-agent: *\nDisallow: /good")["robots.txt"]}) as web:
        with pytest.raises(Disallowed):
            await fetcher.get(web.url("/good"), policy(web))
    async with serve(**{"robots.txt": inside}) as web:
        with pytest.raises(RobotsUnavailable):
            await fetcher.get(web.url("/good"), policy(web))
        assert web.canary == 0


async def test_a_robots_txt_that_redirects_in_circles_is_none(fetcher):
    async def circle(visit):
        await visit.redirect("/robots.txt")

    async with serve(**{"robots.txt": circle}) as web:
        assert (await fetcher.get(web.url("/good"), policy(web))).body == BODY


async def test_of_a_robots_txt_that_is_a_bomb_the_beginning_counts(fetcher):
    async def bombed(visit):
        body = gzip.compress(b"User-agent: *\nDisallow: /good\n") + bomb("gzip", 100)
        await visit.answer(body, Content_Type="text/plain", Content_Encoding="gzip")

    async with serve(**{"robots.txt": bombed}) as web:
        with pytest.raises(Disallowed):
            await fetcher.get(web.url("/good"), policy(web))


async def test_crawl_delay_keeps_requests_apart(fetcher):
    async with serve(**robots("User-agent: *\nCrawl-delay: 0.1")) as web:
        answers = await asyncio.gather(*(fetcher.get(web.url("/good"), policy(web)) for _ in range(3)))
        times = sorted(answer.fetched_at for answer in answers)
        assert times[-1] - times[0] >= timedelta(seconds=0.19)


# --- Retry-After ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("kind", ["page", "feed", "sitemap", "robots"])
async def test_a_host_that_asks_for_time_gets_it_from_every_kind_of_request(store, fetcher, status, kind):
    async def busy(visit):
        await visit.answer(b"", f"{status} Busy", Retry_After="3600")

    async with serve(**{"busy": busy, "robots.txt": busy if kind == "robots" else robots()["robots.txt"]}) as web:
        path = "/good" if kind == "robots" else "/busy"
        with pytest.raises((FetchError, RobotsUnavailable)) as refused:
            await fetcher.get(web.url(path), policy(web), "page" if kind == "robots" else kind)
        failure = failure_reason(refused.value)
        assert failure.transient
        assert timedelta(minutes=59) < failure.retry_at - datetime.now(UTC) <= timedelta(hours=1)
        asked = len(web.seen)
        with pytest.raises((HostInBackoff, RobotsUnavailable)):
            await fetcher.get(web.url("/good"), policy(web))
        again = made(store)
        with pytest.raises(HostInBackoff):  # a process that was started anew knows it too
            await again.get(web.url("/good"), policy(web))
        await again.close()
        assert len(web.seen) == asked


# --- cookies ----------------------------------------------------------------------------------------------------------


async def test_cookies_last_for_one_request_and_go_to_nobody_else(fetcher):
    async with serve() as other:

        async def away(visit):
            await visit.redirect(other.url("/cookie/not/kept").replace("127.0.0.1", "localhost"), Set_Cookie="a=b")

        async with serve(away=away) as web:
            allowed = (allowed_address("127.0.0.1/32:*"), allowed_address("[::1]/128:*"))
            for _ in range(2):
                await fetcher.get(web.url("/away"), limited("s", allowed))
                await fetcher.get(web.url("/cookie/not/kept"), limited("s", allowed))
        assert not any("cookie" in sent for sent in web.asked_with + other.asked_with)


# --- permissions ------------------------------------------------------------------------------------------------------


async def test_one_source_may_reach_an_address_and_another_may_not(fetcher):
    async with serve() as web:
        for _ in range(2):
            assert (await fetcher.get(web.url("/good"), policy(web, "inner"))).body == BODY
            with pytest.raises(FetchError) as refused:
                await fetcher.get(web.url("/good"), limited("outer"))
            assert refused.value.reason == "blocked_address"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "data:text/html,x", "ftp://a.de/", "http://u:p@a.de/", "x"])
async def test_other_addresses_are_refused(fetcher, url):
    with pytest.raises(BadUrl):
        await fetcher.get(url, limited())


class Table(AbstractResolver):
    """DNS as a table: a name and the answers it gives, one after the other; a name that is not in it never answers."""

    def __init__(self, **answers: list[list[str]]):
        self.answers = {name.replace("_", "."): list(given) for name, given in answers.items()}

    async def resolve(self, host, port=0, family=socket.AF_UNSPEC):
        if host not in self.answers:
            await asyncio.Event().wait()
        given = self.answers[host]
        addresses = given.pop(0) if len(given) > 1 else given[0]
        return [
            {"hostname": host, "host": address, "port": port, "family": socket.AF_INET, "proto": 6, "flags": 0}
            for address in addresses
        ]

    async def close(self):
        pass


async def test_a_name_that_changes_its_mind_is_checked_each_time(store):
    names = Table(inside_test=[["127.0.0.1"], ["127.0.0.1"], ["127.0.0.66"]])
    fetcher = made(store, resolver=names)
    async with serve() as web:
        url = web.url("/good").replace("127.0.0.1", "inside.test")
        assert (await fetcher.get(url, policy(web))).body == BODY  # the second answer, after robots.txt's
        with pytest.raises(FetchError) as refused:
            await fetcher.get(url, policy(web))
        assert refused.value.reason == "blocked_address"
    await fetcher.close()


async def test_of_several_addresses_only_those_allowed_are_tried(store):
    fetcher = made(store, resolver=Table(mixed_test=[["10.0.0.1", "192.168.0.1", "127.0.0.1", "169.254.169.254"]]))
    async with serve() as web:
        url = web.url("/good").replace("127.0.0.1", "mixed.test")
        assert (await fetcher.get(url, policy(web))).body == BODY
    await fetcher.close()


async def test_names_that_are_never_found_hold_up_nobody(store):
    fetcher = made(store, resolver=Table(good_test=[["127.0.0.1"]]))
    async with serve() as web:
        lost = [
            asyncio.ensure_future(fetcher.get(f"http://dead{number}.test/", policy(web, f"dead{number}")))
            for number in range(40)
        ]
        url = web.url("/good").replace("127.0.0.1", "good.test")
        await asyncio.gather(*(fetcher.get(url, policy(web, "alive")) for _ in range(20)))
        assert not any(task.done() for task in lost)
        await fetcher.close()
        assert all(isinstance(end, ShutdownError) for end in await asyncio.gather(*lost, return_exceptions=True))


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1 that nobody knows: the path of a file with it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    form, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(form, pkcs8, serialization.NoEncryption()) + signed.public_bytes(form))
    return path


async def test_a_certificate_that_nobody_vouches_for_is_refused(store, fetcher, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    anywhere = (allowed_address("127.0.0.1/32"),)

    async def down(visit):
        await visit.redirect(plain.url("/good"))

    async with serve() as plain, serve(tls=context, down=down) as web:
        address = web.url("/good").replace("http:", "https:")
        with pytest.raises(RobotsUnavailable) as refused:
            await fetcher.get(address, policy(web))
        failure = failure_reason(refused.value)
        assert failure.reason == "tls" and failure.transient and "self-signed" in failure.detail
        knowing = made(store, context=ssl.create_default_context(cafile=certificate))
        assert (await knowing.get(address, policy(web))).body == BODY
        assert (await knowing.get(address.replace("/good", "/gzip"), policy(web))).body == BODY
        moved = await knowing.get(address.replace("/good", "/down"), limited("s", anywhere))
        assert moved.body == BODY
        with pytest.raises(FetchError, match="without end"):
            await knowing.get(address.replace("/good", "/endless/1xx"), policy(web))
        await knowing.close()


# --- many at once -----------------------------------------------------------------------------------------------------


async def test_hosts_that_hang_do_not_hold_up_one_that_answers(fetcher):
    async with serve() as web, serve() as dead:
        lost = [
            asyncio.ensure_future(fetcher.get(dead.url("/silent/hang"), policy(dead, "dead", 60))) for _ in range(100)
        ]
        await asyncio.gather(*(fetcher.get(web.url("/good"), policy(web, "alive")) for _ in range(20)))
        assert not any(task.done() for task in lost)
        await fetcher.stop()
        ends = await asyncio.gather(*lost, return_exceptions=True)
        assert all(isinstance(end, ShutdownError) for end in ends)
        with pytest.raises(ShutdownError):
            await fetcher.get(dead.url("/good"), policy(dead, "dead", 60))
        assert failure_reason(ends[0]).transient and not failure_reason(ends[0]).counts_as_attempt


async def test_large_bodies_wait_for_each_other_without_losing_time(store):
    fetcher = made(store, large=LargeBodies(size=100_000, pages=1, pages_per_source=1))
    first, go = asyncio.Event(), asyncio.Event()

    async def slow(visit):
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2000000\r\n\r\n")
        await visit.send(bytes(1_000_000))
        first.set()
        await go.wait()
        await visit.send(bytes(1_000_000))

    async def quick(visit):
        await visit.answer(bytes(2_000_000))

    async with serve(slow=slow, quick=quick) as web:
        await fetcher.get(web.url("/good"), policy(web, page=3_000_000))
        holder = asyncio.ensure_future(fetcher.get(web.url("/slow"), policy(web, page=3_000_000)))
        await first.wait()
        waiting = asyncio.ensure_future(fetcher.get(web.url("/quick"), policy(web, "other", seconds=2, page=3_000_000)))
        small = await fetcher.get(web.url("/good"), policy(web, "third", page=3_000_000))
        await asyncio.wait([waiting], timeout=2.2)
        assert small.body == BODY and not waiting.done()
        go.set()
        assert [len(answer.body) for answer in await asyncio.gather(holder, waiting)] == [2_000_000] * 2
    await fetcher.close()


async def test_a_stop_lets_those_that_are_nearly_done_finish(fetcher):
    asked, go = asyncio.Event(), asyncio.Event()

    async def slow(visit):
        asked.set()
        await go.wait()
        await visit.answer()

    async with serve(slow=slow) as web:
        page = asyncio.ensure_future(fetcher.get(web.url("/slow"), policy(web)))
        await asked.wait()
        stopping = asyncio.ensure_future(fetcher.stop(within=20))
        await asyncio.sleep(0)
        go.set()
        assert (await page).body == BODY
        await stopping


async def test_a_get_that_nobody_waits_for_any_more_hangs_up(fetcher):
    """Its caller is cancelled: the server sees the connection go, and the turn at its host is another's."""
    asked, gone = asyncio.Event(), asyncio.Event()

    async def slow(visit):
        asked.set()
        try:
            while not visit.writer.is_closing():
                await visit.send(b" ")  # fails once the other side has hung up
                await asyncio.sleep(0)
        except ConnectionError:
            pass
        gone.set()

    async with serve(slow=slow) as web:
        alone = policy(web, concurrency=1, seconds=3600)
        task = asyncio.ensure_future(fetcher.get(web.url("/slow"), alone))
        await asyncio.wait_for(asked.wait(), 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(gone.wait(), 60)
        assert (await fetcher.get(web.url("/good"), alone)).status == 200


async def test_a_deadline_holds_for_all_hops_together(fetcher):
    """Each hop takes a third of it, and all of them too long."""

    async def hop(visit):
        number = int(visit.path.rpartition("/")[2])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.4)
        await (visit.redirect(f"/hop/{number + 1}") if number < 5 else visit.answer())

    async with serve(**{f"hop/{number}": hop for number in range(6)}) as web:
        with pytest.raises(FetchError) as failed:
            await fetcher.get(web.url("/hop/0"), policy(web, seconds=1.2))
        assert failed.value.reason == "timeout"


# --- decompression ----------------------------------------------------------------------------------------------------

PACKERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}
TEXT = b"".join(b"Zeile %d\n" % number for number in range(50_000))


@pytest.mark.parametrize("name", PACKERS)
def test_what_was_packed_comes_out_and_a_cut_is_noticed_wherever_it_is(name):
    packed = PACKERS[name](TEXT)
    assert b"".join(decoded(packed, [name])) == TEXT
    for end in (1, 2, 5, len(packed) // 2, len(packed) - 1):
        with pytest.raises((Unfinished, Undecodable)):
            list(decoded(packed[:end], [name]))
    with pytest.raises(Undecodable):
        list(decoded(b"\xfe\xfd" * 500, [name]))


@pytest.mark.parametrize("name", PACKERS)
def test_a_bomb_comes_in_pieces(name):
    first = next(decoded(bomb({"br": "brotli"}.get(name, name), 50), [name]))
    assert 0 < len(first) < 8_000_000


def test_encodings_are_undone_from_the_last_to_the_first():
    assert encodings_of("gzip, BR") == ["br", "gzip"]
    assert encodings_of("identity, x-gzip,utf-8") == ["gzip"]
    assert encodings_of("") == encodings_of("none, ISO-8859-1, text/html,chunked") == []
    assert encodings_of('"gzip";q=1, compress, base64') == ["base64", "compress", "gzip"]
    assert b"".join(decoded(brotli.compress(gzip.compress(TEXT)), ["br", "gzip"])) == TEXT


def test_what_is_packed_in_an_unknown_way_is_not_taken_for_text():
    with pytest.raises(Undecodable, match="'compress' is not known"):
        list(decoded(b"x", ["compress"]))
    assert list(decoded(b"", ["compress"])) == []
    assert all(map(is_text, (b"", b"User-agent: *\n", "<p>Übergröße äöü".encode(), b"\x1b[0m text")))
    assert not any(is_text(pack(TEXT)) for pack in PACKERS.values())


def test_every_failure_has_a_reason():
    assert failure_reason(FetchError("dns", "x", transient=True)).reason == "dns"
    assert failure_reason(TimeoutError()).reason == "timeout"
    assert failure_reason(asyncio.CancelledError()).counts_as_attempt is False
    unknown = failure_reason(RuntimeError("password=hunter2"))
    assert unknown.transient and "hunter2" not in unknown.detail


@pytest.mark.parametrize("way", ["rests", "no robots"])
async def test_a_page_behind_a_redirect_to_a_host_that_rests_was_asked_for(store, way):
    fetcher = made(store)

    async def unavailable(visit):
        await visit.answer(b"", "503 Service Unavailable")

    async with serve(**({"robots.txt": unavailable} if way == "no robots" else {})) as second:

        async def redirect(visit):
            await visit.answer(b"", "302 Found", Location=second.url("/good"))

        async with serve(moved=redirect) as first:
            both = tuple(allowed_address(f"127.0.0.1/32:{web.port}") for web in (first, second))
            if way == "rests":
                await fetcher.services.hosts.asked_to_wait(f"127.0.0.1:{second.port}", 429, "3600")
            with pytest.raises((HostInBackoff, RobotsUnavailable)) as refused:
                await fetcher.get(first.url("/moved"), limited("s", both))
            failure = failure_reason(refused.value)
            assert (failure.transient, failure.counts_as_attempt) == (True, True)
            with pytest.raises((HostInBackoff, RobotsUnavailable)) as refused:
                await fetcher.get(second.url("/good"), limited("s", both))
            assert not failure_reason(refused.value).counts_as_attempt
    await fetcher.close()
