"""Scrapy's settings, each with its reason. What an operator may change is in config/settings.toml instead.

Scrapy runs the spider, its engine and its item pipelines. What it offers for politeness, retries, redirects, robots.txt
and duplicates is off: each of these loses pages silently somewhere, or knows nothing of other runs. ``crawler.fetch``,
``crawler.downloader.hosts`` and ``crawler.robots`` do it per host over all runs, and the frontier is in Postgres.
"""

BOT_NAME = "nachlese"
SPIDER_MODULES = ["crawler.spiders"]
NEWSPIDER_MODULE = "crawler.spiders"
# every source file is a spider
SPIDER_LOADER_CLASS = "crawler.spiderloader.SourceLoader"

# One process, one asyncio loop, shared with the scheduler; a Twisted reactor would be a second one.
TWISTED_REACTOR_ENABLED = False

# http and https through the guard; file:, ftp:, s3: and data: are not for links that strangers write.
DOWNLOAD_HANDLERS = {
    "http": "crawler.handler.GuardedDownloadHandler",
    "https": "crawler.handler.GuardedDownloadHandler",
    "data": None,
    "file": None,
    "ftp": None,
    "s3": None,
}
# Redirects, retries, cookies, compression, robots.txt, meta refresh: behind the handler, where every hop is guarded.
DOWNLOADER_MIDDLEWARES_BASE: dict[str, int | None] = {}
SPIDER_MIDDLEWARES_BASE: dict[str, int | None] = {}
# Statistics only. Out of it: the remote control port (it runs Python), telnet, feed exports, throttling by guess.
EXTENSIONS_BASE: dict[str, int | None] = {"scrapy.extensions.corestats.CoreStats": 0}
REMOTE_CONTROL_ENABLED = False
TELNETCONSOLE_ENABLED = False

ITEM_PIPELINES = {
    "pipelines.flow.ArchivePipeline": 100,
    "pipelines.flow.ReadPipeline": 200,
    "pipelines.flow.KeepPipeline": 300,
}

# The spider and crawler.downloader.hosts decide how many requests are in flight; Scrapy's queues must not add to it.
CONCURRENT_REQUESTS = 1000
CONCURRENT_REQUESTS_PER_DOMAIN = 1000
DOWNLOAD_DELAY = 0
# crawler.fetch has a deadline for every request; this one would run on while a request waits for its host's turn.
DOWNLOAD_TIMEOUT = 0
DOWNLOAD_MAXSIZE = 0
DOWNLOAD_WARNSIZE = 0
DUPEFILTER_CLASS = "scrapy.dupefilters.BaseDupeFilter"

# Frontier and progress are rows; a JOBDIR loses pages at every kill.
JOBDIR = None
HTTPCACHE_ENABLED = False

# One line a run is logged by crawler.runs; Scrapy's lines for every page and item would drown it.
LOG_LEVEL = "WARNING"
LOGSTATS_INTERVAL = 0
STATS_DUMP = False
