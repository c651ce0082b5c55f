"""``config/`` as checked values: settings.toml, one file per source, boilerplate phrases.

``load(folder)`` returns a ``Configuration``, or raises one ``ConfigError`` that lists every mistake of every file: the
file, the key, what was expected and, for an unknown key, the nearest one that exists. Nothing starts with a bad
configuration, so everything that can be checked without the network is checked here: addresses, patterns, selectors,
times, time zones.
"""

from __future__ import annotations

from crawler.config.loading import (
    LARGEST_FILE,
    REPLAY,
    SOURCE_NAME,
    ConfigError,
    Configuration,
    Mistake,
    allowed_keys,
    check_scrapy,
    default_folder,
    key_of,
    load,
    load_phrases,
    load_settings,
    load_table,
    load_watches,
    nearest,
    read_toml,
    said,
    shipped_folder,
    source_files,
    toml_files,
    toml_text,
    wrong_names,
)
from crawler.config.settings_file import (
    ArchiveSettings,
    BrowserSettings,
    CrawlSettings,
    Limits,
    Politeness,
    ReadingSettings,
    RecheckSettings,
    Retention,
    RightsSettings,
    ScheduleDefaults,
    Settings,
)
from crawler.config.source_file import (
    Discover,
    Expect,
    Fetch,
    LinkRules,
    Read,
    Schedule,
    Source,
)
from crawler.config.table import (
    Table,
)
from crawler.config.watch_file import (
    Watch,
)

__all__ = [
    "LARGEST_FILE",
    "REPLAY",
    "SOURCE_NAME",
    "ArchiveSettings",
    "BrowserSettings",
    "ConfigError",
    "Configuration",
    "CrawlSettings",
    "Discover",
    "Expect",
    "Fetch",
    "Limits",
    "LinkRules",
    "Mistake",
    "Politeness",
    "Read",
    "ReadingSettings",
    "RecheckSettings",
    "Retention",
    "RightsSettings",
    "Schedule",
    "ScheduleDefaults",
    "Settings",
    "Source",
    "Table",
    "Watch",
    "allowed_keys",
    "check_scrapy",
    "default_folder",
    "key_of",
    "load",
    "load_phrases",
    "load_settings",
    "load_table",
    "load_watches",
    "nearest",
    "read_toml",
    "said",
    "shipped_folder",
    "source_files",
    "toml_files",
    "toml_text",
    "wrong_names",
]
