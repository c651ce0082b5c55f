"""Scrapy's settings, as far as they do not come from ``config/``; each that differs from Scrapy's default has a reason.

What an operator changes is in ``config/settings.toml`` and the source files: ``crawler.addon`` makes Scrapy settings
of it, ``[scrapy]`` there takes any of Scrapy's own, and ``-s NAME=VALUE`` goes before both. Components of ours stand in
the _BASE settings, so that those of your own (ITEM_PIPELINES, DOWNLOADER_MIDDLEWARES, SPIDER_MIDDLEWARES, EXTENSIONS)
come beside them and not in their place.
"""

import sys

from crawler.config import default_folder

BOT_NAME = "nachlese"
# Spiders of your own lie in the folder `spiders/` of the configuration, or in modules that [scrapy] names. `scrapy
# genspider` asks for this before anything else is loaded.
SPIDER_MODULES = ["crawler.spiders"]
NEWSPIDER_MODULE = "spiders" if (default_folder() / "spiders").is_dir() else "crawler.spiders"
if NEWSPIDER_MODULE == "spiders" and str(default_folder()) not in sys.path:
    sys.path.insert(0, str(default_folder()))
# every source file is a spider as well
SPIDER_LOADER_CLASS = "crawler.spiderloader.SourceLoader"
ADDONS = {"crawler.addon.NachleseAddon": 0}
# `scrapy crawl` of a run that failed ends with 1; a page that stays pending is no error
COMMANDS_MODULE = "crawler.commands"
LOG_FORMATTER = "crawler.log_formatter.LogFormatter"

# One process, one asyncio loop, shared with the scheduler; a Twisted reactor would be a second one.
TWISTED_REACTOR_ENABLED = False

# http and https through the guard; file:, ftp:, s3: and data: are not for links that strangers write.
DOWNLOAD_HANDLERS = {
    "http": "crawler.downloader.handler.GuardedDownloadHandler",
    "https": "crawler.downloader.handler.GuardedDownloadHandler",
    "data": None,
    "file": None,
    "ftp": None,
    "s3": None,
}
# pace is kept for each host over all crawls of the process
DOWNLOADER = "crawler.downloader.handler.UnlimitedDownloader"

# Out of Scrapy's: retries (the frontier does them, over restarts), compression (bounded, in the handler), meta refresh
# and HTTP cache. Every hop of a redirect passes all of these.
DOWNLOADER_MIDDLEWARES_BASE = {
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": 50,
    "crawler.middlewares.robots.RobotsMiddleware": 100,
    "crawler.middlewares.rights.RightsMiddleware": 110,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": 300,
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,
    "crawler.middlewares.source.SourceRequestMiddleware": 520,
    "crawler.middlewares.render.RenderMiddleware": 530,
    "crawler.middlewares.status.StatusMiddleware": 540,
    "crawler.middlewares.conditional.ConditionalMiddleware": 545,
    "crawler.middlewares.redirect.RedirectMiddleware": 600,
    "crawler.middlewares.cookies.RequestCookiesMiddleware": 700,
    "scrapy.downloadermiddlewares.stats.DownloaderStats": 850,
}
# Out of Scrapy's: the Referer (nobody's business), and a bound of addresses that drops without a word.
SPIDER_MIDDLEWARES_BASE = {
    "scrapy.spidermiddlewares.start.StartSpiderMiddleware": 25,
    "crawler.middlewares.frontier.FrontierMiddleware": 800,
    "scrapy.spidermiddlewares.depth.DepthMiddleware": 900,
}
# Out of Scrapy's: telnet and the remote control port, which run Python for whoever connects.
EXTENSIONS_BASE = {
    "crawler.extensions.run.RunExtension": -100,
    "crawler.extensions.stats.OutcomeStats": 0,
    "crawler.extensions.stats.LogCount": 0,
    "crawler.extensions.site_model.SiteModelExtension": 0,
    "crawler.extensions.stories.StoriesExtension": 0,
    "crawler.extensions.watchlists.WatchlistsExtension": 0,
    "scrapy.extensions.memusage.MemoryUsage": 0,
    "scrapy.extensions.memdebug.MemoryDebugger": 0,
    "scrapy.extensions.closespider.CloseSpider": 0,
    "scrapy.extensions.feedexport.FeedExporter": 0,
    "scrapy.extensions.logstats.LogStats": 0,
}
REMOTE_CONTROL_ENABLED = False
TELNETCONSOLE_ENABLED = False
# the process may be one schedule with many crawls; switch it on where it is one `scrapy crawl`
MEMUSAGE_ENABLED = False

ITEM_PIPELINES_BASE = {
    "pipelines.item_pipelines.ArchivePipeline": 100,
    "pipelines.item_pipelines.ReadPipeline": 200,
    "pipelines.item_pipelines.StorePipeline": 300,
}
# a page that an item pipeline of your own does not give back ends with a reason
ITEM_PROCESSOR = "crawler.item_processor.ItemProcessor"

# as long as settings.toml says nothing else
USER_AGENT = "Nachlese"
ROBOTSTXT_OBEY = True
# Scrapy starts so many tasks for the output of each callback, 100 by default, and a page is one item: with 100
# a page cost this process 20 ms of processor time, with 2 it costs 15 (80 pages of a corpus).
CONCURRENT_ITEMS = 2
DEFAULT_REQUEST_HEADERS = {"Accept-Language": "de,en;q=0.7,*;q=0.5"}
# seconds for a connection, and for a robots.txt: pages of a whole site wait for it
CONNECT_TIMEOUT = 10.0
ROBOTSTXT_TIMEOUT = 15.0
# which pages go through a browser, and how many seconds their scripts may take
RENDER = "never"
RENDER_TIMEOUT = 20.0
# Bodies in flight are bounded by their number and, where they are large, by slots. Scrapy's bound of all together would
# let one large page that waits for its reader hold up those behind it.
SCRAPER_SLOT_MAX_ACTIVE_SIZE = 50_000_000
DOWNLOAD_WARNSIZE = 0

# Frontier and progress are rows; a JOBDIR loses pages at every kill.
JOBDIR = None
HTTPCACHE_ENABLED = False
