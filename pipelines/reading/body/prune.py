"""What is taken out of a page before its body is read: by tag and name on the page, then lists of links, teasers and
blocks under headings such as 'Mehr zum Thema' inside of the article's container.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from lxml import etree

from pipelines.reading.body.blocks import PROSE, is_foreign
from pipelines.reading.body.chronology import make_heading
from pipelines.reading.body.class_name_rules import rule_of, rule_of_place
from pipelines.reading.body.likeness import is_dialogue, paragraphs_in, reads_like_article, timeline_in
from pipelines.reading.body.main_content import masses_of, prose_in, prose_length
from pipelines.reading.body.removals import Removals
from pipelines.reading.page.tree import HEADINGS, delete, one_line, raw

# Nobody sees them, or what they hold is no text of the page; they go before anybody looks at that.
_UNSEEN_TAGS = ("script", "style", "template", "link", "meta", "datalist")
# They tell something of the article or of what stands around them (captions, the title of a symbol, the fields of a
# form), and are never part of what is read as its text.
_SILENT_TAGS = (
    "noscript", "svg", "iframe", "canvas", "object", "embed", "audio", "video", "picture", "img", "source", "map",
    "button", "input", "select", "textarea", "dialog", "math", "applet",
)  # fmt: skip
# Other names stand on containers of articles too: they are not believed where they would take much of the prose.
_STRONG_RULES = frozenset(("frame", "comments", "related", "hidden", "caption"))
# What goes under these is no part of what an article could have lost.
_CERTAIN_RULES = ("frame", "hidden", "consent", "comments")
_LONGEST_CAPTION = 300
_OWN_PROSE = 400  # characters; less than this is no article, so its container's name is believed
_WHOLE_ARTICLE = 600
_CLUSTERS = ("ul", "ol", "div", "section", "table", "dl", "article", "header")
_LONGEST_OPENED = 12


def strip_unseen(tree: etree._Element) -> None:
    """Take out what nobody sees, with all that is in it: for once that what it tells machines was read."""
    etree.strip_elements(tree, *_UNSEEN_TAGS, with_tail=False)


def strip_silent(root: etree._Element) -> None:
    """Take out what is never read, with all that is in it."""
    etree.strip_elements(root, *_UNSEEN_TAGS, *_SILENT_TAGS, with_tail=False)


def prune(
    root: etree._Element,
    stay: Iterable[etree._Element | None],
    removals: Removals,
    fields: Collection[etree._Element] = (),
    names: bool = True,
) -> tuple[dict[etree._Element, int], int]:
    """Take out of *root* what its tag or its name says is not the article. What *stay* names stays, and what reads like
    the article whatever it is named; *fields* are the elements around the fields of forms, which no article has.
    Without *names* little is taken by its name.

    Returns the elements that hold the prose that is left, each with its length in characters, and how much prose there
    was outside of what certainly is another thing.
    """
    prose = prose_in(root)
    masses = masses_of(prose)
    total = masses.get(root, 0)
    kept = {each for one in stay if one is not None for each in (one, *one.iterancestors())}
    named = [
        (element, rule)
        for element, rule in _named(root, kept, masses, rule_of if names else rule_of_place)
        if not (masses.get(element) and reads_like_article(element, rule, masses[element], fields))
        and not (rule == "player" and is_dialogue(element))
    ]
    spared = timeline_in([element for element, rule in named if rule == "byline"], prose)
    for element in spared:
        make_heading(element)
    spared |= paragraphs_in(named, masses, fields)
    named = [(element, rule) for element, rule in named if element not in spared]
    taken: dict[str, int] = {}
    for element, rule in named:
        taken[rule] = taken.get(rule, 0) + masses.get(element, 0)
    doubted = _doubted(taken, total)
    gone: set[etree._Element] = set()
    for element, rule in named:
        mass = masses.get(element, 0)
        if rule not in _STRONG_RULES and taken[rule] > total // 2 and mass > 100:
            continue
        if rule == doubted and mass > 60:
            continue
        if rule != "frame":
            removals.add(element, rule)
        delete(element)
        gone.add(element)
    left = {each: length for each, length in prose.items() if gone.isdisjoint((each, *each.iterancestors()))}
    return left, total - sum(taken.get(rule, 0) for rule in _CERTAIN_RULES)


def _named(
    root: etree._Element,
    kept: Collection[etree._Element],
    masses: dict[etree._Element, int],
    rule_for: Callable[[etree._Element], str | None],
) -> Iterator[tuple[etree._Element, str]]:
    """The outermost elements with a rule against them, unless they hold so much prose that they hold the article."""
    total = masses.get(root, 0)
    walk = etree.iterwalk(root, events=("start",))
    for _, element in walk:
        rule = rule_for(element)
        if rule is None or element in kept or element is root:
            continue
        mass = masses.get(element, 0)
        if mass > total // 2 and (rule not in _STRONG_RULES or mass > _OWN_PROSE):
            continue
        if mass > total * 0.9 or (rule == "more" and mass):
            continue
        if rule == "caption" and mass > _LONGEST_CAPTION and _has_paragraphs(element):
            continue
        yield element, rule
        walk.skip_subtree()


def _doubted(taken: dict[str, int], total: int) -> str | None:
    """The rule that takes most, where all rules together leave no article of a page that has one."""
    if total < _WHOLE_ARTICLE or total - sum(taken.values()) >= _OWN_PROSE // 2:
        return None
    most = max(taken, key=lambda rule: taken[rule])
    return most if most not in ("hidden", "consent") else None


def _has_paragraphs(element: etree._Element) -> bool:
    """Whether more than a caption stands in it: a gallery's container may hold the article too."""
    if element.tag in ("figure", "figcaption"):
        return False
    return sum(len(raw(paragraph)) for paragraph in element.iter("p")) > _LONGEST_CAPTION


def prune_teasers(core: etree._Element, removals: Removals) -> None:
    """A 'teaser' that holds a link or a headline leads to another article; one without is this article's lead."""
    for element in list(core.iter("div", "section", "article", "p", "li", "ul", "span")):
        names = element.get("class")
        if not names or "teaser" not in names.lower() or element is core:
            continue
        if element.getroottree().getroot().tag != "html":
            continue
        if (mass := prose_length(element)) and reads_like_article(element, "teaser", mass, ()):
            continue
        if element.find(".//h1") is None and (
            element.find(".//a") is not None or element.find(".//h2") is not None or element.find(".//h3") is not None
        ):
            removals.add(element, "teaser")
            delete(element)


def prune_opened(core: etree._Element, opens: Callable[[str, bool], str | None], removals: Removals) -> None:
    """Take out the headings that open foreign matter and the short lines and lists below them.

    This happens in the tree because trafilatura drops some such headings itself, and then what stands under them stays.
    """
    for heading in list(core.iter(*HEADINGS)):
        text = one_line(raw(heading))
        rule = opens(text, False) if 0 < len(text) <= 90 else None
        if rule is None:
            continue
        opened: etree._Element = heading
        while (parent := opened.getparent()) is not None and parent is not core and one_line(raw(parent)) == text:
            opened = parent
        below: list[etree._Element] = []
        for sibling in opened.itersiblings():
            if (
                len(below) >= _LONGEST_OPENED
                or sibling.tag in HEADINGS
                or not is_foreign(one_line(raw(sibling)), sibling.tag in ("ul", "ol"))
            ):
                break
            below.append(sibling)
        if not below and _heads_prose(opened) and opens(text, True) is None:
            continue
        for element in (opened, *below):
            removals.add(element, rule)
            delete(element)


def _heads_prose(heading: etree._Element) -> bool:
    """Whether a paragraph of the article stands right below a heading."""
    after = heading.getnext()
    return after is not None and len(one_line(raw(after))) >= PROSE and sum(1 for _ in after.iter("a")) <= 2


def prune_links(core: etree._Element, language_is_known: bool, removals: Removals) -> None:
    """Take lists of links, cards and linked lines out of the body, with the heading that stands over them."""
    links: dict[etree._Element, int] = {}
    counts: dict[etree._Element, int] = {}
    for anchor in core.iter("a"):
        length = len(raw(anchor).strip())
        if length < 3:
            continue
        for above in anchor.iterancestors():
            links[above] = links.get(above, 0) + length
            counts[above] = counts.get(above, 0) + 1
            if above is core:
                break
    gone: set[etree._Element] = set()
    for element in sorted(links, key=_depth):
        if element is core or any(above in gone for above in element.iterancestors()):
            continue
        text = len(raw(element).strip())
        is_cluster = (
            element.tag in _CLUSTERS
            and links[element] > 0.6 * text
            and 25 < text < 3000
            and (counts[element] > 1 or text > 40)
        )
        is_line = language_is_known and element.tag == "p" and links[element] > 0.85 * text and 15 < text < 300
        if is_cluster or is_line:
            before = element.getprevious()
            if (
                before is not None
                and before.tag in ("h2", "h3", "h4", "h5", "h6")
                and len(raw(before)) < 80
                and not _goes_on(element)
            ):
                removals.add(before, "links")
                gone.add(before)
            removals.add(element, "links")
            gone.add(element)
    for element in gone:
        delete(element)


def _goes_on(element: etree._Element) -> bool:
    """Whether prose follows directly, so that a heading before the links is the prose's."""
    after = element.getnext()
    return after is not None and after.tag == "p" and len(raw(after)) > 80


def _depth(element: etree._Element) -> int:
    return sum(1 for _ in element.iterancestors())
