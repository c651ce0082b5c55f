"""Who signed: the places that name authors, in their order of trust."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pipelines.reading.fields import bylines, people
from pipelines.reading.fields.people import Byline
from pipelines.reading.fields.selectors import select
from pipelines.reading.fields.title import site_names, squashed
from pipelines.reading.page.evidence import Evidence, Place, Ranking
from pipelines.reading.page.jsonld import types_of
from pipelines.reading.page.structured import Structured, plain, plain_list, text_of

_AUTHOR_META = (
    "author", "article:author", "og:article:author", "parsely-author", "cxenseparse:author", "sailthru.author",
    "vf:author", "dc.creator", "dcterms.creator", "citation_author", "mediator_author", "byl",
)  # fmt: skip


def byline_of(evidence: Evidence, selector: str | None = None) -> Byline:
    """The people that the most trusted place names which names any; else the byline that a reader sees, where it names
    some; else the first newsroom and agency. A source's own *selector* wins over all of them.
    """
    if chosen := select(evidence.tree, selector):
        return people.byline(chosen)
    stated, is_signed_for = Byline(), False
    for candidate in AUTHORS.candidates(evidence):
        found = candidate.believed
        first = stated or found
        stated = Byline(found.people, first.organisations, first.agency or found.agency)
        if stated.people:
            return stated
        # a meta tag's author is often the site's, JSON-LD's and microdata's is the text's; a writer's mark is nobody's
        is_mark = all(len(name) <= _LONGEST_MARK for name in found.organisations) and not found.agency
        is_signed_for |= bool(found) and not is_mark and candidate.place.startswith(("JSON-LD", "microdata"))
    seen = seen_byline(evidence, is_signed_for=is_signed_for)
    # where an agency is stated for the author, the newsroom's name beside it is the page's, not the text's
    organisations = stated.organisations or (() if stated.agency else seen.organisations)
    return Byline(seen.people, organisations, stated.agency or seen.agency)


def seen_byline(evidence: Evidence, *, is_signed_for: bool = False) -> Byline:
    """The byline that a reader sees."""
    visible = evidence.visible
    seen = _without_site(bylines.signed(visible.root, visible.heading), site_names(evidence.stated))
    return seen if seen.people else bylines.written(visible, is_signed_for=is_signed_for) or seen


def signed_of(stated: Structured, found: Byline) -> tuple[str, ...]:
    """The names that tell an article's sort: those of JSON-LD as they stand there, else of meta `author`; the agency of
    the byline that was *found*.
    """
    names = author_names(stated, stated.article.get("author"))[0] or stated.meta.get("author", [])
    return (*names, *filter(None, (found.agency,)))


def _without_site(found: people.Byline, sites: set[str]) -> people.Byline:
    """*found* with the site's own name, which can look like a person's ('Jungle World'), among the organisations."""
    named = tuple(name for name in found.people if squashed(name) in sites)
    if not named:
        return found
    left = tuple(name for name in found.people if name not in named)
    return people.Byline(left, (*named, *found.organisations), found.agency)


_LONGEST_MARK = 3  # letters of 'ls', which signs for a person whose name may stand below the text

Values = Iterator[tuple[str, Byline]]


def _sorted(evidence: Evidence, names: list[str], organisations: list[str] | tuple[str, ...] = ()) -> Values:
    """What a place names, sorted into people, newsrooms and agency; nothing where it names nobody."""
    if names or organisations:
        found = people.byline(names, organisations, is_stated=True)
        yield ", ".join((*names, *organisations)), _without_site(found, site_names(evidence.stated))


def _of_article(key: str) -> Callable[[Evidence], Values]:
    return lambda evidence: _sorted(evidence, *author_names(evidence.stated, evidence.stated.article.get(key)))


def _of_author_meta(evidence: Evidence) -> Values:
    return _sorted(evidence, [name for place in _AUTHOR_META[:2] for name in evidence.stated.meta.get(place, ())])


def _of_micro(evidence: Evidence) -> Values:
    above = evidence.visible.above
    named = evidence.stated.micro.get("author", ())[:6]
    return _sorted(evidence, [text_of(each, 200) for each in named if not bylines.is_of_other_item(each, above)])


def _of_other_meta(evidence: Evidence) -> Values:
    for place in _AUTHOR_META[2:]:
        yield from _sorted(evidence, evidence.stated.meta.get(place, []))


def _of_hint(evidence: Evidence) -> Values:
    return _sorted(evidence, list(evidence.hint.authors) if evidence.hint else [])


def author_names(structured: Structured, value: Any) -> tuple[list[str], list[str]]:
    names: list[str] = []
    organisations: list[str] = []
    for each in _flat(value):
        each = structured.resolved(each)
        stated = names
        if isinstance(each, dict) and "role" in types_of(each):
            each = structured.resolved(each.get("author"))
        if isinstance(each, dict):
            stated = organisations if types_of(each) & {"organization", "newsmediaorganization"} else names
            each = each["name"] if isinstance(each.get("name"), list) else _name_of(each)
        stated += plain_list(each) if isinstance(each, list) else [plain(each) or ""]
    return list(filter(None, names)), list(filter(None, organisations))


def _name_of(person: dict[str, Any]) -> Any:
    """The name that an object states, or its given and family name."""
    if plain(person.get("name")):
        return person
    parts = (plain(person.get(key)) for key in ("givenName", "additionalName", "familyName"))
    return " ".join(filter(None, parts)) or person


def _flat(value: Any, depth: int = 0) -> list[Any]:
    """The members of a list, of lists within it too; any other value alone."""
    if not isinstance(value, list) or depth > 3:
        return [value]
    return [inner for each in value[:30] for inner in _flat(each, depth + 1)][:60]


AUTHORS = Ranking("authors", (
    Place("JSON-LD `author`", _of_article("author"), "a name, or given and family name"),
    Place("JSON-LD `creator`", _of_article("creator")),
    Place("meta `author`, `article:author`", _of_author_meta),
    Place("microdata `author`", _of_micro),
    Place("other meta (`parsely-author`, `dc.creator`, ...)", _of_other_meta),
    Place("the feed's entry", _of_hint),
))  # fmt: skip
