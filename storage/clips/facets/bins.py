"""Edges of histograms: round numbers and calendar times, chosen so that there are at most as many bins as asked for.

A bin reaches from its edge up to the next one, which is not part of it; the last edge is above the highest value, or
the last bin is open where no number is.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Literal, TypeAlias

from triggers.errors import InvalidInput
from triggers.times import NS_PER_S

MAX_BINS = 1000
Step: TypeAlias = Literal["second", "minute", "hour", "day", "week", "month", "year"]
STEPS: tuple[Step, ...] = ("second", "minute", "hour", "day", "week", "month", "year")
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_SECONDS: dict[Step, int] = {"second": 1, "minute": _MINUTE, "hour": _HOUR, "day": _DAY, "week": 7 * _DAY}
_ROUND_SECONDS = (
    *(1, 2, 5, 10, 15, 30),
    *(count * _MINUTE for count in (1, 2, 5, 10, 15, 30)),
    *(count * _HOUR for count in (1, 2, 3, 6, 12)),
    *(_DAY, 7 * _DAY),
)
_ROUND_MONTHS = (1, 3, 12, 60, 120, 600)
_MONDAY_NS = 4 * _DAY * NS_PER_S
"""1970-01-05: weeks begin on Mondays."""


def float_edges(low: float, high: float, bins: int) -> list[float]:
    """Edges around values from low to high: multiples of 1, 2 or 5 times a power of ten.

    >>> float_edges(0.5, 31.5, 4)
    [0.0, 10.0, 20.0, 30.0, 40.0]
    """
    exact = _multiples(Fraction(low), Fraction(high), _width(Fraction(low), Fraction(high), bins, smallest=None))
    edges = list(dict.fromkeys(_float(edge) for edge in exact))
    # Where the width is below the resolution of doubles, edges coincide; beyond the largest double there is none.
    edges = [edge for edge in edges if math.isfinite(edge)]
    return edges if edges and edges[0] <= low else [low, *edges]


def integer_edges(low: int, high: int, bins: int) -> list[int]:
    """The same for integers.

    >>> integer_edges(3, 17, 3)
    [0, 10, 20]
    """
    width = _width(Fraction(low), Fraction(high), bins, smallest=Fraction(1))
    return [int(edge) for edge in _multiples(Fraction(low), Fraction(high), width)]


def time_edges(low_ns: int, high_ns: int, bins: int) -> list[int]:
    """Edges around times in ns since 1970: round fractions of a second, seconds to weeks, or months in UTC."""
    if high_ns - low_ns < bins * NS_PER_S // 2:
        return integer_edges(low_ns, high_ns, bins)
    for seconds in _ROUND_SECONDS:
        width_ns = seconds * NS_PER_S
        if _bins_between(low_ns, high_ns, width_ns) <= bins:
            return _time_multiples(low_ns, high_ns, width_ns)
    for months in _ROUND_MONTHS:
        edges = list(_months(low_ns, high_ns, months))
        if len(edges) - 1 <= bins:
            return edges
    return list(_months(low_ns, high_ns, 1200))


def step_edges(low_ns: int, high_ns: int, step: Step, *, what: str) -> list[int]:
    """Edges one step apart. InvalidInput, naming `what`, for more than MAX_BINS of them."""
    if step in ("month", "year"):  # at most 585 years, which is how far ns in 64 bits reach
        edges = list(_months(low_ns, high_ns, 1 if step == "month" else 12))
        bins = len(edges) - 1
    else:
        edges, bins = [], _bins_between(low_ns, high_ns, _SECONDS[step] * NS_PER_S)
    if bins > MAX_BINS:
        longer = STEPS[STEPS.index(step) + 1]
        raise InvalidInput(
            f"{what} by {step} has more than {MAX_BINS} bins", remedy=f"count by {longer}, or narrow the filter's time"
        )
    return edges or _time_multiples(low_ns, high_ns, _SECONDS[step] * NS_PER_S)


def count_in_bins(edges: Sequence[float], values: Iterable[float]) -> Counter[int]:
    """How many values are in each bin that has any; bins are numbered from 1, by their lower edges.

    >>> count_in_bins([0, 10, 20], [3, 9.5, 10, 25])
    Counter({1: 2, 2: 1, 3: 1})
    """
    return Counter(bisect_right(edges, value) for value in values)


def count_in_bins_of_several(edges: Sequence[float], values: Iterable[Iterable[float]]) -> Counter[int]:
    """The same where there are several values of one clip: how many clips have a value in each bin."""
    return Counter(number for of_clip in values for number in {bisect_right(edges, value) for value in of_clip})


def _width(low: Fraction, high: Fraction, bins: int, *, smallest: Fraction | None) -> Fraction:
    """The smallest round width with which the values fit into so many bins."""
    if low < 0 <= high:
        bins = max(bins, 2)  # zero is an edge of every width
    rough = (high - low) / bins if high > low else abs(low) / 10 or Fraction(1)
    power = Fraction(10) ** (_digits(rough) - 1)
    if smallest is not None and power < smallest:
        power = smallest
    while True:
        for factor in (1, 2, 5):
            width = power * factor
            if high // width - low // width + 1 <= bins:
                return width
        power *= 10


def _digits(value: Fraction) -> int:
    """The power of ten of a positive number, or one less; logarithms of doubles would not reach small fractions."""
    return len(str(value.numerator)) - len(str(value.denominator)) - 1


def _multiples(low: Fraction, high: Fraction, width: Fraction) -> Iterator[Fraction]:
    first, last = low // width, high // width + 1
    return (width * number for number in range(first, last + 1))


def _float(exact: Fraction) -> float:
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def _offset_ns(width_ns: int) -> int:
    return _MONDAY_NS if width_ns == 7 * _DAY * NS_PER_S else 0


def _bins_between(low_ns: int, high_ns: int, width_ns: int) -> int:
    offset_ns = _offset_ns(width_ns)
    return (high_ns - offset_ns) // width_ns - (low_ns - offset_ns) // width_ns + 1


def _time_multiples(low_ns: int, high_ns: int, width_ns: int) -> list[int]:
    offset_ns = _offset_ns(width_ns)
    first, count = (low_ns - offset_ns) // width_ns, _bins_between(low_ns, high_ns, width_ns)
    return [offset_ns + (first + number) * width_ns for number in range(count + 1)]


def _months(low_ns: int, high_ns: int, months: int) -> Iterator[int]:
    """Beginnings of every so many months, the first at or before low, the last after high."""
    low = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=low_ns // NS_PER_S)
    number = (low.year * 12 + low.month - 1) // months * months
    while True:
        edge_ns = _month_ns(number)
        yield edge_ns
        if edge_ns > high_ns:
            return
        number += months


def _month_ns(number: int) -> int:
    """The beginning of a month, numbered from year 0, in ns since 1970."""
    return int(datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp()) * NS_PER_S
