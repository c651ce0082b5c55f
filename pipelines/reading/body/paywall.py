"""Whether everybody may read the article, by what the page says, and else by how a stub looks; scrambled text known.

A page that offers a subscription is not behind one: only a prompt that speaks of going on with *this* article counts,
and only where the text is short or breaks off. In doubt nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cssselect import SelectorError
from lxml.cssselect import CSSSelector
from lxml.etree import _Element as Element

from pipelines.items import Removed
from pipelines.reading.body.blocks import Block
from pipelines.reading.fields.language import share_of_common
from pipelines.reading.page.structured import Structured, text_of

_ARTICLE = r"(?:artikel|beitrag|text|inhalt|bericht|volltext|story)s?"
_THIS = rf"(?:diese[rns]?|de[rn]|ganzen|gesamten|vollständigen|kompletten) {_ARTICLE}"
# compared with the page's text in lower case, which is several times as fast as ignoring case
_PROMPT = re.compile(
    rf"\b(?:(?:jetzt|gratis|kostenlos|hier|sofort|einfach) (?:\w+ )?weiterlesen|weiterlesen (?:mit|im|nur|ab|für)\b"
    rf"|(?:mit|ohne|im) (?:\S+ ){{0,3}}\S*(?:abo|plus|premium|probemonat|tagespass|digitalpass)\S* (?:weiter)?lesen"
    rf"|(?:um|wollen sie|möchten sie|sie (?:möchten|wollen)|willst du|du willst|lust)"
    rf" (?:[\w-]+ ){{0,5}}weiter(?:zu)?lesen"
    rf"|(?:registrieren|anmelden|einloggen|abonnieren|testen|bestellen|freischalten)"
    rf" (?:und|,) (?:\S+ ){{0,2}}weiterlesen"
    rf"|{_THIS} (?:ist|steht|gibt es|lesen|können sie|kannst du) (?:\S+ ){{0,4}}"
    rf"(?:nur|exklusiv|ausschließlich|vorbehalten|kostenpflichtig)\b"
    rf"|{_THIS} (?:jetzt )?freischalten|kostenpflichtiger {_ARTICLE}"
    rf"|exklusiv (?:für|mit) (?:\S+ ){{0,3}}\S*(?:abonnent\w*|abo|plus-\w+|plus)\b"
    rf"|(?:lesen|sichern) sie (?:diesen|den ganzen|den vollständigen) {_ARTICLE} (?:mit|im|jetzt)"
    rf"|{_THIS} (?:lesen|lest|lies) (?:sie|ihr|du)? ?(?:nur )?(?:mit|im|als)\b"
    rf"|(?:lesen sie|lest|lies) (?:\S+ ){{0,2}}{_THIS} (?:mit|im|als|weiter)\b|und {_THIS} (?:weiter)?lesen"
    rf"|(?:ist|das ist) ein (?:\S+ )?(?:plus|premium|abo|bezahl)(?:[-+ ]|\S*-)?artikel"
    rf"|zugriff auf (?:diesen|diese|den|dieses) (?:und alle |\S+ )?(?:weiteren |anderen )?{_ARTICLE}"
    r"|noch (?:kein|keine|nicht) (?:\S+ )?(?:abo|abonnent\w*|abonniert|digitalabo)\b"
    r"|(?:subscribe|sign up|register|log ?in|sign in) (?:\S+ )?to (?:continue|keep|read|unlock)"
    r"|(?:to )?continue reading"
    r" (?:this|with|for)|this (?:article|content|story) is (?:only |exclusively )?(?:for|available to|reserved for)"
    r" (?:\S+ )?(?:subscribers|members)|already a subscriber"
    r"|(?:article |contenu )?réservé aux abonnés|il vous reste [\d.,]+ ?% de (?:cet|l)|pour lire la suite"
    r"|la suite (?:de cet article )?est réservée)",
)
# what a container of the article is called when the page is locked; 'no-paywall' and 'paywall-free' are none
_LOCKED = re.compile(
    r"(?<![a-z])(?<!no-)(?<!not-)(?<!without-)"
    r"(?:pay-?wall(?:ed)?|paid(?:-?(?:content|article))?|premium-?(?:article|content|artikel)"
    r"|plus-?(?:article|artikel|content)|(?:is-|article-|content-)?locked|is-premium|is-paid"
    r"|kostenpflichtig|bezahlartikel)"
    r"(?![a-z])(?!-?(?:free|disabled|off|inactive|open|false))",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?:][\"“”»«'’)\]]*\Z|\)\Z")
_CUT = ("...", "…", "[...]", "[…]")
_SHORT, _VERY_SHORT = 200, 120  # words; most stubs have less than a hundred, nearly no article has


def stated(structured: Structured, tree: Element) -> bool | None:
    """What the page says for machines. A meter is neither; a locked part counts where the page has that part."""
    values = [structured.article.get("isAccessibleForFree")]
    values += [node.get("isAccessibleForFree") for node in structured.typed("newsarticle", "article", "webpage")]
    values += [
        element.get("content") or text_of(element, 20)
        for element in structured.micro.get("isaccessibleforfree", ())[:1]
    ]
    for value in values:
        if (said := _truth(value)) is not None:
            return said
    if any(_is_locked_part(part, tree) for part in _listed(structured.article.get("hasPart"))):
        return False
    tier = (structured.first_meta("article:content_tier", "og:article:content_tier") or "").lower()
    return {"free": True, "locked": False}.get(tier)


def _listed(value: Any) -> list[Any]:
    return value[:20] if isinstance(value, list) else [value]


def _truth(value: Any) -> bool | None:
    value = value[0] if isinstance(value, list) and value else value
    if isinstance(value, bool):
        return value
    word = value.strip().lower().rsplit("/", 1)[-1] if isinstance(value, str) else ""
    return {"true": True, "false": False}.get(word)


def _is_locked_part(part: Any, tree: Element) -> bool:
    if not isinstance(part, dict) or _truth(part.get("isAccessibleForFree")) is not False:
        return False
    selectors = [each for each in _listed(part.get("cssSelector")) if isinstance(each, str) and len(each) < 200]
    for each in selectors:
        try:
            if CSSSelector(each, translator="html")(tree):
                return True
        except (SelectorError, ValueError):
            continue
    return False


def marked(tree: Element, heading: Element | None) -> bool:
    """Whether what holds the headline is named as locked."""
    body = tree.find("body")
    around = [body, *heading.iterancestors()] if heading is not None else [body]
    return any(_LOCKED.search(each.get("class") or "") for each in around if each is not None)


def looks_locked(text: str, page_text: str, is_marked: bool) -> bool:
    """Whether *text* is what is left before a paywall: it is short or breaks off, and the page asks for more."""
    words = text.count(" ") + text.count("\n")
    cut = breaks_off(text)
    if words >= _SHORT and not cut:
        return False
    if is_marked and (cut or words < _VERY_SHORT):
        return True
    return asks_for_payment(page_text)


def asks_for_payment(page_text: str) -> bool:
    """Whether a page offers to go on with *this* article for money or a registration."""
    return any(_PROMPT.search(piece) for piece in _around_words(page_text))


# Every prompt has one of these; to look for them first is a quarter of the work.
_PROMPT_WORDS = (
    "lesen", "freischalt", "exklusiv", "artikel", "beitrag", "bericht", "inhalt", "volltext", "dieser text",
    "diesen text", "story", "abo ", "abo\n", "abo?", "abo.", "digitalabo", "abonn", "subscri", "sign up", "sign in",
    "register", "log in", "login", "continue", "already a", "member", "réservé", "vous reste", "la suite", "zugriff",
)  # fmt: skip
_NEAR = 160  # characters; no prompt is longer


def _around_words(text: str) -> Iterator[str]:
    """The pieces of *text*, in small letters, around the words that prompts have."""
    small = text.lower() + " "
    places = []
    for word in _PROMPT_WORDS:
        at = small.find(word)
        while at >= 0:
            places.append(at)
            at = small.find(word, at + _NEAR)
    begin = end = -1
    for at in sorted(places):
        if at - _NEAR > end:
            if end > 0:
                yield small[max(begin, 0) : end]
            begin = at - _NEAR
        end = at + 2 * _NEAR
    if end > 0:
        yield small[max(begin, 0) : end]


def breaks_off(text: str) -> bool:
    """Whether the text ends within a sentence."""
    end = text.rstrip()[-40:]
    return bool(end) and (end.endswith(_CUT) or not _SENTENCE_END.search(end))


# -- scrambled text ---------------------------------------------------------------------------------------------------

_PROVING_WORDS, _PROVEN = 12, 0.25
_READABLE = 0.16  # share of common words in what a paid page lets everybody read
_LEAST = 60  # characters; a shorter line does not tell
_LETTERS = re.compile(r"[^\W\d_]")
_VOWELS = frozenset("aeiouyäöüàâéèêëîïôûAEIOUYÄÖÜ")
_PLACEHOLDERS = ("lorem ipsum", "dolor sit amet")


def without_scrambled(blocks: Sequence[Block], is_paid: Callable[[], bool]) -> tuple[list[Block], list[Removed]]:
    """The blocks without those whose letters were shifted, shuffled or encoded so that only subscribers can read them.

    Such text stands at the end of the page, so an article whose last paragraphs read well is not looked at further.
    Text that becomes language when it is shifted back proves itself; what merely looks like none is believed where the
    page *is_paid*, for elsewhere it is a language that is not known here.
    """
    last = [block for block in blocks if len(block.text) >= _LEAST][-3:]
    is_bad = [is_scrambled(block.text) for block in last]
    is_jumble = not any(is_bad) and _are_jumbled(blocks, last)
    if not any(is_bad) and not is_jumble:
        return list(blocks), []
    if not any(share_of_common(block.text) > _READABLE for block in blocks if len(block.text) >= _LEAST):
        return list(blocks), []  # nothing of it is in a language that is known here
    if not any(map(is_proven, (block.text for block in last))) and not is_paid():
        return list(blocks), []
    # where one is, others are likely
    kept = [
        block
        for block in blocks
        if not is_scrambled(block.text, words=4, language=0.12)
        and not (is_jumble and is_jumbled(block.text, likely=True))
    ]
    removed = [Removed(block.text[:500], "scrambled") for block in blocks if block not in kept]
    while kept and kept[-1].kind == "heading":
        removed.append(Removed(kept.pop().text, "heading without text"))
    return kept, removed


def _are_jumbled(blocks: Sequence[Block], last: Sequence[Block]) -> bool:
    """Whether an article that begins in sentences goes on, for a good part of it, in jumbled letters.

    A paragraph in a language that is not known here looks the same, but it is a quotation.
    """
    if not any(is_jumbled(block.text) for block in last):
        return False
    long = [block.text for block in blocks if len(block.text) >= _LEAST]
    jumbled = sum(len(text) for text in long if is_jumbled(text, likely=True))
    return jumbled * 3 >= sum(map(len, long)) - jumbled and any(share_of_common(text) > 0.2 for text in long)


# The pairs of letters that make up nine tenths of German, English and French, ^ and $ being a word's ends.
_PAIRS = frozenset(
    re.findall(r"\S+", """
    ^a ^b ^c ^d ^e ^f ^g ^h ^i ^j ^k ^l ^m ^n ^o ^p ^r ^s ^t ^u ^v ^w ^y ^z a$ ab ac ad ag ah ai al am an ar as at au
    ba be bi bo bu ca ce ch ck co d$ da de di e$ ea ec ed ee eg eh ei el em en er es et eu f$ fa fe ff fi fo fr ft g$
    ga ge gi gr h$ ha he hi hl ho hr ht i$ ia ic id ie ig il im in io ir is it iv k$ ke ko l$ la le li ll lo ls lt ly
    m$ ma me mi mo mp n$ na nc nd ne ng ni nn no ns nt o$ oc of ol om on or os ot ou ow p$ pa pe pl po pr r$ ra rd re
    rg ri rk rn ro rs rt ru s$ sa sc se si so sp ss st su t$ ta te th ti to tr ts tt tu tz u$ uc uf ul um un ur us ut
    ve vi vo wa we wi wo y$ ze zu
    """)
)  # fmt: skip
_ENCODED = re.compile(r"\s*[A-Za-z0-9+/_-]{120,}=*\s*")
_ADDRESS = re.compile(r"\S*(?:://|www\.|@)\S*")
_WORDS = re.compile(r"[^\W\d_]+")


_OTHER_LETTERS = re.compile(r"[^\W\d_a-zäöüßàâáéèêëîïíìôóòõûùúçñœæåø]", re.IGNORECASE)


def is_jumbled(text: str, *, likely: bool = False) -> bool:
    """Whether *text* is written in small letters but not in words of German, English or French; names, results and
    languages with other letters are not meant. *likely*: other paragraphs are jumbled, so less will do.
    """
    if _ENCODED.fullmatch(text):
        return True
    text = text[:600]
    if any(mark in text for mark in ("://", "www.", "@")):
        text = _ADDRESS.sub(" ", text)
    least, common, known = (6, 0.2, 0.86) if likely else (16, 0.14, 0.8)
    if share_of_common(text) > common:  # nearly every paragraph is known by this
        return False
    words = _WORDS.findall(text)
    if len(words) < least or sum(word[0].islower() for word in words) < 0.5 * len(words):
        return False
    if len(_OTHER_LETTERS.findall(text)) > 0.01 * len(text):
        return False
    pairs = [f"^{word}$"[at : at + 2] for word in map(str.lower, words) for at in range(len(word) + 1)]
    return sum(pair in _PAIRS for pair in pairs) < known * len(pairs)


def is_proven(text: str) -> bool:
    """Whether *text* becomes language when its characters are moved back, or is encoded."""
    if _ENCODED.fullmatch(text):
        return True
    text = text[:600]
    if len(text.split()) < _PROVING_WORDS or share_of_common(text) > 0.03:
        return False
    return any(share_of_common(each) > _PROVEN for each in (*_moved(text), *_turned(text), text[::-1]))


def is_scrambled(text: str, words: int = 16, language: float = 0.25) -> bool:
    """No word of any known language, and it has as few vowels as chance gives, or becomes language when shifted.

    A text of fewer *words* does not tell; *language* is the share of common words from which something is language.
    """
    lower = text.lower()
    if any(placeholder in lower for placeholder in _PLACEHOLDERS):
        return True
    text = text[:600]
    if len(text.split()) < words or share_of_common(text) > 0.03:
        return False
    letters = _LETTERS.findall(text)
    if len(letters) < 0.6 * len(text.replace(" ", "")) and not any(
        share_of_common(each) > language for each in _moved(text)
    ):
        return False  # figures and results, not sentences
    latin = [letter for letter in letters if letter < "\u0250"]
    if len(latin) < 0.8 * len(letters):
        return False  # another script
    share = sum(letter in _VOWELS for letter in latin) / max(len(latin), 1)
    return share < 0.24 or any(share_of_common(each) > language for each in (*_moved(text), *_turned(text), text[::-1]))


def _moved(text: str) -> list[str]:
    """Every character but blanks some places back or on."""
    return [
        "".join(c if c.isspace() else chr(max(32, ord(c) + by)) for c in text)
        for by in (-1, 1, -2, 2, -3, 3, -4, 4, -5, 5)
    ]


def _turned(text: str) -> list[str]:
    """The alphabet turned by every number of letters."""
    small, large = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return [
        text.translate(str.maketrans(small + large, small[by:] + small[:by] + large[by:] + large[:by]))
        for by in range(1, 26)
    ]
