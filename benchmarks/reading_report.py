"""What a mean hides: the pages that a reader reads worst, with the rule that cost most of each, and the figures by
language. Pure, but for the tables.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

Doc = dict[str, Any]
Prediction = dict[str, Any]

CLIFF = 0.1  # F1 by which a page is read clearly worse
_SHINGLE = 4  # words


@dataclass(frozen=True, slots=True)
class PageScore:
    """One page: how well we and the other reader read it (0 to 1; the other None where it did not run), and why."""

    id: str
    set: str
    language: str
    ours: float
    other: float | None
    cost: str = ""

    @property
    def gap(self) -> float:
        """What the other reader is better by; how far from perfect where there is no other."""
        return (1.0 if self.other is None else self.other) - self.ours


def quality(score: Any, doc: Doc, prediction: Prediction) -> float | None:
    """The F1 of a page's text: of its words, or of the strings that it must and must not hold; None without a truth."""
    row = score.judge(doc, prediction)
    if "F1" in row:
        return row["F1"]
    if "_snip" in row and row["_snip"][1]:
        hit, wanted, banned, _ = row["_snip"]
        return score.prf(hit, hit + banned, wanted)[2]
    return None


def costliest(score: Any, doc: Doc, prediction: Prediction) -> str:
    """Which rule took most of what the text should hold, and how many words; else what else is wrong with it."""
    if prediction.get("rejected"):
        return f"rejected: {str(prediction['rejected'])[:60]}"
    wanted = "\n".join((doc.get("text") or "", *doc.get("must_contain", ())))
    words, got = score.words(wanted), score.words(prediction.get("text"))
    missing = _shingles(words) - _shingles(got)
    taken: Counter[str] = Counter()
    for rule, text in prediction.get("removed", ()):
        taken[rule] += len(missing & _shingles(score.words(text)))
    rule, cost = taken.most_common(1)[0] if taken else ("", 0)
    if cost:
        return f"{rule}: {cost} words"
    if len(missing) * 10 > len(words):
        return f"not in the container: {len(missing)} words"
    if doc.get("text") and len(got) > 1.1 * len(words):
        return f"too much: {len(got) - len(words)} words"
    kept = [each for each in doc.get("must_not_contain", ()) if each in (prediction.get("text") or "")]
    return f"too much: {kept[0][:40]!r}" if kept else ""


def _shingles(words: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + _SHINGLE]) for at in range(max(1, len(words) - _SHINGLE + 1))} if words else set()


def page_scores(
    docs: Sequence[Doc], ours: Mapping[str, Prediction], other: Mapping[str, Prediction] | None, score: Any
) -> list[PageScore]:
    """Every page with a truth of its text, the worst first."""
    found = []
    for doc in docs:
        mine = quality(score, doc, ours.get(doc["id"], {}))
        if mine is None:
            continue
        theirs = quality(score, doc, other.get(doc["id"], {})) if other is not None else None
        cost = costliest(score, doc, ours.get(doc["id"], {})) if mine < 1 else ""
        found.append(PageScore(doc["id"], doc["set"], doc.get("language") or "?", mine, theirs, cost))
    return sorted(found, key=lambda page: (-page.gap, page.ours, page.id))


def worst_table(pages: Sequence[PageScore], most: int, other: str | None) -> Table:
    """The *most* worst pages, by the distance to the *other* reader where one ran."""
    cliffs = sum(page.gap > CLIFF for page in pages)
    beside = f" than {other}'s" if other else " than perfect"
    shown = Table(title=f"{cliffs} of {len(pages)} pages are worse{beside} by more than {100 * CLIFF:.0f}; the worst:")
    for column in ("page", "set", "language", "nachlese", other or "", "what cost most"):
        shown.add_column(column, justify="right" if column in ("nachlese", other) else "left")
    for page in pages[:most]:
        theirs = "" if page.other is None else f"{100 * page.other:.1f}"
        shown.add_row(page.id, page.set, page.language, f"{100 * page.ours:.1f}", theirs, page.cost)
    return shown


def language_table(pages: Sequence[PageScore], other: str | None) -> Table:
    """Pages, means and cliffs of each language."""
    groups: dict[str, list[PageScore]] = defaultdict(list)
    for page in pages:
        groups[page.language].append(page)
    shown = Table(title="by language: mean F1 of the text in percent")
    for column in ("language", "pages", "nachlese", other or "", f"worse by > {100 * CLIFF:.0f}"):
        shown.add_column(column, justify="left" if column == "language" else "right")
    for language, found in sorted(groups.items(), key=lambda item: -len(item[1])):
        theirs = [page.other for page in found if page.other is not None]
        shown.add_row(
            language,
            str(len(found)),
            f"{100 * sum(page.ours for page in found) / len(found):.1f}",
            f"{100 * sum(theirs) / len(theirs):.1f}" if theirs else "",
            str(sum(page.gap > CLIFF for page in found)),
        )
    return shown
