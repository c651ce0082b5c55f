"""When a stored article is looked at again: soon after publication, then rarer, until it is stable or old. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

STABLE_AFTER = timedelta(days=1)  # however often a younger article was found unchanged, it is looked at again


@dataclass(frozen=True, slots=True)
class RecheckPlan:
    """When stored articles are looked at again: ``[recheck]`` of settings.toml."""

    enabled: bool = True
    first: timedelta = timedelta(minutes=30)
    longest: timedelta = timedelta(days=3)
    until: timedelta = timedelta(days=14)  # what changes later than that is not news any more
    unchanged: int = 5  # rechecks in a row without a change, once the article is STABLE_AFTER old

    def next_check(
        self, first_seen_at: datetime, published_at: datetime | None, fetched_at: datetime, unchanged: int = 0
    ) -> datetime | None:
        """The time of the next recheck after a fetch at *fetched_at*, or None: no more.

        *unchanged* is the number of rechecks in a row that found nothing new; each one makes the next one rarer.
        """
        since = min(first_seen_at, published_at or first_seen_at)
        age = max(fetched_at - since, timedelta(0))
        if not self.enabled or age > self.until or (unchanged >= self.unchanged and age > STABLE_AFTER):
            return None
        gap = max(self.first, age / 2) * (1 + unchanged)
        return fetched_at + min(gap, self.longest)


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
