"""Of the articles that a page shows below each other, the one of its address is read."""

# ruff: noqa: E501 - a page's markup is read more easily on one line

from __future__ import annotations

import pytest

from tests.reading_pages import SAID, TITLE, p, page, text_on

CASES: list = []


def case(name: str, html: str, has=(), lacks=()) -> None:
    """Note a page with what must and what must not be read from it."""
    CASES.append(pytest.param(html, has, lacks, id=name))


K = [
    "Die Blaskapelle Niederlind hat beim Wettstreit in der Kreisstadt den dritten Preis gewonnen, womit nach den Proben kaum jemand gerechnet hatte.",
    "Dirigent Ottmar Quast lobte vor allem die Posaunen, die in diesem Frühjahr vier junge Spieler aus der Musikschule dazubekommen haben.",
    "Gespielt wurden ein Marsch und eine Ouvertüre, bei der die Richter besonders auf die leisen Stellen achteten, wie ihr Sprecher sagte.",
    "Das Preisgeld fließt in neue Notenständer, denn die alten stammen noch aus der Zeit, als die Kapelle im Gasthof zur Krone probte.",
]


def k(i):
    return f"<p>{K[i]}</p>"


mine = f"<h1>{TITLE}</h1>{p(0)}{p(1)}{p(2)}"
H = "Blaskapelle gewinnt dritten Preis"


def other(t="h1"):
    return f"<{t}>{H}</{t}>" + "".join(map(k, range(4)))


W = [SAID[0], SAID[2]]
B = [K[0][:40], K[3][:40], H]
case("scroll article siblings", page(f"<article>{mine}</article><article>{other()}</article>"), W, B)
case("scroll h2", page(f"<article class=post>{mine}</article><article class=post>{other('h2')}</article>"), W, B)
case(
    "scroll div same class",
    page(f"<div class='single-post'>{mine}</div><div class='single-post'>{other()}</div>"),
    W,
    B,
)
case(
    "scroll div nested",
    page(
        f"<div class=feed><div class='item first'><div class=art>{mine}</div></div><div class=item><div class=art>{other()}</div></div></div>"
    ),
    W,
    B,
)
case(
    "scroll data-url",
    page(
        f"<section class=a data-url='/lokales/radweg-12345.html'>{mine}</section><section class=b data-url='/sport/kegeln-777.html'>{other()}</section>"
    ),
    W,
    B,
)
case(
    "scroll header",
    page(
        f"<article><header><h1>{TITLE}</h1></header><div class=body>{p(0)}{p(1)}{p(2)}</div></article><article><header><h1>{H}</h1></header><div class=body>{k(0)}{k(1)}{k(2)}{k(3)}</div></article>"
    ),
    W,
    B,
)
case("scroll three", page(f"<article>{mine}</article><article>{other()}</article><article>{other()}</article>"), W, B)
case(
    "scroll body outside",
    page(
        f"<div class=wrap><div class=head><h1>{TITLE}</h1></div><div class=txt>{p(0)}{p(1)}{p(2)}</div></div><div class=wrap><div class=head><h1>{H}</h1></div><div class=txt>{k(0)}{k(1)}{k(2)}{k(3)}</div></div>"
    ),
    W,
    B,
)
case(
    "sections with h1 stay",
    page(
        f"<article><h1>{TITLE}</h1>{p(0)}{p(1)}<section><h1>Was nun kommt</h1>{p(3)}{p(4)}</section><section><h1>Was es kostet</h1>{p(5)}{p(6)}</section></article>"
    ),
    [SAID[0], SAID[3], SAID[6]],
)
case(
    "sections h2 div",
    page(
        f"<div class=section><h1>{TITLE}</h1>{p(0)}{p(1)}</div><div class=section><h2>Was nun kommt</h2>{p(3)}{p(4)}</div><div class=section><h2>Was es kostet</h2>{p(5)}{p(6)}</div>"
    ),
    [SAID[0], SAID[3], SAID[6]],
)
case(
    "live posts",
    page(
        f"<article><h1>{TITLE}</h1>{p(0)}{p(1)}<article><h2>14:05 Uhr – Erste Zahl</h2>{p(3)}{p(4)}</article><article><h2>15:05 Uhr – Zweite Zahl</h2>{p(5)}{p(6)}</article></article>"
    ),
    [SAID[0], SAID[3], SAID[6]],
)
case(
    "article head and body",
    page(
        f"<article class=head><h1>{TITLE}</h1><p>{SAID[0]}</p></article><article class=body>{p(1)}{p(2)}<h2>Kosten</h2>{p(3)}{p(4)}</article>"
    ),
    [SAID[1], SAID[4]],
)


LONG = "".join(map(p, range(8)))
case(
    "scroll without names",
    page(
        f"<div><div><h1>{TITLE}</h1></div>{LONG}</div><section><div><h1>{H}</h1></div>{''.join(map(k, range(4)))}</section>"
    ),
    (SAID[0], SAID[7]),
    B,
)
case(
    "scroll h2 of the same class",
    page(
        f"<div class=item><h1 class=entry>{TITLE}</h1>{p(0)}{p(1)}{p(2)}</div><div class=item>{other('h2').replace('<h2', '<h2 class=entry')}</div>"
    ),
    W,
    B,
)
case(
    "a heading of the headline's class stays in an article without paragraphs",
    page(
        f"<div class=item><div class=item><h1 class=entry>{TITLE}</h1><div>{SAID[0]}</div><div>{SAID[1]}</div></div>"
        f"<div class=item><div>{SAID[2]}</div><h2 class=entry>Die Kosten</h2><div>{SAID[3]}</div><div>{SAID[4]}</div></div></div>"
    ),
    (SAID[0], SAID[2], SAID[4]),
)
case(
    "a short text above another container stays the beginning",
    page(
        f"<div class=a><h1>{TITLE}</h1>{p(0)}</div><section class=b><h1>Die Kosten</h1>{''.join(map(p, range(1, 8)))}</section>"
    ),
    (SAID[3], SAID[7]),
)
case(
    "a long part with a heading of the first order inside of the article stays",
    page(
        f"<div class=a><h1>{TITLE}</h1>{LONG}<section class=b><h1>Die Blaskapelle</h1>{''.join(map(k, range(4)))}</section></div>"
    ),
    (SAID[0], K[0][:40], K[3][:40]),
)


@pytest.mark.parametrize(("html", "has", "lacks"), CASES)
def test_only_the_article_of_the_page_s_address_is_read(html: str, has, lacks):
    text = text_on(html)
    assert [each for each in has if " ".join(each.split()) not in text] == []
    assert [each for each in lacks if each in text] == []
