"""``settings.toml``: what an operator sets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, model_validator

from crawler.config.alerts_file import Alerts
from crawler.config.table import Table
from crawler.config.values import (
    Allowed,
    Duration,
    PositiveDuration,
    Size,
    TimeZone,
    WebAddress,
)
from pipelines.reading.rules import RightsPolicy
from pipelines.recheck import RecheckPlan


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
    folder: str | None = Field(
        None, description="Where the archive lies, a folder or an address (s3://); unset: NACHLESE_HOME/archive."
    )
    seal_after: PositiveDuration = Field(
        timedelta(minutes=10), description="A file is moved to such an address when it was begun so long ago."
    )


class Retention(Table):
    """``[retention]``: what is deleted after a time. Article rows never are."""

    archive: PositiveDuration | None = Field(None, description="Archive files are deleted after this; unset: never.")
    versions: PositiveDuration | None = Field(
        None, description="Wordings that are not current are deleted after this; unset: never."
    )
    bookkeeping: PositiveDuration | None = Field(
        timedelta(days=90), description="Requests, endings and looks of pages in old runs are deleted after this."
    )
    runs: PositiveDuration | None = Field(
        timedelta(days=90),
        description="Runs are summed up by day after this, not before bookkeeping; the latest 50 of a source stay.",
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


Follows = Literal["record", "do_not_store_text", "do_not_fetch"]
Reservation = Literal["tdm_reservation", "noai", "noarchive", "noindex", "ai_crawlers"]
RESERVATIONS: list[Reservation] = ["tdm_reservation", "noai"]


class RightsSettings(Table):
    """``[rights]``: what follows where a site reserves its rights in what it publishes."""

    then: Follows = Field("record", description="What follows: nothing but a record, no text, or no article at all.")
    on: list[Reservation] = Field(RESERVATIONS, description="The statements that count as a reservation.")
    sources: dict[str, Follows] = Field(
        default_factory=dict, max_length=10_000, description="The same for single sources, by name, instead of then."
    )
    tdmrep: bool = Field(True, description="false: /.well-known/tdmrep.json is not asked for.")

    def policy(self, source: str = "") -> RightsPolicy:
        return RightsPolicy(self.sources.get(source, self.then), tuple(self.on))


class ScheduleDefaults(Table):
    every: PositiveDuration = Field(
        timedelta(minutes=15), description="How often a source runs that does not say it itself."
    )
    auto_least: PositiveDuration = Field(
        timedelta(minutes=2), description='Least time between two looks at a source with every = "auto".'
    )
    auto_most: PositiveDuration = Field(
        timedelta(hours=12), le=timedelta(days=7), description="Longest time between two looks at such a source."
    )
    jitter: Duration = Field(timedelta(seconds=30), description="A run starts up to this much later, by chance.")
    stop_within: PositiveDuration = Field(
        timedelta(seconds=15), description="What is in flight at a stop gets this long to finish."
    )
    lease: PositiveDuration = Field(
        timedelta(minutes=2), description="A run whose process gave no sign for so long may be taken over."
    )

    @model_validator(mode="after")
    def least_is_not_after_most(self) -> ScheduleDefaults:
        if self.auto_least > self.auto_most:
            raise ValueError("auto_least must not be longer than auto_most")
        return self


class BackfillSettings(Table):
    """``[backfill]``: years back, out of archives that others keep."""

    allow_addresses: list[Allowed] = Field(
        default_factory=list, description="Private addresses from which archives may be fetched, as in a source's file."
    )
    common_crawl: WebAddress = Field(
        "https://data.commoncrawl.org/", description="Where crawl-data/CC-NEWS/ lies: Common Crawl's, or a mirror's."
    )
    wayback: WebAddress = Field(
        "https://web.archive.org/", description="Where cdx/search/cdx and web/ are: the Wayback Machine's."
    )
    delay: Duration = Field(
        timedelta(milliseconds=1500), description="Least time between two requests to such an archive."
    )
    patience: Duration = Field(
        timedelta(seconds=5), description="First wait for an archive that is busy and names no time; then doubled."
    )


class Settings(Table):
    """``config/settings.toml``: what an operator changes without review."""

    contact: str = Field("", max_length=200, description="Address or mail that site owners find in the user agent.")
    user_agent: str = Field("", max_length=300, description="The whole user agent; empty: Nachlese/VERSION (+contact).")
    time_zone: TimeZone = Field("Europe/Berlin", description="Zone of sources that do not state theirs.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="How much is logged.")
    log_format: Literal["text", "json"] = Field("text", description="How a line of the log is written.")
    politeness: Politeness = Politeness()
    archive: ArchiveSettings = ArchiveSettings()
    retention: Retention = Retention()
    limits: Limits = Limits()
    crawl: CrawlSettings = CrawlSettings()
    recheck: RecheckSettings = RecheckSettings()
    reading: ReadingSettings = ReadingSettings()
    rights: RightsSettings = RightsSettings()
    schedule: ScheduleDefaults = ScheduleDefaults()
    browser: BrowserSettings = BrowserSettings()
    backfill: BackfillSettings = BackfillSettings()
    alerts: Alerts = Alerts()
    scrapy: dict[str, Any] = Field(
        default_factory=dict, description="Any setting of Scrapy, for all sources; [scrapy.custom] for your own."
    )

    @model_validator(mode="after")
    def header_is_one_line(self) -> Settings:
        for key in ("contact", "user_agent"):
            if not getattr(self, key).isprintable() or not getattr(self, key).isascii():
                raise ValueError(f"{key} goes into an HTTP header: one line, ASCII only")
        return self
