"""``config/`` as Scrapy settings: what settings.toml and a source file say, and what Scrapy settings cannot do here.

Priorities, low to high: ``crawler/settings.py``, settings.toml, ``[scrapy]`` in it (all ``project``, each over the one
before), a source file and ``custom_settings`` of its spider (``spider``), ``-s`` (``cmdline``).
"""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scrapy import Spider
from scrapy.crawler import Crawler
from scrapy.settings import SETTINGS_PRIORITIES, BaseSettings, Settings
from scrapy.utils.python import global_object_name

from crawler import config
from crawler.config import ConfigError, Configuration, Mistake, Source
from crawler.config.scrapy_names import (
    ACTING_ON_OTHERS,
    COMPONENTS,
    LISTS,
    is_read,
    known_names,
    problem_of,
    unloadable,
)
from crawler.services import Services, user_agent
from crawler.spiders.base import RunSpider

log = logging.getLogger(__name__)


class NachleseAddon:
    """Scrapy calls ``update_pre_crawler_settings`` once a process, ``update_settings`` once a crawl."""

    def __init__(self, crawler: Crawler):
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> NachleseAddon:
        return cls(crawler)

    @classmethod
    def update_pre_crawler_settings(cls, settings: BaseSettings) -> None:
        """The modules of the user's spiders; a wrong ``-s`` or file ends the command with a sentence."""
        problems = list(wrong_on_command_line(settings))
        if problems:
            sys.exit("scrapy: " + "\nscrapy: ".join(problems))
        with no_traceback():
            configuration = config.load()
        add_to_path(configuration.folder)
        for name, value in early_settings(configuration, settings).items():
            settings.set(name, value, priority="project")

    def update_settings(self, settings: Settings) -> None:
        configuration = self._configuration()
        must_load(configuration, getattr(self.crawler.spidercls, "name", None))
        for name, value in settings_of(configuration).items():
            settings.set(name, value, priority="project")
        for name, value in merged(configuration.settings.scrapy, settings).items():
            settings.set(name, value, priority="project")
        for name, said in spider_problems(self.crawler.spidercls):
            warn_once(said)
            if name in project_settings():  # nor does it: the guard and the loop are not a spider's to change
                settings.set(name, project_settings()[name], priority="spider")

    def _configuration(self) -> Configuration:
        services = getattr(self.crawler, "services", None)
        if isinstance(services, Services):
            return services.configuration
        found = getattr(self.crawler.spidercls, "configuration", None)
        return found if isinstance(found, Configuration) else config.load()


def must_load(configuration: Configuration, *sources: str | None) -> None:
    """Raise ConfigError where settings.toml, or the file of one of the *sources*, names a component that cannot be
    imported."""
    files = {configuration.folder / "settings.toml": configuration.settings.scrapy}
    for name in sources:
        if name in configuration.sources:
            files[configuration.folder / "sources" / f"{name}.toml"] = configuration.sources[name].scrapy
    mistakes = [Mistake(file, key, says) for file, table in files.items() for key, says in unloadable(table)]
    if mistakes:
        raise ConfigError(mistakes)


@contextmanager
def no_traceback() -> Iterator[None]:
    """End the command where a file has a mistake, as ``nachlese`` does: the sentence says all, a traceback nothing."""
    try:
        yield
    except ConfigError as error:
        sys.exit(f"scrapy: {error}")


def settings_of(configuration: Configuration) -> dict[str, Any]:
    """settings.toml in Scrapy's names."""
    stated = configuration.settings
    return {
        "BOT_NAME": "nachlese",
        "CONCURRENT_REQUESTS": stated.crawl.concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": stated.politeness.concurrency_per_host,
        "DOCUMENT_MAXSIZE": stated.limits.document,
        "DOWNLOAD_DELAY": stated.politeness.delay.total_seconds(),
        "DOWNLOAD_MAXSIZE": stated.limits.page,
        "DOWNLOAD_TIMEOUT": stated.limits.timeout.total_seconds(),
        "HEADERS_MAXSIZE": stated.limits.headers,
        "REDIRECT_MAX_TIMES": stated.limits.redirects,
        "RENDER_TIMEOUT": stated.browser.timeout.total_seconds(),
        "STOP_WITHIN": stated.schedule.stop_within.total_seconds(),
        "USER_AGENT": user_agent(stated),
    }


def source_settings(source: Source, settings: BaseSettings) -> dict[str, Any]:
    """A source file in Scrapy's names. Secrets are not among them: Scrapy logs what was set."""
    fetch = source.fetch
    found: dict[str, Any] = {
        "ALLOW_ADDRESSES": [str(one) for one in fetch.allow_addresses],
        "DOWNLOAD_DELAY": source.delay.total_seconds(),
        "CONCURRENT_REQUESTS_PER_DOMAIN": source.concurrency,
        "DOWNLOAD_TIMEOUT": source.timeout.total_seconds(),
        "HOMEPAGE": source.homepage,
        "RENDER": fetch.render,
    }
    if fetch.user_agent:
        found["USER_AGENT"] = fetch.user_agent
    return found | merged(source.scrapy, settings)


def spider_problems(spider: type[Spider]) -> Iterator[tuple[str, str]]:
    """What its ``custom_settings`` set in vain: (name, what is said)."""
    stated = spider.custom_settings or {}
    known = known_names() if stated else set()
    for name in stated:
        acts = name.startswith(ACTING_ON_OTHERS) and not issubclass(spider, RunSpider)
        if not acts and (said := problem_of(name, known)) is not None and not is_read(name, stated):
            yield name, f"custom_settings of {global_object_name(spider)}: {said}"


@functools.cache
def warn_once(said: str) -> None:
    """Say in the log what is set in vain, once in a process that may crawl with the spider for ever."""
    log.warning("%s", said)


@functools.cache
def project_settings() -> Settings:
    """Scrapy's defaults under ``crawler/settings.py``."""
    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")
    return settings


def early_settings(configuration: Configuration, settings: BaseSettings) -> dict[str, Any]:
    """What must be known before there is a crawl: logging, and where spiders of the user's own lie."""
    found: dict[str, Any] = {"LOG_LEVEL": configuration.settings.log_level}
    modules = [*settings.getlist("SPIDER_MODULES")]
    if (configuration.folder / "spiders").is_dir():
        modules += [] if "spiders" in modules else ["spiders"]
        found["NEWSPIDER_MODULE"] = "spiders"
    table = merged(configuration.settings.scrapy, settings)
    modules += [name for name in table.pop("SPIDER_MODULES", []) if name not in modules]
    early = {name: value for name, value in table.items() if name.startswith(("LOG_", "SPIDER_LOADER", "COMMANDS_"))}
    return found | early | {"SPIDER_MODULES": modules}


def add_to_path(folder: Path) -> None:
    """Modules of the user's own lie in the configuration folder."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def merged(table: Mapping[str, Any], settings: BaseSettings) -> dict[str, Any]:
    """A ``[scrapy]`` table: components and lists of it come beside what is there, everything else in its place."""
    found: dict[str, Any] = dict(table.get("custom", {}))
    for name, value in table.items():
        if name in COMPONENTS:
            found[name] = {**settings.getdict(name), **value}
        elif name in LISTS:
            found[name] = [*dict.fromkeys((*settings.getlist(name), *value))]
        elif name != "custom":
            found[name] = value
    return found


def wrong_on_command_line(settings: BaseSettings) -> Iterator[str]:
    """What is wrong with ``-s`` options."""
    known = known_names()
    of_command = ("EDITOR", "FEEDS", "LOG_ENABLED", "LOG_LEVEL", "LOG_FILE")
    for name in settings:
        stated = (settings.getpriority(name) or 0) >= SETTINGS_PRIORITIES["cmdline"] and name not in of_command
        if stated and (said := problem_of(name, known)) is not None:
            yield f"-s {said}"
