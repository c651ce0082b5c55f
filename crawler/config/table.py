"""What every table of the TOML files is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """A TOML table: unknown keys are mistakes, text is never taken for a number."""

    # built at first use: a table that stands in another one is checked by that one's validator
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)
