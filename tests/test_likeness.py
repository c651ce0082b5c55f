"""A name decides only where what it names also looks like it."""

# ruff: noqa: E501 - a page's markup is read more easily on one line

from __future__ import annotations

import pytest

from tests.reading_pages import SAID, TITLE, article, p, page, text_on

CASES: list = []


def case(name: str, html: str, has=(), lacks=()) -> None:
    """Note a page with what must and what must not be read from it."""
    CASES.append(pytest.param(html, has, lacks, id=name))


for cls in (
    "umfrage",
    "poll",
    "quiz",
    "spenden",
    "abo",
    "podcast",
    "newsletter",
    "anzeige",
    "werbung",
    "themen",
    "login",
    "voting",
    "promo",
    "sponsored",
    "kommentar",
    "banner",
    "gallery",
):
    case(
        f"sect class {cls}",
        page(article(p(0), p(1), f'<div class="{cls}"><h2>Was nun geschieht</h2>{p(3)}{p(4)}</div>', p(5), p(6))),
        [SAID[3], SAID[4], SAID[6]],
    )
    case(
        f"sect id {cls}",
        page(article(p(0), p(1), f'<section id="{cls}"><h2>Was nun geschieht</h2>{p(3)}</section>', p(5), p(6))),
        ["Was nun geschieht", SAID[3], SAID[6]],
    )
case(
    "newsletter box",
    page(
        article(
            p(0),
            p(1),
            '<div class="newsletter-box"><h3>Hafenbrief</h3><p>Jeden Morgen das Wichtigste aus dem Hafen: kompakt, kostenlos und direkt in Ihr Postfach, abonnieren Sie jetzt.</p><form><input type=email><button>Anmelden</button></form></div>',
            p(5),
            p(6),
        )
    ),
    [SAID[6]],
    ["Jeden Morgen"],
)
case(
    "newsletter nofields",
    page(
        article(
            p(0),
            p(1),
            '<div class="newsletter"><p>Melden Sie sich für unseren Newsletter an und erhalten Sie jeden Morgen die wichtigsten Nachrichten in Ihr Postfach.</p></div>',
            p(5),
            p(6),
        )
    ),
    [SAID[6]],
    ["Melden Sie"],
)
case(
    "support box",
    page(
        article(
            p(0),
            p(1),
            '<div class="donate"><p>Unabhängiger Journalismus kostet Geld. Unterstützen Sie uns mit einer Spende, damit wir weiter für Sie berichten können.</p><a href=/s>Jetzt spenden</a></div>',
            p(5),
            p(6),
        )
    ),
    [SAID[6]],
    ["Unabhängiger"],
)
case(
    "comments real",
    page(
        article(p(0), p(1), p(2), p(3))
        + '<section class="comments"><h2>Kommentare (2)</h2>'
        + "".join(
            f"<div class=comment><b>leser{i}</b> <time>03.12.2025, 18:0{i}</time><p>Das sehe ich ganz anders, und zwar schon lange, denn der Hafen gehört den Fischern und nicht den Radfahrern, die nur im Sommer kommen.</p><a href=#>Antworten</a></div>"
            for i in range(6)
        )
        + "</section>"
    ),
    [SAID[3]],
    ["ganz anders"],
)
case(
    "blocks named gallery",
    page(article(*[f'<div class="longread-gallery__text">{SAID[i]}</div>' for i in range(8)])),
    [SAID[0], SAID[7]],
)
case(
    "blocks named Comment",
    page(article(*[f'<div class="ArticleComment_text">{p(i)}</div>' for i in range(8)])),
    [SAID[0], SAID[7]],
)
case(
    "subscriber-preview",
    page(article(f'<div class="subscriber-preview">{p(0)}{p(1)}</div>', p(2), p(3))),
    [SAID[0], SAID[3]],
)
case(
    "elementor",
    page(
        '<div class="elementor"><h1>'
        + TITLE
        + "</h1>"
        + "".join(
            f'<div class="elementor-element elementor-widget elementor-widget-text-editor"><div class="elementor-widget-container">{p(i)}</div></div>'
            for i in range(5)
        )
        + "</div>"
    ),
    [SAID[0], SAID[4]],
)
case(
    "widget-text",
    page(
        "<article><h1>"
        + TITLE
        + "</h1>"
        + "".join(f'<div class="widget-text">{p(i)}</div>' for i in range(5))
        + "</article>"
    ),
    [SAID[0], SAID[4]],
)
case(
    "transcript",
    page(
        article(
            p(0),
            p(1),
            p(2),
            '<div class="player-transcript"><p><b>Uli:</b> Moin.</p><p><b>Eva:</b> Wie war die Sitzung?</p><p><b>Uli:</b> Es war ganz still im Saal.</p></div>',
        )
    ),
    ["Wie war", "ganz still"],
)
case(
    "transcript2",
    page(
        article(
            p(0),
            p(1),
            p(2),
            '<section id="podcast"><h2>Die Folge zum Lesen</h2><p>Uli: Moin.</p><p>Eva: Wie war die Sitzung?</p><p>Uli: Es war ganz still im Saal.</p><p>Eva: Und dann?</p><p>Uli: Dann haben sie abgestimmt.</p></section>',
        )
    ),
    ["Wie war", "ganz still"],
)
case(
    "survey box pic",
    page(
        article(
            p(0),
            p(1),
            "".join(
                f'<div class="statement"><img src={i}.jpg><h3>Eva Person {i}, Lehrerin</h3><p>Ich finde den Steg Nummer {i} richtig, weil der Umweg über die Landstraße im Dunkeln für niemanden ein Vergnügen ist.</p></div>'
                for i in range(4)
            ),
        )
    ),
    [f"Steg Nummer {i}" for i in range(4)] + ["Eva Person 2"],
)
case(
    "statement short pic",
    page(
        article(
            p(0),
            p(1),
            p(2),
            "".join(
                f'<div class="s"><img src={i}.jpg><div><b>Eva Person {i}</b><p>„Ich finde den Steg Nummer {i} richtig, denn er ist sicher.“</p></div></div>'
                for i in range(4)
            ),
            p(3),
        )
    ),
    [f"Steg Nummer {i}" for i in range(4)],
)
case(
    "listicle pic",
    page(
        article(
            p(0),
            p(1),
            "".join(
                f'<div class="item"><h2>{i}. Backhaus Roth {i}</h2><img src={i}.jpg><p>Das Brot Nummer {i} liegt hier noch im Steinofen, und wer bis zehn Uhr kommt, bekommt es noch warm.</p></div>'
                for i in range(1, 6)
            ),
        )
    ),
    [f"Brot Nummer {i}" for i in range(1, 6)] + ["Backhaus Roth 3"],
)
case(
    "listicle links",
    page(
        article(
            p(0),
            p(1),
            p(2),
            p(3),
            p(4),
            p(5),
            "".join(
                f'<div class="item"><h3><a href="/lokale/{i}">Backhaus Roth {i}</a></h3><p>Das Brot Nummer {i} liegt hier noch im Steinofen, und wer bis zehn Uhr kommt, bekommt es warm und mit einem Witz dazu.</p></div>'
                for i in range(1, 6)
            ),
        )
    ),
    [f"Brot Nummer {i}" for i in range(1, 6)] + ["Backhaus Roth 3"],
)
case(
    "listicle flat",
    page(
        article(
            p(0),
            p(1),
            "".join(
                f'<h3><a href="/lokale/{i}">Backhaus Roth {i}</a></h3><p>Das Brot Nummer {i} liegt hier noch im Steinofen, und wer bis zehn Uhr kommt, bekommt es warm und mit einem Witz dazu.</p>'
                for i in range(1, 6)
            ),
        )
    ),
    [f"Brot Nummer {i}" for i in range(1, 6)] + ["Backhaus Roth 3"],
)
case(
    "listicle ol",
    page(
        article(
            p(0),
            p(1),
            "<ol>"
            + "".join(
                f'<li><h3><a href="/lokale/{i}">Backhaus Roth {i}</a></h3><p>Das Brot Nummer {i} liegt hier noch im Steinofen, und wer bis zehn Uhr kommt, bekommt es noch warm.</p></li>'
                for i in range(1, 6)
            )
            + "</ol>",
        )
    ),
    [f"Brot Nummer {i}" for i in range(1, 6)] + ["Backhaus Roth 3"],
)
case(
    "cards related",
    page(
        article(
            p(0),
            p(1),
            p(2),
            p(3),
            p(4),
            p(5),
            "<div class=x><h2>Von nebenan</h2>"
            + "".join(
                f'<div class="item"><a href="/a/schlagzeile-{i}-99{i}"><img src={i}.jpg><h3>Schlagzeile {i} über etwas ganz anderes in der Stadt</h3></a><p>Ein Satz darüber, worum es dort in Nummer {i} geht.</p></div>'
                for i in range(1, 5)
            )
            + "</div>",
        )
    ),
    [SAID[5]],
    ["Schlagzeile 2", "worum es"],
)


@pytest.mark.parametrize(("html", "has", "lacks"), CASES)
def test_what_reads_like_the_article_is_read_whatever_it_is_named(html: str, has, lacks):
    text = text_on(html)
    assert [each for each in has if " ".join(each.split()) not in text] == []
    assert [each for each in lacks if each in text] == []
