"""Figures as SVG, drawn here: no script, no style of their own, and the numbers beside them as a table.

Across, everything is in per cent of the width, so that a figure fits a telephone and its letters keep their size.
Colours come from the style sheet by class.
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
    """A figure: ``svg``, ``head`` and ``rows`` of the table with its numbers, ``legend``: what each colour is."""

    title: str
    svg: Markup
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    legend: Sequence[str] = ()


HEIGHT = 120  # pixels


def _number(value: float) -> str:
    return f"{value:,.0f}".replace(",", "\u202f") if value >= 10_000 else f"{value:g}"


def bars(title: str, made: Sequence[Bar], names: Sequence[str], *, every: int = 1, height: int = HEIGHT) -> Chart:
    """Bars in a row, their parts stacked; every so many has its label below, the highest its number."""
    top = max((sum(bar.parts) for bar in made), default=0) or 1
    step = 100 / max(len(made), 1)
    base = height - 18
    room = base - 16
    out = [_open(title, height), f'<line class="axis" x1="0" x2="100%" y1="{base}" y2="{base}"/>']
    for place, bar in enumerate(made):
        x, y = place * step, float(base)
        said = f"<title>{escape(bar.title or bar.label)}: {_number(sum(bar.parts))}</title>"
        for number, part in enumerate(bar.parts):
            tall = room * part / top
            if tall:
                y -= tall
                out.append(
                    f'<rect class="part{number}" x="{x + step * 0.12:.2f}%" y="{y:.1f}" width="{step * 0.76:.2f}%" '
                    f'height="{tall:.1f}">{said}</rect>'
                )
        if place % every == 0:
            anchor = "start" if not place else "middle"
            middle = x if not place else x + step / 2
            out.append(
                f'<text class="label" x="{middle:.2f}%" y="{height - 4}" text-anchor="{anchor}">'
                f"{escape(bar.label)}</text>"
            )
    out.append(f'<text class="label" x="0" y="10">{_number(top)}</text></svg>')
    rows = [(bar.title or bar.label, *(_number(part) for part in bar.parts)) for bar in made]
    return Chart(title, Markup("".join(out)), ("", *names), rows, names)


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


def shares(title: str, parts: Sequence[tuple[str, float]], height: int = 14) -> Chart:
    """One bar of stacked shares."""
    total = sum(value for _, value in parts) or 1
    out, x = [_open(title, height)], 0.0
    for number, (name, value) in enumerate(parts):
        wide = 100 * value / total
        out.append(
            f'<rect class="part{number % 6}" x="{x:.2f}%" y="0" width="{max(wide - 0.1, 0):.2f}%" height="{height}">'
            f"<title>{escape(name)}: {wide:.0f} %</title></rect>"
        )
        x += wide
    out.append("</svg>")
    rows = [(name, _number(value), f"{100 * value / total:.0f} %") for name, value in parts]
    return Chart(title, Markup("".join(out)), ("", "", ""), rows, [name for name, _ in parts])


@dataclass(frozen=True, slots=True)
class Dot:
    """An article on a timeline: its line, seconds since the epoch, the time for people, its headline."""

    line: str
    at: float
    shown: str
    title: str
    is_copy: bool = False


MOST_LINES = 30


def timeline(title: str, dots: Sequence[Dot], ends: tuple[str, str], head: Sequence[str]) -> Chart:
    """A line for each name in the order of their first dots, its name above; copies are hollow. *ends*: its times."""
    names = list(dict.fromkeys(dot.line for dot in dots))[:MOST_LINES]
    first, last = min(dot.at for dot in dots), max(dot.at for dot in dots)
    span, row = (last - first) or 1, 34
    height = row * len(names) + 22
    out = [_open(title, height)]
    for place, name in enumerate(names):
        y = row * place + 24
        out.append(f'<line class="axis" x1="0" x2="100%" y1="{y}" y2="{y}"/>')
        out.append(f'<text class="label" x="0" y="{y - 10}">{escape(name[:40])}</text>')
    for dot in dots:
        if dot.line in names:
            x, y = 1 + 98 * (dot.at - first) / span, row * names.index(dot.line) + 24
            out.append(
                f'<circle class="dot{" hollow" if dot.is_copy else ""}" cx="{x:.2f}%" cy="{y}" r="4.5">'
                f"<title>{escape(dot.shown)}: {escape(dot.title)}</title></circle>"
            )
    out.append(f'<text class="label" x="0" y="{height - 2}">{escape(ends[0])}</text>')
    out.append(f'<text class="label" x="100%" y="{height - 2}" text-anchor="end">{escape(ends[1])}</text></svg>')
    return Chart(title, Markup("".join(out)), tuple(head), [(dot.line, dot.shown, dot.title) for dot in dots])


def lines(title: str, made: Sequence[Bar], names: Sequence[str]) -> Chart:
    """A lying bar for each row below its name, its parts in per cent of half the width, one behind the other."""
    row = 34
    out = [_open(title, row * len(made))]
    for place, bar in enumerate(made):
        y, x = row * place, 0.0
        out.append(f'<text class="label" x="0" y="{y + 12}">{escape(bar.label[:40])}</text>')
        for number, part in enumerate(bar.parts):
            wide = part / 2
            out.append(
                f'<rect class="part{number}" x="{x:.2f}%" y="{y + 17}" width="{wide:.2f}%" height="10">'
                f"<title>{escape(names[number])}: {_number(part)} %</title></rect>"
            )
            x += wide
    out.append("</svg>")
    rows = [(bar.label, *(f"{_number(part)} %" for part in bar.parts)) for bar in made]
    return Chart(title, Markup("".join(out)), ("", *names), rows)


def _open(title: str, height: int) -> str:
    return f'<svg class="chart" width="100%" height="{height}" role="img" aria-label="{escape(title)}">'
