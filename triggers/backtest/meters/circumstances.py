"""The circumstances of a drive's time and fires: how fast the vehicle was, in which place cell, and at which hour.

Speed and position are those of the latest sample of the segment that is at most `MAX_HOLD_NS` old and plausible, as for
the distance; else they are unknown. What a row says holds until the next row of its segment, so that the time of all
bins together is the recorded time. The hour is that of the local mean solar time, as `solar_time` in the language has
it, by the drive's latest longitude (before the first one, by that), or of UTC for a drive without a position.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from triggers.backtest.evidence.circumstances import (
    HOUR,
    PLACE,
    SPEED,
    SPEED_BOUNDS_M_S,
    UNKNOWN,
    Circumstances,
    Code,
)
from triggers.clips.place_cells import cell_at
from triggers.distance import MAX_HOLD_NS, MAX_SPEED_M_S, SPEED_SIGNAL, ends_segment, speed_signal
from triggers.drives.batches import Batch
from triggers.drives.columns import Numbers
from triggers.drives.times import Times
from triggers.language.sun import DAY_NS, FIRST_NS, HOUR_NS
from triggers.signals.catalog import SignalCatalog

Codes = NDArray[np.int64]
_MINUTES, _MINUTE_NS = 1440, HOUR_NS // 60
_NONE = np.iinfo(np.int64).min
_GRID = 1000
"""Positions are rounded to this part of a degree (111 m) before their cell is looked up."""


@dataclass(slots=True)
class _Latest:
    """The latest sample of something, over batches; `t_ns` is `_NONE` before the first one."""

    t_ns: int = _NONE
    value: float = np.nan

    def held(self, t_ns: Times, numbers: Numbers, valid: NDArray[np.bool_]) -> tuple[Numbers, Times]:
        """For each row the latest valid number at or before it, and the time of that."""
        rows = np.maximum.accumulate(np.where(valid, np.arange(1, len(t_ns) + 1), 0))
        values = np.concatenate(([self.value], numbers))[rows]
        times = np.concatenate(([self.t_ns], t_ns))[rows]
        self.t_ns, self.value = int(times[-1]), float(values[-1])
        return values, times


@dataclass(slots=True)
class _Rows:
    """What the rows of a batch say: a code per kind, and the minute of the day in UTC while no longitude is known."""

    codes: dict[str, Codes]
    minutes: Codes


class CircumstanceMeter:
    """Adds up time and fires by speed, place and hour over the batches of one drive."""

    def __init__(
        self, catalog: SignalCatalog, has: Callable[[str], bool], triggers: Mapping[str, object], start_ns: int | None
    ) -> None:
        """`has` says which signals the drive has; `start_ns` is the Unix time of its clock's zero, where it says so."""
        speed, position = speed_signal(catalog, [SPEED_SIGNAL]), catalog.position
        self._speed = speed if speed is not None and has(speed.name) else None
        names = (position.latitude, position.longitude) if position else ()
        self._position = names if names and all(map(has, names)) else ()
        self.signals = (*((self._speed.name,) if self._speed else ()), *self._position)
        self._max_gap_ns, self._start_ns = catalog.max_gap_ns, start_ns
        self._latest_speed, self._latest_cell, self._latest_longitude = _Latest(), _Latest(), _Latest()
        self._first_longitude: float | None = None
        self._segment_ns = _NONE
        self._last_ns: int | None = None
        self._last: _Rows | None = None
        self._cells: dict[str, int] = {}
        self._cell_of: dict[int, int] = {}
        """By a position on the grid, the number of its cell."""
        self._time_ns: dict[str, Counter[int]] = {kind: Counter() for kind in (SPEED, PLACE, HOUR)}
        self._early_ns = np.zeros(_MINUTES, np.int64)
        self._fires = {name: _Fires() for name in triggers}

    def take(self, batch: Batch, fires_ns: Mapping[str, Times]) -> None:
        """Add the time up to the last of these rows, and the fires in them."""
        before_ns = np.concatenate(([batch.t_ns[0] if self._last_ns is None else self._last_ns], batch.t_ns[:-1]))
        steps_ns = batch.t_ns - before_ns
        starts = ends_segment(steps_ns, self._max_gap_ns)
        starts[0] |= self._last_ns is None
        rows = self._codes(batch, starts)
        last = self._last or _Rows({kind: np.array([UNKNOWN]) for kind in rows.codes}, np.array([UNKNOWN]))
        known = _Rows(
            {kind: np.concatenate((last.codes[kind], codes)) for kind, codes in rows.codes.items()},
            np.concatenate((last.minutes, rows.minutes)),
        )
        self._add_time(known, np.where(starts, 0, steps_ns))
        for name, t_ns in fires_ns.items():
            if name in self._fires:
                self._fires[name].add(known, np.searchsorted(batch.t_ns, t_ns, side="right"))
        self._last_ns = int(batch.t_ns[-1])
        self._last = _Rows({kind: codes[-1:] for kind, codes in rows.codes.items()}, rows.minutes[-1:])

    def finish(self) -> Circumstances:
        """All time and fires by their bins."""
        shift = 0 if self._first_longitude is None else round(self._first_longitude * 4)
        early_ns = {int(minute): int(self._early_ns[minute]) for minute in np.flatnonzero(self._early_ns)}
        by_hour = self._time_ns[HOUR] + _by_hour(early_ns, shift)
        fires = {}
        for name, found in self._fires.items():
            by_kind = found.by_kind | {HOUR: found.by_kind[HOUR] + _by_hour(found.early, shift)}
            fires[name] = {kind: self._named(kind, counts) for kind, counts in by_kind.items()}
        time_ns = {kind: self._named(kind, ns) for kind, ns in (self._time_ns | {HOUR: by_hour}).items()}
        return Circumstances(time_ns, fires, is_utc=self._first_longitude is None)

    def _codes(self, batch: Batch, starts: NDArray[np.bool_]) -> _Rows:
        t_ns, count = batch.t_ns, len(batch)
        segments = np.maximum.accumulate(np.concatenate(([self._segment_ns], np.where(starts, t_ns, _NONE))))[1:]
        self._segment_ns = int(segments[-1])
        speeds = batch.columns.get(self._speed.name) if self._speed else None
        latitudes, longitudes = (batch.columns.get(name) for name in self._position) if self._position else (None, None)
        nothing = np.full(count, np.nan)

        def is_held(times: Times) -> NDArray[np.bool_]:
            return (times >= segments) & (times >= t_ns - MAX_HOLD_NS)

        numbers = nothing if speeds is None or self._speed is None else np.abs(speeds) * self._speed.scale
        values, times = self._latest_speed.held(t_ns, numbers, ~np.isnan(numbers))
        plausible = is_held(times) & (values <= MAX_SPEED_M_S)
        speed = np.where(plausible, np.searchsorted(SPEED_BOUNDS_M_S, values, side="right"), UNKNOWN)
        if latitudes is None or longitudes is None:
            latitudes = longitudes = nothing
        has_place = (np.abs(latitudes) <= 90) & (np.abs(longitudes) <= 360)
        cells, times = self._latest_cell.held(t_ns, self._cells_at(latitudes, longitudes, has_place), has_place)
        place = np.where(is_held(times), np.nan_to_num(cells, nan=UNKNOWN), UNKNOWN).astype(np.int64)
        longitude, _ = self._latest_longitude.held(t_ns, longitudes, has_place)
        hour, minutes = self._hours(t_ns, longitude)
        if self._first_longitude is None and has_place.any():
            self._first_longitude = float(longitudes[np.argmax(has_place)])
        return _Rows({SPEED: speed, PLACE: place, HOUR: hour}, minutes)

    def _cells_at(self, latitudes: Numbers, longitudes: Numbers, valid: NDArray[np.bool_]) -> Numbers:
        """The numbers of the cells of valid positions, NaN for other rows."""
        numbers = np.full(len(latitudes), np.nan)
        rows = np.flatnonzero(valid)
        if len(rows):
            north = np.rint(latitudes[rows] * _GRID).astype(np.int64) + 90 * _GRID
            east = np.rint(longitudes[rows] * _GRID).astype(np.int64) % (360 * _GRID)
            places, which = np.unique(north * (360 * _GRID) + east, return_inverse=True)
            numbers[rows] = np.array([self._cell_at(place) for place in places.tolist()])[which]
        return numbers

    def _cell_at(self, place: int) -> int:
        if place not in self._cell_of:
            north, east = divmod(place, 360 * _GRID)
            cell = cell_at(north / _GRID - 90, (east / _GRID + 180) % 360 - 180)
            self._cell_of[place] = self._cells.setdefault(cell, len(self._cells))
        return self._cell_of[place]

    def _hours(self, t_ns: Times, longitude: Numbers) -> tuple[Codes, Codes]:
        """The hour of each row, and the minute in UTC of rows before the drive's first longitude."""
        is_unix = int(t_ns[0]) >= FIRST_NS
        offset_ns = 0 if is_unix or self._start_ns is None else self._start_ns
        if not is_unix and self._start_ns is None:
            return np.full(len(t_ns), UNKNOWN), np.full(len(t_ns), UNKNOWN)
        of_day_ns = (t_ns % DAY_NS + offset_ns % DAY_NS) % DAY_NS
        is_early = np.isnan(longitude)
        solar = np.floor((of_day_ns / HOUR_NS + np.where(is_early, 0.0, longitude) / 15.0) % 24.0).astype(np.int64)
        minutes = np.where(is_early, of_day_ns // _MINUTE_NS, UNKNOWN)
        return np.where(is_early, _EARLY, np.minimum(solar, 23)), minutes

    def _add_time(self, rows: _Rows, steps_ns: Times) -> None:
        """Add the time that what the row before each row says has lasted until this row."""
        for kind, codes in rows.codes.items():
            self._time_ns[kind].update(_summed(codes[:-1], steps_ns))
        is_early = rows.codes[HOUR][:-1] == _EARLY
        if is_early.any():
            sums = np.bincount(rows.minutes[:-1][is_early], weights=steps_ns[is_early], minlength=_MINUTES)
            self._early_ns += sums.astype(np.int64)

    def _named(self, kind: str, counts: Counter[int]) -> dict[Code, int]:
        names = list(self._cells)
        named: dict[Code, int] = {}
        for code, count in sorted(counts.items()):
            if count and code != _EARLY:
                named[names[code] if kind == PLACE and code != UNKNOWN else code] = count
        return named


_EARLY = -2
"""The code of an hour that is only known once the drive's first longitude is."""


@dataclass(slots=True)
class _Fires:
    """The fires of a trigger by their bins; `early` by the minute of the day in UTC, until a longitude is known."""

    by_kind: dict[str, Counter[int]] = field(default_factory=lambda: {kind: Counter() for kind in (SPEED, PLACE, HOUR)})
    early: Counter[int] = field(default_factory=Counter)

    def add(self, rows: _Rows, at: Codes) -> None:
        """Add fires: the row at or before each, where row 0 is the one before the batch."""
        for kind, codes in rows.codes.items():
            self.by_kind[kind].update(codes[at].tolist())
        self.early.update(minute for minute in rows.minutes[at].tolist() if minute != UNKNOWN)


def _by_hour(by_minute: Mapping[int, int], shift: int) -> Counter[int]:
    """Counts by minutes of the day in UTC as counts by hours, so many minutes later."""
    hours: Counter[int] = Counter()
    for minute, count in by_minute.items():
        hours[(minute + shift) % _MINUTES // 60] += count
    return hours


def _summed(codes: Codes, weights: Times) -> dict[int, int]:
    """The sum of the weights by code; exact, since sums are below 2^53 (104 days)."""
    sums = np.bincount(codes - _EARLY, weights=weights)
    return {int(code) + _EARLY: int(sums[code]) for code in np.flatnonzero(sums)}
