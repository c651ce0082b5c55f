"""A plain-text page as a list of lines: what a person sees as one line or one paragraph, free of markup."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from pipelines.reading.fields.date_grammar import any_of, month_names
from pipelines.reading.languages import each as each_of
from pipelines.reading.languages import either, languages, words

# Nothing is joined beyond this: a paragraph of such a length is none.
LONGEST_PARAGRAPH = 20_000
# Longer than any headline and shorter than nearly any paragraph.
PROSE = 140
LONGEST_HEADING = 120

_BOLD = re.compile(r"(\*\*|__)(?=\S)(.{1,300}?)(?<=\S)\1")
_ITALIC = re.compile(r"(?<![\w*])([*_])(?=[^\s*_])([^*_\n]{1,300}?)(?<=\S)\1(?![\w*])")
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\((?:[^()\s]|\([^()\s]{0,200}\)){0,1000}(?:\s+\"[^\"]{0,200}\")?\)")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,300}>")
_HEADING_MARK = re.compile(r"#{1,6}\s+")
_BULLET = re.compile(r"[-*•·▪◦●►▶›»→–]\s+(?=\S)")
_RULE = re.compile(r"[\s\-=_*~#·•.]{3,}\Z")
# what ends a sentence, quotation marks and brackets after it included
_SENTENCE_END = re.compile(r"[.!?…][\"“”»«'’)\]]*\Z")
_SENTENCE_BREAK = re.compile(r"[^\W\d_]{3,}[.!?][\"“”»«'’)]*\s+[„\"“»«'‚(]?[A-ZÄÖÜ]")
_CAN_BEGIN = re.compile(r"[„\"“»«'‚‘(]*[A-ZÄÖÜ0-9]")
# a line that ends in one of these is not finished
_UNFINISHED = words("text.unfinished")


@cache
def date_shape() -> re.Pattern[str]:
    """The shape of a date or time, whatever day it means. Compiled for the first page of plain text."""
    day_words = any_of({word for each in languages().values() for word in each.days_ago})
    unit = either("dates.seconds", "dates.minutes", "dates.hours", "dates.days", "dates.longer")
    ago = "|".join(
        pattern.replace("<n>", rf"(?:\d{{1,3}}|{either('dates.one')})").replace("<unit>", unit)
        for pattern in each_of("dates.ago")
    )
    return re.compile(
        rf"(?<!\w)(?:{day_words}(?:,?\s(?:{either('dates.before_clock')}\s)?\d{{1,2}}(?:[:.]\d{{2}})?)?|{ago}|"
        rf"\d{{1,2}}\.\s?\d{{1,2}}\.(?:\s?\d{{4}}|\s?\d{{2}})?|\d{{1,2}}\.?\s{any_of(month_names())}\w*\.?,?(?:\s\d{{4}})?|"
        rf"\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}/\d{{1,2}}/\d{{4}}|\d{{1,2}}[:.]\d{{2}}(?::\d{{2}})?(?:\s?{either('dates.clock_words')})?)(?!\w)",
        re.IGNORECASE,
    )


@dataclass(frozen=True, slots=True)
class Line:
    """A line or paragraph. ``raw`` is as it stood, ``text`` without markup; ``gap`` tells of a blank line before it.

    ``mark`` is '#' for a marked heading, '**' for a line that is bold throughout, '-' for a list item, '|' for a table
    row, else empty.
    """

    raw: str
    text: str
    gap: bool = True
    mark: str = ""

    @property
    def ends_sentence(self) -> bool:
        return bool(_SENTENCE_END.search(self.text))

    @property
    def is_prose(self) -> bool:
        """A paragraph: long, or of sentences."""
        if self.mark in ("#", "|"):
            return False
        if len(self.text) >= PROSE:
            return True
        return (len(self.text) >= 60 or has_sentences(self.text)) and self.text.rstrip("\"“”»«'’)]").endswith(
            (".", "…")
        )

    @property
    def is_heading(self) -> bool:
        """Can be a headline or subheading by its look: short, and no sentence unless it asks or exclaims."""
        if self.mark == "#":
            return True
        text = self.text
        return (
            self.mark in ("", "**")
            and 2 < len(text) <= LONGEST_HEADING
            and not text.endswith((".", ",", ";", ":", "…"))
            and bool(_CAN_BEGIN.match(text))
            and not has_statements(text)
        )


def has_sentences(text: str) -> bool:
    """Whether a sentence ends and another begins in *text*. '03. Dezember' and 'Dr. Muster' do not look like that."""
    return bool(_SENTENCE_BREAK.search(text))


def has_statements(text: str) -> bool:
    """The same for full stops only: a headline may ask and then tell."""
    found = _SENTENCE_BREAK.search(text)
    return any("." in found[0] for found in _SENTENCE_BREAK.finditer(text)) if found else False


def bare(text: str) -> str:
    """*text* without markdown emphasis, links, tags and entities, on one line."""
    if "[" in text:
        text = _LINK.sub(r"\1", text)
    if "*" in text or "_" in text:
        text = _ITALIC.sub(r"\2", _BOLD.sub(r"\2", text)).replace("**", "")
    if "<" in text:
        text = _TAG.sub(" ", text)
    if "&" in text:
        text = html.unescape(text)
    return " ".join(text.split())


def lines_of(text: str) -> list[Line]:
    """The lines of a page, wrapped paragraphs put together again."""
    groups: list[list[str]] = [
        list(group) for blank, group in groupby(text.splitlines(), key=lambda line: not line.strip()) if not blank
    ]
    found: list[Line] = []
    for group in groups:
        gap = True
        for raw in _unwrapped(group):
            if not _RULE.fullmatch(raw):
                line = _line(raw, gap)
                if line.text:
                    found.append(line)
                    gap = False
    return found


def _line(raw: str, gap: bool) -> Line:
    raw = raw.strip()
    rest, mark = raw, ""
    if raw.startswith("|"):
        return Line(raw, bare(raw.strip("| ")), gap, "|")
    if found := _HEADING_MARK.match(raw):
        rest, mark = raw[found.end() :].rstrip("# "), "#"
    elif found := _BULLET.match(raw):
        rest, mark = raw[found.end() :], "-"
    elif raw.startswith("**") and raw.endswith("**") and raw.count("**") == 2 and len(raw) <= LONGEST_HEADING + 4:
        mark = "**"
    return Line(raw, bare(rest), gap, mark)


def _unwrapped(group: list[str]) -> list[str]:
    """Lines without a blank one between them are lines of their own, unless the text was wrapped at a column."""
    lines = [line.strip() for line in group]
    if len(lines) == 1:
        return lines
    width = max(map(len, lines))
    # wrapped prose is cut anywhere, so many of its lines begin in lower case; lists of titles do not look like that
    small = sum(line[0].islower() for line in lines[1:])
    full = all(len(line) > 0.6 * width for line in lines[:-1])
    is_wrapped = 40 <= width <= 120 and full and small * 4 >= len(lines) - 1 and bool(_SENTENCE_END.search(lines[-1]))
    joined = [lines[0]]
    for line in lines[1:]:
        before = joined[-1]
        if len(before) > LONGEST_PARAGRAPH:
            joined.append(line)
            continue
        goes_on = line[:1].islower() and len(before) > 25 and not _SENTENCE_END.search(before) and not is_dated(line)
        if goes_on or (is_wrapped and not line.startswith(("|", "#", "-", "*", "•"))):
            joined[-1] = f"{before} {line}"
        else:
            joined.append(line)
    return joined


def is_dated(text: str) -> bool:
    """Whether a short line begins with a date or time: 'heute, 08:15', '3. Dezember 2025'."""
    return len(text) <= 80 and bool(date_shape().match(text))


def rejoined(lines: list[Line]) -> list[Line]:
    """Paragraphs that were cut in the middle of a sentence (at a bold word, at a wrap) put together again."""
    whole: list[Line] = []
    for line in lines:
        if whole and _goes_on(whole[-1], line):
            before = whole[-1]
            space = "" if line.text[0] in ",.;:!?)" else " "
            whole[-1] = Line(f"{before.raw} {line.raw}", f"{before.text}{space}{line.text}", before.gap)
        else:
            whole.append(line)
    return whole


def _goes_on(before: Line, line: Line) -> bool:
    """Whether *line* continues the sentence in which *before* stops."""
    if before.mark in ("#", "|", "-") or line.mark in ("#", "|", "-") or before.ends_sentence:
        return False
    if len(before.text) > LONGEST_PARAGRAPH:
        return False
    if before.text.endswith(":"):
        return False
    first = line.text[0]
    if is_dated(line.text):
        return False
    if first.islower() or first in ",;)" or (first in ".!?" and not before.is_heading):
        return True
    last_word = re.split(r"[\s„\"“»«(]+", before.text)[-1].strip("„\"“»«'")
    is_open = before.text.endswith((",", "-", "–", "„", "(")) or last_word.lower() in _UNFINISHED
    starts_prose = has_sentences(before.text) or len(before.text) > LONGEST_HEADING
    if is_open and (starts_prose or (last_word.islower() and last_word in _UNFINISHED)):
        return True
    return starts_prose and line.is_prose
