"""Numbers on the command line: as `triggers.written_numbers` has them, within a range."""

from __future__ import annotations

from typing import Any

import click

from triggers.written_numbers import is_number, is_whole_number


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
        return number
