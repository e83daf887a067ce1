"""A backtest over Parquet drives on disk: against pyarrow alone, which decodes the same columns, and on two cores.

Drives are in the page cache, as they are when a backtest is run again with another threshold. One trigger is rare, as
triggers are, and one fires several times per hour, in most row groups.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numba import njit

from bench.engines import Engines
from bench.measure import Comparison, Contender, Role, compare
from bench.speed.made_drives import Drives, make_drives
from bench.speed.modules import catalog_of, inputs
from triggers.backtest.machines import MachinePool
from triggers.backtest.plan import BacktestPlan, make_plan
from triggers.backtest.run import run as run_backtest
from triggers.drives.drive import Drive
from triggers.language.compile import compile_source
from triggers.language.webassembly.host.machine import Machine, load
from triggers.times import NS_PER_S

RATE_HZ = 100
RECORDED = tuple("abcdefghijkl")
TRIGGERS = {
    "four rare triggers, eight signals": "\n".join(
        f"trigger rare_{x}{y} {{ when ({x} > 3.5 and {y} < 0) for 100 ms cooldown 60 s }}"
        for x, y in ("ab", "cd", "ef", "gh")
    ),
    "one rare trigger, two signals": "trigger rare { when (a > 3.5 and b < 0) for 100 ms cooldown 60 s }",
    "one that fires every ten minutes": "trigger often { when (a > 2.2 and b < -0.5) for 500 ms cooldown 60 s }",
}
ROW_GROUP_ROWS = 60 * RATE_HZ * 10
"""Ten minutes."""


def run(engines: Engines, *, quick: bool) -> Iterator[Comparison]:
    """The decoder, then cores."""
    made = make_drives(RECORDED, drives=4 if quick else 16, rows=20_000 if quick else 360_000, rate_hz=RATE_HZ, seed=7)
    with engines.scratch("drives") as folder:
        drives = written(made, folder)
        for name in TRIGGERS:
            yield compare_decoding(name, made, drives, rounds=2 if quick else 7)
        yield compare_cores(drives, rounds=2 if quick else 7)


def written(made: Drives, folder: Path) -> list[Drive]:
    """The drives as Parquet files, as pyarrow writes them by default, except for the size of a row group."""
    drives = []
    for number, part in enumerate(made.slices()):
        t_ns = made.t_ns[part]
        columns = {name: column[part] for name, column in made.columns.items()}
        path = folder / f"drive_{number:03}.parquet"
        pq.write_table(pa.table({"t": (t_ns - t_ns[0]) / NS_PER_S, **columns}), path, row_group_size=ROW_GROUP_ROWS)
        drives.append(Drive(path))
    return drives


CATALOG = catalog_of([f"{name}: {{rate: {RATE_HZ}}}" for name in RECORDED])


def plan(name: str) -> BacktestPlan:
    """What is run for one of TRIGGERS."""
    return make_plan(compile_source(TRIGGERS[name], filename="bench.trigger", catalog=CATALOG))


def compare_decoding(name: str, made: Drives, drives: list[Drive], rounds: int) -> Comparison:
    """One core: everything a backtest does, against reading the columns and nothing else."""
    fires: list[list[int]] = []
    fires_in_memory: list[list[int]] = []
    backtest = plan(name)
    pool = MachinePool(backtest.programs)
    module = load(backtest.programs[0])
    machine, read = Machine(module), inputs(module)
    arrays = [(np.round((t_ns - t_ns[0]) / NS_PER_S * NS_PER_S).astype(np.int64), c) for t_ns, c in made.each(read)]

    def run_all(_: int) -> None:
        result = run_backtest(backtest, drives, CATALOG, lambda _: None, workers=1, pool=pool)
        fires[:] = [sorted(fire.t_ns for fire in drive.fires) for drive in result.drives]

    def run_in_memory(_: int) -> None:
        fires_in_memory.clear()
        for t_ns, columns in arrays:
            machine.reset()
            fires_in_memory.append(sorted(machine.run(t_ns, columns)["t_ns"].tolist()))

    contenders = [
        Contender(name="backtest", role=Role.OWN, run=run_all, result=lambda: repr(fires)),
        Contender(name="pyarrow, the columns it needs", role=Role.LIMIT, run=lambda _: decode(drives, read)),
        Contender(name="module, in memory", role=Role.LIMIT, run=run_in_memory, result=lambda: repr(fires_in_memory)),
    ]
    title = f"backtest over Parquet drives, {name}"
    comparison = compare(title, contenders, amount=made.rows, unit="rows", rounds=rounds)
    comparison.extra["fires"] = sum(map(len, fires))
    comparison.extra["drives with a fire"] = sum(map(bool, fires))
    return comparison


def decode(drives: list[Drive], signals: list[str]) -> None:
    """Read the columns of these signals and the time, in one thread, in the fastest way that holds no whole file.

    Arrow's read-ahead does hold it, and takes a second thread. Mapping the file into memory is not faster for three
    columns and 7 % faster for nine, but it kills the process if a file is truncated while it is read.
    """
    for drive in drives:
        with pq.ParquetFile(drive.path, pre_buffer=False, buffer_size=64 << 10) as file:
            for _ in file.iter_batches(batch_size=65_536, columns=["t", *signals], use_threads=False):
                pass


def compare_cores(drives: list[Drive], rounds: int) -> Comparison:
    """The same drives in one thread and in two, and what two threads of plain arithmetic gain on this machine."""
    backtest = plan(next(iter(TRIGGERS)))
    pool = MachinePool(backtest.programs)
    fires: dict[int, str] = {}

    def contender(workers: int) -> Contender:
        def run_all(_: int) -> None:
            result = run_backtest(backtest, drives, CATALOG, lambda _: None, workers=workers, pool=pool)
            fires[workers] = repr([drive.fires for drive in result.drives])

        name = f"backtest, {workers} worker{'s' if workers > 1 else ''}"
        return Contender(name=name, role=Role.OWN, run=run_all, result=lambda: fires[workers])

    loops = [
        Contender(name="two loops, one after the other", role=Role.LIMIT, run=lambda _: in_threads(1)),
        Contender(name="two loops, each on its core", role=Role.LIMIT, run=lambda _: in_threads(2)),
    ]
    rows = sum(drive.row_count for drive in drives)
    contenders = [contender(1), contender(2), *loops]
    comparison = compare("backtest on two cores", contenders, amount=rows, unit="rows", rounds=rounds)
    one, two, alone, together = (timing.seconds for timing in comparison.timings)
    gained, possible = (
        statistics.median(slow / fast for slow, fast in zip(*pair, strict=True))
        for pair in ((one, two), (alone, together))
    )
    comparison.extra.update(
        {"gained by the second core": gained, "by plain loops": possible, "ratio": gained / possible}
    )
    return comparison


def in_threads(workers: int) -> None:
    """Two loops of arithmetic, in this many threads."""
    work: Callable[[int], float] = _loop
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, [_LOOPS, _LOOPS]))


_LOOPS = 150_000_000


@njit(nogil=True)
def _loop(count):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(count):
        total = total * 0.999 + i
    return total
