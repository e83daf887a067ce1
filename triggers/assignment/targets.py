"""Matching of a campaign's target against the attributes of a vehicle."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from triggers.contracts.base import AttributeValue
from triggers.contracts.campaign import Comparison, Target
from triggers.language.reference.values import kleene_and, kleene_or
from triggers.language.reference.versions import VersionOrder, version_order

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

    A comparison of an attribute that the vehicle lacks, or has with another type, or of a version with a value that is
    none, is unknown, and so is its `not`
    (Kleene logic): a campaign never reaches a vehicle because something about that vehicle is unknown.
    """
    return target is None or _truth(target, attributes, reported) is True


def compares_no_version(target: Target | None, attributes: Attributes, reported: Attributes = _NONE) -> bool:
    """Whether the target compares an attribute as a version that the vehicle has, but not as a version."""
    return target is not None and any(
        _version(value) is None
        for comparison in _comparisons(target)
        if comparison.as_versions and (value := _value(comparison, attributes, reported)) is not None
    )


def _comparisons(target: Target) -> Iterator[Comparison]:
    if isinstance(target, Comparison):
        yield target
        return
    for operand in target.operands:
        yield from _comparisons(operand)


def _truth(target: Target, attributes: Attributes, reported: Attributes) -> bool | None:
    if isinstance(target, Comparison):
        return _compared(target, _value(target, attributes, reported))
    truths = [_truth(operand, attributes, reported) for operand in target.operands]
    if target.kind == "not":
        return None if truths[0] is None else not truths[0]
    return kleene_and(*truths) if target.kind == "and" else kleene_or(*truths)


def _value(comparison: Comparison, attributes: Attributes, reported: Attributes) -> AttributeValue | None:
    value = attributes.get(comparison.attribute)
    return reported.get(comparison.attribute) if value is None and comparison.reported else value


def _compared(comparison: Comparison, value: AttributeValue | None) -> bool | None:
    if value is None:
        return None
    if comparison.as_versions:
        return _in_order(comparison.op, _version(value), [_version(other) for other in comparison.values])
    if any(_type(value) != _type(other) for other in comparison.values):
        return None
    return _in_order(comparison.op, value, comparison.values)


def _in_order(op: str, value: Any, others: Sequence[Any]) -> bool | None:
    """The comparison of values of one type; unknown for a version that is none."""
    if value is None or None in others:
        return None
    if op in ("==", "in"):
        return value in others
    if op == "!=":
        return value not in others
    return _ORDER[op](value, others[0])


def _version(value: AttributeValue) -> VersionOrder | None:
    return version_order(value) if isinstance(value, str) else None


def _type(value: AttributeValue) -> str:
    if isinstance(value, bool):
        return "bool"
    return "text" if isinstance(value, str) else "number"
