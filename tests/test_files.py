"""Pages on this machine: what a saved file says about itself, and what has to be told."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler import files
from crawler.files import Unreadable
from pipelines.archive import Archive
from pipelines.items import Page, Reason

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def saved(path: Path, body: bytes = b"<html>", at: datetime = NOON) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def test_a_file_is_what_its_name_says_and_was_fetched_when_it_was_last_changed(tmp_path: Path):
    html, text = saved(tmp_path / "a.html"), saved(tmp_path / "b.txt", b"Ein Text")
    [first, second] = files.pages([html, text])
    assert (first.content_type, first.fetched_at, first.url) == ("text/html", NOON, html.as_uri())
    assert (second.content_type, second.body, second.source) == ("text/plain", b"Ein Text", "replay")


def test_what_is_told_goes_before_what_the_file_says(tmp_path: Path):
    file = saved(tmp_path / "a.html", b'<link rel="canonical" href="https://news.example/a">')
    later = datetime(2026, 3, 2, tzinfo=UTC)
    [page] = files.pages([file], source="probe", url="https://other.example/b", fetched_at=later)
    assert (page.source, page.url, page.asked_url) == ("probe", "https://other.example/b", "https://other.example/b")
    assert page.fetched_at == later


@pytest.mark.parametrize(
    ("html", "url"),
    [
        ('<!-- saved from url=(0025)https://news.example/saved --><link rel=canonical href=x>', "https://news.example/saved"),
        ('<LINK href="https://news.example/a?x=1&amp;y=2" REL="Canonical">', "https://news.example/a?x=1&y=2"),
        ("<meta property='og:url' content='https://news.example/og'>", "https://news.example/og"),
        ('<link rel="canonical" href="/only/a/path"><meta property="og:url" content="https://news.example/og">',
         "https://news.example/og"),
        ('<link rel="canonical" href="javascript:alert(1)">', None),
        ('<link rel="stylesheet" href="https://news.example/x.css">', None),
    ],
)  # fmt: skip
def test_a_saved_page_states_its_own_address(html: str, url: str | None):
    assert files.stated_url(html.encode()) == url


def test_the_source_is_the_one_with_the_same_host(tmp_path: Path):
    file = saved(tmp_path / "a.html", b'<link rel="canonical" href="https://news.example/a">')
    [page] = files.pages([file], hosts={"news.example": "probe"})
    assert (page.url, page.source) == ("https://news.example/a", "probe")


def test_without_a_telling_name_a_tag_in_front_means_html():
    for body, expected in ((b"\xef\xbb\xbf\n <!DOCTYPE html>", "text/html"), (b"Ein Text < zwei", "text/plain")):
        assert files.from_bytes(body, name="stdin:", fetched_at=NOON).content_type == expected


def test_a_folder_is_read_in_the_order_of_names_and_other_files_are_passed_over(tmp_path: Path):
    for name in ("b.txt", "a.html", "c/d.HTM", "expected.json", "picture.png"):
        saved(tmp_path / name)
    assert [Path(page.url).name for page in files.pages([tmp_path])] == ["a.html", "b.txt", "d.HTM"]
    assert [Path(page.url).name for page in files.pages([tmp_path / "picture.png"])] == ["picture.png"]


def test_a_file_that_cannot_be_read_is_named_and_the_rest_goes_on(tmp_path: Path):
    large, good = saved(tmp_path / "a.html", b"x" * 11), saved(tmp_path / "b.html", b"x" * 10)
    [first, gone, second] = files.pages([large, tmp_path / "gone.html", good], largest=10)
    assert isinstance(first, Unreadable) and first.reason is Reason.TOO_LARGE
    assert isinstance(gone, Unreadable) and "No such file" in gone.detail
    assert isinstance(second, Page)


def test_since_leaves_out_what_was_fetched_earlier(tmp_path: Path):
    files_there = [saved(tmp_path / "a.html", at=NOON), saved(tmp_path / "b.html", at=NOON.replace(day=3))]
    found = list(files.pages(files_there, since=NOON.replace(day=2)))
    assert [Path(page.url).name for page in found] == ["b.html"]


def test_pages_of_the_archive_come_back_as_they_were(tmp_path: Path):
    page = Page("https://news.example/a", "probe", b"<html>eins", NOON, asked_url="https://news.example/short")
    archive = Archive(tmp_path)
    archive.save(page)
    archive.save(replace(page, source="other"))
    archive.close()
    assert list(files.pages([tmp_path], source="probe")) == [page]
