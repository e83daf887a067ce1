"""The run of a trigger over a drive, of which every part of the condition is read at every tick.

Memory is bounded by a batch, however long the drive is: nothing is kept of it but its fires, and whoever reads the
blocks keeps of them what is shown. Values are those of the program that vehicles run, which are those of the reference
interpreter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triggers.backtest.conditions import Judged, why_not, written_parts
from triggers.backtest.result import DriveResult, DriveWeights
from triggers.drives.drive import Drive
from triggers.drives.times import Times
from triggers.errors import InvalidInput
from triggers.language.ir import Ir
from triggers.language.parts import PartsProgram
from triggers.language.watched import watched
from triggers.language.webassembly.host.blocks import ReadableMachine
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S

Numbers = NDArray[np.float64]
MAX_WINDOW_NS = 3600 * NS_PER_S
"""The longest window that is shown."""
_COMPARISONS = ("lt", "le", "gt", "ge", "eq")
_THROUGH = ("for", "once")
"""Operations that are as close to being true as what is below them."""


@dataclass(frozen=True, slots=True)
class TraceBlock:
    """Some ticks of a drive in ns, and the value of each part at them.

    Conditions are 1, 0 or NaN (unknown), texts are indexes of their values. `fires` says at which ticks it fired.
    """

    t_ns: Times
    values: list[Numbers]
    fires: NDArray[np.bool_]

    def between(self, first_ns: int, last_ns: int) -> TraceBlock:
        """The ticks from one time to another, both included."""
        start, end = self.t_ns.searchsorted(first_ns), self.t_ns.searchsorted(last_ns, side="right")
        return self.cut(int(start), int(end))

    def cut(self, start: int, end: int) -> TraceBlock:
        """The ticks from one index to before another."""
        inside = slice(start, end)
        return TraceBlock(self.t_ns[inside], [values[inside] for values in self.values], self.fires[inside])


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """What happened on the whole drive; times in ns of its clock. `why_not` says why the trigger never fired."""

    first_ns: int
    last_ns: int
    ticks: int
    fires_ns: tuple[int, ...]
    closest_ns: int | None
    why_not: str | None
    found: Judged

    @property
    def centre_ns(self) -> int:
        """What one wants to see first: the first fire, else where it came closest, else the beginning."""
        if self.fires_ns:
            return self.fires_ns[0]
        return self.first_ns if self.closest_ns is None else self.closest_ns


@dataclass(frozen=True, slots=True)
class TraceView:
    """A window of a drive, from `first_ns` to `last_ns`, around a moment."""

    program: PartsProgram
    drive: str
    summary: TraceSummary
    first_ns: int
    last_ns: int
    at_ns: int


class TraceRun:
    """One run over the drive: `blocks` or `run_through` once, then `summary`."""

    def __init__(self, program: PartsProgram, drive: Drive, catalog: SignalCatalog) -> None:
        """Raises InvalidInput if the drive cannot be read or cannot give one of the signals."""
        self._program, self._drive, self._catalog = program, drive, catalog
        self._signals = [item.name for item in program.ir.inputs]
        self._check()
        self._watched = watched(program.ir)
        self._machine = ReadableMachine(program.ir)
        self._machine.weigh(self._watched)
        self._margin = _Margin.of(program.ir)
        self._fires: list[int] = []
        self._first_ns: int | None = None
        self._last_ns = self._ticks = 0

    def _check(self) -> None:
        with self._drive.open() as file:
            problems = [file.problem(name, self._catalog) for name in self._signals]
            file.check_columns(self._catalog, ())
        missing = [problem for problem in problems if problem is not None]
        if missing:
            raise InvalidInput(f"{missing[0].message}; `{self._program.trigger}` needs it", remedy=missing[0].remedy)

    def blocks(self) -> Iterator[TraceBlock]:
        """All ticks of the drive, some at a time, in order."""
        yield from self._blocks([part.node for part in self._program.parts])

    def run_through(self) -> None:
        """Run over the drive for its summary alone, which takes less time than reading the values of the parts."""
        for _ in self._blocks([]):
            pass

    def _blocks(self, nodes: list[int]) -> Iterator[TraceBlock]:
        read = [*nodes, *self._margin.nodes]
        for batch in self._drive.batches(self._catalog, self._signals):
            if self._first_ns is None:
                self._first_ns = int(batch.t_ns[0])
            self._last_ns = int(batch.t_ns[-1])
            columns = [batch.columns.get(name) for name in self._signals]
            objects = [batch.objects.get(item.input) for item in self._machine.manifest.lists]
            for block in self._machine.blocks(batch.t_ns, columns, read, objects):
                self._margin.take(block.t_ns, block.values[len(nodes) :])
                self._fires += block.fires_ns.tolist()
                self._ticks += len(block.t_ns)
                fires = np.isin(block.t_ns, block.fires_ns)
                yield TraceBlock(block.t_ns, block.values[: len(nodes)], fires)
        self._machine.end_drive()

    def summary(self) -> TraceSummary:
        """What happened, once all blocks have come. Raises InvalidInput for a drive without rows."""
        if self._first_ns is None:
            raise InvalidInput(f"{self._drive.path}: the drive has no rows")
        (each,) = self._watched
        weights = self._machine.weights[each.trigger]
        names = dict(zip((self._signals[index] for index in each.signals), weights.unknown_with_ns, strict=True))
        named = DriveWeights(weights.condition, weights.parts, names, weights.closest)
        judged = Judged.over(each.trigger, [DriveResult("", self._drive.path, weights={each.trigger: named})])
        written = written_parts(each, self._program.ir, self._program.conjuncts, self._program.source)
        closest_ns = self._margin.t_ns if weights.closest is None else weights.closest.t_ns
        return TraceSummary(
            first_ns=self._first_ns,
            last_ns=self._last_ns,
            ticks=self._ticks,
            fires_ns=tuple(self._fires),
            closest_ns=closest_ns,
            why_not=why_not(judged, written.names, len(self._fires), in_drive=False),
            found=judged,
        )


class _Margin:
    """When the two sides of a condition that is one comparison were closest to each other."""

    def __init__(self, nodes: tuple[int, ...]) -> None:
        self.nodes = nodes
        """The two sides; none for a condition that is no comparison."""
        self.t_ns: int | None = None
        self._smallest = np.inf

    @classmethod
    def of(cls, ir: Ir) -> _Margin:
        node = ir.nodes[ir.triggers[0].root]
        while node.op in _THROUGH:
            node = ir.nodes[node.arguments[0]]
        return cls(node.arguments if node.op in _COMPARISONS else ())

    def take(self, t_ns: Times, sides: list[Numbers]) -> None:
        """Compare the two sides at some ticks."""
        if not sides:
            return
        apart = np.abs(sides[0] - sides[1])
        if np.isnan(apart).all():
            return
        at = int(np.nanargmin(apart))
        if apart[at] < self._smallest:
            self._smallest, self.t_ns = float(apart[at]), int(t_ns[at])


def window(
    program: PartsProgram, drive: Drive, catalog: SignalCatalog, first_ns: int, last_ns: int
) -> Iterator[TraceBlock]:
    """The ticks of a drive from one time to another, some at a time, in order; the run ends there."""
    for block in TraceRun(program, drive, catalog).blocks():
        if block.t_ns[0] > last_ns:
            return
        if len((inside := block.between(first_ns, last_ns)).t_ns):
            yield inside


def joined(blocks: list[TraceBlock], parts: int) -> TraceBlock:
    """Several blocks as one."""
    if not blocks:
        return TraceBlock(np.empty(0, np.int64), [np.empty(0)] * parts, np.empty(0, np.bool_))
    return TraceBlock(
        np.concatenate([block.t_ns for block in blocks]),
        [np.concatenate([block.values[index] for block in blocks]) for index in range(parts)],
        np.concatenate([block.fires for block in blocks]),
    )
