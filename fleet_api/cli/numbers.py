"""Numbers on the command line: as `triggers.written_numbers` has them, within a range."""

from __future__ import annotations

import math
import re
import sys
from decimal import Decimal, DecimalException
from typing import Any

import click

from triggers.written_numbers import is_number, is_whole_number

MOST_SECONDS = (2**63 - 1) // 10**9
"""Times are kept in ns, in 64 bits."""


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
        from triggers.contracts.api.budget import MAX_AMOUNT

        match = self._FORM.fullmatch(value)
        if match is None or not is_number(match[1]):
            self.fail(f"{value[:60]!r} is not a number of bytes, such as 20 MB or 1.5 TB", param, ctx)
        try:
            amount = Decimal(match[1]) * self._UNITS[match[2] or "B"]
            is_whole = 0 <= amount <= MAX_AMOUNT and amount == amount.to_integral_value()
        except DecimalException:  # its exponent is beyond those of a Decimal
            is_whole = False
        if not is_whole:
            self.fail(f"{value[:60]!r} is not a whole number of bytes from 0 to {MAX_AMOUNT}", param, ctx)
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
        if abs(seconds) > MOST_SECONDS:
            self.fail(f"{value[:60]!r} is too long: at most {MOST_SECONDS} s", param, ctx)
        return seconds
