"""A source file as text: a new one with a comment on each choice, and changes of one that keep what stands in it.

The only module that imports tomlkit, which knows how strings are escaped and leaves comments where they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import Item

from crawler.config import Mistake, toml_text
from crawler.config.loading import ConfigError
from crawler.config.source_file import Source

#: (value, why it is that)
Reasoned = tuple[Any, str]


def one_line(text: str, longest: int = 160) -> str:
    """*text* as a comment may have it: one line, nothing invisible. Much of it comes from strangers' pages."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= longest else line[: longest - 3].rstrip() + "..."


def written(
    head: Sequence[str], tables: Mapping[str, Mapping[str, Reasoned]], notes: Mapping[str, Sequence[str]]
) -> str:
    """A source file. *tables* maps "" (the top), "discover", "discover.links" ... to keys with values and reasons.

    *notes* are comment lines at the end of a table, such as keys that were weighed and not set.
    """
    document = tomlkit.document()
    for line in head:
        document.add(tomlkit.comment(one_line(line)))
    for place, keys in tables.items():
        lines = notes.get(place, ())
        if not keys and not lines:
            continue
        table: Any = document
        if place:
            table = tomlkit.table()
        for key, (value, why) in keys.items():
            table.add(key, reasoned(value, why))
        for line in lines:
            table.add(tomlkit.comment(one_line(line)))
        if place:
            document.add(tomlkit.nl())
            _put(document, place, table)
    return tomlkit.dumps(document)


def _put(document: tomlkit.TOMLDocument, place: str, table: Any) -> None:
    """``[a.b]`` as a header of its own, below ``[a]``."""
    above, _, last = place.rpartition(".")
    if not above:
        document.add(last, table)
        return
    if above not in document:
        document.add(above, tomlkit.table(is_super_table=True))
    parent: Any = document[above]
    parent.add(last, table)


def reasoned(value: Any, why: str) -> Item:
    """A value with its reason behind it."""
    item = value_item(value)
    if why:
        item.comment(one_line(why))
    return item


def value_item(value: Any) -> Item:
    """A value in TOML. A pattern with backslashes stands between single quotes, where that is possible."""
    if isinstance(value, timedelta):
        return tomlkit.item(duration_text(value))
    if isinstance(value, list):
        array = tomlkit.array()
        for one in value:
            array.append(value_item(one))
        return array.multiline(len(value) > 1 and sum(len(str(one)) for one in value) > 90)
    if isinstance(value, str):
        is_literal = "\\" in value and "'" not in value and value.isprintable()
        return tomlkit.string(value, literal=is_literal)
    if isinstance(value, dict):
        table = tomlkit.inline_table()
        table.update({key: value_item(one) for key, one in value.items()})
        return table
    plain: Item = tomlkit.item(value)
    return plain


def duration_text(length: timedelta) -> str:
    """``"90 seconds"``, ``"10 minutes"``, ``"1 hour"``."""
    seconds = int(length.total_seconds())
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    raise AssertionError("a second divides every whole number of seconds")


def changed(path: Path, values: Mapping[str, Any]) -> str:
    """The text of the file at *path* with other *values*, by dotted key ("read.keep"); all else stays as it stands.

    A value of a list is added to what the list has. Raises ConfigError where the result is no source file any more.
    """
    text = toml_text(path.read_bytes())
    document = tomlkit.parse(text)
    for key, value in values.items():
        *above, last = key.split(".")
        table: Any = document
        for name in above:
            if name not in table:
                new = tomlkit.table()
                table.add(name, new)
            table = table[name]
        if isinstance(value, list) and last in table:
            known = list(table[last])
            for one in value:
                if one not in known:
                    table[last].append(value_item(one))
        elif last in table:
            _replace(table, last, value)
        else:
            table.add(last, value_item(value))
    result = tomlkit.dumps(document)
    check(result, path)
    return result


def _replace(table: Any, key: str, value: Any) -> None:
    """Another value in the same line; a comment about the old one would not be true any more."""
    item = value_item(value)
    table[key] = item
    item.trivia.comment = item.trivia.comment_ws = ""


def check(text: str, path: Path) -> Source:
    """The source that *text* makes. Raises ConfigError with every mistake in it."""
    from pydantic import ValidationError

    from crawler.config import key_of, said

    try:
        return Source.model_validate(tomlkit.parse(text).unwrap())
    except ValidationError as error:
        raise ConfigError([Mistake(path, key_of(detail), said(detail, Source)) for detail in error.errors()]) from None
