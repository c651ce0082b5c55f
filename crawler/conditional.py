"""Whether a 304 is believed: when a full look is due, and what it says about the server. Pure.

Some servers answer "not modified" for ever. A full look right after a 304 tells: what it shows is what was known, or
the 304 was not true. A server that was caught once is asked unconditionally from then on.
"""

from __future__ import annotations

from dataclasses import replace

from crawler.discovery import DiscoveryResult
from pipelines.store import Document, DocumentState

#: the first full look comes after so many 304s in a row; each that showed what was known doubles the number, up to ...
FIRST_FULL_LOOK = 4
RAREST_FULL_LOOK = 20
#: where another document of the source names new pages, a 304 is so many times less believable
SUSPICION = 4


def full_look_is_due(not_modified_in_a_row: int, confirmed: int, is_suspicious: bool = False) -> bool:
    """Whether a document is asked for in full right after its latest 304, which counts.

    *confirmed*: how many full looks have shown what was known; *is_suspicious*: another document of the source has just
    named pages that are new.
    """
    after: int = min(FIRST_FULL_LOOK * 2 ** min(confirmed, 10), RAREST_FULL_LOOK)
    return not_modified_in_a_row >= (max(1, after // SUSPICION) if is_suspicious else after)


def judged(document: Document, found: DiscoveryResult, state: DocumentState, is_suspicious: bool = False) -> Document:
    """*document*, the answer to a full look right after a 304, with what it says about the server."""
    if document.error is not None or not state.digest or not found.digest:
        return document
    if found.digest == state.digest:
        return replace(document, confirmed=True)
    why = "another document of the source named new pages" if is_suspicious else "a full look showed other entries"
    return replace(document, distrusted=f"it said 304 Not Modified, but {why}")
