"""Who wrote an article: the people among what bylines and metadata name, apart from newsrooms and agencies."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipelines.reading.fields.agency import agency_named
from pipelines.reading.fields.date_grammar import month_names, weekday_names
from pipelines.reading.languages import either, languages, words


@dataclass(frozen=True, slots=True)
class Byline:
    """*people* and *organisations* in the order of their naming; *agency* is the first agency among them, by its
    short name.
    """

    people: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    agency: str | None = None

    def __bool__(self) -> bool:
        return bool(self.people or self.organisations or self.agency)


def byline(names: Iterable[str], organisations: Iterable[str] = (), *, is_stated: bool = False) -> Byline:
    """Sort what bylines state ('Von Anna Muster und BEN BEISPIEL, dpa') into people, organisations and agency.

    *organisations* are names of which the page says that they are no people. *is_stated*: the names stand where
    nothing but names stands, so 'anna muster' and 'Muster, Anna' are people too.
    """
    people: dict[str, str] = {}
    others: dict[str, str] = {}
    agency = None
    texts = [piece for text in names for piece in (_turned(text) if is_stated else [text])]
    stated = [(name, True) for text in texts for name in split(text)]
    for name, may_be_person in [*stated, *((name, False) for name in organisations)]:
        found = agency_named(name)
        named = recased(name, small=is_stated)
        if found:
            agency = agency or found
        elif may_be_person and is_person(named):
            people.setdefault(_key(named), named)
        elif is_organisation(name):
            others.setdefault(_key(name), name)
    return Byline(tuple(people.values()), tuple(others.values()), agency)


_WORD = r"(?!Dr\b|Prof\b|Mag\b)[A-ZÀ-Ý][a-zà-ÿß]+(?:-[A-ZÀ-Ý][a-zà-ÿß]+)?"
_LAST_FIRST = re.compile(rf"((?:(?:von|van|de|zu)\s)?{_WORD}),\s({_WORD}(?:\s{_WORD}|\s[A-Z]\.)?)")


def _turned(text: str) -> list[str]:
    """'Muster, Anna' -> 'Anna Muster', several of them apart: 'Muster, Anna; Beispiel, Ben'."""
    pieces = re.split(r"\s*[;|]\s*", (text or "").strip(" ;|"))
    found = [_LAST_FIRST.fullmatch(piece) for piece in pieces]
    if all(found):
        return [f"{match[2]} {match[1]}" for match in found if match]
    return [text]


def _key(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower().replace("ß", "ss"))
    return re.sub(r"[^a-z]", "", plain) or name.lower()


_LEAD = re.compile(
    rf"^\s*(?:{either('people.lead')}|(?i:{either('people.label')})\s+(?=(?-i:[A-ZÄÖÜ]\w)))", re.IGNORECASE
)
_AND = sorted(words("people.separators"), key=len, reverse=True)
_LETTERS = "|".join(word for word in _AND if len(word) == 1)  # in small letters only: 'John E Smith' is one person
_SPLIT = re.compile(
    rf"\s*(?:;|\||•|·|\n|\+|&(?!\s?Co\b)|,|\s(?:{'|'.join(word for word in _AND if len(word) > 1)}"
    rf"|(?-i:{_LETTERS})|[-–—])\s)\s*",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,200}\.\w+|(?:https?://|www\.)\S+|(?<!\w)@\w+")
# who took the pictures: 'Anna Muster (Text) und Karl Kranz (Fotos)'
_PICTURED = re.compile(
    rf"(?:(?:[,;/&]|\s(?:{'|'.join(_AND)}))\s)?\b[A-ZÀ-Ý][\w'’.-]+\s(?:[a-z]+\s)?[A-ZÀ-Ý][\w'’.-]+"
    rf"\s\((?i:{either('people.picture')}\w{{0,3}})\)"
)
# what a date line puts behind a name, and what a list of names ends in
_BEHIND = re.compile(
    rf"\s+(?:{either('people.behind')}(?:(?<=\d)|\b)|\d{{1,2}}[.:/]\s?\d).*$|^{either('people.and_more')}\b.*$",
    re.IGNORECASE,
)
_ROLE = either("people.roles")
_HAS_ROLE = re.compile(rf"\b{_ROLE}\b(?!-\w)", re.IGNORECASE)
_ROLE_WORD = re.compile(
    rf"^(?:.*\b(?:{_ROLE}|{either('people.role_words')})\b(?!-\w).*|{either('people.role_beside')}(?:\s.+)?)$",
    re.IGNORECASE,
)
# 'unsere stellvertretende Chefredakteurin Anna Muster', 'Anna Muster ZDF-Korrespondentin in Paris'
_ADJECTIVE = either("people.role_adjectives")
_ROLE_BEFORE = re.compile(
    rf"^(?:{_ADJECTIVE}\s)*{_ROLE}(?:\s{either('people.role_beside')}\s[A-ZÄÖÜ]\w+)?:?\s+(?=\S+\s)", re.IGNORECASE
)
_ROLE_BEHIND = re.compile(rf"(?<=\w)\s+(?:{_ADJECTIVE}\s)*{_ROLE}(?:\s.*)?$", re.IGNORECASE)
# The end of a word, however long, as 'Wochenblatt' ends; the beginning of a name ('Blatter', 'Newsom') is none.
_ORGANISATION_WORD = re.compile(
    rf"(?:\b[\w-]*{either('people.organisation_ends')}\b|{either('people.organisation_words')})", re.IGNORECASE
)
_NO_NAMES = words("people.no_names")
_NOBODY = words("people.nobody") | frozenset(
    word for each in languages().values() for word in (*each.weekdays, *each.months, *each.days_ago) if len(word) > 3
)
_WEEKDAYS = weekday_names()
# what a template or a program writes in place of a name, besides single words: those are in the language files
_PLACEHOLDER = re.compile(
    r"n/?a|nan|(?:undefined|null)(?: (?:undefined|null))+|\[?object object\]?"
    r"|(?:(?:first|last|given|family|author|user|full)[ _-]?)?name"
    r"(?: (?:last|family)[ _-]?name)?",
    re.IGNORECASE,
)
_PLACE = re.compile(either("people.places"), re.IGNORECASE)
_PARTICLES = words("people.particles")
_TITLES = re.compile(rf"^(?:{either('people.titles')}\b\.?[\s-]*)+(?=\S)", re.IGNORECASE)
_MONTH = "|".join(sorted({re.escape(name[:3]) for name in month_names()}))
_DAY = re.compile(rf"\b(?:{_MONTH})\w*\.?\s\d|\d\.?\s(?:{_MONTH})", re.IGNORECASE)
_NOT_A_NAME = re.compile(rf"(?<![\w-]){either('people.not_a_name')}(?![\w-])", re.IGNORECASE)


def split(text: str) -> list[str]:
    """The single names in a byline, without 'Von', roles, addresses and social names."""
    text = unicodedata.normalize("NFC", re.sub(r"[^\S\n]+", " ", (text or "")[:1_000])).strip()
    text = _PICTURED.sub(" ", _EMAIL.sub(" ", text))
    text = re.sub(r"\((?![^)]*@)([^)]*)\)", r", \1", _LEAD.sub("", text))
    names: list[str] = []
    for part in _slashed(_SPLIT.split(text)):
        if len(part) > 160:
            continue
        part = _LEAD.sub("", _LEAD.sub("", part)).strip(_MARKS)
        part = _without_weekday(_BEHIND.sub("", part)).strip(_MARKS)
        part = _without_role(part, is_first=not names).strip(_MARKS)
        if (part and len(part) <= 60 and not _ROLE_WORD.match(part)) or (
            part and len(part) <= 60 and _ORGANISATION_WORD.search(part)
        ):
            names.append(part)
    return names


def is_nobody(name: str) -> bool:
    """Whether a name is an account's, a weekday, or what a template writes in place of one."""
    return name.lower() in _NOBODY or _PLACEHOLDER.fullmatch(name) is not None


def _without_weekday(part: str) -> str:
    """'Anna Muster Samstag' -> 'Anna Muster'; 'Anna Sonntag' is a name."""
    words = part.split()
    return " ".join(words[:-1]) if len(words) >= 3 and words[-1].lower() in _WEEKDAYS else part


_MARKS = " .,:;-–—|/()[]\"'*"


def _without_role(part: str, *, is_first: bool) -> str:
    """'Chefredakteurin Anna Muster' -> 'Anna Muster'; *part* where that leaves no person.

    Only the first part of a byline may have a role behind: in 'Anna Muster, Chief Political Correspondent' it is one
    itself.
    """
    if not _HAS_ROLE.search(part):
        return part
    left = _ROLE_BEFORE.sub("", part)
    left = _ROLE_BEHIND.sub("", left) if is_first else left
    return left if left != part and is_person(recased(left)) else part


def _slashed(parts: Iterable[str]) -> Iterator[str]:
    """'Anna Muster/Ben Beispiel' and 'dpa/lno' are two names, 'srf/hosb' is one newsroom's mark."""
    for part in parts:
        pieces = re.split(r"\s*/\s*", part)
        if (
            len(pieces) > 1
            and not agency_named(part)
            and (" / " in part or any(" " in piece or agency_named(piece) for piece in pieces))
        ):
            yield from pieces
        else:
            yield part


def is_person(name: str) -> bool:
    """Two to five words that begin with capitals (particles aside) and nothing that only newsrooms are called."""
    bare = _TITLES.sub("", name)
    words = bare.split()
    if not 2 <= len(words) <= 5 or any(c.isdigit() for c in bare) or _ORGANISATION_WORD.search(bare):
        return False
    if _PLACE.fullmatch(bare) or is_nobody(bare):
        return False
    real = [w for w in words if w.lower() not in _PARTICLES]
    return (
        len(real) >= 2
        and all(
            (w[0].isupper() or re.match(r"[dlO]['’][A-ZÀ-Ý]", w)) and (w[-1].isalpha() or w[-1] in ".'’") for w in real
        )
        and not _NOT_A_NAME.search(bare)
    )


_ARTICLES = frozenset(("der", "die", "das", "the", "le", "la", "il", "el", "het"))  # 'Der Postillon' is a name


def is_organisation(name: str) -> bool:
    """A newsroom, company or single-word signature: something with letters that is no sentence."""
    if not 2 <= len(name) <= 60 or len(name.split()) > 7 or not any(c.isalpha() for c in name):
        return False
    if is_nobody(name):
        return False
    return (
        not _NOT_A_NAME.search(name)
        and not _DAY.search(name)
        and not re.search(r"\d[.:]\d|\b(?:19|20)\d\d\b|:", name)
        and name.lower().split()[0] not in _NO_NAMES - _ARTICLES
        and name.lower().split()[-1] not in _NO_NAMES
    )


_SMALL = re.compile(r"[a-zäöüß]{3,}(?:-[a-zäöüß]{3,})?(?: [a-zäöüß]{3,}(?:-[a-zäöüß]{3,})?){1,2}")


def recased(name: str, *, small: bool = False) -> str:
    """'JÖRG ZSCHOCHE' and 'joerg.zschoche' become 'Jörg Zschoche', where *small* is set 'jörg zschoche' as well; names
    that mix cases stay as they are.
    """
    if re.fullmatch(r"[a-zäöüß]{3,}[._][a-zäöüß]{3,}", name):  # a login: 'anna.muster'
        return " ".join(part.capitalize() for part in re.split(r"[._]", name))
    letters = [c for c in name if c.isalpha()]
    is_small = small and _SMALL.fullmatch(name) and not _NO_NAMES & set(name.split())
    if not is_small and (len(letters) < 5 or not all(c.isupper() for c in letters)):
        return name
    return re.sub(r"[^\W\d_]+", lambda m: m[0].lower() if m[0].lower() in _PARTICLES else m[0].capitalize(), name)
