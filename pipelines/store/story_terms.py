"""What was counted of wordings that wait for their story, as long as they do.

A reader counts the terms of each article that it reads. The store groups articles after their run, from the rows: of
those that this process has stored itself, nothing has to be counted again.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import OrderedDict

from pipelines.text_features import TextFeatures

#: wordings, of 4 kB each; of others, the terms are counted when they are grouped
MOST = 1000

_counted: OrderedDict[bytes, tuple[array[int], array[float]]] = OrderedDict()


def remember(title: str, teaser: str | None, text: str, features: TextFeatures) -> None:
    """Keep the terms of a stored wording until it is grouped."""
    if len(features.terms) != len(features.prominence) or not features.terms:
        return
    _counted[_key(title, teaser, text)] = array("i", features.terms), array("d", features.prominence)
    if len(_counted) > MOST:
        _counted.popitem(last=False)


def taken(title: str, teaser: str | None, text: str) -> dict[int, float] | None:
    """``stories.counted`` of a wording where it is known, and known no more after that."""
    found = _counted.pop(_key(title, teaser, text), None) if _counted else None
    return dict(zip(*found, strict=True)) if found else None


def _key(title: str, teaser: str | None, text: str) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for part in (title, teaser or "", text):
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.digest()
