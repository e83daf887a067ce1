"""One trigger (two comparisons, a hold, the edge, a cooldown) over drives in memory, one core against one core."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from bench.measure import Comparison, Contender, Role, compare
from bench.speed.by_hand_numba import HeldComparisons
from bench.speed.by_hand_tables import InDuckDb, InPolars
from bench.speed.made_drives import Drives, make_drives, thinned
from bench.speed.modules import catalog_of, drive_by_drive, inputs, loaded, said, whole
from triggers.language.webassembly.host.machine import LoadedModule
from triggers.times import NS_PER_S

SOURCE = "trigger one { when (a > 0.5 and b < 0.3) for 500 ms cooldown 5 s }"
RATE_HZ = 100
ONE_IN = 10
"""In the sparse columns one row in this many has a sample."""


def by_hand(*, sample_hz: int) -> HeldComparisons:
    """The constants of SOURCE, for signals of that rate (their samples expire after three periods)."""
    return HeldComparisons(0.5, 0.3, NS_PER_S // 2, 5 * NS_PER_S, 3 * NS_PER_S // sample_hz, 2 * NS_PER_S)


def module(*, sample_hz: int) -> LoadedModule:
    """SOURCE compiled for signals of that rate."""
    return loaded(SOURCE, catalog_of([f"{name}: {{rate: {sample_hz}}}" for name in "ab"]))


def run(*, quick: bool) -> Iterator[Comparison]:
    """Dense columns against numba, Polars and DuckDB; sparse columns against numba."""
    drives = make_drives("ab", drives=20 if quick else 1000, rows=10_000, rate_hz=RATE_HZ, seed=1)
    rounds = 2 if quick else 7
    yield compare_dense(drives, rounds)
    yield compare_sparse(thinned(drives, one_in=ONE_IN, seed=2), rounds)


def compare_dense(drives: Drives, rounds: int) -> Comparison:
    """A sample in every row."""
    trigger = by_hand(sample_hz=RATE_HZ)
    ordered, streaming = (InDuckDb(trigger, drives, "a", "b", streaming=streaming) for streaming in (False, True))
    peers = [
        ("numba, all rules by hand", lambda: trigger.fires(drives.t_ns, drives.columns["a"], drives.columns["b"])),
        ("Polars, one thread", InPolars(trigger, drives, "a", "b").fires),
        ("DuckDB, one thread", ordered.fires),
        ("DuckDB by order of insertion", streaming.fires),
    ]
    with closing(ordered), closing(streaming):
        return _compared("one trigger, a sample in every row", module(sample_hz=RATE_HZ), drives, peers, rounds)


def compare_sparse(drives: Drives, rounds: int) -> Comparison:
    """Samples in some rows only: they are held, and unknown once they are too old."""
    trigger = by_hand(sample_hz=RATE_HZ // ONE_IN)
    numba = ("numba, all rules by hand", lambda: trigger.fires(drives.t_ns, drives.columns["a"], drives.columns["b"]))
    name = f"one trigger, a sample in one row of {ONE_IN}"
    return _compared(name, module(sample_hz=RATE_HZ // ONE_IN), drives, [numba], rounds)


Fires = Callable[[], NDArray[np.int64]]


def _compared(
    name: str, code: LoadedModule, drives: Drives, peers: Sequence[tuple[str, Fires]], rounds: int
) -> Comparison:
    parts = drives.each(inputs(code))
    contenders = [
        _contender("module, one call", Role.OWN, lambda: whole(code, drives)["t_ns"]),
        _contender("module, a call per drive", Role.OWN, lambda: drive_by_drive(code, parts, end=False)["t_ns"]),
        *(_contender(peer, Role.PEER, fires) for peer, fires in peers),
    ]
    return compare(name, contenders, amount=drives.rows, unit="rows", rounds=rounds)


def _contender(name: str, role: Role, fires: Fires) -> Contender:
    latest: list[NDArray[np.int64]] = []

    def work(_: int) -> None:
        latest[:] = [fires()]

    return Contender(name=name, role=role, run=work, result=lambda: said(latest[0]))
