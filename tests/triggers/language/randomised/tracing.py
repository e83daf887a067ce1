"""The reference interpreter with a trace: the value of every node at every tick."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan

import numpy as np
from numpy.typing import NDArray

from tests.triggers.language.randomised.recordings import Recording
from triggers.language.ir import Ir
from triggers.language.reference.compared import Compared, EventCounts, EventKey
from triggers.language.reference.interpreter import Interpreter
from triggers.language.reference.values import Value

UNKNOWN_TRUTH = 2.0
"""A condition's unknown in a trace; false and true are 0 and 1, a number's unknown is NaN."""


@dataclass(slots=True)
class Trace:
    """What a program gave on a recording, with the nodes' values at each tick, in the order of the ticks.

    A fire is the index of the row that brought it (a heartbeat belongs to the row after it), its time in ns and its
    trigger's index; in order of rows, times and triggers.
    """

    fires: list[tuple[int, int, int]] = field(default_factory=list)
    suppressed: Mapping[str, int] = field(default_factory=dict)
    overflows: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    compared: Mapping[str, Compared] = field(default_factory=dict)
    events: Mapping[EventKey, EventCounts] = field(default_factory=dict)
    ticks: list[tuple[int, int]] = field(default_factory=list)
    """Row and time of each tick."""
    values: list[tuple[Value, ...]] = field(default_factory=list)
    known: list[Mapping[str, bool]] = field(default_factory=list)
    """Which lists of objects are known."""

    def table(self) -> NDArray[np.float64]:
        """The values as an array, a row per tick, a column per node; unknown is NaN, true and false are 1 and 0."""
        return np.array([[nan if value is None else value for value in row] for row in self.values], np.float64)


class _TracingInterpreter(Interpreter):
    """Keeps all nodes' values after each instant at which any of them was evaluated."""

    def __init__(self, ir: Ir) -> None:
        super().__init__(ir)
        self.trace = Trace()
        self.row = 0

    def after_tick(self, t_ns: int, values: Sequence[Value]) -> None:
        self.trace.ticks.append((self.row, t_ns))
        self.trace.values.append(tuple(values))
        self.trace.known.append(self.known_lists)


def traced(ir: Ir, recording: Recording, ends: Collection[int] = ()) -> Trace:
    """Run a program over a recording whose drives end before the rows `ends`."""
    evaluator = _TracingInterpreter(ir)
    indexes = {trigger.name: index for index, trigger in enumerate(ir.triggers)}
    trace = evaluator.trace
    for evaluator.row, row in enumerate(recording.rows()):
        if evaluator.row in ends:
            evaluator.end_drive()
        trace.fires += [(evaluator.row, fire.t_ns, indexes[fire.trigger]) for fire in evaluator.run([row])]
    if len(recording) in ends:
        evaluator.end_drive()
    trace.suppressed, trace.overflows = evaluator.suppressed, evaluator.overflows
    trace.left_out = evaluator.left_out
    trace.compared, trace.events = evaluator.compared, evaluator.events
    return trace
