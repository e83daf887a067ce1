"""The intermediate representation: a list of typed nodes in which arguments come before their users.

`Ir` is everything an evaluator needs: the reference interpreter runs it directly, and the emitter turns it into the
WebAssembly module (the *program*) that vehicles and backtests run. Both walk the list once from the front.
`OPERATIONS` is the complete set of operations, with the kinds of their arguments and their parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from triggers.contracts.compared import EventKey, Sides
from triggers.times import NS_PER_S

MAX_NODES = 20_000
MAX_INPUTS = 5_000
MAX_ARGUMENTS = 1_000
MAX_CAPACITY = 1_000_000
MAX_ORDERED = 1 << 16
"""The largest window whose values are kept in order, by indexes of 16 bits."""
MAX_TOTAL_CAPACITY = 10_000_000
MAX_TIME_NS = 10 * 366 * 86_400 * NS_PER_S

MAX_INTEGER = 2**53 - 1
"""The greatest integer that differs from its neighbours as a double; `bits` takes those from 0 to here."""
MAX_QUOTIENT = 2.0**51
"""`mod(x, m)` is unknown from this quotient on: the doubles around x are then hardly closer to each other than m."""
CLOCK = 1 << MAX_INPUTS
"""The bit of a mask of inputs that stands for the heartbeats: for a clock that never has a sample."""

SignalType = Literal["number", "bool", "text", "objects"]
FieldType = Literal["id", "number", "bool", "text"]


class Kind(StrEnum):
    """What a node yields: a number (text is represented as an index into its values) or a truth value."""

    NUMBER = "number"
    BOOL = "bool"


ANY = None
"""Argument kind: number or bool."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Signature of an operation: kinds of its arguments (`variadic`: two or more of the first), its result, its
    parameters.

    Parameters named `_ns`, `capacity`, `input` and `limit` are integers, `table` and `edges` lists of floats
    (`edges`: latitude and longitude of an edge's southern end, then of its northern end), others floats.
    """

    result: Kind | None
    arguments: tuple[Kind | None, ...] = ()
    parameters: tuple[str, ...] = ()
    variadic: bool = False


_N, _B = Kind.NUMBER, Kind.BOOL

OPERATIONS: dict[str, Operation] = {
    "number": Operation(_N, (), ("value",)),
    "truth": Operation(_B, (), ("value",)),
    "input": Operation(None, (), ("input",)),
    "add": Operation(_N, (_N, _N)),
    "sub": Operation(_N, (_N, _N)),
    "mul": Operation(_N, (_N, _N)),
    "div": Operation(_N, (_N, _N)),
    "neg": Operation(_N, (_N,)),
    "abs": Operation(_N, (_N,)),
    "sqrt": Operation(_N, (_N,)),
    "min": Operation(_N, (_N, _N)),
    "max": Operation(_N, (_N, _N)),
    "sign": Operation(_N, (_N,)),
    "floor": Operation(_N, (_N,)),
    "mod": Operation(_N, (_N, _N)),
    "bits": Operation(_N, (_N,), ("mask",)),
    "default": Operation(None, (ANY, ANY)),
    "if": Operation(None, (_B, ANY, ANY)),
    "wrap": Operation(_N, (_N,), ("half_turn",)),
    "lookup": Operation(_N, (_N,), ("table",)),
    "in_range": Operation(_N, (_N,), ("low", "high")),
    "lt": Operation(_B, (_N, _N)),
    "le": Operation(_B, (_N, _N)),
    "gt": Operation(_B, (_N, _N)),
    "ge": Operation(_B, (_N, _N)),
    "eq": Operation(_B, (ANY, ANY)),
    "ne": Operation(_B, (ANY, ANY)),
    "and": Operation(_B, (_B,), variadic=True),
    "or": Operation(_B, (_B,), variadic=True),
    "not": Operation(_B, (_B,)),
    "missing": Operation(_B, (ANY,)),
    "age": Operation(_N, (ANY,)),
    "for": Operation(_B, (_B,), ("hold_ns", "tolerate_ns")),
    "for_at_most": Operation(_B, (_B,), ("most_ns", "tolerate_ns")),
    "rise": Operation(_B, (_B,)),
    "fall": Operation(_B, (_B,)),
    "changed": Operation(_B, (ANY,)),
    "hysteresis": Operation(_B, (_N,), ("on", "off")),
    "once": Operation(_B, (_B,), ("window_ns",)),
    "share": Operation(_N, (_B,), ("window_ns", "capacity")),
    "count": Operation(_N, (_B,), ("window_ns", "limit")),
    "count_impulses": Operation(_N, (_B,), ("window_ns", "limit")),
    "flicker": Operation(_N, (ANY,), ("window_ns", "limit")),
    "window_min": Operation(_N, (_N,), ("window_ns", "capacity")),
    "window_max": Operation(_N, (_N,), ("window_ns", "capacity")),
    "window_avg": Operation(_N, (_N,), ("window_ns", "capacity")),
    "window_sum": Operation(_N, (_N,), ("window_ns", "capacity")),
    "window_std": Operation(_N, (_N,), ("window_ns", "capacity")),
    "window_integral": Operation(_N, (_N,), ("window_ns", "capacity")),
    "window_quantile": Operation(_N, (_N,), ("window_ns", "capacity", "part", "whole")),
    "samples": Operation(_N, (ANY,), ("window_ns", "capacity")),
    "delta": Operation(_N, (_N,), ("window_ns", "capacity")),
    "rate": Operation(_N, (_N,), ("window_ns", "capacity")),
    "ema": Operation(_N, (_N,), ("window_ns",)),
    "past": Operation(None, (ANY,), ("delay_ns", "capacity")),
    "prev": Operation(None, (ANY,)),
    "every": Operation(_B, (), ("period_ns",)),
    "then": Operation(_B, (_B, _B), ("within_ns",)),
    "then_after": Operation(_B, (_B, _B), ("after_ns", "within_ns")),
    "without": Operation(_B, (_B, _B), ("within_ns",)),
    "since": Operation(_B, (_B, _B)),
    "since_within": Operation(_B, (_B, _B), ("within_ns",)),
    "latch": Operation(_B, (_B, _B)),
    "disagree": Operation(_B, (ANY, ANY), ("skew_ns", "stale_ns")),
    "divergence": Operation(_N, (_N, _N), ("skew_ns", "stale_ns")),
    "near": Operation(_B, (_N, _N), ("latitude", "longitude", "radius_m")),
    "inside": Operation(_B, (_N, _N), ("edges",)),
    # `x since A`: the subject, and the condition from whose latest rise on it is looked at
    "at": Operation(None, (ANY, _B)),
    "time_since": Operation(_N, (_B,)),
    "since_min": Operation(_N, (_N, _B)),
    "since_max": Operation(_N, (_N, _B)),
    "since_sum": Operation(_N, (_N, _B)),
    "since_count": Operation(_N, (_B, _B)),
    "since_count_impulses": Operation(_N, (_B, _B)),
    # metres since the segment began: of a speed in m/s, of a latitude and a longitude in degrees
    "odometer": Operation(_N, (_N,)),
    "odometer_of_places": Operation(_N, (_N, _N)),
    "every_distance": Operation(_B, (_N,), ("multiple_m",)),
    # of the time and of a longitude, or a latitude and a longitude, in degrees: hours, degrees
    "solar_time": Operation(_N, (_N,)),
    "sun_elevation": Operation(_N, (_N, _N)),
    # of one object of a list, which is an input: a field (by its place among `Input.fields`), and what of all objects
    # that are present is told; their arguments depend on fields of the same list, and on no other aggregate
    "object_field": Operation(None, (), ("input", "field")),
    "any_object": Operation(_B, (_B,), ("input",)),
    "all_objects": Operation(_B, (_B,), ("input",)),
    "count_objects": Operation(_N, (_B,), ("input",)),
    "min_of_objects": Operation(_N, (_N, _B), ("input",)),
    "max_of_objects": Operation(_N, (_N, _B), ("input",)),
    "sum_of_objects": Operation(_N, (_N, _B), ("input",)),
    # the third argument of the object with the least first one among those that the second one admits
    "nearest_object": Operation(None, (_N, _B, ANY), ("input",)),
}

AGGREGATES = frozenset({
    "any_object", "all_objects", "count_objects", "min_of_objects", "max_of_objects", "sum_of_objects",
    "nearest_object",
})  # fmt: skip
"""Operations over the objects of a list: their arguments are evaluated once for each object, their results once."""

CLOCKED = frozenset({"every"})
"""Operations that step at heartbeats, because no signal tells them the time."""

Scalar = int | float | bool
Parameter = Scalar | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """One operation on earlier nodes; `parameters` in the order of the operation's signature."""

    op: str
    arguments: tuple[int, ...]
    parameters: tuple[Parameter, ...]
    kind: Kind

    def parameter(self, name: str) -> Parameter:
        """The parameter of that name, of whatever type."""
        return self.parameters[OPERATIONS[self.op].parameters.index(name)]

    def integer(self, name: str) -> int:
        """A time in ns, a number of entries, an input or a truth value."""
        return int(self._scalar(name))

    def number(self, name: str) -> float:
        """A parameter that is a number."""
        return float(self._scalar(name))

    def table(self, name: str) -> tuple[float, ...]:
        """A parameter that is a list of numbers."""
        value = self.parameter(name)
        if not isinstance(value, tuple):
            raise TypeError(f"`{name}` of `{self.op}` is not a table")
        return value

    def _scalar(self, name: str) -> Scalar:
        value = self.parameter(name)
        if isinstance(value, tuple):
            raise TypeError(f"`{name}` of `{self.op}` is a table")
        return value

    @property
    def capacity(self) -> int:
        """The entries of the node's ring; 0 for operations without a ring."""
        return self.integer("capacity") if "capacity" in OPERATIONS[self.op].parameters else 0


def mask_of(node: Node, masks: Sequence[int]) -> int:
    """The inputs that a node reads, as a bit mask, and `CLOCK`; `masks` are those of the nodes before it."""
    mask = 1 << node.integer("input") if "input" in OPERATIONS[node.op].parameters else 0
    if node.op in CLOCKED:
        mask |= CLOCK
    for argument in node.arguments:
        mask |= masks[argument]
    return mask


@dataclass(frozen=True, slots=True)
class InputField:
    """A field of the objects of a list, as `Input` has a signal; the type `id` is that of the key."""

    name: str
    type: FieldType
    unit: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Input:
    """A signal that is read, or a list of objects.

    `max_age_ns` None: it never expires within a segment (`update: on_change`). `initial` is the value at a segment's
    start (text as index, bool as 0 or 1). `unit` is the unit of its samples in rows. A list (`type` "objects") keeps
    `max_objects` apart; `fields` are all that the catalog declares, in its order, the key first.
    """

    name: str
    type: SignalType
    unit: str
    max_age_ns: int | None
    initial: float | None
    values: tuple[str, ...] = ()
    max_objects: int = 0
    fields: tuple[InputField, ...] = ()

    @property
    def on_change(self) -> bool:
        """True if the signal is only sent when it changes."""
        return self.max_age_ns is None


@dataclass(frozen=True, slots=True)
class TriggerCode:
    """A trigger: the node of its condition and its cooldown."""

    name: str
    root: int
    cooldown_ns: int


@dataclass(frozen=True, slots=True)
class CompareCode:
    """A bool head whose values are counted: the nodes that read its active and its shadow signal, and the skew.

    A tick with a new sample of one of the two is a pair where their latest samples are at most `skew_ns` apart.
    """

    head: str
    active: int
    shadow: int
    skew_ns: int


@dataclass(frozen=True, slots=True)
class EventCode:
    """Two sides of a head whose rises are matched: the nodes that read their signals, and how far apart rises may be.

    `driver` is the driver's signal for `Sides` that have one.
    """

    head: str
    sides: Sides
    first: int
    second: int
    within_ns: int
    driver: str | None = None

    @property
    def key(self) -> EventKey:
        """What tells it from the others of its program."""
        return EventKey(self.head, self.sides, self.within_ns, self.driver)


@dataclass(frozen=True, slots=True)
class Ir:
    """Everything an evaluator needs: inputs, nodes (arguments first), triggers, compared heads and events, and the
    segments' gap.
    """

    max_gap_ns: int
    inputs: tuple[Input, ...]
    nodes: tuple[Node, ...]
    triggers: tuple[TriggerCode, ...]
    compares: tuple[CompareCode, ...] = ()
    events: tuple[EventCode, ...] = ()

    def signal_masks(self) -> tuple[int, ...]:
        """For each node, the signals that it reads, as a bit mask over the inputs and `CLOCK`."""
        masks: list[int] = []
        for node in self.nodes:
            masks.append(mask_of(node, masks))
        return tuple(masks)

    def input_under(self, index: int) -> int:
        """The input of a node that reads one through nothing but conversions of unit or values."""
        node = self.nodes[index]
        while node.op != "input":
            node = self.nodes[node.arguments[0]]
        return node.integer("input")
