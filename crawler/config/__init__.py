"""``config/`` as checked values: settings.toml, one file per source, boilerplate phrases.

``load(folder)`` returns a ``Configuration``, or raises one ``ConfigError`` that lists every mistake of every file: the
file, the key, what was expected and, for an unknown key, the nearest one that exists. Nothing starts with a bad
configuration, so everything that can be checked without the network is checked here: addresses, patterns, selectors,
times, time zones.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator
from pydantic_core import ErrorDetails

from crawler.config.values import (
    Allowed,
    Country,
    CronText,
    Duration,
    HeaderName,
    HeaderValue,
    HostName,
    Language,
    ParamName,
    Pattern,
    PositiveDuration,
    ProxyAddress,
    SearchWords,
    Selector,
    Size,
    TimeZone,
    WebAddress,
)
from crawler.slots import Cron, Every, Slots
from pipelines.reading.body.boilerplate import Phrases
from pipelines.reading.rules import Rules, SiteRules
from pipelines.recheck import RecheckPlan

Model = TypeVar("Model", bound="Table")

SOURCE_NAME = re.compile(r"[a-z0-9_-]{1,60}")
#: runs of stored pages are listed under this name, so no source may have it
REPLAY = "replay"
#: a config file is written by hand; one that is larger is something else
LARGEST_FILE = 1_000_000


class Table(BaseModel):
    """A TOML table: unknown keys are mistakes, text is never taken for a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


# --- settings.toml ---------------------------------------------------------------------------------------------------


class Politeness(Table):
    delay: Duration = Field(timedelta(seconds=1), description="Least time between two requests to the same host.")
    jitter: Duration = Field(
        timedelta(milliseconds=500), description="Up to this much is added to the delay by chance."
    )
    concurrency_per_host: int = Field(2, ge=1, le=32, description="Most requests at one host at the same moment.")
    longest_retry_after: PositiveDuration = Field(
        timedelta(days=1), description="A Retry-After that asks for more than this is taken for this."
    )


class ArchiveSettings(Table):
    enabled: bool = Field(True, description="Keep every fetched article page as WARC, so that it can be read again.")
    folder: str | None = Field(None, description="Where the archive lies; unset: NACHLESE_HOME/archive.")


class Retention(Table):
    """``[retention]``: what is deleted after a time. Article rows never are."""

    archive: PositiveDuration | None = Field(None, description="Archive files are deleted after this; unset: never.")
    versions: PositiveDuration | None = Field(
        None, description="Wordings that are not current are deleted after this; unset: never."
    )
    bookkeeping: PositiveDuration | None = Field(
        timedelta(days=90), description="Requests, and the endings of pages in old runs, are deleted after this."
    )


class Limits(Table):
    timeout: PositiveDuration = Field(timedelta(seconds=30), description="Longest time for one request, start to end.")
    page: Size = Field(10_000_000, description="Largest article page, after decompression.")
    document: Size = Field(20_000_000, description="Largest feed, sitemap or section page, after decompression.")
    headers: Size = Field(64_000, description="Largest set of response headers.")
    redirects: int = Field(5, ge=0, le=20, description="Most redirects followed for one address.")
    article_pages: int = Field(20, ge=1, le=200, description="Most pages of one article that are fetched and joined.")
    links: int = Field(5000, ge=1, le=50_000, description="Most links taken from one feed, sitemap or section page.")
    sitemaps: int = Field(50, ge=1, le=1000, description="Most sitemaps followed from one sitemap index.")
    sitemap_depth: int = Field(2, ge=0, le=5, description="How many indexes deep sitemaps are followed.")
    pending: int = Field(
        5000, ge=1, le=1_000_000, description="Most pages of one source that wait to be fetched; the newest are kept."
    )
    pages_per_run: int = Field(
        1000, ge=1, le=100_000, description="Most pages fetched in one run; the rest waits for the next."
    )


class CrawlSettings(Table):
    concurrency: int = Field(16, ge=1, le=500, description="Most requests in flight in one run.")
    sources_at_once: int = Field(
        8, ge=1, le=100, description="For so many sources pages may lie in memory and wait to be read (16 MB each)."
    )
    readers: int = Field(0, ge=0, le=128, description="Processes that read pages; 0: one a core.")
    reader_timeout: PositiveDuration = Field(timedelta(seconds=30), description="Longest time for reading one page.")
    reader_memory: Size = Field(200_000_000, description="Most memory one reading process may take.")


class RecheckSettings(Table):
    """``[recheck]``: how often a stored article is looked at again, to see what its site has changed."""

    enabled: bool = Field(True, description="false: a stored article is asked for again by `nachlese recheck` only.")
    first: PositiveDuration = Field(
        timedelta(minutes=30), description="The first look comes so long after the fetch; none comes sooner."
    )
    longest: PositiveDuration = Field(
        timedelta(days=3), le=timedelta(days=30), description="Longest time between two looks."
    )
    until: PositiveDuration = Field(
        timedelta(days=14), description="Articles that are older than this are not looked at again."
    )
    unchanged: int = Field(
        5, ge=1, le=100, description="After so many looks in a row without a change, an article of a day is left alone."
    )

    @model_validator(mode="after")
    def first_is_not_after_longest(self) -> RecheckSettings:
        if self.first > self.longest:
            raise ValueError("first must not be longer than longest")
        return self

    def plan(self) -> RecheckPlan:
        return RecheckPlan(**self.model_dump())


class ReadingSettings(Table):
    learn: bool = Field(
        True, description="Learn from a source's own pages where its articles stand and what repeats under them."
    )


class BrowserSettings(Table):
    """``[browser]``: for sources with ``render``; it needs the extra ``nachlese[browser]`` and a Chromium."""

    executable: str = Field("", max_length=500, description="Path of the Chromium; empty: the system's.")
    timeout: PositiveDuration = Field(timedelta(seconds=20), description="Longest time for the scripts of one page.")


class ScheduleDefaults(Table):
    every: PositiveDuration = Field(
        timedelta(minutes=15), description="How often a source runs that does not say it itself."
    )
    jitter: Duration = Field(timedelta(seconds=30), description="A run starts up to this much later, by chance.")
    stop_within: PositiveDuration = Field(
        timedelta(seconds=15), description="What is in flight at a stop gets this long to finish."
    )
    lease: PositiveDuration = Field(
        timedelta(minutes=2), description="A run whose process gave no sign for so long may be taken over."
    )


class Settings(Table):
    """``config/settings.toml``: what an operator changes without review."""

    contact: str = Field("", max_length=200, description="Address or mail that site owners find in the user agent.")
    user_agent: str = Field("", max_length=300, description="The whole user agent; empty: Nachlese/VERSION (+contact).")
    time_zone: TimeZone = Field("Europe/Berlin", description="Zone of sources that do not state theirs.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="How much is logged.")
    politeness: Politeness = Politeness()
    archive: ArchiveSettings = ArchiveSettings()
    retention: Retention = Retention()
    limits: Limits = Limits()
    crawl: CrawlSettings = CrawlSettings()
    recheck: RecheckSettings = RecheckSettings()
    reading: ReadingSettings = ReadingSettings()
    schedule: ScheduleDefaults = ScheduleDefaults()
    browser: BrowserSettings = BrowserSettings()
    scrapy: dict[str, Any] = Field(
        default_factory=dict, description="Any setting of Scrapy, for all sources; [scrapy.custom] for your own."
    )

    @model_validator(mode="after")
    def header_is_one_line(self) -> Settings:
        for key in ("contact", "user_agent"):
            if not getattr(self, key).isprintable() or not getattr(self, key).isascii():
                raise ValueError(f"{key} goes into an HTTP header: one line, ASCII only")
        return self


# --- sources/NAME.toml -----------------------------------------------------------------------------------------------


class LinkRules(Table):
    """``[discover.links]``: which links are articles."""

    allow: list[Pattern] = Field(
        default_factory=list, max_length=100, description="Only addresses that match one of these."
    )
    deny: list[Pattern] = Field(
        default_factory=list, max_length=100, description="No address that matches one of these."
    )
    hosts: list[HostName] = Field(
        default_factory=list,
        max_length=100,
        description="Further hosts whose articles belong to this source; subdomains included.",
    )
    css: list[Selector] = Field(
        default_factory=list, max_length=20, description="Where on a section page links are taken from (CSS or XPath)."
    )
    max_age: PositiveDuration | None = Field(
        None, description="Entries that a feed or sitemap dates older than this are left out."
    )
    max_links: int | None = Field(None, ge=1, le=50_000, description="Most links taken from one document.")
    max_pending: int | None = Field(
        None, ge=1, le=1_000_000, description="Most pages of this source that wait to be fetched; the newest are kept."
    )
    drop_params: list[ParamName] = Field(
        default_factory=list,
        max_length=100,
        description='Parameters of addresses that mean nothing, such as "sid"; "ref*": all that begin so.',
    )


class Discover(Table):
    """``[discover]``: where articles are found."""

    feeds: list[WebAddress] = Field(default_factory=list, max_length=500, description="RSS or Atom feeds.")
    sitemaps: list[WebAddress] = Field(
        default_factory=list, max_length=500, description="Sitemaps, sitemap indexes, news sitemaps."
    )
    sections: list[WebAddress] = Field(default_factory=list, max_length=500, description="Pages that list articles.")
    links: LinkRules = LinkRules()

    @model_validator(mode="after")
    def something_to_look_at(self) -> Discover:
        if not (self.feeds or self.sitemaps or self.sections):
            raise ValueError("names no place to look at; give at least one of feeds, sitemaps, sections")
        return self


class Schedule(Table):
    """``[schedule]``: how often; one of ``every`` and ``cron``."""

    every: PositiveDuration | None = Field(None, description='Time from run to run, such as "10 minutes".')
    cron: CronText | None = Field(None, description='Cron fields in the source\'s zone, such as "*/15 6-22 * * *".')
    jitter: Duration | None = Field(None, description="A run starts up to this much later, by chance.")

    @model_validator(mode="after")
    def one_of_two(self) -> Schedule:
        if self.every and self.cron:
            raise ValueError("has both every and cron; only one of them is allowed")
        if self.every and self.every < timedelta(seconds=1):
            raise ValueError("every must be at least 1 second")
        return self


class Fetch(Table):
    """``[fetch]``: how this source's hosts are asked."""

    delay: Duration | None = Field(None, description="Least time between two requests to the same host.")
    concurrency: int | None = Field(None, ge=1, le=32, description="Most requests at one host at the same moment.")
    max_pages: int | None = Field(
        None, ge=1, le=200, description="Most pages of one article that are fetched and joined."
    )
    timeout: PositiveDuration | None = Field(None, description="Longest time for one request, start to end.")
    conditional: bool = Field(
        True, description="false: never ask whether something has changed; for servers that say no when it has."
    )
    allow_addresses: list[Allowed] = Field(
        default_factory=list,
        max_length=50,
        description='Private address ranges this source may be fetched from, such as "127.0.0.1/32:8080".',
    )
    render: Literal["never", "when_empty", "browser"] = Field(
        "never", description="Which pages a browser renders: none, those without text, or all."
    )
    user_agent: HeaderValue | None = Field(None, description="The user agent for this source; unset: that of all.")
    headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict, max_length=50, description='Headers for the source\'s own site; "${NAME}" is a secret.'
    )
    cookies: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict, max_length=50, description='Cookies for the source\'s own site; "${NAME}" is a secret.'
    )
    proxy: ProxyAddress | None = Field(
        None, description='Proxy for all requests of this source, such as "http://proxy.example:8080".'
    )


class Read(Table):
    """``[read]``: how this source's pages are built, where the general reader needs help."""

    keep: list[Selector] = Field(
        default_factory=list, max_length=50, description="Elements that hold the article's body."
    )
    remove: list[Selector] = Field(
        default_factory=list, max_length=200, description="Elements that never belong to an article."
    )
    title: Selector | None = Field(None, description="The element with the title.")
    teaser: Selector | None = Field(None, description="The element with the teaser.")
    authors: Selector | None = Field(None, description="The elements with the authors' names.")
    section: Selector | None = Field(None, description="The element with the section's name.")
    published: Selector | None = Field(None, description="The element with the time of publication.")
    modified: Selector | None = Field(None, description="The element with the time of the last change.")
    next_page: Selector | None = Field(None, description="The link to the next page of the same article.")
    phrases: list[Pattern] = Field(
        default_factory=list, max_length=200, description="Paragraphs that match are boilerplate here."
    )


class Expect(Table):
    """``[expect]``: what this source usually delivers, so that silence is noticed."""

    articles_per_day: int | None = Field(None, ge=0, description="New articles on an ordinary day.")


class Source(Table):
    """``config/sources/NAME.toml``: one news site."""

    title: str = Field(min_length=1, max_length=200, description="The name people know.")
    homepage: WebAddress = Field(description="The site's first page.")
    discover: Discover
    language: Language | None = Field(None, description='Language of the articles, such as "de".')
    country: Country | None = Field(None, description='Country of the publisher, such as "DE".')
    time_zone: TimeZone | None = Field(
        None, description="Zone of times that state none; unset: the one of settings.toml."
    )
    enabled: bool = Field(True, description="false: listed, but not crawled.")
    verified: bool = Field(
        True, description="false: nobody has yet seen this file deliver articles from the live site."
    )
    note: str | None = Field(None, max_length=2000, description="A sentence for the next person.")
    formerly: list[str] = Field(
        default_factory=list, max_length=20, description="Former names of this source; what they have becomes its own."
    )
    schedule: Schedule = Schedule()
    fetch: Fetch = Fetch()
    read: Read = Read()
    expect: Expect = Expect()
    scrapy: dict[str, Any] = Field(
        default_factory=dict, description="Any setting of Scrapy, for this source; [scrapy.custom] for your own."
    )

    _name: str = PrivateAttr("")
    _settings: Settings = PrivateAttr(default_factory=Settings)
    _phrases: dict[str, Phrases] = PrivateAttr(default_factory=dict)

    @property
    def name(self) -> str:
        """The file's name without ``.toml``."""
        return self._name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone or self._settings.time_zone)

    @property
    def delay(self) -> timedelta:
        return self._settings.politeness.delay if self.fetch.delay is None else self.fetch.delay

    @property
    def concurrency(self) -> int:
        """Most requests at one host at the same moment."""
        return self.fetch.concurrency or self._settings.politeness.concurrency_per_host

    @property
    def timeout(self) -> timedelta:
        return self.fetch.timeout or self._settings.limits.timeout

    @property
    def max_pages(self) -> int:
        return self.fetch.max_pages or self._settings.limits.article_pages

    @property
    def max_links(self) -> int:
        return self.discover.links.max_links or self._settings.limits.links

    @property
    def max_pending(self) -> int:
        """Most pages that wait to be fetched."""
        return self.discover.links.max_pending or self._settings.limits.pending

    @property
    def jitter(self) -> timedelta:
        return self._settings.schedule.jitter if self.schedule.jitter is None else self.schedule.jitter

    def slots(self) -> Slots:
        """When this source is due."""
        if self.schedule.cron:
            return Cron.parse(self.schedule.cron, self.zone)
        return Every.of(self.schedule.every or self._settings.schedule.every, self.name)

    def rules(self) -> Rules:
        """What the reader is told about this source."""
        table = self.read.model_dump()
        frozen: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in table.items()
        }
        site = SiteRules(**frozen)
        return Rules(time_zone=self.zone, language=self.language, phrases=self._phrases, site=site)

    def bound(self, name: str, settings: Settings, phrases: dict[str, Phrases]) -> Source:
        """The same source with what lies outside its file."""
        copy = self.model_copy()
        copy._name, copy._settings, copy._phrases = name, settings, phrases
        return copy


# --- watch/NAME.toml -------------------------------------------------------------------------------------------------


class Watch(Table):
    """``config/watch/NAME.toml``: what somebody wants to be told of. An article matches with any word or phrase."""

    title: str = Field(min_length=1, max_length=200, description="The name people know.")
    words: list[SearchWords] = Field(
        default_factory=list, max_length=200, description="Words; of an entry with several, all are wanted."
    )
    phrases: list[SearchWords] = Field(default_factory=list, max_length=200, description="Words in this order.")
    without: list[SearchWords] = Field(
        default_factory=list, max_length=200, description="An article with one of these does not match."
    )
    sources: list[str] = Field(default_factory=list, max_length=500, description="Only these sources; unset: all.")
    languages: list[Language] = Field(default_factory=list, max_length=50, description="Only these; unset: all.")
    webhook: WebAddress | None = Field(None, description="Where matches are sent as JSON.")
    allow_addresses: list[Allowed] = Field(
        default_factory=list,
        max_length=50,
        description='Private address ranges that the webhook may be in, such as "10.1.2.3/32:8080".',
    )

    _name: str = PrivateAttr("")

    @property
    def name(self) -> str:
        """The file's name without ``.toml``."""
        return self._name

    @model_validator(mode="after")
    def something_to_look_for(self) -> Watch:
        if not (self.words or self.phrases):
            raise ValueError("names nothing to look for; give at least one of words, phrases")
        return self

    def wanted(self) -> str:
        """What an article must have, as ``news.search`` understands it."""
        return " or ".join([*(_all_of(entry) for entry in self.words), *(f'"{entry}"' for entry in self.phrases)])

    def unwanted(self) -> str:
        return " or ".join(f'"{entry}"' for entry in self.without)

    def bound(self, name: str) -> Watch:
        copy = self.model_copy()
        copy._name = name
        return copy


def _all_of(entry: str) -> str:
    """Each word in quotation marks: 'or' is then a word like any other."""
    return " ".join(f'"{word}"' for word in entry.split())


# --- loading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mistake:
    """One wrong thing: *file* as given, *key* dotted ("" for the whole file), *says* what was expected."""

    file: Path
    key: str
    says: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.says}" if self.key else f"{self.file}: {self.says}"


class ConfigError(Exception):
    """The configuration has mistakes; nothing may start with it. ``mistakes`` has all of them."""

    def __init__(self, mistakes: list[Mistake]):
        self.mistakes = mistakes
        count = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "a mistake"
        super().__init__(f"The configuration has {count}:\n" + "\n".join(f"  {mistake}" for mistake in mistakes))


@dataclass(frozen=True)
class Configuration:
    """Everything from one config folder. ``phrases`` maps a language code to its boilerplate phrases."""

    folder: Path
    settings: Settings = field(default_factory=Settings)
    sources: dict[str, Source] = field(default_factory=dict)
    phrases: dict[str, Phrases] = field(default_factory=dict)
    watches: dict[str, Watch] = field(default_factory=dict)

    def source(self, name: str) -> Source:
        """Raise ``KeyError`` with a sentence that names the nearest source."""
        if name in self.sources:
            return self.sources[name]
        raise KeyError(f"there is no source {name!r} in {self.folder / 'sources'}{nearest(name, list(self.sources))}")

    @property
    def former_names(self) -> dict[str, str]:
        """A name that a source had -> the name that it has."""
        return {former: name for name, source in self.sources.items() for former in source.formerly}

    def rules(self) -> Rules:
        """Rules for pages that belong to no source file."""
        return Rules(time_zone=ZoneInfo(self.settings.time_zone), phrases=self.phrases)


def shipped_folder() -> Path:
    """``config/`` of the checkout, or the copy that lies in an installed package."""
    here = Path(__file__).resolve().parent.parent
    installed = here / "shipped" / "config"
    return installed if installed.is_dir() else here.parent / "config"


def default_folder() -> Path:
    """``NACHLESE_CONFIG``, or the shipped folder."""
    return Path(os.environ.get("NACHLESE_CONFIG") or shipped_folder())


def load(folder: Path | str | None = None) -> Configuration:
    """Read and check a config folder; raise ``ConfigError`` with all mistakes of all files."""
    folder = Path(folder) if folder is not None else default_folder()
    mistakes: list[Mistake] = []
    if not folder.is_dir():
        raise ConfigError([Mistake(folder, "", "there is no such folder; expected settings.toml and sources/ in it")])
    if not (folder / "sources").is_dir():
        mistakes.append(
            Mistake(folder / "sources", "", "there is no such folder; expected one .toml file per source in it")
        )
    settings = load_settings(folder / "settings.toml", mistakes)
    phrases = load_phrases(folder, mistakes)
    sources = {}
    for path in source_files(folder, mistakes):
        source = load_table(path, Source, mistakes)
        if source is not None:
            sources[path.stem] = source.bound(path.stem, settings, phrases)
    check_scrapy(folder / "settings.toml", settings.scrapy, mistakes)
    for name, source in sources.items():
        check_scrapy(folder / "sources" / f"{name}.toml", source.scrapy, mistakes)
    mistakes.extend(wrong_names(folder, sources))
    watches = load_watches(folder, sources, mistakes)
    if mistakes:
        raise ConfigError(mistakes)
    return Configuration(folder, settings, sources, phrases, watches)


def check_scrapy(path: Path, table: dict[str, Any], mistakes: list[Mistake]) -> None:
    """``[scrapy]`` of one file; without one, nothing of Scrapy is loaded."""
    if table:
        from crawler.config.scrapy_names import problems_of_table

        mistakes.extend(Mistake(path, key, says) for key, says in problems_of_table(table))


def wrong_names(folder: Path, sources: dict[str, Source]) -> Iterator[Mistake]:
    """Former names that are somebody's now, or two sources'."""
    known = {path.stem for path in (folder / "sources").glob("*.toml")}
    owners: dict[str, str] = {}
    for name, source in sources.items():
        for former in source.formerly:
            place = folder / "sources" / f"{name}.toml"
            if not SOURCE_NAME.fullmatch(former) or former == REPLAY:
                yield Mistake(place, "formerly", f"{former!r} is no name of a source")
            elif former in known:
                yield Mistake(place, "formerly", f"{former!r} has a source file of its own; remove that")
            elif owners.setdefault(former, name) != name:
                yield Mistake(place, "formerly", f"{former!r} is a former name of {owners[former]!r} already")


def load_watches(folder: Path, sources: dict[str, Source], mistakes: list[Mistake]) -> dict[str, Watch]:
    """A folder without ``watch/`` has no watchlists."""
    watches = {}
    known = {path.stem for path in (folder / "sources").glob("*.toml")}
    for path in toml_files(folder / "watch", "watchlist", mistakes):
        watch = load_table(path, Watch, mistakes)
        if watch is None:
            continue
        for name in watch.sources:
            if name not in known:
                says = f"there is no source {name!r}{nearest(name, sorted(known))}"
                mistakes.append(Mistake(path, "sources", says))
        watches[path.stem] = watch.bound(path.stem)
    return watches


def load_settings(path: Path, mistakes: list[Mistake]) -> Settings:
    """A folder without settings.toml has the default ones."""
    return (load_table(path, Settings, mistakes) if path.exists() else None) or Settings()


def load_phrases(folder: Path, mistakes: list[Mistake]) -> dict[str, Phrases]:
    """The shipped languages; a file of the same name in the folder's own ``boilerplate/`` stands in for it."""
    places = [place / "boilerplate" for place in (shipped_folder(), folder)]
    files = {path.stem: path for place in places for path in sorted(place.glob("*.toml"))}
    phrases = {}
    for language, path in files.items():
        if read_toml(path, mistakes) is None:
            continue
        try:
            phrases[language] = _phrases_of(path, path.stat().st_mtime_ns)
        except (ValueError, KeyError, TypeError, AttributeError, re.error) as error:
            mistakes.append(Mistake(path, "", str(error).removeprefix(f"{path}: ")))
    return phrases


@lru_cache(maxsize=32)
def _phrases_of(path: Path, changed: int) -> Phrases:
    """Compiling some hundred patterns takes a second: once a file and process."""
    return Phrases.load(path)


def source_files(folder: Path, mistakes: list[Mistake]) -> Iterator[Path]:
    for path in toml_files(folder / "sources", "source", mistakes):
        if path.stem == REPLAY:
            mistakes.append(Mistake(path, "", f"the name {REPLAY!r} is taken by runs of stored pages"))
        else:
            yield path


def toml_files(folder: Path, what: str, mistakes: list[Mistake]) -> Iterator[Path]:
    """The files of *folder* that are a *what* each; those that only look like one are mistakes."""
    for path in sorted(folder.glob("*")):
        if path.name.startswith(".") or path.suffix != ".toml":
            if path.suffix.lower() in (".yaml", ".yml", ".json", ".tml", ".toml") and not path.name.startswith("."):
                mistakes.append(Mistake(path, "", f"is no {what} file; expected {path.stem}.toml"))
        elif not SOURCE_NAME.fullmatch(path.stem):
            mistakes.append(Mistake(path, "", f"a {what}'s file name may hold a-z, 0-9, _ and -, up to 60 of them"))
        else:
            yield path


def load_table(path: Path, model: type[Model], mistakes: list[Mistake]) -> Model | None:
    table = read_toml(path, mistakes)
    if table is None:
        return None
    try:
        return model.model_validate(table)
    except ValidationError as error:
        mistakes.extend(Mistake(path, key_of(detail), said(detail, model)) for detail in error.errors())
        return None


def read_toml(path: Path, mistakes: list[Mistake]) -> dict[str, Any] | None:
    """The file's table, or None and a mistake that says what the file is instead."""
    try:
        if not path.is_file():
            raise ValueError("is no file")
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"is larger than {LARGEST_FILE // 1000} kB; a config file is written by hand")
        return tomllib.loads(toml_text(path.read_bytes()))
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        where = f"line {place[1]}, column {place[2]}: " if place else ""
        what = re.sub(r"\s*\(at .*?\)$", "", str(error))
        at_end = " (at the end of the file)" if "end of document" in str(error) else ""
        mistakes.append(Mistake(path, "", f"{where}this is no TOML: {what}{at_end}"))
    except RecursionError:
        mistakes.append(Mistake(path, "", "is nested too deeply"))
    except ValueError as error:
        mistakes.append(Mistake(path, "", str(error)))
    except OSError as error:
        mistakes.append(Mistake(path, "", f"cannot be read: {error.strerror}"))
    return None


def toml_text(data: bytes) -> str:
    """Raise ``ValueError`` with a sentence where the bytes are no UTF-8 text."""
    if not data.strip():
        raise ValueError("is empty")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[1:2] == b"\0" or data[:1] == b"\0":
        raise ValueError("is UTF-16 or binary; save it as UTF-8")
    if b"\0" in data:
        raise ValueError("is binary, no TOML")
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line}: is not UTF-8; save it as UTF-8") from None


def key_of(detail: ErrorDetails) -> str:
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]).lstrip(".")


def said(detail: ErrorDetails, model: type[BaseModel]) -> str:
    """pydantic's finding as a sentence for the person who wrote the file."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        keys = allowed_keys(model, detail["loc"][:-1])
        return f"there is no such key{nearest(str(detail['loc'][-1]), keys)}; allowed here: {', '.join(keys)}"
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return str(context.get("error", detail["msg"]))
    if kind in ("model_type", "model_attributes_type"):
        return f"expected a table [{key_of(detail)}]"
    return f"{detail['msg'][:1].lower()}{detail['msg'][1:]}, found {str(detail['input'])[:80]!r}"


def allowed_keys(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    for part in path:
        annotation = model.model_fields[str(part)].annotation
        assert isinstance(annotation, type)
        model = annotation
    return list(model.model_fields)


def nearest(word: str, words: list[str]) -> str:
    match = difflib.get_close_matches(word.lower(), words, n=1, cutoff=0.5)
    return f"; did you mean {match[0]!r}?" if match else ""
