"""The numbers of a trigger file that an author tunes: what values are compared with, and how long conditions hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor, log10
from typing import Literal

from triggers.language.analysis.facts import MIRRORED
from triggers.language.checks.comparisons import OPERATIONS_OF
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Source, Span
from triggers.language.text.expressions import nodes
from triggers.language.text.parser import parse
from triggers.language.text.reporter import Reporter

REACH = 3
"""How many times a number its range reaches; it begins at 0."""
STEPS = 100
"""About how many steps there are in a range."""
_LARGEST = Fraction(10**300)
_WHOLE = frozenset(("count", "flicker", "samples", "floor", "bits", "sign"))
"""Calls that give whole numbers."""
_ONE: dict[str | None, float] = {None: 1.0, "%": 100.0}
"""How much all of it is, by the unit of a share."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A number at `span`, with its unit as written, and a sensible range and step in that unit.

    The number that a `param` stands for is at the `param`, and comes with the first condition that uses it.
    `block` is the trigger or let that it is in. `subject` is what is compared with it (`operator`: one of the six
    comparisons), or the condition or sequence that lasts so long (`for`, `for at most`, `tolerating`, `after`,
    `within`), is looked at over such a time (`over`) or recurs after it (`every`); `signal` is its name if it is a
    signal alone.
    """

    kind: Literal["comparison", "duration"]
    block: str
    span: Span
    value: Fraction
    unit: str
    operator: str
    subject: Span
    signal: str | None
    low: float
    high: float
    step: float


def constants_of(text: str, *, filename: str) -> list[Constant]:
    """The constants of the conditions of a text, in its order; of a text with mistakes, those that can be read.

    >>> [one] = constants_of("trigger t { when ego.speed > 40 km/h }", filename="t.trigger")
    >>> one.signal, one.operator, float(one.value), one.unit, one.low, one.high, one.step
    ('ego.speed', '>', 40.0, 'km/h', 0.0, 120.0, 2.0)
    """
    source = Source(text, filename)
    file = parse(source, Reporter(source))
    params = _params(file)
    found: dict[Span, Constant] = {}
    for let in file.lets:
        arguments = frozenset(argument.text for argument in let.arguments)
        for each in _in(let.value, _Block(let.name.text, params, arguments)):
            found.setdefault(each.span, each)
    for trigger in file.triggers:
        if trigger.when is not None:
            for each in _in(trigger.when, _Block(trigger.name.text, params)):
                found.setdefault(each.span, each)
    return sorted(found.values(), key=lambda each: each.span.start)


@dataclass(frozen=True, slots=True)
class _Block:
    """The block that an expression is in, the numbers that names stand for there, and the names of its arguments."""

    name: str
    params: Mapping[str, syntax.Quantity]
    arguments: frozenset[str] = frozenset()


def _params(file: syntax.File) -> dict[str, syntax.Quantity]:
    """The numbers of params, also of files that the text contains, by the names under which conditions know them."""
    contained = {each.path.text: each.file for each in file.files}
    known = [("", file), *((f"{each.alias.text}.", contained.get(each.path.text)) for each in file.imports)]
    return {
        prefix + param.name.text: param.value
        for prefix, of in known
        if of is not None
        for param in of.params
        if isinstance(param.value, syntax.Quantity)
    }


def _in(expression: syntax.Expression, block: _Block) -> Iterator[Constant]:
    """The constants below an expression; nesting is bounded, as the parser bounds it."""
    match expression:
        case syntax.Binary(operator=operator, left=left, right=right) if operator in OPERATIONS_OF:
            yield from _compared(block, operator, left, right)
            yield from _compared(block, MIRRORED[operator], right, left)
        case syntax.Between(subject=subject, low=low, high=high):
            yield from _compared(block, ">=", subject, low)
            yield from _compared(block, "<=", subject, high)
        case syntax.Hold(condition=condition, duration=duration, tolerating=tolerating, at_most=at_most):
            yield from _lasting(block, "for at most" if at_most else "for", condition, duration)
            yield from _lasting(block, "tolerating", condition, tolerating)
        case syntax.Sequence(within=within, after=after):
            yield from _lasting(block, "after", expression, after)
            yield from _lasting(block, "within", expression, within)
        case syntax.Since(within=within):
            yield from _lasting(block, "within", expression, within)
        case syntax.Every(period=period):
            yield from _lasting(block, "every", expression, period)
        case syntax.Measured(over=over):
            yield from _lasting(block, "over", expression, over)
        case syntax.Call(over=over, within=within):
            yield from _lasting(block, "over", expression, over)
            yield from _lasting(block, "within", expression, within)
        case _:
            pass
    for child in expression.children():
        yield from _in(child, block)


def _compared(block: _Block, operator: str, subject: syntax.Expression, other: syntax.Expression) -> Iterator[Constant]:
    """What an expression is compared with, if that is a number and the expression is none."""
    if isinstance(other, syntax.Name):
        other = block.params.get(other.name, other)
    if (quantity := _quantity(other)) is None or _quantity(subject) is not None:
        return
    value, unit = quantity
    low, high, step = _range(value)
    call = subject.function.text if isinstance(subject, syntax.Call | nodes.OfObjects) else ""
    if call == "share" and unit in _ONE:
        low, high, step = 0.0, _ONE[unit], _ONE[unit] / STEPS
    elif call in _WHOLE:
        low, high, step = 0.0, max(10.0, high), 1.0
    name = subject.name if isinstance(subject, syntax.Name) else ""
    is_argument = not block.arguments.isdisjoint((name, name.partition(".")[0]))  # or a field of one
    signal = None if is_argument else name or None
    yield Constant(
        "comparison", block.name, other.span, value, unit or "", operator, subject.span, signal, low, high, step
    )


def _lasting(
    block: _Block, operator: str, subject: syntax.Expression, duration: syntax.Quantity | None
) -> Iterator[Constant]:
    """A duration, which is always more than nothing."""
    if isinstance(duration, syntax.NamedQuantity):
        duration = block.params.get(duration.name)
    if duration is None or duration.value <= 0:
        return
    _, high, step = _range(duration.value)
    yield Constant(
        "duration",
        block.name,
        duration.span,
        duration.value,
        duration.unit or "",
        operator,
        subject.span,
        None,
        step,
        high,
        step,
    )


def _quantity(expression: syntax.Expression) -> tuple[Fraction, str | None] | None:
    """A number with its sign and unit; None for another expression."""
    if isinstance(expression, syntax.Unary) and expression.operator == "-":
        inner = expression.operand
        return (-inner.value, inner.unit) if isinstance(inner, syntax.Quantity) else None
    return (expression.value, expression.unit) if isinstance(expression, syntax.Quantity) else None


def _range(value: Fraction) -> tuple[float, float, float]:
    """From 0 to some times the value; around 0, from -1 to 1. The step is 1, 2 or 5 times a power of ten."""
    far = float(max(-_LARGEST, min(_LARGEST, REACH * value)))
    low, high = (min(0.0, far), max(0.0, far)) if far else (-1.0, 1.0)
    rough = (high - low) / STEPS
    power = 10.0 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
    return low, high, float(f"{step:.12g}")
