"""Whether a source is well: what its pages looked like, when its articles come, alarms. Once after each run, in SQL.

``pipelines.health`` decides, from sums over the latest pages of the source; nothing is done per page while it crawls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from pipelines import health, health_wording
from pipelines.health import MEASURES, Deviation, Finding, Measure, Point, Sums
from pipelines.health_wording import Wording
from pipelines.store.health_statements import (
    ACCEPT,
    ARTICLES,
    BEGIN_AGAIN,
    BUNCH,
    CLOSE_ALARM,
    DOCUMENTS,
    ENDED,
    EXTREME,
    LATEST_PAGES,
    LEARN_RHYTHM,
    LEAVE_OUT,
    MEASURED,
    OBSERVE,
    OPEN_ALARM,
    OPEN_ALARMS,
    PAGE,
    PAGE_COUNTS,
    PROMPT_LATEST,
    PROMPT_TEXT,
    PROMPTS,
    RUNS_SINCE,
    SAME_HOURS,
    STATE,
    VALUES,
)
from pipelines.store.models import Row
from pipelines.store.session import rows_of

#: the history that a page is compared with: so many pages before it
WINDOW = 600
#: nights and weekends of a busy source: so many pages are searched for anything like what deviates
LONG_WINDOW = 5000
#: so many of the latest are looked at one by one
LATEST = 160
#: a rhythm is worked out again after this
RHYTHM_FOR = timedelta(hours=6)
#: documents: looks in a row after which one that fails, or that lists nothing, is an alarm
FAILED, EMPTY = 2, 2
LISTS = ("lists_failing", "lists_empty")


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check after a run has found. ``opened`` and ``closed`` are rows of alarms, ``open`` how many there are."""

    opened: tuple[Row, ...] = ()
    closed: tuple[Row, ...] = ()
    open: int = 0
    may_learn: bool = True


#: with these open the pages themselves are well: the next site model takes the paragraph out, which is the cure
CURED_BY_LEARNING = ("boilerplate",)


async def check(
    connection: AsyncConnection, source: str, run: int, now: datetime, zone: ZoneInfo,
    has_pages: bool = True, is_observed: bool = False,
) -> Checked:  # fmt: skip
    """After a run: record what its pages looked like, open and close alarms.

    *has_pages*: it met some. *is_observed*: they are recorded already (``benchmarks.alarms``).
    """
    values: Row = {"source": source, "run": run, "now": now, "window": WINDOW, "long_window": LONG_WINDOW,
                   "latest": LATEST, "failed": FAILED, "empty": EMPTY}  # fmt: skip
    new = is_observed or (has_pages and bool(await rows_of(connection, OBSERVE, values)))
    state = (await rows_of(connection, STATE, values))[0]
    documents = await rows_of(connection, DOCUMENTS, values)
    alarms = await rows_of(connection, OPEN_ALARMS, values) if state["alarms"] else []
    is_open = {alarm["measure"] for alarm in alarms}
    pages = Pages(connection, values, zone, health.chance_of(state["articles"], state["days"]))
    findings = _lists(documents)
    if new or state["is_failing"]:
        findings += await pages.findings(is_open)
    if silence := await _silence(connection, state, values):
        findings.append(silence)
    opened = [row for found in findings if found.measure not in is_open for row in await pages.opened(found)]
    closed = []
    for alarm in alarms:
        if await pages.is_over(alarm, documents, state):
            closed += await rows_of(connection, CLOSE_ALARM, values | {"id": alarm["id"]})
    ids = {row["id"] for row in closed}
    still = [alarm["measure"] for alarm in alarms if alarm["id"] not in ids] + [row["measure"] for row in opened]
    may_learn = not any(measure not in CURED_BY_LEARNING for measure in still)
    return Checked(tuple(opened), tuple(closed), len(still), may_learn)


def _lists(documents: Sequence[Row]) -> list[Finding]:
    """Feeds, sitemaps and section pages that do not come, and those that suddenly list nothing."""
    found = []
    failing = [row for row in documents if row["is_failing"]]
    if failing:
        first = failing[0]
        error = (first["error"] or "")[:200]
        says, advice = health_wording.LISTS_FAILING
        since, number = first["failing_since"], float(len(failing))
        wording = Wording(says, {"kind": first["kind"], "error": error})
        found.append(
            Finding(LISTS[0], 0.0, number, len(documents), since, wording, Wording(advice), example=first["url"])
        )
    empty = [row for row in documents if row["is_empty"]]
    if empty:
        first = empty[0]
        most, since = first["most_entries"], first["empty_since"]
        says, advice = health_wording.LISTS_EMPTY
        wording = Wording(says, {"kind": first["kind"], "most": most})
        found.append(
            Finding(LISTS[1], float(most), 0.0, len(documents), since, wording, Wording(advice), example=first["url"])
        )
    return found


async def _silence(connection: AsyncConnection, state: Row, values: Row) -> Finding | None:
    """Whether articles have not come for longer than chance explains."""
    now: datetime = values["now"]
    hours, days, longest = state["hours"], state["days"], state["longest_gap"]
    learned_at = state["learned_at"]
    if state["last_article_at"] is None:
        return None
    if (learned_at is None or now - learned_at > RHYTHM_FOR) and not state["alarms"]:
        learned = (await rows_of(connection, LEARN_RHYTHM, values))[0]
        hours, days, longest, learned_at = learned["hours"], learned["days"], learned["longest_gap"], now
    start = state["looking_since"]
    if start is None or not hours or days < 3:
        return None
    expected = health.expected_articles(hours, start, now, learned_at - timedelta(days=days))
    if not health.is_silent(expected, now - start, longest):
        return None
    says, advice = health_wording.SILENCE
    wording = Wording(says, {"expected": round(expected)})
    return Finding("articles", expected, 0.0, 0, state["last_article_at"], wording, Wording(advice))


class Pages:
    """What the latest pages of a source say."""

    def __init__(self, connection: AsyncConnection, values: Row, zone: ZoneInfo, chance: float):
        self.connection, self.values, self.zone, self.chance = connection, values, zone, chance
        self._measured: dict[str, tuple[Sums, list[Point]]] | None = None

    async def rows(self, statement: str, **more: object) -> list[Row]:
        return await rows_of(self.connection, statement, self.values | more)

    async def findings(self, is_open: set[str]) -> list[Finding]:
        found = await self._ends()
        for name, (sums, latest) in (await self.measured()).items():
            measure = MEASURES[name]
            for deviates in health.deviations(measure, sums, latest, self.chance) if name not in is_open else ():
                if not await self._is_usual(measure, deviates, VALUES[name]):
                    found.append(_finding(measure, deviates, latest))
                    break
        if "boilerplate" not in is_open and (prompt := await self._prompt()):
            found.append(prompt)
        return found

    async def measured(self) -> dict[str, tuple[Sums, list[Point]]]:
        if self._measured is None:
            self._measured = {row["measure"]: _points(row) for row in await self.rows(MEASURED)}
        return self._measured

    async def _is_usual(
        self, measure: Measure, found: Deviation, value: str, which: str = ARTICLES, **more: object
    ) -> bool:
        """Whether it is so at these hours of the day, or the history has so many pages in a row nearly as far off."""
        before = min(point.id for point in found.points)
        hours = health.hours_of(found.points)
        same = (await self.rows(SAME_HOURS.format(value=value, which=which), before=before, hours=hours, **more))[0]
        sums = Sums(same["count"], float(same["total"]), float(same["squares"]))
        if health.is_of_the_hour(measure, found, sums, same["known"], self.chance):
            return True
        statement = EXTREME.format(size=found.size - 1, value=value, which=which)
        row = (await self.rows(statement, before=before, **more))[0]
        if row["least"] is None:
            return False
        most = row["least"] if found.value < found.baseline else row["most"]
        change = found.value - found.baseline
        return bool((most - found.baseline) / change >= health.LIKE_BEFORE)

    # --- pages without an article ------------------------------------------------------------------------------------

    async def _ends(self) -> list[Finding]:
        """Reasons for which suddenly most pages are rejected or cannot be fetched."""
        latest = await self.rows(LATEST_PAGES)
        counts = {(row["outcome"], row["reason"]): row["number"] for row in await self.rows(PAGE_COUNTS)}
        all_counted = sum(counts.values())
        found = []
        kinds = {(row["outcome"], row["reason"]): row for row in reversed(latest) if row["outcome"] in
                 ("rejected", "failed")}  # fmt: skip
        for (outcome, reason), row in kinds.items():
            points = _ended(latest, outcome, reason)
            name = f"{outcome}_{reason}"
            measure = Measure(name, True, rises="x")
            sums = Sums(all_counted, counts.get((outcome, reason), 0), counts.get((outcome, reason), 0))
            for deviates in health.deviations(measure, sums, points, self.chance):
                if await self._comes_in_bunches(sums, deviates, outcome=outcome, reason=reason):
                    continue
                if not await self._is_usual(measure, deviates, ENDED, "true", outcome=outcome, reason=reason):
                    break
            else:
                continue
            since = health.onset(deviates, points)
            if outcome == "failed" and row["status"] not in health.LASTING and not await self._lasts(since, points):
                continue
            ill = sum(deviates.is_ill(point.value) for point in points if point.id >= since.id)
            of = sum(point.id >= since.id for point in points)
            says, advice = health_wording.of_pages(outcome, reason, row["status"], ill, of)
            example = health.example_of(deviates, points).page
            found.append(
                Finding(name, deviates.baseline, deviates.value, of, since.at, says, advice, since.id, example)
            )
        return found

    async def _comes_in_bunches(self, sums: Sums, found: Deviation, **ended: object) -> bool:
        """Whether the pages are no more than the history lets expect, where so many of one run usually end alike."""
        rows = await self.rows(BUNCH, before=min(point.id for point in found.points), **ended)
        baseline = sums.without(found.points)
        return bool(rows) and not health.unlikely_share(
            baseline, found.value, found.size, self.chance, rows[0]["bunch"]
        )

    async def _lasts(self, since: Point, points: Sequence[Point]) -> bool:
        """Whether it was so in more than one run, for a while; or the runs after it found nothing else to ask."""
        ill = [point for point in points if point.id >= since.id and point.value]
        if not ill:
            return False  # the latest ones came again
        if ill[0].run != ill[-1].run and ill[0].at - ill[-1].at > health.WHILE:
            return True
        return bool((await self.rows(RUNS_SINCE, first=since.run))[0]["number"] >= health.RUNS)

    # --- a new paragraph in all of them ------------------------------------------------------------------------------

    async def _prompt(self) -> Finding | None:
        found = await self.rows(
            PROMPTS, size=health.PROMPTS, share=health.PROMPT_SHARE, fewest=health.FEWEST,
            fewer=health.FEWER_PROMPTS, long=health.LONG_WITHOUT)  # fmt: skip
        if not found:
            return None
        row = found[0]
        text = await self.rows(PROMPT_TEXT, page=row["page"], paragraph=row["paragraph"])
        shown = " ".join(text[0]["line"].split())[:90] if text else "a paragraph"
        says, advice = health_wording.BOILERPLATE
        wording = Wording(says, {"ill": row["number"], "of": row["since_then"], "paragraph": shown})
        return Finding("boilerplate", 0.0, float(row["paragraph"]), row["since_then"], row["since"], wording,
                       Wording(advice), row["first_id"], row["page"])  # fmt: skip

    # --- opening and closing -----------------------------------------------------------------------------------------

    async def opened(self, found: Finding) -> list[Row]:
        """Keep an alarm; the pages since it began do not belong to the baseline."""
        example, says, advice = found.example, found.says, found.advice
        if found.page is not None:
            page = await self.rows(PAGE, page=found.page)
            example = page[0]["url"] if page else None
            detail = page[0]["detail"] if page else None
            if found.measure == "rejected_consent_wall" and detail and "waits for the cookie " in detail:
                advice = Wording(health_wording.WITH_COOKIE, {"waits": detail[max(detail.rfind("waits for"), 0) :]})
        text = health_wording.sentence(self.values["source"], says, found.since, self.zone, example)
        wording = Jsonb({"says": says.as_json(), "advice": advice.as_json()})
        rows = await self.rows(
            OPEN_ALARM, measure=found.measure, since=found.since, baseline=found.baseline, value=found.value,
            observed=found.observed, example=example, says=text[:2000],
            advice=str(advice)[:1000], wording=wording)  # fmt: skip
        if rows and found.first_id is not None:
            await self.connection.execute(LEAVE_OUT, self.values | {"first": found.first_id})
        return rows

    async def is_over(self, alarm: Row, documents: Sequence[Row], state: Row) -> bool:
        name = alarm["measure"]
        if name in LISTS:
            of = [row for row in documents if row["url"] == alarm["example_url"]]
            is_ill = ("failed_in_a_row", "empty_in_a_row")[LISTS.index(name)]
            # a list that the source file does not name any more is not asked for
            return bool(documents) and not any(row[is_ill] for row in of) and not any(
                row["is_failing" if name == LISTS[0] else "is_empty"] for row in documents)  # fmt: skip
        if name == "articles":
            return state["last_article_at"] is not None and state["last_article_at"] > alarm["opened_at"]
        if name == "boilerplate":
            rows = [row for row in await self.rows(PROMPT_LATEST) if row["at"] > alarm["since"]]
            return len(rows) >= 3 and not any(int(alarm["value"]) in row["paragraphs"] for row in rows)
        if name in MEASURES:
            latest = (await self.measured()).get(name, (Sums(), []))[1]
        else:
            outcome, _, reason = name.partition("_")
            latest = _ended(await self.rows(LATEST_PAGES), outcome, reason)
        since = [point for point in latest if point.at > alarm["opened_at"]]
        return health.is_well_again(alarm["baseline"], alarm["value"], since)


def _points(row: Row) -> tuple[Sums, list[Point]]:
    columns = (row["ids"], row["pages"], row["runs"], row["times"], row["values"], row["are_counted"])
    points = [
        Point(id, page, run, at, float(value), counted)
        for id, page, run, at, value, counted in zip(*columns, strict=True)
    ]
    return Sums(row["count"], float(row["total"]), float(row["squares"])), points


def _ended(latest: Sequence[Row], outcome: str, reason: str) -> list[Point]:
    return [
        Point(row["id"], row["page_id"], row["run_id"], row["at"],
              float((row["outcome"], row["reason"]) == (outcome, reason)), row["counted"])
        for row in latest
    ]  # fmt: skip


def _finding(measure: Measure, found: Deviation, latest: Sequence[Point]) -> Finding:
    since = health.onset(found, latest)
    of = sum(point.id >= since.id for point in latest)
    example = health.example_of(found, latest).page
    return Finding(measure.name, found.baseline, found.value, of, since.at, health.said(measure, found),
                   Wording(measure.advice), since.id, example)  # fmt: skip


async def accept(connection: AsyncConnection, source: str, measure: str | None) -> list[Row]:
    """Close the open alarms of a source because a person said that all is as it should be; the rows that were."""
    values = {"source": source, "measure": measure}
    rows = await rows_of(connection, ACCEPT, values)
    if rows:
        await connection.execute(BEGIN_AGAIN, values | {"since": min(row["since"] for row in rows)})
    return rows
