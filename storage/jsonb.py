"""What PostgreSQL's text and `jsonb` can hold: all of JSON except U+0000, halves of surrogate pairs and NaN."""

from __future__ import annotations

import math
from typing import TypeVar

from triggers.errors import InvalidInput

T = TypeVar("T")
MAX_DEPTH = 100


def storable(value: T, *, what: str) -> T:
    """The JSON tree `value` itself; InvalidInput, naming it as `what`, when something in it cannot be stored."""
    _check(value, what, 0)
    return value


def _check(value: object, what: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise InvalidInput(f"{what}: nested deeper than {MAX_DEPTH}")
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise InvalidInput(f"{what}: a text holds U+0000 or half a surrogate pair", remedy="remove the character")
    elif isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput(f"{what}: a number is {value}", remedy="JSON has no NaN and no infinities")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check(key, what, depth + 1)
            _check(item, what, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item, what, depth + 1)
