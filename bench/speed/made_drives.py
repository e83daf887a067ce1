"""Generated drives: columns of smooth signals with sensor noise, from a fixed seed, in memory as in a backtest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triggers.language.rows import Row
from triggers.times import NS_PER_S

EPOCH_NS = 1_790_000_000_123_456_789
"""The first row: times of recordings are not multiples of a heartbeat."""
BETWEEN_DRIVES_NS = 3600 * NS_PER_S
_SMOOTH_S = 2.0
_NOISE = 0.02
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Drives:
    """Drives of equal length one after the other, ascending in time, with an hour between them."""

    t_ns: Ints
    columns: Mapping[str, Floats]
    count: int
    rate_hz: int

    @property
    def rows(self) -> int:
        """Rows of all drives."""
        return len(self.t_ns)

    @property
    def number(self) -> Ints:
        """For each row the number of its drive."""
        return np.repeat(np.arange(self.count, dtype=np.int64), self.rows // self.count)

    def slices(self) -> Iterator[slice]:
        """The rows of each drive."""
        length = self.rows // self.count
        return (slice(first, first + length) for first in range(0, self.rows, length))

    def each(self, names: Sequence[str]) -> list[tuple[Ints, list[Floats]]]:
        """Times and columns of each drive, without copying."""
        return [(self.t_ns[part], [self.columns[name][part] for name in names]) for part in self.slices()]

    def as_rows(self) -> list[list[Row]]:
        """Each drive as the reference interpreter takes it."""
        return [
            [
                Row(int(t_ns), dict(zip(self.columns, samples, strict=True)))
                for t_ns, *samples in zip(
                    self.t_ns[part], *(c[part].tolist() for c in self.columns.values()), strict=True
                )
            ]
            for part in self.slices()
        ]


def make_drives(names: Sequence[str], *, drives: int, rows: int, rate_hz: int, seed: int) -> Drives:
    """Drives in which every row has a sample of every signal: mean 0, standard deviation 1, smooth over seconds."""
    rng = np.random.default_rng(seed)
    in_drive_ns = np.round(np.arange(rows) * (NS_PER_S / rate_hz)).astype(np.int64)
    spacing_ns = int(in_drive_ns[-1]) // NS_PER_S * NS_PER_S + BETWEEN_DRIVES_NS
    starts_ns = EPOCH_NS + np.arange(drives, dtype=np.int64) * spacing_ns
    columns = {name: _smooth(rng, drives, rows, rate_hz) for name in names}
    return Drives((starts_ns[:, None] + in_drive_ns).ravel(), columns, drives, rate_hz)


def thinned(whole: Drives, *, one_in: int, seed: int) -> Drives:
    """The same drives with a sample in one row of `one_in`, at random positions in each column; else NaN."""
    rng = np.random.default_rng(seed)
    columns = {
        name: np.where(rng.random(whole.rows) < 1 / one_in, column, np.nan) for name, column in whole.columns.items()
    }
    return Drives(whole.t_ns, columns, whole.count, whole.rate_hz)


def _smooth(rng: np.random.Generator, drives: int, rows: int, rate_hz: int) -> Floats:
    """Noise through two low passes in a row, so that the signal has a slope, and a sensor's noise on top."""
    keep = np.exp(-1 / (_SMOOTH_S * rate_hz))
    rough, smooth = rng.standard_normal((2, drives))
    series = np.empty((rows, drives))
    for row in range(rows):
        rough = keep * rough + np.sqrt(1 - keep**2) * rng.standard_normal(drives)
        smooth = keep * smooth + (1 - keep) * rough
        series[row] = smooth
    series /= series.std()
    series += _NOISE * rng.standard_normal(series.shape)
    return np.ascontiguousarray(series.T).ravel()
