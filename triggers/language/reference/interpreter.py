"""The reference interpreter, which runs a program over rows, tick by tick, exactly as the language is defined.

This module handles rows, heartbeats, segments, ticks, firing and cooldowns; the operators are in `operators`, `windows`
and `inputs`, lists of objects in `objects`. State is bounded: the latest sample of each input, and the state of the
operators.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import isnan
from typing import NamedTuple

from triggers.errors import InvalidInput
from triggers.language.graph import AFTER, BEFORE, stages
from triggers.language.ir import CLOCK, Ir
from triggers.language.reference.compared import Compared, EventCounts, EventKey
from triggers.language.reference.inputs import HeldInput
from triggers.language.reference.objects.tracked import ObjectList
from triggers.language.reference.operators import Tick
from triggers.language.reference.steps import Step, make_counters, make_event_counters, make_steps
from triggers.language.reference.values import Value
from triggers.language.reference.windows import Ring
from triggers.language.rows import HEARTBEAT_NS, MAX_T_NS, Firing, Row

_MAX_PLANS = 4096


class Interpreter:
    """Runs one program over the rows of one vehicle; `run` may be called again with the rows that follow."""

    def __init__(self, ir: Ir) -> None:
        self.ir = ir
        self.inputs = tuple(item.name for item in ir.inputs)
        self._held = [HeldInput(item) for item in ir.inputs]
        self._tick = Tick()
        self._masks = ir.signal_masks()
        self._has_clock = any(mask & CLOCK for mask in self._masks)
        self._lists = {
            place: ObjectList(ir, place, self._masks, self._held[place])
            for place, item in enumerate(ir.inputs)
            if item.type == "objects"
        }
        self._signals = [(place, held) for place, held in enumerate(self._held) if place not in self._lists]
        stage_of = stages(ir.nodes, range(len(ir.nodes)))
        before = [node for node, stage in stage_of.items() if stage == BEFORE]
        after = [node for node, stage in stage_of.items() if stage == AFTER]
        self._steps = make_steps(ir, self._masks, self._held, before + after)
        self._everything = _Plan(
            tuple(self._steps[: len(before)]), tuple(self._lists.values()), tuple(self._steps[len(before) :])
        )
        self._plans: dict[int, _Plan] = {}
        self._values: list[Value] = [None] * len(ir.nodes)
        self._triggers = [
            _Firing(trigger.name, trigger.root, self._masks[trigger.root], trigger.cooldown_ns)
            for trigger in ir.triggers
        ]
        self._counters = make_counters(ir, self._masks, self._held)
        self._event_counters = make_event_counters(ir, self._masks)
        self._previous_ns: int | None = None
        self._ended = False

    @property
    def suppressed(self) -> Mapping[str, int]:
        """How many rises of each trigger fell into its cooldown since the interpreter was created."""
        return {trigger.name: trigger.suppressed for trigger in self._triggers}

    @property
    def overflows(self) -> int:
        """How many window entries were lost because samples came faster than the catalog declares."""
        of_objects = sum(each.overflows for each in self._lists.values())
        return of_objects + sum(step.operator.overflows for step in self._steps if isinstance(step.operator, Ring))

    @property
    def left_out(self) -> Mapping[str, int]:
        """How many objects of each list had no slot: beyond the most that a sample may have, or with a key twice."""
        return {each.item.name: each.left_out for each in self._lists.values()}

    @property
    def known_lists(self) -> Mapping[str, bool]:
        """Whether each list of objects was known when it ticked last."""
        return {each.item.name: each.is_known for each in self._lists.values()}

    @property
    def compared(self) -> Mapping[str, Compared]:
        """What each compared head counted since the interpreter was created."""
        return {counter.code.head: counter.compared for counter in self._counters}

    @property
    def events(self) -> Mapping[EventKey, EventCounts]:
        """What became of the rises of each compared head since the interpreter was created, by sides."""
        return {counter.code.key: counter.counts for counter in self._event_counters}

    @property
    def values(self) -> Sequence[Value]:
        """The latest value of each node; None means unknown."""
        return self._values

    def run(self, rows: Iterable[Row]) -> list[Firing]:
        """The fires of these rows, in order; a row that is not later than the one before begins a segment.

        Raises InvalidInput for a timestamp that is not an int64 >= 0.
        """
        return list(chain.from_iterable(self._row(row) for row in rows))

    def end_drive(self) -> None:
        """End the recording with the latest row: no heartbeat follows it, and the next row begins a segment."""
        self._ended = True
        self._end_events()

    def _row(self, row: Row) -> Iterable[Firing]:
        t_ns, previous_ns = row.t_ns, self._previous_ns
        if not 0 <= t_ns <= MAX_T_NS:
            raise InvalidInput(f"row at {t_ns} ns: a timestamp is an int64 of nanoseconds from 0 on")
        fresh = 0
        samples = row.samples
        for index, name in enumerate(self.inputs):
            value = samples.get(name)
            if value is not None and not isnan(value):
                fresh |= 1 << index
        for index in self._lists:
            if self.inputs[index] in row.objects:
                fresh |= 1 << index
            else:
                fresh &= ~(1 << index)
        fires: Iterable[Firing] = ()
        begins = previous_ns is None or t_ns <= previous_ns or self._ended
        self._ended = False
        if previous_ns is not None and not begins:
            if t_ns // HEARTBEAT_NS != previous_ns // HEARTBEAT_NS:
                fires = list(self._heartbeats(previous_ns, t_ns))
            begins = t_ns - previous_ns > self.ir.max_gap_ns
        if begins:
            self._begin_segment(t_ns)
        self._previous_ns = t_ns
        if fresh or begins or t_ns % HEARTBEAT_NS == 0:
            fires = chain(fires, self._row_tick(row, fresh, begins))
        return fires

    def _heartbeats(self, previous_ns: int, t_ns: int) -> Iterator[Firing]:
        """The heartbeats strictly between two rows; across a gap only those up to `max_gap` after the earlier row."""
        last_ns = t_ns - 1
        if t_ns - previous_ns > self.ir.max_gap_ns:
            last_ns = previous_ns + self.ir.max_gap_ns
        first_ns = (previous_ns // HEARTBEAT_NS + 1) * HEARTBEAT_NS
        for beat_ns in range(first_ns, last_ns + 1, HEARTBEAT_NS):
            yield from self._evaluate(beat_ns, 0, self._silent(beat_ns))

    def _row_tick(self, row: Row, fresh: int, begins: bool) -> Iterable[Firing]:
        for index, held in self._signals:
            if fresh >> index & 1:
                held.take(row.t_ns, float(row.samples[self.inputs[index]]))
        for index, objects in self._lists.items():
            if fresh >> index & 1:
                sample = row.objects[self.inputs[index]]
                self._held[index].take(row.t_ns, float(len(sample.keys)))
                objects.take(row.t_ns, sample)
        if begins:
            return self._evaluate(row.t_ns, fresh, None)
        silent = self._silent(row.t_ns) if row.t_ns % HEARTBEAT_NS == 0 else 0
        return self._evaluate(row.t_ns, fresh, fresh | silent)

    def _silent(self, t_ns: int) -> int:
        """The inputs without a sample in (t - 100 ms, t], as a bit mask; a clock never has one."""
        mask = CLOCK if self._has_clock else 0
        for index, held in enumerate(self._held):
            if held.sample_ns is None or held.sample_ns <= t_ns - HEARTBEAT_NS:
                mask |= 1 << index
        return mask

    def _begin_segment(self, t_ns: int) -> None:
        """Clear held values and temporal state; if time jumped back, cooldowns keep their remaining time."""
        if self._previous_ns is not None and t_ns <= self._previous_ns:
            for trigger in self._triggers:
                trigger.cooldown_until_ns += t_ns - self._previous_ns
        self._end_events()
        for held in self._held:
            held.begin_segment(t_ns)
        for objects in self._lists.values():
            objects.begin_segment()
        for step in self._steps:
            step.operator.clear()
        for trigger in self._triggers:
            trigger.last = None

    def _end_events(self) -> None:
        for counter in self._event_counters:
            counter.end_segment()

    def _evaluate(self, t_ns: int, fresh: int, due: int | None) -> list[Firing]:
        """Evaluate the expressions that tick: those that read a signal in `due`, or all for None."""
        if due == 0:
            return []
        self._tick.t_ns, self._tick.fresh = t_ns, fresh
        values = self._values
        plan = self._everything if due is None else self._plan(due)
        for step in plan.before:
            values[step.index] = step.value(self._tick, [values[i] for i in step.arguments])
        for objects in plan.lists:
            objects.evaluate(self._tick, due, values)
        for step in plan.after:
            values[step.index] = step.value(self._tick, [values[i] for i in step.arguments])
        for counter in self._counters:
            counter.count(self._tick, values)
        for events in self._event_counters:
            if due is None or events.mask & due:
                events.step(t_ns, values)
        self.after_tick(t_ns, values)
        return [
            Firing(trigger.name, t_ns)
            for trigger in self._triggers
            if (due is None or trigger.mask & due) and trigger.fires(t_ns, values[trigger.root])
        ]

    def after_tick(self, t_ns: int, values: Sequence[Value]) -> None:
        """Called after each evaluation with the values of all nodes; a subclass can override this to trace."""

    def _plan(self, due: int) -> _Plan:
        """What ticks for a set of signals; sets recur, so a bounded number of plans is cached."""
        plan = self._plans.get(due)
        if plan is None:
            if len(self._plans) >= _MAX_PLANS:
                self._plans.clear()
            every = self._everything
            plan = self._plans[due] = _Plan(
                tuple(s for s in every.before if self._masks[s.index] & due),
                tuple(objects for objects in every.lists if objects.mask & due),
                tuple(s for s in every.after if self._masks[s.index] & due),
            )
        return plan


class _Plan(NamedTuple):
    """What is evaluated at a tick, in this order; conditions on objects do not read what is told of objects."""

    before: tuple[Step, ...]
    lists: tuple[ObjectList, ...]
    after: tuple[Step, ...]


@dataclass(slots=True)
class _Firing:
    """A trigger that fires when its condition rises, unless its cooldown is running; it counts suppressed rises."""

    name: str
    root: int
    mask: int
    cooldown_ns: int
    last: bool | None = None
    cooldown_until_ns: int = 0
    suppressed: int = 0

    def fires(self, t_ns: int, condition: Value) -> bool:
        """Whether the trigger fires at this tick."""
        if condition is None:
            return False
        rises = self.last is False and condition is True
        self.last = condition is True
        if not rises:
            return False
        if t_ns < self.cooldown_until_ns:
            self.suppressed += 1
            return False
        self.cooldown_until_ns = t_ns + self.cooldown_ns
        return True
