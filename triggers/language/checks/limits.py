"""Checks of a program against the limits of the signal catalog: its state and its operations per tick.

A report states the need, the limit, and what takes most of it: the place in the source whose nodes together cost most,
or the reading of the signals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from triggers.language.graph import prune
from triggers.language.ir import Ir
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Span
from triggers.language.text.reporter import Reporter
from triggers.language.webassembly.cost import ProgramCost, cost_of_plan, operations_of
from triggers.language.webassembly.layout import MAX_MEMORY_BYTES
from triggers.language.webassembly.placement import Placement
from triggers.language.webassembly.plan import ModulePlan
from triggers.signals.catalog import ProgramLimits

_MAX_SHOWN = 60
OPERATIONS_PER_OBJECT = 1_000
"""What a program may use per tick beyond the catalog's limit, for each object that its lists keep apart."""


@dataclass(frozen=True, slots=True)
class OperatorCost:
    """The joint cost of the nodes at one place in the source: operations per tick and bytes of state."""

    span: Span
    least: int
    most: int
    burst: int
    state_bytes: int


def operator_costs(cost: ProgramCost, spans: Sequence[Span | None]) -> list[OperatorCost]:
    """The cost of every place in the source, in the order of the source."""
    places: dict[Span, list[int]] = {}
    for node in sorted({*cost.nodes, *cost.state_of}):
        if (span := spans[node]) is not None:
            places.setdefault(span, []).append(node)
    costs = []
    for span in sorted(places, key=lambda span: (span.start, span.end)):
        work, state_bytes = cost.part(places[span])
        costs.append(OperatorCost(span, *operations_of(work), round(work.most.burst), state_bytes))
    return costs


@dataclass(frozen=True, slots=True)
class LimitedProgram:
    """A program to check against the limits: its name in messages, and where it and its nodes are in the source."""

    name: str
    span: Span
    ir: Ir
    spans: Sequence[Span | None]


def check_limits(subject: LimitedProgram, limits: ProgramLimits, report: Reporter) -> None:
    """Report a program that exceeds a limit of the catalog or the memory that a module may have."""
    plan = ModulePlan(subject.ir)
    _check_memory(subject, plan, report)
    cost = cost_of_plan(plan)
    allowed = allowed_operations(subject.ir, limits)
    if _keeps(cost, limits, allowed):
        return
    operators = operator_costs(cost, subject.spans)
    if cost.state_bytes > limits.state:
        largest = _largest(operators, lambda operator: operator.state_bytes, report)
        span, most = largest or (subject.span, "its signals take most")
        report.too_much_state(span, subject.name, cost.state_bytes, limits.state, most)
    needed = cost.operations_per_tick[1]
    if needed > allowed:
        reading = operations_of(cost.frame)[1]
        costlier = [operator for operator in operators if operator.most > reading]
        largest = _largest(costlier, lambda operator: operator.most, report)
        signals = len(subject.ir.inputs)
        span, most = largest or (subject.span, f"reading its {signals} signals takes {reading:,}")
        report.too_many_operations(span, subject.name, needed, allowed, most)


def check_uncollected(
    triggers: Sequence[syntax.Word], whole: LimitedProgram, limits: ProgramLimits, report: Reporter
) -> None:
    """Report each of these triggers that exceeds a limit on its own; `whole` is the program of the whole file.

    A backtest runs the whole program because of these triggers. It may exceed the catalog's limits, but must fit into a
    module.
    """
    plan = ModulePlan(whole.ir)
    _check_memory(whole, plan, report)
    if _keeps(cost_of_plan(plan), limits, allowed_operations(whole.ir, limits)):
        return
    codes = {code.name: code for code in whole.ir.triggers}
    for trigger in triggers:
        code = codes[trigger.text]
        left = prune(whole.ir.nodes, [code.root])
        alone = Ir(
            max_gap_ns=whole.ir.max_gap_ns,
            inputs=tuple(whole.ir.inputs[index] for index in left.inputs),
            nodes=left.nodes,
            triggers=(replace(code, root=left.roots[0]),),
        )
        spans = [whole.spans[index] for index in left.kept]
        check_limits(LimitedProgram(f"trigger `{code.name}`", trigger.span, alone, spans), limits, report)


def _check_memory(subject: LimitedProgram, plan: ModulePlan, report: Reporter) -> None:
    needed = Placement(plan).memory_bytes
    if needed > MAX_MEMORY_BYTES:
        report.too_much_memory(subject.span, subject.name, needed, MAX_MEMORY_BYTES)


def allowed_operations(ir: Ir, limits: ProgramLimits) -> int:
    """The operations per tick that a program may use: more with lists, whose conditions are one for each object."""
    return limits.operations + OPERATIONS_PER_OBJECT * sum(item.max_objects for item in ir.inputs)


def _keeps(cost: ProgramCost, limits: ProgramLimits, operations: int) -> bool:
    return cost.operations_per_tick[1] <= operations and cost.state_bytes <= limits.state


def _largest(
    operators: Sequence[OperatorCost], number: Callable[[OperatorCost], int], report: Reporter
) -> tuple[Span, str] | None:
    if not operators:
        return None
    largest = max(operators, key=number)
    text = " ".join(report.source.text[largest.span.start : largest.span.end].split())
    shown = f"`{text}`" if len(text) <= _MAX_SHOWN else "this expression"
    return largest.span, f"{shown} takes {number(largest):,}"
