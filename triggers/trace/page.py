"""A trace as a page of HTML that needs nothing but itself: no script, no request, light and dark, wide and narrow."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import numpy as np

from triggers.foreign_text import escaped
from triggers.language.parts import ConditionPart
from triggers.times import NS_PER_S
from triggers.trace.bins import Bins, binned
from triggers.trace.run import Numbers, TraceSummary, TraceView

_BINS = 600
_HEIGHT = {"number": 56, "text": 40, "condition": 18}
_STYLE = """
:root { color-scheme: light dark; --ink: #1a1d21; --soft: #5c6570; --paper: #fff; --edge: #d8dde3; --line: #1f5fbf;
  --true: #1d7f4a; --false: #d8dde3; --unknown: #c98a1b; --mark: #b3261e }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #9aa4af; --paper: #15181c; --edge: #343a42;
  --line: #7fb0ff; --true: #4cc38a; --false: #343a42; --unknown: #e0a93f; --mark: #ff8a80 } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1rem; max-width: 68rem; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.25rem } p { margin: .35rem 0 }
.part { border-top: 1px solid var(--edge); padding: .4rem 0 }
.name { font: 13px/1.4 ui-monospace, monospace } .facts { color: var(--soft); font-size: 13px }
svg { display: block; width: 100%; background: none } .axis { display: flex; justify-content: space-between;
  color: var(--soft); font-size: 13px }
.line { fill: none; stroke: var(--line); stroke-width: 1.5; vector-effect: non-scaling-stroke }
.t { fill: var(--true) } .f { fill: var(--false) } .u { fill: var(--unknown) }
.at { stroke: var(--mark); stroke-width: 1; vector-effect: non-scaling-stroke }
.key span { margin-right: 1rem } .key i { display: inline-block; width: .8em; height: .8em; margin-right: .3em }
"""


def page(view: TraceView) -> str:
    """The page of a window of a drive, with a mark at its moment."""
    title = f"{view.program.trigger} on {view.drive}"
    body = "\n".join(_body(view, title))
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{_text(title)}</title><style>{_STYLE}</style></head><body>
{body}
</body></html>
"""


def _body(view: TraceView, title: str) -> Iterator[str]:
    yield f"<h1>Trace of {_text(title)}</h1>"
    yield f"<p>{_text(outcome(view.summary))}</p>"
    yield '<p class="key facts"><span><i style="background:var(--true)"></i>true</span>'
    yield '<span><i style="background:var(--false)"></i>false</span>'
    yield '<span><i style="background:var(--unknown)"></i>unknown</span></p>'
    first_ns, last_ns, at_ns = view.first_ns, view.last_ns, view.at_ns
    at = (at_ns - first_ns) / max(last_ns - first_ns, 1) * _BINS
    for part, values in zip(view.program.parts, view.block.values, strict=True):
        bins = binned(view.block.t_ns, values, first_ns, last_ns, _BINS)
        # the text is indented, the plot is not: the same moment is at the same place in every plot
        yield f'<div class="part"><div style="padding-left:{min(part.depth, 8) * 0.7:.1f}rem">'
        yield f'<div class="name">{_text(part.label)}</div><div class="facts">{_text(_facts(part, values))}</div></div>'
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


def _facts(part: ConditionPart, values: Numbers) -> str:
    known = values[~np.isnan(values)]
    if part.type != "number" or not len(known):
        return part.type if len(known) else f"{part.type}, unknown throughout"
    unit = f" {part.unit}" if part.unit else ""
    return f"{known.min():.5g} to {known.max():.5g}{unit}"


def _plot(part: ConditionPart, bins: Bins, at: float) -> str:
    height = _HEIGHT[part.type]
    drawn = "".join(_bars(bins, height) if part.type == "condition" else _line(bins, height))
    mark = f'<line class="at" x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{height}"/>'
    size = f'viewBox="0 0 {_BINS} {height}" height="{height}" preserveAspectRatio="none"'
    return f'<svg {size} role="img" aria-label="{_text(part.label)}">{drawn}{mark}</svg>'


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
    """A line through the lowest and highest value of each bin, and a bar below where it is unknown."""
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
    for x in np.flatnonzero(bins.has_unknown).tolist():
        yield f'<rect class="u" x="{x}" width="1" y="{height - 3}" height="3"/>'


def _text(text: str) -> str:
    """Text of a person's for HTML: markup, quotes and control characters are escaped."""
    return escape(escaped(text), quote=True)
