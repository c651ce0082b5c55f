"""What a robots.txt says about addresses, as RFC 9309 has it. Pure: bytes in, values out.

This is what a reader process is asked for; whether and when a file is fetched, ``crawler.robots`` knows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from protego import Protego

from pipelines.reading.rights import AI_CRAWLERS

#: bytes of a file that hold, as the RFC has it
LARGEST = 500 * 1024


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say about one address; ``delay`` is their Crawl-delay in seconds, or None.

    ``ai_crawlers_disallowed``: agents that read for models, and that a group of their own keeps from the address.
    """

    allowed: bool
    delay: float | None = None
    ai_crawlers_disallowed: tuple[str, ...] = ()


class Rules:
    """One robots.txt, as far as *agent* (our product token, such as ``nachlese``) is concerned."""

    def __init__(self, body: bytes, agent: str):
        self._agent = agent.lower()
        self._rules = Protego.parse(relevant_lines(body[:LARGEST], self._agent))

    def allows(self, url: str) -> bool:
        return self._rules.can_fetch(url, self._agent)

    @property
    def crawl_delay(self) -> float | None:
        """Seconds, or None."""
        delay = self._rules.crawl_delay(self._agent)
        return delay if delay is not None and delay > 0 else None


def relevant_lines(body: bytes, agent: str) -> str:
    """The lines of the groups that speak to *agent* or to everybody, in order.

    The parser copies each rule to each agent of its group, which takes minutes for a file of 500 KiB made for it.
    """
    kept: list[str] = []
    naming, ours = False, False  # whether the last line named an agent; whether the group at hand speaks to us
    for line in decoded_robots(body).splitlines():
        field, value = field_and_value(line.partition("#")[0])
        if not field or field in ("sitemap", "host"):
            continue
        if field in ("user-agent", "useragent", "user agent"):
            to_us = speaks_to(value, agent)
            ours = to_us or (naming and ours)
            naming = True
            if to_us:
                kept.append(f"User-agent: {'*' if value == '*' else agent}")
        else:
            naming = False
            if ours:
                kept.append(f"{field}: {value}")
    return "\n".join(kept)


_WITHOUT_COLON = re.compile(r"(user-agent|disallow|allow|crawl-delay)[ \t=]+(\S.*)", re.IGNORECASE)


def field_and_value(line: str) -> tuple[str, str]:
    """The two sides of a line; "Disallow /a/" means what "Disallow: /a/" does. ("", "") where it is no rule."""
    field, colon, value = line.strip().partition(":")
    bare = _WITHOUT_COLON.fullmatch(line.strip())
    if bare and (not colon or any(sign in field.strip() for sign in " \t/=")) and field.strip().lower() != "user agent":
        return bare[1].lower(), bare[2].strip()
    return (field.strip().lower(), value.strip()) if colon else ("", "")


def decoded_robots(body: bytes) -> str:
    """UTF-8 as the RFC says; UTF-16, which some editors save, where a mark or the zeros between the letters show it."""
    start = body[:200].rstrip(b"\0")  # zeros without end are no letters in either half
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = body.decode("utf-16", "replace")
    elif len(start) > 1 and start[1::2].count(0) * 2 > len(start[1::2]):
        text = body.decode("utf-16-le", "replace")
    elif len(start) > 1 and start[::2].count(0) * 2 > len(start[::2]):
        text = body.decode("utf-16-be", "replace")
    else:
        text = body.decode("utf-8-sig", "replace")
    return text.replace("\0", "")


def speaks_to(value: str, agent: str) -> bool:
    """Whether a User-agent line means us: ``*``, or our token, with or without a version after it."""
    token = value.strip().lower()
    return token == "*" or token.partition("/")[0].strip(" *") == agent


#: rules that a reader keeps parsed: small files only, so that they are no more than some megabytes
SMALL = 20_000
_parsed = lru_cache(maxsize=64)(Rules)


def judged_all(body: bytes, agent: str, urls: Sequence[str]) -> list[Judgement]:
    """The task of a reader process: what the rules say about each of *urls*; *agent* is our product token."""
    is_small = len(body) < SMALL
    rules, others = (_parsed if is_small else Rules)(body, agent), ai_rules(body) if is_small else ()
    return [
        Judgement(
            rules.allows(url), rules.crawl_delay, tuple(name for name, theirs in others if not theirs.allows(url))
        )
        for url in urls
    ]


@lru_cache(maxsize=64)
def ai_rules(body: bytes) -> tuple[tuple[str, Rules], ...]:
    """The rules for each AI crawler that has a group of its own."""
    text = decoded_robots(body).lower()
    return tuple(
        (name, Rules(body, name)) for name in AI_CRAWLERS if re.search(rf"agent[\s:]+{re.escape(name)}\b", text)
    )
