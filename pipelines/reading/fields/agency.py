"""News agencies: which one a text credits, and the dateline that agency copy begins with."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipelines.reading.languages import either, words
from pipelines.reading.regex_prefilter import lowered, sorted_by_letter

# spelling as found (lower case) -> short name as kept
NAMES = {
    "dpa": "dpa", "deutsche presse-agentur": "dpa", "dpa-infocom": "dpa", "dpa-afx": "dpa-AFX", "afp": "AFP",
    "agence france-presse": "AFP", "agence france presse": "AFP", "reuters": "Reuters", "thomson reuters": "Reuters",
    "ap": "AP", "associated press": "AP", "the associated press": "AP", "apa": "APA",
    "austria presse agentur": "APA", "apa-ots": "APA-OTS",
    "dts": "dts", "dts nachrichtenagentur": "dts", "dts-nachrichtenagentur": "dts", "sda": "sda", "keystone-sda": "sda",
    "keystone/sda": "sda", "epd": "epd", "evangelischer pressedienst": "epd", "kna": "KNA",
    "katholische nachrichten-agentur": "KNA",
    "sid": "sid", "sport-informations-dienst": "sid", "dapd": "dapd", "ddp": "ddp", "awp": "AWP", "ansa": "ANSA",
    "bloomberg": "Bloomberg",
    "tass": "TASS", "xinhua": "Xinhua", "kathpress": "Kathpress", "dj": "Dow Jones", "dow jones": "Dow Jones",
    "dow jones newswires": "Dow Jones",
    "spot on news": "spot on news", "spot-on-news": "spot on news", "teleschau": "teleschau", "ntb": "NTB",
    "anp": "ANP", "pap": "PAP", "belga": "Belga", "adnkronos": "Adnkronos", "europa press": "Europa Press",
    "lusa": "Lusa", "ritzau": "Ritzau",
    "efe": "EFE", "upi": "UPI",
    "pti": "PTI", "ats": "ats", "keystone-ats": "ats",
}  # fmt: skip
_NAME = "|".join(sorted(map(re.escape, NAMES), key=len, reverse=True))
_ANY_NAME = re.compile(sorted_by_letter([_NAME]))  # in small letters
_ALONE = re.compile(
    rf"(?:{either('agency.before_name')}\W+)?(?:{either('agency.articles')}\s?)?(?:{either('agency.called')}\s)?"
    rf"(?P<name>{_NAME})(?:\s{either('agency.countries')})?"
    r"(?:[-/ ,+&]+(?:\w{2,4}|reuters)(?:\.\w+)?)*(?:\.(?:com|de|at|ch))?",
    re.IGNORECASE,
)
# in brackets: '(dpa)', '(dpa/lno)', '(red/dpa)', '[Reuters]', '(SDA/jos)'
_BRACKETS = re.compile(
    rf"[(\[](?:(?:\w{{2,8}}\.?|\w+\.\w+)[/, +-]+){{0,3}}"
    rf"(?P<name>{_NAME})(?:[/, +-]+\w{{1,12}}){{0,4}}[)\]]",
    re.IGNORECASE,
)
# after a word of credit: 'Quelle: APA', 'Mit Material der dpa', '© dpa-infocom, dpa:210..', '@
# dts-nachrichtenagentur.de'
_CREDIT = re.compile(
    rf"(?:{either('agency.credits')}\b[\s:]{{0,3}}(?:{either('agency.of')}\s){{0,2}}|[©@]\s?)"
    rf"(?:\w{{2,8}}[/,]\s?)?(?P<name>{_NAME})(?![\w-]*\.(?:jpg|png))(?!\w)",
    re.IGNORECASE,
)
# slash marks of an agency's regional service, alone on their line: 'dpa/lno', 'dpa-lno', 'mit dpa', '- mit dpa'
_LINE = re.compile(
    rf"\W*(?:(?:{either('agency.before_name')}|[^\W\d_]{{2,4}})[\s:/,+-]+){{0,3}}(?P<name>{_NAME})"
    rf"(?:[\s/,+&-]+(?:{either('people.separators')}\s)?[\w.-]{{1,12}}){{0,4}}\W*",
    re.IGNORECASE,
)
_PICTURE = re.compile(
    rf"(?:photo|picture|image|video|alliance|getty|/\s?imago|{either('agency.pictures')})", re.IGNORECASE
)
# 'der Nachrichtenagentur dpa sagte er' and 'Associated Press (AP)' speak of an agency, they do not credit it; nor
# does 'Foto: X (dpa)'
_MENTION = re.compile(rf"\b{either('agency.mention')}\s+$", re.IGNORECASE)
_BEFORE_MENTION = re.compile(
    rf"(?:press|agency|photo|{either('agency.pictures', 'agency.called')})s?\W*$"
    rf"|(?:photo|{either('agency.pictures')})s?:[^.]*$",
    re.IGNORECASE,
)


def agency_in(lines: Iterable[str] | str) -> str | None:
    """The agency that a credit in *lines* names, by its short name, or None.

    A credit is the name in brackets, after a word such as 'Quelle', or alone on a short line; picture credits are none.
    """
    for line in [lines] if isinstance(lines, str) else lines:
        name = _credited(line)
        if name:
            return name
    return None


def _credited(line: str) -> str | None:
    line = line.strip()
    for match in _BRACKETS.finditer(line) if "(" in line or "[" in line else ():
        if _PICTURE.search(match[0]) or _BEFORE_MENTION.search(line[max(0, match.start() - 40) : match.start()]):
            continue
        at_end = match.end() >= len(line.rstrip(" .,;)*")) - 1
        opens = match.start() <= 70 and re.match(r"\s*[-–—:.]", line[match.end() :])
        if at_end or opens:
            return NAMES[lowered(match["name"])]
    if len(line) > _LONGEST_CREDIT or not _ANY_NAME.search(lowered(line)):
        return None
    for match in _CREDIT.finditer(line):
        around = line[max(0, match.start() - 25) : match.end() + 25]
        if not _PICTURE.search(around) and not _MENTION.search(line[: match.start()]):
            return NAMES[lowered(match["name"])]
    if len(line) <= 60 and not _PICTURE.search(line):
        whole = _LINE.fullmatch(line)
        if whole:
            return NAMES[lowered(whole["name"])]
    return None


_LONGEST_CREDIT, _LONGEST_NAME = 140, 80


def agency_named(name: str) -> str | None:
    """The agency's short name when *name*, taken from a byline, is nothing but an agency: 'dpa', 'SDA', 'dpa/lno'."""
    match = _ALONE.fullmatch(name.strip(" .:;,/()[]")) if len(name) <= _LONGEST_NAME else None
    return NAMES[lowered(match["name"])] if match else None


# -- datelines --------------------------------------------------------------------------------------------------------

_PLACE = rf"[A-ZÄÖÜ][\w'’.]*(?:[ -]{{1,2}}(?:{either('agency.place_words')}|[A-ZÄÖÜ][\w'’.]*)){{0,6}}"
_WITH_AGENCY = re.compile(
    rf"(?P<place>(?-i:{_PLACE}(?:\s?[/,]\s?{_PLACE}){{0,3}}))?,?\s*"
    rf"[(\[](?:\w{{2,8}}[/, +-]+){{0,2}}(?P<name>{_NAME})(?:[/, +-]+\w{{1,12}}){{0,3}}[)\]]"
    r"\s*[-–—:.]+\s*",
    re.IGNORECASE,
)
_DASHED = re.compile(
    rf"(?P<place>{_PLACE}(?:(?P<more>\s?[/,]\s?){_PLACE}){{0,3}})\.?\s[-–—]+\s(?=[„\"»«“]?[A-ZÄÖÜ0-9])"
)
# places from which most of a language's news is written: enough to know that 'Berlin – Der' begins with a place
_CITIES = words("agency.cities")
_LONG_PLACE = 5  # letters from which capitals throughout are a place: 'EU – Der' and 'NATO – Der' are none


def dateline(paragraph: str) -> tuple[str | None, str]:
    """The place that opens an agency paragraph, and the paragraph without it: 'Berlin (dpa) - Der ...' -> ('Berlin',
    'Der ...').

    Without an agency in brackets a dash must follow and the place must look like one: capitals throughout, two places
    joined, or a well-known city.
    """
    match = _WITH_AGENCY.match(paragraph)
    if match:
        place = match["place"]
        return (place.strip(" ,") if place and place[0].isupper() and len(place) <= 60 else None), paragraph[
            match.end() :
        ]
    match = _DASHED.match(paragraph)
    if match and len(match["place"]) <= 60 and _is_place(match["place"], bool(match["more"])):
        return match["place"], paragraph[match.end() :]
    return None, paragraph


def _is_place(text: str, joined: bool) -> bool:
    first = re.split(r"[/,]", text)[0].strip()
    is_shouted = first.isupper() and sum(c.isalpha() for c in first) >= _LONG_PLACE and len(first.split()) <= 3
    return first.lower() in _CITIES or joined or is_shouted
