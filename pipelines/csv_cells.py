"""How a value stands in CSV that people open with a spreadsheet program: exports and the pages write it alike."""

from __future__ import annotations

#: with these a spreadsheet program begins a formula; a tab or return before them is skipped by some
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: a byte order mark before UTF-8, without which spreadsheet programs take it for another encoding
ENCODING = "utf-8-sig"


def cell(value: str | bool | int | float | None) -> str | int | float:
    """*value* with an apostrophe before what would be a formula; nothing for None, true or false."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value
