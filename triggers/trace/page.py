"""A trace as a page of HTML that needs nothing but itself: no script, no request, light and dark, wide and narrow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from triggers.language.parts import ConditionPart
from triggers.pages import html
from triggers.pages.html import KEY, STYLE, text
from triggers.times import NS_PER_S
from triggers.trace.bins import Binning, Bins
from triggers.trace.run import TraceSummary, TraceView

_BINS = 600
_DEEPEST = 8
_HEIGHT = {"number": 56, "text": 34, "condition": 18}
_MOST_NAMES = 12
_STYLE = (
    STYLE
    + ".part { border-top: 1px solid var(--edge); padding: .4rem 0 }\n"
    + ".band rect { fill: var(--line); opacity: .16 } .band line { stroke: var(--line); stroke-width: 2 }\n"
    + ".band text { fill: var(--ink); font: 13px ui-monospace, monospace }\n"
    + "".join(f".d{depth} {{ padding-left: {depth * 0.7:.1f}rem }}\n" for depth in range(_DEEPEST + 1))
)


def binning(view: TraceView) -> Binning:
    """What takes the ticks of a window for its page."""
    return Binning(len(view.program.parts), view.first_ns, view.last_ns, _BINS)


def page(view: TraceView, drawn: list[Bins]) -> str:
    """The page of a window of a drive, with a mark at its moment; `drawn` are the parts as `binning` has taken them."""
    title = f"{view.program.trigger} on {view.drive}"
    return html.page(title, _body(view, title, drawn), style=_STYLE)


def _body(view: TraceView, title: str, drawn: list[Bins]) -> Iterator[str]:
    yield f"<h1>Trace of {text(title)}</h1>"
    yield f"<p>{text(outcome(view.summary))}</p>"
    yield KEY
    first_ns, last_ns, at_ns = view.first_ns, view.last_ns, view.at_ns
    at = (at_ns - first_ns) / max(last_ns - first_ns, 1) * _BINS
    for part, bins in zip(view.program.parts, drawn, strict=True):
        # the text is indented, the plot is not: the same moment is at the same place in every plot
        yield f'<div class="part"><div class="d{min(part.depth, _DEEPEST)}">'
        yield f'<div class="name">{text(part.text)}</div><div class="facts">{text(_facts(part, bins))}</div></div>'
        yield _plot(part, bins, at) + "</div>"
    ends = [f"{t_ns / NS_PER_S:.3f} s" for t_ns in (first_ns, at_ns, last_ns)]
    yield f'<div class="axis">{"".join(f"<span>{end}</span>" for end in ends)}</div>'


def outcome(summary: TraceSummary) -> str:
    """What became of the trigger on the whole drive, in a sentence."""
    if summary.fires_ns:
        count = len(summary.fires_ns)
        times = ", ".join(f"{t_ns / NS_PER_S:.3f} s" for t_ns in summary.fires_ns[:5])
        more = f" and {count - 5} more" if count > 5 else ""
        return f"It fired {'once' if count == 1 else f'{count} times'}: at {times}{more}."
    return f"It never fired: {summary.why_not or 'the drive lasts no time, as a single row does'}."


def _facts(part: ConditionPart, bins: Bins) -> str:
    extent = bins.extent
    if extent is None:
        return f"{part.type}, unknown throughout"
    if part.type == "text":
        return f"text: {', '.join(_names(part, bins))}"
    if part.type != "number":
        return part.type
    unit = f" {part.unit}" if part.unit else ""
    return f"{extent[0]:.5g} to {extent[1]:.5g}{unit}"


def _names(part: ConditionPart, bins: Bins) -> list[str]:
    """The values that a text has in its plot, in the order in which they come."""
    names = list(dict.fromkeys(part.values[run.value] for run in bins.runs() if run.value is not None))
    return names if len(names) <= _MOST_NAMES else [*names[:_MOST_NAMES], f"{len(names) - _MOST_NAMES} more"]


def _plot(part: ConditionPart, bins: Bins, at: float) -> str:
    height = _HEIGHT[part.type]
    drawn = {"condition": _bars, "number": _line, "text": _unknown}[part.type](bins, height)
    mark = f'<line class="at" x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{height}"/>'
    stretched = f'viewBox="0 0 {_BINS} {height}" preserveAspectRatio="none"'
    label, inner = f'role="img" aria-label="{text(part.text)}"', "".join(drawn) + mark
    if part.type != "text":
        return f'<svg {stretched} height="{height}" {label}>{inner}</svg>'
    # what is stretched to the width of the page would stretch names, too
    return f'<svg height="{height}" {label}>{"".join(_bands(part, bins))}<svg {stretched}>{inner}</svg></svg>'


def _bands(part: ConditionPart, bins: Bins) -> Iterator[str]:
    """A band with its name for each run of a text's value; a name that is too long is cut where its band ends."""
    for run in bins.runs():
        if run.value is not None:
            x, width = (f"{100 * place / _BINS:.3f}%" for place in (run.begin, run.end - run.begin))
            name = text(part.values[run.value])
            yield f'<svg class="band" x="{x}" width="{width}"><title>{name}</title>'
            yield f'<rect width="100%" height="100%"/><line y2="100%"/><text x="5" y="20">{name}</text></svg>'


def _bars(bins: Bins, height: int) -> Iterator[str]:
    """A rectangle for each run of bins of one state."""
    states = [
        "t" if high == 1 else "u" if unknown else "f" for high, unknown in zip(bins.high, bins.has_unknown, strict=True)
    ]
    start = 0
    for index in range(1, len(states) + 1):
        if index == len(states) or states[index] != states[start]:
            yield f'<rect class="{states[start]}" x="{start}" width="{index - start}" y="2" height="{height - 4}"/>'
            start = index


def _line(bins: Bins, height: int) -> Iterator[str]:
    """A line through the lowest and highest value of each bin, above what says where it is unknown."""
    known = np.concatenate((bins.low, bins.high))
    known = known[~np.isnan(known)]
    if len(known):
        low, high = float(known.min()), float(known.max())
        middle = height / 2

        def y(value: float) -> float:
            return middle if high == low else 3 + (height - 9) * (high / 2 - value / 2) / (high / 2 - low / 2)

        path, pen = [], "M"
        for x, (lower, upper) in enumerate(zip(bins.low.tolist(), bins.high.tolist(), strict=True)):
            if np.isnan(lower):
                pen = "M"
                continue
            path.append(f"{pen}{x + 0.5:.1f} {y(upper):.1f}L{x + 0.5:.1f} {y(lower):.1f}")
            pen = "L"
        yield f'<path class="line" d="{"".join(path)}"/>'
    yield from _unknown(bins, height)


def _unknown(bins: Bins, height: int) -> Iterator[str]:
    """A bar at the foot of each bin in which a value is unknown at some time."""
    for x in np.flatnonzero(bins.has_unknown).tolist():
        yield f'<rect class="u" x="{x}" width="1" y="{height - 3}" height="3"/>'
