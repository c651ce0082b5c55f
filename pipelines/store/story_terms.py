"""What was counted of wordings that wait for their story, as long as they do.

A reader counts the terms of each article that it reads. The store groups articles after their run, from the rows: of
those that this process has stored itself, nothing has to be counted again.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict

from pipelines.text_features import TextFeatures

#: bytes, for some 4,000 wordings; of others, the terms are counted again when they are grouped
MOST = 8 << 20

Terms = tuple["array[int]", "array[float]"]


class Counted:
    """Terms of wordings by their key; beyond MOST bytes the oldest are forgotten."""

    def __init__(self) -> None:
        self._terms: OrderedDict[int, Terms] = OrderedDict()
        self._size = 0

    def __setitem__(self, key: int, terms: Terms) -> None:
        self.pop(key)
        self._terms[key] = terms
        self._size += _bytes_of(terms)
        while self._size > MOST:
            self.pop(next(iter(self._terms)))

    def pop(self, key: int) -> Terms | None:
        if found := self._terms.pop(key, None):
            self._size -= _bytes_of(found)
        return found

    def __len__(self) -> int:
        return len(self._terms)

    def clear(self) -> None:
        self._terms.clear()
        self._size = 0


def _bytes_of(terms: Terms) -> int:
    return sum(len(each) * each.itemsize for each in terms)


_counted = Counted()


def remember(title: str, teaser: str | None, text: str, features: TextFeatures) -> None:
    """Keep the terms of a stored wording until it is grouped."""
    if len(features.terms) == len(features.prominence) and features.terms:
        _counted[_key(title, teaser, text)] = array("i", features.terms), array("d", features.prominence)


def taken(title: str, teaser: str | None, text: str) -> dict[int, float] | None:
    """``stories.counted`` of a wording where it is known, and known no more after that."""
    found = _counted.pop(_key(title, teaser, text)) if _counted else None
    return dict(zip(*found, strict=True)) if found else None


def _key(title: str, teaser: str | None, text: str) -> int:
    """64 bits, which nobody outside can foresee: Python hashes texts with a secret of the process."""
    return hash((title, teaser or "", text))
