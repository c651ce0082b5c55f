"""A site looked at once: its documents found, a dozen of its articles read, and the source file that follows.

Every request goes through Scrapy as in a crawl: guard, robots.txt, bounds, delays. What comes is understood in reader
processes. Nothing is stored but what ``fixtures`` saves in the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from scrapy.http import Response

from crawler.config import Configuration, Source
from crawler.config.values import AllowedAddress, literal_address
from crawler.discovery import DiscoveryError, Kind
from crawler.discovery.links import LinkFilter
from crawler.downloader.errors import Failure, failure_reason
from crawler.probing import documents, sentences
from crawler.probing.documents import Candidate, Choice, Seen
from crawler.probing.findings import Home, Sampled
from crawler.probing.models import Survey
from crawler.services import Services
from crawler.single_fetch import fetched, page_of
from crawler.spiders.documents import header
from pipelines import urls
from pipelines.items import Article, Hint, Link, Reason, Rejected
from pipelines.workers import ReadersUnavailable

#: articles that are asked for, by default
SAMPLE = 12
#: so many pages that might list feeds, and so many section pages, are asked for
MOST_FEED_PAGES, MOST_SECTION_PAGES = 3, 10
#: documents of each kind that are asked for
MOST_CANDIDATES = 25
#: a first page may send its readers on so often
MOST_REFRESHES = 2
#: nothing of the site can be had for any other request either
FATAL = frozenset({Reason.DNS, Reason.CONNECTION, Reason.TLS, Reason.TIMEOUT, Reason.BLOCKED_ADDRESS, Reason.BAD_URL})
#: a page that shows something else than the site
WALLS = frozenset({Reason.CONSENT_WALL, Reason.LOGIN_WALL, Reason.JAVASCRIPT_SHELL})

Say = Callable[[str], None]


class ProbeFailed(Exception):
    """There is no source in this address; the message says why, and what can be done."""


class LeadsElsewhere(ProbeFailed):
    """The address redirects to a private one (``url``) that is not allowed."""

    def __init__(self, message: str, url: str):
        super().__init__(message)
        self.url = url


@dataclass(frozen=True)
class Wanted:
    """What an operator asks for. ``cookies`` and ``allow_addresses`` go into the source's file as well.

    ``typed``: whether *url* was typed at the prompt; the machine that a private address names is meant then.
    ``feeds``: what a list of subscriptions names, where *url* is the page beside them.
    """

    url: str
    name: str
    title: str | None = None
    feeds: tuple[str, ...] = ()
    count: int = SAMPLE
    allow_addresses: tuple[AllowedAddress, ...] = ()
    cookies: dict[str, str] = field(default_factory=dict)
    typed: bool = False


@dataclass(frozen=True)
class Probe:
    """What was found. ``moved_to``: the site's new address, where the one that was asked leads to another host."""

    wanted: Wanted
    homepage: str
    home: Survey
    choice: Choice
    sampled: tuple[Sampled, ...]
    wall: Failure | None = None
    moved_to: str | None = None
    countries: tuple[str, ...] = ()
    offsets: tuple[str, ...] = ()
    requests: int = 0

    @property
    def articles(self) -> list[Article]:
        return [one.article for one in self.sampled if one.article is not None]


async def probe(wanted: Wanted, services: Services, say: Say) -> Probe:
    """Look at a site. Raises ProbeFailed with a sentence where no source can be made of it.

    A private address that was typed may lead to another port of the same machine: the site has moved there.
    """
    try:
        return await _probe(wanted, services, say)
    except LeadsElsewhere as moved:
        allowed = literal_address(moved.url)
        if not wanted.typed or not {one.network for one in allowed} & {
            one.network for one in literal_address(wanted.url)
        }:
            raise
        say(f"{wanted.url} leads to {moved.url}, on the same machine")
        return await _probe(replace(wanted, allow_addresses=(*wanted.allow_addresses, *allowed)), services, say)


async def _probe(wanted: Wanted, services: Services, say: Say) -> Probe:
    configuration = services.configuration
    source = draft(wanted, wanted.url, configuration)
    with_draft = replace(configuration, sources={**configuration.sources, wanted.name: source})
    return await Prober(wanted, services.with_configuration(with_draft), source, say).probe()


def draft(wanted: Wanted, homepage: str, configuration: Configuration) -> Source:
    """The source as far as it is known before anything was asked."""
    table: dict[str, Any] = {
        "title": wanted.title or wanted.name,
        "homepage": homepage,
        "discover": {"sections": [homepage]},
        "fetch": {"allow_addresses": list(wanted.allow_addresses), "cookies": wanted.cookies},
    }
    return Source.model_validate(table).bound(wanted.name, configuration.settings, configuration.phrases)


class Prober:
    """One probe; its steps in the order in which ``probe`` takes them."""

    def __init__(self, wanted: Wanted, services: Services, source: Source, say: Say):
        self.wanted = wanted
        self.services = services
        self.source = source
        self.say = say
        self.requests = 0

    async def probe(self) -> Probe:
        self.say(f"{self.wanted.url}: the first page")
        home = await self.home()
        homepage, survey = home.homepage, home.survey
        candidates = await self.declared(home)
        seen = await self.look_at(candidates, homepage)
        if not any(one.links for one in seen):
            self.say("no feed and no sitemap is declared that lists articles; the usual addresses")
            known = {one.candidate.url for one in seen}
            usual = [one for one in usual_places(homepage) if one.url not in known]
            seen += await self.look_at(usual, homepage)
        choice = documents.chosen(seen, homepage)
        if not choice.taken:
            seen += await self.sections(home)
            choice = documents.chosen(seen, homepage)
        if not choice.taken:
            raise ProbeFailed(sentences.nothing_found(self.wanted.url, home, choice))
        links = documents.sample(choice.taken, self.wanted.count)
        self.say(f"{len(choice.taken)} documents list articles; {len(links)} of them")
        sampled = await self.articles(links)
        if not any(one.article for one in sampled):
            cookies = await self.cookies_of(sampled) or survey.cookies
            raise ProbeFailed(sentences.nothing_read(self.wanted.url, sampled, cookies))
        countries, offsets = await self.about(survey, sampled, homepage)
        return Probe(
            self.wanted, homepage, survey, choice, tuple(sampled), home.wall, home.moved_to, countries, offsets,
            self.requests,
        )  # fmt: skip

    # --- the first page ----------------------------------------------------------------------------------------------

    async def home(self) -> Home:
        """The first page: what it says, where it is, and whether something stands before it."""
        url, survey = self.wanted.url, Survey()
        for _ in range(MOST_REFRESHES + 1):
            result = (await self.fetch([("feed", url)]))[0][2]  # whatever it is: a page, or a feed
            if not isinstance(result, Response):
                return self.without_page(url, result)
            survey = await self.survey(result)
            if survey.refresh is None:
                break
            url = survey.refresh
        assert isinstance(result, Response)
        asked, came = urls.normalise(self.wanted.url), urls.normalise(result.url)
        if survey.root in ("rss", "rdf", "feed", "channel", "urlset", "sitemapindex") or is_json(result):
            kind: Kind = "sitemap" if survey.root in ("urlset", "sitemapindex") else "feed"
            return await self.of_document(Candidate(kind, self.wanted.url, "the address given"), result)
        wall = await self.wall(result)
        if wall is not None:
            return Home(asked, survey, wall)  # where the wall stands is not where the site is
        moved = not urls.same_site(asked, came)
        if moved:
            self.say(f"{self.wanted.url} leads to {came}: the site has moved")
        return Home(came, survey, wall, came if moved else None)

    def without_page(self, url: str, error: BaseException) -> Home:
        """Robots.txt may forbid the first page, a firewall may dislike us there, and feeds are open all the same."""
        failure, at = failure_reason(error), getattr(error, "url", "")
        if failure.reason is Reason.BLOCKED_ADDRESS and at and not urls.same_site(at, urls.normalise(url)):
            raise LeadsElsewhere(sentences.leads_elsewhere(url, at), at)
        if failure.reason in FATAL or failure.status in (404, 410):
            raise ProbeFailed(sentences.cannot_be_had(url, failure, urls.normalise(self.wanted.url)))
        self.say(f"{url}: {failure.detail}")
        return Home(urls.normalise(url), Survey(), failure)

    async def of_document(self, candidate: Candidate, response: Response) -> Home:
        """The address given is a feed or sitemap: the site is where its entries lead."""
        seen = await self.seen(candidate, response, self.wanted.url)
        if seen.error or not (seen.links or seen.sitemaps):
            raise ProbeFailed(f"{self.wanted.url} is a {candidate.kind}, but {seen.error or 'it names no article'}")
        places = [urls.origin(link.url) + "/" for link in seen.links]
        homepage = max(set(places), key=places.count) if places else urls.origin(response.url) + "/"
        return Home(homepage, Survey(), None, None, (candidate,))

    async def wall(self, response: Response) -> Failure | None:
        """What stands before the first page: a prompt for consent or a login, or scripts without text."""
        try:
            await self.services.readers.read(page_of(response, self.wanted.name), self.rules())
        except Rejected as rejected:
            if rejected.reason in WALLS:
                self.say(f"the first page is a {str(rejected.reason).replace('_', ' ')}: {rejected.detail}")
                return Failure(rejected.reason, rejected.detail, None, False)
        return None

    # --- documents ---------------------------------------------------------------------------------------------------

    async def declared(self, home: Home) -> list[Candidate]:
        """What robots.txt, the first page and the operator name; pages that list feeds are asked for those."""
        found = list(home.given)
        found += [Candidate("feed", url, "the list that was given") for url in self.wanted.feeds]
        survey = home.survey
        found += [Candidate("feed", url, "link rel=alternate") for url in survey.feeds]
        named = await self.robots_sitemaps(home.homepage)
        found += documents.candidate_sitemaps(named, "robots.txt")
        found += documents.candidate_sitemaps(survey.sitemaps, "link rel=sitemap")
        found += await self.behind_feed_pages(survey, home.homepage)
        unique = {urls.url_key(urls.normalise(one.url)): one for one in reversed(found)}
        self.say(f"{len(unique)} feeds and sitemaps are declared")
        return list(reversed(unique.values()))[:MOST_CANDIDATES]

    async def robots_sitemaps(self, homepage: str) -> tuple[str, ...]:
        body = self.services.robots.known_body(homepage)
        try:
            return await self.services.parsing.robots_sitemaps(body, self.wanted.name) if body else ()
        except Rejected as rejected:
            self.say(f"robots.txt cannot be read: {rejected}")
            return ()

    async def behind_feed_pages(self, survey: Survey, homepage: str) -> list[Candidate]:
        """Links called rss or feed: those that look like feeds, and the feeds of pages that list them."""
        how = "a link named rss or feed"
        links = [one for one in survey.feed_links if urls.same_site(one, urls.normalise(homepage))]
        others = [one for one in survey.feed_links if one not in links and looks_like_feed(one)]
        feeds = [one for one in links if looks_like_feed(one)] + others
        pages = [one for one in links if one not in feeds][:MOST_FEED_PAGES]
        found = [Candidate("feed", one, how) for one in feeds]
        for _, url, result in await self.fetch([("feed", one) for one in pages]):
            if isinstance(result, Response):
                listed = await self.survey(result)
                if listed.root not in ("html", "head", "body", ""):
                    found.append(Candidate("feed", url, how))
                    continue
                named = [*listed.feeds, *(one for one in listed.feed_links if looks_like_feed(one))]
                found += [Candidate("feed", one, f"named on {url}") for one in named]
        return found

    async def look_at(self, candidates: Sequence[Candidate], homepage: str) -> list[Seen]:
        """What the candidates list; of a sitemap index some of the sitemaps that it names too."""
        found: list[Seen] = []
        for one in await self.all_seen(candidates, homepage):
            found.append(one)
            if one.sitemaps:
                parts = documents.candidate_sitemaps(one.sitemaps, f"{one.candidate.how}, in the index {one.url}")
                parts = [replace(part, index=one.url) for part in parts[:3]]
                found.pop()
                inner = await self.all_seen(parts, homepage)
                found += inner if any(part.links for part in inner) else [one, *inner]
        return found

    async def all_seen(self, candidates: Sequence[Candidate], homepage: str) -> list[Seen]:
        by_url = {one.url: one for one in candidates}
        found = []
        for _, url, result in await self.fetch([(one.kind, one.url) for one in by_url.values()]):
            one = await self.seen(by_url[url], result, homepage)
            found.append(one)
            said = one.error or f"{len(one.links)} articles" + (
                f", {len(one.sitemaps)} sitemaps" if one.sitemaps else ""
            )
            self.say(f"  {one.kind} {one.url}: {said}")
        order = list(by_url)
        return sorted(found, key=lambda one: order.index(one.url))

    async def seen(self, candidate: Candidate, result: Response | BaseException, homepage: str) -> Seen:
        """What one document lists, or why nothing."""
        if not isinstance(result, Response):
            return Seen(candidate, error=failure_reason(result).detail)
        limits = self.services.configuration.settings.limits
        filtered = replace(LinkFilter.of(self.source, datetime.now(UTC), limits.sitemaps), homepage=homepage)
        content_type = header(result, "Content-Type") or ""
        try:
            found = await self.services.parsing.document(
                candidate.kind, result.body, content_type, result.url, filtered, limits.document, self.wanted.name
            )
        except (Rejected, DiscoveryError) as error:
            return Seen(candidate, error=str(error))
        kind = found.kind if candidate.kind != "section" else candidate.kind
        return Seen(replace(candidate, kind=kind), found.links, found.sitemaps, found.entries)

    async def sections(self, home: Home) -> list[Seen]:
        """Section pages, by what the first page's own links lead to; and the first page."""
        pages = home.survey.sections[:MOST_SECTION_PAGES]
        self.say(f"section pages: the first page and {len(pages)} that it leads to")
        places = [home.homepage, *pages]
        return await self.all_seen(
            [Candidate("section", one, "a link of the first page") for one in places], home.homepage
        )

    # --- articles ----------------------------------------------------------------------------------------------------

    async def articles(self, links: Iterable[Link]) -> list[Sampled]:
        """Each page asked for and read. Trouble of this machine goes through."""
        hints = {link.url: link.hint for link in links}
        came = await self.fetch([("page", one) for one in hints])
        return await asyncio.gather(*(self.sample_of(url, result, hints[url]) for _, url, result in came))

    async def sample_of(self, url: str, result: Response | BaseException, hint: Hint | None) -> Sampled:
        one = await self._sample_of(url, result, hint)
        self.say(f"  {url}: " + (one.article.title if one.article else f"{one.reason}: {one.detail}"))
        return one

    async def _sample_of(self, url: str, result: Response | BaseException, hint: Hint | None) -> Sampled:
        if not isinstance(result, Response):
            failure = failure_reason(result)
            return Sampled(url, None, None, failure.reason, failure.detail)
        page = page_of(result, self.wanted.name, url, hint)
        try:
            return Sampled(url, page, await self.services.readers.read(page, self.rules()))
        except Rejected as rejected:
            return Sampled(url, page, None, rejected.reason, rejected.detail)

    async def about(
        self, home: Survey, sampled: Sequence[Sampled], homepage: str
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Countries that the imprint points to, and times with offsets from the articles' pages."""
        offsets: list[str] = []
        for one in [one for one in sampled if one.article and one.page][:5]:
            assert one.page is not None
            survey = await self.surveyed(one.page.body, one.page.content_type, one.page.url)
            offsets += survey.offsets
        countries: tuple[str, ...] = ()
        if home.imprint:
            for _, _, result in await self.fetch([("page", home.imprint)]):
                countries = (await self.survey(result)).countries if isinstance(result, Response) else ()
        return countries or home.countries, tuple(offsets)

    async def cookies_of(self, sampled: Sequence[Sampled]) -> tuple[str, ...]:
        """The cookies that a page sets which stands before an article."""
        walls = [one.page for one in sampled if one.page is not None and one.reason in WALLS]
        if not walls:
            return ()
        return (await self.surveyed(walls[0].body, walls[0].content_type, walls[0].url)).cookies

    # --- asking ------------------------------------------------------------------------------------------------------

    def rules(self) -> Any:
        return self.services.derived.rules(self.wanted.name)

    async def fetch(self, wanted: Sequence[tuple[str, str]]) -> list[tuple[str, str, Response | BaseException]]:
        if not wanted:
            return []
        self.requests += len(wanted)
        found = [one async for one in fetched(self.services, self.source, wanted)]
        for _, _, result in found:
            if isinstance(result, ReadersUnavailable):
                raise result
        return found

    async def survey(self, response: Response) -> Survey:
        return await self.surveyed(response.body, header(response, "Content-Type") or "text/html", response.url)

    async def surveyed(self, body: bytes, content_type: str, url: str) -> Survey:
        """What a page says of its site; nothing, where no reader can tell."""
        try:
            return await self.services.parsing.survey(body, content_type, url, self.wanted.name)
        except Rejected:
            return Survey()


def is_json(response: Response) -> bool:
    return "json" in (header(response, "Content-Type") or "").lower()


def looks_like_feed(url: str) -> bool:
    """Whether an address is a feed's rather than that of a page about feeds."""
    path = url.partition("?")[0].rstrip("/").lower()
    return path.endswith((".rss", ".xml", ".rdf", ".atom", "/feed", "/atom", "feed.json")) or "/feed" in path


def usual_places(homepage: str) -> list[Candidate]:
    """Where feeds and sitemaps usually are, for a site that declares none."""
    root = urls.origin(homepage)
    named: list[tuple[Kind, str]] = [("sitemap", path) for path in documents.COMMON_SITEMAPS]
    named += [("feed", path) for path in documents.COMMON_FEEDS]
    return [Candidate(kind, root + path, documents.USUAL) for kind, path in named]
