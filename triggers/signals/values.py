"""Values as a signal catalog writes them: texts, whole numbers that are held exactly, and limits."""

from __future__ import annotations

from math import inf, nextafter
from typing import Annotated, Any

from pydantic import BeforeValidator, StringConstraints

MAX_INVALID = 1000
TextValue = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def exact(value: Any) -> Any:
    """Refuse a whole number that no double equals, as literals of triggers are."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**1023 and int(float(value)) != value:
        nearest = float(value)
        beyond = nextafter(nearest, -inf if nearest > value else inf)
        low, high = sorted((int(nearest), int(beyond)))
        raise ValueError(f"`{value}` cannot be held exactly; write {low} or {high}, or carry ids of this size as text")
    return value


def _two_ends(value: Any) -> Any:
    """Refuse what is not a pair of numbers, of which one may be open."""
    is_pair = isinstance(value, list | tuple) and len(value) == 2
    if not is_pair or not all(end is None or type(end) in (int, float) for end in value):
        raise ValueError(
            "limits are written `[low, high]`, two numbers in the signal's unit; `null` leaves an end open"
        )
    if value[0] is value[1] is None:
        raise ValueError("these limits are open at both ends; leave the key out")
    return tuple(value)


Limits = Annotated[tuple[float | None, float | None], BeforeValidator(_two_ends)]
"""The values that are within limits: from the first to the second, both included."""
