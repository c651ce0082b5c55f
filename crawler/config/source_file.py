"""``sources/NAME.toml``: where a source lists its articles, how it is fetched and how it is read."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr, model_validator

from crawler.config.settings_file import Settings
from crawler.config.table import Table
from crawler.config.values import (
    Allowed,
    Country,
    CronText,
    Duration,
    HeaderName,
    HeaderValue,
    HostName,
    Interval,
    Language,
    ParamName,
    Pattern,
    PositiveDuration,
    ProxyAddress,
    Selector,
    Tag,
    TimeZone,
    WebAddress,
)
from crawler.slots import Cron, Every, Slots
from pipelines.reading.body.boilerplate import Phrases
from pipelines.reading.rules import Rules, SiteRules


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
    links: LinkRules = Field(default_factory=cache(LinkRules))

    @model_validator(mode="after")
    def something_to_look_at(self) -> Discover:
        if not (self.feeds or self.sitemaps or self.sections):
            raise ValueError("names no place to look at; give at least one of feeds, sitemaps, sections")
        return self


class Schedule(Table):
    """``[schedule]``: how often; one of ``every`` and ``cron``."""

    every: Interval | None = Field(
        None, description='Time from run to run, such as "10 minutes"; "auto": as its articles come.'
    )
    cron: CronText | None = Field(None, description='Cron fields in the source\'s zone, such as "*/15 6-22 * * *".')
    jitter: Duration | None = Field(None, description="A run starts up to this much later, by chance.")

    @model_validator(mode="after")
    def one_of_two(self) -> Schedule:
        if self.every and self.cron:
            raise ValueError("has both every and cron; only one of them is allowed")
        if isinstance(self.every, timedelta) and self.every < timedelta(seconds=1):
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
    tags: list[Tag] = Field(
        default_factory=list, max_length=20, description="Words by which processes are told which sources to run."
    )
    # A table that a file leaves out is the same one for all sources: none is changed after it was read, and to make,
    # or copy, five for each source took a fifth of the time in which the files are read.
    schedule: Schedule = Field(default_factory=cache(Schedule))
    fetch: Fetch = Field(default_factory=cache(Fetch))
    read: Read = Field(default_factory=cache(Read))
    expect: Expect = Field(default_factory=cache(Expect))
    scrapy: dict[str, Any] = Field(
        default_factory=dict, description="Any setting of Scrapy, for this source; [scrapy.custom] for your own."
    )

    _name: str = PrivateAttr("")
    _settings: Settings = PrivateAttr(default_factory=cache(Settings))
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

    @property
    def is_auto(self) -> bool:
        """Whether its looks follow its own rhythm (``crawler.rhythm``)."""
        return self.schedule.every == "auto"

    def slots(self) -> Slots:
        """When this source is due; with ``every = "auto"`` as long as nothing is planned."""
        if self.schedule.cron:
            return Cron.parse(self.schedule.cron, self.zone)
        every = self.schedule.every if isinstance(self.schedule.every, timedelta) else self._settings.schedule.every
        return Every.of(every, self.name)

    def rules(self) -> Rules:
        """What the reader is told about this source."""
        table = self.read.model_dump()
        frozen: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in table.items()
        }
        site = SiteRules(**frozen)
        rights = self._settings.rights.policy(self.name)
        return Rules(time_zone=self.zone, language=self.language, phrases=self._phrases, site=site, rights=rights)

    def bound(self, name: str, settings: Settings, phrases: dict[str, Phrases]) -> Source:
        """The same source with what lies outside its file."""
        copy = self.model_copy()
        copy._name, copy._settings, copy._phrases = name, settings, phrases
        return copy
