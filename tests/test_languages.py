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
from pipelines.reading.languages import LanguageError, company, each, either, languages, load, sorted_either, words

ROOT = Path(__file__).resolve().parents[1]
READING = ROOT / "pipelines/reading"
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
        ({"one": r"one = ['eene?', 'een\pN']"}, r"'een\\pN' is no regular expression"),  # RE2 takes it
        ({"one": "one = ['eene?', 'een|']"}, "'een|' matches nothing at all as well"),
        ({"one": "one = ['een', 'een{1,2}{3}']"}, "'een{1,2}{3}' is no regular expression"),
        ({"one": "one = ['(?:een)?']"}, "'(?:een)?' matches nothing at all as well"),
        ({"one": r"one = ['(?:\w+ ?)+x']"}, "repeats a repetition"),
        ({"modified": r"modified = ['Herzien\W']"}, r"'Herzien\\W' has a capital; it meets texts in small letters"),
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


# German words that stay in Python, and why.
LEFT = {
    "body/class_name_rules.py": "names of classes and ids, which sites write on pages of any language",
    "body/boilerplate.py": "sentences that no phrase may take whole, with which phrase files are checked",
    "body/containers.py": "a part of class names that WordPress themes write: 'ressort-politik'",
    "body/paging.py": "names of classes that sites use: 'galerie'",
    "fields/agency.py": "names of agencies: 'Nachrichtenagentur' is part of some",
    "fields/dates.py": "MESZ, a zone that machines write",
    "fields/kind.py": "'ticker' and the address of advertisements",
    "fields/times.py": "the documentation's table quotes 'Stand' and 'Veröffentlicht'",
    "language_keys.py": "what the documentation says of the keys quotes examples",
}
# Words that English, or HTML, has as well.
SHARED = frozenset(
    (
        "audio", "berlin", "card", "community", "detail", "disclaimer", "europa", "forum", "german", "icon", "item",
        "lang", "land", "lies", "lightbox", "navigation", "paper", "person", "player", "post", "radio", "region",
        "shop", "stream", "symbol", "teaser", "ticker", "widget",
    )
)  # fmt: skip
UMLAUTS = frozenset("äöüß")
WORD = re.compile(r"[a-zäöüß]{4,}")
ASKING = ("either", "words", "each", "each_of")  # their arguments are keys of the language files


def strings_of(path: Path) -> set[str]:
    """The words of four letters and more in a module's strings; docstrings and keys of language files left out."""
    tree = ast.parse(path.read_text("utf-8"))
    skipped = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)) and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ASKING:
            skipped |= {id(argument) for argument in node.args}
    values = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return {word for node in values if id(node) not in skipped for word in WORD.findall(node.value.lower())}


def words_of(code: str) -> set[str]:
    """The words of four letters and more in a language's files."""
    texts = ((ROOT / f"config/{folder}/{code}.toml").read_text("utf-8") for folder in ("languages", "boilerplate"))
    return {
        word for text in texts for word in WORD.findall(re.sub(r"(?m)#\s.*$|^\w+ = |^about = .*$", "", text).lower())
    }


def german_words() -> set[str]:
    """Words that German's files have and no other language's."""
    return words_of("de").difference(*(words_of(code) for code in languages() if code != "de")) - SHARED


@pytest.fixture(scope="module")
def german() -> set[str]:
    return german_words()


MODULES = sorted(str(path.relative_to(READING)) for path in READING.rglob("*.py"))


@pytest.mark.parametrize("name", [name for name in MODULES if name not in LEFT])
def test_python_holds_no_word_of_german(name: str, german: set[str]):
    found = strings_of(READING / name)
    assert not found & german
    assert not {word for word in found if UMLAUTS & set(word) and not is_a_range(word)}


@pytest.mark.parametrize("name", sorted(LEFT))
def test_an_exception_is_one(name: str, german: set[str]):
    found = strings_of(READING / name)
    assert found & (german | SHARED) or any(UMLAUTS & set(word) for word in found)


def test_the_words_are_found_where_they_are(tmp_path: Path, german: set[str]):
    (tmp_path / "module.py").write_text(
        '"""Von der Redaktion, docstring."""\nA = r"weiterlesen|von"\nB = either("kind.gallery")\n', "utf-8"
    )
    assert strings_of(tmp_path / "module.py") & german == {"weiterlesen"}
    assert {"zustimmung", "veröffentlich", "bezahlartikel", "nächste", "komplettansicht", "wartungs"} <= german


def is_a_range(word: str) -> bool:
    """Whether a word is what is left of a set of letters: '[A-ZÄÖÜa-zäöüß]'."""
    return set(word) <= UMLAUTS | set("aeiouyz")


def test_words_of_all_languages_are_found_sorted_as_unsorted():
    some = sorted(words("text.common", "body.by_machine", "paywall.words"))
    text = " ".join(f"{word} {word.title()} {word.upper()}" for word in some)
    for keys in (("body.address",), ("body.address", "body.here"), ("body.by_machine",), ("paywall.prompts",)):
        plain, quick = (rf"\b{made(*keys)}" for made in (either, sorted_either))
        assert re.findall(quick, text) == re.findall(plain, text)
