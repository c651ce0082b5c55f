"""What stands above the body of a plain-text page: title, kicker, sections, date line, byline, teaser, in any order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from pipelines.items import Removed
from pipelines.reading.body.boilerplate import Phrases, rule_for
from pipelines.reading.fields import agency, dates, people
from pipelines.reading.fields.date_grammar import any_of, weekday_names, zone_names
from pipelines.reading.languages import either, words
from pipelines.reading.textlines import Line, date_shape, has_statements, is_dated

LONGEST_DATE_LINE = 160
LONGEST_TITLE = 250
LONGEST_TEASER = 450
# a header of more lines than this is none
MOST_LINES = 14

_SECTION_NAMES = words("title.section_names")
# names of sections that are no word with a capital
_SECTION_PHRASES = re.compile(either("title.section_phrases"), re.I)
# on a line alone the name of a section is one, whatever a breadcrumb calls so
_HOME = words("title.home") - _SECTION_NAMES
_SECTION_LABEL = re.compile(rf"{either('title.section_label')}\s*:\s*", re.IGNORECASE)
_SECTION_WORD = re.compile(r"[A-ZÄÖÜ][\w.'’-]*(?:(?: ?[&+] ?| und | and | et | )[A-ZÄÖÜ][\w.'’-]*){0,2}\Z")
_SECTION_BREAK = re.compile(r"\s*[,;|/›»>·•→]\s*|\s+[-–]\s+")
_PIECE_BREAK = re.compile(r"\s*[|•·›»]\s*|\s+[-–—/]\s+|\s{3,}|\s*;\s*")
_BYLINE = re.compile(rf"(?:{either('people.byline_start')}|{either('people.label')}\s*:)\s+(?=\S)", re.IGNORECASE)
_NAME = re.compile(r"(?<!\w)[A-ZÄÖÜ][\w’'-]+ (?:von |van |de |zu )?[A-ZÄÖÜ][\w’'-]+")


@cache
def _date_words() -> re.Pattern[str]:
    """What may stand beside a date without being anything else. Compiled for the first page of plain text."""
    return re.compile(
        rf"(?<!\w)(?:{any_of(weekday_names(short=True))}"
        rf"|{either('dates.beside', 'dates.clock_words', 'dates.before_clock', 'dates.before_day')}"
        rf"|{either('dates.before_date')}|{any_of(zone_names())}"
        rf"|{either('labels.published')}(?: am)?)(?!\w)",
        re.IGNORECASE,
    )


@dataclass(slots=True)
class Header:
    """The header of a page as far as it says something, and the lines that are left for the body."""

    title: str | None = None
    kicker: str | None = None
    teaser: str | None = None
    sections: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    agency: str | None = None
    published: dates.Stated | None = None
    modified: dates.Stated | None = None
    rest: list[Line] = field(default_factory=list)
    removed: list[Removed] = field(default_factory=list)


def header_of(lines: Sequence[Line], reading: dates.Reading, phrases: Sequence[Phrases]) -> Header:
    """Read the lines above the body. A line that is nothing of a header ends it."""
    header = Header()
    plain: list[Line] = []  # short lines that only their place explains: title, kicker, section
    dated_at: list[int] = []  # how many plain lines stood before each date line
    at = 0
    while at < min(len(lines), MOST_LINES):
        line = lines[at]
        if _is_said(line, header, reading, phrases, dated_at, len(plain)):
            at += 1
            continue
        if (
            len(line.text) > LONGEST_TITLE
            or line.mark in ("-", "|")
            or (line.is_prose and not (_lacks_title(plain) and _like_title(line)))
        ):
            break
        if plain and _follows_title(line, plain, lines[at + 1 :], bool(dated_at), header):
            break
        plain.append(line)
        at += 1
    _place(plain, header)
    dated = 0 if not dated_at else 3 if dated_at[-1] >= len(plain) else 1
    header.rest = _with_teaser(list(lines[at:]), header, reading, phrases, dated)
    return header


def _like_title(line: Line) -> bool:
    """A long headline: one line that does not end as a sentence."""
    if line.mark == "#":
        return True
    return len(line.text) <= LONGEST_TITLE and not line.text.endswith((".", "…", ":")) and not has_statements(line.text)


def _is_said(
    line: Line, header: Header, reading: dates.Reading, phrases: Sequence[Phrases], dated_at: list[int], before: int
) -> bool:
    """Take a line that its words explain: a date, a byline, a labelled section, a counter, a share button."""
    if line.mark in ("#", "|", "-"):
        return False
    if _take_dates(line, header, reading, phrases):
        dated_at.append(before)
        return True
    if found := _SECTION_LABEL.match(line.text):
        header.sections = header.sections or _sections(line.text[found.end() :])
        header.removed.append(Removed(line.raw, "section line"))
        return bool(header.sections)
    if (
        len(line.text) <= 100
        and (found := _BYLINE.match(line.text))
        and _take_authors(line.text[found.end() :], header)
    ):
        header.removed.append(Removed(line.raw, "byline"))
        return True
    if len(line.text) <= 60 and agency.agency_named(line.text):
        header.agency = header.agency or agency.agency_named(line.text)
        header.removed.append(Removed(line.raw, "agency credit"))
        return True
    # a first line may be a title that looks like a prompt ('Newsletter' over an article about newsletters)
    rule = next(filter(None, (rule_for(line.text, each) for each in phrases)), None)
    if rule and not _sections_known(line.text) and line.mark != "**":
        header.removed.append(Removed(line.raw, rule))
        return True
    return False


def _take_dates(line: Line, header: Header, reading: dates.Reading, phrases: Sequence[Phrases]) -> bool:
    """Take a line that consists of dates and of what stands beside dates."""
    if len(line.text) > LONGEST_DATE_LINE:
        return False
    found = reading.find(line.text)
    left, end = [], 0
    for one in found:
        left.append(line.text[end : one.start])
        end = one.end
    left.append(line.text[end:])
    if not found:  # a date that cannot be (after the fetch, 31.2.) is no date to keep and no text either
        left = date_shape().split(line.text)
        if len(left) == 1:
            return False
    extra: list[str] = []
    for piece in _PIECE_BREAK.split(" | ".join(left)):
        words = _date_words().sub(" ", piece).strip(" .,:;()|-–")
        if words and any(c.isalpha() for c in words):
            extra.append(words)
    if not all(_stands_beside(piece, header, phrases) for piece in extra):
        return False
    for piece in extra:
        _take_beside(piece, header, phrases)
    modified = next((one.stated for one in found if one.label is dates.Label.MODIFIED), None)
    published = dates.first_published([one for one in found if one.label is not dates.Label.OTHER])
    if published and published.label is dates.Label.MODIFIED and header.published:
        published = None
    header.published = header.published or (published.stated if published else None)
    if modified and header.published and modified.at != header.published.at:
        header.modified = header.modified or modified
    header.removed.append(Removed(line.raw, "date line"))
    return True


def _stands_beside(piece: str, header: Header, phrases: Sequence[Phrases]) -> bool:
    """Whether *piece* can be part of a date line: a counter, a byline, a section, an agency, a place."""
    if any(rule_for(piece, each) for each in phrases) or _BYLINE.match(piece) or agency.agency_named(piece):
        return True
    return len(piece) <= 40 and len(piece.split()) <= 4 and bool(_SECTION_WORD.match(piece) or _sections_known(piece))


def _take_beside(piece: str, header: Header, phrases: Sequence[Phrases]) -> None:
    if any(rule_for(piece, each) for each in phrases):
        return
    if found := _BYLINE.match(piece):
        _take_authors(piece[found.end() :], header)
    elif named := agency.agency_named(piece):
        header.agency = header.agency or named
    elif _sections_known(piece):
        header.sections = header.sections or _sections(piece)


def _take_authors(text: str, header: Header) -> bool:
    found = people.byline([text])
    if not found:
        return False
    header.authors = header.authors or found.people
    header.agency = header.agency or found.agency
    return True


def sections_in(text: str | None, stated: Sequence[str] = ()) -> tuple[str, ...]:
    """The sections that a short line over a title names, 'Ausland, Militär'; *stated* when it names none.

    They must be such as are known, or one of them among those that the page or feed has *stated*, which are often only
    the first.
    """
    if text and (_sections_known(text) or (_like_sections(text) and set(_sections(text)) & set(stated))):
        found = _sections(text)
        if set(stated) <= set(found):
            return found
    return tuple(stated)


def _sections(text: str) -> tuple[str, ...]:
    """'Ausland, Militär' and 'Startseite > Ausland > Militär' -> ('Ausland', 'Militär')."""
    parts = [part.strip(" .:|-–") for part in _SECTION_BREAK.split(text)]
    return tuple(dict.fromkeys(part for part in parts if part and part.lower() not in _HOME))


def _like_sections(text: str) -> bool:
    """Few short words with capitals, or several such with commas or arrows between them."""
    if _SECTION_PHRASES.fullmatch(text):
        return True
    parts = _sections(text)
    return bool(parts) and len(text) <= 70 and len(parts) <= 5 and all(_SECTION_WORD.match(part) for part in parts)


def _sections_known(text: str) -> bool:
    parts = _sections(text)
    return bool(parts) and len(text) <= 70 and all(_known(part) for part in parts)


def _known(part: str) -> bool:
    words = re.split(r"\s*(?:&|\+|/|\bund\b|\band\b|\bet\b)\s*", part.lower())
    return all(word in _SECTION_NAMES for word in words)


def _follows_title(line: Line, plain: list[Line], after: Sequence[Line], dated: bool, header: Header) -> bool:
    """Whether *line* stands under the title already and belongs to the body: its first subheading."""
    if any(_glued(line.text, other.text) or _glued(other.text, line.text) for other in plain):
        return False
    if line.mark == "#" and any(other.mark == "#" for other in plain):
        return True
    has_title = any(not _like_sections(other.text) for other in plain)
    if not has_title or _sections_known(line.text):
        return False
    if _is_kicker(plain) and not _like_sections(line.text):
        return False
    # 'Militär' between a title and its date is a section; before prose it is a subheading
    return not (after and _like_sections(line.text) and is_dated(after[0].text))


def _lacks_title(plain: list[Line]) -> bool:
    """Whether nothing above can be the headline: no line, sections only, a kicker."""
    return all(_like_sections(line.text) for line in plain) or _is_kicker(plain)


def _is_kicker(plain: list[Line]) -> bool:
    """Whether the only unexplained line so far is too short for a headline."""
    others = [line for line in plain if not _like_sections(line.text)]
    return (
        len(others) == 1 and len(others[0].text.split()) <= 4 and others[0].mark == "" and not others[0].ends_sentence
    )


def _glued(whole: str, part: str) -> str | None:
    """What is left of *whole* when it is *part* with something before or after it ('' when both are the same)."""
    if whole == part:
        return ""
    if len(part) < 8 or len(whole) - len(part) > 60:
        return None
    if whole.endswith(part):
        return whole[: -len(part)]
    return whole[len(part) :] if whole.startswith(part) else None


def _place(plain: list[Line], header: Header) -> None:
    """Tell title, kicker and sections apart among the short lines at the top."""
    if not plain:
        return
    title = _repeated_title(plain, header) or _likeliest_title(plain)
    header.title = title.text
    for line in plain:
        if line is title:
            continue
        left = _glued(line.text, title.text)
        if left is not None:
            header.removed.append(Removed(line.raw, "title again"))
            if left:
                _take_glue(left, is_before=line.text.endswith(title.text), header=header)
        elif _like_sections(line.text) and (not header.sections or _sections_known(line.text)):
            _take_sections(line, header)
        else:
            header.kicker = header.kicker or line.text
            header.removed.append(Removed(line.raw, "kicker"))


def _take_sections(line: Line, header: Header) -> None:
    """A section line. A name that is no usual section gives way to one that is and becomes the kicker."""
    before = header.sections
    if before and not header.kicker and not all(map(_known, before)):
        header.kicker = ", ".join(before)
        header.sections = _sections(line.text)
    elif not before:
        header.sections = _sections(line.text)
    header.removed.append(Removed(line.raw, "section line"))


def _repeated_title(plain: list[Line], header: Header) -> Line | None:
    """The title where it stands twice, once with a kicker or section glued to it."""
    for first in plain:
        for second in plain:
            if first is not second and (_glued(first.text, second.text)) is not None:
                return second
    return None


def _likeliest_title(plain: list[Line]) -> Line:
    marked = [line for line in plain if line.mark == "#"]
    if marked:
        return marked[0]
    titles = [line for line in plain if not _like_sections(line.text)]
    if not titles:
        return plain[-1]
    return max(titles, key=lambda line: (len(line.text.split()) > 4 or line.ends_sentence, -plain.index(line)))


def _take_glue(left: str, *, is_before: bool, header: Header) -> None:
    """What was glued to the title: a kicker or section before it, the site's name behind a bar."""
    text = left.strip(" :|-–—/·•»›+")
    if not text:
        return
    if not is_before and re.match(r"\s*[|–—-]\s", left):
        return
    if _like_sections(text) and not header.sections:
        header.sections = _sections(text)
    else:
        header.kicker = header.kicker or text


# -- the teaser -------------------------------------------------------------------------------------------------------


def _with_teaser(
    rest: list[Line], header: Header, reading: dates.Reading, phrases: Sequence[Phrases], dated: int
) -> list[Line]:
    """Take the teaser from the top of *rest*, and the date line and byline that may stand under it."""
    if not rest or not header.title or not rest[0].is_prose:
        return rest
    said: list[int] = []
    below = 1
    while below < min(len(rest), 6) and _is_said(rest[below], header, reading, phrases, said, 0):
        below += 1
    if _is_teaser(rest, below, bool(said), dated):
        header.teaser = rest[0].text
        return rest[below:]
    return [rest[0], *rest[below:]]


def _is_teaser(rest: list[Line], below: int, dated_below: bool, dated: int) -> bool:
    """A teaser is a single short paragraph that is set apart from the body: by a date line, a subheading, a dateline,
    or by telling what the body then tells anew."""
    first, after = rest[0], rest[below:]
    body = [line for line in after if line.is_prose]
    if not body or len(first.text) > LONGEST_TEASER:
        return False
    following = " ".join(line.text for line in body[:2])
    names = set(_NAME.findall(first.text))
    lengths = sorted(len(line.text) for line in body)
    ratio = len(first.text) / lengths[len(lengths) // 2]
    score = 0
    score += 3 if dated_below else 0
    score += 2 if after[0].is_heading and len(after) > 1 else 0
    score += 2 if agency.dateline(after[0].text)[0] else 0
    # a body introduces its people again; a story that just goes on calls them by their last name
    score += 2 if any(name in following for name in names) else 0
    score -= 1 if names and not any(name in following for name in names) else 0
    score += (ratio <= 0.6) + (len(first.text) <= 200)
    score += 2 if first.raw.startswith("**") and first.raw.endswith("**") and first.raw.count("**") == 2 else 0
    score -= dated  # a story begins right under its date
    return score >= 2
