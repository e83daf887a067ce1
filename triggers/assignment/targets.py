"""Matching of a campaign's target against the attributes of a vehicle."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from triggers.contracts.base import AttributeValue
from triggers.contracts.campaign import Comparison, Target
from triggers.language.reference.values import kleene_and, kleene_or

_ORDER: dict[str, Callable[..., bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def matches(target: Target | None, attributes: Mapping[str, AttributeValue]) -> bool:
    """True if the vehicle's attributes satisfy the target. Without a target every vehicle matches.

    A comparison of an attribute that the vehicle lacks, or has with another type, is unknown, and so is its `not`
    (Kleene logic): a campaign never reaches a vehicle because something about that vehicle is unknown.
    """
    return target is None or _truth(target, attributes) is True


def _truth(target: Target, attributes: Mapping[str, AttributeValue]) -> bool | None:
    if isinstance(target, Comparison):
        return _compared(target, attributes.get(target.attribute))
    truths = [_truth(operand, attributes) for operand in target.operands]
    if target.kind == "not":
        return None if truths[0] is None else not truths[0]
    return kleene_and(*truths) if target.kind == "and" else kleene_or(*truths)


def _compared(comparison: Comparison, value: AttributeValue | None) -> bool | None:
    if value is None or any(_type(value) != _type(other) for other in comparison.values):
        return None
    if comparison.op in ("==", "in"):
        return value in comparison.values
    if comparison.op == "!=":
        return value not in comparison.values
    return _ORDER[comparison.op](value, comparison.values[0])


def _type(value: AttributeValue) -> str:
    if isinstance(value, bool):
        return "bool"
    return "text" if isinstance(value, str) else "number"
