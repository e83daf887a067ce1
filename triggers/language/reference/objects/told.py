"""What is told of the objects of a list that are present: the operations over all of them, as functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from triggers.language.reference.values import Value, finite, kleene_and, kleene_or, larger, smaller

Objects = Sequence[tuple[int, tuple[Any, ...]]]
"""The objects that are present: the key of each, and the arguments of the operation for it."""


def _any(objects: Objects) -> Value:
    result: bool | None = False
    for _, (condition,) in objects:
        result = kleene_or(result, condition)
    return result


def _all(objects: Objects) -> Value:
    result: bool | None = True
    for _, (condition,) in objects:
        result = kleene_and(result, condition)
    return result


def _count(objects: Objects) -> Value:
    return float(sum(condition is True for _, (condition,) in objects))


def _numbers(objects: Objects) -> list[float]:
    """The known numbers of the objects whose condition is true."""
    return [number for _, (number, condition) in objects if condition is True and number is not None]


def _least(objects: Objects) -> Value:
    best: float | None = None
    for number in _numbers(objects):
        best = number if best is None else smaller(best, number)
    return best


def _greatest(objects: Objects) -> Value:
    best: float | None = None
    for number in _numbers(objects):
        best = number if best is None else larger(best, number)
    return best


def _sum(objects: Objects) -> Value:
    total = 0.0
    for number in _numbers(objects):
        total += number
    return finite(total)


def _nearest(objects: Objects) -> Value:
    candidates = [
        (distance, key, value)
        for key, (distance, condition, value) in objects
        if condition is True and distance is not None
    ]
    return min(candidates, key=lambda each: each[:2])[2] if candidates else None


TOLD: dict[str, Callable[[Objects], Value]] = {
    "any_object": _any,
    "all_objects": _all,
    "count_objects": _count,
    "min_of_objects": _least,
    "max_of_objects": _greatest,
    "sum_of_objects": _sum,
    "nearest_object": _nearest,
}
"""By operation; the objects are in the order of their slots."""
