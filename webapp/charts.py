"""Figures as SVG, drawn here: no script, no style of their own, and the numbers beside them as a table.

A template shows a ``Chart`` with ``chart.svg`` and its ``table``; colours come from the style sheet by class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar with its parts, from the bottom up; ``title`` is what its row of the table is called."""

    label: str
    parts: tuple[float, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure: ``svg``, and ``head`` and ``rows`` of the table with its numbers."""

    title: str
    svg: Markup
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]


WIDTH, HEIGHT = 640.0, 120.0


def _number(value: float) -> str:
    return f"{value:g}" if isinstance(value, float) else f"{value}"


def bars(
    title: str,
    made: Sequence[Bar],
    names: Sequence[str],
    *,
    every: int = 1,
    width: float = WIDTH,
    height: float = HEIGHT,
) -> Chart:
    """Bars in a row, their parts stacked; every so many has its label below, the highest its number."""
    top = max((sum(bar.parts) for bar in made), default=0) or 1
    step = width / max(len(made), 1)
    base = height - 18
    room = base - 14
    out = [_open(title, width, height)]
    out.append(f'<line class="axis" x1="0" x2="{width:g}" y1="{base:g}" y2="{base:g}"/>')
    for place, bar in enumerate(made):
        x, y = place * step, base
        for number, part in enumerate(bar.parts):
            tall = room * part / top
            if tall:
                y -= tall
                out.append(
                    f'<rect class="part{number}" x="{x + step * 0.12:.1f}" y="{y:.1f}" width="{step * 0.76:.1f}" '
                    f'height="{tall:.1f}">'
                    f"<title>{escape(bar.title or bar.label)}: {_number(sum(bar.parts))}</title></rect>"
                )
        if place % every == 0:
            out.append(
                f'<text class="label" x="{x + step / 2:.1f}" y="{height - 4:g}" text-anchor="middle">'
                f"{escape(bar.label)}</text>"
            )
    out.append(f'<text class="label" x="0" y="10">{_number(top)}</text></svg>')
    rows = [(bar.title or bar.label, *(_number(part) for part in bar.parts)) for bar in made]
    return Chart(title, Markup("".join(out)), ("", *names), rows)


def sparkline(title: str, values: Sequence[float], width: float = 120, height: float = 24) -> Markup:
    """A line without axes, for a row of a table."""
    top = max(values, default=0) or 1
    step = width / max(len(values) - 1, 1)
    points = [f"{place * step:.1f},{height - 2 - (height - 4) * value / top:.1f}" for place, value in enumerate(values)]
    area = f"0,{height - 1:g} " + " ".join(points) + f" {width:g},{height - 1:g}"
    return Markup(
        f'<svg class="spark" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title)}">'
        f'<polygon class="area" points="{area}"/><polyline class="stroke" points="{" ".join(points)}"/></svg>'
    )


def shares(title: str, parts: Sequence[tuple[str, float]], width: float = WIDTH, height: float = 14) -> Chart:
    """One bar of stacked shares."""
    total = sum(value for _, value in parts) or 1
    out, x = [_open(title, width, height)], 0.0
    for number, (name, value) in enumerate(parts):
        wide = width * value / total
        out.append(
            f'<rect class="part{number % 6}" x="{x:.1f}" y="0" width="{max(wide - 1, 0):.1f}" height="{height:g}">'
            f"<title>{escape(name)}: {100 * value / total:.0f} %</title></rect>"
        )
        x += wide
    out.append("</svg>")
    rows = [(name, _number(value), f"{100 * value / total:.0f} %") for name, value in parts]
    return Chart(title, Markup("".join(out)), ("", "", ""), rows)


def _open(title: str, width: float, height: float) -> str:
    return f'<svg class="chart" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title)}">'


@dataclass(frozen=True, slots=True)
class Dot:
    """An article on a timeline: its line, seconds since the epoch, the time for people, its headline."""

    line: str
    at: float
    shown: str
    title: str
    is_copy: bool = False


def timeline(
    title: str, dots: Sequence[Dot], ends: tuple[str, str], head: Sequence[str], width: float = WIDTH
) -> Chart:
    """A line for each name in the order of their first dots; copies are hollow. *ends* label the two ends."""
    names = list(dict.fromkeys(dot.line for dot in dots))[:30]
    first, last = min(dot.at for dot in dots), max(dot.at for dot in dots)
    span, left, row = (last - first) or 1, 130.0, 22.0
    height = row * len(names) + 26
    out = [_open(title, width, height)]
    for place, name in enumerate(names):
        y = row * place + 12
        out.append(f'<line class="axis" x1="{left:g}" x2="{width - 8:g}" y1="{y:g}" y2="{y:g}"/>')
        out.append(f'<text class="label" x="0" y="{y + 4:g}">{escape(name[:20])}</text>')
    for dot in dots:
        if dot.line in names:
            x, y = left + 4 + (width - left - 16) * (dot.at - first) / span, row * names.index(dot.line) + 12
            out.append(
                f'<circle class="dot{" hollow" if dot.is_copy else ""}" cx="{x:.1f}" cy="{y:g}" r="4.5">'
                f"<title>{escape(dot.shown)}: {escape(dot.title)}</title></circle>"
            )
    y = height - 4
    out.append(f'<text class="label" x="{left:g}" y="{y:g}">{escape(ends[0])}</text>')
    out.append(f'<text class="label" x="{width:g}" y="{y:g}" text-anchor="end">{escape(ends[1])}</text></svg>')
    return Chart(title, Markup("".join(out)), tuple(head), [(dot.line, dot.shown, dot.title) for dot in dots])


def lines(title: str, made: Sequence[Bar], names: Sequence[str], width: float = WIDTH) -> Chart:
    """A lying bar for each row, its parts in per cent of its width, one behind the other."""
    row, left = 22.0, min(130.0, width * 0.35)
    height = row * len(made) + 4
    out = [_open(title, width, height)]
    for place, bar in enumerate(made):
        y, x = row * place, left
        out.append(f'<text class="label" x="0" y="{y + 14:g}">{escape(bar.label[:20])}</text>')
        for number, part in enumerate(bar.parts):
            wide = (width - left) / 2 * part / 100
            out.append(
                f'<rect class="part{number}" x="{x:.1f}" y="{y + 4:g}" width="{wide:.1f}" height="13">'
                f"<title>{escape(names[number])}: {_number(part)} %</title></rect>"
            )
            x += wide + 1
    out.append("</svg>")
    rows = [(bar.label, *(f"{_number(part)} %" for part in bar.parts)) for bar in made]
    return Chart(title, Markup("".join(out)), ("", *names), rows)
