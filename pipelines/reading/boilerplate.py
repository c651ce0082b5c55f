"""Phrases that open or make up boilerplate, per language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrases:
    """The phrases of one language, from ``config/boilerplate/LANGUAGE.toml``."""
