"""Text that stands in a page's source is read where a reader would see it, once the page's script has run."""

# ruff: noqa: E501 - a page's markup is read more easily on one line

from __future__ import annotations

import pytest

from tests.reading_pages import SAID, TITLE, article, p, page, stated, text_on

CASES: list = []


def case(name: str, html: str, has=(), lacks=()) -> None:
    """Note a page with what must and what must not be read from it."""
    CASES.append(pytest.param(html, has, lacks, id=name))


case(
    "shadow slots",
    page(
        f"<hb-a><template shadowrootmode=open><article><slot name=title></slot><slot></slot></article></template><h1 slot=title>{TITLE}</h1>{p(0)}{p(1)}{p(2)}{p(3)}</hb-a>"
    ),
    [SAID[0], SAID[3]],
)
case(
    "shadow old attr",
    page(f"<hb-a><template shadowroot=open><div><h1>{TITLE}</h1>{p(0)}{p(1)}{p(2)}</div></template></hb-a>"),
    [SAID[0], SAID[2]],
)
case(
    "shadow part",
    page(
        f"<article><h1>{TITLE}</h1>{p(0)}{p(1)}<x-body><template shadowrootmode=open>{p(2)}{p(3)}</template></x-body>{p(4)}</article>"
    ),
    [SAID[0], SAID[2], SAID[3], SAID[4]],
)
case(
    "shadow nested",
    page(
        f"<x-p><template shadowrootmode=open><x-a><template shadowrootmode=open><h1>{TITLE}</h1>{p(0)}{p(1)}{p(2)}</template></x-a></template></x-p>"
    ),
    [SAID[0], SAID[2]],
)


def S(n, x):
    return f'<div hidden id="S:{n}">{x}</div>'


case(
    "react whole",
    page(
        '<div id=__next><!--$?--><template id="B:0"></template><p>Lädt…</p><!--/$--></div>',
        after=S(0, article(p(0), p(1), p(2))) + '<script>$RC("B:0","S:0")</script>',
    ),
    [SAID[0], SAID[2]],
)
case(
    "react RS",
    page(
        article(p(0), p(1), '<template id="P:2"></template>', p(4)),
        after=S(2, p(2) + p(3)) + '<script>$RS("S:2","P:2")</script>',
    ),
    [SAID[2], SAID[3]],
)
case(
    "react prefix",
    page(
        article(p(0), p(1), '<!--$?--><template id="app-B:a"></template><!--/$-->'),
        after='<div hidden id="app-S:a">' + p(2) + p(3) + '</div><script>$RC("app-B:a","app-S:a")</script>',
    ),
    [SAID[2], SAID[3]],
)
case(
    "react order",
    page(
        article(p(0), '<!--$?--><template id="B:1"></template><!--/$-->', p(4)),
        after=S(1, p(2) + p(3)) + '<script>$RC("B:1","S:1")</script>',
    ),
    [SAID[0] + " " + SAID[2], SAID[3] + " " + SAID[4]],
)
case(
    "react nested",
    page(
        article(p(0), '<template id="B:1"></template>'),
        after=S(1, p(2) + '<template id="B:2"></template>')
        + S(2, p(3) + p(5))
        + '<script>$RC("B:1","S:1")</script><script>$RC("B:2","S:2")</script>',
    ),
    [SAID[2], SAID[3], SAID[5]],
)
q = "Wann kann man wieder hinüber?"
case(
    "faq button no heading",
    page(
        article(
            p(0),
            f"<button aria-expanded=false aria-controls=a1>{q}</button><div id=a1 hidden>{p(1)}</div><button aria-expanded=false aria-controls=a2>Wer zahlt den Steg?</button><div id=a2 hidden>{p(2)}</div>",
            p(3),
        )
    ),
    [q, SAID[1], "Wer zahlt den Steg?", SAID[2], SAID[3]],
)
case(
    "faq h3 button hidden",
    page(
        article(
            p(0),
            f"<h3><button aria-expanded=false aria-controls=a1>{q}</button></h3><div id=a1 role=region hidden>{p(1)}</div><h3><button>Wer zahlt den Steg?</button></h3><div hidden>{p(2)}</div>",
            p(3),
        )
    ),
    [q, SAID[1], SAID[2]],
)
case(
    "faq details",
    page(
        article(
            p(0),
            f"<details><summary>{q}</summary>{p(1)}</details><details><summary><h3>Wer zahlt den Steg?</h3></summary>{p(2)}</details>",
            p(3),
        )
    ),
    [q, SAID[1], "Wer zahlt den Steg?", SAID[2]],
)
case(
    "faq details div",
    page(article(p(0), f"<details><summary>{q}</summary><div>{SAID[1]}</div></details>", p(3))),
    [q, SAID[1]],
)
case(
    "faq span button",
    page(
        article(
            p(0),
            f'<div class=faq-item><h3><button><span>{q}</span><svg><path/></svg></button></h3><div class=faq-answer style="display:none">{p(1)}</div></div>',
            p(3),
        )
    ),
    [q, SAID[1]],
)
case(
    "faq bootstrap",
    page(
        article(
            p(0),
            f'<div class=card><div class=card-header><h5><button class="btn btn-link collapsed" data-toggle=collapse data-target="#c1" aria-expanded=false>{q}</button></h5></div><div id=c1 class=collapse><div class=card-body>{SAID[1]}</div></div></div>',
            p(3),
        )
    ),
    [q, SAID[1]],
)
case(
    "faq role button div",
    page(
        article(
            p(0), f"<div role=button aria-expanded=false tabindex=0>{q}</div><div aria-hidden=true>{p(1)}</div>", p(3)
        )
    ),
    [q, SAID[1]],
)
case(
    "faq microdata",
    page(
        article(
            p(0),
            f'<div itemscope itemtype="https://schema.org/Question"><h3 itemprop=name>{q}</h3><div itemprop=acceptedAnswer itemscope><div itemprop=text>{p(1)}</div></div></div>',
            p(3),
        )
    ),
    [q, SAID[1]],
)
case(
    "tabs",
    page(
        article(
            p(0),
            f"<div role=tablist><button role=tab aria-controls=t1>Pro</button><button role=tab aria-controls=t2>Contra</button></div><div role=tabpanel id=t1>{p(1)}</div><div role=tabpanel id=t2 hidden>{p(2)}</div>",
            p(3),
        )
    ),
    [SAID[1], SAID[2]],
)
case(
    "more text",
    page(
        article(
            p(0),
            p(1),
            f'<div id=more style="display:none">{p(2)}{p(3)}</div><button onclick="show()">Weiterlesen</button>',
        )
    ),
    [SAID[2], SAID[3]],
    ["Weiterlesen"],
)
case(
    "more text link",
    page(article(p(0), p(1), f'<a href="#" class=toggle>Ganzen Text anzeigen</a><div class=hidden>{p(2)}{p(3)}</div>')),
    [SAID[2], SAID[3]],
)
case(
    "hidden cookie",
    page(
        article(p(0), p(1), p(2)),
        after="<div hidden role=dialog aria-modal=true><p>Wir und unsere Partner verwenden Cookies auf dieser Website, um Inhalte und Anzeigen zu personalisieren und die Zugriffe zu messen, siehe Datenschutz.</p><button>OK</button></div>",
    ),
    [SAID[0]],
    ["Cookies"],
)
case(
    "hidden print dup",
    page(
        article(
            p(0),
            p(1),
            p(2),
            "<div hidden class=print><p>Dieser Artikel wurde ausgedruckt unter der Adresse hafenbote.example und ist urheberrechtlich geschützt, alle Rechte liegen beim Verlag.</p></div>",
        )
    ),
    [SAID[0]],
    ["ausgedruckt"],
)
case("unclosed button", page(article("<button class=share>Teilen", p(0), p(1), p(2), p(3))), [SAID[0], SAID[3]])
case(
    "unclosed button end",
    page(article(p(0), p(1), "<button class=like>Gefällt mir", p(2), p(3), p(4))),
    [SAID[0], SAID[2], SAID[4]],
)
case("unclosed noscript", page(article("<noscript><img src=a.jpg>", p(0), p(1), p(2), p(3))), [SAID[0], SAID[3]])
case(
    "noscript only",
    page(f"<h1>{TITLE}</h1><div id=app></div><noscript><article>{p(0)}{p(1)}{p(2)}</article></noscript>"),
    [SAID[0], SAID[2]],
)
case(
    "noscript notice",
    page(
        article(
            p(0),
            p(1),
            p(2),
            "<noscript><p>Bitte aktivieren Sie JavaScript in Ihrem Browser, damit Sie alle Inhalte dieser Seite sehen und alle Funktionen nutzen können.</p></noscript>",
        )
    ),
    [SAID[0]],
    ["JavaScript"],
)
case(
    "script template",
    page(
        f"<h1>{TITLE}</h1><div id=app></div><script type='text/template' id=art><article>{p(0)}{p(1)}{p(2)}</article></script>"
    ),
    [SAID[0], SAID[2]],
)
case(
    "template el",
    page(f"<h1>{TITLE}</h1><div id=app></div><template id=art><div>{p(0)}{p(1)}{p(2)}</div></template>"),
    [SAID[0], SAID[2]],
)
case(
    "articleBody html",
    page("<div id=root></div><script src=a.js></script>", head=stated(articleBody="".join(map(p, range(5))))),
    [SAID[0], SAID[4]],
    ["<p>"],
)
case(
    "articleBody entities",
    page(
        "<div id=root></div><script src=a.js></script>",
        head=stated(articleBody="".join(map(p, range(5))).replace("<", "&lt;").replace(">", "&gt;")),
    ),
    [SAID[0], SAID[4]],
    ["<p>", "&lt;"],
)
case(
    "articleBody one line",
    page("<div id=root></div><script src=a.js></script>", head=stated(articleBody=" ".join(SAID[:5]))),
    [SAID[0], SAID[4]],
)
case(
    "articleBody with lead shown",
    page(
        f"<h1>{TITLE}</h1><p>{SAID[0]}</p><div id=root></div><script src=a.js></script>",
        head=stated(articleBody="\n\n".join(SAID[:6])),
    ),
    [SAID[0], SAID[5]],
)
case(
    "articleBody paid",
    page(
        f"<article><h1>{TITLE}</h1>{p(0)}{p(1)}</article>",
        head=stated(articleBody="\n\n".join(SAID[:6]), isAccessibleForFree=False),
    ),
    [SAID[0]],
    [SAID[5]],
)
case(
    "articleBody graph",
    page("<div id=root></div><script src=a.js></script>", head=stated(articleBody="\r\n".join(SAID[:5]))),
    [SAID[0], SAID[4]],
)


@pytest.mark.parametrize(("html", "has", "lacks"), CASES)
def test_what_a_reader_would_see_is_read(html: str, has, lacks):
    text = text_on(html)
    assert [each for each in has if " ".join(each.split()) not in text] == []
    assert [each for each in lacks if each in text] == []
