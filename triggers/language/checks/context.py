"""The context of checks: the catalog, the graph under construction, its inputs, the reporter, and the names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fractions import Fraction
from math import inf, isfinite, nextafter
from sys import float_info

from triggers.contracts.base import MAX_SHORT_TEXT
from triggers.language.analysis.typed import Type, Typed
from triggers.language.graph import Graph
from triggers.language.ir import MAX_TIME_NS, Input, InputField, Kind
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Diagnostic, Span
from triggers.language.text.reporter import Reporter
from triggers.signals.catalog import Signal, SignalCatalog
from triggers.signals.objects import ObjectList
from triggers.signals.raw import RawForm
from triggers.signals.unit_spellings import nearest_units
from triggers.signals.units import BARE, DIMENSIONLESS, SECOND, Unit, convert, dimension_name, parse_unit
from triggers.times import NS_PER_S

MAX_CONSTANT_BITS = 16_384
MEANT_TIMES = {"m": "min", "M": "min"}
"""Units that are mistaken for units of time, and what was meant."""
MAX_NAMES_COMPARED = 50_000
"""After this many comparisons no more names are proposed, so that a file full of unknown names is quick to check."""
_MAX_SUBJECT = 48
_WHOLE_NUMBERS = re.compile(r"[0-9+*() \t-]+")
"""Arithmetic on whole numbers without a unit, as the constant of a comparison."""


@dataclass(slots=True)
class CheckedPart:
    """An expression that was checked: how deep it is in its condition, and what it is once that is known."""

    expression: syntax.Expression
    depth: int
    typed: Typed | None = None


@dataclass(slots=True)
class CheckContext:
    """The state in which the expressions of one program are checked and lowered."""

    catalog: SignalCatalog
    report: Reporter
    lets: dict[str, syntax.Let] = field(default_factory=dict)
    fences: dict[str, syntax.Fence] = field(default_factory=dict)
    broken_lets: set[str] = field(default_factory=set)
    graph: Graph = field(default_factory=Graph)
    inputs: list[str] = field(default_factory=list)
    known_lets: dict[str, Typed] = field(default_factory=dict)
    open_lets: list[str] = field(default_factory=list)
    known_derived: dict[str, Typed] = field(default_factory=dict)
    open_derived: list[str] = field(default_factory=list)
    catalog_reports: dict[str, Reporter] = field(default_factory=dict)
    """The reporters of mistakes in the catalog; the one for its whole text has the key \"\"."""
    has_new_words: bool = False
    """Whether the file says `language 2`, so that the words of that version mean themselves, whatever is named so."""
    parts: list[CheckedPart] | None = None
    """All expressions in the order in which their checks began, for who asks for them with an empty list."""
    conditions: dict[int, Typed] = field(default_factory=dict)
    """By the `id` of an expression that must be a condition, what it is."""
    depth: int = 0
    open_form: int | None = None
    """The scope of the form over objects that is being checked, but not within a `let` that it uses."""
    binders: frozenset[str] = frozenset()
    """The names that objects have in forms anywhere in the file."""
    _nearest: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    @property
    def of_catalog(self) -> tuple[Diagnostic, ...]:
        """What was found in the expressions of derived signals."""
        return tuple(finding for report in self.catalog_reports.values() for finding in report.diagnostics)

    # parts

    def begin_part(self, expression: syntax.Expression) -> CheckedPart | None:
        """Note, if it is asked for, that the check of an expression begins; `end_part` must follow."""
        if self.parts is None:
            return None
        part = CheckedPart(expression, self.depth)
        self.parts.append(part)
        self.depth += 1
        return part

    def end_part(self, part: CheckedPart | None, typed: Typed) -> Typed:
        """Note what an expression is, and return that."""
        if part is not None:
            self.depth, part.typed = part.depth, typed
        return typed

    # messages

    def subject(self, span: Span) -> str:
        """How messages name an expression: by its text if that is short."""
        text = " ".join(self.report.source.text[span.start : span.end].split())
        return f"`{text}`" if 0 < len(text) <= _MAX_SUBJECT else "this expression"

    def what(self, typed: Typed) -> str:
        """What an expression is: `a speed in m/s`, `a condition`, `a text value`."""
        if typed.type is Type.BOOL:
            return "a condition"
        if typed.type is Type.TEXT:
            return "a text value"
        name = dimension_name(typed.unit)
        says_it = (f"a quantity in {typed.unit.symbol}", f"a {typed.unit.symbol}")
        is_plain = typed.unit.dimension == DIMENSIONLESS and typed.unit.scale == 1  # as the quotient of equal units
        shown = typed.unit.symbol if name not in says_it and not is_plain else ""
        return f"{name} in {shown}" if shown else name

    def nearest(self, name: str, known: Iterable[str], kind: str) -> list[str]:
        """Known names of a kind with a similar spelling; the search is costly, so results are cached and its work is
        limited."""
        if (kind, name) not in self._nearest:
            candidates = list(known) if self.report.names_compared < MAX_NAMES_COMPARED else []
            self.report.names_compared += len(candidates)
            self._nearest[kind, name] = get_close_matches(name[:200], candidates, n=3, cutoff=0.6)
        return self._nearest[kind, name]

    def error(self, span: Span) -> Typed:
        """The result for an expression with a reported mistake."""
        return Typed(span, Type.ERROR)

    # nodes

    def signal(self, name: str, span: Span) -> Typed:
        """A declared signal as an expression."""
        signal = self.catalog.signals[name]
        if signal.rate is None and signal.update is None:
            self.report.signal_without_rate(span, name)
        kind = Kind.BOOL if signal.type == "bool" else Kind.NUMBER
        around, self.graph.span = self.graph.span, span
        node = self.graph.add("input", input=self.input_of(name), kind=kind)
        unit = parse_unit(signal.unit) or BARE
        typed = Typed(span, Type(signal.type), node, unit, values=signal.values, signal=name)
        typed = self.ranged(typed, signal.raw_form)
        self.graph.span = around
        return typed

    def input_of(self, name: str) -> int:
        """The input that a signal or a list of objects is."""
        if name not in self.inputs:
            self.inputs.append(name)
        return self.inputs.index(name)

    def ranged(self, typed: Typed, form: RawForm) -> Typed:
        """A signal or field whose values outside its `min` and `max` are unknown, whatever the host delivers."""
        if not form.is_bounded:
            return typed
        largest = float_info.max
        node = self.graph.add("in_range", typed.node, low=max(form.low, -largest), high=min(form.high, largest))
        low, high = (Fraction(end) if isfinite(end) else None for end in (form.low, form.high))
        return replace(typed, node=node, low=low, high=high)

    def signal_named(self, expression: syntax.Expression) -> str | None:
        """The signal that an expression is by its name; None if it is something else, such as a `let`."""
        if not isinstance(expression, syntax.Name) or expression.name in self.lets:
            return None
        return expression.name if expression.name in self.catalog.signals else None

    def refuse_unsampled(self, operand: Typed, expression: syntax.Expression, function: str) -> None:
        """Report an operand of an operator on samples that is an expression, a derived signal or a field."""
        if operand.node >= 0 and self.graph.fields[operand.node]:
            self.report.samples_of_field(operand.span, function)
            return
        name = self.signal_named(expression)
        needed = self.signals_of(operand.node) if name is not None and operand.node >= 0 else []
        self.report.not_a_signal(operand.span, function, needed)

    def number(self, value: Fraction, span: Span) -> int:
        """A node for a constant, rounded half-even to the nearest double."""
        if _WHOLE_NUMBERS.fullmatch(self.report.source.text, span.start, span.end):
            self._demand_exact(value, span)
        try:
            return self.graph.add("number", value=float(value))
        except OverflowError:
            self.report.impossible_constant(span, "is outside the supported range of numbers")
            return self.graph.add("number", value=0.0)

    def node(self, typed: Typed, unit: Unit | None = None) -> int:
        """The node of an expression, in its own unit or converted into another of its dimension."""
        target = unit if unit is not None else typed.unit
        if typed.type is Type.TEXT or isinstance(typed.constant, str):
            return typed.node
        if isinstance(typed.constant, bool):
            return self.graph.add("truth", value=typed.constant)
        if typed.constant is not None:
            return self.number(convert(typed.constant, typed.unit, target), typed.span)
        if typed.type is Type.BOOL or (typed.unit.scale, typed.unit.offset) == (target.scale, target.offset):
            return typed.node
        return self._converted(typed, target)

    def _converted(self, typed: Typed, target: Unit) -> int:
        factor = typed.unit.scale / target.scale
        shift = (typed.unit.offset - target.offset) / target.scale
        node = typed.node
        if factor != 1:
            node = self.graph.add("mul", node, self.number(factor, typed.span))
        return self.graph.add("add", node, self.number(shift, typed.span)) if shift else node

    # constants

    def quantity(self, quantity: syntax.Quantity) -> Typed:
        """A literal with its unit."""
        unit = BARE if quantity.unit is None else parse_unit(quantity.unit)
        if unit is None:
            symbol = quantity.unit or ""
            self.report.unknown_unit(quantity.span, symbol, nearest_units(symbol))
            return self.error(quantity.span)
        return self.constant(quantity.span, quantity.value, unit)

    def literal(self, quantity: syntax.Quantity) -> Typed:
        """A literal in a condition; a whole number, written out, that no double equals is a mistake: perhaps an id."""
        if quantity.text.lstrip("-").isdigit() and not self._demand_exact(quantity.value, quantity.span):
            return self.error(quantity.span)
        return self.quantity(quantity)

    def _demand_exact(self, value: Fraction, span: Span) -> bool:
        """Whether a double equals a constant that is written in whole numbers; reports a whole one that none equals."""
        if value.denominator != 1 or abs(value) >= 2**1023 or Fraction(float(value)) == value:
            return True
        nearest = float(value)
        beyond = nextafter(nearest, -inf if nearest > value else inf)
        self.report.inexact_integer(span, int(value), *sorted((int(nearest), int(beyond))))
        return False

    def constant(self, span: Span, value: Fraction, unit: Unit) -> Typed:
        """An exact constant, unless exactness would cost too much."""
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_CONSTANT_BITS:
            self.report.impossible_constant(span, "has too many digits")
            return self.error(span)
        return Typed(span, Type.NUMBER, unit=unit, constant=value, low=value, high=value)

    def described(self, text: syntax.Word | None) -> str:
        """The text of `describe`, empty without one; a mistake if it is too long for the contract."""
        if text is None:
            return ""
        if len(text.text) > MAX_SHORT_TEXT:
            self.report.too_many(text.span, "characters", len(text.text), MAX_SHORT_TEXT, "a description")
        return text.text[:MAX_SHORT_TEXT]

    def duration_ns(self, quantity: syntax.Quantity, *, low_ns: int = 1, high_ns: int = MAX_TIME_NS) -> int | None:
        """A constant duration in ns, rounded half-even; None after reporting that it is not one or is out of range."""
        typed = self.quantity(quantity)
        if typed.type is Type.ERROR:
            return None
        if typed.unit.dimension != SECOND.dimension or not isinstance(typed.constant, Fraction):
            meant = MEANT_TIMES.get(quantity.unit or "", "")
            self.report.not_a_duration(quantity.span, self.what(typed), meant and f"{quantity.text} {meant}")
            return None
        time_ns = round(convert(typed.constant, typed.unit, SECOND) * NS_PER_S)
        if not low_ns <= time_ns <= high_ns:
            value = f"{quantity.text} {quantity.unit}"
            self.report.duration_range(quantity.span, value, shown_time(low_ns), shown_time(high_ns))
            return None
        return time_ns

    # rates

    def signals_of(self, *nodes: int) -> list[str]:
        """Names of the signals and lists of objects that these nodes read."""
        mask = 0
        for node in nodes:
            mask |= self.graph.masks[node]
        return [name for index, name in enumerate(self.inputs) if mask >> index & 1]

    def rate_of(self, name: str) -> float | None:
        """The declared rate of a signal or a list of objects."""
        declared: Signal | ObjectList | None = self.catalog.signals.get(name) or self.catalog.objects.get(name)
        return None if declared is None else declared.rate

    def is_on_change(self, name: str) -> bool:
        """Whether it is a signal that only tells its changes; a list of objects never is."""
        return name in self.catalog.signals and self.catalog.signals[name].update == "on_change"

    def field_names(self, of: str) -> list[str]:
        """The fields of a list's objects in the order in which a program numbers them: the key first."""
        declared = self.catalog.objects[of]
        return [declared.key, *declared.value_fields]

    def demand_rates(self, span: Span, what: str, names: Iterable[str]) -> bool:
        """Whether all these signals have a declared rate; reports those that do not, for `what` needs them."""
        missing = [name for name in names if self.rate_of(name) is None]
        if missing:
            on_change = [name for name in missing if self.is_on_change(name)]
            self.report.needs_rate(span, what, missing, on_change)
        return not missing

    def period_s(self, *nodes: int) -> Fraction | None:
        """The shortest sample period of the signals that these nodes read; None if no rate is declared."""
        rates = [Fraction(str(r)) for n in self.signals_of(*nodes) if (r := self.rate_of(n))]
        return 1 / max(rates) if rates else None

    def input_table(self) -> tuple[Input, ...]:
        """The program's inputs in the order of their first use."""
        table = []
        for name in self.inputs:
            if name in self.catalog.objects:
                table.append(self._list(name, self.catalog.objects[name]))
                continue
            signal = self.catalog.signals[name]
            table.append(Input(name, signal.type, signal.unit, signal.max_age_ns, signal.initial_sample, signal.values))
        return tuple(table)

    def _list(self, name: str, of: ObjectList) -> Input:
        declared = [(each, of.fields[each]) for each in self.field_names(name)]
        fields = [InputField(each, field.type, field.unit, field.values) for each, field in declared]
        return Input(name, "objects", "", of.max_age_ns, None, max_objects=of.max, fields=tuple(fields))


def shown_period(period_s: Fraction) -> str:
    """A sample period as people write it: in whole ms, or to two digits where it is shorter than 10 ms.

    >>> shown_period(Fraction(1, 36)), shown_period(Fraction(1, 300)), shown_period(Fraction(1, 5000))
    ('28 ms', '3300 us', '200 us')
    """
    step_ns = 1_000_000
    while step_ns > 1 and period_s * NS_PER_S < 10 * step_ns:
        step_ns //= 10
    return shown_time(round(period_s * NS_PER_S / step_ns) * step_ns)


def shown_time(time_ns: int) -> str:
    """A time as people write it, in the largest unit that needs no fraction."""
    for symbol, size_ns in (("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("min", 60_000_000_000),
                            ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)):  # fmt: skip
        if time_ns and time_ns % size_ns == 0:
            return f"{time_ns // size_ns} {symbol}"
    return f"{time_ns} ns"
