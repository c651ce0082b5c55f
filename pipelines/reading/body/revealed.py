"""Text that stands in the page's source but not where a reader would see it, put there: what the browser or the page's
own script would do. Shadow roots, segments streamed by React, panels that a button opens, elements left open, and the
article that only a template, a noscript or ``articleBody`` has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape
from itertools import chain, islice

from lxml import etree, html

from pipelines.reading.body.embedded_blocks import is_by_machine
from pipelines.reading.body.main_content import prose_in, prose_length
from pipelines.reading.page.tree import BLOCK_TAGS, HEADINGS, LONG_PARAGRAPHS, delete, one_line, parser, raw

_SEGMENT = re.compile(r"(?P<prefix>.*)S:(?P<number>[0-9a-f]+)\Z")
_PLACED = re.compile(r"\$R[CSR]\(\s*[\"']([^\"']{1,60})[\"']\s*,\s*[\"']([^\"']{1,60})[\"']")
# Elements whose content is never part of the text; one that was left open has swallowed the page.
_NEVER_OPEN = ("button", "noscript", "object", "audio", "video", "canvas", "dialog", "label", "select")
_TEMPLATES = ("text/template", "text/x-template", "text/html", "text/x-handlebars-template", "text/x-handlebars")
_LEAST_PROSE = 240  # characters; with less a page has no article
_FEW_PARAGRAPHS = 3
_QUESTION_TAGS = ("div", "span", "p")
_PANEL_TAGS = ("div", "section", "p", "dd", "article", "ul", "li")
_QUESTION = 8  # characters of the shortest question of an accordion
_PANEL_PROSE = 80
_CONTROLS = ("aria-controls", "data-target", "data-bs-target", "data-controls", "data-toggle-target", "data-panel")
_NO_DISPLAY = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden|content-visibility\s*:\s*hidden)\s*;?")
_HIDING_CLASSES = frozenset(("hidden", "is-hidden", "hide", "d-none"))
_MARKUP = re.compile(r"</?(?:p|br|div|h[2-6]|li|ul|ol|strong|em|b|i|a|span|blockquote)\b[^<>]*>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|nbsp|#\d+|#x[0-9a-f]+);", re.IGNORECASE)
_LINE_BREAKS = re.compile(r"\s*[\r\n\u2028\u2029]+\s*")
_FIELDS = etree.XPath("boolean(descendant::input[not(@type='hidden')] | .//textarea | .//select)")
_HIDDEN_SEGMENTS = etree.XPath("descendant::*/@id[contains(., 'S:')]/parent::*[@hidden or self::svg[@style]]")
_SHOWN_TEXTS = etree.XPath(
    "descendant::text()[string-length() > 60][not(ancestor::a or ancestor::script or ancestor::style"
    " or ancestor::noscript or ancestor::template or ancestor::footer or ancestor::nav or ancestor::aside)]",
    smart_strings=False,
)
_OPEN_LINKS = etree.XPath("descendant::p[3]/parent::a")
# from the attributes up: far fewer than elements
_OPENING = etree.XPath("/descendant::*/@aria-expanded/..")
_CONTROLLERS = etree.XPath(
    "descendant::*/@aria-controls/.. | descendant::*/@aria-expanded/.. | descendant::*/@data-target/.."
    " | descendant::*/@data-bs-target/.. | descendant::*/@role[.='button']/.."
    " | descendant::button | descendant::a/@href[starts-with(., '#')]/.."
)


def reveal(tree: etree._Element) -> None:
    """Put the text of *tree* where a reader would see it."""
    special: dict[str, list[etree._Element]] = {}
    for element in tree.iter(
        "template", *_NEVER_OPEN
    ):  # once: a walk costs more than what is done on nearly every page
        special.setdefault(element.tag, []).append(element)
    if templates := special.pop("template", None):
        _open_shadow_roots(templates)
        _place_segments(tree, templates)
    _close_open_elements(tree, [*_OPEN_LINKS(tree), *(each for tag in _NEVER_OPEN for each in special.get(tag, ()))])
    _show_panels(tree)  # while the buttons that open them are there
    _open_accordions(tree, special.get("button", ()))
    _open_questions(tree, special.get("label", ()))


# -- shadow roots and streamed segments --------------------------------------------------------------------------------


def _open_shadow_roots(templates: Iterable[etree._Element]) -> None:
    for template in templates:
        if template.get("shadowrootmode") is None and template.get("shadowroot") is None:
            continue
        host = template.getparent()
        template.tag = "div"
        if host is not None:
            _fill_slots(host, template)


def _fill_slots(host: etree._Element, shadow: etree._Element) -> None:
    """Move the children and the text of a host to the slots of its shadow root, in the place of what they held."""
    slots = {slot.get("name") or "": slot for slot in reversed(list(shadow.iter("slot")))}
    if not slots:
        return
    filled: set[etree._Element] = set()
    unnamed = slots.get("")
    for child in list(host):
        text = child.tail
        if unnamed is not None:
            child.tail = None
        slot = slots.get(child.get("slot") or "") if child is not shadow else None
        if slot is not None:
            _emptied(slot, filled)
            slot.append(child)
        if unnamed is not None and text and (text.strip() or unnamed in filled):
            _emptied(unnamed, filled)
            _append_text(unnamed, text)
    for slot in slots.values():
        slot.tag = "div" if any(child.tag in BLOCK_TAGS for child in slot) else "span"


def _emptied(slot: etree._Element, filled: set[etree._Element]) -> None:
    """Take out of a slot what it shows while nothing fills it."""
    if slot not in filled:
        filled.add(slot)
        slot.text = None
        for child in list(slot):
            slot.remove(child)


def _append_text(element: etree._Element, text: str) -> None:
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text


def _place_segments(tree: etree._Element, templates: Iterable[etree._Element]) -> None:
    """Put the hidden segments of React's stream where their placeholders are."""
    places = {each.get("id"): each for each in templates if each.get("id")}
    if not places:
        return
    segments = [each for each in _HIDDEN_SEGMENTS(tree) if _SEGMENT.fullmatch(each.get("id") or "")]
    if not segments:
        return
    told: dict[str, str] = {}
    for script in tree.iter("script"):
        if "$R" in (script.text or ""):
            told.update((there, here) for here, there in _PLACED.findall(script.text))
    for segment in segments:
        name = segment.get("id")
        found = _SEGMENT.fullmatch(name)
        if found is None:
            continue
        candidates = (told.get(name), f"{found['prefix']}B:{found['number']}", f"{found['prefix']}P:{found['number']}")
        place = next((places[each] for each in candidates if each in places), None)
        segment.attrib.pop("hidden", None)
        segment.attrib.pop("style", None)
        if place is not None and segment not in place.iterancestors():
            tail, segment.tail = segment.tail, None
            place.addprevious(segment)
            delete(place)
            if tail and tail.strip():
                segment.tail = tail


# -- what was left open ------------------------------------------------------------------------------------------------


def _close_open_elements(tree: etree._Element, elements: Iterable[etree._Element]) -> None:
    """Take away the frame of a link, a button or a noscript that holds the page's paragraphs: it was never closed, or
    the page shows them with a script.
    """
    whole = None
    for element in elements:
        if len(element) == 0 or (inside := int(LONG_PARAGRAPHS(element))) < 2:
            continue
        whole = int(LONG_PARAGRAPHS(tree)) if whole is None else whole
        if inside * 2 >= whole and element.getparent() is not None:
            element.drop_tag()
            whole = None


# -- accordions and panels ---------------------------------------------------------------------------------------------


def _open_accordions(tree: etree._Element, buttons: Iterable[etree._Element]) -> None:
    """Make questions that stand in buttons readable: in a heading, or before the panel that they open."""
    for button in buttons:
        parent = button.getparent()
        if parent is None:
            continue
        if any(above.tag in HEADINGS or above.tag in ("summary", "dt") for above in (parent, parent.getparent())
               if above is not None):  # fmt: skip
            if len(one_line(raw(button))) >= _QUESTION:
                button.drop_tag()
        elif _is_word_of_sentence(button, parent):
            button.drop_tag()
        else:
            text = one_line(raw(button))
            is_control = button.get("aria-expanded") is not None or button.get("aria-controls") or text.endswith("?")
            if (
                is_control
                and len(text) >= _QUESTION
                and (text.endswith("?") or text.count(" ") >= 2)
                and _panel_of(button)
            ):
                for attribute in tuple(button.attrib):
                    del button.attrib[attribute]
                button.tag = "h3"


def _open_questions(tree: etree._Element, labels: Iterable[etree._Element]) -> None:
    """The same for questions in other elements, and in labels of boxes that a style sheet asks."""
    for label in labels:
        if label.get("for") and one_line(raw(label)).endswith("?") and _panel_of(label):
            label.tag = "h3"
    for question in [each for each in _OPENING(tree) if each.tag in _QUESTION_TAGS]:
        if question.get("role") != "button":
            continue
        text = one_line(raw(question))
        if _QUESTION <= len(text) <= 200 and text.endswith("?") and _panel_of(question):
            question.tag = "h3"
            question.attrib.pop("class", None)


def _is_word_of_sentence(button: etree._Element, parent: etree._Element) -> bool:
    """Whether a button is a word that opens its explanation: the sentence that it stands in goes on behind it."""
    before = button.getprevious()
    text = (parent.text if before is None else before.tail) or ""
    behind = (button.tail or "").lstrip()
    begins = text.rstrip()[-1:].isalnum() and text[-1:].isspace()
    return parent.tag == "p" and begins and (behind[:1].islower() or behind[:1] in (",", "."))


def _panel_of(control: etree._Element) -> bool:
    """Whether prose stands right behind a control, in its own place or in the one of what is around it alone."""
    element, text = control, one_line(raw(control))
    for _ in range(3):
        after = element.getnext()
        if after is not None:
            return len(one_line(raw(after))) >= _PANEL_PROSE and sum(1 for _ in after.iter("a")) <= 3
        parent = element.getparent()
        if parent is None or one_line(raw(parent)) != text:
            return False
        element = parent
    return False


def _show_panels(tree: etree._Element) -> None:
    """Show hidden panels of prose that a control of the page opens."""
    # the first question spares nearly every element the others; asked in XPath it takes three times as long
    panels = [
        each
        for each in tree.iter(*_PANEL_TAGS)
        if (
            ((classes := each.get("class")) is not None and ("hid" in classes or "none" in classes))
            or each.get("style") is not None
            or each.get("hidden") is not None
            or each.get("aria-hidden") is not None
        )
        and _is_hidden(each)
        and _is_prose(each)
    ]
    if not panels:
        return
    controls = _CONTROLLERS(tree)
    opened = {value.lstrip("#") for each in controls for name in _CONTROLS if (value := each.get(name))}
    opened |= {each.get("href")[1:] for each in controls
               if each.get("aria-expanded") is not None and (each.get("href") or "").startswith("#")}  # fmt: skip
    beside = {near for each in controls for near in _beside(each)}
    for panel in panels:
        is_named = panel.get("id") in opened or panel.get("role") == "tabpanel" or _is_labelled(panel, tree)
        if is_named or (panel in beside and _stands_by_control(panel)):
            _show(panel)


def _beside(control: etree._Element) -> Iterable[etree._Element]:
    """The elements next to a control, or next to what is around it alone."""
    element = control
    for _ in range(3):
        for near in (element.getprevious(), element.getnext()):
            if near is not None and near.tag in BLOCK_TAGS:
                yield near
        parent = element.getparent()
        if parent is None or len(parent) > 2:
            return
        element = parent


def _is_hidden(element: etree._Element) -> bool:
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    if (style := element.get("style")) and _NO_DISPLAY.search(style):
        return True
    classes = element.get("class")
    return bool(classes) and not _HIDING_CLASSES.isdisjoint(classes.split())


def _is_prose(panel: etree._Element) -> bool:
    """Whether a hidden element holds sentences of an article: no dialog, no form, no menu."""
    if panel.tag in ("nav", "header", "footer", "form", "aside") or panel.get("role") in (
        "dialog",
        "alertdialog",
        "menu",
    ):
        return False
    text = raw(panel)
    if panel.get("aria-modal") or len(text) < _PANEL_PROSE or _FIELDS(panel):
        return False
    length = sum(length for element, length in prose_in(panel).items() if element.tag != "li")
    return length >= _PANEL_PROSE and not is_by_machine(text)


def _is_labelled(panel: etree._Element, tree: etree._Element) -> bool:
    """Whether a heading or a button of the page is the label of a region."""
    label = panel.get("aria-labelledby")
    return bool(label) and panel.get("role") == "region" and bool(tree.xpath("boolean(//*[@id=$label])", label=label))


def _stands_by_control(panel: etree._Element) -> bool:
    """Whether a button, or a link to nowhere, stands right before or behind a panel, in the midst of prose."""
    before = panel.getprevious()
    if before is not None and next(before.iter("img", "picture", "video"), None) is not None:
        return False  # its caption
    for near in (before, panel.getnext()):
        if near is not None and _is_control(near):
            parent = panel.getparent()
            return (
                near.tag in HEADINGS
                or raw(near).rstrip().endswith("?")
                or any(
                    len(raw(each)) >= _PANEL_PROSE and not _is_hidden(each)
                    for each in (parent.iterchildren("p", "div", "section") if parent is not None else ())
                )
            )
    return False


def _is_control(element: etree._Element) -> bool:
    text = raw(element).strip()
    if not 3 <= len(text) <= 200:
        return False
    for each in element.iter("button", "a", "summary", "h2", "h3", "h4", "span", "div"):
        if len(raw(each).strip()) * 2 < len(text):
            continue
        if each.tag in ("button", "summary") or each.get("role") == "button" or each.get("aria-expanded") is not None:
            return True
        if each.tag == "a" and (each.get("href") or "#").strip().lower().startswith(("#", "javascript:")):
            return True
    return False


def _show(panel: etree._Element) -> None:
    for name in ("hidden", "aria-hidden", "style"):
        panel.attrib.pop(name, None)
    if classes := panel.get("class"):
        panel.set("class", " ".join(each for each in classes.split() if each not in _HIDING_CLASSES))


# -- the article that only machines are told ---------------------------------------------------------------------------


def supply(tree: etree._Element, bodies: Iterable[str], headline: str | None, data: Iterable[str] = ()) -> str | None:
    """Give a page that shows no article the one that its templates, its noscript or *bodies* (``articleBody``) have; a
    page that shows nothing at all also that of its *data*, from which its script makes the article.

    Returns where it was taken from, or None when the page shows its own text or nobody has one.
    """
    body = tree.find("body")
    if body is None or _shows_paragraphs(body):
        return None
    shown = _shown_prose(body)
    supplies = chain(
        _templates(body), _stated(bodies, headline), _stated(data if shown < _PANEL_PROSE else (), headline)
    )
    for source, element in supplies:
        length = prose_length(element)
        if length >= _LEAST_PROSE and length > 2 * shown:
            _place_of_article(body).append(element)
            return source
    return None


def _shows_paragraphs(body: etree._Element) -> bool:
    """Whether a page has long paragraphs, and not all of them where nobody sees them."""
    unseen = sum(int(LONG_PARAGRAPHS(each)) for each in body.iter("noscript", "template"))
    if unseen:
        return int(LONG_PARAGRAPHS(body)) > max(_FEW_PARAGRAPHS, unseen + 1)
    long = (each for each in body.iter("p") if len(raw(each)) >= _PANEL_PROSE)
    return next(islice(long, _FEW_PARAGRAPHS, None), None) is not None  # an article shows that soon


def _shown_prose(body: etree._Element) -> int:
    return sum(len(text.strip()) for text in _SHOWN_TEXTS(body))


def _templates(body: etree._Element) -> Iterable[tuple[str, etree._Element]]:
    for script in body.iter("script"):
        text = script.text or ""
        if (script.get("type") or "").lower() in _TEMPLATES and len(text) >= _LEAST_PROSE and "<p" in text:
            yield "template", _fragment(text)
    for element in list(body.iter("template", "noscript")):
        if len(raw(element)) >= _LEAST_PROSE:
            holder = parser().makeelement("div")
            holder.text = element.text
            holder.extend(list(element))
            yield str(element.tag), holder


def _stated(bodies: Iterable[str], headline: str | None) -> Iterable[tuple[str, etree._Element]]:
    for text in bodies:
        if len(text) < _LEAST_PROSE:
            continue
        if _ENTITY.search(text) and not _MARKUP.search(text):
            text = unescape(text)
        if _MARKUP.search(text):
            element = _fragment(text)
        else:
            element = parser().makeelement("div")
            for line in _LINE_BREAKS.split(text.strip()):
                etree.SubElement(element, "p").text = line
        if headline:
            title = parser().makeelement("h1")
            title.text = headline
            element.insert(0, title)
        yield "articleBody", element


def _fragment(text: str) -> etree._Element:
    return html.fragment_fromstring(text, create_parent="div", parser=parser())


def _place_of_article(body: etree._Element) -> etree._Element:
    found = next(body.iter("main"), None)
    return found if found is not None else body
