"""What changed between two wordings of an article, and whether it is worth a version. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache, partial

from pipelines.reading import fingerprint

EXACT_UP_TO = 4_000_000  # pairs of words that are compared in their order; beyond that only their numbers are


@dataclass(frozen=True, slots=True)
class Revision:
    """What readers read: headline, teaser (the lead) and text (paragraphs with a blank line between them)."""

    title: str
    teaser: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """From one wording to the next. ``share`` is that of words added and removed in the words of both texts, 0 to 1.

    ``is_trivial``: nothing that is said has changed; a counter, an advertisement, a list of related links did.
    """

    title: bool
    teaser: bool
    text: bool
    words_added: int
    words_removed: int
    share: float
    is_trivial: bool


def change(before: Revision, after: Revision) -> Change:
    """What was changed between two wordings; spelling that makes no other words (case, punctuation) is no change."""
    title = fingerprint.words(before.title) != fingerprint.words(after.title)
    teaser = fingerprint.words(before.teaser or "") != fingerprint.words(after.teaser or "")
    old, new = _paragraphs(before.text), _paragraphs(after.text)
    gone, come = _unlike(old, new)
    removed, added = _words_changed(gone, come)
    # the same paragraphs in another order are a change, though no word was added or removed
    text = bool(gone or come) or [" ".join(words) for _, words in old] != [" ".join(words) for _, words in new]
    total = sum(len(words) for _, words in (*old, *new))
    is_trivial = (
        not title and not teaser and bool(gone or come) and _says_nothing(old, gone) and _says_nothing(new, come)
    )
    return Change(title, teaser, text, added, removed, (added + removed) / total if total else 0.0, is_trivial)


Paragraph = tuple[str, list[str]]  # as it is written, and its words


def _paragraphs(text: str) -> list[Paragraph]:
    pieces = ((piece.strip(), fingerprint.words(piece)) for piece in re.split(r"\n+", text))
    return [(piece, words) for piece, words in pieces if words]


def _unlike(old: list[Paragraph], new: list[Paragraph]) -> tuple[list[Paragraph], list[Paragraph]]:
    """The paragraphs that only one of the two texts has."""
    left = Counter(" ".join(words) for _, words in old) & Counter(" ".join(words) for _, words in new)
    return _without(old, Counter(left)), _without(new, Counter(left))


def _without(paragraphs: list[Paragraph], known: Counter[str]) -> list[Paragraph]:
    rest = []
    for piece, words in paragraphs:
        key = " ".join(words)
        if known[key]:
            known[key] -= 1
        else:
            rest.append((piece, words))
    return rest


def _words_changed(gone: list[Paragraph], come: list[Paragraph]) -> tuple[int, int]:
    """How many words were removed, and how many added."""
    old = [word for _, words in gone for word in words]
    new = [word for _, words in come for word in words]
    if len(old) * len(new) > EXACT_UP_TO:
        kept = sum((Counter(old) & Counter(new)).values())
    else:
        kept = sum(block.size for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks())
    return len(old) - kept, len(new) - kept


# ---------------------------------------------------------------------------------------------------------------------
# what is not worth a version

_WHEN = (
    r"\b(?:uhr|um|am|vom|den|on|at|vor|minuten?|stunden?|tagen?|minutes?|hours?|days?|ago|a|an|[ap]m|utc|gmt|mes?z"
    r"|ces?t"
    r"|jan\w*|feb\w*|märz|march|apr\w*|mai|may|jun\w*|jul\w*|aug\w*|sep\w*|o[kc]t\w*|nov\w*|de[zc]\w*"
    r"|mo|di|mi|do|fr|sa|so|\w+tag|mittwoch|\w+day|gestern|heute|yesterday|today)\b"
)
# These are compiled when they are first used: that takes longer than all else that is loaded here, and only the
# process that stores an article whose text has changed uses them; corrections are looked for by readers alone.
# Numbers of the page, not of the news: a paragraph must be such a line and nothing else.
_COUNTER = cache(partial(
    re.compile,
    r"""^\W*(?:
      (?:\d[\d.,]*\s*(?:mal|x)?\s*|(?:noch\s+)?keine?\s+|no\s+)(?:gelesen|geteilt|gesehen|angesehen|geklickt
          |kommentare?|leserkommentare?|aufrufe?|leser(?:innen)?|klicks?|likes?|reaktionen|bewertungen?|stimmen
          |views?|comments?|shares?|reads?|readers)
      |(?:kommentare?|aufrufe?|gelesen|geteilt|klicks?|likes?|views?|comments?|shares?)\s*[:(]\s*\d[\d.,]*\)?
      |(?:lesezeit|lesedauer|reading\s+time)\W*(?:ca\.?\s*)?\d+\s*(?:min\w*\.?|sek\w*\.?)?
      |\d+\s*(?:min\w*\.?)\s*(?:lesezeit|lesedauer|read)
      |(?:vor\s+)?(?:\d+|ein|einer|einem|zwei|drei|vier|fünf|wenigen|a|an)\s+
          (?:sekunden?|minuten?|stunden?|tag(?:en)?|minutes?|hours?|days?)(?:\s+ago)?
      |(?:(?:letzte\s+)?aktualisierung|stand|update|(?:zuletzt\s+)?(?:aktualisiert|geändert)|erstellt|veröffentlicht
          |(?:last\s+)?(?:updated|modified)|published)\b(?:[\d\W]|WHEN)*
      |(?:vor)?gestern\b(?:[\d\W]|WHEN)*|heute\b(?:[\d\W]|WHEN)*|(?:yesterday|today)\b(?:[\d\W]|WHEN)*
      |(?:teilen|merken|drucken|kommentieren|(?:diskutieren|reden)\s+sie\s+mit|mitdiskutieren|gefällt(?:\s+mir)?)\W*
          \d[\d.,]*\W*(?:mal|x|personen)?
      |(?:bereits|schon)\s+\d[\d.,]*\s*(?:mal|x)\s+(?:gelesen|geteilt|gesehen|kommentiert)
      |\d[\d.,]*\s+(?:personen|menschen|leser(?:innen)?|people)\s+(?:lesen|sehen|are\s+reading)\b
          (?:\s+(?:das|gerade|jetzt|this|now))*
      |(?:bewertung|rating)\W*\d[\d.,]*(?:\s*(?:/|von|of)\s*\d+)?(?:\W*\d[\d.,]*\s*(?:stimmen|bewertungen|votes))?
      |(?:©|\(c\)|copyright)\W*[\w.\- ]{0,40}?\W*(?:19|20)\d\d
    )\W*$""".replace("WHEN", _WHEN),
    re.I | re.X,
))  # fmt: skip
_AD = re.compile(r"^\W*(?:anzeige|werbung|advertisement|sponsored|ad|promotion|publicité)\W*$", re.I)
_RELATED = cache(partial(
    re.compile,
    r"^\W*(?:mehr\s+(?:zum\s+thema|dazu|zu\s+diesem\s+thema|lesen)|lesen\s+sie\s+(?:auch|hier|dazu|mehr)"
    r"|(?:das\s+könnte\s+sie\s+)?auch\s+interess\w+|siehe\s+auch|weitere\s+(?:artikel|themen|nachrichten|meldungen)"
    r"|empfohlen\w*\s+(?:artikel|beiträge)|meistgelesen\w*|read\s+(?:more|also)|related(?:\s+\w+)?|see\s+also"
    r"|passend\s+dazu|lesetipps?)\b",
    re.I,
))  # fmt: skip
LONGEST_LINK = 200  # characters
_SENTENCE_END = re.compile(r"[.!?…][\"'“”»«)\]]*$")


def _says_nothing(text: list[Paragraph], changed: list[Paragraph]) -> bool:
    """Whether all *changed* paragraphs of *text* are counters, labels of advertisements, or links below a heading."""
    left = Counter(piece for piece, _ in changed)
    under_links = False
    for piece, _ in text:
        is_link = under_links and len(piece) < LONGEST_LINK and not _SENTENCE_END.search(piece)
        is_heading = bool(_RELATED().match(piece)) and len(piece) < LONGEST_LINK and not _tells(piece)
        is_label = len(piece) < LONGEST_LINK and bool(_COUNTER().match(piece) or _AD.match(piece))
        under_links = is_heading or (under_links and (is_link or is_label))
        if left[piece]:
            left[piece] -= 1
            if not (is_link or is_heading or is_label):
                return False
    return True


def _tells(piece: str) -> bool:
    """A sentence of the text that only begins like a heading for links."""
    return bool(_SENTENCE_END.search(piece)) and ":" not in piece


# ---------------------------------------------------------------------------------------------------------------------
# corrections

_CORRECTION = cache(partial(
    re.compile,
    r"""\bin\s+(?:einer|der)\s+(?:früheren|ersten|vorherigen|älteren|ursprünglichen|vorigen)\s+(?:version|fassung)
    |\bin\s+einem\s+früheren\s+(?:text|artikel|beitrag|stand)\b
    |\b(?:frühere|erste|ursprüngliche|vorherige)\s+(?:version|fassung)\s+(?:des|dieses|der|dieser)\b
    |\b(?:ursprünglich|zunächst|zuerst)\s+(?:hieß|stand)\s+(?:es\s+)?(?:in|an)\s+dies(?:em|er)\b
    |^\W*(?:korrektur|korrigierte\s+fassung|berichtigung|richtigstellung|korrekturhinweis|correction|corrections
        |clarification|rectificatif)\s*(?:[:,\-–—]|\(|vom\b|am\b|\d)
    |^\W*(?:anmerkung|anm\.|hinweis)\s+d(?:er|\.)\s+red(?:aktion|\.)\b
        .*\b(?:korrigier|berichtig|fehler|früher|irrtümlich|version|geändert)
    |^\W*redaktionelle[rn]?\s+hinweis\b.*\b(?:korrigier|berichtig|fehler|früher|irrtümlich|version|geändert)
    |\bwir\s+haben\s+(?:\w+\s+){0,6}(?:korrigiert|berichtigt|richtiggestellt)\b
    |\b(?:dies|das|der\s+fehler|die\s+angabe|die\s+passage|die\s+stelle|(?:der|dieser)\s+(?:text|artikel|beitrag)
        |(?:die|diese)\s+meldung)\s+(?:wurde|haben\s+wir|ist)
        \s+(?:[\w.]+\s+){0,5}(?:korrigiert|berichtigt|richtiggestellt|nachträglich\s+geändert)\b
    |\b(?:an\s+earlier|a\s+previous|the\s+original)\s+(?:version|headline)\s+(?:of|on|in)\s+th(?:is|e)\b
    |\bthis\s+(?:article|story|piece|post|report)\s+(?:was|has\s+been)\s+
        (?:updated\s+to\s+)?(?:amended|correct(?:ed)?)\b
    |^\W*(?:editor[’']?s\s+note|note)\s*:.*\b(?:earlier|previous)\s+version\b
    |\bune\s+(?:première|précédente)\s+version\s+de\s+(?:cet|l')""",
    re.I | re.X | re.S,
))  # fmt: skip
# one of these stands in whatever the pattern takes; most texts have none and are not searched
_HINTS = (
    "(früheren?|ersten?|vorherigen?|älteren|ursprünglichen?|vorigen)_(version|fassung)", "in_einem_früheren_",
    "(ursprünglich|zunächst|zuerst)_(hieß|stand)", "korrektur", "korrigiert", "berichtig", "richtiggest", "richtigst",
    "nachträglich_geändert", r"(anmerkung|anm\.|hinweis)_d(er|\.)_red", "redaktionelle[rn]?_hinweis",
    "(earlier|previous|original)_(version|headline)", "correction", "clarif", "rectif",
    "(was|has_been)_(updated|amended|correct)", "(première|précédente)_version",
)  # fmt: skip


@cache
def _may_correct() -> Callable[[str], bool]:
    from pipelines.pattern_sets import any_in_text  # loads RE2, of which nobody else here has need

    _CORRECTION()  # what forks readers has looked at a page by then, so none of them compiles it again
    return any_in_text(hint.replace("_", r"\PL+") for hint in _HINTS)


LONGEST_NOTE = 1000  # characters; a whole article in one paragraph is no note


def correction(text: str, removed: Iterable[str] = ()) -> str | None:
    """The paragraph in which the page says that it was corrected, from its text or what was *removed* of the page."""
    may_correct = _may_correct()
    whole = "\n".join((text, *removed))
    if not may_correct(whole):
        return None
    # a note stands at the end; an article about a correction speaks of it in the middle
    for piece in reversed(whole.split("\n")):
        if may_correct(piece) and _CORRECTION().search(piece.strip()):
            return _short(piece.strip())
    return None


def _short(piece: str) -> str:
    if len(piece) <= LONGEST_NOTE:
        return piece
    begin = max(0, _CORRECTION().search(piece).start() - 200)  # type: ignore[union-attr]
    return piece[begin : begin + LONGEST_NOTE]
