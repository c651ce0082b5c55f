"""Which address an article goes by: the canonical that its page names, where that can be this page's.

Templates write one canonical for every page of a section or site ('/lokales/', '/index.html', '/undefined'). Believed,
it would make all of them one article.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from pipelines.reading.languages import either
from pipelines.reading.page.evidence import Candidate, Place, Ranking
from pipelines.reading.page.structured import Structured
from pipelines.sites import site_of

_LONGEST = 2_000
_INDEX = re.compile(r"(?:index|default|home|start)(?:\.\w{2,5})?", re.IGNORECASE)
# a template's variable that was never filled in
_UNFILLED = re.compile(
    r"(?:^|[/=])(?:undefined|null|none|nan|nil|false|true|\[object ?object\]|slug|permalink)(?:$|[/?&#.])"
    r"|[{}<>$\s]|%7[bd]|%3[ce]|/:\w|%24|/(?:\[|%5b)",
    re.IGNORECASE,
)
# what an article's other forms add to its address: a further page, print, AMP, comments
_FORM = re.compile(
    rf"(?:amp|page|feed|embed|live|{either('paths.forms')}|{either('paging.page')}[-_/]?\d{{1,3}}|\d{{1,3}}"
    r"|[a-z]{0,8}-?galler(?:y|ie)\w*)(?:\.\w{2,5})?",
    re.IGNORECASE,
)
# lists and services that are an article's canonical by mistake of a template
_LISTS = re.compile(rf"authors?|search|{either('verdict.list_paths')}", re.IGNORECASE)
_ERROR = re.compile(r"(?:40\d|50\d|error|not-?found|page-?not-?found)(?:[-_]page)?(?:\.\w{2,5})?", re.IGNORECASE)
# a parameter that tells articles apart
_IDENTIFIES = re.compile(r"(?:^|&)(?:\w*id|p|nr|no|art\w*|news\w*|story\w*|tx_\w+[^=&]{0,60})=[^&]*\d", re.IGNORECASE)
_ARTICLE_LIKE = re.compile(r"\d{5,}|(?:[^-_]+[-_]){3}|\.(?:s?html?|php|aspx?)$|(?:^|[-_.])id\d", re.IGNORECASE)


def absolute(address: str | None, base: str) -> str | None:
    """*address* resolved against the page's; None unless that gives http(s) with a host."""
    if not address or len(address) > _LONGEST:
        return None
    try:
        address = urljoin(base, address.strip())
        parts = urlsplit(address)
    except ValueError:
        return None
    return address if parts.scheme in ("http", "https") and parts.hostname else None


def canonical(structured: Structured, url: str) -> str | None:
    """The canonical address that the page names, if it can be one of this page. Of several the one that is this
    address.
    """
    believed = [each for each in candidates(structured, url) if each.believed]
    here, first = _bare(url), next(iter(believed), None)
    if first is None:
        return None
    of_place: list[str] = [each.believed for each in believed if each.place == first.place]
    return next((address for address in of_place if _bare(address) == here), of_place[0])


@dataclass(frozen=True, slots=True)
class Source:
    """What the canonical address of the page at ``url`` is read from."""

    stated: Structured
    url: str


def candidates(structured: Structured, url: str) -> Iterator[Candidate]:
    """Every canonical that the page names, believed or not."""
    return CANONICALS.candidates(Source(structured, url))


Values = Iterator[tuple[str, str | None]]


def _believed(values: Iterable[str], url: str) -> Values:
    for value in values:
        address = absolute(value, url)
        is_possible = address is not None and not _UNFILLED.search(value.strip()) and _can_be(address, url)
        yield value, address.split("#")[0] if address and is_possible else None


CANONICALS = Ranking("canonical", (
    Place("`link rel=canonical`", lambda source: _believed(source.stated.canonicals, source.url),
          "of several the one that is this address"),
    Place("meta `og:url`", lambda source: _believed(source.stated.meta.get("og:url", ())[:1], source.url)),
))  # fmt: skip


def _can_be(address: str, url: str) -> bool:
    """Whether *address* can be that of the page at *url*: on the same site, and not that of a list above it."""
    here, there = urlsplit(url), urlsplit(address)
    if site_of(there.hostname or "") != site_of(here.hostname or ""):
        return False
    own, named = _segments(here.path), _segments(there.path)
    list_of = _without_forms(named)
    if len(named) in (1, 2) and _LISTS.fullmatch(named[0]) and named[0] not in own and named[-1] not in own[-1:]:
        return _ARTICLE_LIKE.search(named[-1]) is not None
    if there.query:
        return own[: len(named)] != named or own == named or bool(named and _ARTICLE_LIKE.search(named[-1]))
    if named and named != own and _ERROR.fullmatch(named[-1]):
        return False
    if list_of != named and len(list_of) < len(own) and own[: len(list_of)] == list_of and own != named:
        return bool(list_of) and _ARTICLE_LIKE.search(list_of[-1]) is not None  # '/lokales/page/2/'
    if own == named:
        return _IDENTIFIES.search(here.query) is None
    if not named:
        return False
    if own[: len(named)] == named:  # above this page: its other form, or a list that has it
        return _ARTICLE_LIKE.search(named[-1]) is not None or all(_FORM.fullmatch(each) for each in own[len(named) :])
    is_list = len(named) == 1 and not re.search(r"[\d_-]", named[0]) and not _ARTICLE_LIKE.search(named[0])
    return not (is_list and own and (len(own) > 1 or _ARTICLE_LIKE.search(own[-1])))


def _without_forms(segments: list[str]) -> list[str]:
    """*segments* without the further page, print or AMP that they end in."""
    while segments and _FORM.fullmatch(segments[-1]):
        segments = segments[:-1]
    return segments


def _segments(path: str) -> list[str]:
    """The parts of a path, without the file that stands for its folder ('/lokales/index.html' is '/lokales/')."""
    parts = [part for part in path.split("/") if part]
    return parts[:-1] if parts and _INDEX.fullmatch(parts[-1]) else parts


def _bare(address: str) -> str:
    """An address as far as it tells articles apart: no scheme, no 'www.', no closing slash, no anchor."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    return f"{(parts.hostname or '').removeprefix('www.')}{parts.path.rstrip('/')}?{parts.query}".rstrip("?")
