"""Which of a site's feeds, sitemaps and section pages its file names, and why the others are left out. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler.discovery import Kind
from pipelines import urls
from pipelines.items import Link

#: a document whose latest entry is so much older than the site's latest is no longer kept up
STALE = timedelta(days=45)
MOST_FEEDS, MOST_SECTIONS, MOST_SITEMAPS = 12, 8, 5
#: a further document must bring so much that those before it do not have
NEW_SHARE = 0.2
#: a section page leads to so many articles at least
FEWEST_LINKS = 3
#: an ordinary sitemap with more entries is an archive: only its latest are wanted
ARCHIVE = 300

#: how a candidate was named that nobody named
USUAL = "a usual address"
COMMON_FEEDS = (
    "/feed",
    "/rss",
    "/rss.xml",
    "/feed.xml",
    "/atom.xml",
    "/index.xml",
    "/feed.json",
    "/feeds",
    "/index.rdf",
)
COMMON_SITEMAPS = ("/news-sitemap.xml", "/sitemap-news.xml", "/sitemap_news.xml", "/sitemap.xml", "/sitemap_index.xml")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A document that may list articles. ``how`` says where it was named; ``index`` is the sitemap index it is of."""

    kind: Kind
    url: str
    how: str
    index: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A candidate and what came: its links, or ``error``."""

    candidate: Candidate
    links: tuple[Link, ...] = ()
    sitemaps: tuple[str, ...] = ()
    entries: int = 0
    error: str | None = None

    @property
    def kind(self) -> Kind:
        return self.candidate.kind

    @property
    def url(self) -> str:
        return self.candidate.url

    @property
    def times(self) -> list[datetime]:
        """When its entries appeared, as far as it says that."""
        return sorted(one.hint.published_at for one in self.links if one.hint and one.hint.published_at)

    @property
    def latest(self) -> datetime | None:
        changed = [one.hint.modified_at for one in self.links if one.hint and one.hint.modified_at]
        return max([*self.times, *changed], default=None)

    @property
    def is_news_sitemap(self) -> bool:
        """Whether it is a sitemap that gives most of its pages a title, which only news sitemaps do."""
        titled = sum(1 for one in self.links if one.hint and one.hint.title)
        return self.kind == "sitemap" and titled * 2 > len(self.links)

    @property
    def keys(self) -> set[bytes]:
        return {urls.url_key(urls.normalise(one.url)) for one in self.links}


@dataclass(frozen=True)
class Choice:
    """``taken``: documents for the file; ``left_out``: the others, each with the reason."""

    taken: tuple[Seen, ...] = ()
    left_out: tuple[tuple[Seen, str], ...] = ()

    def of(self, kind: Kind) -> list[Seen]:
        return [one for one in self.taken if one.kind == kind]


def candidate_sitemaps(named: Sequence[str], how: str) -> list[Candidate]:
    """Of the sitemaps that are named, those to look at: of news first, none of pictures, films or people."""
    pages = [
        one for one in named if not re.search(r"(?i)image|video|author|tag|categor|rubrik|static|page-?sitemap", one)
    ]
    pages.sort(key=lambda one: not re.search(r"(?i)news", one))
    return [Candidate("sitemap", one, how) for one in (pages or list(named))[:MOST_SITEMAPS]]


def chosen(seen: Sequence[Seen], homepage: str) -> Choice:
    """Of all that was looked at, what the file names: feeds and news sitemaps; without them a sitemap, or sections."""
    left: list[tuple[Seen, str]] = []
    good: list[Seen] = []
    latest = max((one.latest for one in seen if one.latest), default=None)
    has_own = any(is_own(one, homepage) for one in seen if one.kind != "section")
    for one in seen:
        if one.error is not None:
            left.append((one, one.error))
        elif not one.links:
            left.append((one, "it names no article"))
        elif one.kind != "section" and has_own and not is_own(one, homepage):
            left.append((one, "most of its entries lead to other sites"))
        elif latest and one.latest and latest - one.latest > STALE:
            left.append((one, f"its latest entry is of {one.latest:%Y-%m-%d}"))
        else:
            good.append(one)
    news = spread([one for one in good if one.is_news_sitemap], MOST_SITEMAPS, left, share=0.0)
    feeds = spread([one for one in good if one.kind == "feed"], MOST_FEEDS, left)
    others = [one for one in good if one.kind == "sitemap" and not one.is_news_sitemap]
    sections = [one for one in good if one.kind == "section"]
    taken = [*feeds, *news]
    if taken:
        better = "feeds" if feeds else "a news sitemap"
        left += [(one, f"an ordinary sitemap; {better} say more and sooner") for one in others]
    else:
        taken = spread(without_parts(others), MOST_SITEMAPS, left)
    if taken:
        left += [(one, "not needed beside the others") for one in sections]
    else:
        taken = sections_of(sections, homepage, left)
    return Choice(tuple(taken), tuple(left))


def is_own(one: Seen, homepage: str) -> bool:
    """Whether most links of a document lead to the site itself."""
    own = sum(urls.same_site(link.url, urls.normalise(homepage)) for link in one.links)
    return own * 2 >= len(one.links) > 0


def spread(documents: Sequence[Seen], most: int, left: list[tuple[Seen, str]], share: float = NEW_SHARE) -> list[Seen]:
    """Those that bring something new, beginning with the first; what brings nothing goes to *left*."""
    taken: list[Seen] = []
    known: set[bytes] = set()
    for one in documents:
        new = one.keys - known
        if len(new) <= share * len(one.keys):
            others = "another document" if len(taken) == 1 else "others"
            left.append((one, f"{len(one.keys) - len(new)} of its {len(one.keys)} links are in {others}"))
        elif len(taken) == most:
            left.append((one, f"{most} {one.kind}s are enough; add it where it is wanted"))
        else:
            taken.append(one)
            known |= one.keys
    return taken


def without_parts(sitemaps: Sequence[Seen]) -> list[Seen]:
    """An index instead of the sitemaps that it names: those come and go."""
    indexes = {one.candidate.index for one in sitemaps if one.candidate.index}
    whole = [one for one in sitemaps if one.candidate.index is None and one.url not in indexes]
    for index in sorted(indexes):
        parts = [one for one in sitemaps if one.candidate.index == index]
        own = next((one for one in sitemaps if one.url == index), None)
        links = (*(own.links if own else ()), *(link for part in parts for link in part.links))
        named = Candidate("sitemap", index, parts[0].candidate.how.partition(", in the index ")[0])
        whole.append(Seen(named, links, tuple(part.url for part in parts), sum(part.entries for part in parts)))
    return whole


def sections_of(sections: Sequence[Seen], homepage: str, left: list[tuple[Seen, str]]) -> list[Seen]:
    """The section pages that together lead to the site's articles, those with the most of their own first.

    The first page comes last: where sections lead to all that it leads to, it is not needed.
    """
    home = urls.url_key(urls.normalise(homepage))
    ranked = sorted(sections, key=lambda one: (urls.url_key(urls.normalise(one.url)) == home, -len(one.keys)))
    rich = []
    for one in ranked:
        if len(one.keys) >= FEWEST_LINKS:
            rich.append(one)
        else:
            left.append((one, f"only {len(one.keys)} of its links look like articles"))
    return spread(rich or ranked[:1], MOST_SECTIONS, left, share=0.0)


def sample(taken: Sequence[Seen], count: int) -> list[Link]:
    """*count* links, the latest of each document in turn, no address twice."""
    queues = [
        sorted(one.links, key=lambda link: _when(link), reverse=True) if one.times else list(one.links) for one in taken
    ]
    found: dict[bytes, Link] = {}
    while any(queues) and len(found) < count:
        for queue in queues:
            if queue and len(found) < count:
                link = queue.pop(0)
                found.setdefault(urls.url_key(urls.normalise(link.url)), link)
    return list(found.values())


def _when(link: Link) -> float:
    hint = link.hint
    at = (hint.published_at or hint.modified_at) if hint else None
    return at.timestamp() if at else 0.0
