"""What a probe has found on its way, as values: the site's first page, and the pages that were read."""

from __future__ import annotations

from dataclasses import dataclass

from crawler.downloader.errors import Failure
from crawler.probing.documents import Candidate
from crawler.probing.models import Survey
from pipelines.items import Article, Page, Reason


@dataclass(frozen=True)
class Home:
    """The first page. ``wall``: what stood before it, or why it did not come. ``given``: documents that were named."""

    homepage: str
    survey: Survey
    wall: Failure | None = None
    moved_to: str | None = None
    given: tuple[Candidate, ...] = ()


@dataclass(frozen=True)
class Sampled:
    """One page of the sample: the page where it came, the article where it is one, else why not."""

    url: str
    page: Page | None = None
    article: Article | None = None
    reason: Reason | None = None
    detail: str = ""
