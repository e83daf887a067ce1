"""Explanations of compiled programs: inputs, state, operations, clips, and the costliest operators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from fractions import Fraction
from hashlib import sha256
from typing import Any

from triggers.clips.size import nominal_clip_bytes
from triggers.contracts.campaign import TriggerSettings
from triggers.language.checks.context import shown_time
from triggers.language.checks.limits import allowed_operations, operator_costs
from triggers.language.compile import Compilation, CompiledCampaign, CompiledTriggers
from triggers.language.ir import OPERATIONS, Ir
from triggers.language.rows import HEARTBEAT_NS
from triggers.language.text.diagnostics import Source, Span
from triggers.language.webassembly import layout
from triggers.language.webassembly.cost import ProgramCost, cost_of, operations_of
from triggers.language.webassembly.counting import WorkRange
from triggers.language.webassembly.kernel_parts.kernel import SLOT_BYTES
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S

CORE_OPERATIONS_PER_S = 1_000_000_000
"""The speed of the core that `core_share` refers to; server cores were measured at 1.4 to 3.7 times this."""


@dataclass(frozen=True, slots=True)
class Operations:
    """Operations per tick, at least and at most."""

    least: int
    most: int

    @classmethod
    def of(cls, work: WorkRange) -> Operations:
        """The operations of some work, in blocks of 64 ticks."""
        return cls(*operations_of(work))


@dataclass(frozen=True, slots=True)
class ExplainedInput:
    """A signal or a list of objects that a program reads; `rate` in Hz and `max_age_s` are None if it has none.

    Of a list, `objects` is how many the program keeps apart at most, and `fields` are those that it reads.
    """

    name: str
    type: str
    unit: str
    rate: float | None
    max_age_s: float | None
    objects: int | None = None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExplainedTrigger:
    """A trigger with what its condition costs; what it shares with other triggers counts for each of them.

    `clip_bytes` is estimated from the declared rates of the captured signals, without `cameras`.
    """

    name: str
    describe: str
    reads: tuple[str, ...]
    cooldown_s: float
    before_s: float
    after_s: float
    signals: int
    cameras: tuple[str, ...]
    clip_bytes: int
    operations_per_tick: Operations
    state_bytes: int


@dataclass(frozen=True, slots=True)
class ExplainedOperator:
    """An operator at a place in the source, and its cost without that of its operands."""

    text: str
    line: int
    column: int
    end_line: int
    end_column: int
    operations_per_tick: Operations
    burst_operations: int
    state_bytes: int
    triggers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """A campaign's program, or the program of all triggers of a file without campaigns (`campaign` None)."""

    campaign: str | None
    digest: str
    module_bytes: int
    inputs: tuple[ExplainedInput, ...]
    state_bytes: int
    state_limit_bytes: int
    operations_per_tick: Operations
    operations_limit: int
    reading_operations_per_tick: int
    """The maximum for collecting ticks and holding samples, which is included in `operations_per_tick`."""
    operations_per_block: int
    burst_operations: int
    ticks_per_s: float | None
    """The declared rates of all inputs plus the rate of heartbeats; None if no input has a rate."""
    operations_per_s: int | None
    """The maximum at that many ticks, with one call per second."""
    core_share: float | None
    triggers: tuple[ExplainedTrigger, ...]
    compares: tuple[str, ...]
    """Heads, and those whose events are compared, as in `events cut_in.detected with driver.brake within 1 s`."""
    operators: tuple[ExplainedOperator, ...]
    """Costliest first."""


def explain(compilation: Compilation, catalog: SignalCatalog) -> list[Explained]:
    """Explain each campaign of a file without errors, or all triggers of a file without campaigns."""
    source = Source(compilation.source, "", compilation.parts)
    if compilation.campaigns:
        campaigns = compilation.campaigns.items()
        return [_explained(name, compiled, compiled.settings.triggers, source, catalog) for name, compiled in campaigns]
    if compilation.triggers is None:
        return []
    return [_explained(None, compilation.triggers, compilation.triggers.settings, source, catalog)]


def _explained(
    campaign: str | None,
    compiled: CompiledCampaign | CompiledTriggers,
    settings: Sequence[TriggerSettings],
    source: Source,
    catalog: SignalCatalog,
) -> Explained:
    ir, program = compiled.ir, compiled.program
    cost = cost_of(ir)
    needed = {code.name: reached(ir, code.root) for code in ir.triggers}
    ticks_per_s = _ticks_per_s(ir, catalog)
    operations_per_s = None if ticks_per_s is None else round(cost.total.most.of_block(max(1, round(ticks_per_s))))
    return Explained(
        campaign=campaign,
        digest=sha256(program).hexdigest(),
        module_bytes=len(program),
        inputs=tuple(_input(ir, index, catalog) for index in range(len(ir.inputs))),
        state_bytes=cost.state_bytes,
        state_limit_bytes=catalog.limits.state,
        operations_per_tick=Operations(*cost.operations_per_tick),
        operations_limit=allowed_operations(ir, catalog.limits),
        reading_operations_per_tick=operations_of(cost.frame)[1],
        operations_per_block=cost.operations_per_block,
        burst_operations=cost.burst_operations,
        ticks_per_s=ticks_per_s,
        operations_per_s=operations_per_s,
        core_share=None if operations_per_s is None else operations_per_s / CORE_OPERATIONS_PER_S,
        triggers=tuple(_trigger(trigger, ir, cost, needed[trigger.name], catalog) for trigger in settings),
        compares=(*(code.head for code in ir.compares), *_events(ir)),
        operators=_operators(cost, compiled.spans, needed, source),
    )


def _events(ir: Ir) -> Iterator[str]:
    """The compared events of a campaign, as its trigger file says them."""
    drivers = {code.head: code.driver for code in ir.events if code.driver is not None}
    for code in ir.events:
        if code.driver is None:
            driver = f" with {drivers[code.head]}" if code.head in drivers else ""
            yield f"events {code.head}{driver} within {shown_time(code.within_ns)}"


def _input(ir: Ir, index: int, catalog: SignalCatalog) -> ExplainedInput:
    item = ir.inputs[index]
    max_age_s = None if item.max_age_ns is None else item.max_age_ns / NS_PER_S
    rate = _rate(catalog, item.name)
    if item.type != "objects":
        return ExplainedInput(item.name, item.type, item.unit, rate, max_age_s)
    read = {node.integer("field") for node in ir.nodes if node.op == "object_field" and node.integer("input") == index}
    names = tuple(item.fields[place].name for place in sorted(read))
    return ExplainedInput(item.name, item.type, item.unit, rate, max_age_s, item.max_objects, names)


def _rate(catalog: SignalCatalog, name: str) -> float | None:
    """The declared rate of a signal or a list of objects."""
    return catalog.objects[name].rate if name in catalog.objects else catalog.signals[name].rate


def _ticks_per_s(ir: Ir, catalog: SignalCatalog) -> float | None:
    rates = [_rate(catalog, item.name) for item in ir.inputs]
    declared = [Fraction(str(rate)) for rate in rates if rate is not None]
    return float(sum(declared) + Fraction(NS_PER_S, HEARTBEAT_NS)) if declared else None


def reached(ir: Ir, root: int) -> frozenset[int]:
    """The nodes that a condition needs."""
    needed, waiting = {root}, [root]
    while waiting:
        for argument in ir.nodes[waiting.pop()].arguments:
            if argument not in needed:
                needed.add(argument)
                waiting.append(argument)
    return frozenset(needed)


def _trigger(
    settings: TriggerSettings, ir: Ir, cost: ProgramCost, nodes: frozenset[int], catalog: SignalCatalog
) -> ExplainedTrigger:
    work, state_bytes = cost.part(nodes)
    read = {ir.nodes[n].integer("input") for n in nodes if "input" in OPERATIONS[ir.nodes[n].op].parameters}
    capture = settings.capture
    return ExplainedTrigger(
        name=settings.name,
        describe=settings.describe,
        reads=tuple(ir.inputs[index].name for index in sorted(read)),
        cooldown_s=settings.cooldown_ns / NS_PER_S,
        before_s=capture.before_ns / NS_PER_S,
        after_s=capture.after_ns / NS_PER_S,
        signals=len(capture.signals),
        cameras=capture.cameras,
        clip_bytes=nominal_clip_bytes(capture, catalog),
        operations_per_tick=Operations.of(work + cost.fire),
        state_bytes=state_bytes + layout.TRIGGER_BYTES + SLOT_BYTES,
    )


def _operators(
    cost: ProgramCost, spans: Sequence[Span | None], needed: Mapping[str, frozenset[int]], source: Source
) -> tuple[ExplainedOperator, ...]:
    standing: dict[Span, set[int]] = {}
    for node, span in enumerate(spans):
        if span is not None:
            standing.setdefault(span, set()).add(node)
    operators = []
    for part in operator_costs(cost, spans):
        (line, column), (end_line, end_column) = source.position(part.span.start), source.position(part.span.end)
        text = " ".join(source.text[part.span.start : part.span.end].split())
        filename, before = source.file_at(part.span.start)
        text, line, end_line = f"{text} in {filename}" if filename else text, line - before, end_line - before
        users = tuple(name for name, nodes in needed.items() if not nodes.isdisjoint(standing[part.span]))
        operations = Operations(part.least, part.most)
        operators.append(
            ExplainedOperator(text, line, column, end_line, end_column, operations, part.burst, part.state_bytes, users)
        )
    return tuple(sorted(operators, key=lambda part: (-part.operations_per_tick.most, -part.state_bytes)))


def to_json(explained: Explained) -> dict[str, Any]:
    """The explanation as JSON values; the names of the fields are stable."""
    return _fields(explained)


def _json(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_json(item) for item in value]
    return _fields(value) if is_dataclass(value) else value


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: _json(getattr(value, field.name)) for field in fields(value)}
