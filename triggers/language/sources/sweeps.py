"""Values of a sweep: `--sweep hold=100ms,200ms..1s/5` names a param and the values that it is to have in turn.

A list has values and ranges; a range has so many values, its ends included, with equal steps. Each value is written as
`--set` takes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor, log10
from typing import TypeVar

from triggers.language.sources.values import Constant, named_param, params_of, read_constant, shown, unit_of
from triggers.language.sources.whole_text import WholeText
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Diagnostic, Source, Span
from triggers.language.text.parser import parse
from triggers.language.text.reporter import Reporter
from triggers.signals.units import BARE, Unit, convert

Found = TypeVar("Found")

OPTION = "--sweep"
MAX_VALUES = 50
"""Values of one sweep: their programs run together, each with memory of its own."""
RANGE = ".."
_DIGITS = 3
"""Values within a range are written as decimals, to so many digits below those of their step."""
_MOST_DIGITS = 18
"""The end of a range, in the unit of its beginning, is written to no more."""


@dataclass(frozen=True, slots=True)
class SweptValue:
    """A value as it is written, and its number in the unit of the sweep; None for a text, `true` and `false`."""

    text: str
    number: float | None
    is_own: bool


@dataclass(frozen=True, slots=True)
class ParamSweep:
    """A param with the values that it is to have; numbers ascend, and the file's own value is one of them.

    `unit` is that in which the file has it; None for a number without one, and for what is no number.
    """

    name: str
    unit: str | None
    values: tuple[SweptValue, ...]

    @property
    def own(self) -> SweptValue:
        """What the file says."""
        return next(value for value in self.values if value.is_own)

    @property
    def others(self) -> list[SweptValue]:
        """All values but the file's own."""
        return [value for value in self.values if not value.is_own]

    def in_order(self, own: Found, others: Iterable[Found]) -> list[Found]:
        """What belongs to each value, from what belongs to the file's own and to each of the others."""
        further = iter(others)
        return [own if value.is_own else next(further) for value in self.values]


def swept_values(whole: WholeText, text: str) -> tuple[ParamSweep | None, tuple[Diagnostic, ...]]:
    """What `NAME=VALUES` sweeps, or the diagnostics of what does not fit.

    >>> sweep, _ = swept_values(WholeText("param hold = 300 ms", "a.trigger"), "hold=100ms..1s/4")
    >>> [(value.text, value.number, value.is_own) for value in sweep.values][:2]
    [('100 ms', 100.0, False), ('300 ms', 300.0, True)]
    """
    source = whole.source()
    params = params_of(parse(source, Reporter(source)))
    report = Reporter(Source(text, OPTION))
    name, start = named_param(text, params, report)
    if report.has_errors:
        return None, tuple(report.diagnostics)
    reader = _Reader(text, source, params[name], report)
    values = list(reader.values(start))
    if report.diagnostics:
        return None, tuple(report.diagnostics)
    own = params[name].value
    unit = own.unit if isinstance(own, syntax.Quantity) else None
    return ParamSweep(name, unit, _in_order(own, values)), ()


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the values of a param."""

    text: str
    source: Source
    param: syntax.Param
    report: Reporter

    def values(self, start: int) -> Iterator[Constant]:
        """The values of the list that begins there; what cannot be read, or is too much, is reported."""
        count = 0
        for span in _items(self.text, start):
            found = self._range(span) if self._is_range(span) else [self._one(span)]
            count += len(found)
            if count > MAX_VALUES:
                self.report.too_many_values(Span(start, len(self.text)), count, MAX_VALUES)
                return
            yield from (each for each in found if each is not None)

    def _is_range(self, span: Span) -> bool:
        return RANGE in self.text[span.start : span.end] and isinstance(self.param.value, syntax.Quantity)

    def _one(self, span: Span) -> Constant | None:
        return read_constant(self.text, span, self.source, self.param, self.report)

    def _range(self, span: Span) -> Sequence[Constant | None]:
        text = self.text[span.start : span.end]
        ends, slash, written = text.rpartition("/")
        if not slash or not written.strip().isdecimal():
            self.report.bad_range(span, text, "it does not say how many values it has")
            return []
        count = int(written.strip()[:9])
        if count < 2:
            self.report.bad_range(span, text, "it has fewer than two values")
            return []
        if count > MAX_VALUES:
            self.report.too_many_values(span, count, MAX_VALUES)
            return []
        at = span.start + ends.index(RANGE)
        first = self._one(Span(span.start, at))
        last = self._one(Span(at + len(RANGE), span.start + len(ends)))
        if not isinstance(first, syntax.Quantity) or not isinstance(last, syntax.Quantity):
            return []
        step = (convert(last.value, _unit(last), _unit(first)) - first.value) / (count - 1)
        if not step:
            self.report.bad_range(span, text, "its ends are the same")
            return []
        return list(_steps(first, step, count))


def _items(text: str, start: int) -> Iterator[Span]:
    """The places between commas."""
    for item in text[start:].split(","):
        yield Span(start, start + len(item))
        start += len(item) + 1


def _steps(first: syntax.Quantity, step: Fraction, count: int) -> Iterator[syntax.Quantity]:
    """Values from the first on, in its unit: its ends as they are, those between them as short decimals."""
    decimals = max(0, _DIGITS - floor(log10(abs(step))))
    for number in range(count):
        value = first.value + step * number
        digits = _digits_of(value) if number == count - 1 else decimals
        text = f"{Decimal(round(value * 10**digits)).scaleb(-digits).normalize():f}" if number else first.text
        yield syntax.Quantity(first.span, Fraction(text), first.unit, text)


def _digits_of(value: Fraction) -> int:
    """The decimals that a number has; as many as are written at most, where it has no end as a decimal."""
    return next((digits for digits in range(_MOST_DIGITS) if 10**digits % value.denominator == 0), _MOST_DIGITS)


def _in_order(own: Constant, values: Sequence[Constant]) -> tuple[SweptValue, ...]:
    """Each value once, and the file's own among them: numbers from the lowest on, others as they were given."""
    chosen: dict[object, Constant] = {_key(value): value for value in reversed((own, *values))}
    order = dict.fromkeys(map(_key, (own, *values)))
    if isinstance(own, syntax.Quantity):
        order = dict.fromkeys(sorted(order))  # type: ignore[type-var]
    return tuple(SweptValue(shown(chosen[key]), _number(chosen[key], own), is_own=key == _key(own)) for key in order)


def _key(value: Constant) -> object:
    """What is the same for values that mean the same."""
    if isinstance(value, syntax.Quantity):
        return convert(value.value, _unit(value), Unit("", _unit(value).dimension))
    return value.value


def _number(value: Constant, own: Constant) -> float | None:
    if isinstance(value, syntax.Quantity) and isinstance(own, syntax.Quantity):
        return float(convert(value.value, _unit(value), _unit(own)))
    return None


def _unit(quantity: syntax.Quantity) -> Unit:
    return unit_of(quantity) or BARE
