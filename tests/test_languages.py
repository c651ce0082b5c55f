"""Language files: what is checked when one is loaded, and that the shipped ones say what they promise."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipelines.reading.fields.dates import parse
from pipelines.reading.language_keys import KEYS
from pipelines.reading.languages import LanguageError, company, each, either, languages, load, words

ROOT = Path(__file__).resolve().parents[1]
BERLIN = ZoneInfo("Europe/Berlin")
FETCHED = datetime(2025, 12, 3, 17, 0, tzinfo=UTC)


def shipped_copy(folder: Path, **changes: str) -> Path:
    """The shipped file of Dutch in *folder*, lines exchanged: key -> the whole new line ('' takes it out)."""
    text = (ROOT / "config/languages/nl.toml").read_text("utf-8").replace('beside = ["en"]', "beside = []")
    for key, line in changes.items():
        text, count = re.subn(rf"^{key} = .*$", lambda _, line=line: line, text, count=1, flags=re.MULTILINE)
        assert count == 1, key
    (folder / "nl.toml").write_text(text, "utf-8")
    return folder


def test_a_shipped_file_alone_is_a_language(tmp_path: Path):
    found = load(shipped_copy(tmp_path))
    assert found["nl"].months["maart"] == 3
    assert found["nl"].weekdays["zondag"] == 6
    assert found["nl"].days_ago["gisteren"] == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"code": 'code = "de"'}, "nl.toml: code: expected 'nl', the file's name, found 'de'"),
        ({"name": "name = 3"}, "nl.toml: name: expected the language's English name as text"),
        ({"beside": 'beside = ["xx"]'}, "nl.toml: beside: there is no xx.toml; there are: nl"),
        ({"time_zones": 'time_zones = ["Europe/Amsterdm"]'}, "'Europe/Amsterdm' is no time zone; did you mean"),
        ({"days_ago": ""}, "nl.toml: dates.days_ago: is missing: words for days"),
        ({"days_ago": 'days_ago = ["vandaag"]'}, "dates.days_ago: expected a table of words and whole numbers"),
        ({"weekdays": 'weekdays = [["maandag"]]'}, "dates.weekdays: expected 7 lists of words"),
        ({"to": 'too = ["tot"]'}, "dates.too: there is no such key; did you mean 'dates.to'?"),
        ({"one": "one = 'een'"}, "dates.one: expected a list of texts"),
        ({"one": "one = ['(een)']"}, "'(een)' has a group that captures; write (?:...)"),
        ({"one": "one = ['een(']"}, "'een(' is no regular expression"),
        ({"one": "one = ['(?:een)?']"}, "'(?:een)?' matches nothing at all as well"),
        ({"one": r"one = ['(?:\w+ ?)+x']"}, "repeats a repetition"),
    ],
)
def test_a_mistake_is_named_with_file_key_and_what_was_expected(tmp_path: Path, changes: dict[str, str], said: str):
    with pytest.raises(LanguageError) as caught:
        load(shipped_copy(tmp_path, **changes))
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_every_mistake_of_every_file_is_named_at_once(tmp_path: Path):
    shipped_copy(tmp_path, days_ago="", one="one = 3")
    (tmp_path / "xx.toml").write_text("code = ", "utf-8")
    with pytest.raises(LanguageError) as caught:
        load(tmp_path)
    said = str(caught.value)
    assert "dates.days_ago" in said
    assert "dates.one" in said
    assert "xx.toml: cannot be read as TOML" in said


def test_an_empty_folder_is_no_set_of_languages(tmp_path: Path):
    with pytest.raises(LanguageError, match="no language file"):
        load(tmp_path)


def test_a_language_keeps_the_company_its_file_names_and_an_unknown_one_german_s():
    assert company("it") == ("it", "en")
    assert company("de") == ("de", "en", "fr")
    assert company("ja") == company(None) == company("de")


def test_words_of_all_languages_or_of_some():
    assert {"uhr", "uur"} <= words("dates.clock_words")
    assert "uur" not in words("dates.clock_words", codes=["de"])
    assert each("dates.to", codes=["nl", "de"]) == ("tot", "t/m", "bis")
    assert re.fullmatch(either("labels.published"), "veröffentlich")
    assert not re.search(either("dates.day_words_only_here", codes=["de"]), "hier")


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_used_by_a_language_and_explained(key: str):
    if KEYS[key].shape in ("words", "patterns"):
        assert each(key), f"no language file has {key}"
    assert f"`{key}`" in (ROOT / "docs/adding-a-language.md").read_text("utf-8")
    assert KEYS[key].about in (ROOT / "docs/adding-a-language.md").read_text("utf-8")


@pytest.mark.parametrize("code", languages())
def test_a_shipped_language_says_where_it_is_at_home_and_has_its_own_common_words(code: str):
    language = languages()[code]
    assert language.time_zones
    for other in languages():
        shared = words("text.common", codes=[code]) & words("text.common", codes=[other])
        assert code == other or len(shared) <= 5, f"{code} and {other} share {sorted(shared)}"


@pytest.mark.parametrize(
    ("code", "text", "at"),
    [
        ("it", "Pubblicato il 3 dicembre 2025 alle ore 10:15", (3, 10, 15)),
        ("it", "Mercoledì 3 Dicembre 2025, ore 10.15", (3, 10, 15)),
        ("it", "2 ore fa", (3, 16, 0)),
        ("it", "ieri alle 9:30", (2, 9, 30)),
        ("es", "3 de diciembre de 2025, 10:15", (3, 10, 15)),
        ("es", "Publicado el 3 de diciembre del 2025 a las 10:15 horas", (3, 10, 15)),
        ("es", "Actualizado: 03/12/2025 10:15h", (3, 10, 15)),
        ("es", "hace 2 horas", (3, 16, 0)),
        ("nl", "Gepubliceerd: wo 3 dec. 2025, 10:15", (3, 10, 15)),
        ("nl", "3 december 2025 om 10.15 uur", (3, 10, 15)),
        ("nl", "een uur geleden", (3, 17, 0)),
        ("pl", "3 grudnia 2025, godz. 10:15", (3, 10, 15)),
        ("pl", "środa, 3 grudnia 2025 r. 10:15", (3, 10, 15)),
        ("pl", "2 godziny temu", (3, 16, 0)),
        ("pl", "wczoraj, 10:15", (2, 10, 15)),
    ],
)
def test_dates_are_read_as_their_language_writes_them(code: str, text: str, at: tuple[int, int, int]):
    stated = parse(text, FETCHED, BERLIN, code)
    assert stated is not None
    day, hour, minute = at
    assert stated.at == datetime(2025, 12, day, hour, minute, tzinfo=BERLIN)


def test_a_word_means_what_it_means_in_the_page_s_language():
    assert parse("2. Sie 2025", FETCHED, BERLIN, "de") is None  # in Polish 'sie' is August
    assert parse("2 sie 2025", FETCHED, BERLIN, "pl").at.month == 8
    assert parse("3 mar 2025", FETCHED, BERLIN, "it").at.month == 3


# The modules that hold no word of German any more. Others of the reader still do: a module is added here when its words
# have moved.
WITHOUT_WORDS = (
    "fields/dates.py", "fields/date_grammar.py", "fields/fallback_dates.py", "fields/people.py", "fields/authors.py",
    "fields/title.py", "fields/language.py", "verdict/other_pages.py", "page/evidence.py", "page/visible.py",
    "page/jsonld.py", "page/json_mending.py", "page/tree.py",
)  # fmt: skip
GERMAN_ALONE = re.compile(r"[a-zäöüß]{6,}")


def strings_of(path: Path) -> set[str]:
    """The words of six letters and more in a file's strings, docstrings left out."""
    tree = ast.parse(path.read_text("utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)) and isinstance(node.body[0], ast.Expr)
    }
    values = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return {word for node in values if id(node) not in docstrings for word in GERMAN_ALONE.findall(node.value.lower())}


@pytest.mark.parametrize("name", WITHOUT_WORDS)
def test_python_holds_no_word_of_german(name: str):
    text = (ROOT / "config/languages/de.toml").read_text("utf-8")
    others = "".join(path.read_text("utf-8") for path in (ROOT / "config/languages").glob("e[ns].toml"))
    german = set(GERMAN_ALONE.findall(text.lower())) - set(GERMAN_ALONE.findall(others.lower()))
    german -= {"german", "language", "languages", "beside", "public", "europe", "datetime"}
    keys = {part for key in KEYS for part in re.split(r"[._]", key)}
    found = strings_of(ROOT / "pipelines/reading" / name)
    assert not (found & german) - keys
    assert not {word for word in found if set(word) & set("äöüß")} - {"äöüß"}
