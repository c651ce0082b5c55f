"""The pages: asked through Starlette's client, read with lxml, over a real Postgres."""

from __future__ import annotations

import codecs
import csv
import io
import json
import math
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from lxml import etree, html
from psycopg.types.json import Jsonb
from starlette.requests import Request
from starlette.testclient import TestClient

from pipelines import health_wording
from pipelines.health import MEASURES
from pipelines.items import Kind, Link, Reason
from pipelines.store import Document
from tests.news_database import database_url, news_template
from webapp.application import make_app
from webapp.pages.changes import passages
from webapp.pages.search import mentions_chart
from webapp.queries import articles
from webapp.queries.articles import KINDS
from webapp.rendering import PLACES, reading
from webapp.settings import Settings

__all__ = ["database_url", "news_template"]  # fixtures
WEBAPP = Path(__file__).parent.parent / "webapp"


@pytest.fixture
async def client(database_url: str) -> Iterator[TestClient]:
    with TestClient(make_app(Settings(), database_url), base_url="http://127.0.0.1:8080") as made:
        yield made


def page(client: TestClient, url: str, **headers: str) -> html.HtmlElement:
    answer = client.get(url, headers=headers)
    assert answer.status_code == 200, answer.text[:500]
    return html.fromstring(answer.text)


def table(client: TestClient, url: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.get(url).content.decode("utf-8-sig"), newline="")))


def text_of(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


async def test_the_first_page_has_every_text_once_with_who_else_has_it(client):
    (listed,) = page(client, "/").cssselect(".listed")
    assert text_of(listed.cssselect("h3")[0]) == "Rat streitet und beschließt"
    assert "2 copies: bote, anzeiger" in text_of(listed.cssselect(".marks")[0])
    everything = page(client, "/?copies=all").cssselect(".listed h3")
    assert [text_of(one) for one in everything] == ["Haushalt steht", "Haushalt im Rat", "Rat streitet und beschließt"]
    (only,) = page(client, "/?source=bote").cssselect(".listed")
    assert "copy of zeitung" in text_of(only) and "taken down" in text_of(only)


async def test_an_article_says_what_its_page_stated_before(client):
    (row,) = client.get("/api/v1/articles?source=zeitung").json()["items"]
    said = [text_of(one) for one in page(client, f"/articles/{row['id']}").cssselect(".rail li")]
    assert sum("Agency: dpa → –" in one for one in said) == 1
    assert sum("Paywall: unknown → paywall" in one for one in said) == 1
    german = page(client, f"/articles/{row['id']}", **{"Accept-Language": "de"}).cssselect(".rail li")
    assert any("Bezahlschranke: unbekannt → Bezahlschranke" in text_of(one) for one in german)
    stated = client.get(f"/api/v1/articles/{row['id']}/metadata").json()["items"]
    assert [(one["version"], one["is_accessible_for_free"], one["until"] is None) for one in stated] == [
        (1, None, False), (2, None, False), (2, False, True)
    ]  # fmt: skip


async def test_a_list_is_also_a_feed_and_data_at_the_same_address(client):
    feed = etree.fromstring(client.get("/?format=atom").content)
    assert feed.tag == "{http://www.w3.org/2005/Atom}feed" and len(feed.findall("{*}entry")) > 0
    json_feed = client.get("/", headers={"Accept": "application/feed+json"}).json()
    assert json_feed["version"] == "https://jsonfeed.org/version/1.1"
    items = client.get("/?format=json").json()["items"]
    rows = table(client, "/?format=csv")
    assert [str(item["id"]) for item in items] == [row["id"] for row in rows]
    assert [item["title"] for item in items] == [entry["title"] for entry in json_feed["items"]]


async def test_an_article_shows_its_wordings_and_what_was_changed(client):
    number = json.loads(client.get("/?format=json&source=zeitung").content)["items"][0]["id"]
    shown = page(client, f"/articles/{number}?version=2&against=1")
    assert [text_of(one) for one in shown.cssselect(".text ins")] == ["beschlossen, spät."]
    assert [text_of(one) for one in shown.cssselect(".text del")] == ["beschlossen."]
    assert "Mehr zum Thema" in text_of(shown.cssselect(".stripped")[0])


async def test_what_is_unchanged_is_not_sent_again(client):
    first = client.get("/")
    again = client.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/?format=json", headers={"If-None-Match": first.headers["etag"]}).status_code == 200


@pytest.mark.parametrize(
    ("url", "status"),
    [("/nothing", 404), ("/articles/999999", 404), ("/articles/99999999999999999999999", 404), ("/?within=x", 400),
     ("/?cursor=x", 400), ("/?since=yesterday", 400), ("/?format=pdf", 400), ("/?limit=0", 400)],
)  # fmt: skip
async def test_errors_are_pages_and_data(client, url: str, status: int):
    answer = client.get(url)
    assert answer.status_code == status
    assert html.fromstring(answer.text).cssselect("h1")
    problem = client.get(url, headers={"Accept": "application/json"})
    if "format" not in url:
        assert problem.json()["status"] == status


async def test_only_get_and_only_our_own_names(client):
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
        answer = client.request(method, "/")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert client.head("/").status_code == 200
    assert client.get("/", headers={"Host": "attacker.example"}).status_code == 400
    for name in ("localhost", "127.0.0.1:8080", "[::1]:8080"):
        assert client.get("/", headers={"Host": name}).status_code == 200


async def test_every_answer_has_the_headers_that_keep_strangers_out(client):
    for url in ("/", "/nothing", "/?within=x", "/static/style.css", "/?format=json"):
        headers = client.get(url).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"


def said_in_the_code() -> set[str]:
    """Everything that templates and pages have translated."""
    found: set[str] = set()
    for file in sorted(WEBAPP.rglob("*")):
        if file.suffix == ".html" or (file.suffix == ".py" and file.parent.name == "pages"):
            text = file.read_text("utf-8")
            found |= set(re.findall(r"""\b_\(\s*"((?:[^"\\]|\\.)*)\"""", text))
            found |= set(re.findall(r"""\b_\(\s*'((?:[^'\\]|\\.)*)'""", text))
    return found | {name for _, name, _ in PLACES}


def test_everything_that_is_said_can_be_said_in_german():
    german = tomllib.loads((WEBAPP / "locale" / "de.toml").read_text("utf-8"))
    english = tomllib.loads((WEBAPP / "locale" / "en.toml").read_text("utf-8"))
    said = said_in_the_code()
    assert len(said) > 250
    assert said - german.keys() == set()
    assert set(english) <= set(german)
    assert {str(reason) for reason in Reason} | set(KINDS) <= english.keys()
    for text, translated in german.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", translated)), text
        assert text.count("|") == translated.count("|"), text


def test_every_sentence_of_an_alarm_can_be_said_in_german():
    german = tomllib.loads((WEBAPP / "locale" / "de.toml").read_text("utf-8"))
    said = {text for one in MEASURES.values() for text in (one.falls, one.rises, one.advice)}
    for name, value in vars(health_wording).items():
        for one in value.values() if isinstance(value, dict) else [value]:
            said |= set(one if isinstance(one, tuple) else [one]) if name.isupper() and name != "FRACTIONS" else set()
    assert len(said - {""}) > 50 and said - {""} - german.keys() == set()
    assert {word for _, word in health_wording.FRACTIONS} <= german.keys()


async def test_an_alarm_is_said_in_the_readers_language(client, sql_rows):
    says = health_wording.of_measure("words", False, MEASURES["words"].falls, math.log(1304), math.log(129))
    wall, advice = health_wording.of_pages("rejected", "consent_wall", 200, 6, 7)
    paid = health_wording.of_measure("paid", True, MEASURES["paid"].rises, 0.02, 0.9)
    for measure, one in (("words", says), ("rejected_consent_wall", wall), ("paid", paid), ("former", None)):
        wording = Jsonb({"says": one.as_json(), "advice": advice.as_json()}) if one else None
        sql_rows(
            "INSERT INTO ingest.alarms (source, measure, since, example_url, says, advice, wording) VALUES ('zeitung', "
            "%s, now(), 'https://zeitung.example/1?api_key=hunter2', 'as of old', 'do it', %s) RETURNING 1",
            measure, wording,
        )  # fmt: skip
    german = text_of(page(client, "/sources/zeitung", **{"Accept-Language": "de"}))
    assert "die Texte haben ein Zehntel der üblichen Länge (129 Wörter statt 1.304)" in german
    assert "6 von 7 Seiten zeigen eine Zustimmungsabfrage" in german and "Im Browser zustimmen" in german
    assert "90 % der Artikel stehen hinter einer Bezahlschranke" in german
    english = text_of(page(client, "/sources/zeitung"))
    assert "texts are a tenth as long as usual (129 words instead of 1,304)" in english
    assert "as of old. do it" in english  # from before sentences were kept with their values
    assert "hunter2" not in german + english


@pytest.mark.parametrize(
    ("accepted", "code"), [("de-AT,de;q=0.9,en;q=0.8", "de"), ("en-GB,de;q=0.5", "en"), ("fr", "en")]
)
async def test_the_interface_speaks_the_language_of_the_browser(client, accepted: str, code: str):
    shown = page(client, "/stories", **{"Accept-Language": accepted})
    assert shown.get("lang") == code
    assert text_of(shown.cssselect("h1")[0]) == {"de": "Themen", "en": "Stories"}[code]


async def test_language_and_theme_are_chosen_by_a_link_and_kept(client):
    answer = client.get("/stories?ui=de&theme=dark&source=zeitung", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "?source=zeitung")
    shown = page(client, "/stories")
    assert (shown.get("lang"), shown.get("data-theme")) == ("de", "dark")
    assert client.get("//attacker.example/?ui=de", follow_redirects=False).headers.get("location", "?").startswith("?")


async def test_times_are_in_the_readers_zone_with_the_exact_one_on_hover(client):
    client.cookies.set("zone", "Asia/Tokyo")
    times = page(client, "/").cssselect("time")
    assert times and all("+0900 (Asia/Tokyo)" in one.get("title") for one in times if ":" in one.get("title"))
    client.cookies.set("zone", "../../etc/passwd")
    assert page(client, "/").get("data-zone") == "Europe/Berlin"


async def test_a_newcomers_questions_are_answered_within_three_clicks(client):
    """What was changed, who had it first, why an address is missing: by links and one form."""
    changed = page(client, page(client, "/").cssselect("a[href='/changes']")[0].get("href"))
    assert "beschlossen, spät." in [text_of(one) for one in changed.cssselect(".excerpt ins")]
    family = page(client, page(client, "/").cssselect(".marks a[href^='/families/']")[0].get("href"))
    assert "first seen at zeitung" in text_of(family)
    form = page(client, "/explain").cssselect("form[action='/explain'] input[name='url']")
    assert form
    missing = page(client, "/explain?url=zeitung.example/1")
    assert "It was read and is no article." in text_of(missing) and "Artikel nicht gefunden" in text_of(missing)
    assert "known and not read yet" in text_of(page(client, "/explain?url=http://zeitung.example/2"))
    assert "Nobody has seen" in text_of(page(client, "/explain?url=https://zeitung.example/3"))


async def test_changes_of_a_day_of_a_source_are_one_choice_away(client, sql_rows):
    def shown(url: str) -> list[str]:
        return [text_of(one) for one in page(client, url).cssselect(".listed h3")]

    form = page(client, "/changes").cssselect("form[action='/changes']")[0]
    assert [one.get("value") for one in form.cssselect("select[name='within'] option")] == [
        "", "today", "yesterday", "7d", "30d",
    ]  # fmt: skip
    sql_rows(
        "UPDATE ingest.changes SET recorded_at = date_trunc('day', now(), 'Europe/Berlin') - interval '1 minute' "
        "WHERE kind = 'version' RETURNING 1"
    )
    everything = shown("/changes")
    assert len(everything) > 1
    assert shown("/changes?within=yesterday&source=zeitung") == ["Rat streitet und beschließt"]
    assert shown("/changes?within=yesterday&source=bote") == []
    assert sorted(shown("/changes?within=today") + shown("/changes?within=yesterday")) == sorted(everything)
    items = client.get("/api/v1/edits?until=2020-01-01").json()["items"]
    assert items == [] and client.get("/api/v1/edits?since=2020-01-01").json()["items"]


async def test_an_address_that_nobody_has_seen_is_told_whose_site_it_is_on(client, sql_rows):
    sql_rows("UPDATE ingest.sources SET homepage = 'https://www.zeitung.example/' WHERE name = 'zeitung' RETURNING 1")
    ours = page(client, "/explain?url=https://sport.zeitung.example/3").cssselect(".verdict a")
    assert "/sources/zeitung" in [one.get("href") for one in ours]
    for url in ("https://nobody.example/", "https://otherzeitung.example/"):
        assert "none of those that are watched" in text_of(page(client, f"/explain?url={url}"))


async def test_who_searches_for_an_address_is_led_to_what_became_of_it(client):
    for query in ("https://zeitung.example/1", "zeitung.example/1"):
        (link,) = page(client, f"/search?q={quote(query)}").cssselect("a[href^='/explain?url=']")
        assert client.get(link.get("href")).status_code == 200
    for query in ("haushalt", "und/oder", "zeitung.example", "haushalt https://zeitung.example/1"):
        assert not page(client, f"/search?q={quote(query)}").cssselect("a[href^='/explain?url=']"), query


async def test_a_watchlist_without_a_match_is_there_and_says_so(client, sql_rows):
    sql_rows("INSERT INTO ingest.watches VALUES ('neu', 'Neues aus dem Rat', 'rat', '', '{}', '{}', false) RETURNING 1")
    client.app.state.site.reader._kept.clear()
    assert "Neues aus dem Rat" in text_of(page(client, "/watchlists").cssselect(".rail")[0])
    assert "Nothing has matched yet" in text_of(page(client, "/watchlists/neu"))
    assert client.get("/watchlists/nobody").status_code == 404
    rows = {row["watch"]: row for row in client.get("/api/v1/watchlists").json()["items"]}
    assert (rows["neu"]["matches"], rows["neu"]["last_match_at"]) == (0, None) and rows["haushalt"]["matches"] > 0


async def test_every_kind_of_article_can_be_chosen_and_is_said_in_german(client, sql_rows):
    assert set(KINDS) == {str(kind) for kind in Kind}
    sql_rows("UPDATE ingest.versions SET kind = 'other' WHERE article_id = 1 RETURNING 1")
    (listed,) = page(client, "/?kind=other", **{"Accept-Language": "de"}).cssselect(".listed")
    assert "Sonstiges" in text_of(listed.cssselect(".marks")[0])
    assert [row["id"] for row in client.get("/api/v1/articles?kind=other").json()["items"]] == [1]


async def test_several_filters_find_what_lies_behind_the_latest(client, monkeypatch):
    def found(query: str) -> list[int]:
        return [item["id"] for item in client.get(f"/api/v1/articles?{query}").json()["items"]]

    queries = (
        "language=de&kind=article",
        "source=zeitung&language=de",
        "language=de&kind=video",
        "copies=false&kind=article&language=de",
        "source=bote&kind=article&since=2020-01-01",
    )
    plainly = [found(query) for query in queries]
    assert plainly[0] == found("language=de") and len(plainly[0]) > 1 and plainly[1] and plainly[2] == []
    monkeypatch.setattr(articles, "LOOK", 1)
    assert [found(query) for query in queries] == plainly
    first = client.get("/api/v1/articles?language=de&kind=article&limit=1").json()
    behind = client.get(f"/api/v1/articles?language=de&kind=article&limit=1&cursor={first['next']}").json()
    assert [first["items"][0]["id"], behind["items"][0]["id"]] == plainly[0][:2]


async def test_colours_of_a_figure_are_named_and_a_search_of_a_source_has_only_its_articles(client):
    found = client.get("/api/v1/search?q=haushalt&source=bote").json()["items"]
    assert {row["source_name"] for row in found} == {"bote"}
    legend = page(client, "/").cssselect(".chart-legend li")
    assert [text_of(one) for one in legend] == ["texts", "copies"]


@pytest.mark.parametrize(
    "url", ["/stories?sources=1", "/families", "/changes", "/search?q=haushalt", "/watchlists", "/watchlists/haushalt",
            "/sources/zeitung", "/runs", "/rejections", "/articles/1", "/families/1", "/stories/1"],
)  # fmt: skip
async def test_every_list_is_a_feed_that_can_be_read(client, url: str):
    also = "&" if "?" in url else "?"
    feed = etree.fromstring(client.get(f"{url}{also}format=atom").content)
    entries = feed.findall("{*}entry")
    assert entries and len({entry.findtext("{*}id") for entry in entries}) == len(entries)
    assert all(entry.findtext("{*}title") and entry.findtext("{*}updated").endswith("Z") for entry in entries)
    json_feed = client.get(f"{url}{also}format=jsonfeed").json()
    assert [item["id"] for item in json_feed["items"]] == [entry.findtext("{*}id") for entry in entries]
    assert len(table(client, f"{url}{also}format=csv")) == len(entries)


async def test_what_is_written_from_right_to_left_reads_so(client, sql_rows):
    """Wherever words of an article stand, they take their direction from themselves, and turn nothing around them."""
    words = "ראש הממשלה נפגש"
    sql_rows("UPDATE ingest.versions SET title = %s, teaser = %s, text = %s RETURNING 1", words, words, words)
    (story,), (matched,) = sql_rows("SELECT id FROM news.stories ORDER BY articles DESC LIMIT 1"), ("/watchlists",)
    for url in ("/", "/?copies=all", "/articles/1", "/articles/1?version=2", "/articles/1?version=2&against=1",
                "/articles/2", f"/stories/{story[0]}", "/stories?sources=1", "/families", "/families/1", "/changes",
                "/families/1?copy=2", "/explain?url=https://bote.example/1", "/sources/zeitung", matched):  # fmt: skip
        whole = page(client, url)
        named = [one for one in whole.iter(etree.Element) if words in (one.text or "") and one.tag != "title"]
        assert named, url
        for one in named:
            around = (one, *one.iterancestors())
            assert any(each.get("dir") == "auto" or each.tag == "bdi" for each in around), (url, html.tostring(one))


async def test_when_a_page_was_looked_at_last_is_told_of_one_that_is_gone_too(client, sql_rows):
    sql_rows("UPDATE ingest.attempts SET at = '2031-05-06 07:08+00' RETURNING 1")
    (number,) = [row["id"] for row in client.get("/api/v1/articles?source=bote").json()["items"]]
    facts = {text_of(one[0]): text_of(one[1]) for one in page(client, f"/articles/{number}").cssselect(".facts div")}
    assert facts["Last looked at"] == "6 May 2031, 09:08"


@pytest.mark.parametrize("title", ["=cmd|calc!A0", "＝1+1", "\n=1+1"])
async def test_a_formula_is_no_formula_in_a_table(client, sql_rows, title: str):
    sql_rows("UPDATE ingest.versions SET title = %s WHERE article_id = 1 RETURNING 1", title)
    (row,) = table(client, "/?source=zeitung&format=csv")
    assert row["title"] == f"'{title}"
    assert client.get("/?source=zeitung&format=json").json()["items"][0]["title"] == title


async def test_a_table_is_opened_with_its_umlauts_and_says_yes_as_an_export_does(client, sql_rows):
    sql_rows("UPDATE ingest.versions SET is_accessible_for_free = true WHERE article_id = 1 RETURNING 1")
    answer = client.get("/?source=zeitung&format=csv")
    assert answer.content.startswith(codecs.BOM_UTF8)
    (row,) = table(client, "/?source=zeitung&format=csv")
    assert (row["title"], row["is_accessible_for_free"]) == ("Rat streitet und beschließt", "true")


async def test_no_page_and_no_answer_tells_the_key_of_a_feed(client, store, sql_rows):
    feed = "https://reader:hunter2@zeitung.example/rss?edition=1&api_key=hunter2&Token=hunter2"
    run = await store.begin_run("zeitung", "crawl", "host:1")
    links = [Link(f"https://zeitung.example/geheim/{n}", feed) for n in (1, 2)]
    await store.enqueue(run, links, Document(feed, "feed", status=200, links=2))
    await store.reject(run, links[0].url, Reason.SOFT_404, "nicht gefunden", 200)
    await store.end_run(run, "finished")
    assert "hunter2" in str(sql_rows("SELECT * FROM news.documents"))
    for url in ("/sources/zeitung", "/rejections", f"/explain?url={links[0].url}", f"/explain?url={links[1].url}", "/"):
        for name in ("html", "json"):
            also = "&" if "?" in url else "?"
            text = client.get(f"{url}{also}format={name}").text
            assert "hunter2" not in text, (url, name)
    for url in ("/sources/zeitung", "/rejections", f"/explain?url={links[1].url}"):
        assert "hunter2" not in client.get(f"/api/v1{url}").text
    assert "edition=1&api_key=***&Token=***" in str(client.get("/api/v1/sources/zeitung").json())


@pytest.mark.parametrize("title_changed", [True, False])
@pytest.mark.parametrize("teaser_changed", [True, False])
@pytest.mark.parametrize(
    ("before", "after"),
    [([], []), (["a b c"], []), ([], ["Korrektur: a"]), ([], ["d", "Korrektur: a"]), (["a"], ["b"])],
)
def test_whatever_was_changed_can_be_shown(title_changed: bool, teaser_changed: bool, before, after):
    row = {
        "change": "version", "title_changed": title_changed, "title_before": "A", "title_after": "B",
        "teaser_changed": teaser_changed, "teaser_before": None, "teaser_after": "C", "correction": "Korrektur: a",
        "paragraphs_before": before, "paragraphs_after": after,
    }  # fmt: skip
    made = passages(row)
    assert made.keys() == {"title", "teaser", "text", "more"} and made["more"] >= 0
    assert bool(made["title"]) == title_changed and bool(made["teaser"]) == teaser_changed
    assert bool(made["text"]) == bool(before or [one for one in after if one != "Korrektur: a"])


@pytest.mark.parametrize(("change", "labels"), [
    (datetime(2026, 10, 25, 0, tzinfo=UTC), ["02:00", "02:00", "03:00"]),
    (datetime(2026, 3, 29, 0, tzinfo=UTC), ["01:00", "03:00", "04:00"]),
])  # fmt: skip
def test_every_hour_of_a_night_in_which_clocks_are_changed_is_counted_once(change: datetime, labels: list[str]):
    request = Request({"type": "http", "headers": [(b"cookie", b"zone=Europe/Berlin")]})
    request.state.reading = reading(request, "UTC")
    rows = [
        {"bucket": "hour", "at": change + timedelta(hours=hour), "articles": 3 + hour, "copies": 0} for hour in range(3)
    ]
    chart = mentions_chart(request, rows)
    assert [(title[-5:], number) for title, number, _ in chart.rows] == list(zip(labels, "345", strict=True))
