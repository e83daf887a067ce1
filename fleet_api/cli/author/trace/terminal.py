"""A trace in a terminal: a table of the ticks around the moment, and a plot of the whole window."""

from __future__ import annotations

import shutil
from textwrap import fill
from typing import TYPE_CHECKING

from fleet_api.cli.author.trace.axis import axis, origin
from fleet_api.cli.author.trace.plot import drawn, extent, shown
from fleet_api.cli.output import print_result, print_table, remark
from fleet_api.cli.tables import GAP, display_width
from triggers.times import NS_PER_S
from triggers.trace.around import Around
from triggers.trace.bins import Binning
from triggers.trace.page import outcome

if TYPE_CHECKING:
    from triggers.language.parts import ConditionPart
    from triggers.trace.bins import Bins
    from triggers.trace.run import TraceBlock, TraceView

_AROUND = 4
"""Ticks that the table shows before and after the moment, where there is room for them."""
_MAX_LABEL = 44
_WIDTH_ELSEWHERE = 120
"""Columns where standard output is not a terminal and COLUMNS is not set."""
_BESIDE = 0.45
"""The share of a line that may be beside a plot: what is plotted, and between which values."""
_PLOT_AT_LEAST = 36
"""Columns of a plot; in a narrower terminal it has a line of its own."""
_LABEL_AT_LEAST = 8
_LEAST_WIDTH = 20
_MOST_WIDTH = 1_000
"""COLUMNS is whatever somebody has set, and each column of a plot takes memory."""


class TerminalView:
    """What a terminal shows of a window: it takes the window's ticks, of which it keeps what it prints in the end."""

    def __init__(self, view: TraceView) -> None:
        self._view, self._parts = view, view.program.parts
        self._total = _width()
        self._around = Around(len(self._parts), view.at_ns, _AROUND)
        self._beside = min(max(map(_room, self._parts)), int(self._total * _BESIDE))
        self._columns = self._total - self._beside - 1
        self._is_narrow = self._columns < _PLOT_AT_LEAST
        if self._is_narrow:
            self._beside = self._columns = self._total
        self._binning = Binning(len(self._parts), view.first_ns, view.last_ns, self._columns)

    def take(self, block: TraceBlock) -> None:
        """Take some ticks, in order of time."""
        self._around.take(block)
        self._binning.take(block)

    def print(self) -> None:
        """Print what became of the trigger, the table and the plot, once all ticks have come."""
        view, summary = self._view, self._view.summary
        first, last = (f"{t_ns / NS_PER_S:.3f} s" for t_ns in (summary.first_ns, summary.last_ns))
        title = f"{view.program.trigger} on {view.drive}, {first} to {last}, {summary.ticks:,} ticks"
        for sentence in (title, outcome(summary)):
            print_result(fill(sentence, self._total, break_long_words=False, break_on_hyphens=False))
        if not len(self._around.ticks(0).t_ns):
            remark("there is no tick in this window: give a longer --window")
            return
        self._print_table()
        self._print_plot()

    def _print_table(self) -> None:
        """A row per part, a column for each tick around the moment."""
        for around in range(_AROUND, -1, -1):
            columns, rows = self._table(self._around.ticks(around))
            needed = [max(map(display_width, cells)) for cells in zip(columns, *rows, strict=True)]
            if sum(needed) + len(GAP) * (len(needed) - 1) <= self._total:
                break
        print_table(f"Around {self._view.at_ns / NS_PER_S:.3f} s (* fires)", columns, rows, width=self._total)

    def _table(self, block: TraceBlock) -> tuple[list[str], list[list[str]]]:
        """The titles and rows of a table of these ticks."""
        ticks = zip(block.t_ns.tolist(), block.fires.tolist(), strict=True)
        titles = [f"{t_ns / NS_PER_S:.3f}{' *' if fires else ''}" for t_ns, fires in ticks]
        rows = [
            [_label(part, _MAX_LABEL), part.unit, *(shown(part, value) for value in values.tolist())]
            for part, values in zip(self._parts, block.values, strict=True)
        ]
        return ["part", "unit", *titles], rows

    def _print_plot(self) -> None:
        """A plot per part over the whole window, below its times."""
        view = self._view
        print_result("")
        if after_ns := origin(view.first_ns, view.last_ns):
            print_result(f"Times below are after {after_ns // NS_PER_S} s")
        times = axis(view.first_ns - after_ns, view.last_ns - after_ns, self._columns)
        self._print_line("", times)
        for part, bins in zip(self._parts, self._binning.bins(), strict=True):
            self._print_line(self._name(part, bins), drawn(part, bins))

    def _print_line(self, name: str, plot: str) -> None:
        if not self._is_narrow:
            print_result(f"{name:{self._beside}} {plot}".rstrip())
            return
        if name:
            print_result(name.rstrip())
        print_result(plot.rstrip())

    def _name(self, part: ConditionPart, bins: Bins) -> str:
        """What is plotted, and at the other end of the room for it between which values."""
        values = extent(part, bins)[: self._beside - _LABEL_AT_LEAST]
        label = _label(part, self._beside - len(values) - bool(values))
        return label + f"{values:>{self._beside - len(label)}}"


def _room(part: ConditionPart) -> int:
    """What a part's label takes, and of a number also the values that it is between, as they usually are."""
    usual = len(f"  -1.234 to 12.34 {part.unit}") if part.type == "number" else 0
    return len(_label(part, _MAX_LABEL)) + usual


def _width() -> int:
    """Characters per line: those of the terminal, or COLUMNS, which also holds where the output goes elsewhere."""
    return min(max(shutil.get_terminal_size((_WIDTH_ELSEWHERE, 0)).columns, _LEAST_WIDTH), _MOST_WIDTH)


def _label(part: ConditionPart, longest: int) -> str:
    text = "  " * min(part.depth, 6) + part.text
    return text if len(text) <= longest else text[: longest - 1] + "…"
