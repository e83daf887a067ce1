"""The reference interpreter with the interface of a machine, so that a backtest can run on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.triggers.language.randomised.recordings import Recording
from tests.triggers.language.randomised.tracing import traced
from tests.triggers.language.randomised.weighing import weights_by_hand
from triggers.backtest.machines import MachinePool
from triggers.backtest.plan import make_plan
from triggers.contracts.compared import Compared, EventCounts, EventKey
from triggers.language.compile import Compilation
from triggers.language.ir import Input, Ir, TriggerCode
from triggers.language.reference.interpreter import Interpreter
from triggers.language.rows import Row
from triggers.language.watched import TriggerWeights, WatchedTrigger
from triggers.signals.object_columns import ObjectColumn

FIRE = np.dtype([("t_ns", "<i8"), ("row", "<u4"), ("trigger", "<u4")])


@dataclass(frozen=True)
class ReferenceManifest:
    """What a backtest asks of a machine's manifest."""

    inputs: tuple[Input, ...]
    triggers: tuple[TriggerCode, ...]
    lists: tuple[ReferenceList, ...]


@dataclass(frozen=True)
class ReferenceList:
    """A list of objects in that manifest."""

    input: str


class ReferenceMachine:
    """One evaluator of the interpreter."""

    def __init__(self, ir: Ir) -> None:
        self._lists = [item.name for item in ir.inputs if item.type == "objects"]
        self.manifest = ReferenceManifest(ir.inputs, ir.triggers, tuple(map(ReferenceList, self._lists)))
        self._ir = ir
        self._evaluator = Interpreter(ir)
        self._indexes = {trigger.name: index for index, trigger in enumerate(ir.triggers)}

        self._watched: tuple[WatchedTrigger, ...] = ()
        self._taken: list[Recording] = []

    def reset(self) -> None:
        self._evaluator = Interpreter(self._ir)
        self._taken = []

    def weigh(self, watched: Sequence[WatchedTrigger]) -> None:
        self._watched = tuple(watched)

    @property
    def weights(self) -> Mapping[str, TriggerWeights]:
        return self.weights_if_longer(0)

    def weights_if_longer(self, longer_ns: int) -> Mapping[str, TriggerWeights]:
        columns = {
            name: np.concatenate([part.columns[name] for part in self._taken]) for name in self._evaluator.inputs
        }
        objects = {name: [each for part in self._taken for each in part.objects[name]] for name in self._lists}
        whole = Recording(np.concatenate([part.t_ns for part in self._taken]), columns, objects)
        return weights_by_hand(self._ir, self._watched, whole, traced(self._ir, whole), longer_ns)

    @property
    def suppressed(self) -> Mapping[str, int]:
        return self._evaluator.suppressed

    @property
    def overflows(self) -> int:
        return self._evaluator.overflows

    @property
    def compared(self) -> Mapping[str, Compared]:
        return self._evaluator.compared

    @property
    def events(self) -> Mapping[EventKey, EventCounts]:
        return self._evaluator.events

    def end_drive(self) -> None:
        self._evaluator.end_drive()

    @property
    def left_out(self) -> Mapping[str, int]:
        return self._evaluator.left_out

    def run(
        self,
        t_ns: NDArray[np.int64],
        columns: Sequence[NDArray[np.float64] | None],
        objects: Sequence[ObjectColumn | None] = (),
    ) -> NDArray[Any]:
        lists = dict(zip(self._lists, objects, strict=True))
        missing = np.full(len(t_ns), np.nan)
        named = zip(self._evaluator.inputs, columns, strict=True)
        samples = {
            name: [None if column is None else column.sample(row) for row in range(len(t_ns))]
            for name, column in lists.items()
        }
        self._taken.append(Recording(t_ns, {name: missing if x is None else x for name, x in named}, samples))
        rows = [
            Row(
                int(t),
                {name: float(x[i]) for name, x in zip(self._evaluator.inputs, columns, strict=True) if x is not None},
                {name: sample for name, column in samples.items() if (sample := column[i]) is not None},
            )
            for i, t in enumerate(t_ns)
        ]
        fires = self._evaluator.run(rows)
        return np.array([(fire.t_ns, 0, self._indexes[fire.trigger]) for fire in fires], FIRE)


def reference_pool(compilation: Compilation) -> MachinePool:
    """Machines that run the plan of a compilation on the reference interpreter."""
    assert compilation.triggers is not None
    irs = {each.program: each.ir for each in (*compilation.campaigns.values(), compilation.triggers)}

    def load(program: bytes) -> Callable[[], Any]:
        return lambda: ReferenceMachine(irs[program])

    return MachinePool(make_plan(compilation).programs, load)
