"""When a stored article is looked at again: soon after publication, then rarer, until it is stable or old. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

SOONEST = timedelta(minutes=30)
LATEST = timedelta(days=3)
OLD = timedelta(days=14)  # what changes later than that is not news any more
STABLE = 5  # rechecks in a row without a change ...
STABLE_AFTER = timedelta(days=1)  # ... once the article is this old


def next_check(first_seen_at: datetime, published_at: datetime | None, fetched_at: datetime, unchanged: int = 0) -> (
    datetime | None
):  # fmt: skip
    """The time of the next recheck after a fetch at *fetched_at*, or None: no more.

    *unchanged* is the number of rechecks in a row that found nothing new; each one makes the next one rarer.
    """
    since = min(first_seen_at, published_at or first_seen_at)
    age = max(fetched_at - since, timedelta(0))
    if age > OLD or (unchanged >= STABLE and age > STABLE_AFTER):
        return None
    gap = max(SOONEST, age / 2) * (1 + unchanged)
    return fetched_at + min(gap, LATEST)


# A page that is gone may be back: taken down by mistake, or while a lawyer looked at it. Each look costs one request.
LOOKS_AT_GONE = (timedelta(hours=1), timedelta(days=1), timedelta(days=3), timedelta(days=10))


def next_look(looks: int) -> timedelta | None:
    """How long after the *looks*-th look (1, 2 ...) that found a page gone the next one is, or None: no more."""
    return LOOKS_AT_GONE[looks - 1] if looks <= len(LOOKS_AT_GONE) else None


MAX_ATTEMPTS = 8  # the waits below add up to more than a day: longer than most sites are down


def backoff(attempts: int, spread: float) -> timedelta:
    """How long a page waits after its *attempts*-th failed attempt: 1, 4, 16 minutes, 1, 4, 12 hours, and again 12.

    *spread* between 0 and 1, different for each page, makes up to half as much again: pages that failed together do not
    come back together.
    """
    minutes = min(4.0 ** (max(attempts, 1) - 1), 12 * 60.0)
    return timedelta(minutes=minutes * (1 + spread / 2))
