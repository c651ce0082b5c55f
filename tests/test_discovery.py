"""Discovery: the same entries whatever spelling a site chose, and a named problem for what cannot be used."""

from __future__ import annotations

import gzip
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crawler.discovery import DiscoveryError, ParseIssue, read_document
from crawler.discovery import feed as feeds
from crawler.discovery.links import LinkFilter, looks_like_article
from pipelines.items import Precision, Provenance

NOW = datetime(2025, 11, 22, 12, tzinfo=UTC)
FEED = "https://www.blatt.example/rss/alles.xml"
FILTER = LinkFilter("https://www.blatt.example/", NOW, zone=ZoneInfo("Europe/Berlin"), language="de")


def found(kind, text, content_type="application/xml", url=FEED, link_filter=FILTER):
    return read_document(kind, text if isinstance(text, bytes) else text.encode(), content_type, url, link_filter)


def addresses(kind, text, **how):
    return [link.url for link in found(kind, text, **how).links]


def rss(*items: str, head: str = '<?xml version="1.0" encoding="utf-8"?>', attributes: str = "") -> str:
    return f'{head}<rss version="2.0"{attributes}><channel><title>Blatt</title>{"".join(items)}</channel></rss>'


def item(number: int = 1, more: str = "") -> str:
    return f"<item><title>Nachricht {number}</title><link>https://www.blatt.example/a-{number}</link>{more}</item>"


ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://www.blatt.example/">
<title>Blatt</title><updated>2025-11-22T10:00:00Z</updated>
<entry><title type="html">Erste &amp;amp; beste</title><id>tag:1</id>
<link rel="replies" href="/a-1/kommentare"/><link rel="alternate" type="text/html" href="artikel/a-1"/>
<published>2025-11-22T09:30:00+01:00</published><updated>2025-11-22T09:45:00+01:00</updated>
<author><name>Anna Muster</name></author><category term="Politik"/><summary>Kurz gesagt.</summary></entry>
<entry><title>Zweite</title><id>https://www.blatt.example/a-2</id><link href="https://www.blatt.example/a-2"/></entry>
</feed>"""

RDF = """<?xml version="1.0" encoding="ISO-8859-1"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://www.blatt.example/"><title>Blatt</title><link>https://www.blatt.example/</link></channel>
<item rdf:about="https://www.blatt.example/a-1"><title>Straße gesperrt</title><link>https://www.blatt.example/a-1</link>
<dc:date>2025-11-22T09:30:00+01:00</dc:date><dc:creator>Anna Muster</dc:creator><dc:subject>Politik</dc:subject></item>
</rdf:RDF>"""

FULL = rss(
    item(1, "<pubDate>Sat, 22 Nov 2025 09:30:00 +0100</pubDate><category>Politik</category><guid>1</guid>"),
    item(2, "<description><![CDATA[<p>Mit <b>Auszeichnung</b> &amp; mehr</p>]]></description>"),
    "<item><title>Nur guid</title><guid>https://www.blatt.example/a-3</guid></item>",
    "<item><title>Relativ</title><link>/a-4?utm_source=rss&amp;id=7</link>"
    "<author>r@b.de (Otto Beispiel)</author></item>",
)


@pytest.mark.parametrize("text", [ATOM, RDF, FULL], ids=["atom", "rss-1.0", "rss-2.0"])
def test_the_quick_way_and_feedparser_find_the_same(text, monkeypatch):
    quick = found("feed", text)

    def never(*_):
        raise feeds.etree.XMLSyntaxError("as if it were broken", 0, 1, 1)

    monkeypatch.setattr(feeds, "well_formed_entries", never)
    slow = found("feed", text)
    assert quick.links == slow.links
    assert quick.links


def test_atom_takes_the_page_not_the_comments():
    first, second = found("feed", ATOM).links
    assert (first.url, second.url) == ("https://www.blatt.example/artikel/a-1", "https://www.blatt.example/a-2")
    hint = first.hint
    assert (hint.title, hint.teaser, hint.authors, hint.section) == (
        "Erste & beste",
        "Kurz gesagt.",
        ("Anna Muster",),
        "Politik",
    )
    assert hint.published_at == datetime(2025, 11, 22, 8, 30, tzinfo=UTC)
    assert hint.via is Provenance.FEED


def test_rss_of_every_kind_of_link():
    assert addresses("feed", FULL) == [
        "https://www.blatt.example/a-1",
        "https://www.blatt.example/a-2",
        "https://www.blatt.example/a-3",
        "https://www.blatt.example/a-4?id=7",
    ]
    links = found("feed", FULL).links
    assert links[1].hint.teaser == "Mit Auszeichnung & mehr"
    assert links[3].hint.authors == ("Otto Beispiel",)


@pytest.mark.parametrize(
    ("stated", "utc", "precision"),
    [
        ("Sat, 22 Nov 2025 09:30:00 +0100", "2025-11-22T08:30:00", Precision.SECOND),
        ("Sa, 22 Nov 2025 09:30:00 MEZ", "2025-11-22T08:30:00", Precision.SECOND),
        ("Fri, 15 Aug 2025 09:30:00 MESZ", "2025-08-15T07:30:00", Precision.SECOND),
        ("Fri, 15 Aug 2025 09:30:00 CEST", "2025-08-15T07:30:00", Precision.SECOND),
        ("2025-11-22T09:30:00", "2025-11-22T08:30:00", Precision.SECOND),
        ("2025-11-22", "2025-11-21T23:00:00", Precision.DAY),
    ],
)
def test_times_of_feeds_with_their_zone(stated, utc, precision):
    (link,) = found("feed", rss(item(1, f"<pubDate>{stated}</pubDate>"))).links
    assert link.hint.published_at == datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert link.hint.published_precision is precision


def test_bad_links_are_named_and_never_end_the_others():
    bad = ["javascript:alert(1)", "mailto:a@b.example", "http://[", "file:///etc/passwd", "http://u:p@x.example/", ""]
    result = found("feed", rss(item(1), *(f"<item><title>x</title><link>{one}</link></item>" for one in bad), item(2)))
    assert [link.url[-3:] for link in result.links] == ["a-1", "a-2"]
    assert [problem.issue for problem in result.problems] == [ParseIssue.BAD_LINK] * 5 + [ParseIssue.NO_LINK]


def test_feedburner_says_where_the_article_really_is():
    text = rss(
        "<item><title>x</title><link>https://feedproxy.example/~r/1</link>"
        "<fb:origLink>https://www.blatt.example/a-1</fb:origLink></item>",
        attributes=' xmlns:fb="http://rssnamespace.org/feedburner/ext/1.0"',
    )
    assert addresses("feed", text) == ["https://www.blatt.example/a-1"]


def test_html_entities_bare_ampersands_and_own_entities_are_read():
    head = '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY blatt "Das Blatt">]>'
    text = rss("<item><title>&blatt;: M&uuml;ller & S&ouml;hne</title><link>/a?b=1&c=2</link></item>", head=head)
    (link,) = found("feed", text).links
    assert (link.url, link.hint.title) == ("https://www.blatt.example/a?b=1&c=2", "Das Blatt: Müller & Söhne")


def test_a_billion_laughs_is_no_laugh():
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10))
    (link,) = found("feed", rss(item(1, "<description>&l9;</description>"), head=f"<!DOCTYPE rss [{entities}]>")).links
    assert len(link.hint.teaser or "") < 100


def test_an_external_entity_is_not_read():
    head = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    (link,) = found("feed", rss(item(1, "<description>&x;</description>"), head=head)).links
    assert link.hint.teaser in ("&x;", None)


def test_of_a_truncated_feed_the_whole_items_are_used():
    text = rss(item(1), item(2))
    result = found("feed", text[: text.rindex("a-2") + 1])
    assert [link.url for link in result.links] == ["https://www.blatt.example/a-1"]
    assert result.problems[0].issue is ParseIssue.TRUNCATED


def test_a_feed_with_broken_markup_is_read_by_feedparser():
    result = found("feed", rss("<item><title>Eins <b></title><link>/a-1</link></item>", item(2)))
    assert [link.url[-3:] for link in result.links] == ["a-1", "a-2"]
    assert result.problems[0].issue is ParseIssue.BROKEN


@pytest.mark.parametrize(
    ("body", "trouble"),
    [
        (b"", ParseIssue.EMPTY),
        (b" \n", ParseIssue.EMPTY),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), ParseIssue.BINARY),
        (b"<!DOCTYPE html><html><head><title>x</title></head></html>", ParseIssue.HTML),
        (b"Wartungsarbeiten", ParseIssue.NO_LIST),
        (b'{"items": []}', ParseIssue.NO_LIST),
    ],
)
def test_documents_that_are_no_feed_are_named(body, trouble):
    with pytest.raises(DiscoveryError) as caught:
        found("feed", body)
    assert caught.value.issue is trouble


def test_a_page_instead_of_a_feed_says_where_the_feed_is():
    page = '<html><head><link rel="alternate" type="application/rss+xml" href="/rss.xml"></head><body></body></html>'
    with pytest.raises(DiscoveryError, match=re.escape("https://www.blatt.example/rss.xml")):
        found("feed", page)


def test_an_empty_feed_is_no_error_but_is_told():
    result = found("feed", rss())
    assert (result.links, result.problems[0].issue) == ((), ParseIssue.NO_ENTRIES)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16", "windows-1252"])
def test_encodings_declared_and_lying(encoding):
    text = rss("<item><title>Größe</title><link>/a</link></item>", head=f'<?xml version="1.0" encoding="{encoding}"?>')
    for content_type in ("text/xml", f"text/xml; charset={encoding}"):
        (link,) = found("feed", text.encode(encoding), content_type=content_type).links
        assert link.hint.title == "Größe"
    (link,) = found("feed", text.encode("utf-8"), content_type="text/xml; charset=iso-8859-1").links
    assert link.hint.title == "Größe"


def test_only_so_many_entries_are_taken_and_the_rest_is_told():
    link_filter = LinkFilter(FILTER.homepage, NOW, max_links=3)
    result = found("feed", rss(*map(item, range(10))), link_filter=link_filter)
    assert (len(result.links), result.entries) == (3, 10)
    assert str(result.problems[0]) == "left_out: 7 of 10 entries are over max_links"


def test_old_entries_are_left_out_and_undated_ones_kept():
    link_filter = LinkFilter(FILTER.homepage, NOW, not_before=NOW - timedelta(days=3), zone=ZoneInfo("Europe/Berlin"))
    text = rss(
        item(1, "<pubDate>Sat, 22 Nov 2025 09:30:00 +0100</pubDate>"),
        item(2, "<pubDate>Sat, 01 Nov 2025 09:30:00 +0100</pubDate>"),
        item(3),
    )
    assert [url[-3:] for url in addresses("feed", text, link_filter=link_filter)] == ["a-1", "a-3"]


def test_the_same_address_counts_once():
    assert len(addresses("feed", rss(item(1), item(1), item(1).replace("a-1", "a-1?utm_source=x#top")))) == 1


NEWS_SITEMAP = """<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
 xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
 xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc> https://www.blatt.example/a-1 </loc>
<image:image><image:loc>https://www.blatt.example/b.jpg</image:loc></image:image>
<news:news><news:publication_date>2025-11-22T09:30+01:00</news:publication_date>
<news:title>Titel &amp; mehr</news:title>
<news:keywords>Rente, Politik</news:keywords></news:news></url>
<url><loc>https://www.blatt.example/</loc></url></urlset>"""


def test_a_news_sitemap_brings_title_time_and_keywords():
    (link,) = found("sitemap", NEWS_SITEMAP).links
    assert link.url == "https://www.blatt.example/a-1"
    assert (link.hint.title, link.hint.keywords) == ("Titel & mehr", ("Rente", "Politik"))
    assert link.hint.published_at == datetime(2025, 11, 22, 8, 30, tzinfo=UTC)
    assert link.hint.via is Provenance.SITEMAP


def test_sitemaps_come_as_gzip_as_text_and_as_feed():
    assert addresses("sitemap", gzip.compress(NEWS_SITEMAP.encode())) == ["https://www.blatt.example/a-1"]
    assert addresses("sitemap", "https://www.blatt.example/x\nhttps://www.blatt.example/y\n") == [
        "https://www.blatt.example/x",
        "https://www.blatt.example/y",
    ]
    assert addresses("sitemap", rss(item(1))) == ["https://www.blatt.example/a-1"]
    assert addresses("feed", NEWS_SITEMAP) == ["https://www.blatt.example/a-1"]


def test_a_gzip_that_ends_early_is_used_as_far_as_it_goes():
    urls = "".join(f"<url><loc>https://www.blatt.example/{n * 7919 % 10007}-{n}</loc></url>" for n in range(2000))
    packed = gzip.compress(f"<urlset>{urls}</urlset>".encode())
    result = found("sitemap", packed[: len(packed) // 2])
    assert 0 < len(result.links) < 2000
    assert {problem.issue for problem in result.problems} == {ParseIssue.TRUNCATED}


def test_a_gzip_bomb_is_refused():
    with pytest.raises(DiscoveryError) as caught:
        found("sitemap", gzip.compress(bytes(30_000_000)))
    assert caught.value.issue is ParseIssue.TOO_LARGE


def test_of_too_many_addresses_the_latest_are_taken():
    days = "".join(
        f"<url><loc>https://www.blatt.example/{day}</loc><lastmod>2025-10-{day:02}</lastmod></url>"
        for day in range(1, 29)
    )
    link_filter = LinkFilter(FILTER.homepage, NOW, max_links=2)
    assert addresses("sitemap", f"<urlset>{days}</urlset>", link_filter=link_filter) == [
        "https://www.blatt.example/28",
        "https://www.blatt.example/27",
    ]


def test_an_index_names_its_sitemaps_latest_first():
    names = ["2019-01", "2025-11", "2025-10"]
    index = "".join(f"<sitemap><loc>/sitemap-{name}.xml</loc></sitemap>" for name in names)
    link_filter = LinkFilter(FILTER.homepage, NOW, max_sitemaps=2)
    result = found(
        "sitemap",
        f"<sitemapindex>{index}<sitemap><loc>http://[</loc></sitemap></sitemapindex>",
        link_filter=link_filter,
    )
    assert result.sitemaps == (
        "https://www.blatt.example/sitemap-2025-11.xml",
        "https://www.blatt.example/sitemap-2025-10.xml",
    )
    assert [problem.issue for problem in result.problems] == [ParseIssue.BAD_LINK, ParseIssue.LEFT_OUT]


SECTION = """<!DOCTYPE html><html><head><base href="https://www.blatt.example/politik/"></head><body>
<nav><a href="/thema/die-grosse-lange-liste-aller-themen">Themen</a>
<a href="/ein-langer-artikel-in-der-navigation">x</a></nav>
<article><h2><a href="rente.html">Rente</a></h2><a href="rente.html#kommentare">12 Kommentare</a></article>
<a href="/wirtschaft/der-grosse-streit-ums-geld-123456.html?utm_source=start">Streit</a>
<a href="https://fremd.example/ein-artikel-auf-einer-anderen-seite">fremd</a>
<a href="https://sport.blatt.example/fussball/sieg-im-letzten-spiel">Sport</a>
<a href="/autor/anna-muster-aus-der-redaktion-berlin">Anna</a><a href="/bild.jpg">Bild</a>
<a href="javascript:void(0)">x</a><a href="mailto:a@b.example">x</a><a href="#top">x</a><a href="http://[">x</a>
<footer><a href="/impressum">Impressum</a></footer></body></html>"""


def section(**rules):
    url = "https://www.blatt.example/start"
    link_filter = LinkFilter(FILTER.homepage, NOW, **rules)
    return found("section", SECTION, content_type="text/html", url=url, link_filter=link_filter)


def test_a_section_page_gives_what_looks_like_articles():
    result = section()
    assert [link.url for link in result.links] == [
        "https://www.blatt.example/politik/rente.html",
        "https://www.blatt.example/wirtschaft/der-grosse-streit-ums-geld-123456.html",
        "https://sport.blatt.example/fussball/sieg-im-letzten-spiel",
    ]
    assert [problem.issue for problem in result.problems] == [ParseIssue.BAD_LINK]
    assert all(link.hint is None for link in result.links)


def test_link_rules_decide_where_they_are_given():
    assert [link.url[-11:] for link in section(allow=(re.compile("/politik/"),)).links] == ["/rente.html"]
    assert len(section(deny=(re.compile("/politik/"),)).links) == 2
    assert len(section(hosts=("fremd.example",)).links) == 4
    assert [link.url[-11:] for link in section(css=("article",)).links] == ["/rente.html"]
    assert [link.url[-11:] for link in section(css=("//article//h2",)).links] == ["/rente.html"]


def test_a_section_page_without_articles_is_told():
    result = found("section", "<html><body><a href='/impressum'>x</a></body></html>", content_type="text/html")
    assert (result.links, result.problems[0].issue) == ((), ParseIssue.NO_ENTRIES)


@pytest.mark.parametrize(
    "path",
    [
        "/politik/bundestag-beschliesst-neues-rentenpaket-2025-123456.html",
        "/artikel/1234567",
        "/2025/11/22/kurz-gesagt",
        "/wirtschaft/unternehmen/autobauer-streicht-tausende-stellen",
        "/news.php?id=98765",
        "/a-12345678",
        "/story/3000000123456",
        "/nachrichten/inland/regierung-plant-entlastung-100.html",
    ],
)
def test_addresses_of_articles(path):
    assert looks_like_article("https://www.blatt.example" + path)


@pytest.mark.parametrize(
    "path",
    ["/", "/politik", "/politik/", "/thema/rente", "/autor/anna-muster-berlin-mitte", "/impressum", "/index.html",
     "/suche?q=rente-und-geld-im-alter", "/abo/jetzt-vier-wochen-kostenlos-testen", "/video/", "/rss-feeds"],
)  # fmt: skip
def test_addresses_of_other_pages(path):
    assert not looks_like_article("https://www.blatt.example" + path)


@pytest.mark.parametrize(
    "body",
    [
        "<rss><channel>" + "<![CDATA[&" * 300_000,
        "<rss><channel>" + "<item><title>&" * 100_000,
        "<html>" + "<link " * 300_000,
        "<!--" * 500_000,
        "<urlset>" + "<url>" * 300_000,
        "<rss><channel>" + "<a>" * 300_000 + "</rss>",
    ],
    ids=["cdata", "items", "links", "comments", "urls", "depth"],
)
def test_documents_made_to_take_for_ever_do_not(body):
    try:
        result = found("feed", body)
    except DiscoveryError:
        return
    assert not result.links


def test_of_a_page_with_endless_links_some_are_looked_at():
    anchors = "".join(f"<a href='/politik/eine-lange-meldung-ueber-geld-{number}'>x</a>" for number in range(30_000))
    result = found("section", f"<html><body>{anchors}</body></html>", content_type="text/html")
    assert (len(result.links), result.entries) == (5000, 20_000)
