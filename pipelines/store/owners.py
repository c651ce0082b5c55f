"""The owner of an article: the source on whose site it is, no matter which source named it first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from pipelines import urls
from pipelines.sites import site_of

if TYPE_CHECKING:  # readers look for owners in lists of strangers, and need no database for it
    from psycopg import AsyncConnection

# one value for all: each batch of articles asks, and of a thousand sources most times nothing has changed
OWNERS = """
    SELECT coalesce(json_object_agg(name, hosts ORDER BY name), '{}')::text
    FROM ingest.sources WHERE hosts <> '{}'
"""

#: no relation; registered together; below a host of the source; that very host
STRANGE, SAME_SITE, BELOW, SAME_HOST = range(4)

Rank = tuple[int, int]


class HostsOfSources(dict[str, list[str]]):
    """Source -> its hosts. Of a thousand sources, few have a host on the site of an address."""

    @cached_property
    def by_site(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for name, hosts in self.items():
            for site in {site for host in hosts for site in _sites(host)}:
                found.setdefault(site, set()).add(name)
        return found

    def near(self, host: str) -> set[str]:
        """The sources that may have a relation to *host*."""
        return {name for site in _sites(host) for name in self.by_site.get(site, ())}


async def hosts_of_sources(connection: AsyncConnection) -> HostsOfSources:
    """Source -> its hosts, as its file states them."""
    (stated,) = await (await connection.execute(OWNERS)).fetchone() or ("{}",)
    return _hosts_in(stated)


@lru_cache(maxsize=1)
def _hosts_in(stated: str) -> HostsOfSources:
    """What every reader shares, and nobody changes."""
    return HostsOfSources(json.loads(stated))


def owner(url: str, named_by: str, hosts: Mapping[str, Sequence[str]]) -> str:
    """The source whose site *url* is on; *named_by* where that is as near to it as any other, or nobody's is."""
    try:
        host = urls.host(urls.normalise(url))
    except urls.BadUrl:
        return named_by
    near = hosts.near(host) if isinstance(hosts, HostsOfSources) else hosts
    best = max(near, key=lambda name: (rank(host, hosts[name]), name == named_by, name), default=named_by)
    return best if rank(host, hosts.get(best, ())) > rank(host, hosts.get(named_by, ())) else named_by


def _sites(host: str) -> set[str]:
    return {site_of(host), site_of(host.removeprefix("www."))}


def rank(host: str, hosts: Sequence[str]) -> Rank:
    """How near *host* (with its port) is to the nearest of *hosts*; of two below it the longer one is nearer."""
    return max((_rank(host, one) for one in hosts), default=(STRANGE, 0))


def _rank(host: str, own: str) -> Rank:
    if host.removeprefix("www.") == own.removeprefix("www."):
        return SAME_HOST, 0
    if site_of(host) != site_of(own):
        return STRANGE, 0
    name, base = host.partition(":")[0], own.partition(":")[0].removeprefix("www.")
    return (BELOW, len(base)) if name == base or name.endswith("." + base) else (SAME_SITE, 0)
