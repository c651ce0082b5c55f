"""One page read by a source's rules and by others beside them; rules that a checkout of ftr-site-config suggests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crawler.config import REPLAY, Configuration
from crawler.config.values import selector
from crawler.probing.fixtures import Difference, Outcome, differences, read_now, rejected_of
from crawler.services import Services
from crawler.single_fetch import fetched, looking, or_rejected, page_of
from pipelines.items import Page, Part, Rejected
from pipelines.reading.rules import Rules

#: rules of one file that are tried, and bytes of it
MOST_RULES, LARGEST_FILE = 60, 100_000
#: what a strip rule takes of a text is boilerplate; one that takes more takes the article
MOST_TAKEN = 0.4


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rule of ftr-site-config as a key of ``[read]``, and why it is taken or not."""

    key: str
    selector: str
    why: str = ""


@dataclass(frozen=True)
class Trial:
    """A page by the rules of its source (``before``) and with ``rules`` beside them (``now``)."""

    url: str
    source: str | None
    rules: dict[str, Any]
    before: Outcome
    now: Outcome
    differences: tuple[Difference, ...]
    suggestions: tuple[Suggestion, ...] = ()
    refused: tuple[Suggestion, ...] = ()


async def trial(
    url: str, name: str | None, rules: dict[str, Any], folder: Path | None, configuration: Configuration
) -> Trial:
    """Fetch *url* as a crawl would, and read it twice. Raises Rejected where it does not come."""
    source = configuration.sources[name] if name else None
    async with looking(configuration) as services:
        present = services.derived.rules(name or REPLAY)
        [(_, _, result)] = [one async for one in fetched(services, source, [("page", url)])]
        try:
            page = page_of(or_rejected(result), name or REPLAY, url)
        except Rejected as rejected:
            failed = rejected_of(rejected.reason, rejected.detail)
            return Trial(url, name, rules, failed, failed, ())
        before = await read_now(page, present, services.readers)
        wanted = suggestions(folder, page.url) if folder is not None else []
        taken, refused = await tested(services, page, present, before, wanted)
        for one in taken:
            if one.key == "next_page":
                rules = {"next_page": one.selector} | rules
            else:
                rules = {**rules, one.key: [*rules.get(one.key, []), one.selector]}
        now = await read_now(page, with_rules(present, rules), services.readers)
    return Trial(url, name, rules, before, now, differences(before, now), tuple(taken), tuple(refused))


def with_rules(present: Rules, rules: dict[str, Any]) -> Rules:
    """*present* with *rules* beside them: lists grow, a single selector takes the place of the one before."""
    site: Any = present.site
    changed = {key: (*getattr(site, key), *value) if isinstance(value, list) else value for key, value in rules.items()}
    return replace(present, site=replace(site, **changed))


# --- ftr-site-config -------------------------------------------------------------------------------------------------


def suggestions(folder: Path, url: str) -> list[Suggestion]:
    """The paging and strip rules for the host of *url*: its own file, else that of a domain above it.

    Bodies, titles, tests and requests (``http_header``, ``single_page_link``) of such files are left alone.
    """
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    labels = host.split(".")
    for number in range(len(labels) - 1):
        domain = ".".join(labels[number:])
        for name in (f"{domain}.txt", f".{domain}.txt", f"www.{domain}.txt"):
            path = folder / name
            if path.is_file():
                text = path.read_bytes()[:LARGEST_FILE].decode("utf-8", "replace")
                return list(dict.fromkeys(rules_in(text)))[:MOST_RULES]
    return []


def rules_in(text: str) -> Iterator[Suggestion]:
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        key, value = key.strip().lower(), value.strip()
        if not colon or not value or line.lstrip().startswith("#"):
            continue
        if key == "strip":
            yield Suggestion("remove", value)
        elif key == "strip_id_or_class" and (name := value.strip("\"'")) and re.fullmatch(r"[\w-]+", name):
            yield Suggestion("remove", f"//*[contains(@id, '{name}') or contains(@class, '{name}')]")
        elif key == "next_page_link":
            yield Suggestion("next_page", value)


async def tested(
    services: Services, page: Page, present: Rules, before: Outcome, wanted: Sequence[Suggestion]
) -> tuple[list[Suggestion], list[Suggestion]]:
    """Those of *wanted* that are worth having on *page*, and the others, each with why. *before*: by *present*."""
    taken: list[Suggestion] = []
    refused: list[Suggestion] = []
    known = None
    if any(one.key == "next_page" for one in wanted):
        with suppress(Rejected):
            known = await next_page(services, page, present)
    for one in wanted:
        try:
            selector(one.selector)
        except ValueError as error:
            refused.append(replace(one, why=str(error)))
            continue
        try:
            if one.key == "next_page":
                following = await next_page(services, page, with_rules(present, {one.key: one.selector}))
                is_worth_it, why = next_page_verdict(known, following)
            else:
                rules = with_rules(present, {one.key: [one.selector]})
                is_worth_it, why = strip_verdict(before, await read_now(page, rules, services.readers))
        except Rejected as error:
            is_worth_it, why = False, str(error)
        (taken if is_worth_it else refused).append(replace(one, why=why))
    return taken, refused


async def next_page(services: Services, page: Page, rules: Rules) -> str | None:
    """The address of the article's second page by *rules*. Raises Rejected."""
    part = Part(page.url, page.body, page.content_type)
    return await services.parsing.next_page(part, 1, rules, page.source)


def next_page_verdict(known: str | None, following: str | None) -> tuple[bool, str]:
    """Whether a rule is worth having that leads to *following*, where others lead to *known*; and why."""
    if following is None:
        return False, "no next page on this page"
    if following == known:
        return False, "the next page is found without it"
    return True, f"it leads to {following}"


def strip_verdict(before: Outcome, now: Outcome) -> tuple[bool, str]:
    """Whether a strip rule is worth having that makes *now* of *before*, and what it does to the text."""
    for outcome, said in ((before, "without"), (now, "with")):
        if outcome.article is None:
            return False, f"{said} it the page is no article: {outcome.rejected}: {outcome.detail}"
    assert before.article is not None and now.article is not None
    text, left = before.article.get("text", ""), now.article.get("text", "")
    if text == left:
        return False, "changes nothing on this page"
    if len(left) < (1 - MOST_TAKEN) * len(text):
        return False, f"takes {len(text) - len(left)} of {len(text)} characters of the text"
    gone = paragraphs_gone(text, left)
    shown = gone[0][:80] if gone else "a part of a paragraph"
    return True, f"it takes {shown!r}" + (f" and {len(gone) - 1} more" if len(gone) > 1 else "")


def paragraphs_gone(before: str, now: str) -> Sequence[str]:
    kept = set(now.split("\n\n"))
    return [paragraph for paragraph in before.split("\n\n") if paragraph not in kept]
