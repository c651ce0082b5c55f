"""Who wrote an article: the people among what bylines and metadata name, apart from newsrooms and agencies."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from lxml.etree import XPath
from lxml.etree import _Element as Element

from pipelines.reading.fields.agency import agency_named
from pipelines.reading.page.visible import VisibleText


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
    stated = [(name, True) for text in names for name in split(_turned(text) if is_stated else text)]
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


_WORD = r"[A-ZÄÖÜ][a-zäöüß]+(?:-[A-ZÄÖÜ][a-zäöüß]+)?"
_LAST_FIRST = re.compile(rf"({_WORD}),\s({_WORD})")


def _turned(text: str) -> str:
    """'Muster, Anna' -> 'Anna Muster'."""
    match = _LAST_FIRST.fullmatch((text or "").strip())
    return f"{match[2]} {match[1]}" if match else text


def _key(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower().replace("ß", "ss"))
    return re.sub(r"[^a-z]", "", plain) or name.lower()


_PIECE = (
    r"(?:gast|blog[- ]?|reise|fach)?(?:beitrag|kommentar|analyse|interview|reportage|essay|kolumne|bericht"
    r"|artikel|porträt|glosse"
    r"|rezension|kritik|leitartikel|protokoll|text)"
)
_LEAD = re.compile(
    rf"^\s*(?:(?:{_PIECE}|eine?\s[\w-]+)\s+(?:von|by)\s|all(?:e|es)\s(?:{_PIECE}e?\s)?von\s"
    r"|(?:geschrieben|verfasst|veröffentlicht|erstellt|gepostet|aufgezeichnet|written|posted|published"
    r"|words|text|protokoll|fotos?)"
    r"\s*(?:(?:und|&|/)\s?(?:fotos?|bild(?:er)?|interview|video|recherche))?\s*(?:von|by|par)?\s*:?\s+"
    r"|(?:autor(?:in|en|innen|:in|\*in)?|authors?|redakteur(?:in)?|verfasser(?:in)?|reporter(?:in)?"
    r"|written|interview|analyse|kommentar"
    r"|bericht|text|par|auteurs?)\s*:\s*"
    r"|(?-i:Autor(?:in|en|innen)?)\s+(?=(?-i:[A-ZÄÖÜ]))"
    r"|(?:von|vom|by|par|de)(?:\s*:\s*|\s+)(?=[\w„\"(]))",
    re.IGNORECASE,
)
_SPLIT = re.compile(
    r"\s*(?:;|\||•|·|\n|\+|&(?!\s?Co\b)|,|\s(?:und|and|et|mit|with|avec|sowie|[-–—])\s)\s*", re.IGNORECASE
)
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,200}\.\w+|(?:https?://|www\.)\S+|(?<!\w)@\w+")
# what a date line puts behind a name, and what a list of names ends in
_BEHIND = re.compile(
    r"\s+(?:ist|hat|schreibt|arbeitet|berichtet|aktualisiert|veröffentlicht|publiziert|erstellt|updated"
    r"|published|publié|mis à jour"
    r"|(?:am|um|at|on|le)\s+\d|\d{1,2}[.:/]\s?\d).*$|^\d+\s(?:weitere|andere|more|others?|autres)\b.*$",
    re.IGNORECASE,
)
_ROLE = (
    r"(?:[\w-]*(?:redakteur|redaktor|redaktör|korrespondent|reporter|journalist|kolumnist|kommentator"
    r"|mitarbeiter|kritiker|autor"
    r"|leiter|fotograf|volontär|praktikant|expert|professor|chef)(?:in|en|innen|:in|\*in|e|s)?|[\w-]*redaktionsmitglied"
    r"|[\w-]*editors?|[\w-]*correspondents?|[\w-]*writers?|authors?|producers?|journaliste|correspondante?"
    r"|rédact(?:eur|rice)(?: en chef)?)"
)
_HAS_ROLE = re.compile(_ROLE, re.IGNORECASE)
_ROLE_WORD = re.compile(
    rf"^(?:.*\b(?:{_ROLE}|[\w-]*redaktion\w*|ressort\w*|volont\w*|[\w-]*desk|staff)\b.*"
    r"|in\s.+|aus\s.+|für\s.+|für|zur zeit .*)$",
    re.IGNORECASE,
)
# 'unsere stellvertretende Chefredakteurin Anna Muster', 'Anna Muster ZDF-Korrespondentin in Paris'
_ROLE_BEFORE = re.compile(
    rf"^(?:(?:unser\w*|our|freier?|leitende\w?|stellv\w*\.?|ehemaliger?|senior|staff)\s)*{_ROLE}"
    r"(?:\s(?:in|aus)\s[A-ZÄÖÜ]\w+)?:?\s+(?=\S+\s)",
    re.IGNORECASE,
)
_ROLE_BEHIND = re.compile(
    rf"(?<=\w)\s+(?:(?:unser|unsere|freier?|leitende\w?|senior)\s)*{_ROLE}(?:\s.*)?$", re.IGNORECASE
)
_ORGANISATION_WORD = re.compile(
    r"(?:redaktion|verlag|gmbh|\bag\b|\bse\b|e\.\s?v|zeitung|nachrichten|presse|\btoday\b|\bbusiness\b"
    r"|\bsports?\b|\bnetwork\b|\bservices?\b|\btimes\b|\bdaily\b|\binternational\b|\bstaff\b|medien|media|magazin|online|news|agentur|team|desk|blatt|anzeiger|kurier"
    r"|rundfunk|fernsehen|radio|stiftung|verein|verband|ministerium|institut|universität|gruppe|group"
    r"|press\b|\.(?:de|at|ch|com|net|org)\b"
    r"|\b(?:orf|zdf|ard|srf|ndr|mdr|wdr|swr|br24|rbb|hr|rtl|ntv|faz|nzz|taz)\b|\badmin|\beditor|^(?:the"
    r"|der|die|das)\s|partei\b|\bamt\b|\bstadt\b|^landes|^bundes)",
    re.IGNORECASE,
)
_NO_NAMES = frozenset(
    [
        "by",
        "on",
        "am",
        "in",
        "im",
        "um",
        "at",
        "von",
        "vom",
        "par",
        "le",
        "the",
        "der",
        "die",
        "das",
        "und",
        "and",
        "et",
        "mit",
        "with",
        "zum",
        "zur",
        "für",
        "for",
        "redaktion",
    ]
) - {"redaktion"}
# accounts of a system, parts of a byline and social networks, taken for names
_NOBODY = frozenset((
    "admin", "administrator", "administration", "webmaster", "wordpress", "wordpressadmin", "wpadmin", "root", "user",
    "author", "autor", "autorin", "unknown", "unbekannt", "anonymous", "null", "undefined", "none", "test", "editor",
    "agentur", "agenturen", "agences", "text", "texte", "bild", "bilder", "foto", "fotos", "video", "twitter",
    "facebook", "instagram", "linkedin", "profil", "website",
))  # fmt: skip
_PLACE = re.compile(
    r"(?:new (?:york|orleans|delhi)|neu[- ]delhi|san [a-z]+|santa [a-z]+|são paulo|los angeles|las vegas|tel aviv"
    r"|buenos aires|rio de janeiro|bad [a-z]+|(?:st\.?|sankt) [a-z]+|hong ?kong|kuala lumpur|abu dhabi|addis abeba"
    r"|den haag|studio [a-z]+|büro [a-z]+)",
    re.IGNORECASE,
)
_PARTICLES = {
    "von",
    "van",
    "der",
    "den",
    "de",
    "zu",
    "zur",
    "vom",
    "am",
    "di",
    "da",
    "del",
    "la",
    "le",
    "ten",
    "ter",
    "und",
    "bin",
    "al",
    "el",
    "y",
    "af",
    "dos",
    "zum",
}
_TITLES = re.compile(
    r"^(?:(?:prof|dr|dipl|mag|ing|univ|phil|med|jur|rer|nat|h\.?c|lic|msc|ba|ma|mba|pd|priv\.-doz)\b\.?[\s-]*)+(?=\S)",
    re.IGNORECASE,
)
_DAY = re.compile(
    r"\b(?:jan|feb|mär|mar|apr|mai|may|jun|jul|aug|sep|okt|oct|nov|dez|dec)\w*\.?\s\d|\d\.?\s(?:jan|feb"
    r"|mär|mar|apr|mai|may|jun"
    r"|jul|aug|sep|okt|oct|nov|dez|dec)",
    re.IGNORECASE,
)
_NOT_A_NAME = re.compile(
    r"anmelde|abonn|folgen|mehr\b|lesen|artikel|\balle\b|profil|teilen|kontakt|feedback|login|newsletter"
    r"|stand\b|uhr\b|minute|\bmin\b|kommentar"
    r"|veröffentlicht|aktualisiert|updated|published|lesezeit|drucken|follow|more\b|anzeige|werbung|foto"
    r"|bild:|http|datum|über\b|zur\b|\bvor\b|beitr[aä]g",
    re.IGNORECASE,
)


def split(text: str) -> list[str]:
    """The single names in a byline, without 'Von', roles, addresses and social names."""
    text = unicodedata.normalize("NFC", re.sub(r"[^\S\n]+", " ", (text or "")[:1_000])).strip()
    text = _EMAIL.sub(" ", text)
    text = re.sub(r"\((?![^)]*@)([^)]*)\)", r", \1", _LEAD.sub("", text))
    names = []
    for part in _slashed(_SPLIT.split(text)):
        if len(part) > 160:
            continue
        part = _LEAD.sub("", _LEAD.sub("", part)).strip(_MARKS)
        part = _without_role(_BEHIND.sub("", part), is_first=not names).strip(_MARKS)
        if (part and len(part) <= 60 and not _ROLE_WORD.match(part)) or (
            part and len(part) <= 60 and _ORGANISATION_WORD.search(part)
        ):
            names.append(part)
    return names


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
    if _PLACE.fullmatch(bare):
        return False
    real = [w for w in words if w.lower() not in _PARTICLES]
    return (
        len(real) >= 2
        and all(
            (w[0].isupper() or re.match(r"[dlO]['’][A-ZÀ-Ý]", w)) and (w[-1].isalpha() or w[-1] in ".'’") for w in real
        )
        and not _NOT_A_NAME.search(bare)
    )


def is_organisation(name: str) -> bool:
    """A newsroom, company or single-word signature: something with letters that is no sentence."""
    if not 2 <= len(name) <= 60 or len(name.split()) > 7 or not any(c.isalpha() for c in name):
        return False
    if name.lower() in _NOBODY:
        return False
    return (
        not _NOT_A_NAME.search(name)
        and not _DAY.search(name)
        and not re.search(r"\d[.:]\d|\b(?:19|20)\d\d\b|:", name)
        and name.lower().split()[0] not in _NO_NAMES - {"der", "die", "das", "the"}
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


# -- bylines that a reader sees ---------------------------------------------------------------------------------------

_SIGNED = XPath(
    # from the attributes up: far fewer than elements
    ".//@class[contains(.,'uthor') or contains(.,'utor') or contains(.,'yline')]/.. | .//@rel[.='author']/.."
    " | .//a[contains(@href,'/aut')] | .//h1"
)
_SAYS_BY = re.compile(
    r"(?:von|by|par|text|autor(?:in|en)?|interview|protokoll|written by|geschrieben von|ein \w+ von)"
    r"(?:\s*:\s*|\s+)(?P<rest>.*)",
    re.IGNORECASE,
)
_SAYS_BY_ONLY = re.compile(
    r"(?:von|by|par|text|interview|autor(?:in|en)?|geschrieben von|written by|ein \w+ von)\s*:?", re.IGNORECASE
)
_DAY_LINE = re.compile(r"\d{1,2}\.\s?(?:\d{1,2}\.|[A-Za-zä]{3,9}\.?)\s?\d{2,4}|\d{4}-\d\d-\d\d")
_CLOCK = re.compile(r"\d{1,2}[:.]\d\d(?:\s?uhr)?|\bum\b|\bam\b|\bstand\b", re.IGNORECASE)
_PICTURE = re.compile(r"(?:bild|foto|photo|quelle|grafik|illustration|video|image|copyright|©)", re.IGNORECASE)
_ELSEWHERE = re.compile(
    r"comment|kommentar|related|teaser|sidebar|widget|recent|popular|footer|navi|menu|similar|recommend"
    r"|slider|carousel|card-list|newsletter"
    r"|photo|foto|image|bild|caption|copyright|authority|more-?(?:news|articles)",
    re.IGNORECASE,
)
# an aside or footer of the article itself: its meta line, its signature
OWN_FRAME = re.compile(r"meta|author|autor|byline|article|artikel|post|entry|content", re.IGNORECASE)
_AUTHOR_FOOTER = re.compile(
    r"(?<=author)[\w-]*\sfooter|footer(?=[\w-]*(?:article|entry|post))|(?:article|artikel|entry|post)[\w-]*footer",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(
    r"(?:von|by|par|words|(?:text|bericht|protokoll|interview)(?: (?:und|&) (?:fotos?|bilder))?|autor(?:in"
    r"|en|innen)?|auteurs?)\s*:"
    r"\s*(?P<rest>\S.*)?|von|(?-i:Autor(?:in|en|innen)?\s(?P<named>[A-ZÄÖÜ].*))",
    re.IGNORECASE,
)
_TOGETHER = 3  # levels up to which byline elements share a container


def signed(tree: Element, heading: Element | None) -> Byline:
    """The byline that the page marks near its headline, by class, rel or an author page's address."""
    above = frozenset(heading.iterancestors()) if heading is not None else frozenset()
    marked = list(_marked(tree, heading, above))
    if not marked:
        return Byline()
    group = [element for element in marked if _share(marked[0], element)]
    return byline("\n".join(_pieces(element)) for element in group[:12])


def written(visible: VisibleText) -> Byline:
    """The byline in the plain text around the headline: 'Von Anna Muster und Ben Beispiel', or a name in the date
    line.
    """
    if visible.headline is None:
        return Byline()
    first, after = visible.headline
    above = visible.above
    for index in (*range(after, min(after + 25, len(visible.texts))), *range(max(0, first - 4), first)):
        text = _names_in_line(visible, index)
        element = visible.element(index) if text else None
        if element is not None and element.tag not in ("h1", "h2", "h3") and not is_outside(element, above):
            found = byline([text])
            if found.people:
                return found
    return _signature(visible, after + 25)


def _signature(visible: VisibleText, start: int) -> Byline:
    """A byline below the text: 'Autorin: Anna Muster', or 'Von' and a name of its own."""
    for index in range(start, len(visible.texts)):
        text = visible.texts[index]
        match = _SIGNATURE.fullmatch(text) if len(text) <= 90 else None
        element = visible.element(index) if match else None
        if element is None or is_outside(element, visible.above):
            continue
        found = byline([match["rest"] or match["named"] or _names_in_line(visible, index) or ""])
        if found.people:
            return found
    return Byline()


def _names_in_line(visible: VisibleText, index: int) -> str | None:
    """What may be names in a short line that says 'Von' or carries a date; names may be strings of their own behind
    'Von:'.
    """
    text = visible.texts[index]
    if len(text) > 90:
        return None
    if _SAYS_BY_ONLY.fullmatch(text):
        names = []
        for following in visible.texts[index + 1 : index + 9]:
            if is_person(following.strip(" ,")) or (split(following) and len(following) <= 60 and not names):
                names.append(following)
            elif following.strip(" ,").lower() not in ("", "und", "and", "et"):
                break
        return "\n".join(names)
    match = _SAYS_BY.fullmatch(text)
    if match:
        return match["rest"]
    if _DAY_LINE.search(text):
        rest = _CLOCK.sub(" ", _DAY_LINE.sub(" ", text)).replace(" - ", "\n").replace(" – ", "\n")
        return rest if all(is_person(name) or agency_named(name) for name in split(rest)) else None
    return None


def _marked(tree: Element, heading: Element | None, above: frozenset) -> Iterator[Element]:
    """Elements marked as bylines, those behind the headline first, without those in teasers, comments and the like."""
    before, after, passed, accepted = [], [], heading is None, set()
    for element in _SIGNED(tree):
        if element is heading:
            passed = True
            continue
        if element.tag in (
            "h1",
            "body",
            "html",
            "article",
            "main",
            "img",
            "meta",
            "link",
            "script",
            "style",
            "input",
            "figure",
        ):
            continue
        if element in above or any(up in accepted for up in element.iterancestors()):
            continue
        size = sum(map(len, _pieces(element)))
        if 2 <= size <= 240 and not is_outside(element, above):
            accepted.add(element)
            (after if passed else before).append(element)
    yield from after or before[-2:]


def is_outside(element: Element | None, above: frozenset = frozenset()) -> bool:
    """Does an element stand in a part of the page that is not the article's? What holds the headline as well is."""
    level = 0
    while element is not None and element not in above and element.tag not in ("body", "main"):
        names = f"{element.get('class') or ''} {element.get('id') or ''}"
        own = element.tag in ("aside", "footer") and OWN_FRAME.search(names)
        if element.tag in ("nav", "aside", "footer", "figure", "figcaption", "select") and not own:
            return True
        if level < 8 and _is_elsewhere(names):
            return True
        element = element.getparent()
        level += 1
    return False


@lru_cache(maxsize=4_096)
def _is_elsewhere(names: str) -> bool:
    return _ELSEWHERE.search(_AUTHOR_FOOTER.sub("", names)) is not None


def _share(one: Element, other: Element) -> bool:
    """Do two elements stand in the same small container?"""
    if one is other:
        return True
    above = [up for _, up in zip(range(_TOGETHER), one.iterancestors(), strict=False)]
    return any(up in above for _, up in zip(range(_TOGETHER), other.iterancestors(), strict=False))


def _pieces(element: Element) -> list[str]:
    """The short strings in an element; a biography's sentences are left out."""
    pieces = [" ".join(piece.split()) for piece in element.itertext("*", with_tail=True)]
    return [piece for piece in pieces if piece and len(piece) <= 120 and not _PICTURE.match(piece)]
