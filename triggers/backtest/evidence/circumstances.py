"""Fires by speed, place and hour of the day, beside the hours driven so: rates of bins, not of habits.

A rate of a bin is that of fires over the hours which the drives that the trigger ran on were in that bin, each with the
interval of `triggers.statistics.rates`. What is not known is a bin of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from triggers.statistics.interval import Interval
from triggers.statistics.rates import Events, Rate
from triggers.times import NS_PER_S

if TYPE_CHECKING:
    from triggers.backtest.result import DriveResult

SPEED, PLACE, HOUR = "speed", "place", "hour"
UNKNOWN = -1
"""The code of what is not known, of each kind."""
SPEED_BOUNDS_KM_H = (1, 30, 50, 70, 100, 130)
"""Below the first a vehicle stands."""
SPEED_BOUNDS_M_S = np.array(SPEED_BOUNDS_KM_H) / 3.6
MAX_CELLS = 100
"""Place cells of a trigger that are told one by one, those with the most fires; the others are `elsewhere`."""
Code = int | str
"""A bin: the number of a band of speeds, an hour, a place cell, or UNKNOWN."""
_Group = tuple[str, frozenset[Code]]
_NS_PER_HOUR = 3600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Circumstances:
    """By kind (speed, place, hour), the time of a drive in each bin in ns, and by trigger the fires in it.

    `is_utc`: hours are of UTC, as the drive has no position.
    """

    time_ns: Mapping[str, Mapping[Code, int]]
    fires: Mapping[str, Mapping[str, Mapping[Code, int]]]
    is_utc: bool


@dataclass(frozen=True, slots=True)
class Bin:
    """Fires in a bin, the hours driven in it, and the rate with its interval of 95 % (None without time)."""

    bin: str
    fires: int
    hours: float
    per_hour: Interval | None


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The fires of a trigger by speed, place and hour; bins in which nobody drove are left out."""

    speed: tuple[Bin, ...]
    place: tuple[Bin, ...]
    hour: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class BreakdownReport:
    """The breakdown of each trigger; so many of the hours with a known hour of the day are counted in UTC."""

    triggers: dict[str, Breakdown]
    utc_hours: float

    def to_json(self) -> dict[str, Any]:
        """As in the report of a backtest."""
        return asdict(self)


def breakdown_of(triggers: Iterable[str], drives: Sequence[DriveResult]) -> BreakdownReport | None:
    """Fires and hours of all drives by their circumstances; None if they were not measured."""
    if not any(drive.circumstances for drive in drives):
        return None
    utc_ns = sum(
        ns
        for drive in drives
        if drive.circumstances is not None and drive.circumstances.is_utc
        for code, ns in drive.circumstances.time_ns[HOUR].items()
        if code != UNKNOWN
    )
    return BreakdownReport({name: _breakdown(name, drives) for name in triggers}, utc_ns / _NS_PER_HOUR)


def _breakdown(trigger: str, drives: Sequence[DriveResult]) -> Breakdown:
    ran = [each.circumstances for each in drives if each.circumstances is not None and trigger not in each.left_out]
    return Breakdown(*(_bins(kind, trigger, ran) for kind in (SPEED, PLACE, HOUR)))


def _bins(kind: str, trigger: str, ran: Sequence[Circumstances]) -> tuple[Bin, ...]:
    fires = [each.fires.get(trigger, {}).get(kind, {}) for each in ran]
    time_ns = [each.time_ns[kind] for each in ran]
    if kind == PLACE:
        groups = _places(fires, time_ns)
    elif kind == SPEED:
        groups = [(name, frozenset([code])) for code, name in enumerate(speed_names())]
    else:
        groups = [(f"{hour:02}:00", frozenset([hour])) for hour in range(24)]
    groups.append(("unknown", frozenset([UNKNOWN])))
    bins = (_bin(name, codes, fires, time_ns) for name, codes in groups)
    return tuple(each for each in bins if each.fires or each.hours)


def _places(fires: Sequence[Mapping[Code, int]], time_ns: Sequence[Mapping[Code, int]]) -> list[_Group]:
    """The cells with the most fires, and all others as one."""
    counts: Counter[Code] = Counter()
    for each in fires:
        counts.update(each)
    most = sorted(counts.keys() - {UNKNOWN}, key=lambda cell: (-counts[cell], str(cell)))[:MAX_CELLS]
    others = frozenset(cell for each in (*fires, *time_ns) for cell in each) - {*most, UNKNOWN}
    return [*((str(cell), frozenset([cell])) for cell in most), ("elsewhere", others)]


def _bin(
    name: str, codes: frozenset[Code], fires: Sequence[Mapping[Code, int]], time_ns: Sequence[Mapping[Code, int]]
) -> Bin:
    counts = [sum(each[code] for code in codes & each.keys()) for each in fires]
    hours = [sum(each[code] for code in codes & each.keys()) / _NS_PER_HOUR for each in time_ns]
    rate = Rate.of(Events.of_counts(counts), hours)
    return Bin(name, sum(counts), sum(hours), None if rate is None else rate.interval())


def speed_names() -> list[str]:
    """The bands of speeds, in the order of their codes.

    >>> speed_names()[:2], speed_names()[-1]
    (['standing', '1 to 30 km/h'], 'from 130 km/h')
    """
    bands = [f"{low} to {high} km/h" for low, high in pairwise(SPEED_BOUNDS_KM_H)]
    return ["standing", *bands, f"from {SPEED_BOUNDS_KM_H[-1]} km/h"]
