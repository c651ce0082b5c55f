"""Rewrites a page in ways that leave the article as it is: other names, other tags, other furniture around it.

``REWRITINGS`` maps a name to a function that changes a page's tree in place, or its markup when it is written again.
Everything is decided by a ``Random`` seeded with page and rewriting, so a page is always rewritten in the same way.
The truth of a page is used only to find out where its text stands.
"""

# ruff: noqa: E501 - sentences stay on their lines
from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from random import Random
from typing import Any

from lxml import etree, html

from pipelines.reading.page import decode

Element = etree._Element


@dataclass(slots=True)
class Draft:
    """A page that is being rewritten, and the sentences that were put in and are not of its article."""

    doc: dict[str, Any]
    tree: Element
    random: Random
    foreign: list[str] = field(default_factory=list)
    finish: Callable[[str], str | bytes] = str  # what is done to the markup when it is written

    @property
    def body(self) -> Element:
        found = self.tree.find("body")
        return self.tree if found is None else found

    @property
    def is_german(self) -> bool:
        return self.doc.get("language") == "de"


def rewritten(doc: dict[str, Any], page: bytes | str, name: str) -> tuple[str | bytes, tuple[str, ...]] | None:
    """The page in the way called *name*, and the foreign sentences that stand in it now; None where nothing changed."""
    text = page if isinstance(page, str) else decode.text_of(page, "text/html")
    parser = html.HTMLParser(encoding="utf-8")
    tree = html.document_fromstring(text.encode("utf-8", "ignore"), parser=parser)
    draft = Draft(doc, tree, Random(f"{doc['id']} {name}"))
    before = _written(tree) if name != CONTROL else None
    REWRITINGS[name](draft)
    after = _written(tree)
    done = draft.finish(after)
    return None if done == before else (done, tuple(draft.foreign))


def _written(tree: Element) -> str:
    return etree.tostring(tree, encoding="unicode", method="html", doctype="<!DOCTYPE html>")


# -- where the article stands ------------------------------------------------------------------------------------------

_BLOCKS = frozenset(("article", "aside", "blockquote", "body", "dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form",
                     "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li", "main", "nav", "ol", "p", "pre",
                     "section", "table", "tbody", "td", "th", "tr", "ul"))  # fmt: skip
_LETTERS = re.compile(r"[\W_]+")


def _plain(text: str) -> str:
    return _LETTERS.sub("", text.casefold())


def _words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def paragraphs(draft: Draft) -> list[Element]:
    """The paragraphs of the article, as far as its truth tells: in the text, or in the element most of the text is in."""
    found = [p for p in draft.body.iter("p") if len(_words(p)) >= 60]
    truth = _plain(draft.doc.get("text") or "")
    if truth:
        return [p for p in found if _plain(_words(p))[:40] in truth]
    core = _holder(draft, found)
    return [] if core is None else [p for p in found if core in p.iterancestors()]


def _holder(draft: Draft, found: list[Element]) -> Element | None:
    """The innermost element with two thirds of the length of *found*."""
    masses: dict[Element, int] = {}
    for p in found:
        for above in p.iterancestors():
            masses[above] = masses.get(above, 0) + len(_words(p))
    if not masses or draft.body not in masses:
        return None
    core, least = draft.body, masses[draft.body] * 2 // 3
    while (inner := next((child for child in core if masses.get(child, 0) >= least), None)) is not None:
        core = inner
    return core


def rows(draft: Draft) -> list[Element]:
    """The children of the article's container in which its paragraphs stand: a block put behind one is between them."""
    found = paragraphs(draft)
    core = _holder(draft, found)
    if core is None:
        return []
    inside = {above for p in found for above in (p, *p.iterancestors())}
    return [child for child in core if child in inside]


# -- names -------------------------------------------------------------------------------------------------------------


def _hash(draft: Draft, name: str, length: int = 6) -> str:
    digest = hashlib.sha256(f"{draft.doc['id']} {name}".encode()).hexdigest()
    return "".join(
        "abcdefghijklmnopqrstuvwxyz0123456789"[int(digest[n : n + 2], 16) % 36] for n in range(0, 2 * length, 2)
    )


def _rename(draft: Draft, changed: Callable[[str], str]) -> None:
    for element in draft.tree.iter(etree.Element):
        for key in ("class", "id"):
            if names := element.get(key):
                element.set(key, " ".join(map(changed, names.split())))


def names_hashed(draft: Draft) -> None:
    """Every class and id is a hash, as build tools write them."""
    style = draft.random.choice(("css-{}", "sc-{}", "_{}", "{}"))
    _rename(draft, lambda name: style.format(_hash(draft, name)))


def names_half_hashed(draft: Draft) -> None:
    """Half of the class names and ids are hashes."""
    _rename(draft, lambda name: f"c{_hash(draft, name)}" if int(_hash(draft, name, 8), 36) % 2 else name)


def names_of_modules(draft: Draft) -> None:
    """Every name is one of a CSS module: the component's, its own in capitals, a hash."""
    component = draft.random.choice(("Article", "Page", "Story", "Layout"))

    def changed(name: str) -> str:
        parts = [part for part in re.split(r"[^A-Za-z0-9]+", name) if part]
        camel = "".join([part.lower() if n == 0 else part.capitalize() for n, part in enumerate(parts)])
        return f"{component}_{camel}__{_hash(draft, name, 5)}"

    _rename(draft, changed)


# -- what the page says of itself --------------------------------------------------------------------------------------

_MICRODATA = (
    "itemprop",
    "itemscope",
    "itemtype",
    "itemid",
    "itemref",
    "rel",
    "property",
    "typeof",
    "datatype",
    "vocab",
)


def _drop(elements: Iterator[Element] | list[Element]) -> None:
    for element in list(elements):
        element.drop_tree()


def without_json_ld(draft: Draft) -> None:
    """No JSON-LD."""
    _drop(each for each in draft.tree.iter("script") if "ld+json" in (each.get("type") or ""))


def without_meta(draft: Draft) -> None:
    """No OpenGraph and no meta but the encoding."""
    _drop(each for each in draft.tree.iter("meta") if each.get("charset") is None and each.get("http-equiv") is None)


def without_microdata(draft: Draft) -> None:
    """No itemprop, rel, RDFa attributes."""
    for element in draft.body.iter(etree.Element):
        for key in _MICRODATA:
            element.attrib.pop(key, None)


def without_any_data(draft: Draft) -> None:
    """No JSON-LD, no meta, no microdata, no datetime of a <time>."""
    without_json_ld(draft)
    without_meta(draft)
    without_microdata(draft)
    for element in draft.body.iter("time"):
        element.attrib.pop("datetime", None)


# -- tags --------------------------------------------------------------------------------------------------------------

_SEMANTIC = ("article", "section", "main", "header", "aside", "figure", "nav", "footer", "hgroup")


def semantic_to_div(draft: Draft) -> None:
    """article, section, main, header, aside, figure, nav, footer are div; figcaption is div, time is span."""
    for element in draft.body.iter(*_SEMANTIC, "figcaption"):
        element.tag = "div"
    for element in draft.body.iter("time"):
        element.tag = "span"
        element.attrib.pop("datetime", None)


def paragraphs_to_div(draft: Draft) -> None:
    """Every p is a div."""
    for element in draft.body.iter("p"):
        element.tag = "div"


def breaks(draft: Draft) -> None:
    """Paragraphs in a row are one div, parted by two line breaks."""
    for first in list(draft.body.iter("p")):
        if first.getparent() is None or first.tag != "p" or not _words(first):
            continue
        first.tag = "div"
        while (after := first.getnext()) is not None and after.tag == "p" and not (first.tail or "").strip():
            tail = after.tail
            first.append(etree.Element("br"))
            last = etree.SubElement(first, "br")
            last.tail = after.text
            first.extend(list(after))
            after.getparent().remove(after)
            first.tail = tail


def wrappers(draft: Draft) -> None:
    """The body, the article's container and every second paragraph lie in divs more."""
    for element in [draft.body, *{row.getparent() for row in rows(draft)}]:
        inner = _wrapped(element)
        _wrapped(inner)
    for p in list(draft.body.iter("p"))[::2]:
        around = etree.Element("div")
        p.addprevious(around)
        around.tail, p.tail = p.tail, None
        around.append(p)


def _wrapped(element: Element) -> Element:
    inner = etree.Element("div")
    inner.text, element.text = element.text, None
    inner.extend(list(element))
    element.append(inner)
    return inner


def rows_in_divs(draft: Draft) -> None:
    """Each paragraph of the article in two divs of its own, as editors with blocks write them."""
    for row in rows(draft):
        outer = etree.Element("div", {"class": _hash(draft, "row")})
        inner = etree.SubElement(outer, "div", {"class": _hash(draft, "cell")})
        row.addprevious(outer)
        outer.tail, row.tail = row.tail, None
        inner.append(row)


def parts(draft: Draft) -> None:
    """The article in sections of three paragraphs, an empty place for advertising between them."""
    found = rows(draft)
    for start in range(0, len(found), 3):
        first, last = found[start], found[min(start + 2, len(found) - 1)]
        section = etree.Element("section", {"class": _hash(draft, "part")})
        first.addprevious(section)
        while (after := section.getnext()) is not None:
            section.append(after)
            if after is last:
                break
        slot = etree.Element("div", {"class": _hash(draft, "slot")})
        slot.append(etree.Element("div", {"id": _hash(draft, f"slot {start}")}))
        section.addnext(slot)


# -- foreign blocks ----------------------------------------------------------------------------------------------------

_TEASERS = {
    True: (
        ("Feuerwehr Oberwiesental rückt nachts dreimal aus", "Zwei Fehlalarme, ein brennender Holzstapel: So lief die Nacht für die Helfer."),
        ("Warum das Hallenbad im Süden der Stadt teurer wird", "Der Stadtrat hat über neue Preise beraten. Ab Januar zahlen Familien mehr."),
        ("Bäckerei Lindner schließt nach neunzig Jahren", "Die Enkelin des Gründers findet keinen Nachfolger für den Betrieb."),
        ("Neue Buslinie verbindet Klinikum und Hafen", "Alle zwanzig Minuten fährt künftig ein Bus über die Ringstraße."),
        ("Handballerinnen gewinnen das Derby in letzter Sekunde", "Ein Wurf aus elf Metern entscheidet vor 900 Zuschauern die Partie."),
        ("Was Mieter über die Abrechnung der Heizkosten wissen sollten", "Drei Punkte, an denen sich ein zweiter Blick in die Unterlagen lohnt."),
    ),
    False: (
        ("Fire crews called out three times overnight", "Two false alarms and one burning woodpile: how the night went for the volunteers."),
        ("Why the indoor pool is about to cost more", "Councillors have debated new prices. Families will pay more from January."),
        ("Village bakery closes its doors after ninety years", "The founder's granddaughter could not find anybody to take over."),
        ("New bus route links the hospital with the harbour", "A bus will run along the ring road every twenty minutes."),
        ("Last-second goal decides a thrilling derby", "A shot from eleven metres settles the game in front of 900 fans."),
        ("What tenants should know about their heating bill", "Three points at which a second look at the papers pays off."),
    ),
}  # fmt: skip
_TEASER_HEADS = {
    True: ("Was heute sonst geschah", "Aus der Nachbarschaft", "Von unserer Redaktion ausgesucht", "Für Sie notiert", "Im Blickpunkt"),
    False: ("Elsewhere on the site today", "Around the county", "Picked by our editors", "What people are talking about", "In focus"),
}  # fmt: skip
_LETTER = {
    True: ("Die Lage am Abend", "Was heute wichtig war, schicken wir Ihnen um 18 Uhr aufs Handy oder ins Postfach. Kostet nichts, endet jederzeit.", "Ihre E-Mail-Adresse", "Her damit"),
    False: ("The evening edition", "We send you what mattered today at six o'clock, straight to your inbox. It costs nothing and ends whenever you like.", "Your e-mail address", "Send it to me"),
}  # fmt: skip
_BANNER = {
    True: ("Auf dieser Seite legen wir kleine Dateien auf Ihrem Gerät ab.", "Manche sind nötig, damit die Seite läuft, andere zeigen uns, welche Texte gelesen werden. Sie bestimmen, was erlaubt ist.", "Einverstanden", "Nur das Nötigste"),
    False: ("This site stores small files on your device.", "Some are needed for the site to work, others show us which stories are read. It is up to you what we may keep.", "Fine with me", "Essentials only"),
}  # fmt: skip
_COMMENTS = {
    True: (
        ("rheinpirat59", "Genau so ist es, und das schon seit Jahren. Bei uns im Ort wartet man auch vergeblich auf eine Antwort der Verwaltung."),
        ("Ute K.", "Danke für den Beitrag! Ich frage mich nur, wer am Ende die Zeche zahlen soll."),
        ("Moselfreund", "@Ute K. Na wer wohl, wir alle natürlich. Meine Tochter hat das neulich selbst erlebt."),
        ("H. Brandner", "Ich kann die Aufregung nicht verstehen, früher war das doch völlig normal."),
    ),
    False: (
        ("riverpirate59", "Spot on, and it has been like this for years. Our village is still waiting for an answer from the council as well."),
        ("Hazel K.", "Thanks for writing this! I just wonder who is going to foot the bill in the end."),
        ("dalesman", "@Hazel K. Who do you think, all of us of course. My daughter went through the same thing recently."),
        ("H. Brander", "I don't get what the fuss is about, this used to be perfectly normal."),
    ),
}  # fmt: skip
_COMMENT_WORDS = {
    True: ("vor 3 Std.", "Darauf antworten", "4 Stimmen aus der Leserschaft"),
    False: ("3 hrs ago", "Answer this", "4 voices from our readers"),
}
_WRITER = {
    True: ("Lena Hartwig", "Lena Hartwig, Jahrgang 1984, hat in Leipzig studiert und schreibt seit 2016 über Wirtschaft und Verkehr. Am liebsten ist sie mit dem Rad unterwegs.", "Alle Texte der Autorin"),
    False: ("Lena Hartwick", "Lena Hartwick studied in Leeds and has been writing about business and transport since 2016. She likes to travel by bike.", "Everything by this writer"),
}  # fmt: skip
_APPEAL = {
    True: ("Unabhängige Berichte kosten Geld.", "Wenn Ihnen unsere Arbeit etwas wert ist, geben Sie uns fünf Euro im Monat. So bleibt sie für alle lesbar."),
    False: ("Independent reporting costs money.", "If our work is worth something to you, give us five pounds a month. That keeps it free to read for everybody."),
}  # fmt: skip
_DIGEST = {
    True: ("In aller Kürze", ("Die wichtigsten Angaben stehen gleich am Anfang.", "Fachleute sind sich noch uneins.", "Eine Entscheidung fällt im Herbst.")),
    False: ("The gist", ("The main facts come right at the beginning.", "Experts still disagree.", "A decision is due in autumn.")),
}  # fmt: skip


def _new(draft: Draft, markup: str, sentences: list[str]) -> Element:
    """A block of ours, its names hashed; *sentences* of it must not be in the article."""
    draft.foreign += sentences
    made = html.fragment_fromstring(markup)
    for element in made.iter(etree.Element):
        if name := element.get("class"):
            element.set("class", f"css-{_hash(draft, name)}")
    return made


def _behind(draft: Draft, block: Element, where: str) -> None:
    """Put a block in the *middle* or at the *end* of the article's container, or *below* it."""
    found = rows(draft)
    if not found:
        draft.foreign.clear()
        return
    place = found[(len(found) - 1) // 2] if where == "middle" else found[-1]
    if where == "below" and place.getparent() is not draft.body:
        place = place.getparent()
    tail, place.tail = place.tail, None
    place.addnext(block)
    block.tail = tail


def _teasers(draft: Draft, count: int, with_text: bool) -> Element:
    german = draft.is_german
    chosen = draft.random.sample(_TEASERS[german], count)
    head = draft.random.choice(_TEASER_HEADS[german])
    items = "".join(
        f"<div class=item><a href='/{_hash(draft, title)}'><img src=/{n}.jpg alt=''><h3>{title}</h3></a>"
        f"{f'<p>{text}</p>' if with_text else ''}</div>"
        for n, (title, text) in enumerate(chosen)
    )
    tag = draft.random.choice(("div", "section"))
    sentences = [title for title, _ in chosen] + ([text for _, text in chosen] if with_text else [])
    return _new(draft, f"<{tag} class=box><h2 class=boxhead>{head}</h2>{items}</{tag}>", [head, *sentences])


def teasers_in_the_middle(draft: Draft) -> None:
    """Three headlines of other articles, with a sentence each, between two paragraphs."""
    _behind(draft, _teasers(draft, 3, with_text=True), "middle")


def teasers_at_the_end(draft: Draft) -> None:
    """Five of them behind the last paragraph."""
    _behind(draft, _teasers(draft, 5, with_text=True), "end")


def one_teaser_between(draft: Draft) -> None:
    """One linked line between two paragraphs, as a p."""
    title, _ = draft.random.choice(_TEASERS[draft.is_german])
    word = draft.random.choice(
        ("Dazu passt", "Hintergrund", "Lesen hilft") if draft.is_german else ("Background", "Worth a look", "Earlier")
    )
    block = _new(draft, f"<p><strong>{word}:</strong> <a href='/{_hash(draft, title)}'>{title}</a></p>", [title])
    _behind(draft, block, "middle")


def newsletter_box(draft: Draft) -> None:
    """A box that offers a newsletter, in the middle or at the end."""
    head, text, field_, button = _LETTER[draft.is_german]
    form = f"<form><input type=email placeholder='{field_}'><button>{button}</button></form>"
    block = _new(draft, f"<div class=letter><h3>{head}</h3><p>{text}</p>{form}</div>", [head, text])
    _behind(draft, block, draft.random.choice(("middle", "end")))


def cookie_banner(draft: Draft) -> None:
    """A banner about cookies as the first or last thing of the page."""
    head, text, yes, no = _BANNER[draft.is_german]
    block = _new(
        draft,
        f"<div class=layer><div><h2>{head}</h2><p>{text}</p><button>{yes}</button><a href=#>{no}</a></div></div>",
        [head, text],
    )
    draft.body.insert(draft.random.choice((0, len(draft.body))), block)


def comments_below(draft: Draft) -> None:
    """What readers say, below the article."""
    ago, answer, head = _COMMENT_WORDS[draft.is_german]
    said = _COMMENTS[draft.is_german]
    items = "".join(
        f"<div class=one><div class=who><b>{name}</b> <span>{ago}</span></div><p>{text}</p><a href=#>{answer}</a></div>"
        for name, text in said
    )
    block = _new(draft, f"<div class=voices><h3>{head}</h3>{items}</div>", [head, *(text for _, text in said)])
    _behind(draft, block, draft.random.choice(("end", "below")))


def about_the_writer(draft: Draft) -> None:
    """A portrait of the writer behind the last paragraph, without a heading that says so."""
    name, text, link = _WRITER[draft.is_german]
    block = _new(
        draft, f"<div class=writer><img src=/p.jpg alt='{name}'><p>{text}</p><a href=/w>{link}</a></div>", [text, link]
    )
    _behind(draft, block, "end")


def appeal(draft: Draft) -> None:
    """An appeal for support in the middle or at the end."""
    head, text = _APPEAL[draft.is_german]
    block = _new(
        draft,
        f"<div class=appeal><p><strong>{head}</strong> {text}</p><a href=/give class=go>{'Jetzt geben' if draft.is_german else 'Give now'}</a></div>",
        [text],
    )
    _behind(draft, block, draft.random.choice(("middle", "end")))


def digest_before(draft: Draft) -> None:
    """A machine's summary as a list before the first paragraph."""
    head, lines = _DIGEST[draft.is_german]
    items = "".join(f"<li>{line}</li>" for line in lines)
    block = _new(
        draft,
        f"<div class=digest><h3>{head}</h3><ul>{items}</ul><small>{'Erstellt mit KI' if draft.is_german else 'Made with AI'}</small></div>",
        list(lines),
    )
    if found := rows(draft):
        found[0].addprevious(block)
    else:
        draft.foreign.clear()


# -- how it is written -------------------------------------------------------------------------------------------------

_RAW = re.compile(r"(<(script|style|pre|textarea)\b.*?</\2\s*>)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)((?:\s+[^\s=>\"'/]+(?:=(?:\"[^\"]*\"|'[^']*'|[^\s>]+))?)*)\s*(/?)>")
_ATTRIBUTE = re.compile(r"(\s+[^\s=>\"'/]+)=\"([^\"']*)\"")


def _between_raw(markup: str, changed: Callable[[str], str]) -> str:
    """*markup* with everything changed but scripts and preformatted text."""
    pieces = _RAW.split(markup)  # text, raw, its tag, text, ...
    return "".join(changed(piece) if n % 3 == 0 else piece if n % 3 == 1 else "" for n, piece in enumerate(pieces))


def minified(draft: Draft) -> None:
    """No blanks between blocks, attributes without quotes where that is allowed."""

    def unquoted(found: re.Match[str]) -> str:
        return (
            f"{found[1]}={found[2]}"
            if re.fullmatch(r"[\w.:/-]+", found[2]) and not found[2].endswith("/")
            else found[0]
        )

    def short(piece: str) -> str:
        names = "|".join(_BLOCKS)
        piece = re.sub(rf"\s+(?=</?(?:{names})\b)", "", re.sub(rf"(</?(?:{names})\b[^<>]*>)\s+", r"\1", piece))
        return _TAG.sub(lambda tag: f"<{tag[1]}{tag[2]}{_ATTRIBUTE.sub(unquoted, tag[3])}>", re.sub(r"\s+", " ", piece))

    draft.finish = lambda markup: _between_raw(markup, short)


def pretty_printed(draft: Draft) -> None:
    """Every block on a line of its own, its text broken after eighty characters."""

    def lines(piece: str) -> str:
        piece = re.sub(rf"(</?(?:{'|'.join(_BLOCKS)})\b[^<>]*>)", r"\n    \1\n\t\t", piece)
        return re.sub(r"([^<>\n]{60,80}) (?=[^<>]*<)", r"\1\r\n            ", piece)

    draft.finish = lambda markup: _between_raw(markup, lines)


def capitals(draft: Draft) -> None:
    """Tags in capitals, attributes in single quotes."""

    def loud(tag: re.Match[str]) -> str:
        return f"<{tag[1]}{tag[2].upper()}{_ATTRIBUTE.sub(single, tag[3])}{tag[4]}>"

    def single(found: re.Match[str]) -> str:
        return f"{found[1]}='{found[2]}'" if "'" not in found[2] else found[0]

    draft.finish = lambda markup: _between_raw(markup, lambda piece: _TAG.sub(loud, piece))


def _without_charset(draft: Draft) -> None:
    _drop(each for each in draft.tree.iter("meta")
          if each.get("charset") is not None or (each.get("http-equiv") or "").lower() == "content-type")  # fmt: skip


def cp1252_declared(draft: Draft) -> None:
    """Windows' Western encoding, as the page says."""
    _without_charset(draft)
    if (head := draft.tree.find("head")) is not None:
        head.insert(0, etree.Element("meta", {"charset": "windows-1252"}))
    draft.finish = lambda markup: markup.encode("cp1252", "xmlcharrefreplace")


def cp1252_silent(draft: Draft) -> None:
    """The same, and the page does not say so."""
    _without_charset(draft)
    draft.finish = lambda markup: markup.encode("cp1252", "xmlcharrefreplace")


_ENTITIES = {"ä": "&auml;", "ö": "&ouml;", "ü": "&uuml;", "Ä": "&Auml;", "Ö": "&Ouml;", "Ü": "&Uuml;", "ß": "&szlig;", "„": "&bdquo;",
             "“": "&ldquo;", "é": "&eacute;", "–": "&#8211;", "’": "&#x2019;", "€": "&euro;"}  # fmt: skip


def entities(draft: Draft) -> None:
    """Umlauts and marks as entities."""
    draft.finish = lambda markup: _between_raw(markup, lambda piece: piece.translate(str.maketrans(_ENTITIES)))


def invisible_signs(draft: Draft) -> None:
    """Hard blanks, soft hyphens and zero-width blanks in the text."""

    def sprinkled(text: str) -> str:
        text = re.sub(r"\b(\w{7})(\w{5,})\b", "\\1\xad\\2", text)
        text = re.sub(r"(\d) (\w)", "\\1\xa0\\2", text)
        return re.sub(r"(\w{3}) (\w{14,})", "\\1 \u200b\\2", text)

    for element in draft.body.iter("p", "h1", "h2", "h3", "li", "span", "b", "strong", "em", "a"):
        element.text = sprinkled(element.text) if element.text else element.text
        for child in element:
            child.tail = sprinkled(child.tail) if child.tail else child.tail


# -- between the lines -------------------------------------------------------------------------------------------------


def lazy_pictures(draft: Draft) -> None:
    """Pictures that a script loads later, with a noscript beside them."""
    for image in list(draft.body.iter("img")):
        source = image.get("src") or ""
        if not source or image.getparent() is None or image.getparent().tag == "noscript":
            continue
        image.set("data-src", source)
        image.set("src", "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
        spare = etree.Element("noscript")
        etree.SubElement(spare, "img", {"src": source, "alt": image.get("alt") or ""})
        spare.tail, image.tail = image.tail, None
        image.addnext(spare)


def scripts_between(draft: Draft) -> None:
    """Scripts, drawings and pictures with captions between the paragraphs."""
    caption = "Blick auf die Anlage am frühen Morgen" if draft.is_german else "The site in the early morning"
    pieces = (
        "<script>window.q=window.q||[];q.push({slot:'mid',text:'<p>Lorem</p>'});</script>",
        "<svg viewBox='0 0 8 8'><title>Pfeil</title><path d='M0 0h8v8z'></path></svg>",
        "<picture><source srcset='/a.webp 1x, /b.webp 2x' type='image/webp'><img src=/a.jpg alt='A'></picture>",
        f"<figure><img src=/c.jpg alt=''><figcaption>{caption}</figcaption></figure>",
    )
    found = rows(draft)
    for number, row in enumerate(found[:-1]):
        block = html.fragment_fromstring(pieces[number % 4])
        block.tail, row.tail = row.tail, None
        row.addnext(block)
    if len(found) > 4:
        draft.foreign.append(caption)


def _headline_as(tag: str) -> Callable[[Draft], None]:
    def rewrite(draft: Draft) -> None:
        for element in draft.body.iter("h1"):
            element.tag = tag

    rewrite.__doc__ = f"The headline is a {tag}."
    return rewrite


def picture_before_lead(draft: Draft) -> None:
    """A picture with caption and credit, all divs, right behind the headline."""
    headline = next(draft.body.iter("h1"), None)
    if headline is None:
        return
    caption, credit = (
        ("Im Rathaus wird seit Wochen beraten.", "Foto: Stadtarchiv")
        if draft.is_german
        else ("Talks have been going on for weeks.", "Photo: Town archive")
    )
    block = _new(
        draft,
        f"<div class=pic><img src=/p.jpg alt=''><div class=under><span>{caption}</span> <span>{credit}</span></div></div>",
        [caption],
    )
    block.tail, headline.tail = headline.tail, None
    headline.addnext(block)


def byline_below(draft: Draft) -> None:
    """The line that names the author stands behind the last paragraph."""
    names = [_plain(name) for name in draft.doc.get("authors") or ()]
    found = rows(draft)
    if not names or not found:
        return
    inside = set(found)
    for element in draft.body.iter("p", "div", "span", "address", "li"):
        text = _words(element)
        if len(text) > 120 or not any(name in _plain(text) for name in names):
            continue
        if inside.isdisjoint((element, *element.iterancestors())) and element.getparent() is not None:
            tail, element.tail = element.tail, None
            if tail and tail.strip() and (before := element.getprevious()) is not None:
                before.tail = (before.tail or "") + tail
            found[-1].addnext(element)
            return


# -- dates -------------------------------------------------------------------------------------------------------------

_MONTHS = (
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
)
_SHORT_DATE = re.compile(r"\b(\d{1,2})\.(\d{1,2})\.(20\d\d)\b")
_LONG_DATE = re.compile(rf"\b(\d{{1,2}})\. ({'|'.join(_MONTHS)}) (20\d\d)\b")
_CLOCK = re.compile(r"\b([012]?\d):([0-5]\d) Uhr")
_STATED = re.compile(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)")


def _other_words(text: str) -> str:
    """A visible date in the other of its two common shapes."""

    def long(found: re.Match[str]) -> str:
        month = int(found[2])
        return f"{int(found[1])}. {_MONTHS[month - 1]} {found[3]}" if 1 <= month <= 12 else found[0]

    def short(found: re.Match[str]) -> str:
        return f"{int(found[1]):02}.{_MONTHS.index(found[2]) + 1:02}.{found[3]}"

    changed = _SHORT_DATE.sub(long, text)
    changed = changed if changed != text else _LONG_DATE.sub(short, text)
    return _CLOCK.sub(r"\1.\2 Uhr", changed)


def dates_in_other_words(draft: Draft) -> None:
    """Visible dates spelled the other way: 3.12.2025 and 3. Dezember 2025, 9:30 Uhr and 9.30 Uhr."""
    for element in draft.body.iter(etree.Element):
        if element.tag in ("script", "style"):
            continue
        for key in ("text", "tail"):
            text = getattr(element, key)
            if text and len(text.strip()) <= 80:
                setattr(element, key, _other_words(text))


def dates_in_other_zones(draft: Draft) -> None:
    """Instants for machines in UTC, or as in letters."""
    written = draft.random.choice((lambda at: at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), format_datetime,
                                   lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.000%z")))  # fmt: skip

    def other(text: str) -> str:
        return _STATED.sub(lambda found: one(found[0]), text)

    def one(stated: str) -> str:
        try:
            return written(datetime.fromisoformat(stated))
        except (ValueError, OverflowError):  # pages state impossible dates too
            return stated

    for element in draft.tree.iter("script", "meta", "time"):
        if element.tag == "script" and "ld+json" in (element.get("type") or "") and element.text:
            element.text = other(element.text)
        for key in ("content", "datetime"):
            if value := element.get(key):
                element.set(key, other(value))


# -- several at once ---------------------------------------------------------------------------------------------------


def another_system(draft: Draft) -> None:
    """What a new editorial system would change at once: hashed names, divs for tags, blocks in divs, half of the data."""
    semantic_to_div(draft)
    rows_in_divs(draft)
    draft.random.choice((without_json_ld, without_meta, without_microdata))(draft)
    _behind(draft, _teasers(draft, 4, with_text=True), "end")
    names_hashed(draft)


def bare(draft: Draft) -> None:
    """Nothing but divs with hashed names, and no data for machines."""
    without_any_data(draft)
    semantic_to_div(draft)
    names_hashed(draft)


CONTROL = "written again"
REWRITINGS: dict[str, Callable[[Draft], None]] = {
    CONTROL: lambda draft: None,
    "names hashed": names_hashed,
    "names half hashed": names_half_hashed,
    "names of modules": names_of_modules,
    "no JSON-LD": without_json_ld,
    "no meta": without_meta,
    "no microdata": without_microdata,
    "no data at all": without_any_data,
    "tags to div": semantic_to_div,
    "p to div": paragraphs_to_div,
    "line breaks": breaks,
    "wrappers": wrappers,
    "rows in divs": rows_in_divs,
    "parts": parts,
    "teasers in the middle": teasers_in_the_middle,
    "teasers at the end": teasers_at_the_end,
    "one teaser between": one_teaser_between,
    "newsletter box": newsletter_box,
    "cookie banner": cookie_banner,
    "comments below": comments_below,
    "about the writer": about_the_writer,
    "appeal": appeal,
    "digest before": digest_before,
    "minified": minified,
    "pretty printed": pretty_printed,
    "capitals": capitals,
    "cp1252 declared": cp1252_declared,
    "cp1252 silent": cp1252_silent,
    "entities": entities,
    "invisible signs": invisible_signs,
    "lazy pictures": lazy_pictures,
    "scripts between": scripts_between,
    "headline as h2": _headline_as("h2"),
    "headline as div": _headline_as("div"),
    "picture before lead": picture_before_lead,
    "byline below": byline_below,
    "dates in other words": dates_in_other_words,
    "dates in other zones": dates_in_other_zones,
    "another system": another_system,
    "bare": bare,
}
