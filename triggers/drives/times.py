"""The time column of a recorded drive as ns: seconds are rounded half-even, as if computed exactly.

Messages name the column and the row; the caller, which knows the file, adds its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triggers.contracts.base import NS_PER_S
from triggers.errors import InvalidInput
from triggers.language.rows import MAX_T_NS

TIME_COLUMN = "t"

Times = NDArray[np.int64]
Seconds = NDArray[np.float64]
T = TypeVar("T", np.int64, np.float64)

_END_S = MAX_T_NS / NS_PER_S
_FLOAT64 = pa.float64()
_NEAR_NS = 1 << 50
"""13 days. Twice as many, rounded by a double's arithmetic, are off by at most 1/8 of a ns, and fit below 2^51."""
_ROUNDER = 1.5 * (1 << 52)
"""A double below 2^51 plus this has the nearest integer, half-even, in its lowest bits."""
_ROUNDER_BITS = np.float64(_ROUNDER).view(np.int64)
_SLICE_ROWS = 32_768
"""Rows converted at a time, so that arrays between two steps of the arithmetic stay in a core's own cache."""


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """Times in ns, and bounds of the steps from each to the next, see `step_bounds_ns`."""

    t_ns: Times
    shortest_step_ns: int
    longest_step_ns: int


def times(column: Any, first_row: int) -> TimeColumn:
    """The time column in ns; `first_row` is the row of its first time in the file.

    Raises InvalidInput for a value that is not a time >= 0; that times ascend is not checked here.
    """
    if column.null_count:
        row = first_row + int(pc.index(column.is_null(), value=True).as_py())
        raise InvalidInput(f"column `{TIME_COLUMN}` is empty in row {row}")
    if pa.types.is_timestamp(column.type):
        t_ns = _timestamps(column)
        bad = np.flatnonzero(t_ns < 0)
    elif pa.types.is_floating(column.type):
        seconds = (column if column.type == _FLOAT64 else column.cast(_FLOAT64)).to_numpy()
        near = _near_to_ns(seconds)
        if near is not None:
            return near
        bad = np.flatnonzero(~((seconds >= 0) & (seconds < _END_S)))
        t_ns = _to_ns_exactly(seconds) if not len(bad) else np.empty(0, np.int64)
    else:
        raise InvalidInput(
            f"column `{TIME_COLUMN}` has the type {column.type}",
            remedy="write seconds as float64 or an Arrow timestamp",
        )
    if len(bad):
        raise InvalidInput(f"column `{TIME_COLUMN}` has no time >= 0 in row {first_row + bad[0]}")
    return TimeColumn(t_ns, *step_bounds_ns(t_ns))


def _timestamps(column: Any) -> Times:
    try:
        in_ns = column.cast(pa.timestamp("ns", tz=column.type.tz))
    except pa.ArrowInvalid as error:
        raise InvalidInput(
            f"column `{TIME_COLUMN}` has a time that does not fit an int64 of nanoseconds ({str(error)[:100]})"
        ) from error
    t_ns: Times = in_ns.view(pa.int64()).to_numpy()
    return t_ns


def step_bounds_ns(t_ns: Times) -> tuple[int, int]:
    """The shortest step from a time to the next, negative where time runs backwards, and the longest; else (1, 0)."""
    if len(t_ns) < 2:
        return 1, 0
    steps_ns = np.subtract(t_ns[1:], t_ns[:-1], out=uninitialised(len(t_ns) - 1, np.int64))
    return int(steps_ns.min()), int(steps_ns.max())


def to_ns(seconds: Seconds) -> Times:
    """Seconds (from 0 to 2^63 ns) to ns, rounded half-even as if computed exactly."""
    near = _near_to_ns(seconds)
    return _to_ns_exactly(seconds) if near is None else near.t_ns


def _near_to_ns(seconds: Seconds) -> TimeColumn | None:
    """The same for ascending times within 13 days; None where they are not, or not all are times."""
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
    """Round what is at least 3/16 of a ns from the middle of two; True if all are. Others are rounded down.

    Halves of ns are counted. The product is off by at most 1/8 of a half and rounded by at most 1/2, so an even number
    of halves is within 5/16 of a ns of the time. A time that is not near turns into an integer that is far away.
    """
    halves = np.multiply(seconds, 2e9, out=uninitialised(len(seconds), np.float64))
    halves += _ROUNDER
    count = halves.view(np.int64)
    count -= _ROUNDER_BITS
    np.right_shift(count, 1, out=t_ns)
    return not np.bitwise_or.reduce(count) & 1


def _are_near(seconds: Seconds, t_ns: Times, shortest_ns: int, longest_ns: int) -> bool:
    """That all rows are within the range: they begin and end in it and ascend, in steps whose sum is an int64."""
    if not len(t_ns):
        return True
    if shortest_ns < 0 or longest_ns * len(t_ns) >= 1 << 62 or not 0 <= t_ns[0] <= t_ns[-1] < _NEAR_NS:
        return False
    at_zero = seconds[: np.searchsorted(t_ns, 1)]  # negative times round to 0, too
    return not len(at_zero) or bool(at_zero.min() >= 0)


def _round_closely(seconds: Seconds, t_ns: Times) -> None:
    """Round near times; those that the product's own rounding may have moved across a middle are rounded exactly."""
    product = seconds * 1e9
    rounded = np.rint(product)
    t_ns[:] = rounded
    clear = 0.5 - 2 * np.spacing(product[-1])
    near_tie = np.flatnonzero(np.abs(product - rounded) > clear)
    t_ns[near_tie] = _to_ns_exactly(seconds[near_tie])


def _to_ns_exactly(seconds: Seconds) -> Times:
    whole = np.floor(seconds)
    scaled = (seconds - whole) * 1e9  # the difference is exact, the product is off by at most 1e-7
    near_tie = np.abs(scaled - np.floor(scaled) - 0.5) < 1e-6
    t_ns = whole.astype(np.int64) * NS_PER_S + np.rint(scaled).astype(np.int64)
    for index in np.flatnonzero(near_tie):
        t_ns[index] = round(Fraction(float(seconds[index])) * NS_PER_S)
    return t_ns


def uninitialised(length: int, dtype: type[T]) -> NDArray[T]:
    """An array of 8-byte numbers from Arrow's memory pool.

    The pool keeps freed memory at hand. The C library returns arrays of a batch's size to the system and gets them
    again, page by page, for each batch, which takes longer than all arithmetic on them.
    """
    return np.frombuffer(pa.allocate_buffer(8 * length), dtype)
