"""What the reader is told about a page's source: a value that goes in beside the page, so that reading stays pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from pipelines.reading.body.boilerplate import Phrases

# Goes up when the same page would be read differently, so that a replay can tell which rows are out of date.
READER_VERSION = "6"


@dataclass(frozen=True, slots=True)
class SiteRules:
    """The ``[read]`` table of a source file. Every selector is CSS, or XPath where it starts with ``/`` or ``.``."""

    keep: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    title: str | None = None
    teaser: str | None = None
    authors: str | None = None
    section: str | None = None
    published: str | None = None
    modified: str | None = None
    next_page: str | None = None
    phrases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteModel:
    """What a source's own pages have taught the reader up to now. ``state`` names the stored state, for replays.

    ``learning`` asks the reader to look closer at what it reads, for the next site model; the text is the same.
    """

    state: int = 0
    containers: tuple[str, ...] = ()
    repeated: frozenset[int] = frozenset()
    learning: bool = False


@dataclass(frozen=True, slots=True)
class RightsPolicy:
    """What follows where a site reserves its rights. ``on`` are the statements that count as a reservation."""

    then: str = "record"
    on: tuple[str, ...] = ("tdm_reservation", "noai")


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that reading a page may depend on besides the page.

    ``phrases`` maps a language code to its boilerplate phrases (``config/boilerplate/*.toml``); ``language`` is the one
    the source declares, used where the page does not say and the text is too short to tell.
    """

    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Berlin"))
    language: str | None = None
    phrases: dict[str, Phrases] = field(default_factory=dict)
    site: SiteRules = SiteRules()
    site_model: SiteModel = SiteModel()
    rights: RightsPolicy = RightsPolicy()
