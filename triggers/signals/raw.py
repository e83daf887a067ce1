"""Raw values, as recordings and buses carry them, and the one rule by which they become values in a signal's unit.

A value is `raw * scale + offset` in double precision: the product is rounded, then the sum. A raw value that is
declared `invalid`, and a value outside `min` to `max`, are *measured but invalid*: infinite, so that the signal is
unknown until its next sample. The rule is applied once, where samples come in: by the reader of recorded drives, and on
a vehicle by what is given raw samples. Clips hold values in the signal's unit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Protocol, TypeVar

Value = TypeVar("Value", float, Any)
"""A number, or an array of numbers."""


@dataclass(frozen=True, slots=True)
class RawForm:
    """How a signal's raw values are read. The default takes every value as it is, and so do arrays of values.

    `invalid` are raw values, as a float64 holds them; `low` and `high` are in the signal's unit, and included. `states`
    is how many values a bool or a text has, which are the whole numbers from 0 on; 0 for a number.
    """

    scale: float = 1.0
    offset: float = 0.0
    invalid: tuple[float, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    states: int = 0

    @property
    def is_plain(self) -> bool:
        """Whether every number is taken as it is; whether it is one of the `states` is looked at by itself."""
        return not (self.converts or self.invalid or self.is_bounded)

    @property
    def converts(self) -> bool:
        """Whether raw values are in another unit than the signal's."""
        return (self.scale, self.offset) != (1.0, 0.0)

    @property
    def is_bounded(self) -> bool:
        """Whether some values are out of range."""
        return (self.low, self.high) != (-math.inf, math.inf)

    def in_unit(self, raw: Value) -> Value:
        """A raw number, or an array of them, in the signal's unit; to be called if it `converts`."""
        return raw * self.scale + self.offset

    @property
    def of_converted(self) -> RawForm:
        """How values are read that are in the signal's unit already, such as those of clips: their range stays."""
        return RawForm(low=self.low, high=self.high, states=self.states)

    def value(self, raw: float) -> tuple[float, bool]:
        """A raw sample in the signal's unit, and whether it is one that the signal cannot have: infinite then.

        NaN, which is no sample, and infinities, which are invalid already, are returned as they are.

        >>> speed = RawForm(scale=0.01, offset=-5.0, invalid=(65535.0,), high=100.0)
        >>> [speed.value(raw) for raw in (2500.0, 65535.0, 20000.0)]
        [(20.0, False), (inf, True), (inf, True)]
        """
        if not math.isfinite(raw):
            return raw, False
        number = self.in_unit(raw) if self.converts else raw
        is_good = raw not in self.invalid and self.low <= number <= self.high and math.isfinite(number)
        if self.states:
            is_good = is_good and 0 <= number < self.states and number == math.floor(number)
        return (number, False) if is_good else (math.inf, True)


class Declared(Protocol):
    """The declaration of a signal, or of a field of objects, as far as it says how raw values are read."""

    @property
    def type(self) -> str: ...
    @property
    def values(self) -> tuple[str, ...]: ...
    @property
    def scale(self) -> float: ...
    @property
    def offset(self) -> float: ...
    @property
    def invalid(self) -> tuple[float | str, ...]: ...
    @property
    def min(self) -> float | None: ...
    @property
    def max(self) -> float | None: ...
    @property
    def raw_form(self) -> RawForm: ...


def declared_form(declared: Declared) -> RawForm:
    """How the raw values of a signal or a field are read; those of a text are indexes here."""
    is_key = declared.type == "id"  # whose numbers a float64 may not hold: they are compared by themselves
    numbers = () if is_key else tuple(float(value) for value in declared.invalid if not isinstance(value, str))
    low = -math.inf if declared.min is None else declared.min
    high = math.inf if declared.max is None else declared.max
    states = {"bool": 2, "text": len(declared.values)}.get(declared.type, 0)
    return RawForm(declared.scale, declared.offset, numbers, low, high, states)


def held_exactly(number: float) -> float:
    """A number as a float64 holds it: an integer that it would round is infinite, never another integer.

    >>> held_exactly(2**53), held_exactly(2**53 + 1), held_exactly(10**400)
    (9007199254740992.0, inf, inf)
    """
    if isinstance(number, float):
        return number
    number = int(number) if isinstance(number, Integral) else number  # NumPy's integers compare as rounded floats
    try:
        held = float(number)
    except OverflowError:
        return math.inf
    return held if held == number or math.isnan(held) else math.inf


def held_or_refused(number: float) -> tuple[float, bool]:
    """A number as `held_exactly` holds it, and whether it is infinite only so."""
    held = held_exactly(number)
    return held, math.isinf(held) and held != number
