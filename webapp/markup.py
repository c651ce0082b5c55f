"""The Markdown that Nachlese itself stores, as blocks for a template: line by line, no pattern sees the text.

It is written by ``pipelines.reading.blocks`` and knows headings, lists, quotes, tables and code; letters have no
markup.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """``kind``: paragraph, heading, list, quote, table, code. ``lines`` are its items or lines, ``rows`` of a table."""

    kind: str
    lines: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    level: int = 0


def blocks(text: str) -> list[Block]:
    """The blocks of a stored text, in order. Paragraphs stand between blank lines; code between fences."""
    return list(_blocks(text.split("\n\n")))


def _blocks(pieces: list[str]) -> Iterator[Block]:
    code: list[str] | None = None
    for piece in pieces:
        if code is not None:
            code.append(piece)
            if piece.endswith("\n```"):
                yield Block("code", ("\n\n".join(code)[4:-4],))
                code = None
        elif piece.startswith("```\n") and not piece.endswith("\n```"):
            code = [piece]
        elif piece.startswith("```\n"):
            yield Block("code", (piece[4:-4],))
        elif piece.strip():
            yield _block(piece)
    if code is not None:
        yield Block("paragraph", ("\n\n".join(code),))


def _block(piece: str) -> Block:
    lines = tuple(piece.split("\n"))
    signs, blank, rest = piece.partition(" ")
    if blank and len(lines) == 1 and 2 <= len(signs) <= 6 and not signs.strip("#"):
        return Block("heading", (rest,), level=len(signs))
    if all(line.startswith("- ") for line in lines):
        return Block("list", tuple(line[2:] for line in lines))
    if all(line.startswith(">") for line in lines):
        return Block("quote", tuple(line[1:].removeprefix(" ") for line in lines))
    if len(lines) > 1 and all(line.startswith("|") and line.endswith("|") for line in lines) and _is_rule(lines[1]):
        return Block("table", rows=tuple(_cells(line) for line in (lines[0], *lines[2:])))
    return Block("paragraph", lines)


def _is_rule(line: str) -> bool:
    return not line.strip("|- ")


def _cells(line: str) -> tuple[str, ...]:
    cells = line.replace("\\|", "\0").strip("|").split("|")
    return tuple(cell.strip().replace("\0", "|") for cell in cells)
