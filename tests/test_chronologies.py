"""Times, captions and figures in the midst of a text: what is the article's and what is not."""

# ruff: noqa: E501 - a page's markup is read more easily on one line

from __future__ import annotations

import pytest

from tests.reading_pages import SAID, article, p, page, text_on

CASES: list = []


def case(name: str, html: str, has=(), lacks=()) -> None:
    """Note a page with what must and what must not be read from it."""
    CASES.append(pytest.param(html, has, lacks, id=name))


for n, H in {
    "date": ["24. Februar 2022", "3. März 2023", "17. Juni 2024"],
    "dmy": ["24.02.2022", "03.03.2023", "17.06.2024"],
    "clock": ["14:05 Uhr", "15.30 Uhr", "18:00 Uhr"],
    "clock title": ["14:05 Uhr – Erste Hochrechnung", "15:30 Uhr – Zweite Hochrechnung", "18 Uhr – Prognose"],
    "weekday": ["Montag, 3. März", "Dienstag, 4. März", "Mittwoch, 5. März"],
    "year": ["1989", "2001", "2022"],
    "month": ["Februar 2022", "März 2022", "April 2023"],
}.items():
    for tag in ("h2", "h3", "h4"):
        case(
            f"chrono {n} {tag}",
            page(article(p(0), *[f"<{tag}>{x}</{tag}>{p(i + 1)}" for i, x in enumerate(H)])),
            [x + " " + SAID[i + 1] for i, x in enumerate(H)],
        )
    case(
        f"chrono {n} bold",
        page(article(p(0), *[f"<p><strong>{x}</strong></p>{p(i + 1)}" for i, x in enumerate(H)])),
        [x + " " + SAID[i + 1] for i, x in enumerate(H)],
    )
    case(
        f"chrono {n} first",
        page(article(*[f"<h3>{x}</h3>{p(i + 1)}" for i, x in enumerate(H)])),
        [x + " " + SAID[i + 1] for i, x in enumerate(H)],
    )
    case(
        f"chrono {n} time",
        page(article(p(0), *[f"<h3><time datetime='2022-02-24'>{x}</time></h3>{p(i + 1)}" for i, x in enumerate(H)])),
        [x + " " + SAID[i + 1] for i, x in enumerate(H)],
    )
    case(
        f"chrono {n} dl",
        page(article(p(0), "<dl>", *[f"<dt>{x}</dt><dd>{SAID[i + 1]}</dd>" for i, x in enumerate(H)], "</dl>", p(6))),
        [x + " " + SAID[i + 1] for i, x in enumerate(H)],
    )
    case(
        f"chrono {n} timeline divs",
        page(
            article(
                p(0),
                "<div class=timeline>",
                *[
                    f"<div class=timeline-item><div class=timeline-date>{x}</div><div class=timeline-text>{SAID[i + 1]}</div></div>"
                    for i, x in enumerate(H)
                ],
                "</div>",
                p(6),
            )
        ),
        [x + " " + SAID[i + 1] for i, x in enumerate(H)],
    )
case("one date line", page(article("<p>3. Dezember 2025, 16:30 Uhr</p>", p(0), p(1), p(2))), [SAID[0]], ["16:30"])
case("stand", page(article("<p>Stand: 03.12.2025, 16:30 Uhr</p>", p(0), p(1), p(2))), [SAID[0]], ["16:30"])
case(
    "more on",
    page(
        "<article><h1>Voters</h1>"
        + "".join(
            f"<p>{x}</p>"
            for x in [
                "The council of the town decided on Tuesday evening to build a new path along the old harbour, after four hours of debate.",
                "The mayor called it a good day for the town, because children and elderly people can now reach the ferry safely, she said.",
            ]
        )
        + "<h2>More on the costs of the wall</h2><p>The costs have risen in the last two years, above all because of the quay wall, which has to be founded anew in three places, according to the treasurer of the town and his colleagues.</p></article>",
        language="en",
    ),
    ["More on the costs of the wall"],
)
case(
    "mehr zum thema",
    page(
        article(
            p(0),
            p(1),
            "<h3>Mehr zum Thema</h3><ul><li><a href=/a/1>Blaskapelle gewinnt dritten Preis</a></li></ul>",
            p(2),
            p(3),
        )
    ),
    [SAID[2]],
    ["Mehr zum Thema", "Blaskapelle"],
)
case(
    "caption quelle",
    page(
        article(
            p(0),
            "<p>Jeder vierte Steg im Kreis ist älter als vierzig Jahre (Quelle: Brückenverzeichnis des Landes)</p>",
            p(1),
            "<p>Auf ihnen gehen am Tag 612 Leute über einen Bach. (Quelle: Zählung des Kreises)</p>",
            p(2),
            "<p>Die Miete stieg um vier Prozent, Quelle: Destatis</p>",
            p(3),
        )
    ),
    ["Jeder vierte", "612", "Destatis"],
)
case(
    "caption bild",
    page(
        article(
            p(0),
            "<p>Er habe das Geld nie gesehen, sagte der Wirt gegenüber Bild: „Nie im Leben“</p>",
            p(1),
            "<p>Der Fotograf, dessen Werke im Netz stehen, verklagt nun Getty Images.</p>",
            p(2),
            "<p>Darüber berichtete zuerst die Bild: Der Vertrag sei schon im Mai unterschrieben worden</p>",
            p(3),
        )
    ),
    ["gegenüber Bild", "Getty Images.", "zuerst die Bild"],
)
case(
    "captions go",
    page(
        article(
            p(0),
            "<p>Die Brücke von oben. Foto: Uli Maier/imago</p>",
            p(1),
            "<p>Bundeskanzlerin im Bundestag (Foto: dpa)</p><p>Der Hafen am Abend (Quelle: dpa)</p><p>Ein Schiff © Hans Maier</p><p>Bild: Peter Kneffel/dpa</p><p>Ein Kran. Bild: picture alliance / dpa | Peter Kneffel</p><p>Der Hafen bei Nacht - Foto: Gemeinde Oberlind</p>",
            p(2),
            p(3),
        )
    ),
    [SAID[3]],
    ["Brücke von oben", "im Bundestag", "am Abend", "Ein Schiff", "Kneffel", "Ein Kran", "bei Nacht"],
)
case(
    "figure quote dup",
    page(
        article(
            p(0),
            p(1),
            '<figure class="wp-block-pullquote"><blockquote><p>Wir bauen das jetzt, egal was kommt</p></blockquote></figure>',
            "<p>Die Bürgermeisterin war bester Laune: Wir bauen das jetzt, egal was kommt, sagte sie und lachte dabei in die Kameras.</p>",
            p(2),
        )
    ),
    [SAID[2]],
)
case(
    "figure code",
    page(
        article(
            p(0),
            "<figure class=highlight><pre><code>for each in harbour:\n    print(each.name, each.length)</code></pre></figure>",
            p(2),
            p(3),
        )
    ),
    ["print(each.name"],
)
case(
    "figure tweet",
    page(
        article(
            p(0),
            p(1),
            '<figure class="wp-block-embed"><blockquote class="twitter-tweet"><p>Was für ein Tag am Hafen, danke an alle</p>&mdash; Uli (@uli)</blockquote></figure>',
            p(2),
        )
    ),
    [SAID[2]],
    ["@uli"],
)
case(
    "figure pic",
    page(
        article(
            p(0),
            "<figure><img src=a.jpg><figcaption>Die Bürgermeisterin am Hafen bei der Eröffnung im Mai</figcaption></figure>",
            p(1),
            p(2),
            p(3),
        )
    ),
    [SAID[2]],
    ["bei der Eröffnung"],
)
case(
    "figure div caption",
    page(
        article(
            p(0),
            "<figure><img src=a.jpg><div class=c><p>Die Bürgermeisterin am Hafen bei der Eröffnung im Mai, die viele Bürger besuchten.</p></div></figure>",
            p(1),
            p(2),
            p(3),
        )
    ),
    [SAID[2]],
    ["bei der Eröffnung"],
)
case(
    "figure quote portrait",
    page(
        article(
            p(0),
            f"<figure class=quote><img src=face.jpg><blockquote>{SAID[4]}</blockquote><figcaption>Uli Maier, Händler</figcaption></figure>",
            p(1),
            p(2),
            p(3),
        )
    ),
    [SAID[4]],
)
case(
    "results titled",
    page(
        article(
            p(0),
            p(1),
            "<h2>Ergebnisse</h2><table><tr><td>Freie Liste</td><td>12</td></tr><tr><td>Lindbund</td><td>9</td></tr></table>",
            p(2),
            p(3),
        )
    ),
    ["Freie Liste", "12"],
)
case(
    "results auf einen blick",
    page(
        article(
            p(0),
            p(1),
            "<h2>Auf einen Blick</h2><table><tr><th>Partei</th><th>Stimmen</th></tr><tr><td>Freie Liste</td><td>38,4 %</td></tr><tr><td>Lindbund</td><td>29,9 %</td></tr></table>",
            p(2),
            p(3),
        )
    ),
    ["Freie Liste", "38,4"],
)
case(
    "results scores",
    page(
        article(
            p(0),
            p(1),
            "<h2>Im Überblick</h2><table><tr><td>FC Hafen – SV Deich</td><td>2:1</td></tr><tr><td>TSV Mole – FC Watt</td><td>0:0</td></tr></table>",
            p(2),
            p(3),
        )
    ),
    ["FC Hafen", "2:1"],
)
case(
    "results dl",
    page(
        article(
            p(0),
            p(1),
            "<h2>Im Überblick</h2><dl><dt>Freie Liste</dt><dd>38,4 Prozent</dd><dt>Lindbund</dt><dd>29,9 Prozent</dd></dl>",
            p(2),
            p(3),
        )
    ),
    ["Freie Liste", "38,4"],
)
case(
    "results prices",
    page(
        article(
            p(0),
            p(1),
            "<h2>Im Überblick</h2><ul><li><b>Erwachsene:</b> 12 Euro</li><li><b>Kinder:</b> 6 Euro</li><li><b>Familien:</b> 30 Euro</li></ul>",
            p(2),
            p(3),
        )
    ),
    ["12 Euro", "Familien"],
)


@pytest.mark.parametrize(("html", "has", "lacks"), CASES)
def test_what_structures_the_text_stays_and_what_stands_beside_it_goes(html: str, has, lacks):
    text = text_on(html)
    assert [each for each in has if " ".join(each.split()) not in text] == []
    assert [each for each in lacks if each in text] == []
