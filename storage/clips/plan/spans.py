"""What bounds of start, end, time of recording and of fires say of one another.

A clip ends at most the longest recording after it starts, its fires lie between, and it was recorded when it started,
except for those few whose clock was wrong. So a time range narrows the walk of any order of time.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, func, select

from storage.clips.cql2.moments import HIGHEST_NS, LOWEST_NS
from storage.clips.plan.bounds import Bounds
from storage.clips.plan.indexes import END, RECORDED, START, Index
from storage.clips.properties import require_property
from triggers.times import NS_PER_S

_ROUNDING_NS = 1_000_000
"""More than a duration in seconds can be off, which is a double."""


def longest_ns(connection: Connection) -> int:
    """At least as long as every clip: the first row of the index by duration."""
    longest_s = connection.execute(select(func.max(require_property("duration_s").expression))).scalar_one()
    return int((longest_s or 0.0) * NS_PER_S) + _ROUNDING_NS


def related(ranges: dict[Index, Bounds], fired: Bounds, longest: int) -> dict[Index, Bounds]:
    """The ranges of all properties, with those of start and end as narrow as each other and `fired` make them."""
    start, end = ranges.get(START, Bounds()), ranges.get(END, Bounds())
    start = start & _shifted(end, -longest, 0) & _shifted(fired, -longest, 0)
    end = end & _shifted(start, 0, longest)
    return ranges | {index: bounds for index, bounds in ((START, start), (END, end)) if bounds != Bounds()}


def by_recording(key: Index | None, ranges: dict[Index, Bounds]) -> Bounds | None:
    """For an order by `recorded` or `start`, bounds of the other one, which all but clips of a wrong clock obey."""
    other = {RECORDED: START, START: RECORDED}.get(key) if key is not None else None
    return None if other is None or other not in ranges or key in ranges else ranges[other]


def _shifted(bounds: Bounds, low: int, high: int) -> Bounds:
    """Bounds of a value that lies from `low` to `high` ns beside one within `bounds`."""
    if bounds.choices:
        bounds = replace(bounds, low=min(bounds.choices), high=max(bounds.choices), choices=None)
    first = None if bounds.low is None else max(bounds.low + low, LOWEST_NS)
    last = None if bounds.high is None else min(bounds.high + high, HIGHEST_NS)
    return Bounds(first, last)
