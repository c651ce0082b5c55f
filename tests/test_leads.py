"""A lead is found wherever a page shows it."""

# ruff: noqa: E501 - a page's markup is read more easily on one line

from __future__ import annotations

import pytest

from tests.reading_pages import SAID, TITLE, p, page, stated, text_on

CASES: list = []


def case(name: str, html: str, has=(), lacks=()) -> None:
    """Note a page with what must and what must not be read from it."""
    CASES.append(pytest.param(html, has, lacks, id=name))


L = "Nach langem Streit hat sich der Ortsrat für Eiche entschieden. Die Angler wollen das nicht hinnehmen."
d = f'<meta name="description" content="{L}">'
rest = "".join(map(p, range(4)))
for meta, m in (("", ""), (" desc", d)):
    case(
        "lead h2 header" + meta,
        page(
            f'<article><header class="article-header"><h1>{TITLE}</h1><h2>{L}</h2><span>Von Eva Roth</span></header><div class=body>{rest}</div></article>',
            head=stated() + m,
        ),
        [L, SAID[0], SAID[3]],
    )
    case(
        "lead h2 hgroup" + meta,
        page(
            f"<article><hgroup><h1>{TITLE}</h1><h2 class=sub>{L}</h2></hgroup><div class=body>{rest}</div></article>",
            head=stated() + m,
        ),
        [L, SAID[0]],
    )
    case(
        "lead figure h1" + meta,
        page(
            f"<article><figure class=hero><img src=a.jpg><figcaption><h1>{TITLE}</h1><p>{L}</p></figcaption></figure><div class=body>{rest}</div></article>",
            head=stated() + m,
        ),
        [L, SAID[0]],
    )
    case(
        "lead hero div" + meta,
        page(
            f'<div class=hero><img src=a.jpg alt="Ein Steg"><div class=hero-text><h1>{TITLE}</h1><p>{L}</p></div></div><div class=body>{rest}</div>',
            head=stated() + m,
        ),
        [L, SAID[0]],
    )
    case(
        "lead metered" + meta,
        page(
            f'<article><h1>{TITLE}</h1><p class=summary>{L}</p><div class="metered-content"><div class=inner>{rest}</div></div></article>',
            head=stated() + m,
        ),
        [L, SAID[0]],
    )
    case(
        "lead before paywall" + meta,
        page(
            f'<article><div class=top><h1>{TITLE}</h1></div><p>{L}</p><section class="paywall-content">{rest}</section></article>',
            head=stated() + m,
        ),
        [L, SAID[0]],
    )
    case(
        "lead eq alt" + meta,
        page(
            f'<article><h1>{TITLE}</h1><div class=pic><img src=a.jpg alt="{L}"></div><p class=lead>{L}</p><div class=body>{rest}</div></article>',
            head=stated() + m,
        ),
        [L, SAID[0]],
    )
    case(
        "lead eq alt after" + meta,
        page(
            f'<article><h1>{TITLE}</h1><p><b>{L}</b></p><div class=pic><img src=a.jpg alt="{L}"></div><div class=body>{rest}</div></article>',
            head=stated() + m,
        ),
        [L, SAID[0]],
    )
    case(
        "lead first sentence" + meta,
        page(
            f"<article><h1>{TITLE}</h1><p class=lead>Nach langem Streit hat sich der Ortsrat für Eiche entschieden.</p><div class=body><p>{L}</p>{rest}</div></article>",
            head=stated() + m,
        ),
        [L, SAID[0]],
    )
    case(
        "lead strong p" + meta,
        page(f"<article><h1>{TITLE}</h1><p><strong>{L}</strong></p>{rest}</article>", head=stated() + m),
        [L, SAID[0]],
    )
    case(
        "lead above h1 no" + meta,
        page(
            f"<article><header><p class=kicker>Oberlind</p><h1>{TITLE}</h1><div class=intro>{L}</div></header>{rest}</article>",
            head=stated() + m,
        ),
        [L, SAID[0]],
    )
    case(
        "lead h3 class" + meta,
        page(
            f'<article><h1>{TITLE}</h1><h3 class="article__standfirst">{L}</h3><div class=meta>4. November 2025, 18:10 Uhr</div><div class=body>{rest}</div></article>',
            head=stated() + m,
        ),
        [L, SAID[0]],
        ["18:10"],
    )
    case(
        "lead in nav-ish header tag" + meta,
        page(
            f'<header class="entry-header"><h1>{TITLE}</h1><p>{L}</p></header><div class=entry-content>{rest}</div>',
            head=stated() + m,
        ),
        [L, SAID[0]],
    )


@pytest.mark.parametrize(("html", "has", "lacks"), CASES)
def test_a_lead_is_read_where_it_stands(html: str, has, lacks):
    text = text_on(html)
    assert [each for each in has if " ".join(each.split()) not in text] == []
    assert [each for each in lacks if each in text] == []
