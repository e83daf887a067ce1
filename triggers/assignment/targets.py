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


Attributes = Mapping[str, AttributeValue]
_NONE: Attributes = {}


def matches(target: Target | None, attributes: Attributes, reported: Attributes = _NONE) -> bool:
    """True if the vehicle's attributes satisfy the target. Without a target every vehicle matches.

    `attributes` are the fleet's own record; what the vehicle has `reported` about itself is looked at only where that
    has nothing, by comparisons of attributes that the signal catalog declares as reported.

    A comparison of an attribute that the vehicle lacks, or has with another type, is unknown, and so is its `not`
    (Kleene logic): a campaign never reaches a vehicle because something about that vehicle is unknown.
    """
    return target is None or _truth(target, attributes, reported) is True


def _truth(target: Target, attributes: Attributes, reported: Attributes) -> bool | None:
    if isinstance(target, Comparison):
        value = attributes.get(target.attribute)
        if value is None and target.reported:
            value = reported.get(target.attribute)
        return _compared(target, value)
    truths = [_truth(operand, attributes, reported) for operand in target.operands]
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
