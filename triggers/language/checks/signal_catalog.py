"""Checks of the signal catalog that a file is compiled against, with places in its text; derived signals are lowered.

A derived signal is an expression over other signals. It is checked as part of the catalog, where its mistakes are, and
lowered in place wherever a condition names it, converted into its declared unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from triggers.language.analysis.bounds import bounds_in
from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.context import CheckContext, shown_time
from triggers.language.expansion.definitions import Outside
from triggers.language.expansion.files import expand
from triggers.language.rows import HEARTBEAT_NS
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Diagnostic, Source, Span
from triggers.language.text.parser import parse_condition
from triggers.language.text.reporter import Reporter
from triggers.signals.catalog import SignalCatalog
from triggers.signals.units import BARE, parse_unit, units_like

NOTICED_NS = 2 * HEARTBEAT_NS
"""The longest time from the latest sample to the heartbeat that notices the silence."""
MAX_DERIVED_IN_A_ROW = 20
"""How many derived signals may be computed from one another."""

Check = Callable[[CheckContext, syntax.Expression], Typed]


def catalog_findings(catalog: SignalCatalog, check: Check) -> tuple[Diagnostic, ...]:
    """The mistakes of derived signals, and warnings: a short `max_age`, empty `columns`, misleading numbers."""
    return (*derived_findings(catalog, check), *_warnings(catalog))


def derived_findings(catalog: SignalCatalog, check: Check) -> tuple[Diagnostic, ...]:
    """What is wrong with the expressions of derived signals, each at its place in the catalog."""
    derived = [name for name, signal in catalog.signals.items() if signal.derived is not None]
    if not derived:
        return ()
    context = CheckContext(catalog, _reporter(catalog))
    for name in derived:
        derived_signal(context, name, Span(0, 0), check)
    return context.of_catalog


def _warnings(catalog: SignalCatalog) -> tuple[Diagnostic, ...]:
    report = _reporter(catalog)
    for name, signal in catalog.signals.items():
        if signal.max_age is not None and (signal.max_age_ns or 0) < NOTICED_NS:
            span = Span(*catalog.source.characters(("signals", name, "max_age")))
            report.short_max_age(span, name, shown_time(signal.max_age_ns or 0))
        if "columns" in signal.model_fields_set and not signal.columns:
            report.no_columns(Span(*catalog.source.characters(("signals", name, "columns"))), name)
    for name, objects in catalog.objects.items():
        if objects.max_age is not None and objects.max_age_ns < NOTICED_NS:
            span = Span(*catalog.source.characters(("objects", name, "max_age")))
            report.short_max_age(span, name, shown_time(objects.max_age_ns))
    for place in catalog.source.misleading:
        report.misleading_number(Span(*place), catalog.source.text[slice(*place)])
    return report.diagnostics


def _reporter(catalog: SignalCatalog) -> Reporter:
    return Reporter(Source(catalog.source.text, catalog.source.name or "signal catalog"), alone=True)


def derived_signal(context: CheckContext, name: str, span: Span, check: Check) -> Typed:
    """A derived signal as an expression, checked once per program.

    Its mistakes go to the reporters of the catalog, not to that of the file.
    """
    known = context.known_derived.get(name)
    if known is None:
        if name in context.open_derived:
            circle = [*context.open_derived[context.open_derived.index(name) :], name]
            context.report.circular_signal(span, circle)
            return context.error(span)
        if len(context.open_derived) >= MAX_DERIVED_IN_A_ROW:
            context.report.too_long_derivation(span, MAX_DERIVED_IN_A_ROW)
            return context.error(span)
        context.open_derived.append(name)
        known = context.known_derived[name] = _lowered(context, name, span, check)
        context.open_derived.pop()
    return replace(known, span=span)


def _lowered(context: CheckContext, name: str, span: Span, check: Check) -> Typed:
    """The value of a derived signal. Its nodes are recorded at `span`: their own place is in another file."""
    inner, expression = _parsed(context, name)
    if expression is None:
        return context.error(span)
    around, known_nodes = context.graph.span, len(context.graph.nodes)
    typed = _as_declared(inner, name, check(inner, expression))
    context.graph.span = around
    context.graph.spans[known_nodes:] = [span] * (len(context.graph.nodes) - known_nodes)
    return typed


def _parsed(context: CheckContext, name: str) -> tuple[CheckContext, syntax.Expression | None]:
    """The expression of a derived signal, and the context in which it is checked: no names but those of signals."""
    catalog, text = context.catalog, context.catalog.signals[name].derived or ""
    start = catalog.source.start_of(("signals", name, "derived"), text)
    key = "" if start is not None else name
    if key not in context.catalog_reports:
        of_its_own = Source(text, f"{catalog.source.name or 'signal catalog'}: signals.{name}.derived")
        context.catalog_reports[key] = Reporter(of_its_own, alone=True) if key else _reporter(catalog)
    report = context.catalog_reports[key]
    # Blanks before the expression give its tokens the places that they have in the catalog.
    source = Source(" " * (start or 0) + text, report.source.filename)
    outside = Outside(catalog.signals, catalog.objects)
    file = expand(parse_condition(source, report, name), outside=outside, report=report)
    inner = replace(
        context,
        report=report,
        lets={},
        fences={},
        broken_lets=file.broken_lets,
        known_lets={},
        open_lets=[],
        open_form=None,
        binders=frozenset(file.binders),
        parts=None,
        has_new_words=False,  # of the file alone; the catalog's names are its own
        _nearest={},
    )
    return inner, file.triggers[0].when


def _as_declared(context: CheckContext, name: str, typed: Typed) -> Typed:
    """The expression as a value of the signal's declared type and unit."""
    declared = context.catalog.signals[name]
    if typed.type is Type.ERROR:
        return typed
    unit = parse_unit(declared.unit) or BARE
    wanted = Type.BOOL if declared.type == "bool" else Type.NUMBER
    scales_differ = unit.is_affine and (typed.unit.difference or typed.constant is not None)
    if typed.type is not wanted:
        proposal = "write `type: bool`" if typed.type is Type.BOOL else "compare it with a value"
        context.report.derived_otherwise(typed.span, name, context.what(typed), f"a {declared.type}", proposal)
    elif wanted is Type.NUMBER and (typed.unit.dimension != unit.dimension or scales_differ):
        what, near = context.what(replace(typed, unit=unit)), min(units_like(typed.unit), key=len, default="")
        proposal = f"write `unit: {near}`" if near else "declare the unit that the expression has"
        context.report.derived_otherwise(typed.span, name, context.what(typed), what, proposal)
    elif typed.constant is not None or not context.signals_of(typed.node):
        context.report.derived_from_nothing(typed.span, name)
    elif wanted is Type.BOOL:
        return Typed(typed.span, Type.BOOL, typed.node, impulse=typed.impulse, facts=typed.facts)
    else:
        low, high = bounds_in(typed, unit)
        node = context.node(typed, unit)
        is_whole = typed.is_whole and node == typed.node
        return context.ranged(
            Typed(typed.span, Type.NUMBER, node, unit, low=low, high=high, is_whole=is_whole), declared.raw_form
        )
    return context.error(typed.span)
