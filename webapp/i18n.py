"""The interface in English and German. English is what stands in the templates; ``locale/`` has the rest."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "de")
NARROW = "\u202f"  # the blank that German wants before the sign
NAMES = {"en": "English", "de": "Deutsch"}


class Language:
    """What the interface says in one language."""

    def __init__(self, code: str, texts: Mapping[str, str]):
        self.code = code
        self._texts = texts

    def __call__(self, text: str, n: int | None = None, **values: Any) -> str:
        """*text* in this language. Of ``one thing|{n} things`` the form for *n*; ``{name}`` is filled in."""
        said = self._texts.get(text, text)
        if n is not None:
            one, _, many = said.partition("|")
            said = one if n == 1 or not many else many
            values["n"] = self.number(n)
        return said.format(**values) if values else said

    def wording(self, said: Mapping[str, Any]) -> str:
        """A sentence that was kept with its values (``pipelines.health_wording``), in this language."""
        values = {name: self._value(name, value) for name, value in said["values"].items()}
        text: str = said["text"]
        return self._texts.get(text, text).format(**values)

    def _value(self, name: str, value: str | float) -> str:
        if isinstance(value, str):
            return self._texts.get(value, value)
        if name.endswith("_share"):
            return self.percent(value)
        return self.number(value, 0 if value == int(value) else 1)

    def number(self, value: int | float, digits: int = 0) -> str:
        """With separators for thousands, as the language writes them."""
        text = f"{value:,.{digits}f}"
        return text.translate(_SWAPPED) if self.code == "de" else text

    def percent(self, share: float | None) -> str:
        """A share of 0 to 1."""
        if share is None:
            return "–"
        return f"{self.number(100 * share)}{NARROW if self.code == 'de' else ''}%"

    def bytes(self, number: int | float) -> str:
        """A size in the unit that fits."""
        for unit in ("B", "kB", "MB", "GB"):
            if number < 1000:
                return f"{self.number(number, 0 if unit == 'B' or number >= 100 else 1)} {unit}"
            number /= 1000
        return f"{self.number(number, 1)} TB"


_SWAPPED = str.maketrans(",.", ".,")


@cache
def language(code: str) -> Language:
    """The interface in the language of this *code*."""
    with (Path(__file__).parent / "locale" / f"{code}.toml").open("rb") as file:
        return Language(code, tomllib.load(file))


def preferred(accept_language: str) -> str:
    """The code of the best language for an Accept-Language header; English where none of ours is wanted."""
    best, code = 0.0, "en"
    for part in accept_language[:500].split(","):
        name, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        short = name.strip().lower().partition("-")[0]
        if short in LANGUAGES and weight > best:
            best, code = weight, short
    return code
