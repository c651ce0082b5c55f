"""What the API answers: one ``Endpoint`` for each address. Routes and the OpenAPI document are made of this table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from webapp import queries
from webapp.queries import articles, changes, search, sources, stories, texts, watchlists
from webapp.queries.articles import KINDS, LISTED, ArticleFilter
from webapp.queries.paging import Page, Rows, cursor
from webapp.queries.search import LONGEST_QUERY, MOST, Wanted
from webapp.reader import News

Values = Mapping[str, Any]


class Missing(LookupError):
    """There is no such thing; the message says what."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query, or of the path. ``kind``: text, integer, flag, moment, or choice."""

    name: str
    about: str
    kind: str = "text"
    choices: tuple[str, ...] = ()
    longest: int = 200
    least: int = 0
    most: int = 2**63 - 1
    is_required: bool = False
    is_path: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address. ``views`` are those of schema news whose columns an item may have, ``more`` what it has besides.

    A list answers ``{"items": [..], "next": cursor or null}``; anything else answers one object, with ``lists`` of
    items.
    """

    path: str
    name: str
    about: str
    answer: Callable[[News, Values, Page], Awaitable[Any]]
    views: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parameters: tuple[Parameter, ...] = ()
    cursor: tuple[type, ...] = ()
    is_list: bool = True
    kept: float = 0  # seconds that an answer may be old: what counts everything


SOURCE = Parameter("source", "Only of this source")
LANGUAGE = Parameter("language", "Only in this language (ISO 639-1)", longest=10)
SINCE = Parameter("since", "From then on", "moment")
UNTIL = Parameter("until", "Before then; a day is meant to its end", "moment")
QUERY = Parameter(
    "q", 'Words that are all wanted; "in this order", -without, one or other', longest=LONGEST_QUERY, is_required=True
)
ID = Parameter("id", "Number", "integer", least=1, is_path=True)
NAME = Parameter("name", "Name", is_path=True)
LISTED_COLUMNS = tuple(name.strip() for name in LISTED.replace("\n", " ").split(","))


def _filter(values: Values) -> ArticleFilter:
    names = ("source", "language", "section", "kind", "agency", "is_free", "since", "until")
    return ArticleFilter(**{name: values[name] for name in names}, copies=values["copies"] is not False)


def _wanted(values: Values) -> Wanted:
    return Wanted(values["q"], values["language"], values["source"], values["since"], values["until"])


def _there(row: Any, what: str) -> Any:
    if row is None:
        raise Missing(f"there is no such {what}")
    return row


async def _articles(news: News, values: Values, page: Page) -> Rows:
    return await articles.latest(news, _filter(values), page)


async def _article(news: News, values: Values, page: Page) -> Any:
    row = _there(await articles.one(news, values["id"]), "article")
    story = await stories.of_articles(news, [row["id"]])
    return {
        **row,
        "removed": await articles.removed(news, row["id"], row["version"]),
        "absences": await articles.absences(news, row["id"]),
        "copies": await texts.copies(news, row["copy_of"] or row["id"], 200),
        "story_id": story[row["id"]]["id"] if row["id"] in story else None,
    }


async def _versions(news: News, values: Values, page: Page) -> Rows:
    _there(await articles.one_listed(news, values["id"]), "article")
    return Rows(await articles.versions(news, values["id"]))


async def _revisions(news: News, values: Values, page: Page) -> Rows:
    _there(await articles.one_listed(news, values["id"]), "article")
    return Rows(await changes.revisions(news, values["id"]))


async def _metadata(news: News, values: Values, page: Page) -> Rows:
    _there(await articles.one_listed(news, values["id"]), "article")
    return Rows(await articles.metadata(news, values["id"]))


async def _search(news: News, values: Values, page: Page) -> Rows:
    offset = min(max(page.after[0], 0), MOST) if page.after else 0
    rows = await search.found(news, _wanted(values), page.size, offset)
    is_more = len(rows) > page.size and offset + page.size < MOST
    return Rows(rows[: page.size], cursor([offset + page.size]) if is_more else None)


async def _mentions(news: News, values: Values, page: Page) -> Rows:
    return Rows(await search.mentions(news, _wanted(values), values["bucket"] or "day", "UTC"))


async def _stories(news: News, values: Values, page: Page) -> Rows:
    least = values["sources"] or 1
    return await stories.latest(news, page, source=values["source"], least_sources=least, since=values["since"])


async def _story(news: News, values: Values, page: Page) -> Any:
    row = _there(await stories.one(news, values["id"]), "story")
    members = await stories.members(news, values["id"])
    return {**row, "members": members}


async def _families(news: News, values: Values, page: Page) -> Rows:
    return await texts.families(news, values["source"], page, is_foreign=values["foreign"] is True)


async def _family(news: News, values: Values, page: Page) -> Any:
    row = _there(await texts.family(news, values["id"]), "family")
    return {**row, "copies": await texts.copies(news, values["id"])}


async def _edits(news: News, values: Values, page: Page) -> Rows:
    named = {name: values[name] for name in ("source", "since", "until")}
    return await changes.edits(news, page, what=values["what"] or "all", **named)


async def _changes(news: News, values: Values, page: Page) -> Rows:
    """Its cursor is the number of the last change, so ``next`` is there even where nothing is behind it yet."""
    after = values["after"] or 0
    rows = await changes.since(news, after, page.size)
    return Rows(rows, str(rows[-1]["id"] if rows else after))


async def _sources(news: News, values: Values, page: Page) -> Rows:
    return Rows(await sources.all_of_them(news))


async def _source(news: News, values: Values, page: Page) -> Any:
    row = _there(await sources.one(news, values["name"]), "source")
    return {
        **row,
        "documents": await sources.documents(news, values["name"]),
        "rejected": await sources.reasons(news, values["name"]),
    }


async def _runs(news: News, values: Values, page: Page) -> Rows:
    return await sources.runs(news, values["source"], page, outcome=values["outcome"])


async def _rejections(news: News, values: Values, page: Page) -> Rows:
    return await sources.rejections(news, values["source"], values["reason"], page)


async def _matches(news: News, values: Values, page: Page) -> Rows:
    return await watchlists.matches(news, values["watch"], page)


async def _watchlists(news: News, values: Values, page: Page) -> Rows:
    return Rows(await watchlists.all_of_them(news))


async def _explain(news: News, values: Values, page: Page) -> Any:
    return await queries.explain.explain(news, values["url"])


async def _database(news: News, values: Values, page: Page) -> Any:
    return {**await queries.database.size(news), "articles": await queries.database.articles(news)}


INTEGER, TEXT, TIME = (
    {"type": ["integer", "null"]},
    {"type": ["string", "null"]},
    {"type": ["string", "null"], "format": "date-time"},
)

ENDPOINTS: Sequence[Endpoint] = (
    Endpoint(
        "/articles",
        "articles",
        "The latest articles, the one seen last first",
        _articles,
        ("articles",),
        LISTED_COLUMNS,
        parameters=(
            SOURCE,
            LANGUAGE,
            Parameter("section", "Only of this section"),
            Parameter("kind", "Only of this kind", "choice", KINDS),
            Parameter("agency", "Only with this agency"),
            Parameter("is_free", "false: only what is behind a paywall; true: only what is not", "flag"),
            SINCE,
            UNTIL,
            Parameter("copies", "false: every text once", "flag"),
        ),
        cursor=articles.CURSOR,
    ),
    Endpoint(
        "/articles/{id}",
        "article",
        "One article with its text, what was left out, and its copies",
        _article,
        ("articles",),
        more={"story_id": INTEGER},
        is_list=False,
        parameters=(ID,),
        lists={"removed": ("removed",), "absences": ("absences",), "copies": ("copies",)},
    ),
    Endpoint(
        "/articles/{id}/versions", "versions", "Its wordings, first to last", _versions, ("versions",), parameters=(ID,)
    ),
    Endpoint(
        "/articles/{id}/revisions",
        "revisions",
        "What was changed from each wording to the next",
        _revisions,
        ("revisions",),
        parameters=(ID,),
    ),
    Endpoint(
        "/articles/{id}/metadata",
        "metadata",
        "What its page stated beside the words (authors, times, section, paywall ...), first to last",
        _metadata,
        ("page_metadata",),
        parameters=(ID,),
    ),
    Endpoint(
        "/search",
        "search",
        "Articles that have the words, the best first",
        _search,
        more={
            "article_id": INTEGER,
            "rank": {"type": "number"},
            "published_at": TIME,
            "source_name": TEXT,
            "title": TEXT,
            "snippet": TEXT,
            "canonical_url": TEXT,
            "language": TEXT,
            "copy_of": INTEGER,
        },
        parameters=(QUERY, LANGUAGE, SOURCE, SINCE, UNTIL),
        cursor=(int,),
    ),
    Endpoint(
        "/mentions",
        "mentions",
        "How often the words were written, by hour, day, week or month (UTC)",
        _mentions,
        kept=60,
        more={"at": TIME, "articles": INTEGER, "without_copies": INTEGER, "sources": INTEGER},
        parameters=(
            QUERY,
            LANGUAGE,
            SOURCE,
            SINCE,
            UNTIL,
            Parameter("bucket", "How long each is", "choice", ("hour", "day", "week", "month")),
        ),
    ),
    Endpoint(
        "/stories",
        "stories",
        "Stories of two articles or more, the one that grew last first",
        _stories,
        ("stories",),
        parameters=(
            SOURCE,
            SINCE,
            Parameter("sources", "Told by at least so many sources", "integer", least=1, most=1000),
        ),
        cursor=stories.CURSOR,
    ),
    Endpoint(
        "/stories/{id}",
        "story",
        "One story with its articles in the order in which they were seen",
        _story,
        ("stories",),
        is_list=False,
        parameters=(ID,),
        lists={"members": ("story_articles", "articles")},
    ),
    Endpoint(
        "/families",
        "families",
        "Texts that several articles have, the one copied last first",
        _families,
        ("families",),
        more={"last_copied_at": TIME},
        parameters=(SOURCE, Parameter("foreign", "true: only copies between sources", "flag")),
        cursor=texts.CURSOR,
    ),
    Endpoint(
        "/families/{id}",
        "family",
        "One of them with its copies",
        _family,
        ("families",),
        is_list=False,
        parameters=(ID,),
        lists={"copies": ("copies",)},
    ),
    Endpoint(
        "/edits",
        "edits",
        "What was changed after publication, taken down, and came back, latest first",
        _edits,
        ("revisions", "absences", "changes"),
        more={"change": TEXT},
        parameters=(
            SOURCE,
            Parameter("what", "Only these", "choice", ("all", "corrections", "headlines", "texts", "gone")),
            SINCE,
            UNTIL,
        ),
        cursor=changes.CURSOR,
    ),
    Endpoint(
        "/changes",
        "changes",
        "Every change in the order of the commits: none is ever skipped. `next` is the "
        "`after` of the "
        "next question, also where nothing is behind it yet",
        _changes,
        ("changes",),
        parameters=(Parameter("after", "Only those behind the change of this number", "integer"),),
    ),
    Endpoint("/sources", "sources", "All sources", _sources, ("sources",), kept=20),
    Endpoint(
        "/sources/{name}",
        "source",
        "One source, where it is looked at and what was rejected",
        _source,
        ("sources",),
        is_list=False,
        parameters=(NAME,),
        lists={"documents": ("documents",), "rejected": ("reasons",)},
    ),
    Endpoint(
        "/runs",
        "runs",
        "Runs, latest first",
        _runs,
        ("runs",),
        parameters=(
            SOURCE,
            Parameter("outcome", "Only with this outcome", "choice", ("running", "finished", "failed", "stopped")),
        ),
        cursor=sources.RUN_CURSOR,
    ),
    Endpoint(
        "/rejections",
        "rejections",
        "Pages that are no article, latest first",
        _rejections,
        ("rejections",),
        parameters=(SOURCE, Parameter("reason", "Only for this reason", longest=40)),
        cursor=sources.REJECTION_CURSOR,
    ),
    Endpoint(
        "/watchlists",
        "watchlists",
        "Watchlists, with how much they have found",
        _watchlists,
        ("watchlists",),
        kept=30,
    ),
    Endpoint(
        "/matches",
        "matches",
        "What matched the watchlists, latest first",
        _matches,
        ("matches",),
        more={"teaser": TEXT, "language": TEXT},
        parameters=(Parameter("watch", "Only this watchlist"),),
        cursor=watchlists.CURSOR,
    ),
    Endpoint(
        "/explain",
        "explain",
        "What became of an address",
        _explain,
        is_list=False,
        more={"url": TEXT, "article_id": INTEGER},
        parameters=(Parameter("url", "The address, in any spelling", longest=4000, is_required=True),),
        lists={"pages": ("pages",), "attempts": ("attempts",), "runs": ("page_runs",), "archive": ("archive_records",)},
    ),
    Endpoint(
        "/database",
        "database",
        "How large the database is",
        _database,
        is_list=False,
        kept=30,
        more={"bytes": INTEGER, "articles": INTEGER},
        lists={"tables": ("storage",)},
    ),
)

# Items that are no rows of a view.
SHAPES: Mapping[str, Mapping[str, Any]] = {
    "reasons": {
        "reason": TEXT,
        "pages": INTEGER,
        "last_at": TIME,
        "examples": {"type": "array", "items": {"type": "string"}},
    },
}
