"""What the spiders share: a run that belongs to them, and arguments that are checked."""

from __future__ import annotations

from typing import Any, ClassVar

from scrapy import Spider
from scrapy.crawler import Crawler

from crawler.config import Configuration, nearest
from crawler.frontier import Frontier
from crawler.services import Services
from pipelines.reading.rules import Rules


class ArgumentError(ValueError):
    """A spider argument that there is not, or that cannot have this value. The message is for a person."""


class RunSpider(Spider):
    """A spider with a run. RunExtension opens it before ``start``, and ends it.

    ``ARGUMENTS`` are the names that ``-a NAME=VALUE`` may have, each with what it does. A subclass that takes one of
    its own names it there, or takes it in its ``__init__``.
    """

    ARGUMENTS: ClassVar[dict[str, str]] = {}
    #: false where nothing is stored, so that there is no run to open
    is_run: ClassVar[bool] = True
    configuration: Configuration
    #: set when the run is opened; there is none where a command stores nothing
    frontier: Frontier
    services: Services
    rules: Rules

    def __init__(self, name: str | None = None, **arguments: Any):
        known = self.arguments()
        for argument in arguments:
            if argument not in known:
                listed = "; ".join(f"{name}: {what}" for name, what in known.items()) or "none"
                said = f"there is no spider argument {argument!r}{nearest(argument, list(known))}. There are: {listed}"
                raise ArgumentError(said)
        super().__init__(name, **arguments)

    @classmethod
    def arguments(cls) -> dict[str, str]:
        """The arguments of the class and of those that it comes from."""
        tables = [base.__dict__.get("ARGUMENTS", {}) for base in reversed(cls.__mro__)]
        return {name: what for table in tables for name, what in table.items()}

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> RunSpider:
        return super().from_crawler(crawler, *args, **kwargs)

    @property
    def run_source(self) -> str | None:
        """The source whose run this is; None where stored pages of several are read."""
        return self.name

    def look(self) -> bool:
        """Look for more while the run goes on; False where there is nothing to look at."""
        return False
