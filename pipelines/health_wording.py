"""What an alarm says, as a sentence and its values, so that it can be said in other languages as well. Pure.

``Wording`` is kept beside the English sentence; ``webapp.alarm_wording`` says it in the reader's language.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Wording:
    """A sentence with ``{name}`` for each value. Values: texts, numbers; shares of 0 to 1 have names in ``_share``."""

    text: str
    values: Mapping[str, str | float] = field(default_factory=dict)

    def __str__(self) -> str:
        """In English."""
        return self.text.format(**{name: shown(name, value) for name, value in self.values.items()})

    def as_json(self) -> dict[str, Any]:
        return {"text": self.text, "values": dict(self.values)}


def shown(name: str, value: str | float) -> str:
    """'29 %', '1,234', '3.5'."""
    if isinstance(value, str):
        return value
    if name.endswith("_share"):
        return f"{100 * value:.0f} %"
    return f"{value:,.1f}".removesuffix(".0")


FRACTIONS = ((0.07, "a twentieth"), (0.15, "a tenth"), (0.22, "a fifth"), (0.29, "a quarter"), (0.4, "a third"),
              (0.58, "half"), (1.0, "two thirds"))  # fmt: skip


def fraction(ratio: float) -> str:
    """A smaller size beside a larger one: 'a tenth', 'half'."""
    return next((word for bound, word in FRACTIONS if ratio <= bound), "two thirds")


def of_log(name: str, value: float) -> float:
    """The size behind a value that is compared as a logarithm."""
    return max(math.exp(value) - 5, 0.0) if name == "delay" else math.exp(value)


def of_measure(name: str, is_share: bool, text: str, was: float, now: float) -> Wording:
    """What is said of a measure that was *was* and is *now*, both as they are compared."""
    if is_share:
        return Wording(text, {"was_share": round(was, 4), "now_share": round(now, 4)})
    ratio = math.exp(now - was)
    compared: dict[str, str | float] = {"times": fraction(ratio)} if ratio < 1 else {"factor": round(ratio, 1)}
    return Wording(text, {"was": round(of_log(name, was)), "now": round(of_log(name, now)), **compared})


def sentence(source: str, what: Wording, since: datetime, zone: ZoneInfo, example: str | None = None) -> str:
    """One alarm as a sentence in English: what, since when, where one can see it."""
    at = since.astimezone(zone)
    seen = f", for example {example}" if example else ""
    return f"{source}: {what}, since {at:%Y-%m-%d %H:%M}{seen}"


# --- lists, silences, paragraphs --------------------------------------------------------------------------------------

LISTS_FAILING = (
    "the {kind} cannot be read ({error})",
    "Look for its new address in a browser; `nachlese sources check --fetch` says what is there.",
)
LISTS_EMPTY = (
    "the {kind} answers and lists nothing; it had up to {most} entries",
    "Open it in a browser; the site may have a new one.",
)
SILENCE = (
    "no new article has come, where some {expected} were to be expected by now",
    "Look at the site in a browser. Where it has news, its feed stands still: look for another one.",
)
BOILERPLATE = (
    "the same new paragraph stands in {ill} of {of} articles: «{paragraph}»",
    "If it is a prompt or an advertisement, put a pattern for it into [read] phrases in the source file.",
)
#: a consent wall whose page says which cookie it waits for
WITH_COOKIE = (
    "Accept it in a browser and copy the cookie that this sets into [fetch] cookies of the source file. "
    "The page {waits}."
)

# --- pages that end without an article -------------------------------------------------------------------------------

REJECTED = {
    "consent_wall": (
        "{ill} of {of} pages show a consent wall instead of the article",
        "Accept it in a browser and copy the cookie that this sets into [fetch] cookies of the source file.",
    ),
    "login_wall": (
        "{ill} of {of} pages ask for a login",
        "Where you have an account, put its cookie into [fetch] cookies.",
    ),
    "javascript_shell": (
        "{ill} of {of} pages come empty and are filled by scripts",
        'Set [fetch] render = "when_empty" in the source file; it needs `pip install nachlese[browser]`.',
    ),
    "soft_404": (
        "{ill} of {of} pages say that they do not exist, or that the site is under maintenance",
        "Open one in a browser. Where that shows an article, robots get other answers: see [fetch] user_agent.",
    ),
    "home_page": (
        "{ill} of {of} pages lead to the front page",
        "The addresses have changed: look at the feed in a browser.",
    ),
    "empty": (
        "{ill} of {of} pages have no text",
        "Look at `nachlese read URL --why`, then set [read] keep in its source file.",
    ),
    "no_title": (
        "{ill} of {of} pages have no headline",
        "Look at `nachlese read URL --why`, then set [read] title.",
    ),
    "robots": (
        "{ill} of {of} pages are forbidden by robots.txt",
        "Ask the site for permission; until then nothing is fetched.",
    ),
    "gone": (
        "{ill} of {of} pages are gone when they are asked for",
        "The feed names old addresses: look for a newer feed.",
    ),
    "unstorable": (
        "{ill} of {of} pages cannot be stored",
        "`nachlese explain URL` says why; when it is mended: `nachlese retry`.",
    ),
    "pipeline": (
        "{ill} of {of} pages are lost in an item pipeline",
        "`nachlese explain URL` names it: it must return the item, or raise DropItem. Then: `nachlese retry`.",
    ),
}
NOT_FETCHED = "{ill} of {of} pages cannot be fetched ({answer})"
OTHERWISE_REJECTED = "{ill} of {of} pages are rejected ({answer})"
ANSWERS = {
    401: "The site wants a login: see [fetch] headers and cookies.",
    403: "The site refuses us: set `contact` and [fetch] user_agent, ask less often, or ask its owner.",
    429: "We ask too often: a longer [fetch] delay, a longer every.",
}
OTHERWISE = "Open one in a browser; `nachlese explain URL` says what was tried."


def of_pages(outcome: str, reason: str, status: int | None, ill: int, of: int) -> tuple[Wording, Wording]:
    """(what is wrong, what to do) about *ill* of *of* pages that end in *outcome* for *reason*."""
    counts: dict[str, str | float] = {"ill": ill, "of": of}
    if outcome == "rejected" and reason in REJECTED:
        says, advice = REJECTED[reason]
        return Wording(says, counts), Wording(advice)
    answer = f"HTTP {status}" if status and (outcome == "failed" or reason == "http_error") else reason
    text = NOT_FETCHED if outcome == "failed" else OTHERWISE_REJECTED
    return Wording(text, {**counts, "answer": answer}), Wording(ANSWERS.get(status or 0, OTHERWISE))
