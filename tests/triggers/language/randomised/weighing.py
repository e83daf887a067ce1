"""Weights by hand: how long conditions were true, false and unknown, from the interpreter's values at each tick."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from tests.triggers.language.randomised.recordings import Recording
from tests.triggers.language.randomised.tracing import Trace
from triggers.language.ir import Ir
from triggers.language.reference.values import Value
from triggers.language.watched import Closest, TriggerWeights, WatchedTrigger, Weight

Tick = tuple[int, tuple[Value, ...], tuple[Value, ...]]
"""A time, the values of all nodes, and those of the program's inputs (of a list true, where it is known)."""


def segments(ir: Ir, recording: Recording, trace: Trace) -> Iterator[list[Tick]]:
    """The ticks of each segment, without heartbeats in the gap after it; the last row ends it, tick or not."""
    times = recording.t_ns.tolist()
    begins = [row == 0 or not 0 < t_ns - times[row - 1] <= ir.max_gap_ns for row, t_ns in enumerate(times)]
    segment: list[Tick] = []
    nodes = {node.integer("input"): index for index, node in enumerate(ir.nodes) if node.op == "input"}
    for (row, t_ns), values, known in zip(trace.ticks, trace.values, trace.known, strict=True):
        if begins[row] and t_ns != times[row]:
            continue
        if begins[row] and segment:
            yield [*segment, (times[row - 1], (), ())]
            segment = []
        inputs = tuple(
            (known[item.name] or None) if item.type == "objects" else values[nodes[place]] if place in nodes else None
            for place, item in enumerate(ir.inputs)
        )
        segment.append((t_ns, values, inputs))
    if segment:
        yield [*segment, (times[-1], (), ())]


def weights_by_hand(
    ir: Ir, watched: Sequence[WatchedTrigger], recording: Recording, trace: Trace, longer_ns: int = 0
) -> dict[str, TriggerWeights]:
    """What a machine should have weighed on a whole recording, if its end lasted so much longer."""
    found = list(segments(ir, recording, trace))
    if found:
        *ticks, (end_ns, _, _) = found[-1]
        found[-1] = [*ticks, (end_ns + longer_ns, (), ())]
    return {
        each.trigger: TriggerWeights(
            condition=_weight(found, each.root),
            parts=tuple(_weight(found, part) for part in each.parts),
            unknown_with_ns=tuple(_unknown_together_ns(found, each.root, signal) for signal in each.signals),
            closest=_closest(found, each.parts),
        )
        for each in watched
    }


def _weight(found: list[list[Tick]], node: int) -> Weight:
    weight = Weight()
    for segment in found:
        for (t_ns, values, _), (until_ns, _, _) in pairwise(segment):
            lasts_ns = until_ns - t_ns
            value = values[node]
            weight += Weight(*(lasts_ns if value is state else 0 for state in (None, False, True)))
    return weight


def _unknown_together_ns(found: list[list[Tick]], node: int, signal: int) -> int:
    return sum(
        until_ns - t_ns
        for segment in found
        for (t_ns, values, inputs), (until_ns, _, _) in pairwise(segment)
        if values[node] is None and inputs[signal] is None
    )


def _closest(found: list[list[Tick]], parts: tuple[int, ...]) -> Closest | None:
    for segment in found:
        for t_ns, values, _ in segment[:-1]:
            missing = [index for index, part in enumerate(parts) if values[part] is not True]
            if parts and len(missing) == 1:
                return Closest(t_ns, missing[0])
    return None
