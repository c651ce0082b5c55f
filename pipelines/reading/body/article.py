"""The article of a page, from its tree to the blocks that are kept: container, boilerplate, scrambled, repeated text,
further pages, and the second reading where the first left too little.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lxml import etree, html

from pipelines.items import Page, Part, Rejected, Removed
from pipelines.reading.body import (
    blocks,
    details,
    extract,
    floor,
    inline_markup,
    joining,
    paging,
    paywall,
    repeated,
    revealed,
    scrambled,
)
from pipelines.reading.body.blocks import Block
from pipelines.reading.body.boilerplate import Phrases
from pipelines.reading.body.extract import Body, Known
from pipelines.reading.fields import language
from pipelines.reading.page import decode
from pipelines.reading.page.tree import parse
from pipelines.reading.rules import Rules

Phrasing = Callable[[str | None], Sequence[Phrases]]  # the phrases of a language


@dataclass(frozen=True, slots=True)
class Hints:
    """What the page says of its article elsewhere than in its text, as far as it helps to find that: ``headline`` is
    the element that shows the title, ``language`` a code, ``is_free`` whether everybody may read it (None: not said).
    """

    title: str | None = None
    teaser: str | None = None
    headline: etree._Element | None = None
    authors: Sequence[str] = ()
    language: str | None = None
    is_free: bool | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: the ``body`` as it stands on the page, its blocks before (``raw``) and after what is no part of
    it was taken out (``kept``), the language, whether everybody may read it, and the facts and pages beside the text.
    """

    body: Body
    raw: Sequence[Block]
    kept: Sequence[Block]
    removed: Sequence[Removed]
    language: str | None
    is_free: bool | None
    facts: details.Details = field(default_factory=dict)
    pages_read: int = 1
    pages_total: int = 1

    @property
    def text(self) -> str:
        return blocks.text_of(self.kept)


def article_on(
    tree: html.HtmlElement,
    page: Page,
    hints: Hints,
    rules: Rules,
    phrases: Phrasing,
    known: Known | None,
    parse_again: Callable[[], html.HtmlElement],
) -> Found:
    """The article on *tree*, which is pruned. *parse_again* gives the page's tree once more, for a second reading."""
    found = _read(tree, page, hints, rules, phrases, known)
    if page.more or (known is not None and known.is_rule):
        return found
    if floor.is_low(found.text + (found.body.lead or ""), found.body):
        again = _read(parse_again(), page, hints, rules, phrases, None, names=False)
        if floor.holds_more(found.kept, again.kept):
            found = _told(again, found)
    return found


def _told(again: Found, first: Found) -> Found:
    removed = (floor.why(first.kept, again.kept), *again.removed)
    return Found(
        again.body, again.raw, again.kept, removed, again.language, again.is_free, again.facts, 1, again.pages_total
    )


def _read(
    tree: html.HtmlElement,
    page: Page,
    hints: Hints,
    rules: Rules,
    phrases: Phrasing,
    known: Known | None,
    names: bool = True,
) -> Found:
    """One reading of a page."""
    declared = hints.language
    total = paging.pages_total(tree, page.url)
    is_marked = paywall.marked(tree, hints.headline)
    facts, tables = details.taken_from(tree)
    inline_markup.write_out_cells(tree)  # what stood in lists in them are several facts
    tongue = declared or rules.language or "de"
    spoken = phrases(tongue)
    body = extract.body_of(
        tree,
        title=hints.title,
        teaser=hints.teaser,
        headline=hints.headline,
        german=tongue == "de",
        known=known,
        remove=rules.site.remove,
        learning=rules.site_model.learning,
        address=page.url,
        names=names,
        opens=lambda heading, strictly: blocks.opening(heading, spoken, strictly),
        is_boilerplate=lambda line: blocks.rule_of(line, spoken, hints.authors) is not None,
    )
    parts = [_part(part, hints, tongue) for part in page.more]
    raw, brought = joining.joined([body.blocks, *parts], (hints.title or "", hints.teaser or ""))
    raw, doubles = joining.without_doubles(raw)
    pages_read, pages_total = paging.counts(page.url, [part.url for part in page.more], brought, total)
    code = language.language_of(blocks.text_of(raw), declared, rules.language)
    kept, removed = blocks.without_boilerplate(raw, phrases(code), hints.authors)
    free = hints.is_free
    kept, unreadable = scrambled.without_scrambled(kept, lambda: _is_paid(free, is_marked, body.whole_text))
    kept, returning = repeated.without_repeated(kept, rules.site_model.repeated)
    text = blocks.text_of(kept)
    if not text:  # what was left out says little about the language of the article, or is in none
        shown = "\n".join(filter(None, (hints.title, body.lead or hints.teaser)))
        code = language.language_of(shown, declared, rules.language)
    if unreadable or (free is None and paywall.looks_locked(text or body.lead or "", body.whole_text, is_marked)):
        free = False
    gone = (*tables, *body.removed, *doubles, *removed, *unreadable, *returning)
    # the first page is read where it has no text, too
    return Found(body, raw, kept, gone, code, free, facts, max(pages_read, 1), pages_total)


def _is_paid(free: bool | None, is_marked: bool, page_text: str) -> bool:
    """Whether the page says that it is paid for, or shows it."""
    return free is False or is_marked or (free is None and paywall.asks_for_payment(page_text))


def _part(part: Part, hints: Hints, tongue: str) -> tuple[Block, ...]:
    """The blocks of a further page, without the lead that every page repeats."""
    try:
        tree = parse(decode.utf8_of(part.body, part.content_type))
    except Rejected:  # an empty or broken further page costs only itself; pages_total tells that it is missing
        return ()
    revealed.reveal(tree)
    inline_markup.resolve(tree, tongue)
    inline_markup.write_out_cells(tree)
    body = extract.body_of(tree, title=hints.title, teaser=hints.teaser)
    lead = blocks.plain(body.lead or "")
    if body.lead and lead not in blocks.plain(hints.teaser or ""):
        return (Block("paragraph", body.lead), *body.blocks)
    return body.blocks
