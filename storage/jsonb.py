"""What PostgreSQL's text and `jsonb` can hold: all of JSON except U+0000, halves of surrogate pairs and NaN."""

from __future__ import annotations

import json
import math
import re
import sys
from decimal import Decimal
from typing import Any, TypeVar

from pydantic_core import from_json

from triggers.errors import InvalidInput

T = TypeVar("T")
MAX_DEPTH = 100
_NOT_STORED = re.compile("[\x00\ud800-\udfff]")
_LONG_INTEGER = re.compile(rb"[ \[:,]-?\d{19}")
MAX_INTEGER = int(sys.float_info.max)
"""The largest integer that is stored: larger ones are not a float, so most programs cannot read them."""


def storable(value: T, *, what: str) -> T:
    """The JSON tree `value` itself; InvalidInput, naming it as `what`, when something in it cannot be stored."""
    _check(value, what, 0)
    return value


def unstorable_at(text: str) -> int | None:
    """The index of the first character that cannot be stored; None if there is none."""
    found = _NOT_STORED.search(text)
    return None if found is None else found.start()


def made_storable(text: str) -> str:
    """The text with U+FFFD in place of what cannot be stored: for what quotes others, such as the reason of an end.

    >>> made_storable("a\\x00b\\ud800")
    'a\ufffdb\ufffd'
    """
    return _NOT_STORED.sub("\ufffd", text)


def json_text(value: str | bool | int | Decimal) -> str:
    """A scalar as JSON; a Decimal has the digits that it was written with."""
    return json.dumps(value) if isinstance(value, str | bool | int) else str(value)


def json_of(text: str | bytes) -> Any:
    """The JSON value that PostgreSQL gives as this text, in UTF-8 if it is bytes.

    `jsonb` writes a number without its exponent: 1e308 comes back as an integer of 309 digits, which many programs
    cannot read. An integer beyond 64 bits that is exactly what a float is written as becomes this float again.

    >>> json_of("[1" + "0" * 308 + ", 7, 12345678901234567890123]")
    [1e+308, 7, 12345678901234567890123]
    """
    data = text.encode() if isinstance(text, str) else text
    if _LONG_INTEGER.search(data) is None and data[:1] in b'{["tfn':
        return from_json(data)  # six times as fast
    return json.loads(data, parse_int=_integer_or_float)


def _integer_or_float(digits: str) -> int | float:
    whole = int(digits)
    if -(2**63) <= whole < 2**63 or abs(whole) > MAX_INTEGER:
        return whole
    nearest = float(whole)
    return nearest if int(Decimal(repr(nearest))) == whole else whole


def _check(value: object, what: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise InvalidInput(f"{what}: nested deeper than {MAX_DEPTH}")
    if isinstance(value, str):
        if _NOT_STORED.search(value) is not None:
            raise InvalidInput(f"{what}: a text holds U+0000 or half a surrogate pair", remedy="remove the character")
    elif isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput(f"{what}: a number is {value}", remedy="JSON has no NaN and no infinities")
    elif isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise InvalidInput(f"{what}: a number is too large", remedy="numbers go up to 1.79e308 in size")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check(key, what, depth + 1)
            _check(item, what, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item, what, depth + 1)
