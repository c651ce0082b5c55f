"""Same page, new version, copy of, new: the decision alone, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.dedupe import Decision, KnownArticle, KnownVersion, Seen, decide, identity
from pipelines.recheck import MAX_ATTEMPTS, RecheckPlan, backoff
from pipelines.urls import BadUrl

T = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def seen(words: bytes, hour: int = 0, body: bytes = b"body") -> Seen:
    return Seen(text_key=words, content_key=words, body_key=body, fetched_at=T + hour * HOUR)


def known(*versions: tuple[bytes, int, bytes], current: int | None = None) -> KnownArticle:
    rows = tuple(KnownVersion(n, words, body, T + hour * HOUR) for n, (words, hour, body) in enumerate(versions, 1))
    return KnownArticle(7, current or len(rows), rows)


def test_an_unknown_page_with_an_unknown_text_is_new():
    assert decide(seen(b"a"), None, None) == Decision("new", 1, "insert", True)


def test_an_unknown_page_with_a_known_text_is_a_copy():
    assert decide(seen(b"a"), None, 3) == Decision("copy", 1, "insert", True, 3)


def test_the_same_words_are_unchanged():
    decision = decide(seen(b"a", 5), known((b"a", 0, b"1")), 7)
    assert (decision.kind, decision.version, decision.write) == ("unchanged", 1, "nothing")


def test_other_words_are_a_new_version():
    assert decide(seen(b"b", 5), known((b"a", 0, b"1")), None) == Decision("new_version", 2, "insert", True)


def test_a_new_version_may_be_a_copy_of_another_article_but_not_of_itself():
    assert decide(seen(b"b", 5), known((b"a", 0, b"1")), 3).copy_of == 3
    assert decide(seen(b"a", 5), known((b"a", 0, b"1"), (b"b", 1, b"2")), 7).copy_of is None


def test_a_text_that_comes_back_is_a_version_again():
    decision = decide(seen(b"a", 5), known((b"a", 0, b"1"), (b"b", 1, b"2")), 7)
    assert (decision.kind, decision.version, decision.is_current) == ("new_version", 3, True)


def test_the_same_bytes_read_otherwise_rewrite_their_version():
    article = known((b"a", 0, b"1"), (b"b", 1, b"2"))
    assert decide(seen(b"B", 1, b"2"), article, None) == Decision("new_version", 2, "rewrite", True)
    assert decide(seen(b"A", 0, b"1"), article, None) == Decision("new_version", 1, "rewrite", False)
    assert decide(seen(b"a", 0, b"1"), article, None) == Decision("unchanged", 1, "rewrite", False)


def test_a_view_of_an_article_makes_no_version_and_gives_way_to_the_article_s_own_page():
    in_view = replace(known((b"a", 0, b"1")), own_key=b"own", read_key=b"amp")
    own_page = replace(seen(b"b", 5), url_key=b"own")
    assert decide(own_page, in_view, None) == Decision("unchanged", 1, "rewrite", True)
    in_own_page = replace(in_view, read_key=b"own")
    view = replace(seen(b"b", 5), url_key=b"amp")
    assert decide(view, in_own_page, None) == Decision("unchanged", 1, "nothing", False)


def test_other_bytes_at_the_same_time_are_a_new_version():
    assert decide(seen(b"b", 0, b"2"), known((b"a", 0, b"1")), None) == Decision("new_version", 2, "insert", True)


def test_an_older_fetch_never_becomes_the_current_version():
    article = known((b"b", 5, b"2"))
    assert decide(seen(b"a", 0, b"1"), article, None) == Decision("new_version", 2, "insert", False)
    article = known((b"b", 5, b"2"), (b"a", 0, b"1"), current=1)
    assert decide(seen(b"a", 3, b"3"), article, None) == Decision("unchanged", 2, "nothing", False)


@pytest.mark.parametrize(
    ("canonical", "url", "believed"),
    [
        ("https://a.example/x", "https://www.a.example/x?utm_source=rss", "https://a.example/x"),
        ("https://amp.a.example/x", "https://a.example/y", "https://amp.a.example/x"),
        ("https://other.example/x", "https://a.example/x", "https://a.example/x"),
        ("https://a.example/", "https://a.example/x", "https://a.example/x"),
        ("https://a.example", "https://a.example/", "https://a.example/"),
        ("https://a.example/?p=12", "https://a.example/x", "https://a.example/?p=12"),
        ("javascript:x", "https://a.example/x", "https://a.example/x"),
        ("https://a.example/x", "file:///tmp/x.html", "https://a.example/x"),
        ("seed:000.txt", "seed:000.txt", "seed:000.txt"),
    ],
)
def test_the_canonical_address_is_believed_on_its_own_site_only(canonical: str, url: str, believed: str):
    assert identity(canonical, url) == believed


def test_no_address_at_all_has_no_identity():
    with pytest.raises(BadUrl):
        identity("", " ")


next_check = RecheckPlan().next_check


def test_rechecks_come_soon_then_rarer_then_no_more():
    gaps, at = [], T
    for unchanged in range(20):
        due = next_check(T, T, at, unchanged)
        if due is None:
            break
        gaps.append(due - at)
        at = due
    assert gaps == sorted(gaps)
    assert gaps[0] == timedelta(minutes=30)
    assert 5 <= len(gaps) < 20


def test_old_articles_are_not_checked_again():
    assert next_check(T, T - timedelta(days=30), T) is None
    assert next_check(T, None, T) is not None


def test_waits_grow_are_spread_and_last_longer_than_a_day():
    waits = [backoff(attempt, 0) for attempt in range(1, MAX_ATTEMPTS)]
    assert waits == sorted(waits)
    assert sum(waits, timedelta(0)) > timedelta(days=1)
    assert backoff(1, 0) < backoff(1, 0.5) < backoff(2, 0)


def test_an_article_that_nobody_edits_is_looked_at_as_docs_sql_md_says():
    """Each look without a change makes the next one rarer."""
    at, looks = T, []
    while (due := next_check(T, T, at, len(looks))) is not None:
        at = due
        looks.append(round((at - T) / timedelta(hours=1), 1))
    assert looks == [0.5, 1.5, 3.8, 11.2, 39.4]
    edited = [T]
    while (due := next_check(T, T, edited[-1], 0)) is not None:
        edited.append(due)
    assert timedelta(days=14) < edited[-1] - T < timedelta(days=17)


def test_a_plan_is_what_the_operator_says():
    plan = RecheckPlan(first=timedelta(minutes=5), longest=timedelta(hours=1), until=timedelta(days=2), unchanged=1)
    assert plan.next_check(T, None, T) == T + timedelta(minutes=5)
    assert plan.next_check(T, None, T + timedelta(hours=20), 5) == T + timedelta(hours=21)
    assert plan.next_check(T, None, T + timedelta(hours=30), 1) is None
    assert plan.next_check(T, None, T + timedelta(days=3)) is None
    assert RecheckPlan(enabled=False).next_check(T, None, T) is None
