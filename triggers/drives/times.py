"""Times in ns from seconds, rounded half-even as if computed exactly, and the steps between times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triggers.times import NS_PER_S

Times = NDArray[np.int64]
Seconds = NDArray[np.float64]
T = TypeVar("T", np.int64, np.float64)

_NEAR_NS = 1 << 50
"""13 days. Twice this many, computed as a double, is off by at most 1/8 and is below 2^51."""
_ROUNDER = 1.5 * (1 << 52)
"""A double below 2^51 plus this number has the nearest integer (half-even) in its lowest bits."""
_ROUNDER_BITS = np.float64(_ROUNDER).view(np.int64)
_SLICE_ROWS = 32_768
"""How many rows are converted at a time, so that intermediate arrays stay in a core's own cache."""


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """Times in ns, and the bounds of the steps between them (see `step_bounds_ns`)."""

    t_ns: Times
    shortest_step_ns: int
    longest_step_ns: int


def step_bounds_ns(t_ns: Times) -> tuple[int, int]:
    """The shortest (negative if time runs backwards) and the longest step between times; (1, 0) for fewer than two."""
    if len(t_ns) < 2:
        return 1, 0
    steps_ns = np.subtract(t_ns[1:], t_ns[:-1], out=uninitialised(len(t_ns) - 1, np.int64))
    return int(steps_ns.min()), int(steps_ns.max())


def written_ns(seconds: Seconds) -> Times:
    """Seconds that are whole ns divided by 1e9, as `write_drive` writes them, as these ns; for times within 13 days.

    Both roundings together are off by less than half a ns, so no tie can be missed, at a sixth of the work of `to_ns`.
    """
    counted = seconds * 1e9
    return np.rint(counted, out=counted).astype(np.int64)


def to_ns(seconds: Seconds) -> Times:
    """Convert seconds (from 0 to 2^63 ns) to ns, rounded half-even as if computed exactly."""
    near = near_to_ns(seconds)
    return to_ns_exactly(seconds) if near is None else near.t_ns


def near_to_ns(seconds: Seconds) -> TimeColumn | None:
    """As `to_ns`, for ascending times within 13 days; None if the seconds are not such times."""
    t_ns = uninitialised(len(seconds), np.int64)
    bounds_ns: list[tuple[int, int]] = []
    all_clear = True
    with np.errstate(over="ignore", invalid="ignore"):
        for rows in _slices(len(seconds)):
            all_clear &= _round_clear_ones(seconds[rows], t_ns[rows])
            bounds_ns.append(step_bounds_ns(t_ns[max(rows.start - 1, 0) : rows.stop]))
    shortest_ns, longest_ns = (
        min((low for low, _ in bounds_ns), default=1),
        max((high for _, high in bounds_ns), default=0),
    )
    if not _are_near(seconds, t_ns, shortest_ns, longest_ns):
        return None
    if all_clear:
        return TimeColumn(t_ns, shortest_ns, longest_ns)
    for rows in _slices(len(seconds)):
        _round_closely(seconds[rows], t_ns[rows])
    return TimeColumn(t_ns, *step_bounds_ns(t_ns))


def _slices(length: int) -> Iterator[slice]:
    return (slice(first, min(first + _SLICE_ROWS, length)) for first in range(0, length, _SLICE_ROWS))


def _round_clear_ones(seconds: Seconds, t_ns: Times) -> bool:
    """Round times that are at least 3/16 ns from a tie; True if all are. Other times are rounded down.

    The time is counted in halves of a ns. The product is off by at most 1/8 of a half and rounded by at most 1/2, so an
    even number of halves is within 5/16 ns of the time. A time out of range becomes an integer that is far away.
    """
    halves = np.multiply(seconds, 2e9, out=uninitialised(len(seconds), np.float64))
    halves += _ROUNDER
    count = halves.view(np.int64)
    count -= _ROUNDER_BITS
    np.right_shift(count, 1, out=t_ns)
    return not np.bitwise_or.reduce(count) & 1


def _are_near(seconds: Seconds, t_ns: Times, shortest_ns: int, longest_ns: int) -> bool:
    """Whether all rows are in range: the first and last are, and times ascend in steps whose sum fits an int64."""
    if not len(t_ns):
        return True
    if shortest_ns < 0 or longest_ns * len(t_ns) >= 1 << 62 or not 0 <= t_ns[0] <= t_ns[-1] < _NEAR_NS:
        return False
    at_zero = seconds[: np.searchsorted(t_ns, 1)]  # negative times round to 0, too
    return not len(at_zero) or bool(at_zero.min() >= 0)


def _round_closely(seconds: Seconds, t_ns: Times) -> None:
    """Round times in range; those that the rounding of the product may have moved across a tie are rounded exactly."""
    product = seconds * 1e9
    rounded = np.rint(product)
    t_ns[:] = rounded
    clear = 0.5 - 2 * np.spacing(product.max())  # not the last: a step back below a ns is still in here
    near_tie = np.flatnonzero(np.abs(product - rounded) > clear)
    t_ns[near_tie] = to_ns_exactly(seconds[near_tie])


def to_ns_exactly(seconds: Seconds) -> Times:
    whole = np.floor(seconds)
    scaled = (seconds - whole) * 1e9  # the difference is exact, the product is off by at most 1e-7
    near_tie = np.abs(scaled - np.floor(scaled) - 0.5) < 1e-6
    t_ns = whole.astype(np.int64) * NS_PER_S + np.rint(scaled).astype(np.int64)
    for index in np.flatnonzero(near_tie):
        t_ns[index] = round(Fraction(float(seconds[index])) * NS_PER_S)
    return t_ns


def uninitialised(length: int, dtype: type[T]) -> NDArray[T]:
    """An uninitialised array of 8-byte numbers from Arrow's memory pool.

    The pool reuses freed memory. The C library would return arrays of a batch's size to the system and get them back,
    page by page, for each batch, which takes longer than all the arithmetic on them.
    """
    return np.frombuffer(pa.allocate_buffer(8 * length), dtype)
