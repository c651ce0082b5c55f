"""What a site says about text and data mining, archiving and licences, and what follows for an article. Pure.

Of the TDM Reservation Protocol the nearest statement counts: in the page before the header, the header before the
file at the origin. What is read is data; what it means in law is for lawyers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from pipelines.items import Article, Page, Reason, Rejected, Rights, Statements
from pipelines.reading.page.structured import Structured
from pipelines.reading.rules import RightsPolicy

#: headers that speak of rights, in lower case; of each so many characters
HEADERS = ("x-robots-tag", "tdm-reservation", "tdm-policy", "link")
LONGEST = 2_000
MOST_DIRECTIVES = 20
#: bytes of a tdmrep.json, rules in it, and characters of a pattern
LARGEST_FILE, MOST_RULES, LONGEST_PATTERN = 64_000, 500, 500

#: agents of machines that read for models, by the names that their makers give them in robots.txt
AI_CRAWLERS = (
    "ai2bot", "amazonbot", "anthropic-ai", "applebot-extended", "bytespider", "ccbot", "chatgpt-user", "claude-web",
    "claudebot", "cohere-ai", "deepseekbot", "diffbot", "facebookbot", "google-extended", "gptbot", "imagesiftbot",
    "meta-externalagent", "mistralai-user", "oai-searchbot", "omgili", "omgilibot", "perplexitybot", "petalbot",
    "timpibot", "youbot",
)  # fmt: skip

# a directive restricts; "index, follow" and the sizes of previews say nothing here
_RESTRICTS = re.compile(r"no[a-z-]{2,40}|none|unavailable_after(?::.{1,60})?", re.I)
_AGENT = re.compile(r"([a-z0-9_.-]{2,40})\s*:\s*(.+)", re.I)
_LINK = re.compile(r"<([^<>]{1,2000})>([^<]{0,500})")
_LICENSE_RELATION = re.compile(r";\s*rel\s*=\s*\"?[^\";,]*\blicense\b", re.I)
_NEVER = datetime.min.replace(tzinfo=UTC)


def rights_of(page: Page, stated: Structured | None = None) -> Rights:
    """What the site says about *page*; *stated* is what the page itself says to machines."""
    said = page.statements or Statements()
    found = Rights()
    for one in (_of_file(said.tdmrep, page.url), _of_headers(said, page.url), _of_page(stated, page.url)):
        found = _combined(found, one)
    if said.ai_crawlers_disallowed:
        stated_in = ("robots.txt", *found.stated_in)
        found = replace(found, ai_crawlers_disallowed=said.ai_crawlers_disallowed, stated_in=stated_in)
    return found


def _combined(far: Rights, near: Rights) -> Rights:
    """Both statements; where they contradict each other the nearer one counts."""
    is_stated = near.tdm_reserved is not None
    return Rights(
        tdm_reserved=near.tdm_reserved if is_stated else far.tdm_reserved,
        tdm_policy=near.tdm_policy if is_stated else far.tdm_policy,
        robots_directives=tuple(dict.fromkeys((*far.robots_directives, *near.robots_directives)))[:MOST_DIRECTIVES],
        license=near.license or far.license,
        stated_in=(*far.stated_in, *near.stated_in),
    )


# --- the places ------------------------------------------------------------------------------------------------------


def _of_headers(said: Statements, url: str) -> Rights:
    headers: dict[str, list[str]] = {}
    for name, value in said.headers:
        headers.setdefault(name.lower(), []).append(value[:LONGEST])
    directives = _directives(headers.get("x-robots-tag", ()))
    reserved = _flag(next(iter(headers.get("tdm-reservation", ())), None))
    links = (match for value in headers.get("link", ()) for match in _LINK.finditer(value))
    license = next((match[1] for match in links if _LICENSE_RELATION.search(match[2])), None)
    places = [("x-robots-tag", directives), ("tdm header", reserved is not None), ("rel=license", license)]
    return Rights(
        tdm_reserved=reserved,
        tdm_policy=_address(next(iter(headers.get("tdm-policy", ())), None), url) if reserved else None,
        robots_directives=directives,
        license=_address(license, url),
        stated_in=tuple(name for name, is_there in places if is_there),
    )


def _of_page(stated: Structured | None, url: str) -> Rights:
    if stated is None:
        return Rights()
    directives = list(_directives(stated.meta.get("robots", ())))
    for agent in filter(stated.meta.__contains__, AI_CRAWLERS):
        directives += [f"{agent}: {one}" for one in _directives(stated.meta[agent])]
    reserved = _flag(stated.first_meta("tdm-reservation"))
    in_data = _license_in(stated)
    linked = next(iter(stated.licenses), None)
    places = [
        ("meta robots", directives),
        ("tdm meta", reserved is not None),
        ("json-ld", in_data),
        ("rel=license", linked and not in_data),
    ]
    return Rights(
        tdm_reserved=reserved,
        tdm_policy=_address(stated.first_meta("tdm-policy"), url) if reserved else None,
        robots_directives=tuple(directives[:MOST_DIRECTIVES]),
        license=_address(in_data or linked, url),
        stated_in=tuple(name for name, is_there in places if is_there),
    )


def _license_in(stated: Structured) -> str | None:
    """The licence that the JSON-LD of the article or the page names: an address, a name, an object with one of them."""
    for node in (stated.article, *stated.typed("webpage", "newsarticle", "article", "creativework")):
        value = stated.resolved(node.get("license"))
        for one in value if isinstance(value, list) else [value]:
            named = one.get("url") or one.get("@id") or one.get("name") if isinstance(one, dict) else one
            if isinstance(named, str) and named.strip():
                return named.strip()[:LONGEST]
    return None


def _of_file(body: bytes, url: str) -> Rights:
    """The first rule of a tdmrep.json whose location matches the address, as the protocol says."""
    if not body or len(body) > LARGEST_FILE:
        return Rights()
    try:
        path = unquote(urlsplit(url).path) or "/"
    except ValueError:
        return Rights()
    for rule in _rules_in(body):
        if _matches(rule.get("location"), path):
            reserved = _flag(rule.get("tdm-reservation"))
            if reserved is None:
                return Rights()
            policy = rule.get("tdm-policy")
            address = _address(policy, url) if reserved and isinstance(policy, str) else None
            return Rights(reserved, address, stated_in=("tdmrep.json",))
    return Rights()


@lru_cache(maxsize=16)  # one file is handed over with every page of its origin
def _rules_in(body: bytes) -> tuple[dict[str, Any], ...]:
    """The rules of a tdmrep.json, which nobody changes; () where it is no JSON."""
    try:
        rules = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return ()
    listed = rules if isinstance(rules, list) else [rules]
    return tuple(rule for rule in listed[:MOST_RULES] if isinstance(rule, dict))


def _matches(location: object, path: str) -> bool:
    """Whether a location of the protocol, a path with ``*`` and ``$`` as in robots.txt, is that of *path*."""
    if not isinstance(location, str) or len(location) > LONGEST_PATTERN:
        return False
    is_whole = location.endswith("$")
    first, *parts = location.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    for part in parts:  # by hand: each piece at the first place where it stands, which no pattern can make long
        found = path.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return not is_whole or at == len(path) or bool(parts and path.endswith(parts[-1]))


def _directives(values: Iterable[str]) -> tuple[str, ...]:
    """The restricting directives of a header or meta element; "AGENT: directive" where it names somebody."""
    return tuple(dict.fromkeys(_each_directive(values)))[:MOST_DIRECTIVES]


def _each_directive(values: Iterable[str]) -> Iterator[str]:
    for value in values:
        agent = ""
        for piece in value[:LONGEST].lower().split(","):
            word = " ".join(piece.split())
            named = _AGENT.fullmatch(word)
            if named and named[1] != "unavailable_after" and not named[1].startswith("max-"):
                agent, word = f"{named[1]}: ", named[2]
            if _RESTRICTS.fullmatch(word):
                yield agent + word


def _flag(value: object) -> bool | None:
    """``1`` and ``0``, as numbers or text; None for anything else, which means nothing by the protocol."""
    text = str(value).strip() if isinstance(value, (str, int)) else ""
    return {"1": True, "0": False, "True": True, "False": False}.get(text)


def _address(value: Any, url: str) -> str | None:
    """*value* as an address, where it is one; a licence may be a name as well."""
    if not isinstance(value, str) or not value.strip():
        return None
    text = " ".join(value.split())[:LONGEST]
    try:
        return urljoin(url, text) if re.match(r"(?i)https?:|/", text) else text
    except ValueError:
        return text


# --- what follows ----------------------------------------------------------------------------------------------------


def reservations(rights: Rights) -> Iterator[tuple[str, str]]:
    """(the name by which a policy knows it, a sentence) for each reservation that is stated."""
    if rights.tdm_reserved:
        yield "tdm_reservation", "text and data mining is reserved" + _by(rights.tdm_policy)
    plain = [one for one in rights.robots_directives if ":" not in one]
    for name in ("noai", "noarchive", "noindex"):
        if name in plain or (name in ("noarchive", "noindex") and "none" in plain):
            yield name, f"it says {name}"
    if rights.ai_crawlers_disallowed:
        yield "ai_crawlers", "robots.txt keeps out " + ", ".join(rights.ai_crawlers_disallowed[:5])


def _by(policy: str | None) -> str:
    return f" (policy {policy})" if policy else ""


def reserved(rights: Rights, policy: RightsPolicy) -> str | None:
    """Why an article is reserved, in a sentence, by what *policy* counts; None where it is not."""
    return next((said for name, said in reservations(rights) if name in policy.on), None)


def applied(article: Article, policy: RightsPolicy) -> Article:
    """The article as the operator wants it: with or without its text. Raises Rejected(RIGHTS)."""
    if policy.then == "record" or (said := reserved(article.rights, policy)) is None:
        return article
    if policy.then == "do_not_fetch":
        raise Rejected(Reason.RIGHTS, said)
    return replace(article, text="", text_markdown="", headings=(), details={}, removed=(), text_withheld=True)


def headers_of(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Of a response's headers those that speak of rights, cut off where they are too long."""
    return tuple((name.lower(), value[:LONGEST]) for name, value in pairs if name.lower() in HEADERS)[:20]


def before_fetch(url: str, said: Statements, policy: RightsPolicy) -> str:
    """The task of a reader process: why a page is not to be fetched, by what is known before; "" where it may be."""
    return reserved(rights_of(Page(url, "", b"", _NEVER, statements=said)), policy) or ""
