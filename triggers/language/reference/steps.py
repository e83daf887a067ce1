"""The steps of a program: each node of the intermediate form with the operator that evaluates it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from triggers.language.ir import Ir, Node
from triggers.language.reference.compared import EventCounter, HeadCounter
from triggers.language.reference.conditions import Every, Latch, ShortRun, Since, SinceWithin, ThenAfter
from triggers.language.reference.earlier import Previous
from triggers.language.reference.earth.odometer import EveryDistance, Odometer, OdometerOfPlaces
from triggers.language.reference.earth.sun import SolarTime, SunElevation
from triggers.language.reference.geometry import Inside, Near
from triggers.language.reference.inputs import Age, HeldInput, Pair, Read
from triggers.language.reference.operators import (
    Changed,
    Edge,
    Hold,
    Hysteresis,
    Once,
    Operator,
    Smooth,
    Then,
    Tick,
    Without,
)
from triggers.language.reference.since import SINCE, SinceRise
from triggers.language.reference.values import STRICT, Value, kleene_and, kleene_or, masked, wrap_angle
from triggers.language.reference.window_statistics import Deviation, Integral, Quantile, Samples, Sum
from triggers.language.reference.windows import Counter, Difference, Extreme, Mean, Past, Share

STATEFUL: dict[str, type[Operator]] = {
    "for": Hold,
    "for_at_most": ShortRun,
    "rise": Edge,
    "fall": Edge,
    "changed": Changed,
    "hysteresis": Hysteresis,
    "once": Once,
    "ema": Smooth,
    "every": Every,
    "then": Then,
    "then_after": ThenAfter,
    "without": Without,
    "since": Since,
    "since_within": SinceWithin,
    "latch": Latch,
    "share": Share,
    "past": Past,
    "prev": Previous,
    "count": Counter,
    "count_impulses": Counter,
    "flicker": Counter,
    "window_min": Extreme,
    "window_max": Extreme,
    "window_avg": Mean,
    "window_sum": Sum,
    "window_std": Deviation,
    "window_integral": Integral,
    "window_quantile": Quantile,
    "samples": Samples,
    "delta": Difference,
    "rate": Difference,
    "near": Near,
    "inside": Inside,
    **SINCE,
    "odometer": Odometer,
    "odometer_of_places": OdometerOfPlaces,
    "every_distance": EveryDistance,
    "solar_time": SolarTime,
    "sun_elevation": SunElevation,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One node ready to run: the indexes of its arguments, and its operator."""

    index: int
    arguments: tuple[int, ...]
    operator: Operator

    def value(self, tick: Tick, arguments: list[Value]) -> Value:
        """The node's value at this tick."""
        return self.operator.step(tick, *arguments)


class Stateless(Operator):
    """An operation that only depends on the current values of its arguments."""

    def __init__(self, node: Node, mask: int, function: Callable[..., Value]) -> None:
        super().__init__(node, mask)
        self.function = function

    def step(self, _tick: Tick, /, *arguments: Any) -> Value:
        return self.function(*arguments)


def make_steps(
    ir: Ir,
    masks: tuple[int, ...],
    held: Sequence[HeldInput],
    nodes: Iterable[int],
    fields: Mapping[int, HeldInput] = MappingProxyType({}),
) -> list[Step]:
    """These nodes of a program as steps, in their order; `fields` are those of one object, by their places."""
    return [Step(index, ir.nodes[index].arguments, _operator(ir, index, masks, held, fields)) for index in nodes]


def _operator(
    ir: Ir, index: int, masks: tuple[int, ...], held: Sequence[HeldInput], fields: Mapping[int, HeldInput]
) -> Operator:
    node, mask = ir.nodes[index], masks[index]
    if node.op in STATEFUL:
        operator = STATEFUL[node.op](node, mask)
        if isinstance(operator, SinceRise):
            operator.subject_mask = masks[node.arguments[0]]
        elif isinstance(operator, OdometerOfPlaces):
            operator.both = (masks[node.arguments[0]], masks[node.arguments[1]])
        return operator
    if node.op == "input":
        return Read(node, mask, held[node.integer("input")])
    if node.op == "object_field":
        return Read(node, mask, fields[node.integer("field")])
    if node.op in ("age", "disagree", "divergence"):
        samples = [held[ir.input_under(argument)] for argument in node.arguments]
        return Age(node, mask, samples[0]) if node.op == "age" else Pair(node, mask, samples[0], samples[1])
    return Stateless(node, mask, _function(node))


def make_counters(ir: Ir, masks: tuple[int, ...], held: list[HeldInput]) -> list[HeadCounter]:
    """The compared heads of a program."""
    return [
        HeadCounter(
            code,
            masks[code.active] | masks[code.shadow],
            held[ir.input_under(code.active)],
            held[ir.input_under(code.shadow)],
        )
        for code in ir.compares
    ]


def make_event_counters(ir: Ir, masks: tuple[int, ...]) -> list[EventCounter]:
    """The compared events of a program."""
    return [EventCounter(code, masks[code.first] | masks[code.second]) for code in ir.events]


_OF_UNKNOWN: dict[str, Callable[..., Value]] = {
    "missing": lambda a: a is None,
    "default": lambda a, b: b if a is None else a,
    "if": lambda c, a, b: None if c is None else a if c else b,
    "and": kleene_and,
    "or": kleene_or,
}
"""Operations whose result may be known although an operand is unknown."""


def _function(node: Node) -> Callable[..., Value]:
    if node.op in ("number", "truth"):
        constant = node.number("value") if node.op == "number" else bool(node.integer("value"))
        return lambda: constant
    if node.op == "wrap":
        half_turn = node.number("half_turn")
        return lambda a: None if a is None else wrap_angle(a, half_turn)
    if node.op == "lookup":
        table = node.table("table")
        return lambda a: table[int(a)] if a is not None and 0 <= a < len(table) and a == int(a) else None
    if node.op == "in_range":
        low, high = node.number("low"), node.number("high")
        return lambda a: a if a is not None and low <= a <= high else None
    if node.op == "bits":
        mask = node.number("mask")
        return lambda a: None if a is None else masked(a, mask)
    if node.op in _OF_UNKNOWN:
        return _OF_UNKNOWN[node.op]
    return _strict(STRICT[node.op])


def _strict(function: Callable[..., Value]) -> Callable[..., Value]:
    """The function, with an unknown result if an operand is unknown."""
    return lambda *operands: None if None in operands else function(*operands)
