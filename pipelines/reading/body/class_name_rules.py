"""What an element's tag, attributes and names tell of it: that it is not the article, that it is hidden, a lead."""

from __future__ import annotations

import re
from functools import lru_cache

from lxml import etree

from pipelines.reading.page.tree import HEADINGS
from pipelines.reading.regex_prefilter import anywhere, name_of

_OF_TAGS = {
    "nav": "frame", "footer": "frame", "menu": "frame", "aside": "frame", "figure": "caption", "figcaption": "caption",
}  # fmt: skip
_WHATEVER_NAMED = frozenset(("frame", "caption", "hidden", "consent", "comments"))
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS = re.compile(r"[^a-z0-9]+")

# What publishers call the parts of a page that are not the article: names of classes and ids, cut into words by '-'.
# (?<![a-z]) ... (?![a-z]) is a whole word; the longer ones may be part of a German compound ('leserkommentare').
_NAMES: tuple[tuple[str, str], ...] = (
    ("comments", r"(?:leser)?kommentar(?:e|bereich|liste)?(?![a-z])|comments?(?![a-z])|commentlist|disqus"
                 r"|leserbrief(?:e)?-?form"),
    ("related", r"(?<![a-z])related|recommend|empfehlung|lesetipp|more-(?:on|from|news|articles|stories)"
                r"|mehr-zum|weitere-"
                r"(?:artikel|themen|meldungen|nachrichten)|most-?(?:read|popular|viewed)|meist-?gelesen|outbrain"
                r"|taboola|plista|ligatus"
                r"|(?<![a-z])(?:trending|popular-posts|similar|yarpp|nrelate|linklist|link-?box|see-also"
                r"|also-read|cross-?links?|next-article|amp-list|wp-embedded-content)(?![a-z])"),
    ("teaser", r"teaser-?(?:list|box|grid|group|row|block|element|item|wrapper|container|s)(?![a-z])"),
    ("newsletter", r"newsletter|subscri(?:be(?!r)|ption)|(?<![a-z])(?:abo|abonnement|abo-?box|optin|opt-in|sign-?up"
                   r"|mailchimp)(?![a-z])"),
    ("sharing", r"social-?(?:media|share|bar|links|buttons|icons|box|sharing)?(?![a-z])|shar(?:e|ing)(?:daddy"
                r"|bar|buttons?|box|links?"
                r"|tools?|this)?(?![a-z])|shariff|addthis|addtoany|follow-us|(?<![a-z])teilen(?![a-z])"),
    ("advertising", r"(?<![a-z])(?:ads?|adv|advert|advertisement|advertising|adslot|adbox|anzeigen?|werbung"
                    r"|werbe[a-z]*|sponsored|promo|promotion"
                    r"|dfp|gpt|banner|affiliate)(?![a-z])"),
    ("navigation", r"bread-?crumbs?|pagination|pager(?![a-z])|(?<![a-z])(?:nav|navi|navigation|navbar|menu"
                   r"|toolbar|skip-?links?|sidebar|toc"
                   r"|table-of-contents|inhaltsverzeichnis|footer)(?![a-z])"),
    ("caption", r"caption|bildunterschrift|bildtext|bildnachweis|(?:image|photo|picture|media|foto"
                r"|bild)-?(?:credits?|copyright|source|info"
                r"|meta|legend)(?![a-z])|(?<![a-z])(?:credits?|copyright|figure|gallery|galerie|slideshow"
                r"|lightbox)(?![a-z])"),
    ("byline", r"by-?line|(?<![a-z])(?:author|authors|autor|autoren|autorin)-?(?:box|info|bio|card|name|line"
               r"|meta|block|profile|teaser|list)?"
               r"(?![a-z])|(?:article|post|entry)-?(?:meta|info|date|author|details)(?![a-z])|date-?line-?info"
               r"|(?<![a-z])(?:timestamp|dateline"
               r"|pub-?date|publish(?:ed)?-?date|date|datum|reading-?time|lesezeit|lesedauer)(?![a-z])"),
    ("tags", r"(?<![a-z])(?:tags|tag-?list|tag-?cloud|keywords|schlagworte?|schlagwoerter|topics|themen"
             r"|topic-?list|categories|cat-links)(?![a-z])"),
    ("more", r"read-?more|weiterlesen|mehr-lesen"),
    ("embed", r"privacy-embed"),
    ("consent", r"cookie|consent|(?<![a-z])(?:gdpr|dsgvo|privacy-?(?:banner|notice)|opt-?in-?box)(?![a-z])"),
    ("feedback", r"feedback|(?<![a-z])(?:rating|ratings|voting|vote|poll|umfrage|survey|bewertung|star-?rating"
                 r"|quiz)(?![a-z])"),
    ("paywall", r"pay-?wall-?(?:box|offer|teaser|layer|overlay|prompt|info)|(?<![a-z])(?:pw-?layer|offer-?page"
                r"|abo-?hinweis|registration|reg-?wall"
                r"|login|log-in)(?![a-z])"),
    ("box", r"(?<![a-z])(?:info-?box|expandable-?box|hint-?box|hinweis-?box|fact-?box|fakten-?box|fakten"
            r"|service-?box|info-?kasten|kasten|side-?box|article-?box|content-?box-?info)(?![a-z])"),
    ("kicker", r"(?<![a-z])(?:top-?line|kicker|dachzeile|over-?line|spitzmarke|ober-?zeile|ueberzeile|eyebrow"
               r"|rubrik)(?![a-z])"),
    ("player", r"(?<![a-z])(?:player|podcast|audio-?player|video-?player|read-?speaker|vorlesen)(?![a-z])"),
    ("widget", r"(?<![a-z])(?:not-prose|disclaimer|widget-?(?:area|title)|widget-text|cta)(?![a-z])"),
    ("margin", r"(?:right|left)-?(?:col(?:umn)?|bar|side|rail)(?![a-z])|marginal(?:spalte|ie)|randspalte"
               r"|(?<![a-z])side-?(?:col|column|content)(?![a-z])"),
    ("citation", r"cite-?(?:wrapper|box|this|article)|zitier(?:vorschlag|hinweis|weise)"),
    ("support", r"(?<![a-z])(?:donations?|donate|spenden?|spendenaufruf|support-?(?:us|box|banner))(?![a-z])"),
    ("hidden", r"(?<![a-z])(?:visually-hidden|visuallyhidden|hidden-visually|screen-?reader(?:-text)?|sr-only"
               r"|print-only|only-print|no-?print|tooltip-?(?:text|content|body|box))(?![a-z])"),
)  # fmt: skip
_NAMED = re.compile(anywhere(_NAMES))
_LEAD = re.compile(
    r"(?<![a-z])(?:lead|lede|leadtext|leadin|intro|introtext|introduction|standfirst|vorspann|anleser|anreisser"
    r"|subheadline|sub-?headline|subline"
    r"|sub-?title|deck?|excerpt|abstract|summary|teaser|teaser-?text|article-?teaser|einleitung|unterzeile"
    r"|chapeau|description|perex|kurztext)(?![a-z])"
)
# 'has-ads', 'with-sidebar' tell what an element holds or lacks, not what it is
_HAS = re.compile(r"(?<![a-z])(?:has|have|with|without|no|ohne|mit)-[a-z]+")
# 'css-1ad3x9z': what a build tool writes is no name, whatever letters come together in it
_HASH = re.compile(r"(?<![a-z0-9])(?=[a-z]*\d+[a-z])(?:[a-z]{0,3}\d+)+[a-z]{0,3}(?![a-z0-9])")
# what is said in a podcast is no player, and a page builder's text is no widget
_NO_NAMES = re.compile(r"transcri|transkri|elementor-(?:widget|element)-|subscriber|wp-block-(?:quote|verse|paragraph)")
_NO_DISPLAY = re.compile(r"display\s*:\s*none")
_SHOWN_LATER = re.compile(
    r"\b(?:xs|sm|md|lg|xl|2xl|tablet|desktop|mobile)[:-](?:block|flex|grid|inline|table|contents|visible)"
)


def rule_of_place(element: etree._Element) -> str | None:
    """The rule under which an element is not the article whatever it is named, by its tag and its attributes; comments
    and questions of consent are known by their names alone."""
    rule = rule_of(element)
    return rule if rule in _WHATEVER_NAMED and (rule != "caption" or element.tag in ("figure", "figcaption")) else None


def rule_of(element: etree._Element) -> str | None:
    """The rule under which an element is not the article, by its tag, its attributes or its names."""
    tag = element.tag
    if tag in _OF_TAGS:
        return _OF_TAGS[tag]
    names = identity = ""
    for name, value in element.items():  # once for all: each question of an attribute costs as much
        if name == "class":
            names = value
        elif name == "id":
            identity = value
        elif (
            name == "hidden"
            or (name == "aria-hidden" and value == "true")
            or (name == "style" and "none" in value and _NO_DISPLAY.search(value))
        ):
            return "hidden"
    # a 'hidden' class that no breakpoint takes back
    if "hidden" in names and "hidden" in names.split() and not _SHOWN_LATER.search(names):
        return "hidden"
    if tag in HEADINGS:  # their ids are anchors, named after their words
        identity = ""
    if "-" in tag:  # an element of the site's own making
        names = f"{tag} {names}"
    return _named(f"{names} {identity}") if names or identity else None


@lru_cache(maxsize=16_384)
def _named(names: str) -> str | None:
    """The rule under which the names of an element (its class and id) tell that it is not the article."""
    for name in names.split():
        rule = _named_once(name)
        if rule:
            return rule
    return None


@lru_cache(maxsize=16_384)
def _named_once(name: str) -> str | None:
    if len(name) < 2 or ":" in name or "[" in name:  # 'md:hidden', '[&>p]:mt-2' lay out, they do not name
        return None
    words = _cut(name)
    if _NO_NAMES.search(words):
        return None
    words = _HASH.sub("", _HAS.sub("", words) if "-" in words else words)
    found = _NAMED.search(words)
    return name_of(found) if found else None


def _cut(names: str) -> str:
    """Class names in lower case, their words separated by '-'."""
    if not names.islower():
        names = _CAMEL.sub("-", names).lower()
    return names if names.isalnum() and names.isascii() else _SEPARATORS.sub("-", names)


def names_lead(names: str) -> bool:
    """Whether class names say that an element is a lead."""
    return bool(_LEAD.search(_cut(names)))
