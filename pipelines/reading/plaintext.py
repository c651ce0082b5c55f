"""Pages that came as plain text: what a person copied from a news site, with everything that stood around the article.

Nothing here knows a site. The header ends where prose begins; the body ends where foreign matter begins, which a
phrase tells ('Weitere Meldungen') or the look of it: titles that stand twice, teasers that end in a date and
'weiterlesen', lines without a sentence that nothing follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pipelines.items import Article, Page, Provenance, Reason, Rejected, Removed
from pipelines.reading.body import blocks, details, paging
from pipelines.reading.body.blocks import Block
from pipelines.reading.body.boilerplate import Phrases, opens_block, rule_for, site_phrases
from pipelines.reading.fields import agency, dates, language
from pipelines.reading.languages import either
from pipelines.reading.plaintext_header import Header, header_of
from pipelines.reading.rules import Rules
from pipelines.reading.textlines import Line, date_shape, lines_of, rejoined

# 'Lang ist der Text. (Ausland, 24.01.2026 - 08:26) weiterlesen...'
_READ_ON = re.compile(
    rf"(?:[.!?…)\]\"“”»]|\.\.\.)\s*[\[(]?{either('body.read_on')}[\])]?\W*\Z",
    re.IGNORECASE,
)
_DATED_TAIL = re.compile(
    r"[(\[][^()\[\]]{0,60}\d{1,2}\.\s?(?:\d{1,2}\.|[A-ZÄa-zä]{3,9})\s?(?:\d{2,4})?[^()\[\]]{0,25}[)\]]\W*\Z"
)
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|[\w.+-]+@[\w-]+\.[\w.]{2,}", re.IGNORECASE)
# two sentences without a blank between them: text that a program ran together
_RUN_TOGETHER = re.compile(r"[a-zäöüß]{3}[.!?][\"“”»]?(?=[\"„»]?[A-ZÄÖÜ][a-zäöü]+\s)")
# more than a person looks at
MOST_REMOVED = 1000
# boxes in which a few sentences follow their heading
_PROMPTS = ("about_author", "newsletter", "subscription", "app_prompt", "podcast", "feedback", "legal")
# the paragraphs of an article that goes on below a box of links; teasers are shorter
_LEAST_PROSE = 200


@dataclass(slots=True)
class _Body:
    """The body while it is read: what is kept, what is removed, what both have told."""

    lines: list[Line] = field(default_factory=list)
    removed: list[Removed] = field(default_factory=list)
    facts: details.Details = field(default_factory=dict)
    pages_total: int = 1
    agency: str | None = None


def is_plain(content_type: str) -> bool:
    """Whether a page of this content type is read here."""
    return content_type.partition(";")[0].strip().lower() == "text/plain"


def read_text(page: Page, text: str, rules: Rules) -> Article:
    """The article in *text*, the decoded body of *page*.

    Raises Rejected: EMPTY without a body, NO_TITLE without a title.
    """
    code = language.language_of(text, None, rules.language)
    phrases = _phrases(code, rules)
    reading = dates.Reading(page.fetched_at, rules.time_zone, code or rules.language or "de")
    lines = lines_of(text)
    body = _Body()
    lines = _without_details(lines, body)
    header = header_of(lines, reading, phrases)
    body.removed[:0] = header.removed
    _read_body(rejoined(header.rest), header, phrases, body)
    found = _blocks(body.lines)
    if not any(block.kind in ("paragraph", "list", "quote") for block in found):
        raise Rejected(Reason.EMPTY, f"no text under {header.title[:80]!r}" if header.title else "no text")
    hint = page.hint
    title = header.title or (hint.title if hint else None)
    if not title:
        raise Rejected(Reason.NO_TITLE, f"begins with {found[0].text[:60]!r}")
    return _article(page, title, header, body, found, code)


def _article(page: Page, title: str, header: Header, body: _Body, found: list[Block], code: str | None) -> Article:
    hint = page.hint
    published, provenance = header.published, Provenance.TEXT
    if published is None and hint and hint.published_at and hint.published_precision:
        published, provenance = dates.Stated(hint.published_at, hint.published_precision), hint.via
    first = next((block.text for block in found if block.kind == "paragraph"), "")
    return Article(
        url=page.url,
        canonical_url=page.url,
        source=page.source,
        title=title,
        text=blocks.text_of(found),
        fetched_at=page.fetched_at,
        text_markdown=blocks.markdown_of(found),
        teaser=header.teaser,
        teaser_is_visible=header.teaser is not None,
        kicker=header.kicker,
        section=header.sections[0] if header.sections else None,
        sections=header.sections,
        authors=header.authors,
        headings=blocks.headings_of(found),
        published_at=published.at if published else None,
        published_precision=published.precision if published else None,
        published_provenance=provenance if published else None,
        modified_at=header.modified.at if header.modified else None,
        modified_precision=header.modified.precision if header.modified else None,
        modified_provenance=Provenance.TEXT if header.modified else None,
        language=code,
        agency=header.agency or body.agency or _agency_of_prose(found),
        dateline=agency.dateline(first)[0],
        details=body.facts,
        pages_read=1 + len(page.more),
        pages_total=max(body.pages_total, 1 + len(page.more)),
        removed=tuple(body.removed[:MOST_REMOVED]),
    )


def _phrases(code: str | None, rules: Rules) -> list[Phrases]:
    known = rules.phrases.get(code or "") or rules.phrases.get(rules.language or "")
    return [*([known] if known else []), *([site_phrases(rules.site.phrases)] if rules.site.phrases else [])]


def _agency_of_prose(found: Sequence[Block]) -> str | None:
    """Prose names agencies as sources; a credit stands at its very beginning or end, in brackets."""
    prose = [block.text for block in found if block.kind == "paragraph"]
    ends = (prose[0][:80], prose[-1][-40:]) if prose else ()
    return agency.agency_in(text for text in ends if "(" in text or "[" in text)


# -- the table of facts -----------------------------------------------------------------------------------------------


def _without_details(lines: list[Line], body: _Body) -> list[Line]:
    """The lines without tables of facts, which go to ``body.facts``."""
    kept: list[Line] = []
    at = 0
    while at < len(lines):
        end = at
        while end < len(lines) and lines[end].mark == "|" and (end == at or not lines[end].gap):
            end += 1
        if end == at:
            kept.append(lines[at])
            at += 1
            continue
        titled = bool(kept) and details.is_title(kept[-1].text)
        facts = details.from_text([line.raw for line in lines[at:end]], is_titled=titled)
        if facts:
            body.facts = {**facts, **body.facts}
            if titled:
                body.removed.append(Removed(kept.pop().raw, "details"))
            body.removed.append(Removed("\n".join(line.raw for line in lines[at:end]), "details"))
        else:
            kept += lines[at:end]
        at = end
    return kept


# -- the body ---------------------------------------------------------------------------------------------------------


def _read_body(lines: list[Line], header: Header, phrases: Sequence[Phrases], body: _Body) -> None:
    """Sort *lines* into the article's and the rest."""
    end = _end_by_look(lines)
    lines, tail = lines[:end], lines[end:]
    at = 0
    while at < len(lines):
        line = lines[at]
        opened = _opened(line, phrases) if line.mark != "|" else None
        if opened and (length := _foreign_after(lines, at, opened, phrases)):
            for foreign in lines[at : at + length]:
                _remove(foreign, opened, body)
            at += length
            continue
        rule = _rule_for(line, header, phrases)
        if rule:
            _remove(line, rule, body)
        else:
            body.lines.append(line)
        at += 1
    while body.lines and (body.lines[-1].is_heading or not _is_text(body.lines, len(body.lines) - 1)):
        _remove(body.lines.pop(), "nothing follows", body)
    for line in tail:
        _remove(line, _rule_for(line, header, phrases) or "foreign matter", body)


def _remove(line: Line, rule: str, body: _Body) -> None:
    body.removed.append(Removed(line.raw, rule))
    stated = paging.paging_in(line.text)
    if stated:
        body.pages_total = max(body.pages_total, stated[1])
    if body.agency is None and len(line.text) <= 80 and rule != "foreign matter":
        body.agency = agency.agency_in(line.text)


def _opened(line: Line, phrases: Sequence[Phrases]) -> str | None:
    return next(filter(None, (opens_block(line.text, each) for each in phrases)), None)


def _rule_for(line: Line, header: Header, phrases: Sequence[Phrases]) -> str | None:
    if line.mark == "|":
        return None
    if header.title and line.text == header.title:
        return "title again"
    if header.teaser and line.text == header.teaser:
        return "teaser again"
    if len(line.text) <= 80 and not line.is_heading and _is_credit(line.text):
        return "agency credit"
    if len(line.text) <= 60 and _is_credit(line.text):
        return "agency credit"
    if _ADDRESS.fullmatch(line.text):
        return "address"
    return next(filter(None, (rule_for(line.text, each) for each in phrases)), None)


def _is_credit(text: str) -> bool:
    """A line that does nothing but name an agency: '@ dts-nachrichtenagentur.de', '(dpa)', 'Quelle: APA'."""
    return len(text.split()) <= 7 and agency.agency_in(text) is not None and not re.search(r"[.!?]\s+\S", text)


def _foreign_after(lines: Sequence[Line], at: int, opened: str, phrases: Sequence[Phrases]) -> int:
    """How many lines, the opening one at *at* included, a block of foreign matter has; 0 when it is none."""
    after = lines[at + 1 :]
    links = 0
    while links < len(after) and _is_link(after[links], phrases):
        links += 1
    rest = [line for line in after[links:] if not _is_link(line, phrases)]
    if not rest or opened == "comments":
        return len(lines) - at if opened == "comments" else 1 + links
    if opened in _PROMPTS and len(rest) <= 3 and max(len(line.text) for line in rest) < _LEAST_PROSE:
        return len(lines) - at
    if opened != "related":
        return 1 + links
    if not links:
        # a heading of one word can be a subheading of the article; of several words it opens teasers
        return len(lines) - at if " " in lines[at].text.strip(" :") else 1
    if max(len(line.text) for line in rest) < _LEAST_PROSE or any(_is_date_line(line) for line in after):
        return len(lines) - at  # titles with a short teaser each, down to the end
    # a box of links inside the article: its text goes on below, under its own subheading perhaps
    return links if links > 1 and after[links - 1].is_heading and after[links - 1].gap else 1 + links


def _is_date_line(line: Line) -> bool:
    return len(line.text) <= 60 and not line.ends_sentence and bool(date_shape().search(line.text))


def _is_phrase(line: Line, phrases: Sequence[Phrases]) -> bool:
    return any(rule_for(line.text, each) for each in phrases)


def _is_link(line: Line, phrases: Sequence[Phrases]) -> bool:
    """A line that a list of links or a prompt consists of, not prose."""
    if line.mark == "-" or _is_phrase(line, phrases):
        return True
    return not line.is_prose and (not line.ends_sentence or line.text.endswith(("?", "!", "...", "…")))


def _is_text(lines: Sequence[Line], at: int) -> bool:
    """Whether the body can end with this line: prose, a sentence, a table or a list that was announced."""
    line = lines[at]
    if line.is_prose or line.ends_sentence or line.mark == "|":
        return True
    if line.mark == "-":
        start = at
        while start and lines[start - 1].mark == "-":
            start -= 1
        return start > 0 and (lines[start - 1].text.endswith(":") or lines[start].ends_sentence or at == start)
    return False


def _end_by_look(lines: Sequence[Line]) -> int:
    """Where foreign matter begins that no phrase announces; the number of lines when nowhere."""
    ends = [*_teasers(lines), *_pairs(lines), *_run_together(lines)]
    end = min(ends, default=len(lines))
    if end < len(lines):
        while end > 1 and _is_block_title(lines[end - 1]):
            end -= 1
    return end


def _is_block_title(line: Line) -> bool:
    """A short line above foreign matter that can be its title; a credit or a page number closes the article."""
    if line.is_prose or line.ends_sentence or len(line.text) > 80 or paging.paging_in(line.text):
        return False
    return not _is_credit(line.text)


def _teasers(lines: Sequence[Line]) -> Iterator[int]:
    """Paragraphs that end in a date and 'weiterlesen'; a date alone must return to count."""
    certain = [i for i, line in enumerate(lines) if i and _READ_ON.search(line.text) and len(line.text) > 60]
    dated = [i for i, line in enumerate(lines) if i and _DATED_TAIL.search(line.text)]
    if certain and not any(line.is_prose for line in lines[certain[0] + 1 : certain[-1]] if not _is_teaser_like(line)):
        tail = [line for line in lines[certain[-1] + 1 :] if line.is_prose]
        if not tail:
            first = certain[0]
            while first - 1 in dated:
                first -= 1
            yield first
    if (
        len(dated) >= 2
        and dated[-1] - dated[0] + 1 <= 2 * len(dated)
        and not any(x.is_prose for x in lines[dated[-1] + 1 :])
    ):
        yield dated[0]


def _is_teaser_like(line: Line) -> bool:
    return bool(_READ_ON.search(line.text) or _DATED_TAIL.search(line.text))


def _pairs(lines: Sequence[Line]) -> Iterator[int]:
    """Titles that stand twice, once with their section glued to them."""
    for at, (first, second) in enumerate(pairwise(lines)):
        a, b = first.text, second.text
        short, long = (a, b) if len(a) <= len(b) else (b, a)
        if (
            at
            and 12 <= len(short) <= 250
            and len(long) - len(short) <= 60
            and (long.startswith(short) or long.endswith(short))
        ):
            yield at
            return


def _run_together(lines: Sequence[Line]) -> Iterator[int]:
    """Under a line like a title: paragraphs whose sentences a program ran together, where the article's own are not."""
    glued = [i for i, line in enumerate(lines) if _RUN_TOGETHER.search(line.text)]
    if not glued or glued[0] < 3 or (lines[-1].is_prose and glued[-1] != len(lines) - 1):
        return
    first = glued[0]
    if not lines[first - 1].is_prose and not lines[first - 1].ends_sentence:
        yield first


# -- blocks -----------------------------------------------------------------------------------------------------------


def _blocks(lines: Sequence[Line]) -> list[Block]:
    found: list[Block] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        run = [line]
        while line.mark in ("-", "|") and at + len(run) < len(lines) and lines[at + len(run)].mark == line.mark:
            run.append(lines[at + len(run)])
        at += len(run)
        if line.mark == "-":
            items = tuple(each.text for each in run)
            found.append(Block("list", "\n".join(items), items=items))
        elif line.mark == "|":
            found += _table(run)
        elif line.is_heading and at < len(lines):
            found.append(Block("heading", line.text, level=2))
        else:
            found.append(Block("paragraph", line.text))
    return found


def _table(run: Sequence[Line]) -> list[Block]:
    rows = [tuple(details.cells(line.raw)) for line in run if not details.is_delimiter(line.raw)]
    rows = [row for row in rows if any(row)]
    return [Block("table", "\n".join(" ".join(filter(None, row)) for row in rows), rows=tuple(rows))] if rows else []
