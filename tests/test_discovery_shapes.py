"""Feeds and sitemaps in the shapes that sites really send: each names its article, or fails by name."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter

from crawler.discovery import DiscoveryError, DiscoveryFailure, DiscoveryResult, ParseIssue, look, read_document
from crawler.discovery.links import LinkFilter
from crawler.downloader.body import is_unfit

NOW = datetime(2025, 11, 22, 12, tzinfo=UTC)
FEED = "https://www.blatt.example/rss/alles.xml"
FILTER = LinkFilter("https://www.blatt.example/", NOW, zone=ZoneInfo("Europe/Berlin"), language="de")
PAGE = "https://www.blatt.example/artikel/bruecke-wird-erneuert"
ATOM = 'xmlns="http://www.w3.org/2005/Atom"'


def found(text: str, kind: str = "feed", **rules):
    names = {name: getattr(FILTER, name) for name in ("homepage", "fetched_at", "zone", "language")}
    return read_document(kind, text.encode(), "application/xml", FEED, LinkFilter(**names | rules))


def addresses(text: str, kind: str = "feed", **rules) -> list[str]:
    return [link.url for link in found(text, kind, **rules).links]


def rss(item: str, attributes: str = "") -> str:
    return f'<?xml version="1.0"?><rss version="2.0"{attributes}><channel><title>Blatt</title>{item}</channel></rss>'


def entry(inner: str, attributes: str = ATOM) -> str:
    return f'<?xml version="1.0"?><feed {attributes}><title>Blatt</title><entry><title>x</title>{inner}</entry></feed>'


PLAIN = f"<item><title>Brücke</title><link>{PAGE}</link></item>"
JSON_FEED = "https://jsonfeed.org/version/1.1"
WARNING = "<br />\n<b>Warning</b>: Undefined variable $x in <b>/srv/feed.php</b> on line <b>3</b><br />\n"
SHAPES = {
    "media undeclared": rss(f'<item><title>x</title><media:content url="b.jpg"/><link>{PAGE}</link></item>'),
    "own prefix undeclared": rss(f"<item><title>x</title><wbl:rubrik>y</wbl:rubrik><link>{PAGE}</link></item>"),
    "attribute undeclared": rss(f'<item xlink:type="a"><title>x</title><link>{PAGE}</link></item>'),
    "atom link undeclared": rss(f'<item><title>x</title><atom:link rel="alternate" href="{PAGE}"/></item>'),
    "prefix declared too late": rss(
        f'<item><title>x</title><a:b/><c xmlns:a="urn:a"><a:b/></c><link>{PAGE}</link></item>'
    ),
    "root prefix undeclared": f'<atom:feed><atom:entry><atom:link href="{PAGE}"/></atom:entry></atom:feed>',
    "atom as default namespace of rss": rss(PLAIN, f" {ATOM}"),
    "another default namespace of rss": rss(PLAIN, ' xmlns="http://backend.example/rss2"'),
    "media as default namespace of rss": rss(PLAIN, ' xmlns="http://search.yahoo.com/mrss/"'),
    "upper case": rss(PLAIN).upper().replace(PAGE.upper(), PAGE).replace('<?XML VERSION="1.0"?>', ""),
    "mixed case": rss(f"<Item><Title>x</Title><Link>{PAGE}</Link></Item>"),
    "mixed case that does not fit": rss(f"<ITEM><TITLE>x</TITLE><LINK>{PAGE}</LINK></item>"),
    "rel as an IANA address": entry(f'<link rel="http://www.iana.org/assignments/relation/alternate" href="{PAGE}"/>'),
    "rel as an IANA address with s": entry(
        f'<link rel="https://www.iana.org/assignments/link-relations/alternate" href="{PAGE}"/>'
    ),
    "rel in upper case": entry(f'<link rel="ALTERNATE" href="{PAGE}"/>'),
    "rel with blanks": entry(f'<link rel=" alternate " href=" {PAGE} "/>'),
    "two rels": entry(f'<link rel="alternate bookmark" href="{PAGE}"/>'),
    "empty rel": entry(f'<link rel="" href="{PAGE}"/>'),
    "HREF": entry(f'<link HREF="{PAGE}"/>'),
    "canonical": entry(f'<link rel="canonical" href="{PAGE}"/>'),
    "self alone": entry(f'<link rel="self" type="text/html" href="{PAGE}"/>'),
    "atom link as text": entry(f"<link>{PAGE}</link>"),
    "content src": entry(f'<content type="text/html" src="{PAGE}"/>'),
    "atom id": entry(f"<id>{PAGE}</id>"),
    "guid that says it is no permalink": rss(f'<item><title>x</title><guid isPermaLink="false">{PAGE}</guid></item>'),
    "guid in other case": rss(f'<item><title>x</title><GUID ispermalink="FALSE">{PAGE}</GUID></item>'),
    "guid that is a path": rss(f'<item><guid isPermaLink="true">{PAGE.removeprefix("https://www.blatt.example")}</guid></item>'),
    "the home page, and a guid": rss(f"<item><link>https://www.blatt.example/</link><guid>{PAGE}</guid></item>"),
    "no scheme": rss(f"<item><title>x</title><link>{PAGE.removeprefix('https://')}</link></item>"),
    "link as attribute": rss(f'<item><title>x</title><link href="{PAGE}"/></item>'),
    "resource": rss(f'<item><link r:resource="{PAGE}"/></item>', ' xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'),
    "output of PHP": WARNING + rss(PLAIN),
    "notice": "Notice: Undefined index: lang in /srv/feed.php on line 3\n" + rss(PLAIN),
    "a page before": "<!DOCTYPE html><html><body><p>Hinweis</p></body></html>" + rss(PLAIN),
    "a comment before": "<!-- cached <rss> 2025 -->\n" + rss(PLAIN),
    "blanks before": "\n\n  " + rss(PLAIN),
    "two byte order marks": "\ufeff\ufeff" + rss(PLAIN),
    "output behind": rss(PLAIN) + "<script>var a = 1;</script>",
    "output between": rss(f"<br /><b>Notice</b>: x<br />{PLAIN}"),
    "entries under rss": f'<rss version="2.0"><channel><entry><link href="{PAGE}"/></entry></channel></rss>',
    "items under feed": f"<feed><item><link>{PAGE}</link></item></feed>",
    "attribute twice": rss(f'<item a="1" a="2"><title>x</title><link>{PAGE}</link></item>'),
    "json feed 1.1": json.dumps({"version": JSON_FEED, "items": [{"id": "1", "url": PAGE}]}),
    "json feed 1": json.dumps({"version": "https://jsonfeed.org/version/1", "items": [{"id": PAGE}]}),
    "json feed without version": json.dumps({"items": [{"id": 7, "url": PAGE}]}),
    "json feed in a call": f"callback({json.dumps({'version': JSON_FEED, 'items': [{'url': PAGE}]})});",
    "half a json feed": f'{{"version": "{JSON_FEED}", "items": [{{"url": "{PAGE}"}}, {{"url": "https://w',
}  # fmt: skip


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_a_feed_of_any_shape_names_its_article(text):
    assert addresses(text) == [PAGE]


SITEMAPS = {
    "news undeclared": f"<urlset><url><loc>{PAGE}</loc><news:news><news:title/></news:news></url></urlset>",
    "image undeclared": f"<urlset><url><loc>{PAGE}</loc><image:image><image:loc/></image:image></url></urlset>",
    "xhtml undeclared": f'<urlset><url><loc>{PAGE}</loc><xhtml:link rel="alternate" href="/en/a"/></url></urlset>',
    "everything undeclared": f"<sm:urlset><sm:url><sm:loc>{PAGE}</sm:loc></sm:url></sm:urlset>",
    "upper case": f"<URLSET><URL><LOC>{PAGE}</LOC></URL></URLSET>",
    "foreign namespace": f'<urlset xmlns="urn:eigen"><url><loc>{PAGE}</loc></url></urlset>',
    "output before": f"<br />\n<b>Warning</b>: x<br /><urlset><url><loc>{PAGE}</loc></url></urlset>",
    "pages in an index": f"<sitemapindex><url><loc>{PAGE}</loc></url></sitemapindex>",
}


@pytest.mark.parametrize("text", SITEMAPS.values(), ids=SITEMAPS)
@pytest.mark.parametrize("kind", ["sitemap", "feed"])
def test_a_sitemap_of_any_shape_names_its_article(text, kind):
    assert addresses(text, kind) == [PAGE]


@pytest.mark.parametrize(
    "text",
    [
        '<s:sitemapindex><s:sitemap><s:loc>/news.xml</s:loc></s:sitemap></s:sitemapindex>',
        "<SITEMAPINDEX><SITEMAP><LOC>/news.xml</LOC></SITEMAP></SITEMAPINDEX>",
        "<urlset><sitemap><loc>/news.xml</loc><x:y/></sitemap></urlset>",
    ],
)  # fmt: skip
def test_an_index_of_any_shape_names_its_sitemaps(text):
    assert found(text, "sitemap").sitemaps == ("https://www.blatt.example/news.xml",)


def test_an_undeclared_prefix_means_what_it_usually_does():
    titles = "<media:title>Bild</media:title><title>Brücke</title>"
    text = f"<item>{titles}<dc:date>2025-11-22</dc:date><link>{PAGE}</link></item>"
    (link,) = found(rss(text)).links
    assert (link.hint.title, link.hint.published_at.day) == (
        "Brücke",
        21,
    )  # midnight in Berlin is the day before in UTC


@pytest.mark.parametrize("language", ["de", "en", "fr"])
def test_of_several_alternates_that_of_the_sources_language_is_taken(language):
    tongues = ("en-GB", "de", "fr_CH")
    links = "".join(f'<link rel="alternate" hreflang="{one}" href="/{one[:2]}/artikel"/>' for one in tongues)
    assert addresses(entry(links), language=language) == [f"https://www.blatt.example/{language}/artikel"]
    broken = entry(links + "<b>")
    assert addresses(broken, language=language) == [f"https://www.blatt.example/{language}/artikel"]


def test_a_title_in_markup_of_its_own_is_whole():
    title = (
        '<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Die <em>alte</em> Brücke<br/>steht</div></title>'
    )
    (link,) = found(f'<feed {ATOM}><entry>{title}<link href="{PAGE}"/></entry></feed>').links
    assert link.hint.title == "Die alte Brücke steht"


@pytest.mark.parametrize(
    "title",
    [
        "<![CDATA[Die <b>alte</b>, 90 Jahre<br>alte Br<i>ü</i>cke]]>",
        "Die &lt;b&gt;alte&lt;/b&gt;, 90 Jahre&lt;br/&gt;alte Br&lt;i class='x'&gt;ü&lt;/i&gt;cke",
    ],
)
def test_markup_in_a_title_leaves_no_blank_inside_of_words(title):
    (link,) = found(rss(f"<item><title>{title}</title><link>{PAGE}</link></item>")).links
    assert link.hint.title == "Die alte, 90 Jahre alte Brücke"


def test_a_page_is_taken_before_other_kinds_of_document():
    others = '<link type="application/pdf" href="/a.pdf"/><link rel="replies" href="/r"/>'
    links = f'{others}<link type="text/html" href="{PAGE}"/>'
    assert addresses(entry(links)) == [PAGE]


def test_a_json_feed_brings_what_a_feed_brings():
    item = {
        "id": 5, "url": "/artikel/1", "external_url": "https://x.example/", "title": "Brücke", "summary": "Kurz.",
        "date_published": "2025-11-22T09:30:00+01:00", "authors": [{"name": "Anna Muster"}, None], "tags": ["Verkehr"],
    }  # fmt: skip
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": [item, "Unsinn", {"title": "ohne"}]}
    result = found(json.dumps(feed))
    (link,) = result.links
    assert (link.url, link.hint.title, link.hint.teaser) == ("https://www.blatt.example/artikel/1", "Brücke", "Kurz.")
    assert (link.hint.authors, link.hint.section) == (("Anna Muster",), "Verkehr")
    assert link.hint.published_at == datetime(2025, 11, 22, 8, 30, tzinfo=UTC)
    assert [problem.issue for problem in result.problems] == [ParseIssue.NO_LINK]


@pytest.mark.parametrize(
    "text",
    [
        rss("<item><title>ohne Adresse</title></item>"),
        rss("<item><title>x</title><link>javascript:void(0)</link></item>"),
        rss('<item><title>x</title><guid isPermaLink="false">7f3a</guid></item>'),
        entry("<id>tag:blatt.example,2025:1</id>"),
        entry('<link rel="replies" href="/kommentare"/>'),
        "<urlset><url><ort>x</ort></url></urlset>",
        "<sitemapindex><sitemap><lastmod>2025-11-22</lastmod></sitemap></sitemapindex>",
        '{"version": "https://jsonfeed.org/version/1.1", "items": [{"title": "x"}]}',
    ],
)
def test_a_document_with_entries_and_no_link_has_failed(text):
    with pytest.raises(DiscoveryError) as caught:
        found(text)
    assert caught.value.issue in (ParseIssue.NO_LINK, ParseIssue.BAD_LINK)
    assert "none of them" in str(caught.value)


def test_entries_that_are_all_too_old_are_no_failure():
    old = f"<item><link>{PAGE}</link><pubDate>Sat, 01 Nov 2025 09:30:00 +0100</pubDate></item>"
    assert found(rss(old), not_before=NOW - timedelta(days=3)).links == ()


def test_a_page_that_shows_a_feed_is_no_feed():
    page = "<html><body><h1>So geht ein Feed</h1><script>x = '<rss><channel></channel></rss>'</script></body></html>"
    with pytest.raises(DiscoveryError) as caught:
        found(page)
    assert caught.value.issue is ParseIssue.HTML


def test_what_a_reader_process_is_asked_can_be_sent_to_it_and_back():
    link_filter = pickle.loads(pickle.dumps(FILTER))
    result = look("feed", rss(PLAIN).encode(), "", FEED, link_filter, 100_000)
    assert pickle.loads(pickle.dumps(result)).links[0].url == PAGE
    failure = look("feed", b"Wartung", "", FEED, link_filter, 100_000)
    assert pickle.loads(pickle.dumps(failure)) == failure
    assert isinstance(failure, DiscoveryFailure)


def test_what_a_reader_process_answers_survives_its_way_as_json():
    answers = TypeAdapter(DiscoveryResult | DiscoveryFailure)
    result = read_document("sitemap", sitemap(OLD).encode(), "", FEED, FILTER)
    assert answers.validate_json(answers.dump_json(result)) == result
    assert result.digest and result.memory


def test_a_password_in_an_address_is_not_told():
    with pytest.raises(DiscoveryError) as caught:
        found(rss("<item><title>x</title><link>https://otto:hunter2@blatt.example/a</link></item>"))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("media", ["application/javascript", "text/javascript", "application/json", "text/plain", ""])
def test_a_feed_may_be_called_anything_textual(media):
    assert not is_unfit(media, "feed")


# --- what hangs a pattern that looks again and again -----------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "<?" * 500_000,
        "<!--" * 300_000,
        "<!DOCTYPE x [" * 100_000,
        rss("".join(f"<item><author>{'@' * 200}{number}</author></item>" for number in range(20_000))),
        rss("<item><author>" + "a@b (" * 300_000 + "</author></item>"),
        "<!DOCTYPE x [ >" * 100_000 + "]",
        "<" + "a:" * 500_000,
        "{" * 500_000,
        '{"items": [' + "[" * 500_000,
        "<!ENTITY" + " " * 500_000 + "<rss>",
    ],
)
def test_made_up_text_is_read_in_one_go(text):
    with pytest.raises(DiscoveryError):
        found(text)


def test_a_root_that_never_ends_lists_nothing():
    assert found("<rss " * 200_000).links == ()


# --- more than is taken ----------------------------------------------------------------------------------------------


def sitemap(names: list[str], dates: dict[str, str] | None = None) -> str:
    pages = (f"<url><loc>/a-{name}</loc>{f'<lastmod>{day}</lastmod>' if (day := (dates or {}).get(name)) else ''}</url>"
             for name in names)  # fmt: skip
    return f"<urlset>{''.join(pages)}</urlset>"


def numbers(result) -> list[str]:
    return [link.url.partition("a-")[2] for link in result.links]


OLD = [f"{number:03}" for number in range(100)]


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_what_is_new_in_an_undated_sitemap_is_what_was_not_there_before(place):
    first = found(sitemap(OLD), "sitemap", max_links=10)
    assert numbers(first) == [*OLD[:5], *OLD[-5:]]
    assert (first.entries, first.left_out, len(first.memory)) == (100, 90, 1600)
    at = {"first": 0, "middle": 50, "last": 100}[place]
    listed = [*OLD[:at], "new-1", "new-2", *OLD[at:]]
    second = found(sitemap(listed), "sitemap", max_links=10, known=first.memory)
    assert numbers(second)[:2] == ["new-1", "new-2"]
    third = found(sitemap(listed), "sitemap", max_links=10, known=second.memory)
    assert not {"new-1", "new-2"} & set(numbers(third)) or place != "middle"


def test_what_was_left_out_of_a_later_look_comes_at_the_next():
    memory = found(sitemap(OLD), "sitemap", max_links=10).memory
    listed, seen = [*OLD, *(f"new-{number}" for number in range(25))], set()
    for _ in range(3):
        result = found(sitemap(listed), "sitemap", max_links=10, known=memory)
        seen |= set(numbers(result))
        memory = result.memory
    assert {f"new-{number}" for number in range(25)} <= seen


def test_a_small_undated_sitemap_is_remembered_for_the_day_on_which_it_is_large():
    small = found(sitemap(OLD[:8]), "sitemap", max_links=10)
    assert (len(small.links), small.left_out) == (8, 0)
    large = found(sitemap([*OLD[:4], "new", *OLD[4:40]]), "sitemap", max_links=37, known=small.memory)
    assert "new" in numbers(large)


def test_a_damaged_sitemap_does_not_make_the_rest_known_or_new():
    whole = sitemap(OLD)
    memory = found(whole, "sitemap", max_links=10).memory
    half = found(whole[: len(whole) // 2], "sitemap", max_links=10, known=memory)
    assert half.is_damaged
    assert half.memory == memory
    assert found(whole[: len(whole) // 2], "sitemap", max_links=10).memory is None


def test_undated_pages_among_dated_ones_are_seen():
    dates = {name: "2025-11-20" for name in OLD}
    first = found(sitemap([*OLD, "plain"], dates), "sitemap", max_links=10)
    assert "plain" in numbers(first)
    second = found(sitemap([*OLD, "plain", "new"], dates), "sitemap", max_links=10, known=first.memory)
    assert numbers(second)[0] == "new"


def test_a_list_as_text_and_a_feed_that_begins_with_the_oldest_are_bounded_too():
    text = "\n".join(f"https://www.blatt.example/a-{name}" for name in OLD)
    assert numbers(found(text, "sitemap", max_links=4)) == ["000", "001", "098", "099"]
    items = "".join(
        f"<item><link>/a-{day}</link><pubDate>{day:02} Oct 2025 08:00:00 +0200</pubDate></item>" for day in range(1, 29)
    )
    assert numbers(found(rss(items), max_links=2)) == ["28", "27"]


def index(names: list[str]) -> str:
    return f"<sitemapindex>{''.join(f'<sitemap><loc>/s-{name}.xml</loc></sitemap>' for name in names)}</sitemapindex>"


def test_of_an_undated_index_new_sitemaps_and_both_ends_are_looked_at_and_the_others_in_turn():
    first = found(index(OLD[:80]), "sitemap", max_sitemaps=12)
    assert (len(first.sitemaps), first.left_out) == (12, 68)
    assert {f"https://www.blatt.example/s-{name}.xml" for name in ("000", "001", "078", "079")} <= set(first.sitemaps)
    listed = [*OLD[:40], "new", *OLD[40:80]]
    second = found(index(listed), "sitemap", max_sitemaps=12, known=first.memory)
    assert second.sitemaps[0] == "https://www.blatt.example/s-new.xml"
    looks = (found(index(OLD[:80]), "sitemap", max_sitemaps=12, fetched_at=NOW + timedelta(minutes=15 * number),
                   known=first.memory).sitemaps for number in range(200))  # fmt: skip
    assert len(set().union(*looks)) == 80


def test_the_digest_stands_for_what_is_listed_not_for_what_is_taken():
    whole, some = found(sitemap(OLD), "sitemap"), found(sitemap(OLD[::-1]), "sitemap", max_links=3)
    assert whole.digest == some.digest != found(sitemap(OLD[1:]), "sitemap").digest
