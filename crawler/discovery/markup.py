"""XML that is nearly well-formed, made so that a strict parser can read it; and its elements one at a time."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator

from lxml import etree

from crawler.discovery.models import ParseIssue, Problem

XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
#: what a prefix means that is used without having been declared; any other means nothing that is known here
USUAL_PREFIXES = {
    "atom": "http://www.w3.org/2005/Atom",
    "a10": "http://www.w3.org/2005/Atom",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rss": "http://purl.org/rss/1.0/",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "media": "http://search.yahoo.com/mrss/",
    "news": "http://www.google.com/schemas/sitemap-news/0.9",
    "image": "http://www.google.com/schemas/sitemap-image/1.1",
    "video": "http://www.google.com/schemas/sitemap-video/1.1",
    "xhtml": "http://www.w3.org/1999/xhtml",
}
#: prefixes of one document that are declared for it
MOST_PREFIXES = 100


def prepared(text: str, head: str, item: str) -> tuple[str, list[Problem]]:
    """*text*, which begins with its first element, so that a strict XML parser can read it where little is wrong.

    Of the *head* before it, simple entities are put in. HTML's named entities and bare ampersands are mended, prefixes
    that were not declared are, and what is missing at the end is cut back to the last whole *item* and closed.
    """
    entities = dict(re.findall(r"<!ENTITY\s{1,100}(\w{1,100})\s{1,100}[\"']([^\"'&%<]{0,500})[\"']", head)[:100])
    problems = []
    match = re.match(r"<((?:[\w.-]{1,100}:)?[A-Za-z][\w.-]{0,100})", text)
    root = match[1] if match else ""
    ends = [end.start() for end in re.finditer(f"</{re.escape(root)}(?=[\\s>]|\\Z)", text, re.I)]
    if not ends:
        problems.append(Problem(ParseIssue.TRUNCATED, f"the document ends before </{root}>"))
        text = closed(text, root, item)
    else:
        text = text[: ends[-1]] + f"</{root}>"
    if "&" in text:
        text = "".join(piece if is_cdata else mended(piece, entities) for is_cdata, piece in cdata_split(text))
    return declared(text, root), problems


def declared(text: str, root: str) -> str:
    """*text* with a declaration in its first tag for every prefix that the tag uses or leaves undeclared."""
    end = text.find(">")
    if end < 0:
        return text
    first = text[:end]
    stated = set(re.findall(r"\bxmlns:([\w.-]{1,100})\s{0,100}=", first))
    used = dict.fromkeys(re.findall(r"</?([A-Za-z_][\w.-]{0,100}):(?=[A-Za-z_])", text))
    used |= dict.fromkeys(re.findall(r"\s([A-Za-z_][\w.-]{0,100}):[\w.-]{1,100}=[\"']", text))
    missing = [prefix for prefix in used if prefix not in stated and prefix.lower() not in ("xml", "xmlns")]
    uris = {prefix: USUAL_PREFIXES.get(prefix.lower(), f"urn:undeclared:{prefix}") for prefix in missing}
    said = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in list(uris.items())[:MOST_PREFIXES])
    behind = len(root) + 1
    return text[:behind] + said + text[behind:]


def cdata_split(text: str) -> Iterator[tuple[bool, str]]:
    """(is CDATA, piece). By hand: a pattern would look for the end of each of a million unclosed sections anew."""
    at = 0
    while (begin := text.find("<![CDATA[", at)) >= 0 and (end := text.find("]]>", begin)) >= 0:
        yield False, text[at:begin]
        yield True, text[begin : end + 3]
        at = end + 3
    yield False, text[at:]


def closed(text: str, root: str, item: str) -> str:
    ends = list(re.finditer(rf"</(?:[\w.-]{{1,100}}:)?{item}\s{{0,100}}>", text, re.I))
    if not ends:
        return text + f"</{root}>"
    channel = re.search(r"<((?:[\w.-]{1,100}:)?channel)\b", text, re.I) if root.lower().endswith("rss") else None
    inner = f"</{channel[1]}>" if channel else ""
    return f"{text[: ends[-1].end()]}{inner}</{root}>"


def mended(text: str, entities: dict[str, str]) -> str:
    def mend(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return "&amp;"
        if name in ("amp", "lt", "gt", "quot", "apos"):
            return match[0]
        if name.startswith("#"):
            character = html.unescape(match[0])
            return match[0] if len(character) == 1 and (character in "\t\n\r" or character >= " ") else ""
        if name in entities:
            return html.escape(entities[name])
        known = html.unescape(match[0])
        return f"&amp;{name};" if known == match[0] else html.escape(known)

    return re.sub(r"&(?:(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|\w{1,40});)?", mend, text)


def spelling(text: str, items: str) -> tuple[str, ...]:
    """The tags for ``elements`` by which *text* names its *items* (alternatives of a pattern), in any case."""
    found = re.findall(rf"<(?:[\w.-]{{1,100}}:)?({items})(?=[\s>/])", text, re.I)
    return tuple(f"{{*}}{name}" for name in dict.fromkeys(found)) or (f"{{*}}{items.partition('|')[0]}",)


def count_of(text: str, item: str) -> int:
    return sum(1 for _ in re.finditer(rf"<(?:[\w.-]{{1,100}}:)?{item}(?=[\s>/])", text, re.I))


def elements(text: str, tags: tuple[str, ...], recover: bool = False) -> Iterator[etree._Element]:
    """Every element of *tags*, one at a time, so that a large document is never a tree. Raise ``XMLSyntaxError``."""
    events = etree.iterparse(
        io.BytesIO(text.encode("utf-8", "ignore")),
        events=("end",),
        tag=tags,
        recover=recover,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    for _, element in events:
        yield element
        element.clear(keep_tail=False)
        while element.getprevious() is not None:
            del element.getparent()[0]


def name_of(tag: str) -> tuple[str, str]:
    """(namespace, local name), both in lower case. By hand: an undeclared prefix is part of the tag, which lxml's own
    names refuse; what it usually means is its namespace."""
    space, brace, name = tag.rpartition("}")
    prefix, colon, local = name.rpartition(":")
    if colon and not brace:
        space = USUAL_PREFIXES.get(prefix.lower(), f"urn:undeclared:{prefix}")
    return space.removeprefix("{").lower(), local.lower()


def children(element: etree._Element) -> Iterator[tuple[str, str, etree._Element]]:
    """(namespace, local name, child), names in lower case."""
    for child in element:
        if isinstance(child.tag, str):
            yield (*name_of(child.tag), child)


def attribute(element: etree._Element, name: str) -> str | None:
    """An attribute by its local name, whatever its case and prefix; "" counts as none."""
    value = element.get(name)
    if value is None:
        value = next((value for key, value in element.attrib.items() if name_of(key)[1] == name), None)
    return (value or "").strip() or None


def words_of(element: etree._Element) -> str:
    if len(element) == 0:
        return (element.text or "").strip()
    for line in element.iter("{*}br"):
        line.text = "\n"
    return str(etree.tostring(element, method="text", encoding="unicode", with_tail=False)).strip()
