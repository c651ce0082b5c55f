"""The blocks that a body consists of: paragraphs, headings, lists, quotes, tables; as plain text and as markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace

from pipelines.items import Removed
from pipelines.reading.body.boilerplate import Phrases, opens_block, rule_for
from pipelines.reading.fields.agency import agency_named
from pipelines.reading.fields.date_grammar import any_of, month_names, weekday_names, zone_names
from pipelines.reading.fingerprint import plain as plain
from pipelines.reading.languages import each, either, words

# A paragraph of this length is prose; related lists, prompts and captions stay below.
PROSE = 160
# What may follow a heading that opens foreign matter, before the article goes on.
_LONGEST_FOREIGN_RUN = 12


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the body. ``kind``: paragraph, heading, list, quote, table, code; ``level``: a heading's, 2 to 6."""

    kind: str
    text: str
    level: int = 0
    items: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


_BYLINE_WORDS = re.compile(rf"\b{either('people.byline_words')}\b|[\W\d_]+", re.IGNORECASE)
_BETWEEN_NAMES = "|".join(sorted(map(re.escape, words("people.particles", "people.separators")), key=len, reverse=True))
_BYLINE = re.compile(
    rf"{either('people.byline_start')}\s(?:(?:dr\.|prof\.|,|&|/|(?:{_BETWEEN_NAMES})\b)\s?|[A-ZÀ-Ý][\w'’.-]*[,/]?\s?){{2,12}}"
)
_PICTURE = either("body.picture")
_SOURCE = either("body.picture_source")
# a source stands behind pictures and behind statements; only an agency's or an archive's is of a picture
_PICTURE_AGENCIES = (
    r"(?:dpa|d?apd|AP|AFP|APA|AAP|EPA|[Rr]euters|REUTERS|Keystone|KEYSTONE|imago|IMAGO|[Pp]icture[ -][Aa]lliance|Xinhua"
    r"|[Gg]etty|[Ss]hutterstock|[Aa]dobe|i[Ss]tock|[Uu]nsplash|[Pp]ixabay|[Pp]exels|TASS|ZUMA"
    rf"|{either('body.own_picture')})\b"
)
_CAPTION = re.compile(
    rf"(?:{either('body.figure_label')} ?\d+ ?[:.]|(?:{_PICTURE}|{_SOURCE}) ?[:/©]).{{2,250}}"
    rf"|.{{0,250}}[(\[|/] ?(?:{_PICTURE} ?[:©/]|{_SOURCE} ?[:©/](?=[^()]{{0,60}}{_PICTURE_AGENCIES})"
    rf"|©) ?[^()]{{2,80}}[)\]]?\.?|.{{0,200}}©[^.]{{2,80}}",
    re.DOTALL,
)
# nearly no paragraph has one of these: that is quicker to see, most of all where each begins with one certain letter
_CAPTION_HINT = re.compile(r"Fot|fot|ild|©|uelle|rafi|Abb|creenshot|mage|icture|r[eé]d[iy]|llustr|eeld|beeld|dję|mmag")
_CREDIT_HINT = re.compile(r"ot[os]|ild|mage|icture|redit|rafik|llustr|hotogr|/")
# a paragraph that ends so stands below a picture: '... in Karlsruhe. Foto: Uli Maier/imago', '... Peter Kneffel/dpa'
_CREDITED = (
    r"(?:[A-ZÄÖÜ0-9@][\w.'’@-]*|dpa|d?apd|imago|oh|picture|alliance|stock|adobe|getty|shutterstock"
    rf"|unsplash|pixabay|pexels|{either('body.credit_words')})"
)
_NOT_A_PAPER = "".join(f"(?<!{word} )" for word in each("body.before_a_paper"))
_ENDS_IN_CREDIT = re.compile(
    rf"(?:(?:^|[\W_]){_NOT_A_PAPER}(?:{_PICTURE}|[A-Z]\w+{either('body.picture_ends')}) ?: ?"
    rf"{_CREDITED}(?:(?: ?[/,&|+] ?| [–-] | ){_CREDITED}){{0,12}}"
    r"|(?:^|[/,©:(|–-] ?|\bvia |[.!?][\"”“»«]? )Getty Images|[A-ZÄÖÜ]\w+ [A-ZÄÖÜ]\w+ Getty Images(?!\.)"
    r"|[A-ZÄÖÜ][\w.'’-]+ [A-ZÄÖÜ][\w.'’-]+ ?/ ?(?:dpa|d?apd|AP|AFP|APA|AAP|EPA|Reuters|REUTERS|Keystone"
    r"|KEYSTONE|imago|IMAGO"
    r"|[Pp]icture[ -][Aa]lliance|Shutterstock|Xinhua|TASS|ZUMA)\b[\w /-]{0,30})[)\]]?\.?\Z"
)
_LONGEST_CAPTION, _LONGEST_ENDING = 450, 100
_CREDIT = re.compile(r"[A-ZÄÖÜ][\w/.ÄÖÜ -]{1,30}\s?\([\w/., äöüÄÖÜ-]{2,50}\)\.?")


_SOURCES = re.compile(
    rf"{either('agency.material')}.{{0,250}}"
    r"|\(?(?:red|Red)\.?\)?|[(\[][\w.-]{2,6}(?:[/, ]+[\w.-]{2,6}){0,4}[)\]]",
    re.DOTALL,
)


_MONTH = any_of(month_names()) + r"\.?"
_OF = rf"(?:{either('dates.between')} )?"
# a day or a clock, in the words of all languages
_WHEN = re.compile(
    rf"\b(?:\d{{1,2}}[./-]\d{{1,2}}[./-](?:\d{{4}}|\d{{2}})|\d{{4}}-\d\d-\d\d|\d{{1,2}}[:.]\d\d(?:[:.]\d\d)?"
    rf"|\d{{1,2}}(?:{either('dates.ordinals')}|\.)?,? {_OF}{_MONTH},?(?: {_OF}\d{{4}})?"
    rf"|{_MONTH} \d{{1,2}}(?:{either('dates.ordinals')})?,? \d{{4}})(?!\w)",
    re.IGNORECASE,
)
_DAY_OR_ZONE = any_of(weekday_names() | zone_names())
# what stands beside it, and what people who write are called
_BESIDE_NAMES = re.compile(
    rf"\b(?:{either('people.beside_names')}|{_DAY_OR_ZONE}|associated press|reuters|afp|dpa|ap)\b", re.IGNORECASE
)
_NAMES_ALONE = re.compile(r"(?:[A-ZÄÖÜ][\w'’.-]+[ ,]+){1,3}[A-ZÄÖÜ][\w'’.-]+")


_MOST_TIMES = 4  # days and clocks of publication and of the last change


def _without(names: Sequence[str], text: str) -> str:
    """*text* with a blank in the place of each of *names*, in capitals or not."""
    for name in names:
        if name.lower() in text.lower():  # a pattern of its own for each name takes longer than most lines are worth
            text = re.sub(re.escape(name), " ", text, flags=re.IGNORECASE)
    return text


def is_dated_byline(text: str, names: Sequence[str]) -> bool:
    """A line that tells when the article was written, and at most by whom: 'By Jo Doe, 3 May 2024, 11:04 PM EST'."""
    if len(text) > 120 or not any(map(str.isdigit, text)):
        return False
    rest, dates = _WHEN.subn(" ", _without(names, text))
    if not 0 < dates <= _MOST_TIMES:
        return False
    rest = _BESIDE_NAMES.sub(" ", rest)
    if len(_BYLINE_WORDS.sub("", rest)) <= 3:
        return True
    rest = " ".join(rest.split()).strip(" ,|•·–—-")
    return bool(_NAMES_ALONE.fullmatch(rest) or _BYLINE.fullmatch(rest[:1].lower() + rest[1:]))


def is_byline(text: str, names: Sequence[str]) -> bool:
    """A line that names who wrote the article and says nothing else."""
    if len(text) > 120 or text.endswith(("!", "?", ":")):
        return False
    if _BYLINE.fullmatch(text[:1].lower() + text[1:]):
        return True
    rest = _without(names, text)
    return len(rest) < len(text) and len(_BYLINE_WORDS.sub("", _BESIDE_NAMES.sub(" ", rest))) <= 3


def rule_of(line: str, phrases: Sequence[Phrases], authors: Sequence[str] = ()) -> str | None:
    """The rule that takes a line that stands alone above the body: a byline, a caption, a phrase."""
    if is_byline(line, authors) or is_dated_byline(line, authors):
        return "byline"
    if _is_caption(line):
        return "caption"
    return _phrase(line, phrases)


def without_boilerplate(
    blocks: Sequence[Block], phrases: Sequence[Phrases], authors: Sequence[str] = ()
) -> tuple[list[Block], list[Removed]]:
    """The blocks that no phrase takes, and what was taken under which rule. *authors* are known; their bylines go."""
    timeline = frozenset(blocks[place].text for place in _timeline(blocks, phrases))
    blocks, removed = _without_credits(blocks, authors, timeline)
    kept: list[Block] = []
    run: str | None = None  # the rule of the foreign block that we are in
    length = 0
    for place, block in enumerate(blocks):
        rule = _phrase(block.text, phrases) if block.kind in ("heading", "paragraph", "quote") else None
        is_heading = block.kind == "heading" and _heads_prose(blocks, place)
        if _is_time(block.text, rule) and (is_heading or block.text in timeline):
            rule = None
        # every opening phrase is one that rule_for knows too, so it is asked for few lines only
        opened = opening(block.text, phrases) if rule and block.kind != "quote" else None
        if opened and block.kind == "heading" and _heads_prose(blocks, place, PROSE):
            opened = rule = opening(block.text, phrases, strictly=True)
        if opened:
            run, length = opened, 0
            removed.append(Removed(block.text, opened))
            continue
        if run and length < _LONGEST_FOREIGN_RUN and _is_foreign(block):
            removed.append(Removed(block.text, run))
            length += 1
            continue
        run = None
        if block.kind == "list":
            kept += _without_items(block, phrases, removed)
        elif rule:
            removed.append(Removed(block.text, rule))
        else:
            kept.append(block)
    while kept and kept[-1].kind == "heading":  # nothing stands under it any more
        removed.append(Removed(kept.pop().text, "heading without text"))
    return kept, removed


# Lines that tell a time are the page's own marks, or the headings of a chronology.
_OF_TIME = frozenset(("dates", "counters"))
_LEAST_HEADED = 60  # characters


def _is_time(text: str, rule: str | None) -> bool:
    """Whether a line that goes under *rule* tells a day or a clock."""
    return rule in _OF_TIME and bool(_WHEN.search(text))


def _heads_prose(blocks: Sequence[Block], place: int, least: int = _LEAST_HEADED) -> bool:
    """Whether text of the article stands right below a heading."""
    after = blocks[place + 1] if place + 1 < len(blocks) else None
    return after is not None and after.kind != "heading" and len(after.text) >= least


def _timeline(blocks: Sequence[Block], phrases: Sequence[Phrases]) -> frozenset[int]:
    """The lines of time that structure a text: several of them, each another, with prose below."""
    places = [
        place
        for place, block in enumerate(blocks)
        if block.kind in ("paragraph", "heading")
        and len(block.text) <= _LONGEST_TIME
        and any(map(str.isdigit, block.text))
        and _heads_prose(blocks, place)
        and (is_dated_byline(block.text, ()) or _is_time(block.text, _phrase(block.text, phrases)))
    ]
    lines = {blocks[place].text for place in places}
    if len(lines) < 2:
        places = []
    begun = [place for place, block in enumerate(blocks) if _begins_with_time(block) and _heads_prose(blocks, place)]
    return frozenset(places + begun) if len({blocks[place].text for place in begun}) >= 3 else frozenset(places)


def _begins_with_time(block: Block) -> bool:
    """Whether a short line begins with a clock or a day: '14:05 Uhr - Erste Hochrechnung'."""
    return block.kind in ("paragraph", "heading") and len(block.text) <= _LONGEST_MARK and bool(_WHEN.match(block.text))


_LONGEST_TIME, _LONGEST_MARK = 40, 90


def _is_caption(text: str) -> bool:
    if len(text) <= 320 and _CAPTION_HINT.search(text) and _CAPTION.fullmatch(text):
        return True
    if len(text) > _LONGEST_CAPTION or not _CREDIT_HINT.search(text, max(0, len(text) - _LONGEST_ENDING)):
        return False
    return bool(_ENDS_IN_CREDIT.search(text, max(0, len(text) - _LONGEST_ENDING)))


def _is_credit(text: str) -> bool:
    """A line that says where the article comes from: an agency, a desk, a writer's mark."""
    if _SOURCES.fullmatch(text):
        return True
    return len(text) <= 60 and bool(agency_named(text) or _CREDIT.fullmatch(text))


# what follows the name of a person who is introduced
_DOES = re.compile(
    rf"(?: \([^)]{{1,30}}\)|, (?:{either('people.born')}|\d\d,)[^.]{{0,40}}?)?,? {either('people.does')}\b"
)


def _is_portrait(text: str, authors: Sequence[str]) -> bool:
    """A sentence at the end that tells who the author is: 'Uli Maier schreibt seit 2016 für ...'."""
    return any(text.startswith(name) and _DOES.match(text, len(name)) for name in authors if " " in name)


def _without_credits(
    blocks: Sequence[Block], authors: Sequence[str], timeline: Set[str]
) -> tuple[list[Block], list[Removed]]:
    """Without bylines near the top and the credits of agencies and desks at the end."""
    kept: list[Block] = []
    removed: list[Removed] = []
    for place, block in enumerate(blocks):
        rule = None
        if block.text in timeline or (
            block.kind == "heading"
            and any(map(str.isdigit, block.text))
            and _heads_prose(blocks, place)
            and _WHEN.search(block.text)
        ):
            kept.append(block)
            continue
        if block.kind == "paragraph" and _is_caption(block.text):
            rule = "caption"
        elif block.kind in ("paragraph", "heading") and len(block.text) <= 280:
            is_last = place >= len(blocks) - 2
            is_first = place < 4 and is_dated_byline(block.text, authors)
            if is_first or ((place < 4 or is_last) and is_byline(block.text, authors)):
                rule = "byline"
            elif is_last and (_is_credit(block.text) or _is_portrait(block.text, authors)):
                rule = "credit"
        if rule:
            removed.append(Removed(block.text, rule))
        else:
            kept.append(block)
    return kept, removed


def _is_foreign(block: Block) -> bool:
    return block.kind in ("list", "paragraph") and is_foreign(block.text, block.kind == "list")


def is_foreign(text: str, is_list: bool) -> bool:
    """Under a heading such as 'Mehr zum Thema' lists and short lines are links; prose is the article again."""
    if is_list:
        return len(text) < _LONGEST_LIST
    return len(text) < PROSE and not text.endswith((".", "!", "?", ".“", '."', ".«"))


_LONGEST_LIST = 1500


def _phrase(text: str, phrases: Sequence[Phrases]) -> str | None:
    return next(filter(None, (rule_for(text, each) for each in phrases)), None)


def opening(text: str, phrases: Sequence[Phrases], strictly: bool = False) -> str | None:
    """The section of foreign matter that a heading opens by any of *phrases*; see ``opens_block``."""
    return next(filter(None, (opens_block(text, each, strictly=strictly) for each in phrases)), None)


def _without_items(block: Block, phrases: Sequence[Phrases], removed: list[Removed]) -> list[Block]:
    """A list without the items that a phrase takes; nothing when it takes all."""
    good = []
    is_chronology = any(len(item) >= _LEAST_HEADED for item in block.items)
    for item in block.items:
        rule = _phrase(item, phrases)
        if rule and not (is_chronology and _is_time(item, rule)):
            removed.append(Removed(item, rule))
        else:
            good.append(item)
    if len(good) == len(block.items):
        return [block]
    return [replace(block, items=tuple(good), text="\n".join(good))] if good else []


def text_of(blocks: Iterable[Block]) -> str:
    """Plain paragraphs joined by a blank line."""
    return "\n\n".join(block.text for block in blocks)


def markdown_of(blocks: Iterable[Block]) -> str:
    """The same with its structure: subheadings, lists, quotes, tables."""
    return "\n\n".join(_markdown(block) for block in blocks)


def headings_of(blocks: Iterable[Block]) -> tuple[str, ...]:
    return tuple(block.text for block in blocks if block.kind == "heading")


def _markdown(block: Block) -> str:
    if block.kind == "heading":
        return f"{'#' * min(max(block.level, 2), 6)} {block.text}"
    if block.kind == "list":
        return "\n".join(f"- {item}" for item in block.items)
    if block.kind == "quote":
        return "\n".join(f"> {line}" for line in block.text.split("\n"))
    if block.kind == "table":
        width = max(len(row) for row in block.rows)
        rows = [
            "| " + " | ".join(cell.replace("|", "\\|") for cell in (*row, *[""] * (width - len(row)))) + " |"
            for row in block.rows
        ]
        return "\n".join([rows[0], "|" + " --- |" * width, *rows[1:]])
    if block.kind == "code":
        return f"```\n{block.text}\n```"
    return block.text
