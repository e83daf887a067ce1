"""Numbers on the command line: as `triggers.written_numbers` has them, within a range."""

from __future__ import annotations

import math
import re
import sys
from decimal import Decimal
from typing import Any

import click

from triggers.written_numbers import is_number, is_whole_number

MOST_DIGITS = 40
"""Of a number of bytes: one that is too large for the API is refused there, with the largest that is not."""


class WholeNumber(click.IntRange):
    """A whole number, such as 100; no `1_0`, `+5` or ` 5`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number, or a usage error."""
        if isinstance(value, str) and not is_whole_number(value):
            self.fail(f"{value[:60]!r} is not a whole number in digits, such as 100", param, ctx)
        number: int = super().convert(value, param, ctx)
        return number


class Number(click.FloatRange):
    """A number, such as 0.5."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or a usage error."""
        if isinstance(value, str) and not is_number(value):
            self.fail(f"{value[:60]!r} is not a number, such as 0.5", param, ctx)
        number: float = super().convert(value, param, ctx)
        if math.isinf(number):
            self.fail(f"{value[:60]!r} is beyond {sys.float_info.max:.3g}", param, ctx)
        return number


class Bytes(click.ParamType[int]):
    """A number of bytes, written as in budgets, such as 500, 20 MB or 1.5 TB."""

    name = "bytes"
    _UNITS = {unit: 1000**power for power, unit in enumerate(("B", "kB", "MB", "GB", "TB", "PB"))}
    _FORM = re.compile(r"(.+?) ?(B|kB|MB|GB|TB|PB)?")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The bytes, or a usage error."""
        if isinstance(value, int):
            return value
        match = self._FORM.fullmatch(value)
        if match is None or not is_number(match[1]):
            self.fail(f"{value[:60]!r} is not a number of bytes, such as 20 MB or 1.5 TB", param, ctx)
        number = Decimal(match[1])
        if number.adjusted() > MOST_DIGITS:
            self.fail(f"{value[:60]!r} is more than anybody can have", param, ctx)
        amount = number * self._UNITS[match[2] or "B"]
        if amount < 0 or amount != amount.to_integral_value():
            self.fail(f"{value[:60]!r} is not a whole number of bytes from 0 on", param, ctx)
        return int(amount)


class Seconds(click.ParamType[float]):
    """A time in seconds, written as in triggers: a number with its unit, such as 2s, 1.5 min or 500 ms."""

    name = "duration"
    _UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0}
    _FORM = re.compile(r"(.+?) ?(ms|s|min)")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds, or a usage error."""
        if isinstance(value, float):
            return value
        match = self._FORM.fullmatch(value)
        if match is None or not is_number(match[1]):
            self.fail(f"{value[:60]!r} is not a time with its unit, such as 2s or 500ms", param, ctx)
        seconds = float(match[1]) * self._UNITS[match[2]]
        if math.isinf(seconds):
            self.fail(f"{value[:60]!r} is longer than any time", param, ctx)
        return seconds
