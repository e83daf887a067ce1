"""Parts of pages: sections, tables that scroll where they are wide, facts, and small plots with a text alternative."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from triggers.pages.html import text
from triggers.pages.shown_numbers import shown_share

MAX_ROWS = 100
"""Rows of a table; how many more there were is said below it."""
WIDTH = 600
CURVE_HEIGHT = 160
STYLE = """
h2 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; border-top: 1px solid var(--edge); padding-top: .8rem }
h3 { font-size: .95rem; margin: 1rem 0 .2rem }
.wide { overflow-x: auto; margin: .5rem 0 }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; overflow-wrap: normal }
caption { text-align: left; font-weight: 600; padding: .2rem 0 }
th, td { text-align: left; vertical-align: top; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--edge) }
th { font-weight: 600 } tbody th { font-weight: 400; max-width: 28rem; overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .6rem; margin: .8rem 0 }
dl div { border: 1px solid var(--edge); border-radius: .4rem; padding: .5rem .6rem }
dt { color: var(--soft); font-size: 13px } dd { margin: 0; font-size: 1.05rem }
pre { white-space: pre-wrap; font: 13px/1.45 ui-monospace, monospace; border: 1px solid var(--edge);
  border-radius: .4rem; padding: .6rem; margin: .4rem 0 }
ul { padding-left: 1.2rem; margin: .4rem 0 } summary { cursor: pointer }
@media (max-width: 40rem) { td { min-width: 4.5rem } }
.warning { border-left: 4px solid var(--mark); padding: .3rem .7rem; margin: .5rem 0 }
.lane { stroke: var(--edge); stroke-width: 1; vector-effect: non-scaling-stroke }
.dot { fill: var(--line) } .second { fill: var(--mark) } .band { fill: var(--line); opacity: .2 }
@media print { body { max-width: none; font-size: 11px } .wide { overflow: visible }
  tr, svg { break-inside: avoid } h2, h3, caption { break-after: avoid } }
"""


def section(title: str, parts: Iterable[str]) -> Iterator[str]:
    """A section with its heading; nothing where it has no parts."""
    inner = list(parts)
    if inner:
        yield f"<section><h2>{text(title)}</h2>"
        yield from inner
        yield "</section>"


def table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, most: int = MAX_ROWS) -> str:
    """A table whose first column names its rows; nothing without rows."""
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{text(column)}</th>' for column in columns)
    body = "".join(
        f'<tr><th scope="row">{text(str(first))}</th>{"".join(f"<td>{_cell(cell)}</td>" for cell in rest)}</tr>'
        for first, *rest in rows[:most]
    )
    name = text(caption)
    return (
        f'<div class="wide" role="region" aria-label="{name}" tabindex="0"><table><caption>{name}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{left_out(len(rows) - most, 'row')}"
    )


def _cell(value: object) -> str:
    """The text of a cell, in which a number and its percent sign stay on one line."""
    return text(str(value)).replace(" %", "&nbsp;%")


def left_out(count: int, thing: str) -> str:
    """How many more there are than are shown; nothing if there are none."""
    return f'<p class="facts">and {count:,} more {thing}{"" if count == 1 else "s"}</p>' if count > 0 else ""


def facts(values: Mapping[str, str]) -> str:
    """Figures with their names; without those that are empty."""
    shown = "".join(
        f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in values.items() if value
    )
    return f"<dl>{shown}</dl>" if shown else ""


def listed(lines: Sequence[str], *, most: int = MAX_ROWS) -> str:
    """A list of sentences; nothing without any."""
    if not lines:
        return ""
    items = "".join(f"<li>{text(line)}</li>" for line in lines[:most])
    return f"<ul>{items}</ul>{left_out(len(lines) - most, 'line')}"


def share_bar(name: str, true: float | None, false: float | None, unknown: float | None) -> str:
    """A bar of the time in which a condition was true, unknown and false; nothing where no time was recorded."""
    given = [("t", "true", true), ("u", "unknown", unknown), ("f", "false", false)]
    parts = [(kind, word, min(max(share, 0.0), 1.0)) for kind, word, share in given if share is not None]
    if not parts:
        return ""
    label = f"{name}: " + ", ".join(f"{word} {shown_share(share)}" for _, word, share in parts)
    return stacked_bar(label, [(kind, share) for kind, _, share in parts])


def stacked_bar(label: str, shares: Iterable[tuple[str, float]]) -> str:
    """A bar of shares beside each other, each with the class that colours it."""
    x, drawn = 0.0, ""
    for kind, share in shares:
        width = min(share, 1 - x)
        drawn += f'<rect class="{kind}" x="{x * WIDTH:.1f}" width="{width * WIDTH:.1f}" y="0" height="10"/>'
        x += width
    return _svg(label, 10, drawn)


def interval_bar(label: str, low: float, mean: float, high: float, most: float) -> str:
    """A line from the low to the high end of an interval with a dot at its mean, on a scale from 0 to `most`."""
    at = [_x(value / most) if most > 0 else 4 for value in (low, mean, high)]
    line = f'<line class="line" x1="{at[0]:.1f}" x2="{at[2]:.1f}" y1="8" y2="8"/>'
    return _svg(label, 16, f'{line}<rect class="dot" x="{at[1] - 2:.1f}" y="3" width="4" height="10"/>')


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A point of a curve with its interval: where it is from left to right, from 0 to 1, and its values."""

    at: float
    low: float
    mean: float
    high: float


def curve(label: str, points: Sequence[CurvePoint], most: float, *, marked: float | None = None) -> str:
    """A line through the means with a band from the low to the high ends, on a scale from 0 (below) to `most`.

    What is beyond the scale is cut off. `marked` is a place that a line marks.
    """

    def place(at: float, value: float) -> str:
        share = min(max(value / most, 0.0), 1.0) if most > 0 else 0.0
        return f"{_x(at):.1f},{CURVE_HEIGHT - 6 - share * (CURVE_HEIGHT - 12):.1f}"

    lows, highs = ([place(each.at, getattr(each, end)) for each in points] for end in ("low", "high"))
    means = [place(each.at, each.mean) for each in points]
    drawn = f'<line class="lane" x1="0" x2="{WIDTH}" y1="{CURVE_HEIGHT - 6}" y2="{CURVE_HEIGHT - 6}"/>'
    if marked is not None:
        drawn += f'<line class="at" x1="{_x(marked):.1f}" x2="{_x(marked):.1f}" y1="0" y2="{CURVE_HEIGHT}"/>'
    drawn += f'<polygon class="band" points="{" ".join([*highs, *reversed(lows)])}"/>'
    drawn += f'<polyline class="line" points="{" ".join(means)}"/>'
    for mean in means:
        x, y = (float(each) for each in mean.split(","))
        drawn += f'<rect class="dot" x="{x - 2:.1f}" y="{y - 4:.1f}" width="4" height="8"/>'
    return _svg(label, CURVE_HEIGHT, drawn)


def _x(at: float) -> float:
    """A place from 0 to 1 in the width of a plot, with room for half of a mark on both sides."""
    return min(max(at, 0.0), 1.0) * (WIDTH - 8) + 4


def marks(label: str, places: Iterable[float], height: int = 14) -> str:
    """Marks on a line, at places from 0 to 1."""
    lane = f'<line class="lane" x1="0" x2="{WIDTH}" y1="{height - 1}" y2="{height - 1}"/>'
    drawn = "".join(
        f'<rect class="dot" x="{min(max(place, 0.0), 1.0) * (WIDTH - 2):.1f}" y="1" width="2" height="{height - 2}"/>'
        for place in places
    )
    return _svg(label, height, lane + drawn)


def _svg(label: str, height: int, drawn: str) -> str:
    size = f'viewBox="0 0 {WIDTH} {height}" height="{height}" preserveAspectRatio="none"'
    return f'<svg {size} role="img" aria-label="{text(label)}">{drawn}</svg>'
