"""What a source's ``[fetch]`` says of its requests: headers, cookies, a proxy. Secrets go to its own site alone."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http.cookies import CookieJar

from crawler.config import ConfigError, Configuration, Mistake, Source
from pipelines import urls

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class SourceRequestMiddleware:
    """Adds the headers and cookies of the source file to requests for its own hosts, and its proxy to all.

    A redirect to another site loses them again, whatever they are called.
    """

    def __init__(self, source: Source, configuration: Configuration):
        self.source = source
        path = configuration.folder / "sources" / f"{source.name}.toml"
        self.headers = resolved(source.fetch.headers, path, "fetch.headers")
        self.cookies = resolved(source.fetch.cookies, path, "fetch.cookies")
        proxy = resolved({"proxy": source.fetch.proxy} if source.fetch.proxy else {}, path, "fetch")
        self.proxy: str | None = None
        self.proxy_authorization: str | None = None
        if proxy:
            self.proxy, self.proxy_authorization = proxy_of(proxy["proxy"])
        self.hosts = [urls.normalise(source.homepage), *(f"https://{host}/" for host in source.discover.links.hosts)]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> SourceRequestMiddleware:
        spider = crawler.spider
        configuration = getattr(spider, "configuration", None)
        if spider is None or not isinstance(configuration, Configuration) or spider.name not in configuration.sources:
            raise NotConfigured
        source = configuration.source(spider.name)
        if not (source.fetch.headers or source.fetch.cookies or source.fetch.proxy):
            raise NotConfigured
        return cls(source, configuration)

    def process_request(self, request: Request) -> None:
        if self.proxy and "proxy" not in request.meta:
            request.meta["proxy"] = self.proxy
            if self.proxy_authorization:
                request.headers["Proxy-Authorization"] = self.proxy_authorization
        is_own = self.is_own(request.url)
        for name, value in self.headers.items():
            if is_own:
                request.headers.setdefault(name, value)
            elif name in request.headers and request.meta.get("redirect_times"):
                del request.headers[name]
        if self.cookies and is_own and not isinstance(request.meta.get("cookiejar"), CookieJar):
            request.cookies = {name: value for name, value in self.cookies.items()}

    def is_own(self, url: str) -> bool:
        """Whether an address lies on the source's own site."""
        try:
            url = urls.normalise(url, keep_tracking=True)
        except urls.BadUrl:
            return False
        return any(urls.same_site(url, host) for host in self.hosts)


def resolved(values: Mapping[str, str], path: os.PathLike[str], key: str) -> dict[str, str]:
    """``${NAME}`` in *values* replaced by the environment's. Raises ConfigError where it has no such variable."""

    def value_of(name: str, match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            said = f"the environment has no {match[1]}"
            raise ConfigError([Mistake(path, f"{key}.{name}" if name != "proxy" else "fetch.proxy", said)])  # type: ignore[arg-type]
        return os.environ[match[1]]

    return {name: _VARIABLE.sub(lambda match, n=name: value_of(n, match), value) for name, value in values.items()}  # type: ignore[misc]


def proxy_of(url: str) -> tuple[str, str | None]:
    """The address of a proxy without its password, and the header that says it."""
    parts = urlsplit(url)
    authority = parts.netloc.rpartition("@")[2]
    if parts.username is None:
        return f"{parts.scheme}://{authority}", None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"{parts.scheme}://{authority}", "Basic " + base64.b64encode(pair.encode("utf-8")).decode("ascii")
