"""JSON Feed 1.0 and 1.1, also wrapped in a function's call, and of a truncated one what is whole."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from crawler.discovery.entries import result_of
from crawler.discovery.links import LinkFilter
from crawler.discovery.models import MOST_ENTRIES, DiscoveryError, DiscoveryResult, Entry, ParseIssue, Problem

_CALL = re.compile(r"\s{0,1000}(?:/\*\*/)?\s{0,100}[A-Za-z_$][\w.$]{0,200}\s{0,100}\(\s{0,1000}(?=\{)")


def is_json(text: str) -> bool:
    return text.lstrip()[:1] == "{" or _CALL.match(text) is not None


def read_json_feed(text: str, url: str, link_filter: LinkFilter) -> DiscoveryResult:
    problems: list[Problem] = []
    feed = loaded(text)
    if feed is None:
        feed = salvaged(text)
        problems.append(Problem(ParseIssue.TRUNCATED, "no whole JSON; the items before the damage are used"))
    items = feed.get("items")
    is_feed = "jsonfeed.org" in str(feed.get("version"))
    if not isinstance(items, list) or not (is_feed or any(isinstance(one, dict) and links_of(one) for one in items)):
        raise DiscoveryError(ParseIssue.NO_LIST, "JSON, but no JSON Feed: it has no version and no items with an url")
    objects = [one for one in items if isinstance(one, dict)]
    entries = [json_entry(one) for one in objects[:MOST_ENTRIES]]
    if not items:
        problems.append(Problem(ParseIssue.NO_ENTRIES, "the feed lists nothing"))
    elif not entries:
        raise DiscoveryError(ParseIssue.NO_LINK, f"{len(items)} items, none of them is an object with an url")
    result = result_of("feed", entries, url, link_filter, not problems, len(objects))
    return replace(result, problems=(*problems, *result.problems))


def loaded(text: str) -> dict[str, Any] | None:
    """The JSON object at the beginning of *text*, or None."""
    call = _CALL.match(text)
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(text[call.end() :] if call else text.lstrip())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def salvaged(text: str) -> dict[str, Any]:
    """What of a damaged feed can be read: its version and the items up to the damage."""
    start = re.search(r"\"items\"\s{0,100}:\s{0,100}\[", text)
    version = re.search(r"jsonfeed\.org/version/[\d.]{1,10}", text)
    items: list[Any] = []
    at = start.end() if start else len(text)
    decoder = json.JSONDecoder(strict=False)
    while len(items) < MOST_ENTRIES:
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        try:
            item, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        items.append(item)
    return {"version": version[0] if version else None, "items": items}


def links_of(item: dict[str, Any]) -> list[str]:
    """Its own page first; ``external_url`` is what a link blog writes about."""
    identity = item.get("id")
    named = [item.get("url"), item.get("external_url")]
    named += [identity] if isinstance(identity, str) and re.match(r"(?i)https?://", identity) else []
    return list(dict.fromkeys(one for one in named if isinstance(one, str) and one.strip()))


def json_entry(item: dict[str, Any]) -> Entry:
    authors = item.get("authors") if isinstance(item.get("authors"), list) else [item.get("author")]
    tags = item.get("tags")
    return Entry(
        addresses=links_of(item),
        title=text_in(item, "title"),
        teaser=text_in(item, "summary"),
        published=text_in(item, "date_published"),
        modified=text_in(item, "date_modified"),
        authors=[name for one in authors or [] if isinstance(one, dict) and (name := text_in(one, "name"))],
        words=[one for one in tags if isinstance(one, str)] if isinstance(tags, list) else [],
    )


def text_in(item: dict[str, Any], key: str) -> str | None:
    value = item.get(key)
    return value if isinstance(value, str) else None
