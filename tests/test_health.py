"""A source is compared with its own history: what deviates is an alarm, and ill pages teach nothing."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pipelines import health
from pipelines.health import MEASURES, Point, Sums
from pipelines.health_wording import fraction, of_measure
from pipelines.items import Article, Link, Page, Precision, Provenance, Reason
from pipelines.store import Document, SourceRow, Store
from tests.test_site_models import own, subject

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
FEED = "https://www.blatt.example/rss"


def points(*values: float, run: int = 1) -> list[Point]:
    return [Point(100 - place, place, run, NOW - timedelta(minutes=place), value) for place, value in enumerate(values)]


def sums(history: list[float], latest: list[Point]) -> Sums:
    values = [*history, *(point.value for point in latest)]
    return Sums(len(values), sum(values), sum(value * value for value in values))


# --- the decision ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "history", "latest", "is_alarm"),
    [
        ("date", [1.0] * 30, [0.0] * 5, True),
        ("date", [1.0] * 300, [0.0] * 3, True),
        ("date", [1.0] * 300, [0.0] * 2, False),  # two prove nothing
        ("date", [1.0] * 10, [0.0] * 30, False),  # no history to speak of
        ("date", [1.0, 0.0] * 50, [0.0] * 5, False),  # where half have none, five in a row come by themselves
        ("date", [0.0] * 60, [1.0] * 20, False),  # what gets better is no alarm
        ("paid", [0.0] * 60, [1.0] * 6, True),
        ("paid", [0.3, *[0.0] * 59], [0.0] * 6, False),
        ("words", [5.7, 5.9, 5.2, 6.1] * 10, [3.4, 3.3, 3.5], True),
        ("words", [5.7, 5.9, 5.2, 6.1] * 10, [5.1, 4.9, 5.3] * 8, True),  # half as long
        ("words", [5.7, 5.9, 5.2, 6.1] * 10, [5.5, 5.6, 5.4] * 8, False),
        ("words", [3.0, 7.0] * 30, [3.1, 3.0, 3.2], False),  # a source of stubs and long texts
    ],
)
def test_a_deviation_must_be_large_and_no_chance(measure: str, history, latest, is_alarm: bool):
    recent = points(*latest)
    assert any(health.deviations(MEASURES[measure], sums(history, recent), recent)) == is_alarm


def test_the_onset_is_where_most_pages_begin_to_deviate():
    latest = points(0, 0, 1, 0, 0, 1, 1, 1, 1)
    found = next(health.deviations(MEASURES["date"], sums([1.0] * 300, latest), points(*[0] * 4, *[1] * 5)))
    assert health.onset(found, latest).at == NOW - timedelta(minutes=4)


def test_what_is_expected_follows_the_hours_of_the_week():
    hours = [0.0] * 168
    hours[12] = 6.0  # Monday noon, UTC
    assert health.expected_articles(hours, NOW - timedelta(hours=12), NOW + timedelta(minutes=30)) == pytest.approx(3.0)
    assert health.is_silent(20, timedelta(hours=5), timedelta(hours=3))
    assert not health.is_silent(20, timedelta(hours=5), timedelta(hours=4))
    assert not health.is_silent(3, timedelta(hours=50), None)


def test_of_a_weekday_that_was_not_seen_yet_nothing_is_expected():
    hours = [1.0] * 168
    friday, monday = datetime(2026, 3, 6, 20, tzinfo=UTC), datetime(2026, 3, 9, 8, tzinfo=UTC)
    assert health.expected_articles(hours, friday, monday, friday - timedelta(days=4)) == pytest.approx(4 + 8)
    assert health.expected_articles(hours, friday, monday, friday - timedelta(days=9)) == pytest.approx(60)


def test_what_comes_in_bunches_or_passes_is_told_when_it_comes_again():
    """Of another run; what has never happened before is told at once."""
    rare, never, slow = [1.0] * 2 + [0.0] * 300, [0.0] * 300, [5.7, 5.9, 5.5] * 100
    once, twice = points(*[1] * 6), points(*[1] * 3) + points(*[1] * 3, run=2)
    late, later = points(*[9.0] * 20), points(*[9.0] * 4) + points(*[9.0] * 4, run=2)
    behind = points(*[9.0] * 8) + points(*[5.8] * 4, run=2)
    for measure, history, latest, is_alarm in (
        ("paid", never, once, True), ("paid", rare, once, False), ("paid", rare, twice, True),
        ("paid", rare, points(*[1] * 12), True), ("fetch", slow, late, False), ("fetch", slow, later, True),
        ("fetch", slow, behind, False),
    ):  # fmt: skip
        assert any(health.deviations(MEASURES[measure], sums(history, latest), latest)) == is_alarm
    assert health.unlikely_share(Sums(600, 30, 30), 1.0, 6)
    assert not health.unlikely_share(Sums(600, 30, 30), 1.0, 6, bunch=3.0)  # two events, with one to be expected


def test_a_night_is_compared_with_nights():
    latest = points(*[0] * 12)
    found = next(health.deviations(MEASURES["author"], sums([1.0] * 270 + [0.0] * 30, latest), latest))
    nights, other_hours = Sums(60, 12, 12), Sums(60, 58, 58)
    assert health.is_of_the_hour(MEASURES["author"], found, nights, timedelta(days=30))
    assert not health.is_of_the_hour(MEASURES["author"], found, other_hours, timedelta(days=30))
    assert health.is_of_the_hour(MEASURES["author"], found, Sums(), timedelta(hours=9))  # the first night
    assert not health.is_of_the_hour(MEASURES["author"], found, Sums(), timedelta(days=9))
    assert health.hours_of(points(0, 0)) == [9, 10, 11, 12, 13, 14] and len(health.hours_of(latest)) == 6


def test_where_few_pages_come_three_are_enough_sooner():
    assert health.chance_of(None, None) == health.chance_of(90, 1) == health.chance_of(200 * 28, 28) == 1e-6
    assert health.chance_of(3 * 28, 28) == pytest.approx(1e-5)
    latest = points(1, 1, 1)
    for pages, is_alarm in ((3 * 28, True), (200 * 28, False)):
        found = health.deviations(MEASURES["paid"], sums([0.0] * 60, latest), latest, health.chance_of(pages, 28))
        assert any(found) == is_alarm


def test_pages_of_an_alarm_that_is_over_are_not_the_latest():
    over = [Point(1, 1, 1, NOW, 0.0, counted=False)]
    well, ill = points(1, 1), [Point(200, 9, 9, NOW, 0.0, counted=False)]
    assert health.current([*ill, *well, *over, *well]) == [*ill, *well, *well]


def test_sizes_are_said_as_people_say_them():
    assert [fraction(now / 300) for now in (29, 100, 150, 190)] == ["a tenth", "a third", "half", "two thirds"]
    longer = of_measure("words", False, MEASURES["words"].rises, math.log(300), math.log(1200))
    assert str(longer) == "texts are 4 times as long as usual (1,200 words instead of 300)"


# --- after a run -----------------------------------------------------------------------------------------------------


class Blatt:
    """A source whose runs bring articles of one kind or another."""

    def __init__(self, store: Store, name: str = "blatt"):
        self.store, self.name, self.number, self.base = store, name, 0, f"https://www.{name}.example"

    async def run(self, articles: int = 0, *, more: str = "", days: int = 0, document: Document | None = None,
                  ends: tuple[tuple[Reason, int, bool], ...] = (), now: datetime | None = None, **how):  # fmt: skip
        """*ends*: (reason, pages, whether they are rejected), each with HTTP 200, or 403 where it is http_error."""
        run = await self.store.begin_run(self.name, "crawl", "host:1")
        at = datetime.now(UTC) - timedelta(days=days)
        for _ in range(articles):
            await self.store.save_article(run, *self.article(at, more, **how))
        for reason, pages, is_final in ends:
            links = [Link(f"{self.base}/p-{self.next()}", FEED) for _ in range(pages)]
            await self.store.enqueue(run, links, Document(FEED, "feed", 200, links=pages, entries=pages))
            status = 403 if reason == Reason.HTTP_ERROR else 200
            for link in links:
                end = self.store.reject if is_final else self.store.reschedule
                await end(run, link.url, reason, "so it was", status=status)
        await self.store.enqueue(run, [], document or Document(FEED, "feed", 200, links=30, entries=30))
        await self.store.end_run(run, "finished")
        has_pages = bool(articles or ends)
        return await self.store.check_health(self.name, run.id, BERLIN, now, has_pages=has_pages)

    def next(self) -> int:
        self.number += 1
        return self.number

    def article(self, at: datetime, more: str, **how) -> tuple[Page, Article]:
        number = self.next()
        url = f"{self.base}/{number}"
        values = {
            "title": f"{subject(number)} wird {number} erneuert", "text": "\n\n".join([*own(number), more]).strip(),
            "published_at": at, "published_precision": Precision.MINUTE, "published_provenance": Provenance.JSONLD,
            "authors": ("Ada Kern",), "section": "Politik",
        }  # fmt: skip
        values |= {name: value(number) if callable(value) else value for name, value in how.items()}
        page = Page(url=url, source=self.name, body=str(number).encode(), fetched_at=at)
        return page, Article(url=url, canonical_url=url, source=self.name, fetched_at=at, language="de", **values)


@pytest.fixture
async def blatt(store: Store) -> Blatt:
    await store.save_sources([SourceRow("blatt", "Blatt")])
    source = Blatt(store)
    assert (await source.run(30)).open == 0
    return source


WITHOUT_DATE = {"published_at": None, "published_precision": None, "published_provenance": None}


@pytest.mark.parametrize(
    ("broken", "measure", "said"),
    [
        ({"articles": 6, "text": lambda n: f"Weiterlesen {n} mit einem Abo"}, "words", "a twentieth"),
        ({"articles": 24, "text": lambda n: "\n\n".join(own(n)[2:])}, "words", "half"),
        ({"articles": 30, **WITHOUT_DATE}, "date", "0 % of the articles have a time"),
        ({"articles": 6, **WITHOUT_DATE}, "date", "0 % of the articles have a time"),
        ({"articles": 6, "authors": ()}, "author", "name an author"),
        ({"articles": 6, "section": None}, "section", "have a section"),
        ({"articles": 6, "is_accessible_for_free": False}, "paid", "behind a paywall"),
        ({"articles": 6, "title": "Blatt"}, "titles", "the headline of another one"),
        ({"articles": 8, "text": "Hier steht immer derselbe Hinweis auf unsere neue Seite, und zwar für alle gleich."},
         "copies", "the text of another one"),
        ({"articles": 12, "more": "Abonnieren Sie jetzt unseren Brief am Morgen, kostenlos und jederzeit kündbar."},
         "boilerplate", "«Abonnieren Sie jetzt"),
        ({"ends": ((Reason.CONSENT_WALL, 6, True),)}, "rejected_consent_wall", "6 of 36 pages show a consent wall"),
        ({"ends": ((Reason.JAVASCRIPT_SHELL, 6, True),)}, "rejected_javascript_shell", "filled by scripts"),
        ({"ends": ((Reason.SOFT_404, 6, True),)}, "rejected_soft_404", "under maintenance"),
        ({"ends": ((Reason.HTTP_ERROR, 6, False),)}, "failed_http_error", "cannot be fetched (HTTP 403)"),
    ],
)  # fmt: skip
async def test_a_breakage_is_an_alarm_and_its_end_closes_it(blatt, sql_rows, broken, measure: str, said: str):
    baseline = "SELECT baseline FROM news.health WHERE measure = 'words'"
    assert (await blatt.run()).open == 0
    before = sql_rows(baseline)
    checked = await blatt.run(**broken)
    measures = [alarm["measure"] for alarm in checked.opened]
    assert measure in measures
    alarm = next(alarm for alarm in checked.opened if alarm["measure"] == measure)
    assert said.replace("6 of 36", "6 of 6") in alarm["says"] and ", since 20" in alarm["says"] and alarm["advice"]
    assert alarm["example_url"].startswith("https://www.blatt.example/")
    assert checked.may_learn == (measures == ["boilerplate"])

    again = await blatt.run(**broken)
    assert (again.opened, again.closed, again.open) == ((), (), checked.open)  # told once
    assert sql_rows(baseline) == before  # and no baseline has moved
    assert sql_rows("SELECT count(*) FROM news.alarms WHERE closed_at IS NULL") == [(checked.open,)]
    for _ in range(4):
        last = await blatt.run(12)
    assert (last.open, last.may_learn) == (0, True)
    assert sql_rows("SELECT DISTINCT closed_because FROM news.alarms") == [("well",)]


async def test_a_list_that_does_not_come_or_lists_nothing_is_an_alarm_after_two_looks(blatt, sql_rows):
    empty = Document(FEED, "feed", 200, links=0, entries=0)
    gone = Document(FEED, "feed", 404, error="http_error: HTTP 404")
    for broken, measure, said in (
        (empty, "lists_empty", "lists nothing; it had up to 30 entries"),
        (gone, "lists_failing", "cannot be read (http_error: HTTP 404)"),
    ):
        assert (await blatt.run(document=broken)).open == 0
        (alarm,) = (await blatt.run(document=broken)).opened
        assert (alarm["measure"], alarm["example_url"]) == (measure, FEED) and said in alarm["says"]
        assert (await blatt.run(document=broken)).open == 1
        (closed,) = (await blatt.run()).closed
        assert closed["id"] == alarm["id"]
    busy = Document(FEED, "feed", 503, error="http_error: HTTP 503")
    assert [(await blatt.run(document=busy)).open for _ in range(3)] == [0, 0, 1]  # what may pass waits for a third


async def test_what_may_pass_by_itself_is_told_after_three_runs(blatt):
    checks = [await blatt.run(ends=((Reason.TIMEOUT, 8, False),)), await blatt.run(), await blatt.run()]
    assert [check.open for check in checks] == [0, 0, 1]


async def test_a_silence_is_measured_by_the_hours_of_the_week(store, sql_rows):
    await store.save_sources([SourceRow("blatt", "Blatt")])
    blatt = Blatt(store)
    now = datetime.now(UTC)
    sql_rows(
        "INSERT INTO ingest.observations (source, run_id, page_id, at, outcome) SELECT 'blatt', n / 2, n, "
        "%s - n * interval '1 hour', 'new' FROM generate_series(5, 600) AS n ORDER BY n DESC RETURNING 1", now
    )  # fmt: skip
    sql_rows("UPDATE ingest.observations SET run_id = 601 - run_id RETURNING 1")
    assert (await blatt.run(now=now)).open == 0
    (alarm,) = (await blatt.run(now=now + timedelta(hours=14))).opened
    assert alarm["measure"] == "articles" and "no new article has come, where some 1" in alarm["says"]
    assert sql_rows("SELECT count(*), round(sum(articles)) FROM news.rhythms WHERE source = 'blatt'") == [(168, 163)]


async def test_nothing_is_learned_from_what_is_ill_also_not_later(blatt, store, sql_rows):
    """Texts that shrink to a line teach no container, neither while the alarm is open nor when it is over."""
    short = {"text": lambda n: f"Weiterlesen {n} mit einem Abo", "container": "div.teaser"}
    assert not (await blatt.run(25, **short)).may_learn
    for _ in range(3):
        checked = await blatt.run(6, container="div.story-text!")
    assert checked.may_learn
    await store.learn("blatt")
    assert (await store.site_model("blatt")).containers in ((), ("div.story-text!",))
    assert sql_rows("SELECT count(*) FROM ingest.observations WHERE NOT counted AND words < 20") == [(25,)]


async def test_a_person_may_say_that_all_is_as_it_should_be(blatt, store, sql_rows):
    assert (await blatt.run(14, authors=())).open == 1
    (alarm,) = await store.accept_health("blatt", "author")
    assert alarm["measure"] == "author"
    assert await store.accept_health("blatt") == []
    assert (await blatt.run(14, authors=())).open == 0
    assert sql_rows("SELECT baseline FROM news.health WHERE measure = 'author'") == [(0.0,)]


async def test_a_calm_source_has_no_alarm(blatt):
    """Some pages are always odd: undated, unsigned, short, rejected, slow to come."""
    for number in range(12):
        odd = [{}, WITHOUT_DATE, {"authors": ()}, {"text": lambda n: own(n)[0]}][number % 4]
        ends = ((Reason.VIDEO_STUB, 1, True), (Reason.TIMEOUT, number % 2, False))
        assert (await blatt.run(1, ends=ends, **odd)).open == 0
        assert (await blatt.run(4)).open == 0


async def test_a_renamed_source_keeps_its_baseline_its_rhythm_and_its_alarms(blatt, store, sql_rows):
    """Also where the new name has begun a history of its own before."""
    assert (await blatt.run(14, authors=())).open == 1
    tageblatt = Blatt(store, "tageblatt")
    await store.save_sources([SourceRow("tageblatt", "Tageblatt")])
    await tageblatt.run(3)
    before = sql_rows("SELECT count(*), sum(words), count(*) FILTER (WHERE counted) FROM ingest.observations")
    kept = sql_rows("SELECT articles FROM ingest.rhythms WHERE source = 'blatt'")
    await store.save_sources([SourceRow("tageblatt", "Tageblatt", formerly=["blatt"])])
    after = "SELECT count(*), sum(words), count(*) FILTER (WHERE counted) FROM ingest.observations"
    assert sql_rows(f"{after} WHERE source = 'tageblatt'") == before and before[0][0] == 47
    assert kept and sql_rows("SELECT source, articles FROM ingest.rhythms") == [("tageblatt", *kept[0])]
    assert sql_rows("SELECT source, measure FROM news.alarms WHERE closed_at IS NULL") == [("tageblatt", "author")]
    for _ in range(4):
        checked = await tageblatt.run(12)
    assert checked.open == 0


async def test_texts_that_may_not_be_stored_are_no_short_texts(blatt, sql_rows):
    """Withheld: the site reserves them. Neither an alarm nor a baseline knows how long they are."""
    withheld = {"text": "", "text_withheld": True}
    assert (await blatt.run(30, **withheld)).open == 0
    counted = "SELECT count(*), count(words), count(paragraphs) FROM ingest.observations WHERE counted"
    assert sql_rows(counted) == [(60, 30, 30)]
    assert sql_rows("SELECT observed FROM news.health WHERE measure = 'words'") == [(30,)]
    assert (await blatt.run(10)).open == 0  # and the texts that come again are as long as ever


async def test_observations_go_with_the_other_bookkeeping_and_a_baseline_stays(blatt, store, sql_rows):
    """Of a source that brings little, the pages that its baseline is made of are kept, however old they are."""
    now = datetime.now(UTC)
    sql_rows(
        "INSERT INTO ingest.observations (source, run_id, page_id, at, outcome) SELECT 'blatt', 0, n, "
        "%s - interval '200 days', 'new' FROM generate_series(1, 900) AS n RETURNING 1", now)  # fmt: skip
    sql_rows("INSERT INTO ingest.sources (name, title) VALUES ('selten', 'Selten') RETURNING 1")
    sql_rows(
        "INSERT INTO ingest.observations (source, run_id, page_id, at, outcome) SELECT 'selten', -1, n, "
        "%s - interval '200 days', 'new' FROM generate_series(1, 50) AS n RETURNING 1", now)  # fmt: skip
    before = now - timedelta(days=90)
    assert (await store.prune(bookkeeping=before, is_dry=True))["observations"] == 200
    assert (await store.prune(bookkeeping=before))["observations"] == 200
    assert (await store.prune(bookkeeping=before))["observations"] == 0
    assert sql_rows("SELECT source, count(*) FROM ingest.observations GROUP BY 1 ORDER BY 1") == [
        ("blatt", 730), ("selten", 50)]  # fmt: skip
