"""Which links are articles: a source's own rules, and a general judgement by the shape of an address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pipelines import urls
from pipelines.patterns import Pattern, matches_any

if TYPE_CHECKING:
    from crawler.config import Source

# what lies beside articles on a news site: lists, services, people, media without text
_LISTING = re.compile(
    r"^(tags?|tagged|thema|themen|topics?|schlagwort\w*|stichwort\w*|keywords?|autor\w*|authors?|redaktion|people|"
    r"suche?|suchen|search|such-?ergebnis\w*|login|logout|anmelden|register|registrieren|konto|account|user|users|profil\w*|"
    r"abo|abos|abonnement\w*|subscribe|shop|newsletter\w*|podcasts?|rss|rss-?feeds?|feeds?|sitemap\w*|"
    r"impressum|imprint|datenschutz\w*|privacy\w*|agb|terms\w*|kontakt|contact|about|ueber-uns|über-uns|hilfe|help|faq|"
    r"cookie\w*|barrierefrei\w*|mediadaten|karriere|jobs|stellen\w*|werbung|anzeigen|kategorien?|category|categories|ressorts?|"
    r"wetter|horoskop\w*|kreuzwort\w*|sudoku|spiele|gewinnspiel\w*|tv-programm|kino-?programm|boersenkurse|newsticker|"
    r"galerien?|gallery|galleries|bilder|mediathek|videos?|live-?tv|page|seite|amp-?category|wp-\w+|cdn-cgi|api|static|assets)$",
    re.I,
)
_FILE = re.compile(
    r"\.(jpe?g|png|gif|webp|svg|avif|ico|css|m?js|json|xml|rss|atom|pdf|docx?|xlsx?|pptx?|zip|gz|mp[34]|m4[av]|webm|ogg|ics|vcf|"
    r"epub|apk|exe|dmg|woff2?|ttf|txt)$",
    re.I,
)
_ARTICLE_FOLDER = re.compile(
    r"^(artikel|article|articles|beitrag|beitraege|story|stories|meldung|meldungen|nachricht|pressemitteilung\w*|pm|news|a|art)$",
    re.I,
)
_DATE_IN_PATH = re.compile(r"/(?:19|20)\d\d[-/]?(?:0[1-9]|1[0-2])(?:[-/]?[0-3]\d)?(?=[/-])")
_ID_IN_QUERY = re.compile(r"(?:^|&)(?:[\w-]*_?id|artikel|article|nid|aid|p|story|news)=[\w-]*\d", re.I)


@dataclass(frozen=True, slots=True)
class LinkFilter:
    """What is taken from a source's discovery documents: its link rules with everything they depend on as a value.

    ``not_before`` is the moment before which dated entries are too old; ``zone`` is for times that state none.
    ``known``: what an earlier look at the same document remembered of its undated entries (``DiscoveryResult.memory``).
    """

    homepage: str
    fetched_at: datetime
    allow: tuple[Pattern, ...] = ()
    deny: tuple[Pattern, ...] = ()
    hosts: tuple[str, ...] = ()
    css: tuple[str, ...] = ()
    not_before: datetime | None = None
    max_links: int = 5000
    max_sitemaps: int = 50
    zone: tzinfo = UTC
    language: str | None = None
    known: str | None = None

    @classmethod
    def of(cls, source: Source, fetched_at: datetime, max_sitemaps: int = 50) -> LinkFilter:
        rules = source.discover.links
        return cls(
            homepage=source.homepage,
            fetched_at=fetched_at,
            allow=tuple(map(Pattern, rules.allow)),
            deny=tuple(map(Pattern, rules.deny)),
            hosts=tuple(rules.hosts),
            css=tuple(rules.css),
            not_before=fetched_at - rules.max_age if rules.max_age else None,
            max_links=source.max_links,
            max_sitemaps=max_sitemaps,
            zone=source.zone,
            language=source.language,
        )

    def wants(self, url: str, found_on: str) -> bool:
        """Whether the source's own rules let an address through; both addresses are normalised.

        Raises ``RanAway`` where a pattern does not come to an end with this address.
        """
        if matches_any(self.deny, url) or (self.allow and not matches_any(self.allow, url)):
            return False
        if self.hosts and not self.is_own(url, found_on):
            return False
        if _FILE.search(urlsplit(url).path) and not self.allow:
            return False
        return urls.url_key(url) not in (urls.url_key(found_on), self._home_key())

    def is_own(self, url: str, found_on: str) -> bool:
        """Whether the address lies on a host of this source: the homepage's, the document's, one named in ``hosts``."""
        name = urls.host(url).partition(":")[0]
        named = any(name == host or name.endswith("." + host) for host in self.hosts)
        return named or urls.same_site(url, found_on) or urls.same_site(url, urls.normalise(self.homepage))

    def _home_key(self) -> bytes:
        return urls.url_key(urls.normalise(self.homepage))


def looks_like_article(url: str, is_teaser: bool = False) -> bool:
    """Whether a link of a section page leads to an article, as far as its address tells.

    *is_teaser*: the link is, holds or stands in a heading or an ``<article>``; less is then asked of the address.
    """
    parts = urlsplit(url)
    segments = [unquote(segment) for segment in parts.path.split("/") if segment]
    if _FILE.search(parts.path) or any(_LISTING.match(segment.partition(".")[0]) for segment in segments):
        return False
    if _ID_IN_QUERY.search(parts.query):
        return True
    if not segments or re.fullmatch(r"(?i)(index|default|home|start)?(\.\w+)?", segments[-1]):
        return False
    slug = re.sub(r"\.\w{2,5}$", "", segments[-1])
    words = [word for word in re.split(r"[-_,+~ ]", slug) if re.search(r"[^\W\d]{2}", word)]
    has_id = bool(re.search(r"\d{5}|(?<![a-z])[a-z]{0,4}\d{4,}$", slug, re.I)) or bool(
        re.fullmatch(r"\d{4,}", segments[-1])
    )
    if has_id and (len(words) >= 1 or len(segments) >= 2 or len(slug) >= 6):
        return True
    # three words and a number: tagesschau.de writes /inland/haushalt-streit-koalition-100.html
    if len(words) >= 4 or (len(words) == 3 and re.search(r"[-_]\d+$", slug)):
        return True
    if len(words) >= 2 and _DATE_IN_PATH.search(parts.path):
        return True
    in_folder = any(_ARTICLE_FOLDER.match(segment) for segment in segments[:-1])
    if in_folder and (len(words) >= 2 or re.search(r"\d", slug)):
        return True
    return is_teaser and (len(words) >= 2 or bool(re.search(r"\d|\.html?$", segments[-1])))
