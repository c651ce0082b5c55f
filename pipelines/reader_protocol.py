"""What the crawl and its reader processes tell each other: tasks, limits and answers."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from types import UnionType
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from pipelines.items import Article, Reason
from pipelines.text_features import TextFeatures

if TYPE_CHECKING:
    from pydantic import TypeAdapter

READ = "pipelines.reading:read"
CONTINUES = "pipelines.reading.body.paging:continues_at"

# A busy machine is not the page's fault: what is limited is processor time, and by the clock a page gets this many
# times as much.
CLOCK_FACTOR = 3
LENGTH = struct.Struct("!Q")

T = TypeVar("T")


class ResourceLimit(NamedTuple):
    """What one task may take: seconds of processor time, seconds by the clock, bytes of memory."""

    seconds: float
    clock: float
    memory: int


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a reader says about one page: a result, or a reason. ``retire`` asks for a fresh reader in its place.

    ``features`` are those of a result that is an article.
    """

    result: T | None = None
    features: TextFeatures | None = None
    reason: Reason | None = None
    detail: str = ""
    retire: bool = False


@dataclass(frozen=True)
class Task(Generic[T]):
    """What readers can be asked for: a ``module:function``, and what it returns.

    *unless* is another function, which is asked first, of the same: what it finds is the answer.
    """

    function: str
    returns: type[T] | UnionType
    unless: str | None = None

    @cached_property
    def answer(self) -> TypeAdapter[Answer[T]]:
        """What checks an answer, for who asks."""
        from pydantic import TypeAdapter

        return TypeAdapter(Answer[self.returns])  # type: ignore[name-defined]  # known when it runs


READING = Task(READ, Article)
