"""Articles that stand on several pages: which page comes next, and how many there are.

The next page of an article differs from the one before by its number and by nothing else, so the address decides first
and the words of the link second. That keeps 'nächster Artikel', topic lists, comment pages and picture galleries out.
``joining`` makes one text of the pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from urllib.parse import SplitResult, urljoin, urlsplit

from lxml import etree, html

from pipelines.items import Page, Rejected
from pipelines.pattern_sets import any_in_bytes, any_in_text
from pipelines.reading.fields.metadata import selector
from pipelines.reading.languages import either, words
from pipelines.reading.page import decode
from pipelines.reading.page.tree import parser, raw
from pipelines.reading.rules import Rules

MOST_PAGES = 60
# links that are looked at closely; a page that has more of them is no article with a paging
_MOST_LINKS = 3000
_MOST_CANDIDATES = 8
# prose that a page must have around its paging, in characters
_LEAST_PROSE = 300

_PAGE = either("paging.page")  # what pages are called, in addresses and links alike
_OF = re.compile(
    rf"{_PAGE}n?\s*:?\s*(?P<number>\d{{1,3}})\s*(?:/|\||{either('paging.of')})\s*(?P<total>\d{{1,3}})(?!\d)",
    re.IGNORECASE,
)
_HREF = re.compile(rb"""href\s*=\s*(?:"([^"<>]{1,2000})"|'([^'<>]{1,2000})'|([^\s"'<>]{1,2000}))""")

# -- addresses: where a page number stands in them
_KEY = rf"(?:pages?no?|pagenumber|pageindex|paged|pg|p|s|article_?page|(?:artikel)?{_PAGE})"
_IN_QUERY = re.compile(rf"(?:^|&)(?P<key>{_KEY})=(?P<number>\d{{1,3}})(?=&|$)", re.IGNORECASE)
_IN_PATH = (
    # /artikel/seite-2  /artikel/seite/2  /artikel/page2/  /artikel/seite-2.html
    re.compile(
        rf"/(?:{_PAGE}|p)[-_/]?(?P<number>\d{{1,3}})(?P<rest>/?|\.\w{{3,5}})\Z|"
        r"/(?P<number2>\d{1,3})(?P<rest2>/?|\.html?)\Z",
        re.IGNORECASE,
    ),
    # /artikel-seite-2.html  /artikel,seite=2.html  /artikel-p2.html  /artikel_2.html  /artikel-2.html
    re.compile(rf"[-_,.;~](?:(?:{_PAGE}|p|s)[-_=.]?)?(?P<number>\d{{1,3}})(?P<rest>/?|\.\w{{3,5}}/?)\Z", re.IGNORECASE),
)
# a number alone may be anything; these say what it counts
_SAYS_PAGE = re.compile(rf"(?:{_PAGE}|paged|pg)[-_/=.]?(?:no|nr|number|index)?[-_/=.]?\d", re.IGNORECASE)

# -- words of links
_NEXT_WORDS = re.compile(
    rf"(?:{either('paging.next')}|{either('paging.goes_on')}(?: {either('paging.goes_on_to')} .{{1,60}})?|"
    rf"{_PAGE} \d{{1,3}}(?:\W.{{0,80}})?|\d{{1,3}}|(?:»|›|>|→|>>|▶|►|❯|⟩)+)",
    re.IGNORECASE,
)
_OTHER_THING = re.compile(either("paging.other"), re.IGNORECASE)
_SINGLE = re.compile(either("paging.single"), re.IGNORECASE)
_may_be_single = any_in_bytes(words("paging.single_hints"))
_PAGING_NAMES = re.compile(rf"pag(?:e|er|ing|ination|inator)|{either('class_names.paging')}|wp-link|multipage", re.I)
_FOREIGN_NAMES = re.compile(
    rf"comment|{either('class_names.no_paging')}|forum|disqus|galler|galerie|slide|carousel|swiper|"
    r"lightbox|teaser|related|recommend|sidebar|widget|footer|breadcrumb|calendar",
    re.IGNORECASE,
)
_FOREIGN_KEYS = re.compile(
    rf"comment|cpage|photo|image|slide|gallery|galerie|forum|sort|filter|{either('class_names.picture')}", re.I
)


@dataclass(frozen=True, slots=True)
class _Numbered:
    """An address split into its page number and everything else. ``says_page``: the address itself calls it a page."""

    stem: str
    number: int
    says_page: bool


def paging_in(text: str) -> tuple[int, int] | None:
    """(page, pages) that a short line states: 'Seite 1 / 3', 'Seite 2 von 4', 'Page 1 of 3'. None if it states none."""
    found = _OF.search(text) if len(text) <= 120 else None
    if not found:
        return None
    number, total = int(found["number"]), int(found["total"])
    return (number, total) if 1 <= number <= total <= MOST_PAGES else None


# -- addresses --------------------------------------------------------------------------------------------------------


def _stem(url: str) -> str:
    """*url* as far as it names an article: host without www, path without a closing slash or file ending, and query."""
    parts = urlsplit(url)
    path = re.sub(r"(?:/index)?\.(?:html?|php|aspx?|jsp)\Z", "", parts.path.rstrip("/"))
    query = "&".join(sorted(pair for pair in parts.query.split("&") if pair))
    return f"{(parts.hostname or '').removeprefix('www.')}{path}?{query}"


def _numbered(url: str) -> Iterator[_Numbered]:
    """Every way in which *url* can be page n of an article."""
    parts = urlsplit(url)
    for found in _IN_QUERY.finditer(parts.query):
        rest = (parts.query[: found.start()] + parts.query[found.end() :]).strip("&")
        says = found["key"].lower() not in ("p", "s")
        yield _Numbered(_stem(parts._replace(query=rest).geturl()), int(found["number"]), says)
    for pattern in _IN_PATH:
        if in_path := pattern.search(parts.path):
            groups = in_path.groupdict()
            number, rest = groups["number"] or groups.get("number2"), groups["rest"] or groups.get("rest2") or ""
            path = parts.path[: in_path.start()] + (rest if rest.startswith(".") else "")
            says = bool(_SAYS_PAGE.search(in_path[0]))
            if number and len(path.strip("/")) > 3:
                yield _Numbered(_stem(parts._replace(path=path).geturl()), int(number), says)


@lru_cache(maxsize=4)  # asked once for each of a page's links
def _stems_of(page_url: str, number: int) -> dict[str, set[int]]:
    """By their stem, the numbers that *page_url*, which is page *number* of its article, may have."""
    here = {_stem(page_url): {1, 0}} if number == 1 else {}
    for own in _numbered(page_url):
        if own.number in (number, number - 1):
            here.setdefault(own.stem, set()).add(own.number)
    return here


def _follows(url: str, page_url: str, number: int) -> _Numbered | None:
    """*url* as the page after *page_url*, which is page *number* (from 1) of its article; None when it is not that."""
    if _FOREIGN_KEYS.search(urlsplit(url).query):
        return None
    here = _stems_of(page_url, number)
    for there in _numbered(url):
        if there.number - 1 in here.get(there.stem, ()) and there.number <= MOST_PAGES:
            # '?page=1' can be the second page where counting starts at 0; the words of the link have to say so
            return there if there.number == number + 1 else replace(there, says_page=False)
    return None


# -- the next page ----------------------------------------------------------------------------------------------------


def may_have_next(page_url: str, body: bytes, content_type: str, number: int, rules: Rules) -> bool:
    """Whether ``next_page`` is worth asking: a look at the bytes, without parsing them."""
    if number < 1 or number >= MOST_PAGES or "html" not in (content_type or "html").lower():
        return False
    return bool(rules.site.next_page) or _may_have_more(page_url, body, number)


def next_page(page_url: str, body: bytes, content_type: str, number: int, rules: Rules) -> str | None:
    """The address of the page that follows in a multi-page article, or None.

    *body* is page *number* (from 1) at *page_url*. A view of the whole article on one page comes first where the first
    page offers it. ``rules.site.next_page`` decides alone where it is given. Never raises for what a page contains.
    """
    if not may_have_next(page_url, body, content_type, number, rules):
        return None
    if rules.site.next_page:
        tree = _tree(body, content_type)
        return _selected(tree, rules.site.next_page, page_url) if tree is not None else None
    tree = _tree(body, content_type)
    if tree is None:
        return None
    base = _base(tree, page_url)
    links = list(islice(tree.iter("a", "link"), 4 * _MOST_LINKS))
    if number == 1 and (single := _single_view(links, base, page_url)):
        return single
    best: tuple[int, str] | None = None
    for element, url, there in islice(_following(links, base, page_url, number), _MOST_CANDIDATES):
        worth = _worth(element, there, number)
        if worth > (best[0] if best else 0):
            best = worth, url
    return best[1] if best else None


def _following(
    links: Iterable[etree._Element], base: str, page_url: str, number: int
) -> Iterator[tuple[etree._Element, str, _Numbered]]:
    """The links to what may be the page after page *number* by its address; few have such a number in it at all."""
    wanted = re.compile(rf"(?<!\d)0*(?:{number + 1}|{number})(?!\d)")
    for element in links:
        if wanted.search(element.get("href") or "") is None:
            continue
        url = _target(element, base, page_url)
        if url and (there := _follows(url, page_url, number)):
            yield element, url, there


def continues_at(page: Page, rules: Rules) -> str | None:
    """``next_page`` of an article's first page."""
    return next_page(page.url, page.body, page.content_type, 1, rules)


def _tree(body: bytes, content_type: str) -> html.HtmlElement | None:
    try:
        return html.document_fromstring(decode.utf8_of(body, content_type), parser=parser())
    except (Rejected, etree.ParserError):
        return None


def _may_have_more(page_url: str, body: bytes, number: int) -> bool:
    """A look at the raw addresses, so that the many pages without a next one are not parsed for it.

    All in lower case: what is alike is alike then too, and a pattern that need not ignore case is many times as fast.
    """
    page_url, lower = page_url.lower(), body.lower()
    try:
        names = {_last_name(stem.partition("?")[0]) for stem in _stems_of(page_url, number)}
        page = urlsplit(page_url)
    except ValueError:
        return False
    # a teaser links its article from its picture, its headline and its text
    links = dict.fromkeys(found[0] or found[1] or found[2] for found in _HREF.findall(lower))
    if number == 1 and (_may_show_it_otherwise(links, page) or b"<base" in lower) and _may_be_single(body):
        return True
    wanted = re.compile(rb"(?<!\d)0?(?:%d|%d)(?!\d)" % (number + 1, number))
    named = (link for link in links if _may_name(link, names) and wanted.search(link))
    for link in islice(named, _MOST_LINKS):
        with suppress(ValueError):
            if _follows(urljoin(page_url, _address(link)), page_url, number):
                return True
    return False


def _last_name(path: str) -> bytes:
    return path.rpartition("/")[2].encode("utf-8", "replace")


def _may_name(link: bytes, names: Iterable[bytes]) -> bool:
    """Whether the path of *link* may have one of *names* in it; it may where it depends on the page's own.

    In the query it names the page only to share it.
    """
    path = link.partition(b"?")[0]
    for name in names:
        if name in path:
            return True
    return not path.startswith(_WHOLE) or b"&" in path


# how links begin that do not depend on the page's own path, or lead to no page
_WHOLE = (b"/", b"#", b"http://", b"https://", b"javascript:", b"mailto:", b"tel:", b"data:", b"whatsapp:")


def _may_show_it_otherwise(links: Iterable[bytes], page: SplitResult) -> bool:
    """Whether one of *links* may lead to another view of the article on *page*: its path goes on, or has a query."""
    own, is_folder = _own_path(page.path).encode("utf-8", "replace"), page.path.endswith("/")
    if len(own) < 4 or b"&" in own:
        return len(own) >= 4
    # a link to the page itself is none, which it is with this ending too; one without the page's query may be
    ending = b"" if page.query else page.path.encode("utf-8", "replace").removeprefix(own)
    for link in links:
        before, is_there, rest = link.partition(own)
        if is_there and b"?" not in before:  # in another site's query the page is only named, to share it
            if rest not in (b"", b"/", ending) and not rest.startswith((b"#", ending + b"#")):
                return True
        elif link.startswith(b"?") or (is_folder and not link.startswith(_WHOLE)):
            return True
    return False


def _address(value: bytes) -> str:
    """An attribute's raw value with the one character resolved that addresses escape."""
    return value.decode("utf-8", "replace").strip().replace("&amp;", "&").replace("&#038;", "&")


def _base(tree: html.HtmlElement, page_url: str) -> str:
    found = tree.find(".//base[@href]")
    try:
        return urljoin(page_url, found.get("href").strip()) if found is not None else page_url
    except ValueError:
        return page_url


def _target(element: etree._Element, base: str, page_url: str) -> str | None:
    """Where a link leads, without fragment: another page of the same host by http, else None."""
    href = (element.get("href") or "").strip()
    if not href or href.startswith("#") or len(href) > 2000:
        return None
    try:
        url = urljoin(base, href)
        there, here = urlsplit(url), urlsplit(page_url)
        same = (there.hostname or "").removeprefix("www.") == (here.hostname or "").removeprefix("www.")
        same = same and there.port == here.port
    except ValueError:  # a port is looked at when it is asked for
        return None
    if there.scheme not in ("http", "https") or not same:
        return None
    if _FOREIGN_KEYS.search(there.fragment):
        return None
    url = there._replace(fragment="").geturl()
    return url if url != here._replace(fragment="").geturl() else None


def _selected(tree: html.HtmlElement, expression: str, page_url: str) -> str | None:
    base = _base(tree, page_url)
    for found in selector(expression)(tree):
        element = html.Element("a", href=str(found)) if isinstance(found, str) else found
        link = element if element.get("href") else next(element.iter("a"), None)
        url = _target(link, base, page_url) if link is not None else None
        if url:
            return url
    return None


def _words(element: etree._Element) -> str:
    text = " ".join(raw(element).split())
    return text or (element.get("aria-label") or element.get("title") or "").strip()


def _worth(element: etree._Element, there: _Numbered, number: int) -> int:
    """How sure a link to the right address is a link to the next page: 0 not at all, more is surer."""
    is_next = "next" in (element.get("rel") or "").lower().split()
    if element.tag == "link":
        return 4 if is_next else 0
    text = _words(element)
    told = " ".join(filter(None, (text, element.get("aria-label"), element.get("title"))))
    if _OTHER_THING.search(told):
        return 0
    in_paging = False
    for around in (element, *element.iterancestors()):
        names = f"{around.get('class') or ''} {around.get('id') or ''} {around.get('aria-label') or ''}"
        if around.tag in ("body", "html"):
            break
        if around.tag in ("aside", "footer") or (_FOREIGN_NAMES.search(names) and not is_next):
            return 0
        in_paging = in_paging or bool(_PAGING_NAMES.search(names))
    says_next = any(_NEXT_WORDS.fullmatch(text.strip(marks)) for marks in (_MARKS, f"{_MARKS}»›>→▶►❯⟩"))
    says_next = says_next or text.strip() == str(number + 1) or _is_announced(element, number + 1)
    if not (is_next or says_next or in_paging or there.says_page) or not _is_beside_prose(element):
        return 0
    if not there.says_page and not (is_next or says_next):
        return 0
    return 1 + is_next * 3 + says_next * 2 + in_paging


_MARKS = " .…|[]()"


def _is_announced(element: etree._Element, number: int) -> bool:
    """Whether the words right before a link say where it leads: 'Lesen Sie auf Seite 2: <a>Wie es weitergeht</a>'."""
    before, parent = element.getprevious(), element.getparent()
    words = before.tail if before is not None else parent.text if parent is not None else None
    return bool(re.search(rf"\b{_PAGE}\s{number}\W*\Z", (words or "")[-60:], re.IGNORECASE))


def _is_beside_prose(element: etree._Element) -> bool:
    """Whether the paging belongs to prose and not to a list of other articles."""
    for around in element.iterancestors():
        prose = [p for p in around.iter("p") if len(_words(p)) >= 80]
        if sum(len(_words(p)) for p in prose) < _LEAST_PROSE:
            if around.tag == "body":
                # a page whose text stands in no paragraphs is judged by its address alone
                return not prose and len(raw(around)) > 3 * _LEAST_PROSE and not _is_list(around, 1)
            continue
        return not _is_list(around, len(prose))
    return False


def _is_list(around: etree._Element, paragraphs: int) -> bool:
    linked = sum(1 for heading in around.iter("h2", "h3", "h4") if heading.find(".//a[@href]") is not None)
    linked += sum(
        1
        for link in islice(around.iter("a"), _MOST_LINKS)
        if link.find("./h2") is not None or link.find("./h3") is not None
    )
    return linked >= 3 and linked * 2 >= paragraphs


# -- the whole article on one page ------------------------------------------------------------------------------------


def _own_path(path: str) -> str:
    return re.sub(r"\.\w{3,5}\Z", "", path.rstrip("/"))


def _same_article(url: str, page_url: str) -> bool:
    """Whether *url* is another view of the article at *page_url*: its path goes on, or only the query differs."""
    here, there = urlsplit(page_url), urlsplit(url)
    own = _own_path(here.path)
    if len(own) < 4 or not there.path.startswith(own):
        return False
    return there.path != here.path or there.query != here.query


def _single_view(links: Iterable[etree._Element], base: str, page_url: str) -> str | None:
    for element in links:  # words are compared in less time than addresses are put together
        if element.tag == "a" and _SINGLE.fullmatch(_words(element).strip(" .|[]()»›>")):
            url = _target(element, base, page_url)
            if url and _same_article(url, page_url):
                return url
    return None


# -- how many ---------------------------------------------------------------------------------------------------------


# asked of the whole page's text before any element is looked at: nearly no page has such a line
_OF_NUMBERS = re.compile(r"[0-9]\s*(?:[/|]|[Vv][Oo][Nn]|[Oo][Ff]|[Ss][Uu][Rr]|[Aa][Uu][Ss]|[Dd][Ee])\s*[0-9]")
_PAGING_WORD = re.compile(r"eite|EITE|age|AGE|eil|EIL|latt|LATT|artie|ARTIE")
_IN_LINE = ("a", "span", "p", "li", "div", "nav", "td", "small", "strong", "em", "b", "i")
_TEXT = etree.XPath("string()", smart_strings=False)
_HAS_LINK_TO_TWO = etree.XPath("boolean(descendant::a[number(.) = 2 or @aria-label = '2' or @title = '2'])")
_SHORT_LINKS = etree.XPath("descendant::a[string-length(normalize-space()) < 8]")


def pages_total(tree: etree._Element, page_url: str) -> int:
    """How many pages the article on *tree*, its first page, has by what the page says; 1 when it says nothing.

    Lines such as 'Seite 1 / 3' count, and links to numbered pages of the same article that stand in a paging element.
    """
    total = 1
    for element in tree.iter(*_IN_LINE) if _may_state_pages(str(_TEXT(tree))) else ():
        text = element.text
        if not text or len(text) > 120 or not _PAGING_WORD.search(text) or len(element) > 6:
            continue
        if (stated := paging_in(_shallow(element))) and _worth_total(element):
            total = max(total, stated[1])
    if not _HAS_LINK_TO_TWO(tree):
        return total
    base = _base(tree, page_url)
    stem = _stem(page_url)
    numbers = {1}
    for link in _SHORT_LINKS(tree)[:_MOST_LINKS]:
        if _words(link).strip(" .|[]").isdigit() and (url := _target(link, base, page_url)):
            for there in _numbered(url):
                if there.stem == stem and int(_words(link).strip(" .|[]")) == there.number and _worth_total(link):
                    numbers.add(there.number)
    # numbers must not have gaps: '1 2 3' is a paging, a lone '7' is something else
    count = 1
    while count + 1 in numbers:
        count += 1
    last = max(numbers)
    return min(MOST_PAGES, max(total, last if count >= 2 and last <= MOST_PAGES else count))


# a page word with a number behind it, as the pattern above begins: sought by RE2 in an eighth of the time
_may_state_page = any_in_text([rf"{_PAGE}n?[\s\pZ]*:?[\s\pZ]*\pN"])


def _may_state_pages(text: str) -> bool:
    return _may_state_page(text) and any(
        _OF.search(text, max(0, m.start() - 20), m.end() + 20) for m in _OF_NUMBERS.finditer(text)
    )


def _worth_total(element: etree._Element) -> bool:
    """Whether a paging is the article's: not that of comments, galleries or other articles."""
    for around in (element, *element.iterancestors()):
        names = f"{around.get('class') or ''} {around.get('id') or ''}"
        if around.tag in ("aside", "footer") or _FOREIGN_NAMES.search(names):
            return False
    return True


def _shallow(element: etree._Element) -> str:
    """The text of a small element; a long one is cut, no paging line is long."""
    return " ".join(raw(element)[:200].split())


def counts(page_url: str, further: Sequence[str], brought: int, stated: int) -> tuple[int, int]:
    """(pages read, pages in all) of an article at *page_url*.

    *further* are the addresses of its other fetched pages, *brought* how many of all brought text (``joining.joined``),
    *stated* what ``pages_total`` says. A view of the whole article on one page counts for all of them.
    """
    whole = bool(further) and _same_article(further[0], page_url) and not _follows(further[0], page_url, 1)
    if whole and brought > 1:
        return max(stated, 1), max(stated, 1)
    return brought, max(brought, stated)
