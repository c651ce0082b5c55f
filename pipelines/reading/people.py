"""Who wrote an article: the people among what bylines and metadata name, apart from newsrooms and agencies."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.reading.agency import agency_named


@dataclass(frozen=True, slots=True)
class Byline:
    """*people* and *organisations* in the order of their naming; *agency* is the first agency among them, by its short name."""

    people: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    agency: str | None = None


def byline(names: Iterable[str], language: str | None = None) -> Byline:
    """Sort what bylines state ('Von Anna Muster und BEN BEISPIEL, dpa') into people, organisations and agency."""
    people: dict[str, str] = {}
    organisations: dict[str, str] = {}
    agency = None
    for text in names:
        for name in split(text):
            found = agency_named(name)
            if found:
                agency = agency or found
            elif is_person(name):
                name = recased(name)
                people.setdefault(_key(name), name)
            elif is_organisation(name):
                organisations.setdefault(_key(name), name)
    return Byline(tuple(people.values()), tuple(organisations.values()), agency)


def _key(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower().replace("ß", "ss"))
    return re.sub(r"[^a-z]", "", plain) or name.lower()


_LEAD = re.compile(
    r"^\s*(?:(?:ein(?:e)?\s)?(?:gast)?(?:beitrag|kommentar|analyse|interview|reportage|essay|kolumne|bericht|artikel|porträt|glosse)\s+(?:von|by)\s"
    r"|(?:geschrieben|verfasst|veröffentlicht|erstellt|gepostet|written|posted|published|text|aufgezeichnet|protokoll|fotos?)\s*(?:und\s(?:fotos?|bilder))?\s*(?:von|by|par)?\s*:?\s+"
    r"|(?:autor(?:in|en|:in|\*in)?|author|authors|redakteur(?:in)?|verfasser(?:in)?|reporter(?:in)?|written)\s*:\s*"
    r"|(?:von|vom|by|par|de)(?:\s*:\s*|\s+)(?=[\w„\"(]))",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"\s*(?:;|\||/|•|·|\n|\+|&|,|\s(?:und|and|et|mit|with|sowie)\s)\s*")
_EMAIL = re.compile(r"\S+@\S+\.\w+|(?:https?://|www\.)\S+|(?<!\w)@\w+")
_ROLE_WORD = re.compile(
    r"^(?:.*(?:redakt|korrespondent|reporter|autor|leiter|chef|editor|volont|ressort|journalist|kolumnist|kommentator|mitarbeit"
    r"|kritiker|desk|praktikant|producer|writer|staff|experte|expertin|professor|fotograf|author|correspondent)\w*.*"
    r"|in\s.+|aus\s.+|für\s.+|für|zur zeit .*)$",
    re.IGNORECASE,
)
_ORGANISATION_WORD = re.compile(
    r"(?:redaktion|verlag|gmbh|\bag\b|\bse\b|e\.\s?v|zeitung|nachrichten|presse|medien|media|magazin|online|news|agentur|team|desk|blatt|anzeiger|kurier"
    r"|rundfunk|fernsehen|radio|stiftung|verein|verband|ministerium|institut|universität|gruppe|group|press|bild\b|spiegel\b|stern\b|welt\b|\.(?:de|at|ch|com|net|org)\b"
    r"|\b(?:orf|zdf|ard|srf|ndr|mdr|wdr|swr|br24|rbb|hr|rtl|ntv|faz|nzz|taz)\b|admin|editor|the\s|der\s|die\s|das\s|partei|amt\b|stadt\b|landes|bundes)",
    re.IGNORECASE,
)
_PARTICLES = {"von", "van", "der", "den", "de", "zu", "zur", "vom", "am", "di", "da", "del", "la", "le", "ten", "ter", "und", "bin", "al", "el", "y", "af", "dos", "zum"}
_TITLES = re.compile(r"^(?:(?:prof|dr|dipl|mag|ing|univ|phil|med|jur|rer|nat|h\.?c|lic|msc|ba|ma|mba|pd|priv\.-doz)\.?[\s-]*)+(?=\S)", re.IGNORECASE)


def split(text: str) -> list[str]:
    """The single names in a byline, without 'Von', roles, addresses and social names."""
    text = unicodedata.normalize("NFC", re.sub(r"\s+", " ", text or "")).strip()
    text = _EMAIL.sub(" ", text)
    text = re.sub(r"\((?![^)]*@)([^)]*)\)", r", \1", text)
    names = []
    for part in _SPLIT.split(text):
        part = _LEAD.sub("", _LEAD.sub("", part)).strip(" .,:;-–—|/()[]\"'*")
        part = re.sub(r"\s+(?:ist|hat|schreibt|arbeitet|berichtet)\s.*$", "", part)
        if part and len(part) <= 60 and not _ROLE_WORD.match(part):
            names.append(part)
        elif part and len(part) <= 60 and _ORGANISATION_WORD.search(part):
            names.append(part)
    return names


def is_person(name: str) -> bool:
    """Two to five words that begin with capitals (particles aside) and nothing that only newsrooms are called."""
    bare = _TITLES.sub("", name)
    words = bare.split()
    if not 2 <= len(words) <= 5 or any(c.isdigit() for c in bare) or _ORGANISATION_WORD.search(bare):
        return False
    real = [w for w in words if w.lower() not in _PARTICLES]
    return len(real) >= 2 and all(w[0].isupper() and (w[-1].isalpha() or w[-1] in ".'’") for w in real)


def is_organisation(name: str) -> bool:
    """A newsroom, company or single-word signature: something with letters that is no sentence."""
    return 2 <= len(name) <= 60 and any(c.isalpha() for c in name) and len(name.split()) <= 7


def recased(name: str) -> str:
    """'JÖRG ZSCHOCHE' -> 'Jörg Zschoche'; names that mix cases stay as they are."""
    letters = [c for c in name if c.isalpha()]
    if len(letters) < 5 or not all(c.isupper() for c in letters):
        return name
    return re.sub(r"[^\W\d_]+", lambda m: m[0].lower() if m[0].lower() in _PARTICLES else m[0].capitalize(), name)
