"""Templates: Jinja with everything escaped, and what all pages share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request

from webapp import i18n, moments
from webapp.compiling import RowEnvironment
from webapp.formats import View
from webapp.i18n import Language
from webapp.moments import Clock

HERE = Path(__file__).parent
THEMES = ("auto", "light", "dark")
YEAR = 365 * 86400

# Address, its name in the masthead, the key that leads there after g.
PLACES = (
    ("/", "Now", "n"),
    ("/search", "Search", "s"),
    ("/stories", "Stories", "t"),
    ("/families", "Copies", "f"),
    ("/changes", "Changes", "c"),
    ("/sources", "Sources", "q"),
    ("/watchlists", "Watchlists", "w"),
    ("/explain", "Explain", "e"),
    ("/database", "Database", "d"),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """Who reads: language of the interface, zone, theme."""

    language: Language
    clock: Clock
    theme: str


def reading(request: Request, default_zone: str) -> Reading:
    """From cookies, else from what the browser says."""
    code = request.cookies.get("ui", "")
    if code not in i18n.LANGUAGES:
        code = i18n.preferred(request.headers.get("accept-language", ""))
    language = i18n.language(code)
    zone = moments.zone_named(request.cookies.get("zone", "")) or moments.zone_named(default_zone) or ZoneInfo("UTC")
    theme = request.cookies.get("theme", "auto")
    return Reading(language, Clock(zone, language), theme if theme in THEMES else "auto")


def environment() -> Environment:
    """Jinja's, for the templates of this package."""
    made = RowEnvironment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["web_address"] = web_address
    made.filters["marked"] = marked
    made.filters["shortened"] = shortened
    made.filters["pair"] = lambda value: (value, value)
    made.filters["host"] = lambda url: urlsplit(str(url)).hostname or ""
    return made


def web_address(url: str | None) -> str:
    """*url* where it leads to the web; nothing else becomes a link (javascript:, data:)."""
    try:
        scheme = urlsplit(url or "").scheme.lower()
    except ValueError:
        return ""
    return str(url) if scheme in ("http", "https") else ""


def shortened(url: str, longest: int = 46) -> str:
    """An address for people: without its scheme, the middle left out where it is long."""
    text = str(url).partition("://")[2] or str(url)
    return text if len(text) <= longest else f"{text[: longest // 2]}…{text[-longest // 2 + 1 :]}"


def marked(snippet: str) -> Markup:
    """A snippet of news.search, in which the words found stand in «»: those become ``<mark>``, the rest is escaped.

    The sign may stand in the text itself; then something else is marked, and nothing is broken.
    """
    text = str(escape(snippet))
    parts = text.split("«")
    made = [parts[0]]
    for part in parts[1:]:
        word, sign, rest = part.partition("»")
        made.append(f"<mark>{word}</mark>{rest}" if sign else f"«{part}")
    return Markup("".join(made))


class Renderer:
    """Makes pages of views."""

    def __init__(self, default_zone: str, version: str, style_tag: str):
        self._environment = environment()
        self.default_zone = default_zone
        self.version = version
        self.style_tag = style_tag

    def page(self, request: Request, view: View, **more: Any) -> str:
        """The page of *view*, as HTML."""
        reader: Reading = request.state.reading
        clock = reader.clock
        values: dict[str, Any] = {
            "_": reader.language,
            "clock": clock,
            "theme": reader.theme,
            "view": view,
            "path": request.url.path,
            "places": PLACES,
            "query": request.query_params,
            "canonical": str(request.url.remove_query_params(["format", "ui", "theme"])),
            "base": str(request.base_url).rstrip("/"),
            "address": lambda **changes: address(request, changes),
            "when": lambda at, shown=None, precision=None: time_element(clock, at, shown, precision),
            "translated": lambda words: [(word, reader.language(word)) for word in words],
            "now": datetime.now(UTC),
            "version": self.version,
            "style_tag": self.style_tag,
            "next_url": address(request, {"cursor": view.next}) if view.next else None,
            **view.data,
            **more,
        }
        return self._environment.get_template(view.template).render(values)


def address(request: Request, changes: Mapping[str, Any]) -> str:
    """The address of this page with some parameters changed (None: left out), from the first row on."""
    query = {name: value for name, value in request.query_params.items() if name not in ("ui", "theme", "cursor")}
    query |= changes
    text = urlencode({name: value for name, value in query.items() if value not in (None, "")})
    return f"{request.url.path}?{text}" if text else request.url.path


@lru_cache(maxsize=20_000)  # a list has a hundred of them, and most were on the page before
def _time_element(zone: ZoneInfo, language: Language, at: datetime, shown: str | None, precision: str | None) -> Markup:
    clock = Clock(zone, language)
    text = shown if shown is not None else clock.moment(at, precision)
    title = clock.day(at) if precision == "day" else clock.exact(at)
    return Markup(f'<time datetime="{moments.iso(at)}" title="{escape(title)}">{escape(text)}</time>')


def time_element(clock: Clock, at: datetime | None, shown: str | None = None, precision: str | None = None) -> Markup:
    """``<time>`` with the exact one on hover; a dash where there is none."""
    return Markup("–") if at is None else _time_element(clock.zone, clock.language, at, shown, precision)
