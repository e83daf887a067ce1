"""Checks of what triggers and campaigns both say in numbers: sampling, priority, and the limits of a budget."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from triggers.contracts.campaign import BudgetLimits, DayRule
from triggers.language.analysis.typed import Type
from triggers.language.checks.context import CheckContext
from triggers.language.text import syntax
from triggers.signals.units import DIMENSIONLESS, convert, parse_unit

MAX_BYTES = 10**18
MAX_CLIPS = 10**12
MAX_ONE_IN = 10**9
_SHOWN_LIMITS = {"vehicle_day": "per vehicle per day", "vehicle_day_clips": "clips per vehicle per day"}


def sample_one_in(context: CheckContext, sample: syntax.Sample | None) -> int | None:
    """The n of `sample 1 in n`; None if it is not said, or after a report."""
    if sample is None:
        return None
    kept = whole_number(context, sample.kept, "the first number of `sample`", 1, 1)
    out_of = whole_number(context, sample.out_of, "the second number of `sample`", 1, MAX_ONE_IN)
    return out_of if kept else None


def priority(context: CheckContext, quantity: syntax.Quantity | None) -> int | None:
    """A priority from 0 to 100; None if it is not said, or after a report."""
    return None if quantity is None else whole_number(context, quantity, "a priority", 0, 100)


def budget_limits(context: CheckContext, limits: Sequence[syntax.BudgetLimit]) -> BudgetLimits:
    """The limits of a budget, without those of which a mistake was reported."""
    amounts: dict[str, int | None] = {}
    for limit in limits:
        if limit.kind in amounts:
            shown = _SHOWN_LIMITS.get(limit.kind, limit.kind)
            context.report.given_twice(limit.amount.span, f"the limit `{shown}`")
        if limit.kind in ("clips", "vehicle_day_clips"):
            amounts[limit.kind] = whole_number(context, limit.amount, "a number of clips", 1, MAX_CLIPS)
        else:
            amounts[limit.kind] = number_of_bytes(context, limit.amount)
    return BudgetLimits(
        vehicle_day_bytes=amounts.get("vehicle_day"),
        vehicle_day_clips=amounts.get("vehicle_day_clips"),
        total_bytes=amounts.get("total"),
        clips=amounts.get("clips"),
        when_day_is_spent=_when_day_is_spent(context, limits),
    )


def _when_day_is_spent(context: CheckContext, limits: Sequence[syntax.BudgetLimit]) -> DayRule:
    """What is said at either limit of a vehicle's day holds for both: a clip is kept or dropped as a whole."""
    said = [limit.then for limit in limits if limit.then is not None]
    if len({word.text for word in said}) > 1:
        context.report.day_rules_differ(said[-1].span, said[0].text)
    return "drop" if said and said[0].text == "drop" else "keep"


def whole_number(context: CheckContext, quantity: syntax.Quantity, what: str, low: int, high: int) -> int | None:
    """A whole number from `low` to `high`; None after a report."""
    typed = context.quantity(quantity)
    if typed.type is Type.ERROR:
        return None
    value = typed.constant
    whole = isinstance(value, Fraction) and value.denominator == 1 and typed.unit.dimension == DIMENSIONLESS
    if not isinstance(value, Fraction) or not whole or not low <= value <= high:
        allowed = f"a whole number from {low} to {high}" if low < high else str(low)
        context.report.out_of_range(quantity.span, what, allowed)
        return None
    return int(value)


def number_of_bytes(context: CheckContext, quantity: syntax.Quantity) -> int | None:
    """An amount of data in bytes; None after a report."""
    typed, byte = context.quantity(quantity), parse_unit("B")
    if typed.type is Type.ERROR or byte is None:
        return None
    if not isinstance(typed.constant, Fraction) or typed.unit.dimension != byte.dimension:
        context.report.not_bytes(quantity.span, f"{quantity.text} {quantity.unit or ''}".strip())
        return None
    amount = convert(typed.constant, typed.unit, byte)
    if amount.denominator != 1:
        context.report.out_of_range(quantity.span, "an amount of data", "a whole number of bytes")
        return None
    if not 1 <= amount <= MAX_BYTES:
        context.report.out_of_range(quantity.span, "an amount of data", "from 1 B to 10^18 B")
        return None
    return int(amount)
