"""The contract that every shipped source file is held to."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from crawler import config
from crawler.config import Configuration, Source, Table
from crawler.fixture_sites import sites_in
from tests.expectations import PAGES

ROOT = Path(__file__).parent.parent
#: what a fresh installation asks when nobody named a source: one public broadcaster for each country
ENABLED = {"tagesschau", "orf", "srf"}
ZONES = {"DE": "Europe/Berlin", "AT": "Europe/Vienna", "CH": "Europe/Zurich"}
SHIPPED: Configuration = config.load(ROOT / "config")
EVERY = pytest.mark.parametrize("source", SHIPPED.sources.values(), ids=list(SHIPPED.sources))


def places(source: Source) -> list[str]:
    """Every address that the source's file tells to look at."""
    return [*source.discover.feeds, *source.discover.sitemaps, *source.discover.sections]


def site(address: str) -> str:
    """The last two labels of the host: enough for the domains of the three countries."""
    return ".".join((urlsplit(address).hostname or "").split(".")[-2:])


def test_there_are_many_sources_and_every_country_has_some() -> None:
    countries = Counter(source.country for source in SHIPPED.sources.values())
    assert set(countries) == set(ZONES)
    assert sum(countries.values()) >= 40 and min(countries.values()) >= 5


def test_few_sources_are_enabled_so_that_a_first_crawl_asks_few_sites() -> None:
    assert {name for name, source in SHIPPED.sources.items() if source.enabled} == ENABLED


def test_the_guide_names_the_enabled_sources() -> None:
    guide = (ROOT / "docs" / "adding-a-source.md").read_text("utf-8")
    assert all(f"`{name}`" in guide for name in ENABLED)


def test_no_address_is_asked_by_two_sources() -> None:
    addresses = Counter(place.rstrip("/") for source in SHIPPED.sources.values() for place in places(source))
    assert [address for address, count in addresses.items() if count > 1] == []


def test_no_title_is_given_twice() -> None:
    titles = Counter(source.title for source in SHIPPED.sources.values())
    assert [title for title, count in titles.items() if count > 1] == []


@EVERY
def test_its_file_says_whether_anybody_has_seen_it_deliver(source: Source) -> None:
    table = tomllib.loads((ROOT / "config" / "sources" / f"{source.name}.toml").read_text("utf-8"))
    assert {"enabled", "verified"} <= set(table)


@EVERY
def test_language_country_and_zone_are_stated_and_fit(source: Source) -> None:
    assert source.language == "de"
    assert source.time_zone == ZONES[source.country or ""]


@EVERY
def test_addresses_are_https_and_belong_to_the_site(source: Source) -> None:
    own = {site(source.homepage), *(site(f"https://{host}") for host in source.discover.links.hosts)}
    for place in places(source):
        assert urlsplit(place).scheme == "https", place
        assert site(place) in own, place


@EVERY
def test_it_never_runs_more_often_than_every_five_minutes(source: Source) -> None:
    slots, moment = source.slots(), datetime(2026, 3, 2, tzinfo=UTC)  # a Monday, so that working-day rules are seen
    for _ in range(300):
        following = slots.after(moment)
        assert following is not None
        later = slots.after(following)
        assert later is not None and later - following >= timedelta(minutes=5)
        moment = following


@EVERY
def test_it_is_asked_politely_and_only_in_public(source: Source) -> None:
    assert source.delay >= timedelta(seconds=1)
    assert source.concurrency <= 2
    assert source.fetch.allow_addresses == []


@EVERY
def test_a_sitemap_is_not_followed_into_the_archive(source: Source) -> None:
    if source.discover.sitemaps:
        assert source.discover.links.max_age is not None
        assert source.discover.links.max_age <= timedelta(days=7)


def test_the_fixture_sites_carry_source_files_of_the_same_model(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    for fixture in sites_in(PAGES):
        (tmp_path / "sources" / f"{fixture.name}.toml").write_bytes((fixture.folder / "source.toml").read_bytes())
    sources = config.load(tmp_path).sources
    assert len(sources) == 5
    looked_at = {
        kind for s in sources.values() for kind in ("feeds", "sitemaps", "sections") if getattr(s.discover, kind)
    }
    assert looked_at == {"feeds", "sitemaps", "sections"}


def keys(model: type[Table], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Table):
            yield from keys(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name


def test_the_guide_explains_every_key_and_no_other() -> None:
    guide = (ROOT / "docs" / "adding-a-source.md").read_text("utf-8")
    explained = re.findall(r"(?m)^\| `([a-z_.]+)` \|", guide)
    assert sorted(explained) == sorted(keys(Source))


def test_the_files_in_the_guide_are_good_ones(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "adding-a-source.md").read_text("utf-8")
    examples = re.findall(r"(?ms)^```toml\n((?:# Written[^\n]*\n)?title = .*?)^```$", guide)
    (tmp_path / "sources").mkdir()
    for number, text in enumerate(examples):
        (tmp_path / "sources" / f"example-{number}.toml").write_text(text, "utf-8")
    assert len(config.load(tmp_path).sources) == len(examples) >= 2
