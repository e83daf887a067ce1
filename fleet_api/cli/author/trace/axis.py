"""The time axis of a plot in a terminal: round times, each beside a mark at its column."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import count, pairwise

from triggers.times import NS_PER_S

_MARK = "│"
_LONG_NS = 100_000 * NS_PER_S
"""Times from here on, such as those since 1970, have so many digits that few of them fit into a line."""


def origin(first_ns: int, last_ns: int) -> int:
    """The time after which those of an axis are best written: 0, or a whole second shortly before long times.

    >>> origin(15_000_000_000, 25_000_000_000), origin(1_700_000_004_000_000_000, 1_700_000_024_000_000_000)
    (0, 1700000000000000000)
    """
    unit_ns = next(NS_PER_S * 10**power for power in count() if NS_PER_S * 10**power > last_ns - first_ns)
    before_ns = first_ns // unit_ns * unit_ns
    return before_ns if before_ns >= _LONG_NS else 0


def axis(first_ns: int, last_ns: int, columns: int) -> str:
    """As many round times as fit into a line, each after a mark at its column; the first one has the unit.

    >>> axis(0, 10_000_000_000, 40)
    '│0 s    │2      │4      │6      │8     │'
    """
    lines = (_line(first_ns, last_ns, columns, step_ns, decimals) for step_ns, decimals in _steps())
    return next(line for line in lines if line is not None)


def _steps() -> Iterator[tuple[int, int]]:
    """Round steps between times in ns, ascending, and how many decimals a time in s then has."""
    for power in count():
        for first_digit in (1, 2, 5):
            yield first_digit * 10**power, max(9 - power, 0)


def _line(first_ns: int, last_ns: int, columns: int, step_ns: int, decimals: int) -> str | None:
    """The axis with this step; None where its times do not fit."""
    times_ns = range(-(-first_ns // step_ns) * step_ns, last_ns + 1, step_ns)
    if len(times_ns) > columns:
        return None
    if len(times_ns) <= 1:  # one round time alone is no scale, so it need not be round
        return f"{_MARK}{_written(first_ns, 3)} s"
    starts = [min((t_ns - first_ns) * columns // (last_ns - first_ns), columns - 1) for t_ns in times_ns]
    rooms = [after - before for before, after in pairwise([*starts, columns + 1])]
    labels = [_written(t_ns, decimals) for t_ns in times_ns]
    labels[0] += " s"
    if len(labels[-1]) > columns - starts[-1] - 1:  # at the end there is always room for a mark
        labels[-1] = ""
    if any(len(label) + 2 > room for label, room in zip(labels, rooms, strict=True)):
        return None
    marked = [f"{_MARK}{label}".ljust(room) for label, room in zip(labels, rooms, strict=True)]
    return " " * starts[0] + "".join(marked)[: columns - starts[0]]


def _written(t_ns: int, decimals: int) -> str:
    return f"{Decimal(t_ns).scaleb(-9):.{decimals}f}"
