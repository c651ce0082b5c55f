"""What a source's own pages teach: where its articles stand, what repeats under them; a replay stays the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from crawler import config
from crawler.comparing import compared
from crawler.services import Services, open_services
from pipelines.items import Page
from pipelines.reading import read, shipped_rules
from pipelines.reading.body.blocks import Block
from pipelines.reading.body.containers import FEWEST_PLAIN, agreed, known_on, name_of
from pipelines.reading.body.recurring import Occurrence, Paragraph, key_of, repeated_in
from pipelines.reading.body.repeated import is_protected, without_repeated
from pipelines.reading.page.tree import parse
from pipelines.reading.rules import Rules, SiteModel
from pipelines.site_models import FittedModel, Read, fit_site_model, observed, shrinks
from pipelines.store import Store, site_models

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
SUBJECTS = [
    "Brücke",
    "Bahnhof",
    "Klinik",
    "Stadion",
    "Theater",
    "Deponie",
    "Flugplatz",
    "Museum",
    "Rathaus",
    "Hafen",
    "Tunnel",
    "Friedhof",
    "Bibliothek",
    "Fabrik",
    "Schleuse",
    "Kaserne",
    "Sternwarte",
    "Kraftwerk",
    "Weinberg",
    "Schloss",
    "Universität",
    "Gericht",
    "Brunnen",
    "Siedlung",
]
PROMPT = "In unserer neuen Hörserie sprechen Reporterinnen jede Woche mit Gästen über Fälle, die niemanden loslassen."
OLD, NEW = "story-text", "prose-block"


def subject(number: int) -> str:
    return ("", "Nord", "Süd", "Ost", "West")[number // 24 % 5] + SUBJECTS[number % 24]


def own(number: int) -> list[str]:
    """The paragraphs of an article that no other has. Each has its own subject: with the same one they were copies."""
    one, other = subject(number), subject(number * 7 + 5)
    return [
        f"An {one} wird gearbeitet, so Abschnitt {number} der Bauleitung mit, die auch {other} betreut. "
        + f"Für Vorhaben {1000 + number} sind Mittel {number + 3} Millionen im Haushalt eingeplant.",
        f"Der Rat hatte {one} in Sitzung {number} beraten und den Plänen nach langer Aussprache zugestimmt, obwohl "
        + f"viele Anwohner am Standort {number} Einwände gegen Lärm, Staub und Sperrungen hatten.",
        f"Fertig werden soll {one} im Abschnitt {number} erst nach dem Winter, wenn auch {other} wieder geöffnet ist. "
        + f"Bis dahin fahren die Busse der Linie {number} über {other}, und wer zu Fuß geht, muss am Zaun {number} "
        + f"entlang einen Umweg von {number + 10} Minuten in Kauf nehmen, sagte die Verwaltung auf Anfrage.",
    ]


def html(number: int, *more: str, container: str = OLD) -> str:
    body = "".join(f"<p>{line}</p>" for line in (*own(number), *more))
    title = f"{subject(number)} wird im Abschnitt {1000 + number} erneuert"
    return (
        f'<html lang="de"><head><title>{title}</title></head><body><main><h1>{title}</h1>'
        f'<div class="{container}">{body}</div></main></body></html>'
    )


def page(number: int, *more: str, container: str = OLD, hours: int = 6) -> Page:
    at = START + timedelta(hours=hours * number)
    url = f"https://www.blatt.example/artikel-{number}"
    return Page(url, "blatt", html(number, *more, container=container).encode(), at)


def articles(count: int, *lines: str, every: int = 2) -> list[Occurrence]:
    """*count* articles, four a day; every second one, or so, has *lines* at its end."""
    return [
        Occurrence(
            date(2026, 1, 5) + timedelta(days=number // 4), (*own(number), *(lines if number % every == 0 else ()))
        )
        for number in range(count)
    ]


# -- containers --------------------------------------------------------------------------------------------------------


def test_a_container_is_named_by_what_is_the_template_s_and_not_the_article_s():
    tree = parse(
        '<body><div class="page"><article id="post-4711" class="post-4711 category-politik entry tag-rat css-1x2y3z">'
        "<div><div><p>Text</p></div></div></article></div></body>"
    )
    inner = tree.find(".//p").getparent()
    assert name_of(inner, tree.find("body")) == "article.entry>div>div"
    assert name_of(tree.find("body"), tree.find("body")) is None


def test_a_container_is_believed_when_nearly_all_pages_agree():
    assert agreed(["div.text"] * 9 + [None]) == ("div.text",)
    assert agreed(["div.text"] * 2) == ()
    assert agreed(["div.text"] * 5 + ["div.other"] * 1 + [None] * 4) == ()
    assert agreed(["div.text"] * 5 + ["div.video"] * 5) == ("div.text", "div.video")


def test_containers_of_which_one_lies_in_the_other_are_not_believed():
    assert agreed(["div.text"] * 6 + ["div.text>div"] * 4) == ()


def test_a_container_is_read_as_it_stands_only_when_that_made_no_difference_on_many_pages():
    assert agreed(["div.text!"] * FEWEST_PLAIN) == ("div.text!",)
    assert agreed(["div.text!"] * (FEWEST_PLAIN - 1)) == ("div.text",)
    assert agreed(["div.text!"] * 8 + ["div.text"]) == ("div.text",)


@pytest.mark.parametrize(
    ("body", "paragraphs"),
    [
        ("<div class=text><p>{0}</p></div>", 1),  # too little to be an article
        ("<div class=text><p>{0}</p><p>{0}</p></div>" * 2, 4),  # there twice
        ("<div class=text><p>{0}</p><p>{0}</p></div><div><p>{0}</p><p>{0}</p></div>", 4),  # half of the prose elsewhere
        ("<div class=other><p>{0}</p><p>{0}</p></div>", 2),  # not there
    ],
)
def test_in_doubt_the_page_is_read_in_the_general_way(body, paragraphs):
    root = parse(f"<body>{body.format('Ein Satz, der lang genug ist. ' * 4)}</body>").find("body")
    assert known_on(root, ("div.text",), paragraphs) == (None, False)


def test_a_known_container_gives_the_same_article():
    rules = shipped_rules()
    general = read(page(1, PROMPT), Rules(phrases=rules.phrases, site_model=SiteModel(learning=True)))
    assert general.container == f"div.{OLD}!"
    for name in (f"div.{OLD}", f"div.{OLD}!"):
        known = read(page(1, PROMPT), Rules(phrases=rules.phrases, site_model=SiteModel(3, (name,))))
        assert (known.text, known.text_markdown, known.lesson) == (general.text, general.text_markdown, 3)


# -- repeated paragraphs -----------------------------------------------------------------------------------------------


def test_a_prompt_that_returns_under_different_articles_on_several_days_is_boilerplate():
    (found,) = repeated_in(articles(40, PROMPT))
    assert (found.text, found.articles, found.days) == (PROMPT, 20, 10)


def test_a_prompt_is_not_known_after_few_articles_or_on_one_day():
    assert repeated_in(articles(40, PROMPT, every=10)) == ()
    assert repeated_in([Occurrence(START.date(), each.paragraphs) for each in articles(40, PROMPT)]) == ()


@pytest.mark.parametrize(
    "line",
    [
        "„Wir haben das so nie gewollt und werden es ändern“, sagte Bürgermeisterin Wieland dazu dem Morgenbriefing.",
        "Das teilte die Deutsche Presse-Agentur am Abend unter Berufung auf Behördenkreise mit.",
        "Das berichten übereinstimmend mehrere Nachrichtenagenturen aus Sicherheitskreisen.",
        "In einer früheren Version dieses Textes stand ein falscher Betrag, wir bitten um Entschuldigung.",
        "Anmerkung der Redaktion: Wegen zahlreicher Leserhinweise ist dieser Beitrag ergänzt worden.",
    ],
)
def test_speech_agencies_and_corrections_are_the_article_s_however_often_they_return(line):
    assert is_protected(line)
    assert repeated_in(articles(40, line)) == ()


def test_the_name_of_a_newsletter_in_quotation_marks_is_no_speech():
    assert not is_protected("Abonnieren Sie „Morgenlage“, unseren Newsletter am Morgen.")


def test_the_background_of_a_running_story_is_the_article_s():
    line = "Die Sternwarte war im Herbst in die Schlagzeilen geraten, als Fernrohre für Millionen verschwanden."
    told_ = [
        Occurrence(each.day, (*(text.replace(SUBJECTS[number % 24], "Sternwarte") for text in each.paragraphs), line))
        if number % 4 == 0
        else each
        for number, each in enumerate(articles(60))
    ]
    assert repeated_in(told_) == ()


def test_the_formulas_of_reports_are_the_article_s():
    assert repeated_in(articles(80, "Verletzt wurde nach Angaben der Polizei niemand.", every=12)) == ()


def test_editions_of_one_article_do_not_make_its_paragraphs_boilerplate():
    same = [Occurrence(START.date() + timedelta(days=number), (*own(1), f"Stand {number}")) for number in range(12)]
    assert repeated_in([*articles(30), *same]) == ()


def test_what_repeats_is_taken_and_named_and_nothing_is_taken_where_it_is_most_of_the_text():
    blocks = [Block("paragraph", line) for line in (*own(1), PROMPT)]
    kept, removed = without_repeated(blocks, {key_of(PROMPT)})
    assert [block.text for block in kept] == own(1)
    assert [(piece.text, piece.rule) for piece in removed] == [(PROMPT, "repeated")]
    assert without_repeated(blocks[3:], {key_of(PROMPT)}) == (blocks[3:], [])


def test_a_lesson_does_not_forget_what_an_earlier_one_took():
    rules = shipped_rules()
    learned = Rules(phrases=rules.phrases, site_model=SiteModel(1, (), frozenset({key_of(PROMPT)})))
    taken = [read(page(number, PROMPT), learned) for number in range(12)]
    assert all(PROMPT not in article.text for article in taken)
    rest = [read(page(number), learned) for number in range(12, 24)]
    assert [each.text for each in fit_site_model([observed(each) for each in (*taken, *rest)]).repeated] == [PROMPT]


# -- in the database ---------------------------------------------------------------------------------------------------


async def kept(store: Store, pages: list[Page], rules: Rules) -> None:
    run = await store.begin_run("blatt", "crawl", "host:1")
    for each in pages:
        await store.save_article(run, each, read(each, rules))
    await store.end_run(run, "finished")


def rules_with(learned: SiteModel) -> Rules:
    return Rules(phrases=shipped_rules().phrases, language="de", site_model=learned)


async def test_a_lesson_is_made_when_enough_articles_have_come_and_numbered_when_it_says_something_new(store, sql_rows):
    first = rules_with(await store.site_model("blatt"))
    await kept(store, [page(number, *[PROMPT] * (number % 2)) for number in range(site_models.EVERY - 1)], first)
    assert await store.learn("blatt") is None
    await kept(store, [page(site_models.EVERY - 1, PROMPT)], first)
    assert await store.learn("blatt") == 1
    assert await store.learn("blatt") is None
    site_model = await store.site_model("blatt")
    assert site_model == SiteModel(1, (f"div.{OLD}!",), frozenset({key_of(PROMPT)}), learning=True)

    await kept(store, [page(number, PROMPT) for number in range(20, 40)], rules_with(site_model))
    assert await store.learn("blatt") is None  # the same is no new state
    removed = sql_rows("SELECT DISTINCT rule, text FROM news.removed WHERE rule = 'repeated'")
    assert removed == [("repeated", PROMPT)]
    assert sql_rows("SELECT lesson, count(*) FROM news.versions GROUP BY 1 ORDER BY 1") == [(0, 20), (1, 20)]


async def test_a_redesign_is_told_and_learned(store, sql_rows):
    await kept(store, [page(number) for number in range(20)], rules_with(await store.site_model("blatt")))
    assert await store.learn("blatt") == 1
    site_model = await store.site_model("blatt")
    state = "SELECT lesson, template_changed FROM news.sources WHERE name = 'blatt'"
    assert sql_rows(state) == [(1, False)]
    await kept(store, [page(number, container=NEW) for number in range(20, 30)], rules_with(site_model))
    assert sql_rows(state) == [(1, True)]
    await store.learn("blatt")  # does not wait for twenty
    await kept(store, [page(number, container=NEW) for number in range(30, 60)], rules_with(site_model))
    assert await store.learn("blatt") is not None
    assert f"div.{NEW}!" in (await store.site_model("blatt")).containers
    assert sql_rows("SELECT template_changed FROM news.sources WHERE name = 'blatt'") == [(False,)]


def test_a_lesson_that_makes_texts_shrink_is_refused():
    def seen(container: str, length: int, *more: str) -> Read:
        return Read(container, length, Occurrence(date(2026, 1, 5), ("x" * length, *more)))

    known = SiteModel(1, (f"div.{OLD}!",))
    model = FittedModel((f"div.{NEW}",))
    old = [seen(f"div.{OLD}!", 3000)] * 20
    short = [seen(f"div.{NEW}", 900)]
    assert "div.prose-block have 900 characters, the others 3000" in shrinks(short * 9 + old, model, known)
    assert shrinks([seen(f"div.{NEW}!", 2500)] * 9 + old, model, known) == ""
    assert shrinks(short * 2 + old, model, known) == ""  # too few to say so
    prompt = Paragraph(key_of(PROMPT), PROMPT, 9, 3)
    with_prompt = FittedModel(known.containers, (prompt,))
    assert shrinks([seen(f"div.{OLD}", 3000, PROMPT)] * 9, with_prompt, known) == ""
    assert "would be left" in shrinks([seen(f"div.{OLD}", 60, PROMPT)] * 9, with_prompt, known)


async def test_copies_and_later_wordings_teach_nothing(store):
    rules = rules_with(await store.site_model("blatt"))
    same = [Page(f"https://www.blatt.example/kopie-{n}", "blatt", page(1).body, page(n).fetched_at) for n in range(30)]
    await kept(store, same, rules)
    assert await store.learn("blatt") is None


@pytest.fixture
async def services(tmp_path: Path, database_url: str) -> AsyncIterator[Services]:
    folder = tmp_path / "config"
    (folder / "sources").mkdir(parents=True)
    (folder / "settings.toml").write_text(
        f'[crawl]\nreaders = 1\n[archive]\nfolder = "{tmp_path / "archive"}"\n[reading]\nlearn = true\n'
    )
    (folder / "sources" / "blatt.toml").write_text(
        'title = "Blatt"\nhomepage = "https://www.blatt.example/"\n[discover]\nfeeds = ["https://www.blatt.example/rss"]\n'
    )
    async with open_services(config.load(folder), database_url) as opened:
        yield opened


async def test_a_stored_page_is_read_again_with_the_lesson_that_was_in_force(services):
    old = [page(number, *[PROMPT] * (number % 2)) for number in range(20)]
    await kept(services.store, old, services.derived.rules("blatt", await services.site_model("blatt")))
    await services.learn("blatt")
    new = page(21, PROMPT)
    await kept(services.store, [new], services.derived.rules("blatt", await services.site_model("blatt")))
    assert [each.site_model.state for each in await services.rules_for(old[1], new)] == [0, 1]
    for each in (old[1], new):
        comparison = await compared(services, each)
        assert (comparison.outcome, comparison.changes) == ("unchanged", {})


async def test_where_learning_is_off_nothing_is_learned(services):
    settings = services.configuration.settings
    off = settings.model_copy(update={"reading": settings.reading.model_copy(update={"learn": False})})
    services = services.with_configuration(replace(services.configuration, settings=off))
    await kept(services.store, [page(number, PROMPT) for number in range(25)], services.derived.rules("blatt"))
    await services.learn("blatt")
    assert await services.site_model("blatt") == SiteModel()
    assert (await services.store.site_model("blatt")).state == 0
