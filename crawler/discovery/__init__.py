"""A feed, sitemap or section page -> links to articles. Pure: bytes in, values out; no network, no clock.

What a document is shows in its bytes, not in what the source file calls it: a sitemap listed under ``feeds`` is read
as a sitemap. A document that is none of all this raises ``DiscoveryError``, and so does one that has entries of which
not one has a link. One bad entry is a ``Problem`` beside the links of the others, and of a truncated or broken document
everything is used that can be read.

``look`` is what a reader process is asked for; everything that goes in or comes out can be pickled. What reads a
document is loaded when somebody first asks for it: the crawl itself, which never parses one, needs the values alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crawler.discovery.models import DiscoveryError, DiscoveryFailure, DiscoveryResult, Kind, ParseIssue, Problem

if TYPE_CHECKING:
    from crawler.discovery.document import look, read_document

__all__ = [
    "DiscoveryError",
    "DiscoveryFailure",
    "DiscoveryResult",
    "Kind",
    "ParseIssue",
    "Problem",
    "look",
    "read_document",
]


def __getattr__(name: str) -> Any:
    """PEP 562: called for a name that the module does not have yet."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from crawler.discovery import document

    return globals().setdefault(name, getattr(document, name))
