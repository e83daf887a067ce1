"""Checks of a whole file: names, definitions, and its triggers and compared heads, lowered to a program."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from triggers.contracts.campaign import MAX_CAPTURE_NS, CaptureWindow, TriggerSettings
from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.calls.pairs import compared_events, compared_head
from triggers.language.checks.calls.places import check_fence
from triggers.language.checks.campaigns.amounts import budget_limits, priority, sample_one_in
from triggers.language.checks.comparisons import facts_of
from triggers.language.checks.conjuncts import Conjunct, conjuncts
from triggers.language.checks.context import CheckContext, CheckedPart, shown_time
from triggers.language.checks.expressions import check, check_let, condition
from triggers.language.checks.silence import check_silence
from triggers.language.graph import prune
from triggers.language.ir import MAX_INPUTS, MAX_NODES, MAX_TOTAL_CAPACITY, CompareCode, EventCode, Ir, TriggerCode
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Diagnostic, Span
from triggers.language.text.mistakes.collector import BLOCK_NAME
from triggers.language.text.reporter import Reporter
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S

DEFAULT_CAPTURE_NS = 5_000_000_000
MAX_COOLDOWN_NS = 366 * 86_400 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Lowered:
    """A program, the settings of its triggers, and where each of its nodes first appears in the source."""

    ir: Ir
    settings: tuple[TriggerSettings, ...]
    spans: tuple[Span | None, ...]
    conjuncts: dict[str, tuple[Conjunct, ...]]
    """By trigger, the parts of its condition as they are written, with their nodes in the program."""
    of_catalog: tuple[Diagnostic, ...] = ()
    """What is wrong with the derived signals that it reads."""


def check_names(file: syntax.File, report: Reporter) -> None:
    """Report names that several blocks of the same kind have."""
    for kind, names in (
        ("let", [let.name for let in file.lets]),
        ("param", [param.name for param in file.params]),
        ("set", [each.name for each in file.sets]),
        ("fence", [fence.name for fence in file.fences]),
        ("trigger", [trigger.name for trigger in file.triggers]),
        ("campaign", [campaign.name for campaign in file.campaigns]),
    ):
        seen: set[str] = set()
        for name in names:
            if name.text in seen:
                report.repeated_name(name.span, kind, name.text)
            seen.add(name.text)


def new_context(file: syntax.File, catalog: SignalCatalog, report: Reporter) -> CheckContext:
    """A context with the file's lets and fences and an empty graph."""
    lets = {let.name.text: let for let in reversed(file.lets)}
    fences = {fence.name.text: fence for fence in reversed(file.fences)}
    has_new_words, binders = file.language is not None, frozenset(file.binders)
    return CheckContext(catalog, report, lets, fences, file.broken_lets, has_new_words=has_new_words, binders=binders)


def check_definitions(file: syntax.File, catalog: SignalCatalog, report: Reporter) -> None:
    """Check lets and fences on their own, so that mistakes in unused ones are found, too."""
    context = new_context(file, catalog, report)
    _check_lets(context, file.lets)
    for let in file.lets:
        if context.lets[let.name.text] is not let:
            check(context, let.value)
    for fence in file.fences:
        check_fence(context, fence)


def _check_lets(context: CheckContext, lets: Iterable[syntax.Let]) -> None:
    """Check lets in the order of the file, so that a let defined before its use needs no recursion."""
    for let in lets:
        check_let(context, syntax.Name(let.name.span, let.name.text))


def known_lets(file: syntax.File, catalog: SignalCatalog, report: Reporter) -> tuple[CheckContext, dict[str, Typed]]:
    """A context in which all lets of a file are lowered, and what each is by its name; those with mistakes are left
    out."""
    context = new_context(file, catalog, report)
    _check_lets(context, file.lets)
    return context, {name: typed for name, typed in context.known_lets.items() if typed.type is not Type.ERROR}


def _used_lets(context: CheckContext, file: syntax.File, triggers: Iterable[syntax.Trigger]) -> list[syntax.Let]:
    """The lets that these triggers use, so that a program depends on nothing else in its file."""
    used: set[str] = set()
    waiting: list[syntax.Expression] = [trigger.when for trigger in triggers if trigger.when is not None]
    while waiting:
        expression = waiting.pop()
        if not isinstance(expression, syntax.Name):
            waiting += expression.children()
        elif expression.name in context.lets and expression.name not in used:
            used.add(expression.name)
            waiting.append(context.lets[expression.name].value)
    return [let for let in file.lets if let.name.text in used]


def lower(
    file: syntax.File,
    triggers: Sequence[syntax.Trigger],
    compare: Iterable[syntax.Word | syntax.ComparedEvents],
    catalog: SignalCatalog,
    report: Reporter,
) -> Lowered:
    """One program of these triggers, compared heads and compared events.

    Equal sub-expressions are shared, and what is compared repeatedly is compared once. Triggers and heads with mistakes
    are left out; the mistakes are reported.

    >>> from triggers.language.text.diagnostics import Source
    >>> from triggers.language.text.parser import parse
    >>> catalog = SignalCatalog.parse("signals: {x: {rate: 10}, p: {type: bool, rate: 10}}", name="signals.yaml")
    >>> source = Source("trigger a { when p and x > 1 } trigger b { when not (x > 1) }", "a.trigger")
    >>> report = Reporter(source)
    >>> file = parse(source, report)
    >>> lowered = lower(file, file.triggers, [], catalog, report)
    >>> [(node.op, *node.arguments) for node in lowered.ir.nodes]
    [('input',), ('input',), ('number',), ('gt', 1, 2), ('and', 0, 3), ('not', 3)]
    >>> [(code.name, code.root) for code in lowered.ir.triggers]
    [('a', 4), ('b', 5)]
    """
    context = new_context(file, catalog, report)
    _check_lets(context, _used_lets(context, file, triggers))
    codes: list[TriggerCode] = []
    settings: list[TriggerSettings] = []
    sound: list[syntax.Trigger] = []
    for trigger in triggers:
        lowered = _lower_trigger(context, trigger)
        if lowered is not None:
            codes.append(lowered[0])
            settings.append(lowered[1])
            sound.append(trigger)
        if _is_too_large(context, trigger.name.span):  # the remaining triggers would make it even larger
            break
    compares: dict[str, CompareCode] = {}
    events: dict[EventCode, None] = {}
    for compared in compare:
        if isinstance(compared, syntax.ComparedEvents):
            events.update(dict.fromkeys(compared_events(context, compared)))
        elif (code := compared_head(context, compared)) is not None:
            compares.setdefault(code.head, code)
    ir, kept = _pruned(context, codes, list(compares.values()), list(events))
    spans = tuple(context.graph.spans[index] for index in kept)
    return Lowered(ir, tuple(settings), spans, _conjuncts(context, sound, kept), context.of_catalog)


def _conjuncts(
    context: CheckContext, triggers: Sequence[syntax.Trigger], kept: Sequence[int]
) -> dict[str, tuple[Conjunct, ...]]:
    """The parts of the conditions of lowered triggers, whose nodes are renumbered as the program has them."""
    numbers = {old: new for new, old in enumerate(kept)}
    return {
        trigger.name.text: tuple(
            replace(part, node=numbers[part.node]) for part in conjuncts(context, trigger.when) if part.node in numbers
        )
        for trigger in triggers
        if trigger.when is not None
    }


@dataclass(frozen=True, slots=True)
class LoweredParts:
    """The program of one trigger in which every expression of its condition has a node.

    `checked` are the expressions that have a value of their own, which constants have not, and `nodes` their nodes.
    """

    ir: Ir
    checked: tuple[CheckedPart, ...]
    nodes: tuple[int, ...]
    conjuncts: tuple[Conjunct, ...]


def lower_parts(
    file: syntax.File, trigger: syntax.Trigger, catalog: SignalCatalog, report: Reporter
) -> LoweredParts | None:
    """The program and the expressions of one trigger; None if it has a mistake. Numbers are in their own units."""
    context = new_context(file, catalog, report)
    context.parts = []
    _check_lets(context, _used_lets(context, file, [trigger]))
    lowered = _lower_trigger(context, trigger)
    if lowered is None:
        return None
    parts = [part for part in context.parts if part.typed is not None and _has_one_value(context, part.typed)]
    nodes = [part.typed.node for part in parts if part.typed is not None]
    left = prune(context.graph.nodes, [lowered[0].root, *nodes])
    table, (root, *indexes) = context.input_table(), left.roots
    ir = Ir(
        max_gap_ns=context.catalog.max_gap_ns,
        inputs=tuple(table[index] for index in left.inputs),
        nodes=left.nodes,
        triggers=(replace(lowered[0], root=root),),
    )
    written = _conjuncts(context, [trigger], left.kept)[trigger.name.text]
    return LoweredParts(ir, tuple(parts), tuple(indexes), written)


def _has_one_value(context: CheckContext, typed: Typed) -> bool:
    """Whether an expression is no constant, nor differs from object to object."""
    return typed.constant is None and not (typed.node >= 0 and context.graph.fields[typed.node])


def _pruned(
    context: CheckContext, triggers: list[TriggerCode], compares: list[CompareCode], events: list[EventCode]
) -> tuple[Ir, tuple[int, ...]]:
    """The program with only the nodes that these need, and what their indexes were before."""
    sides = [side for code in compares for side in (code.active, code.shadow)]
    sides += [side for code in events for side in (code.first, code.second)]
    left = prune(context.graph.nodes, [*(trigger.root for trigger in triggers), *sides])
    table, indexes = context.input_table(), iter(left.roots)
    ir = Ir(
        max_gap_ns=context.catalog.max_gap_ns,
        inputs=tuple(table[index] for index in left.inputs),
        nodes=left.nodes,
        triggers=tuple(replace(trigger, root=next(indexes)) for trigger in triggers),
        compares=tuple(replace(code, active=next(indexes), shadow=next(indexes)) for code in compares),
        events=tuple(replace(code, first=next(indexes), second=next(indexes)) for code in events),
    )
    return ir, left.kept


def _lower_trigger(context: CheckContext, trigger: syntax.Trigger) -> tuple[TriggerCode, TriggerSettings] | None:
    cooldown_ns: int | None = 0
    if trigger.cooldown is not None:
        cooldown_ns = context.duration_ns(trigger.cooldown, low_ns=0, high_ns=MAX_COOLDOWN_NS)
    root = _lower_condition(context, trigger)
    read = [] if root is None else context.signals_of(root)
    capture = _capture(context, trigger, read)
    describe = context.described(trigger.describe)
    one_in, of_uploads = sample_one_in(context, trigger.sample), priority(context, trigger.priority)
    budget = None if trigger.budget is None else budget_limits(context, trigger.budget)
    if root is None or cooldown_ns is None or capture is None or not BLOCK_NAME.fullmatch(trigger.name.text):
        return None
    settings = TriggerSettings(
        name=trigger.name.text,
        describe=describe,
        cooldown_ns=cooldown_ns,
        capture=capture,
        tags=tuple(tag.text for tag in trigger.tags),
        sample_one_in=one_in,
        priority=of_uploads,
        budget=budget,
    )
    return TriggerCode(trigger.name.text, root, cooldown_ns), settings


def _lower_condition(context: CheckContext, trigger: syntax.Trigger) -> int | None:
    if trigger.when is None:
        if "when" not in trigger.broken:
            context.report.no_when(trigger.name.span, trigger.name.text)
        return None
    typed = condition(context, trigger.when)
    if typed.type is Type.ERROR:
        return None
    if typed.constant is not None:
        context.report.constant_condition(trigger.when.span, "false" if typed.constant else "true")
    if facts_of(typed).false is None:
        proposal = "a trigger fires when its condition becomes true, so this one never fires"
        context.report.constant_condition(trigger.when.span, "false", proposal)
    check_silence(context, trigger.when)
    return context.node(typed)


def _is_too_large(context: CheckContext, span: Span) -> bool:
    """Whether the program exceeds a limit; if so, that is reported."""
    counts = (
        ("sub-expressions", len(context.graph.nodes), MAX_NODES),
        ("window entries", context.graph.entries, MAX_TOTAL_CAPACITY),
        ("signals", len(context.inputs), MAX_INPUTS),
    )
    beyond = [(what, count, limit) for what, count, limit in counts if count > limit]
    for what, count, limit in beyond:
        context.report.too_many(span, what, count, limit)
    return bool(beyond)


def _capture(context: CheckContext, trigger: syntax.Trigger, read: list[str]) -> CaptureWindow | None:
    """The capture window, with wildcards expanded; by default 5 s before and after, with the signals that are read."""
    clause = trigger.capture
    default = tuple(sorted(read))
    if clause is None:
        return _window(context, DEFAULT_CAPTURE_NS, DEFAULT_CAPTURE_NS, default)
    before_ns = context.duration_ns(clause.before, low_ns=0, high_ns=MAX_CAPTURE_NS)
    after_ns = context.duration_ns(clause.after, low_ns=0, high_ns=MAX_CAPTURE_NS)
    signals = default if clause.signals is None else _expanded(context, clause.signals)
    for camera in clause.cameras:
        if camera.text not in context.catalog.cameras:
            nearest = context.nearest(camera.text, context.catalog.cameras, "cameras")
            context.report.unknown_camera(camera.span, camera.text, nearest)
    if before_ns is None or after_ns is None:
        return None
    if before_ns + after_ns > context.catalog.buffer_ns:
        shown = shown_time(before_ns + after_ns), shown_time(context.catalog.buffer_ns)
        context.report.long_capture(clause.before.span.to(clause.after.span), *shown)
    cameras = tuple(dict.fromkeys(camera.text for camera in clause.cameras))
    return _window(context, before_ns, after_ns, signals, cameras)


def _window(
    context: CheckContext, before_ns: int, after_ns: int, signals: tuple[str, ...], cameras: tuple[str, ...] = ()
) -> CaptureWindow:
    on_change = tuple(name for name in signals if context.is_on_change(name))
    lists = {name: context.catalog.objects[name].names for name in signals if name in context.catalog.objects}
    return CaptureWindow(
        before_ns=before_ns, after_ns=after_ns, signals=signals, cameras=cameras, on_change=on_change, lists=lists
    )


def _expanded(context: CheckContext, patterns: Iterable[syntax.Word]) -> tuple[str, ...]:
    """The signals and lists of objects that match names and patterns, in the catalog's order, the signals first."""
    known = [*context.catalog.signals, *context.catalog.objects]
    chosen: set[str] = set()
    for pattern in patterns:
        if pattern.text == "*":
            chosen |= context.catalog.sampled | context.catalog.objects.keys()
        elif pattern.text.endswith(".*"):
            matching = {name for name in known if name.startswith(pattern.text[:-1])}
            if not matching:
                nearest = _list_of(context, pattern.text) or _nearest_patterns(context, pattern.text, known)
                context.report.empty_pattern(pattern.span, pattern.text, nearest)
            chosen |= matching
        elif pattern.text in context.catalog.signals or pattern.text in context.catalog.objects:
            chosen.add(pattern.text)
        else:
            nearest = _list_of(context, pattern.text) or context.nearest(pattern.text, known, "captured")
            context.report.unknown_signal(pattern.span, pattern.text, nearest)
    needed = {name for chosen_name in chosen for name in _samples_of(context, chosen_name)}
    return tuple(name for name in known if name in needed)


def _samples_of(context: CheckContext, signal: str) -> list[str]:
    """The signal itself, or the signals that a derived one is computed from."""
    if signal in context.catalog.objects or context.catalog.signals[signal].derived is None:
        return [signal]
    typed = check(context, syntax.Name(Span(0, 0), signal))
    return context.signals_of(typed.node) if typed.node >= 0 else []


def _list_of(context: CheckContext, name: str) -> list[str]:
    """The list of objects whose field is named where a capture is meant; clips hold lists whole."""
    of = name.rpartition(".")[0]
    return [of] if of in context.catalog.objects else []


def _nearest_patterns(context: CheckContext, pattern: str, known: Iterable[str]) -> list[str]:
    families = {".".join(parts[:n]) + ".*" for parts in map(_parts, known) for n in range(1, len(parts))}
    return context.nearest(pattern, sorted(families), "patterns")


def _parts(signal: str) -> list[str]:
    return signal.split(".")
