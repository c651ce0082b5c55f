"""Configuration: what is accepted, and that every mistake of every file is named at once."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crawler import config
from crawler.config import ConfigError, Settings

SOURCE = """
title = "Beispiel"
homepage = "https://www.beispiel.de/"
language = "de"
[discover]
feeds = ["https://www.beispiel.de/rss.xml"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sources").mkdir()
    (tmp_path / "settings.toml").write_text('contact = "https://nachlese.example"\n')
    (tmp_path / "sources" / "beispiel.toml").write_text(SOURCE)
    return tmp_path


def mistakes(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config.load(folder)
    return [f"{one.file.name}|{one.key}|{one.says}" for one in caught.value.mistakes]


def test_a_source_is_named_after_its_file(folder):
    source = config.load(folder).sources["beispiel"]
    assert (source.name, source.title, source.zone) == ("beispiel", "Beispiel", ZoneInfo("Europe/Berlin"))


def test_the_shipped_configuration_has_no_mistake():
    configuration = config.load(config.shipped_folder())
    assert configuration.sources
    assert configuration.phrases


def test_shipped_settings_state_the_defaults_and_leave_out_no_key():
    table = tomllib.loads((config.shipped_folder() / "settings.toml").read_text())
    assert Settings.model_validate(table) == Settings()
    for name, field in Settings.model_fields.items():
        assert name in table
        if hasattr(field.annotation, "model_fields"):
            # a key that is unset without being written cannot be written here
            with_default = {key for key, inner in field.annotation.model_fields.items() if inner.default is not None}
            assert set(table[name]) == with_default


def test_every_key_of_the_configuration_is_described():
    def undescribed(model):
        for name, field in model.model_fields.items():
            inner = getattr(field.annotation, "model_fields", None)
            if inner is not None:
                yield from undescribed(field.annotation)
            elif not field.description:
                yield f"{model.__name__}.{name}"

    assert [*undescribed(Settings), *undescribed(config.Source)] == []


def test_unknown_keys_are_named_with_the_nearest_allowed_one(folder):
    (folder / "sources" / "beispiel.toml").write_text(SOURCE + '[fetch]\ndealy = "1 second"\n')
    (said,) = mistakes(folder)
    assert said.startswith("beispiel.toml|fetch.dealy|")
    assert "did you mean 'delay'" in said
    assert "allow_addresses" in said


def test_all_mistakes_of_all_files_come_at_once(folder):
    (folder / "settings.toml").write_text('[politeness]\ndelay = "fast"\n')
    (folder / "sources" / "beispiel.toml").write_text(SOURCE.replace("https://www.beispiel.de/rss.xml", "rss.xml"))
    (folder / "sources" / "zweite.toml").write_text('homepage = "https://x.example/"\n')
    said = mistakes(folder)
    assert [one.rsplit("|", 1)[0] for one in said] == [
        "settings.toml|politeness.delay",
        "beispiel.toml|discover.feeds[1]",
        "zweite.toml|title",
        "zweite.toml|discover",
    ]


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ('[discover.links]\nallow = ["(offen"]', "discover.links.allow[1]", "no regular expression"),
        ('[discover.links]\ncss = ["div["]', "discover.links.css[1]", "no CSS selector"),
        ('[read]\ntitle = "//h1[@"', "read.title", "no XPath"),
        ('[read]\nkeep = "article"', "read.keep", "list"),
        ('[schedule]\ncron = "61 * * * *"', "schedule.cron", "no minute"),
        ('[schedule]\ncron = "0 0 30 2 *"', "schedule.cron", "never comes"),
        ('[schedule]\nevery = "10 minutes"\ncron = "0 * * * *"', "schedule", "only one of them"),
        ('[schedule]\nevery = "0 minutes"', "schedule.every", "longer than 0"),
        ('[fetch]\nallow_addresses = ["localhost:80"]', "fetch.allow_addresses[1]", "no range"),
        ('[fetch]\nallow_addresses = ["127.0.0.1/8:80"]', "fetch.allow_addresses[1]", "host bits"),
        ('[fetch]\nconcurrency = "2"', "fetch.concurrency", "integer"),
        ("[expect]\narticles_per_day = -1", "expect.articles_per_day", "greater than or equal to 0"),
    ],
)
def test_wrong_values_are_found_before_anything_starts(folder, text, key, says):
    (folder / "sources" / "beispiel.toml").write_text(SOURCE + text + "\n")
    (said,) = mistakes(folder)
    assert said.startswith(f"beispiel.toml|{key}|")
    assert says in said


@pytest.mark.parametrize("wrong", ["Europe/Berln", "../etc/passwd", "", "/etc/localtime"])
def test_a_time_zone_that_does_not_exist(folder, wrong):
    (folder / "sources" / "beispiel.toml").write_text(f'time_zone = "{wrong}"\n' + SOURCE)
    (said,) = mistakes(folder)
    assert said.startswith("beispiel.toml|time_zone|")


@pytest.mark.parametrize(
    "wrong", ["ftp://x.example/a", "https://u:p@x.example/", "https://", "http://[", "//x/", "/rss"]
)
def test_addresses_that_cannot_be_asked_for(folder, wrong):
    (folder / "sources" / "beispiel.toml").write_text(SOURCE.replace("https://www.beispiel.de/", wrong, 1))
    (said,) = mistakes(folder)
    assert said.startswith("beispiel.toml|homepage|")
    assert "u:p" not in said


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (SOURCE.encode("utf-16"), "UTF-16"),
        (b"\x89PNG\r\n\x1a\n\0\0", "binary"),
        ('title = "Zürich"'.encode("latin-1"), "line 1: is not UTF-8"),
        (b'title = "a"\n\nhomepage = https://x\n', "line 3"),
        (b"x = " + b"[" * 5000, "nested"),
        (b"#" * 1_000_001, "larger than"),
    ],
)
def test_files_that_are_no_toml_are_named_with_their_line(folder, data, says):
    (folder / "sources" / "kaputt.toml").write_bytes(data)
    (said,) = mistakes(folder)
    assert said.startswith("kaputt.toml||")
    assert says in said


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(folder):
    (folder / "sources" / "beispiel.toml").write_bytes(b"\xef\xbb\xbf" + SOURCE.replace("\n", "\r\n").encode())
    assert "beispiel" in config.load(folder).sources


@pytest.mark.parametrize("name", ["Groß.toml", "a b.toml", "replay.toml", "quelle.yaml", "A.toml"])
def test_files_that_cannot_be_a_source_are_named(folder, name):
    (folder / "sources" / name).write_text(SOURCE)
    (said,) = mistakes(folder)
    assert said.startswith(name)


def test_a_folder_that_is_not_there(tmp_path):
    assert mistakes(tmp_path / "nirgends") == [
        "nirgends||there is no such folder; expected settings.toml and sources/ in it"
    ]


def test_what_a_source_leaves_open_comes_from_the_settings(folder):
    (folder / "settings.toml").write_text(
        'time_zone = "Europe/Zurich"\n[politeness]\ndelay = "3 seconds"\n'
        '[limits]\nlinks = 7\n[schedule]\nevery = "1 hour"'
    )
    source = config.load(folder).sources["beispiel"]
    assert (source.delay, source.max_links, source.zone.key) == (timedelta(seconds=3), 7, "Europe/Zurich")
    assert source.slots().interval == timedelta(hours=1)


def test_rules_carry_the_source_s_read_table_and_the_shipped_phrases(folder):
    (folder / "sources" / "beispiel.toml").write_text(
        SOURCE + '[read]\nkeep = [".text"]\nphrases = ["^Lesen Sie auch"]\n'
    )
    rules = config.load(folder).sources["beispiel"].rules()
    assert (rules.site.keep, rules.site.phrases, rules.language) == ((".text",), ("^Lesen Sie auch",), "de")
    assert "de" in rules.phrases


def test_an_own_boilerplate_file_stands_in_for_the_shipped_one(folder):
    (folder / "boilerplate").mkdir()
    shipped = (config.shipped_folder() / "boilerplate" / "de.toml").read_bytes()
    (folder / "boilerplate" / "de.toml").write_bytes(shipped)
    assert config.load(folder).phrases["de"] == config.load(config.shipped_folder()).phrases["de"]
    (folder / "boilerplate" / "de.toml").write_text("kein toml")
    (said,) = mistakes(folder)
    assert said.startswith("de.toml|")


def test_the_environment_names_the_folder(folder, monkeypatch):
    monkeypatch.setenv("NACHLESE_CONFIG", str(folder))
    assert config.load().settings.contact == "https://nachlese.example"


def test_asking_for_a_source_that_is_not_there_names_the_nearest(folder):
    with pytest.raises(KeyError, match="did you mean 'beispiel'"):
        config.load(folder).source("beispeil")


@pytest.mark.parametrize(
    ("text", "value"),
    [("90 seconds", 90), ("1 day 12 hours", 129_600), ("10 Minutes", 600), ("0.5 seconds", 0.5)],
)
def test_lengths_of_time(folder, text, value):
    (folder / "settings.toml").write_text(f'[politeness]\ndelay = "{text}"\n')
    assert config.load(folder).settings.politeness.delay.total_seconds() == value


def test_a_header_value_cannot_hold_a_second_line(folder):
    (folder / "settings.toml").write_text('contact = "a\\r\\nX-Evil: 1"\n')
    (said,) = mistakes(folder)
    assert "one line" in said


@pytest.mark.parametrize(
    "wrong",
    [
        "https://anna:geheim@x.example/",
        "https://anna:ge heim@x.example/",
        "ftp://anna:geheim@x.example/",
        "https://anna:geheim@[x/",
        "anna:geheim@x.example",
        "https://anna:ge/geheim@x.example/",
    ],
)
def test_no_secret_of_a_source_file_is_repeated(folder, wrong):
    (folder / "sources" / "beispiel.toml").write_text(SOURCE.replace("https://www.beispiel.de/", wrong, 1))
    (said,) = mistakes(folder)
    assert said.startswith("beispiel.toml|homepage|")
    assert "heim" not in said
