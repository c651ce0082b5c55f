"""The tree of a page: parsed once, cut down where it is monstrous, and what everybody asks of its elements."""

from __future__ import annotations

from lxml import etree, html

from pipelines.items import Reason, Rejected

# The largest of a thousand real article pages has 10,000 elements; what is beyond these bounds would take minutes.
MOST_ELEMENTS, MOST_TEXT, MOST_ALIKE = 25_000, 1_500_000, 4_000

BLOCK_TAGS = frozenset(
    (
        "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt", "fieldset",
        "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li",
        "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
        "ul",
    )
)  # fmt: skip
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))

_INVISIBLE = ("\u00ad", "\u200b", "\u2060", "\ufeff")
# here and elsewhere the axis is spelled out where a condition follows: libxml2 shortens `.//p` to it only where none
# does, and else makes a set of all nodes first
LONG_PARAGRAPHS = etree.XPath("count(descendant::p[string-length() >= 80])")
_COUNT = etree.XPath("count(.//*)")


def parser() -> etree.HTMLParser:
    """A parser whose elements are all of one class, looked up in C: lxml.html asks a Python function for each of them,
    and trafilatura wants nothing but that class. Nor does it keep a table of ids, by which nobody looks for elements.
    """
    made = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False)
    made.set_element_class_lookup(etree.ElementDefaultClassLookup(element=html.HtmlElement))
    return made


def parse(page: str | bytes) -> html.HtmlElement:
    """The tree of a page (bytes: UTF-8), without comments and processing instructions.

    Raises Rejected(EMPTY) for no markup at all.
    """
    raw = page.encode("utf-8", "ignore") if isinstance(page, str) else page
    try:
        tree = html.document_fromstring(raw, parser=parser())
    except (etree.ParserError, etree.XMLSyntaxError) as error:
        raise Rejected(Reason.EMPTY, "no markup in it") from error
    if len(raw) > MOST_TEXT or int(_COUNT(tree)) > MOST_ELEMENTS:
        _bound(tree)
    return tree


def _bound(tree: etree._Element) -> None:
    """Cut a monstrous page down: first the links and lines it has by the thousand, then its end."""
    if int(_COUNT(tree)) > MOST_ELEMENTS:
        for tag in ("a", "li", "option", "tr", "h2", "h3"):
            for element in list(tree.iter(tag))[MOST_ALIKE:]:
                if (parent := element.getparent()) is not None:
                    parent.remove(element)
    length = 0
    last = None
    for elements, element in enumerate(tree.iter()):
        length += len(element.tail or "") + (len(element.text or "") if element.tag not in ("script", "style") else 0)
        if elements > MOST_ELEMENTS or length > MOST_TEXT:
            last = element
            break
    while last is not None:
        for sibling in list(last.itersiblings()):
            sibling.getparent().remove(sibling)
        last = last.getparent()


def one_line(text: str) -> str:
    """*text* with every run of blanks as one space, without the signs that only tell where a line may break."""
    if not text.isascii():
        for sign in _INVISIBLE:
            if sign in text:
                text = text.replace(sign, "")
    return " ".join(text.split())


def raw(element: etree._Element) -> str:
    """All text in an element as it stands there: what XPath's ``string()`` gives, in half of its time."""
    if not len(element):
        return element.text or ""
    return str(etree.tostring(element, method="text", encoding="unicode", with_tail=False))


def content(element: etree._Element) -> str:
    """The visible text of an element on one line, with a space where block elements meet."""
    if not len(element):
        return one_line(element.text or "")
    pieces: list[str] = []
    for event, node in etree.iterwalk(element, events=("start", "end")):
        if event == "start":
            if (node is not element and node.tag in BLOCK_TAGS) or node.tag == "br":
                pieces.append(" ")
            if node.text:
                pieces.append(node.text)
        elif node is not element:
            if node.tag in BLOCK_TAGS:
                pieces.append(" ")
            if node.tail:
                pieces.append(node.tail)
    return one_line("".join(pieces))


def link_length(element: etree._Element) -> int:
    return sum(len(raw(a).strip()) for a in element.iter("a"))


def delete(element: etree._Element) -> None:
    """Take an element out of its tree and leave the text that follows it."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail and (tail := element.tail.lstrip()):
        blank = "" if tail[0] in ",.;:!?)" else " "  # 'the report (hidden), which'
        before = element.getprevious()
        if before is not None:
            before.tail = f"{(before.tail or '').rstrip()}{blank}{tail}"
        else:
            parent.text = f"{(parent.text or '').rstrip()}{blank}{tail}"
    parent.remove(element)
