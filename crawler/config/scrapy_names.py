"""Which Scrapy settings can be set, and what to use instead of those that do nothing here.

A name that nobody knows may belong to a package of somebody else's, unless it is one slip of the pen from a known one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scrapy.settings import default_settings
from scrapy.utils.misc import load_object

from crawler import settings as project_settings

#: settings of ours that Scrapy does not have
OURS = {
    "ALLOW_ADDRESSES", "CONNECT_TIMEOUT", "DOCUMENT_MAXSIZE", "HEADERS_MAXSIZE", "HOMEPAGE",
    "RENDER", "RENDER_TIMEOUT", "ROBOTSTXT_TIMEOUT", "STOP_WITHIN",
}  # fmt: skip
#: settings of Scrapy that cannot act here, and what to use instead
INSTEAD = {
    "ASYNCIO_EVENT_LOOP": "the loop runs before this is read",
    "AUTOTHROTTLE": "a host's pace is [politeness] delay and [fetch] delay, and what the host says with Retry-After",
    "COMPRESSION_ENABLED": "bodies are always decompressed, within bounds",
    "CONCURRENT_REQUESTS_PER_IP": "use CONCURRENT_REQUESTS_PER_DOMAIN",
    "DNSCACHE": "names are looked up in threads and kept for a minute",
    "DNS_": "names are looked up in threads and kept for a minute",
    "DOWNLOADER": "the guard must see every request; write a downloader middleware",
    "DOWNLOAD_BIND_ADDRESS": "there is no such choice; [fetch] proxy sends a source through another address",
    "DOWNLOAD_DELAY_JITTER": "use [politeness] jitter, a length of time",
    "DOWNLOAD_FAIL_ON_DATALOSS": "a body that breaks off is never taken for whole",
    "DOWNLOAD_HANDLERS": "the guard must see every request; write a downloader middleware",
    "DOWNLOAD_SLOTS": "use [fetch] delay and concurrency in the source's file",
    "DOWNLOAD_TLS": "connections have the TLS of Python's defaults",
    "DOWNLOAD_VERIFY_CERTIFICATES": "certificates are always verified; SSL_CERT_FILE adds an authority",
    "DOWNLOAD_WARNSIZE": "use DOWNLOAD_MAXSIZE",
    "FORCE_CRAWLER_PROCESS": "there is no reactor",
    "FTP_": "only http and https are asked for",
    "HTTP2_": "requests are HTTP/1.1",
    "HTTPCACHE": "pages are in the archive: nachlese replay --archive reads them again",
    "HTTPERROR_": "use handle_httpstatus_list, of a spider or in the meta of a request",
    "HTTPPROXY": "use [fetch] proxy in the source's file",
    "HTTPX_": "requests are HTTP/1.1",
    "JOBDIR": "the frontier is in Postgres, and every crawl goes on where the last one ended",
    "MAIL_": "Scrapy's mail needs the reactor; [alerts] in settings.toml sends mail",
    "MEMUSAGE_NOTIFY_MAIL": "Scrapy's mail needs the reactor; [alerts] in settings.toml sends mail",
    "METAREFRESH": "a page that sends its readers on is read as it is",
    "RANDOMIZE_DOWNLOAD_DELAY": "use [politeness] jitter, a length of time",
    "REACTOR_THREADPOOL_MAXSIZE": "there is no reactor",
    "REFERER_ENABLED": "no Referer is sent; [fetch] headers can set one",
    "REFERRER_POLICIES": "no Referer is sent; [fetch] headers can set one",
    "REFERRER_POLICY": "no Referer is sent; [fetch] headers can set one",
    "REMOTE_CONTROL": "it runs Python for whoever connects; nachlese status and nachlese explain tell how a crawl is",
    "RETRY_": "a page that failed for now stays pending and is tried again later, over restarts",
    "ROBOTSTXT_PARSER": "robots.txt is read as RFC 9309 has it",
    "ROBOTSTXT_USER_AGENT": "robots.txt is asked what it says to Nachlese",
    "SCHEDULER": "the frontier is in Postgres",
    "STATSMAILER_RCPTS": "Scrapy's mail needs the reactor; [alerts] in settings.toml sends mail",
    "TELNETCONSOLE": "it runs Python for whoever connects; nachlese status and nachlese explain tell how a crawl is",
    "TWISTED_": "there is no reactor; everything runs on asyncio",
    "URLLENGTH_LIMIT": "addresses have 2000 characters at most, and longer ones are rejected by name",
}  # fmt: skip
#: those that begin like one of INSTEAD, and act
ACTING = ("DOWNLOADER_MIDDLEWARES", "DOWNLOADER_STATS", "SCHEDULER_MEMORY_QUEUE", "SCHEDULER_PRIORITY_QUEUE")
#: those that act on the requests of a spider that is none of ours
ACTING_ON_OTHERS = ("JOBDIR", "RETRY_PRIORITY_ADJUST", "RETRY_TIMES", "SCHEDULER")
#: components of Scrapy's that are not there unless a spider enables them, or one made of them, and what they read
READ_BY = {
    "AUTOTHROTTLE": "scrapy.extensions.throttle.AutoThrottle",
    "HTTPCACHE": "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware",
    "HTTPERROR_": "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware",
    "METAREFRESH": "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware",
    "REFER": "scrapy.spidermiddlewares.referer.RefererMiddleware",
    "RETRY_": "scrapy.downloadermiddlewares.retry.RetryMiddleware",
    "URLLENGTH_": "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware",
}
#: dictionaries that a file adds to, and does not replace
COMPONENTS = (
    "ITEM_PIPELINES", "DOWNLOADER_MIDDLEWARES", "SPIDER_MIDDLEWARES", "EXTENSIONS", "ADDONS", "FEEDS",
    "FEED_EXPORTERS", "FEED_STORAGES", "SPIDER_CONTRACTS", "DEFAULT_REQUEST_HEADERS",
)  # fmt: skip
LISTS = ("SPIDER_MODULES",)
#: those of them whose keys are classes
OF_CLASSES = (
    "ITEM_PIPELINES", "DOWNLOADER_MIDDLEWARES", "SPIDER_MIDDLEWARES", "EXTENSIONS", "ADDONS", "SPIDER_CONTRACTS",
)  # fmt: skip


def known_names() -> set[str]:
    """The names of all settings that can be set."""
    names = {name for module in (default_settings, project_settings) for name in dir(module) if name.isupper()}
    bases = {name.removesuffix("_BASE") for name in names if name.endswith("_BASE")}
    return (names | bases | OURS | set(COMPONENTS) | {"FEEDS"}) - {name for name in names if name.endswith("_BASE")}


def problem_of(name: str, known: set[str] | None = None) -> str | None:
    """Why *name* cannot be set, with what to use instead; None where it can."""
    known = known if known is not None else known_names()
    if name in known:
        reason = next((why for start, why in INSTEAD.items() if name.startswith(start)), None)
        return f"{name} does nothing here: {reason}" if reason and name not in ACTING else None
    meant = name.upper() if name.upper() in known else next((one for one in sorted(known) if is_slip(name, one)), None)
    return f"there is no Scrapy setting {name}; did you mean {meant}?" if meant else None


def is_read(name: str, table: Mapping[str, Any]) -> bool:
    """Whether settings of a spider enable what reads this one. Its components are imported for it."""
    reader = next((path for start, path in READ_BY.items() if name.startswith(start)), None)
    if reader is None:
        return False
    named = [path for kind in OF_CLASSES for path, order in table.get(kind, {}).items() if order is not None]
    return any(issubclass(load_object(path), load_object(reader)) for path in named)


def is_slip(name: str, meant: str) -> bool:
    """Whether one letter is missing, too many, or another one, or two neighbours have changed places."""
    for at in range(max(len(name), len(meant))):
        one, other = name[:at] + name[at + 1 :], meant[:at] + meant[at + 1 :]
        swapped = name[:at] + name[at : at + 2][::-1] + name[at + 2 :]
        if one in (meant, other) or other == name or swapped == meant:
            return True
    return False


def problems_of_table(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with a ``[scrapy]`` table: (key, what was expected)."""
    known = known_names()
    for name, value in table.items():
        if name == "custom":
            if not isinstance(value, Mapping):
                yield "scrapy.custom", "expected a table"
                continue
            wrong = ((one, problem_of(one, known)) for one in value if one in known)
            yield from ((f"scrapy.custom.{one}", said) for one, said in wrong if said is not None)
            continue
        if (said := problem_of(name, known)) is not None:
            yield f"scrapy.{name}", said
        elif name in COMPONENTS and not isinstance(value, Mapping):
            yield f"scrapy.{name}", 'expected a table, such as "module.Class" = 300'


def unloadable(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Classes of a ``[scrapy]`` table that cannot be imported: (key, why). Their modules are run for it."""
    for name in OF_CLASSES:
        for path in table.get(name, ()):
            try:
                load_object(path)
            except (ImportError, NameError, SyntaxError, ValueError) as error:
                yield f'scrapy.{name}."{path}"', f"cannot be loaded: {type(error).__name__}: {error}"
