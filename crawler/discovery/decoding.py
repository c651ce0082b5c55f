"""Bytes to text, and where in it the list begins. By hand where a pattern would look through the rest ever again."""

from __future__ import annotations

import re
import zlib

from crawler.discovery.models import DiscoveryError, ParseIssue, Problem
from pipelines.items import Rejected
from pipelines.reading.page import decode

#: so far a first element, or a list behind other output, is looked for
FAR = 200_000
#: documents have one document type; for the end of each the rest is looked through
MOST_DECLARATIONS = 20

_NAME = re.compile(r"<(?:[\w.-]{1,100}:)?([A-Za-z][\w.-]{0,100})")
_LIST = re.compile(r"<(?:[\w.-]{1,100}:)?(rss|rdf|feed|channel|urlset|sitemapindex)(?=[\s>/])", re.I)
_DECLARATION = re.compile(r"<\?xml\b[^<>]{0,200}\?>\s*\Z", re.I)


def unzipped(body: bytes, largest: int) -> tuple[bytes, list[Problem]]:
    """The content of a gzip file, as far as it is whole; anything else as it is. At most *largest* bytes come out."""
    if not body.startswith(b"\x1f\x8b"):
        if len(body) > largest:
            raise DiscoveryError(ParseIssue.TOO_LARGE, f"{len(body)} bytes, {largest} are allowed")
        return body, []
    pieces: list[bytes] = []
    room, rest = largest, body
    while rest.startswith(b"\x1f\x8b"):
        unpacker = zlib.decompressobj(wbits=31)
        try:
            piece = unpacker.decompress(rest, room + 1)
        except zlib.error as error:
            return b"".join(pieces), [Problem(ParseIssue.BROKEN, f"damaged gzip: {error}")]
        pieces.append(piece)
        room -= len(piece)
        if room < 0:
            raise DiscoveryError(ParseIssue.TOO_LARGE, f"more than {largest} bytes when unpacked")
        if not unpacker.eof:
            return b"".join(pieces), [Problem(ParseIssue.TRUNCATED, "the gzip file ends early")]
        rest = unpacker.unused_data
    return b"".join(pieces), []


def text_of(body: bytes, content_type: str) -> str:
    if len(body) > decode.LONGEST:  # only sitemaps are so large, and those are UTF-8
        return decode.clean(body.decode("utf-8", "replace"))
    charset = re.search(r"charset\s*=\s*[\"']?[\w.:-]+", content_type[:500], re.I)
    try:
        return decode.text_of(body, f"text/xml; {charset[0]}" if charset else "text/xml")
    except Rejected as error:
        known = {str(issue): issue for issue in ParseIssue}
        issue = known.get(str(error.reason), ParseIssue.UNDECODABLE)
        raise DiscoveryError(issue, error.detail or "the document has no text") from None


def first_element(text: str) -> tuple[str, int]:
    """(local name of the first element in lower case, where it begins); ("", 0) where there is none."""
    at = declarations = 0
    while 0 <= (at := text.find("<", at)) < FAR:
        if text.startswith("<!--", at):
            end = text.find("-->", at)
        elif text.startswith("<?", at):
            end = text.find("?>", at)
        elif text.startswith("<!", at):
            declarations += 1
            end = _end_of_doctype(text, at) if declarations <= MOST_DECLARATIONS else -1
        elif (match := _NAME.match(text, at)) is not None:
            return match[1].lower(), at
        else:
            end = at
        if end < 0:
            break
        at = end + 1
    return "", 0


def _end_of_doctype(text: str, at: int) -> int:
    """Where a declaration ends; an internal subset may have others in it."""
    end, bracket = text.find(">", at), text.find("[", at)
    if 0 <= bracket < end:
        closing = re.compile(r"\]\s{0,1000}>").search(text, bracket)
        return closing.end() - 1 if closing else end
    return end


def list_element(text: str, start: int, is_sure: bool) -> tuple[str, int] | None:
    """A list's first element behind other output, or None. Where that may be a page (not *is_sure*), only right
    behind an XML declaration."""
    for match in _LIST.finditer(text, start, start + FAR):
        if is_sure or _DECLARATION.search(text, max(0, match.start() - 300), match.start()):
            return match[1].lower(), match.start()
    return None
