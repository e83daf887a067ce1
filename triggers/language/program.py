"""The program: everything an evaluator needs, in typed form, as the checker leaves it.

The reference interpreter runs it as it is; the emitter makes the WebAssembly module of it that vehicles and backtests
run.
"""

from __future__ import annotations

from dataclasses import dataclass

from triggers.language.ir import Node

MAX_NODES = 20_000
MAX_INPUTS = 5_000
MAX_ARGUMENTS = 1_000
MAX_CAPACITY = 1_000_000
MAX_TOTAL_CAPACITY = 10_000_000
MAX_TIME_NS = 10 * 366 * 86_400 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Input:
    """A signal the program reads.

    `max_age_ns` None: never expires within a segment (`update: on_change`). `initial` is the value at a
    segment's start (text as index, bool as 0 or 1). `unit` is the unit rows deliver it in.
    """

    name: str
    type: str
    unit: str
    max_age_ns: int | None
    initial: float | None
    values: tuple[str, ...] = ()

    @property
    def on_change(self) -> bool:
        """True where the signal is only sent when it changes."""
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
class Program:
    """Everything an evaluator needs: inputs, nodes (arguments first), triggers, compared heads, the segments' gap."""

    max_gap_ns: int
    inputs: tuple[Input, ...]
    nodes: tuple[Node, ...]
    triggers: tuple[TriggerCode, ...]
    compares: tuple[CompareCode, ...] = ()

    def signals_of(self) -> tuple[int, ...]:
        """For each node the signals it reads, as a bit mask over the inputs."""
        masks: list[int] = []
        for node in self.nodes:
            mask = 1 << int(node.parameters[0]) if node.op == "input" else 0  # type: ignore[arg-type]
            for argument in node.arguments:
                mask |= masks[argument]
            masks.append(mask)
        return tuple(masks)
