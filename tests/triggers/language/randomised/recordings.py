"""Random recordings: dense and sparse stretches, defects, gaps, clocks that jump back, and values of every kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf, isnan, nan
from random import Random

import numpy as np
from numpy.typing import NDArray

from tests.triggers.language.randomised.catalogs import Declared, RandomCatalog
from tests.triggers.language.randomised.objects.lists import DeclaredList
from tests.triggers.language.randomised.objects.tracker import Tracker
from tests.triggers.language.randomised.words import CENTRE
from triggers.language.rows import HEARTBEAT_NS, MAX_T_NS, Row
from triggers.signals.object_columns import ObjectColumn
from triggers.signals.objects import ObjectSample

MS = 1_000_000
_STARTS_NS = (0, 1, 5_000 * MS, 5_000 * MS, 5_000 * MS + 1, 4_999_950 * 1000, 1_700_000_000 * 1000 * MS,
              MAX_T_NS - 10**14)  # fmt: skip
_DENSE_STEPS_NS = (10 * MS, 10 * MS, 10 * MS, 1 * MS, 20 * MS, 50 * MS, 100 * MS, 33_333_333)
_STEPS_NS = (1, 1 * MS, 7 * MS, 20 * MS, 50 * MS, 99 * MS, 100 * MS, 101 * MS, 250 * MS, 1000 * MS)
_SPECIAL = (inf, -inf, 0.0, -0.0, 1e300, -1e300, 5e-324, 1e-300, 1.7e308)
_GRID = (-2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0)


@dataclass(frozen=True)
class Recording:
    """Times in ns, and for each signal a column of numbers, NaN where there is no new sample; samples of lists, None
    where there is none.
    """

    t_ns: NDArray[np.int64]
    columns: dict[str, NDArray[np.float64]]
    objects: dict[str, list[ObjectSample | None]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.t_ns)

    def rows(self) -> list[Row]:
        """The recording as the reference interpreter takes it."""
        names = list(self.columns)
        table = zip(*(self.columns[name].tolist() for name in names), strict=True) if names else [()] * len(self)
        return [
            Row(
                t_ns,
                {name: number for name, number in zip(names, numbers, strict=True) if not isnan(number)},
                {name: sample for name, samples in self.objects.items() if (sample := samples[row]) is not None},
            )
            for row, (t_ns, numbers) in enumerate(zip(self.t_ns.tolist(), table, strict=True))
        ]

    def object_column(self, name: str, fields: int) -> ObjectColumn:
        """The samples of a list as arrays, with so many fields beside the key."""
        return ObjectColumn.of(self.objects[name], fields)

    def cut(self, start: int, stop: int) -> Recording:
        """Its rows from `start` to before `stop`."""
        return Recording(
            self.t_ns[start:stop],
            {name: column[start:stop] for name, column in self.columns.items()},
            {name: samples[start:stop] for name, samples in self.objects.items()},
        )

    def without(self, start: int, stop: int) -> Recording:
        """All rows but those."""
        kept = np.r_[0:start, stop : len(self)]
        return Recording(
            self.t_ns[kept],
            {name: column[kept] for name, column in self.columns.items()},
            {name: [samples[row] for row in kept] for name, samples in self.objects.items()},
        )


def random_recording(random: Random, catalog: RandomCatalog, signals: tuple[str, ...], rows: int) -> Recording:
    """About so many rows with samples of these signals and lists, in stretches of different kinds."""
    lists = [each for each in catalog.lists if each.name in signals]
    signals = tuple(name for name in signals if name in catalog.signals)
    sources = [_source(random, catalog.signals[name]) for name in signals]
    times: list[int] = []
    table: list[list[float]] = []
    for at_ns, present in random_times(random, len(signals), rows, catalog.parsed.max_gap_ns):
        times.append(at_ns)
        table.append([source() if here else nan for source, here in zip(sources, present, strict=True)])
    columns = np.array(table, np.float64).reshape(len(times), len(signals)).T
    objects = {each.name: _objects(random, each, len(times)) for each in lists}
    return Recording(np.array(times, np.int64), dict(zip(signals, np.ascontiguousarray(columns), strict=True)), objects)


def _objects(random: Random, declared: DeclaredList, rows: int) -> list[ObjectSample | None]:
    """Samples of a list in all rows, or in some."""
    tracker, share = Tracker(random, declared.input), random.choice((1.0, 1.0, 0.8, 0.3))
    return [tracker.sample() if random.random() < share else None for _ in range(rows)]


def random_times(random: Random, signals: int, rows: int, max_gap_ns: int) -> Iterator[tuple[int, list[bool]]]:
    """The times of about so many rows, in stretches of different kinds, and which signals have a sample in each."""
    t_ns = random.choice(_STARTS_NS)
    made = 0
    while made < rows:
        stretch = random.choice((_dense, _dense, _sparse, _paced))
        count = random.randrange(1, max(2, rows if random.random() < 0.3 else rows // 4))
        latest_ns = t_ns
        for at_ns, present in stretch(random, t_ns, signals, count):
            yield at_ns, present
            latest_ns = at_ns
            made += 1
        t_ns = min(_break(random, latest_ns, max_gap_ns), MAX_T_NS - 10**14)


_Stretch = list[tuple[int, list[bool]]]


def _dense(random: Random, t_ns: int, signals: int, count: int) -> _Stretch:
    """Equal steps, a sample of every signal in every row, now and then a defect."""
    step_ns = random.choice(_DENSE_STEPS_NS)
    if random.random() < 0.5:
        t_ns -= t_ns % step_ns
    defects = random.choice((0, 0, 0.003, 0.03))
    stretch: _Stretch = []
    for _ in range(count):
        present = [True] * signals
        if random.random() < defects:
            present = [random.random() < 0.5 for _ in range(signals)]
            t_ns += random.choice((0, 0, 1, 90 * MS, 101 * MS, 500 * MS))
        stretch.append((t_ns, present))
        t_ns += step_ns
    return stretch


def _sparse(random: Random, t_ns: int, signals: int, count: int) -> _Stretch:
    """Steps of every size, any signals in a row, also none; many rows at multiples of a heartbeat."""
    share = random.choice((0.05, 0.3, 0.7))
    aligned = random.random() < 0.3
    stretch: _Stretch = []
    for _ in range(count):
        stretch.append((t_ns, [random.random() < share for _ in range(signals)]))
        t_ns += random.choice(_STEPS_NS)
        if aligned and random.random() < 0.7:
            t_ns += -t_ns % HEARTBEAT_NS
    return stretch


def _paced(random: Random, t_ns: int, signals: int, count: int) -> _Stretch:
    """Every signal at a period of its own, as buses deliver them."""
    periods_ns = [random.choice((10, 20, 28, 50, 100, 100, 200, 1000)) * MS for _ in range(signals)] or [50 * MS]
    due_ns = [t_ns + random.randrange(period_ns) for period_ns in periods_ns]
    stretch: _Stretch = []
    for _ in range(count):
        t_ns = min(due_ns)
        stretch.append((t_ns, [at_ns == t_ns for at_ns in due_ns][:signals]))
        due_ns = [at_ns + (at_ns == t_ns) * step_ns for at_ns, step_ns in zip(due_ns, periods_ns, strict=True)]
    return stretch


def _break(random: Random, t_ns: int, max_gap_ns: int) -> int:
    """Where the next stretch begins: soon, around the longest gap, much later, or earlier."""
    chance = random.random()
    if chance < 0.5:
        return t_ns + random.choice(_STEPS_NS)
    if chance < 0.7:
        return t_ns + max_gap_ns + random.choice((-1, 0, 1, 1 * MS, 30_000 * MS))
    if chance < 0.8:
        return max(0, t_ns - random.choice((1, 50 * MS, 3_000 * MS, 10**18)))
    return t_ns + random.choice((1_500 * MS, 2 * MS, 12_345_678))


_Source = Callable[[], float]


def _source(random: Random, signal: Declared) -> _Source:
    """The samples of one signal, one a call."""
    if signal.type == "bool":
        return _toggling(random, (0.0, 1.0), odd=(0.5, -0.0, -1.0, inf))
    if signal.type == "text":
        return _toggling(random, tuple(map(float, range(len(signal.values)))), odd=(-1.0, 1.5, 7.0, inf, 1e18))
    if signal.name in ("lat", "lon"):
        centre = CENTRE[signal.name == "lon"]
        return _toggling(random, tuple(centre + k * 0.005 for k in range(-4, 5)), odd=(inf, -180.0, 180.0, 90.0, 48.7))
    return random.choice((_on_grid, _walking, _drawn, _special))(random)


def _toggling(random: Random, values: tuple[float, ...], odd: tuple[float, ...]) -> _Source:
    """One of these values, kept for a while; rarely an odd one."""
    keep, wrong = random.choice((0.0, 0.5, 0.9, 0.97)), random.choice((0.0, 0.0, 0.02))
    latest = random.choice(values)

    def sample() -> float:
        nonlocal latest
        if random.random() < wrong:
            return random.choice(odd)
        if random.random() >= keep:
            latest = random.choice(values)
        return latest

    return sample


def _on_grid(random: Random) -> _Source:
    """Few different numbers, so that equality and thresholds are met exactly."""
    return _toggling(random, _GRID, odd=(inf, -inf, 1e300))


def _walking(random: Random) -> _Source:
    """A random walk with all bits of its numbers in use."""
    step = random.choice((0.01, 0.3, 10.0))
    latest = random.uniform(-2, 2)

    def sample() -> float:
        nonlocal latest
        latest += random.uniform(-step, step) - 0.02 * latest
        return latest

    return sample


def _drawn(random: Random) -> _Source:
    """Independent numbers, thousands at most, as angles and sums need them."""
    size = random.choice((1.0, 4.0, 1000.0))
    return lambda: random.uniform(-size, size)


def _special(random: Random) -> _Source:
    """Infinite, huge, tiny and negative zero among ordinary numbers."""
    share = random.choice((0.05, 0.5))
    return lambda: random.choice(_SPECIAL if random.random() < share else _GRID)
