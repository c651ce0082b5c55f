"""What an agent may ask: a tool checks what it is given, asks ``webapp.queries`` in one transaction, marks the rows.

The docstring of a tool is what an agent reads before it chooses one.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import QueryParams

from webapp import formats, queries
from webapp.known_names import check_source
from webapp.mcp.marking import LONG, Answer
from webapp.parameters import LARGEST_ID, BadParameter, Parameters
from webapp.queries import articles, changes, search, sources, stories, texts
from webapp.queries.articles import KINDS, ArticleFilter
from webapp.queries.explain import NotAnAddress
from webapp.queries.paging import BadCursor, Page, cursor, position
from webapp.queries.search import LONGEST_QUERY, MOST, Wanted
from webapp.queries.sources import alarms_of
from webapp.reader import Reader, ReadError

MOST_ROWS = 50
EDITS = ("all", "corrections", "headlines", "texts", "gone")


class Answered(BaseModel):
    """What every tool answers: a notice, then the facts. What others wrote stands under ``untrusted``."""

    model_config = ConfigDict(extra="allow")
    notice: str = Field(description="How to take what stands under the keys `untrusted`")


Result = Annotated[CallToolResult, Answered]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Limit = Annotated[int, Field(ge=1, le=MOST_ROWS, description="How many rows at most")]
Cursor = Annotated[str | None, Field(description="`next` of the answer before, for what comes behind it")]
Source = Annotated[str | None, Field(description="Only this source, by its `name` in list_sources")]
Language = Annotated[str | None, Field(description="Only this language, such as de (ISO 639-1)")]
Since = Annotated[str | None, Field(description="From then on: 2026-03-01 or 2026-03-01T18:00:00+01:00 (else UTC)")]
Until = Annotated[str | None, Field(description="Before then; a day is meant to its end")]

Tool = Callable[..., Awaitable[dict[str, Any]]]


def answering(tool: Tool) -> Callable[..., Awaitable[CallToolResult]]:
    """What *tool* found as the protocol wants it; what an agent can mend, or wait for, as an error that it reads."""

    @functools.wraps(tool)
    async def call(*given: Any, **named: Any) -> CallToolResult:
        try:
            await check_source(given[0]._reader, named.get("source"))
            found = formats.plain(await tool(*given, **named))
        except (BadParameter, NotAnAddress, ReadError) as error:
            raise ToolError(str(error)) from error
        text = TextContent(text=formats.dumps(found).decode())
        return CallToolResult(content=[text], structured_content=found)

    # the protocol's schema is made of what the call answers, not of what the tool found
    signature = inspect.signature(tool, eval_str=True).replace(return_annotation=Result)
    call.__signature__ = signature  # type: ignore[attr-defined]
    call.__annotations__ = {**tool.__annotations__, "return": Result}
    return call


class Tools:
    """The tools over one database."""

    def __init__(self, reader: Reader):
        self._reader = reader

    def all_of_them(self) -> list[Callable[..., Awaitable[CallToolResult]]]:
        """In the order in which an agent may need them."""
        return [
            self.search_articles, self.latest_articles, self.get_article, self.get_revisions, self.latest_stories,
            self.get_story, self.latest_families, self.get_family, self.recent_edits, self.changes_since,
            self.list_sources, self.get_source, self.explain_url,
        ]  # fmt: skip

    @answering
    async def search_articles(
        self,
        query: Annotated[str, Field(description='Words that are all wanted; "in this order", -without, one or other')],
        source: Source = None,
        language: Language = None,
        since: Since = None,
        until: Until = None,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> dict[str, Any]:
        """Find articles by words in title, teaser and text, the best first; at most 200 in all."""
        wanted = Wanted(
            _required("query", _text("query", query, LONGEST_QUERY)),
            _text("language", language, 10),
            _text("source", source),
            _moment("since", since),
            _moment("until", until, is_end=True),
        )
        after = _page(limit, cursor, (int,)).after
        offset = min(max(after[0], 0), MOST) if after else 0
        async with self._reader.session() as news:
            rows = await search.found(news, wanted, limit, offset)
        answer = Answer()
        shown = answer.items(rows[:limit], is_paged=True)
        behind = offset + len(shown)
        is_more = len(rows) > len(shown) and behind < MOST
        return answer.finished(items=shown, next=_cursor(behind) if is_more else None)

    @answering
    async def latest_articles(
        self,
        source: Source = None,
        language: Language = None,
        section: Annotated[str | None, Field(description="Only this section")] = None,
        kind: Annotated[str | None, Field(description=f"Only this kind: {', '.join(KINDS)}")] = None,
        agency: Annotated[str | None, Field(description="Only with this news agency, such as dpa")] = None,
        since: Since = None,
        until: Until = None,
        copies: Annotated[bool, Field(description="Also articles whose text another had first")] = False,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> dict[str, Any]:
        """List articles, the one seen last first. `since` and `until` mean when Nachlese first saw them."""
        wanted = ArticleFilter(
            source=_text("source", source),
            language=_text("language", language, 10),
            section=_text("section", section),
            kind=_choice("kind", kind, KINDS),
            agency=_text("agency", agency),
            since=_moment("since", since),
            until=_moment("until", until, is_end=True),
            copies=copies,
        )
        page = _page(limit, cursor, articles.CURSOR)
        async with self._reader.session() as news:
            rows = await articles.latest(news, wanted, page)
        return Answer().page(rows, "first_seen_at", "id")

    @answering
    async def get_article(
        self,
        id: Id,
        version: Annotated[int | None, Field(ge=1, description="This wording; default: the current one")] = None,
        text_from: Annotated[int, Field(ge=0, description="Where in a long text to begin: `text_next`")] = 0,
    ) -> dict[str, Any]:
        """Read one article: its text, all its versions, who has copied it, its story, when it was taken down."""
        async with self._reader.session() as news:
            row = _there(await articles.one(news, id), f"no article {id}")
            versions = await articles.versions(news, id)
            told = await stories.of_articles(news, [id])
            copies = await texts.copies(news, row["copy_of"] or id, 100)
            absences = await articles.absences(news, id)
        chosen = next((one for one in versions if one["version"] == (version or row["version"])), None)
        if chosen is None:
            if version is not None:
                raise ToolError(f"article {id} has no version {version}; it has {[v['version'] for v in versions]}")
            chosen = row
        answer = Answer()
        shown = answer.item({name: chosen.get(name, row[name]) for name in row if name not in UNSHOWN}, LONG)
        text = answer.text(chosen["text"] or "", text_from)
        shown["untrusted"] = {**shown.get("untrusted", {}), **text.pop("untrusted")}
        return answer.finished(
            article={**shown, **text},
            story_id=told[id]["id"] if id in told else None,
            versions=answer.items(_only(one, VERSION) for one in versions),
            copies=answer.items(copies),
            absences=answer.items(absences),
        )

    @answering
    async def get_revisions(
        self,
        id: Id,
        cursor: Cursor = None,
    ) -> dict[str, Any]:
        """What was changed in one article after publication: each version beside the one before it, by paragraphs."""
        page = _page(MOST_ROWS, cursor, (int,))
        skipped = page.after[0] if page.after else 0
        async with self._reader.session() as news:
            _there(await articles.one_listed(news, id), f"no article {id}")
            rows = (await changes.revisions(news, id))[max(skipped, 0) :]
        answer = Answer()
        shown = answer.items(rows, LONG, is_paged=True)
        behind = _cursor(max(skipped, 0) + len(shown)) if len(shown) < len(rows) else None
        return answer.finished(items=shown, next=behind)

    @answering
    async def latest_stories(
        self,
        source: Source = None,
        least_sources: Annotated[int, Field(ge=1, le=1000, description="Told by at least so many sources")] = 2,
        since: Since = None,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> dict[str, Any]:
        """List stories: articles of several sources about one event, the story that grew last first."""
        page = _page(limit, cursor, stories.CURSOR)
        async with self._reader.session() as news:
            rows = await stories.latest(
                news, page, source=_text("source", source), least_sources=least_sources, since=_moment("since", since)
            )
        return Answer().page(rows, "last_seen_at", "id")

    @answering
    async def get_story(self, id: Id) -> dict[str, Any]:
        """One story with its articles in the order in which they were seen: who was first, who followed."""
        async with self._reader.session() as news:
            row = _there(await stories.one(news, id), f"no story {id}")
            members = await stories.members(news, id, 200)
        answer = Answer()
        return answer.finished(story=answer.item(row), articles=answer.items(members))

    @answering
    async def latest_families(
        self,
        source: Source = None,
        between_sources: Annotated[bool, Field(description="Only texts that more than one source has")] = False,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> dict[str, Any]:
        """List families: texts that several articles have, such as agency reports, the one copied last first."""
        page = _page(limit, cursor, texts.CURSOR)
        async with self._reader.session() as news:
            rows = await texts.families(news, _text("source", source), page, is_foreign=between_sources)
        return Answer().page(rows, "last_seen_at", "id")

    @answering
    async def get_family(self, id: Id) -> dict[str, Any]:
        """One family with its copies: who had the text first, who copied it, how much each kept and added (0 to 1)."""
        async with self._reader.session() as news:
            row = _there(await texts.family(news, id), f"no family {id}")
            copies = await texts.copies(news, id, 200)
        answer = Answer()
        return answer.finished(family=answer.item(row), copies=answer.items(_only(one, COPY) for one in copies))

    @answering
    async def recent_edits(
        self,
        source: Source = None,
        what: Annotated[str, Field(description=f"Only these: {', '.join(EDITS)}")] = "all",
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> dict[str, Any]:
        """List what was changed after publication, latest first: corrections, headlines, texts, taken down, back."""
        page = _page(limit, cursor, changes.CURSOR)
        chosen = _choice("what", what, EDITS) or "all"
        async with self._reader.session() as news:
            rows = await changes.edits(news, page, source=_text("source", source), what=chosen)
        return Answer().page(rows, "id")

    @answering
    async def changes_since(
        self,
        after: Annotated[int, Field(ge=0, le=LARGEST_ID, description="`next` of the answer before; 0: all")] = 0,
        limit: Limit = 50,
    ) -> dict[str, Any]:
        """Every change in the order of the commits, oldest first; none is ever skipped. To keep up, remember `next`.

        `latest` is the number of the last change there is: begin with it to hear only of what comes.
        """
        async with self._reader.session() as news:
            rows = await changes.since(news, after, limit)
            titles = await articles.by_id(news, sorted({row["article_id"] for row in rows}))
            latest = await changes.last(news)
        titled = ({**row, "title": titles.get(row["article_id"], {}).get("title")} for row in rows)
        answer = Answer()
        shown = answer.items(titled, is_paged=True)
        return answer.finished(items=shown, next=shown[-1]["id"] if shown else after, latest=latest)

    @answering
    async def list_sources(
        self,
        only_problems: Annotated[bool, Field(description="Only sources that something is wrong with")] = False,
        cursor: Cursor = None,
    ) -> dict[str, Any]:
        """List the sources and their health by name: last run, articles of the last day beside what is expected.

        `problems`: failed (the last run), late (none when it was due), quiet (too few articles), redesigned (texts
        are no longer where they were), alarm (it deviates from its own history).
        """
        page = _page(MOST_ROWS, cursor, (str,))
        rows = await self._reader.kept("sources", 30, sources.all_of_them)
        now = datetime.now(UTC)
        judged = [{"problems": alarms_of(row, now), **_only(row, SOURCE)} for row in rows]
        wanted = [row for row in judged if row["problems"] or not only_problems]
        if page.after:
            names = [row["name"] for row in rows]  # in the order of the database, which need not be ours
            done = set(names[: names.index(page.after[0]) + 1]) if page.after[0] in names else set()
            wanted = [row for row in wanted if row["name"] not in done]
        answer = Answer()
        shown = answer.items(wanted[:MOST_ROWS], is_paged=True)
        behind = _cursor(wanted[len(shown) - 1]["name"]) if len(shown) < len(wanted) else None
        return answer.finished(items=shown, next=behind)

    @answering
    async def get_source(self, name: Annotated[str, Field(description="`name` in list_sources")]) -> dict[str, Any]:
        """One source: its health, where it is looked at, its last runs, what was rejected and why, with examples."""
        known = _required("name", _text("name", name))
        async with self._reader.session() as news:
            row = _there(await sources.one(news, known), "no such source; list_sources names them")
            documents = await sources.documents(news, known)
            runs = await sources.runs(news, known, Page(5))
            rejected = await sources.reasons(news, known)
        answer = Answer()
        return answer.finished(
            source={"problems": alarms_of(row, datetime.now(UTC)), **answer.item(row, LONG)},
            runs=answer.items(runs.rows),
            documents=answer.items(documents),
            rejected=answer.items(rejected),
        )

    @answering
    async def explain_url(
        self, url: Annotated[str, Field(description="An address of the web, in any spelling")]
    ) -> dict[str, Any]:
        """What became of an address: where it was found, each attempt, how it ended and why, the article it became."""
        asked = _required("url", _text("url", url, 4000))
        async with self._reader.session() as news:
            found = await queries.explain.explain(news, asked)
        answer = Answer()
        return answer.finished(
            is_known=bool(found["pages"] or found["article_id"] or found["archive"]),
            article_id=found["article_id"],
            **{name: answer.items(found[name]) for name in ("pages", "attempts", "runs", "archive")},
        )


# Columns that an article has twice over, or that say nothing to an agent.
UNSHOWN = frozenset(("text", "text_markdown", "url", "amp_url", "sections", "headings", "reader_version", "pages_read",
                     "pages_total"))  # fmt: skip
VERSION = ("version", "is_current", "fetched_at", "word_count", "title", "correction")
COPY = ("copy_id", "copy_source", "copy_url", "copy_title", "copy_published_at", "copy_first_seen_at", "agency",
        "likeness", "similarity", "kept", "own", "seen_after", "published_after")  # fmt: skip
SOURCE = ("name", "title", "homepage", "language", "enabled", "articles", "last_article_at", "articles_last_day",
          "expected_per_day", "pending", "last_run_outcome", "last_run_ended_at", "last_run_error",
          "next_run_at")  # fmt: skip


def _only(row: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: row[name] for name in names if name in row}


def _there(row: Any, missing: str) -> Any:
    if row is None:
        raise ToolError(f"there is {missing}")
    return row


def _cursor(value: Any) -> str:
    return cursor([value])


def _given(name: str, value: str | None) -> Parameters:
    return Parameters(QueryParams([(name, value)] if value is not None else []))


def _text(name: str, value: str | None, longest: int = 200) -> str | None:
    return _given(name, value).text(name, longest)


def _required(name: str, value: str | None) -> str:
    if value is None:
        raise BadParameter(name, "a value")
    return value


def _choice(name: str, value: str | None, choices: tuple[str, ...]) -> str | None:
    return _given(name, value).choice(name, choices)


def _moment(name: str, value: str | None, *, is_end: bool = False) -> datetime | None:
    return _given(name, value).moment(name, is_end=is_end)


def _page(limit: int, text: str | None, kinds: tuple[type, ...]) -> Page:
    try:
        return Page(limit, position(text, kinds) if text else None)
    except BadCursor:
        raise BadParameter("cursor", "`next` of the answer before") from None
