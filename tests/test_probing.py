"""`nachlese sources add`, `try`, `test` and `verify`: sites nobody has seen before, and what is made of them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from crawler import config, fixture_sites
from crawler.cli import app, sources_add
from crawler.config.values import allowed_address
from crawler.probing import addresses, documents, drafting, fixtures, profile, source_toml, survey, trying
from crawler.probing.documents import Candidate, Seen
from crawler.probing.probe import Probe, ProbeFailed, Wanted, literal_address, probe
from crawler.services import Services
from crawler.single_fetch import looking
from pipelines.items import Hint, Link, Provenance
from pipelines.patterns import Pattern, matches_any
from tests.expectations import PAGES
from tests.in_a_thread import served_in_a_thread
from tests.small_sites import NOW, SmallSite, article, articles, news_sitemap, paths_of, rss, served

LOOPBACK = (allowed_address("127.0.0.1/32"),)
SETTINGS = '[politeness]\ndelay = "0 seconds"\njitter = "0 seconds"\n[crawl]\nreaders = 1\n'
CONSENT = """<html lang="de"><head><title>Zustimmung erforderlich</title>
<script>document.cookie = "consent_ok=1; path=/"</script></head><body><h1>Wir brauchen Ihre Zustimmung</h1>
<p>Wir und unsere Partner verwenden Cookies, um Inhalte und Werbung zu personalisieren. Mit Klick auf Alle akzeptieren
stimmen Sie der Verarbeitung Ihrer Daten zu. Sie können Ihre Einwilligung jederzeit widerrufen.</p></body></html>"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration without sources."""
    (tmp_path / "config" / "sources").mkdir(parents=True)
    (tmp_path / "config" / "settings.toml").write_text(SETTINGS)
    (tmp_path / "config" / "boilerplate").mkdir()
    for language in ("de", "en", "fr"):  # the shipped phrases take every reader half a second of compiling
        (tmp_path / "config" / "boilerplate" / f"{language}.toml").write_text(f'language = "{language}"\n')
    monkeypatch.setenv("NACHLESE_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("NACHLESE_HOME", str(tmp_path / "home"))
    return tmp_path / "config"


@pytest.fixture
async def services(folder: Path) -> AsyncIterator[Services]:
    async with looking(config.load(folder)) as found:
        yield found


async def drafted(services: Services, url: str, name: str, **more: Any) -> tuple[Probe, dict[str, Any]]:
    """A probe of *url*, and the source file that follows from it; what is written is a source file."""
    found = await probe(Wanted(url, name, allow_addresses=LOOPBACK, **more), services, lambda said: None)
    text = drafting.source_text(found, drafting.profile_of(found), NOW.date())
    source_toml.check(text, Path("a.toml"))
    return found, tomllib.loads(text)


async def why_not(services: Services, url: str) -> str:
    with pytest.raises(ProbeFailed) as failed:
        await probe(Wanted(url, "site", allow_addresses=LOOPBACK, count=3), services, lambda said: None)
    return str(failed.value)


async def test_the_fixture_sites_come_out_as_their_files_say(services: Services):
    async with fixture_sites.serve(PAGES) as sites:
        stated = {name: tomllib.loads(text) for name, text in sites.sources().items()}
        for name, wanted in stated.items():
            _, found = await drafted(services, sites.url(name), name)
            places = {key: value for key, value in found["discover"].items() if key != "links"}
            assert places == {key: value for key, value in wanted["discover"].items() if key != "links"}, name
            assert found["title"] == wanted["title"] and found["homepage"] == wanted["homepage"]
            assert found["language"] == wanted["language"]
            if name == "donaubote":  # the one that is found through section pages
                assert found["discover"]["links"] == {"allow": ["/artikel/"]}
            else:
                assert "links" not in found["discover"]
            if name != "donaubote":  # an Austrian site that says so nowhere
                assert (found["country"], found["time_zone"]) == (wanted["country"], wanted["time_zone"])


async def test_sites_nobody_has_seen_come_out_with_a_sensible_file(services: Services):
    paths, french = paths_of(5), paths_of(5, "article-fr")
    alternate = '<link rel=alternate type="application/rss+xml" href="/f.xml">'
    comments = '<link rel=alternate type="application/rss+xml" title="Kommentare" href="/comments/feed/">'
    feed = SmallSite(
        {
            "/": f'<html lang="de-AT"><head><title>Bote - Alles</title>{alternate}{comments}</head></html>',
            "/f.xml": rss(paths),
            **articles(paths),
        }
    )
    index = "<sitemapindex><sitemap><loc>SITE/sm/old.xml</loc></sitemap><sitemap><loc>SITE/sm/news.xml</loc></sitemap>"
    news = SmallSite(
        {
            "/": "<html><title>Nord</title><body>hier</body></html>",
            "/robots.txt": ("Sitemap: SITE/sm.xml\nSitemap: SITE/image-sitemap.xml\nSitemap: kein URL", "text/plain"),
            "/sm.xml": (index + "</sitemapindex>", "text/xml"),
            "/sm/news.xml": news_sitemap(paths),
            "/sm/old.xml": ("<urlset><url><loc>SITE/alt/eine-alte-seite-1</loc></url></urlset>", "text/xml"),
            **articles(paths),
        }
    )
    several = SmallSite(
        {
            "/": '<html lang=de><head><title>Presse</title></head><body><a href="/rss">RSS</a></body></html>',
            "/rss": '<html><body><a href="/rss/de.xml">Deutsch</a> <a href="/rss/fr.xml">Français</a></body></html>',
            "/rss/de.xml": rss(paths),
            "/rss/fr.xml": rss(french),
            **articles(paths),
            **articles(french, "fr"),
        }
    )
    moved = SmallSite({"/": "-> later"})
    walled = SmallSite(dict(feed.pages), wall=("consent_ok", CONSENT))
    async with served(feed, news, several, moved, walled):
        moved.pages["/"] = f"-> {feed.base}/"
        _, found = await drafted(services, feed.base + "/", "feed", count=4)
        assert found["discover"] == {"feeds": [feed.base + "/f.xml"]}
        assert (found["country"], found["time_zone"], found["language"]) == ("AT", "Europe/Vienna", "de")
        assert found["schedule"]["every"] == "auto" and found["expect"]["articles_per_day"] == 15
        assert "/comments/feed/" not in feed.asked

        _, found = await drafted(services, news.base + "/", "news", count=4)
        assert found["discover"] == {"sitemaps": [news.base + "/sm/news.xml"]} and found["title"] == "Nord"

        _, found = await drafted(services, several.base, "several", count=8)
        assert found["discover"] == {"feeds": [several.base + "/rss/de.xml", several.base + "/rss/fr.xml"]}
        assert "language" not in found and "de (4), fr (4)" in found["note"]

        probed, found = await drafted(services, moved.base + "/", "moved", count=2)
        assert found["homepage"] == feed.base + "/" == probed.moved_to and len(moved.asked) == 2

        _, found = await drafted(services, walled.base + "/", "walled", count=2, cookies={"consent_ok": "1"})
        assert found["fetch"]["cookies"] == {"consent_ok": "1"} and found["verified"] is True
        _, found = await drafted(services, feed.base + "/f.xml", "by_feed", count=2)
        assert found["discover"] == {"feeds": [feed.base + "/f.xml"]} and found["homepage"] == feed.base + "/"


async def test_a_site_of_which_no_source_can_be_made_gets_a_sentence(services: Services):
    home = '<html><head><link rel=alternate type="application/rss+xml" href="/f.xml"></head><body></body></html>'
    shell = "<html><body><div id=root></div><noscript>Please enable JavaScript</noscript></body></html>"
    wall, empty, script = SmallSite({"/": CONSENT}), SmallSite({"/": "<html><body>nix"}), SmallSite({"/": shell})
    forbidden = SmallSite({"/": home, "/robots.txt": ("User-agent: *\nDisallow: /", "text/plain")})
    binary, no_page, moved = SmallSite({"/": "\0\x01" * 500}), SmallSite({}), SmallSite({})
    refusing = SmallSite({"/": 403})
    nothing_read = SmallSite({"/": home, "/f.xml": rss(paths_of(3)), **dict.fromkeys(paths_of(3), CONSENT)})
    async with served(wall, empty, script, forbidden, binary, no_page, nothing_read, moved, refusing):
        said = await why_not(services, wall.base)
        assert "a consent wall" in said and 'sets the cookie "consent_ok=1"' in said and "--cookie" in said
        assert "no feed, no sitemap and no section page" in await why_not(services, empty.base)
        assert "nachlese[browser]" in await why_not(services, script.base)
        assert "robots.txt" in await why_not(services, forbidden.base) and forbidden.asked == ["/robots.txt"]
        assert "no feed, no sitemap" in await why_not(services, binary.base)
        assert "404 Not Found" in await why_not(services, no_page.base)
        said = await why_not(services, nothing_read.base)
        assert "none of 3 pages became an article" in said and 'sets the cookie "consent_ok=1"' in said
        assert "403 Forbidden. Some sites refuse crawlers" in await why_not(services, refusing.base)
        with pytest.raises(ProbeFailed, match="--allow-address"):
            await probe(Wanted(empty.base, "site"), services, lambda said: None)
        moved.pages["/"] = f"-> {empty.base}/"
        asked = len(empty.asked)
        with pytest.raises(ProbeFailed, match=f"leads to {empty.base}/, which is no public address"):
            own = literal_address(moved.base)
            await probe(Wanted(moved.base, "site", allow_addresses=own), services, lambda said: None)
        assert len(empty.asked) == asked
        with pytest.raises(ProbeFailed, match="no feed, no sitemap"):  # who types a machine's address means the machine
            await probe(Wanted(moved.base, "site", allow_addresses=own, typed=True), services, lambda said: None)
        assert len(empty.asked) > asked


# --- the command line ------------------------------------------------------------------------------------------------


@pytest.fixture
def site(folder: Path) -> Iterator[SmallSite]:
    """A site with a feed, served by a thread of its own."""
    paths = paths_of(4)
    head = '<link rel=alternate type="application/rss+xml" href="/f.xml">'
    advertisement = (
        '<div class="werbung"><p>Jetzt das neue Angebot ansehen und dabei viel Geld sparen, nur heute.</p></div>'
    )
    pages = {
        path: article(number, body="").replace("</h1>", f"</h1>{advertisement}") for number, path in enumerate(paths)
    }
    found = SmallSite({"/": f"<html><head><title>Bote</title>{head}</head></html>", "/f.xml": rss(paths), **pages})
    with served_in_a_thread(served(found)):
        yield found


def nachlese(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_from_an_address_to_a_tested_source(site: SmallSite, folder: Path):
    code, said = nachlese("sources", "add", site.base, "--name", "bote", "--dry-run")
    assert code == 0 and 'title = "Bote"' in said and not list((folder / "sources").iterdir())

    code, said = nachlese("sources", "add", site.base, "--name", "bote", "--json")
    record = json.loads(next(line for line in said.splitlines() if line.startswith("{")))
    assert code == 0 and record["feeds"] == [site.base + "/f.xml"]
    assert record["read"] == 4 and record["every"] == "auto"
    path = folder / "sources" / "bote.toml"
    assert f"127.0.0.1/32:{urlsplit(site.base).port}" in path.read_text()  # the very address that was typed
    assert len(list((folder / "fixtures" / "bote").glob("*.html"))) == 4
    before = path.read_text()
    code, said = nachlese("sources", "add", site.base, "--name", "bote")
    assert code == 1 and "exists already" in said and path.read_text() == before
    code, said = nachlese("sources", "add", site.base)
    assert code == 1 and "is the source 'bote' already" in said

    assert nachlese("sources", "test")[0] == 0
    page = site.base + next(iter(paths_of(1)))
    code, said = nachlese("try", page, "--remove", "h1", "--title", "p", "--write")
    assert code == 0 and "-Brücke Nummer 0 wird erneuert" in said
    written = tomllib.loads(path.read_text())["read"]
    assert written == {"remove": ["h1"], "title": "p"} and path.read_text().startswith(before[:200])
    code, said = nachlese("sources", "test", "bote")
    assert code == 1 and "FFFF" in said and "4 different" in said
    assert nachlese("sources", "test", "bote", "--update")[0] == 0
    expected = (folder / "fixtures" / "bote" / "expected.json").read_text()
    assert not json.loads(expected)["pages"][0]["article"]["title"].endswith("wird erneuert")


def test_every_source_is_looked_at_once_and_what_works_is_marked(site: SmallSite, folder: Path):
    port = urlsplit(site.base).port
    allowed = f'[fetch]\nallow_addresses = ["127.0.0.1/32:{port}"]\n'
    for name, feed in (("good", "/f.xml"), ("bad", "/gone.xml")):
        (folder / "sources" / f"{name}.toml").write_text(
            f'title = "{name} & Söhne"\nhomepage = "{site.base}/"\nverified = false  # not yet\nenabled = false\n'
            f'[discover]\nfeeds = ["{site.base}{feed}"]\n{allowed}'
        )
    code, said = nachlese("sources", "verify")
    assert code == 1 and "1 of 2 sources deliver; marked as verified: good" in said and "404 Not Found" in said
    assert "verified = true\n" in (folder / "sources" / "good.toml").read_text()
    assert "verified = false  # not yet\n" in (folder / "sources" / "bad.toml").read_text()
    assert sum(path.startswith("/artikel/") for path in site.asked) == 3

    code, listed = nachlese("sources", "export", "--opml", "good")
    assert code == 0 and 'text="good &amp; Söhne"' in listed
    assert [one.feed for one in survey.opml(listed.encode()).outlines] == [site.base + "/f.xml"]
    for path in (folder / "sources").iterdir():
        path.unlink()
    (folder / "list.opml").write_text(listed)
    (folder / "list.txt").write_text(f"# mine\n{site.base}/\nhttp://[\n")
    code, said = nachlese("sources", "add", "--opml", str(folder / "list.opml"))
    assert code == 1 and "--allow-address" in said  # an address in a file may be anybody's
    arguments = ("--from-file", str(folder / "list.txt"), "--allow-address", f"127.0.0.1/32:{port}")
    code, said = nachlese("sources", "add", *arguments)
    assert code == 0 and "line 3" in said and len(list((folder / "sources").iterdir())) == 1


def test_suggestions_of_others_are_tried_on_the_page(site: SmallSite, folder: Path, tmp_path: Path):
    checkout = tmp_path / "ftr"
    checkout.mkdir()
    rules = (
        "title: //h2\nbody: //div\nstrip: //p[2]\nstrip: //article\nstrip_id_or_class: werbung\nstrip: //[\n"
        "http_header(user-agent): Mozilla/5.0\nnext_page_link: //a[@rel='next']\n"
    )
    (checkout / "127.0.0.1.txt").write_text(rules)
    found = list(trying.suggestions(checkout, site.base + "/x"))
    assert [one.key for one in found] == ["remove", "remove", "remove", "remove", "next_page"]
    port = urlsplit(site.base).port
    (folder / "sources" / "bote.toml").write_text(
        f'title = "Bote"\nhomepage = "{site.base}/"\n[discover]\nfeeds = ["{site.base}/f.xml"]\n'
        f'[fetch]\nallow_addresses = ["127.0.0.1/32:{port}"]\n'
    )
    code, said = nachlese("try", site.base + next(iter(paths_of(1))), "--suggest", str(checkout), "--json")
    record = json.loads(said)
    assert code == 0 and record["rules"].keys() == {"remove"} and "//article" not in record["rules"]["remove"]
    refused = {one["selector"]: one["why"] for one in record["refused"]}
    assert "no XPath" in refused["//["] and "//article" in refused


BAD_HOSTS = ("http://a..b/", "http://256.1.1.1/", "http://x:0/", "http://xn--a.de/", "http://[")


def test_one_bad_host_does_not_end_a_list(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    lines, opml = tmp_path / "list.txt", tmp_path / "list.opml"
    lines.write_text("\n".join([*BAD_HOSTS, "bote.example", "https://nord.example/"]))
    outlines = "".join(f'<outline text="x" xmlUrl="{url}"/>' for url in (*BAD_HOSTS, "feeds/rss"))
    mixed = '<outline text="x" xmlUrl="https://ost.example/rss" htmlUrl="http://256.1.1.1/"/>'
    opml.write_text(f"<opml><body>{outlines}{mixed}</body></opml>")
    wanted = sources_add.wanted_of([], opml, lines, config.load(folder))
    assert [one.name for one in wanted] == ["bote", "nord", "ost"]
    said = " ".join(capsys.readouterr().err.split())
    for number, url in enumerate(BAD_HOSTS, start=1):
        assert f"{lines}, line {number}: {url!r} is not a valid URL" in said
        assert f"{opml}: {url!r} is not a valid URL" in said
    assert said.count("is not a valid URL") == 2 * len(BAD_HOSTS) + 1  # and feeds/rss
    for url in BAD_HOSTS:
        code, said = nachlese("sources", "add", url)
        assert code == 2 and "is not a valid URL" in said


# --- pure ------------------------------------------------------------------------------------------------------------


def seen(kind: Any, url: str, links: dict[str, datetime | None], title: str | None = "T", **more: Any) -> Seen:
    via = Provenance.FEED if kind == "feed" else Provenance.SITEMAP
    found = tuple(Link(one, url, Hint(via, title, published_at=at)) for one, at in links.items())
    return Seen(Candidate(kind, url, "somewhere"), found, entries=len(found), **more)


def test_of_all_documents_those_are_taken_that_bring_something():
    home = "https://bote.example/"
    all_of = {f"{home}a-{n}": NOW - timedelta(hours=n) for n in range(10)}
    sports = {f"{home}s-{n}": NOW - timedelta(hours=n) for n in range(10)}
    others = {f"https://other.example/{n}": NOW for n in range(10)}
    stale = {f"{home}old-{n}": NOW - timedelta(days=400 + n) for n in range(10)}
    choice = documents.chosen(
        [
            seen("feed", home + "rss", all_of),
            seen("feed", home + "atom", all_of),
            seen("feed", home + "sport", sports),
            seen("feed", home + "partner", others),
            seen("feed", home + "archive", stale),
            seen("sitemap", home + "map.xml", all_of, title=None),
            seen("sitemap", home + "news.xml", all_of),
            Seen(Candidate("feed", home + "gone", "x"), error="the server answered 404"),
        ],
        home,
    )
    assert [one.url for one in choice.taken] == [home + "rss", home + "sport", home + "news.xml"]
    reasons = {one.url.rpartition("/")[2]: why for one, why in choice.left_out}
    assert reasons["partner"] == "most of its entries lead to other sites" and "2025-10" in reasons["archive"]
    assert "10 of its 10 links" in reasons["atom"] and "ordinary" in reasons["map.xml"] and "404" in reasons["gone"]


def test_how_a_source_moves_is_told_by_the_times_of_its_entries():
    fast = {f"https://bote.example/{n}": NOW - timedelta(minutes=2 * n) for n in range(20)}
    slow = {f"https://bote.example/{n}": NOW - timedelta(days=n) for n in range(20)}
    undated: dict[str, datetime | None] = {f"https://bote.example/{n}": None for n in range(20)}
    rhythm = profile.rhythm_of([seen("feed", "u", fast)])
    assert rhythm.per_day is None and rhythm.window == timedelta(minutes=38)
    assert profile.rhythm_of([seen("feed", "u", slow)]).per_day == 1
    unknown = profile.rhythm_of([seen("feed", "u", undated)])
    assert (unknown.per_day, unknown.window, unknown.why) == (None, None, "its documents give no times")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://www.donaubote.at/", "donaubote"),
        ("https://de.euronews.com/x", "de-euronews"),
        ("https://rss.nachrichten.co.uk", "nachrichten"),
        ("https://müller-bote.de/", "mueller-bote"),
        ("http://127.0.0.1:8080/", "127-0-0-1-8080"),
        ("http://[::1]:8080/", "1-8080"),
    ],
)
def test_a_source_is_named_after_its_host(url: str, name: str):
    assert profile.source_name(url) == name and sources_add.is_name(name)


@pytest.mark.parametrize(
    ("home", "region", "contacts", "language", "country"),
    [
        ("https://bote.at/", None, ["DE"], "de", "AT"),
        ("https://bote.co.uk/", None, [], "en", "GB"),
        ("https://bote.tv/", None, ["CH"], "de", "CH"),
        ("https://bote.com/", "CH", ["AT", "DE"], "de", "CH"),
        ("https://bote.com/", None, [], "fr", "FR"),
        ("https://bote.com/", None, [], None, None),
    ],
)
def test_the_country_is_what_says_it_best(home: str, region: Any, contacts: list[str], language: Any, country: Any):
    assert profile.country_of(home, region, contacts, language).value == country


def test_of_several_time_zones_the_one_that_the_pages_state():
    assert profile.time_zone_of("AT", ["2026-01-05T10:00:00-05:00"]).value == "Europe/Vienna"
    assert profile.time_zone_of("US", ["2026-01-05T10:00:00-08:00"]).value == "America/Los_Angeles"
    assert profile.time_zone_of("US", []).value == "America/New_York"
    assert profile.time_zone_of(None, []).value is None and profile.time_zone_of("XX", []).value is None


def test_what_strangers_wrote_is_escaped():
    nasty = 'A "b" \\ ]]> \u2028 # [discover]\nverified = true \x00\x7f \U0001f600'
    text = source_toml.written(
        [nasty],
        {"": {"title": (nasty.replace("\x00", ""), nasty)}, "discover.links": {"allow": ([r"/\d'"], nasty)}},
        {"discover.links": [nasty]},
    )
    found = tomllib.loads(text)
    assert found == {"title": nasty.replace("\x00", ""), "discover": {"links": {"allow": [r"/\d'"]}}}


def test_a_changed_file_keeps_its_comments(tmp_path: Path):
    path = tmp_path / "bote.toml"
    path.write_text(
        '# mine\ntitle = "Bote"  # why\nhomepage = "https://b.example/"\n[discover]\nfeeds = ["https://b.example/f"]\n'
    )
    text = source_toml.changed(path, {"read.keep": [".a"], "discover.feeds": ["https://b.example/g"], "verified": True})
    assert '# mine\ntitle = "Bote"  # why\n' in text
    found = tomllib.loads(text)
    assert found["read"]["keep"] == [".a"] and len(found["discover"]["feeds"]) == 2 and found["verified"] is True
    with pytest.raises(config.ConfigError, match="verified"):
        source_toml.changed(path, {"verified": "perhaps"})


def test_saved_pages_that_are_damaged_are_named(tmp_path: Path):
    with pytest.raises(fixtures.BadFixture, match="No such file"):
        fixtures.load(tmp_path, "bote")
    for wrong, said in (
        ("{", "line 1"),
        ('{"pages": [{}]}', "'url' is missing"),
        ('{"pages": [{"file": "../x"}]}', "no name"),
    ):
        (tmp_path / "expected.json").write_text(wrong)
        record = json.loads(wrong) if wrong != "{" else None
        if record and record["pages"][0]:
            record["pages"][0] |= {"url": "u", "fetched_at": NOW.isoformat(), "content_type": "text/html"}
            (tmp_path / "expected.json").write_text(json.dumps(record))
        with pytest.raises(fixtures.BadFixture, match=said):
            fixtures.load(tmp_path, "bote")


def test_a_first_page_says_what_its_site_offers():
    page = """<html lang="fr-CH"><head><title>Accueil | Le Messager</title><base href="/x/">
    <link rel="alternate" type="application/atom+xml" href="/atom"><link rel="alternate" hreflang="de" href="/de/">
    <meta http-equiv="refresh" content="600"></head><body><a href="/"><img alt="Le Messager"></a>
    <a href="/politique/">Politique</a><a href="/login">Login</a><a href="javascript:x()">x</a>
    <a href="/politique/un-long-titre-de-cet-article-123456.html">Un article</a>
    <a href="/flux.rss">Flux RSS</a><a href="/mentions-legales">Mentions légales</a> Tél. +41 22 000</body></html>"""
    found = survey.survey(page.encode(), "text/html", "https://messager.example/")
    assert (found.title, found.language, found.region) == ("Le Messager", "fr", "CH")
    assert found.feeds == ("https://messager.example/atom",)
    assert found.feed_links == ("https://messager.example/flux.rss",)
    assert found.sections == ("https://messager.example/politique/",) and found.articles == 1
    assert found.imprint == "https://messager.example/mentions-legales" and found.countries == ("CH",)
    assert found.refresh is None
    assert survey.survey(b"", "text/html", "https://a.example/") == survey.Survey()
    hostile = b"<html>" + b"<a href='//[' >" * 2000 + b"<div>" * 5000
    assert survey.survey(hostile, "text/html", "https://a.example/").root == "html"
    assert survey.opml(b"<not") == survey.opml(b"") == survey.Subscriptions()


B = "https://www.blatt.example"
LISTS = [f"{B}{path}" for path in ("/politik", "/sport/", "/impressum.html", "/thema/wahl/", "/autor/ada-kern-12345/")]
NAMES = ["politik", "sport", "kultur"] * 3


@pytest.mark.parametrize(
    ("articles", "allow", "tomorrow", "is_denied"),
    [
        ([f"/artikel/eine-sache-{n}.html" for n in "abcdef"], ["/artikel/"], "/artikel/andere.html", False),
        ([f"/{one}/{name}-b" for one in ("article", "story") for name in "abc"], ["/article/", "/story/"],
         "/story/d", False),
        ([f"/{name}/eine-sache-{100_200 + n}.html" for n, name in enumerate(NAMES)], 1, "/reise/dort-99999.html", True),
        ([f"/{name}/2026/03/{n:02}/eine-sache" for n, name in enumerate(NAMES, 1)], 1, "/reise/2027/11/30/dort", True),
        ([f"/{name}/2026-03-{n:02}-eine-sache" for n, name in enumerate(NAMES, 1)], 1, "/reise/2027-11-30-d", True),
        ([f"/show.php?id={n}17&x=1" for n in range(1, 8)], [r"[?&]id=\d+"], "/show.php?id=1", True),
        ([f"/politik/die-sache-{name}" for name in "abcdef"], 0, "", False),  # that is what the section is called
        ([f"/artikel/eine-sache-{n}.html" for n in "abcd"], 0, "", False),  # four of them prove nothing
    ],
)  # fmt: skip
def test_what_addresses_of_articles_have_in_common(articles: list[str], allow, tomorrow: str, is_denied: bool):
    """And lists have not; it must hold tomorrow as well."""
    read = [B + path for path in articles]
    rules = addresses.link_rules(read, read, LISTS)
    assert list(rules.allow) == allow if isinstance(allow, list) else len(rules.allow) == allow
    assert bool(rules.deny) == is_denied and rules.why
    patterns = [Pattern(text) for text in rules.allow]
    assert matches_any(patterns, B + tomorrow) == bool(allow)
    taken = [url for url in LISTS if matches_any(patterns, url) and not matches_any(map(Pattern, rules.deny), url)]
    assert taken == [] or not allow


def test_a_rule_that_most_links_do_not_keep_is_none():
    """The dozen that was read may be of one kind by chance."""
    read = [f"{B}/artikel/sache-{name}" for name in "abcdef"]
    links = [*read, *(f"{B}/reportage/sache-{name}" for name in "abc")]
    assert addresses.link_rules(read, links, LISTS).allow == ()
