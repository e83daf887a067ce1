"""A team's 221 triggers in one module: rows per second against one Polars query, time to compile, cost on a vehicle."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bench.measure import Comparison, Contender, Role, Timing, compare
from bench.speed import team_signals, team_triggers
from bench.speed.both_ways import InTime, Written
from bench.speed.by_hand_tables import after_cooldown
from bench.speed.made_drives import Drives
from bench.speed.modules import compiled, drive_by_drive, inputs, said
from bench.speed.one_thread import pl
from bench.speed.team_signals import RATE_HZ
from bench.speed.team_triggers import COOLDOWN_S
from triggers.language.compile import compile_source
from triggers.language.webassembly.host.machine import LoadedModule, Machine, load
from triggers.times import NS_PER_S

Fires = dict[str, NDArray[np.int64]]


def run(*, quick: bool) -> Iterator[Comparison]:
    """Rows per second, compile time, and a vehicle's calls."""
    yield compare_rows(drives=2 if quick else 5, rows=1000 if quick else 100_000, rounds=2 if quick else 3)
    yield measure_compiling(rounds=2 if quick else 7)
    yield measure_vehicle(seconds=20 if quick else 300, rounds=2 if quick else 7)


def source() -> str:
    """The 221 triggers' text."""
    return team_triggers.source(team_triggers.triggers(InTime(RATE_HZ, lambda expression: expression)))


def compare_rows(*, drives: int, rows: int, rounds: int) -> Comparison:
    """All fires of all triggers, over drives in memory."""
    made = team_signals.make_team_drives(drives=drives, rows=rows, seed=3)
    module = load(compiled(source(), team_signals.catalog()).program)
    parts = made.each(inputs(module))
    query = TeamInPolars(made)
    contenders = [
        _contender("module", Role.OWN, lambda: fires_of(module, drive_by_drive(module, parts, end=True))),
        _contender("Polars, one lazy query", Role.PEER, query.all_at_once),
        _contender("Polars, a query per drive", Role.PEER, query.drive_by_drive),
    ]
    return compare("221 triggers, 30 with windows", contenders, amount=made.rows, unit="rows", rounds=rounds)


def fires_of(module: LoadedModule, found: NDArray[np.void]) -> Fires:
    """Fire times by trigger."""
    return {
        trigger.name: np.sort(found["t_ns"][found["trigger"] == index])
        for index, trigger in enumerate(module.manifest.triggers)
    }


def _contender(name: str, role: Role, fires: Callable[[], Fires]) -> Contender:
    latest: list[Fires] = []

    def work(_: int) -> None:
        latest[:] = [fires()]

    return Contender(name=name, role=role, run=work, result=lambda: said_of_all(latest[0]))


def said_of_all(fires: Mapping[str, NDArray[np.int64]]) -> str:
    """All fires in the order of the triggers' names."""
    return said(np.concatenate([np.append(fires[name], -1) for name in sorted(fires)]))


class TeamInPolars:
    """The 221 conditions as one lazy query of one column each, true where the condition rises; one thread.

    The cooldown is applied after the query, hopping over each trigger's rises.
    """

    def __init__(self, made: Drives) -> None:
        columns = {name: _native(name, column) for name, column in made.columns.items()}
        self._table = pl.DataFrame({"t": made.t_ns, "drive": made.number, **columns})
        self._drives = self._table.partition_by("drive", maintain_order=True)

    def all_at_once(self) -> Fires:
        """One query over the table of all drives."""
        return self._fires(self._table, _rises(InTime(RATE_HZ, lambda expression: expression.over("drive"))))

    def drive_by_drive(self) -> Fires:
        """The same query on each drive's own table, which needs no `.over`."""
        rises = _rises(InTime(RATE_HZ, lambda expression: expression))
        found = [self._fires(drive, rises) for drive in self._drives]
        return {name: np.concatenate([fires[name] for fires in found]) for name in rises}

    def _fires(self, table: pl.DataFrame, rises: Mapping[str, pl.Expr]) -> Fires:
        risen = table.lazy().select(**rises).collect()
        t_ns = table["t"]
        return {
            name: after_cooldown(t_ns.filter(risen[name]).to_numpy(), COOLDOWN_S * NS_PER_S) for name in risen.columns
        }


def _rises(over: InTime) -> dict[str, pl.Expr]:
    conditions: dict[str, Written] = team_triggers.triggers(over)
    return {name: over.rises(condition.polars).fill_null(False) for name, condition in conditions.items()}


def _native(name: str, column: NDArray[np.float64]) -> pl.Series:
    """A column as a user of Polars would have it."""
    if team_signals.is_bool(name):
        return pl.Series(column != 0)
    return pl.Series(column.astype(np.int8)) if team_signals.is_index(name) else pl.Series(column)


def measure_compiling(*, rounds: int) -> Comparison:
    """From the text to a module that can run: checking it, writing the module's bytes, and machine code from them."""
    text, catalog = source(), team_signals.catalog()
    names = ("check", "emit", "machine code", "text to loaded module")
    wall_s: list[list[float]] = [[] for _ in names]
    cpu_s: list[list[float]] = [[] for _ in names]
    module = b""
    for _ in range(rounds):
        marks = [_now()]
        compilation = compile_source(text, filename="team.trigger", catalog=catalog)
        marks.append(_now())
        if compilation.triggers is None:
            raise ValueError("the team's triggers do not compile")
        module = compilation.triggers.program
        marks.append(_now())
        load(module)
        marks.append(_now())
        for clock, found in enumerate((wall_s, cpu_s)):
            times = [mark[clock] for mark in marks]
            steps = [*(after - before for before, after in pairwise(times)), times[-1] - times[0]]
            for stage, step in zip(found, steps, strict=True):
                stage.append(step)
    timings = tuple(
        Timing(name=name, role=Role.OWN, seconds=tuple(wall), cpu_s=tuple(cpu))
        for name, wall, cpu in zip(names, wall_s, cpu_s, strict=True)
    )
    compared = Comparison(name="221 triggers: compiling", amount=1, unit="", timings=timings)
    compared.extra["module, kB"] = len(module) / 1e3
    return compared


def _now() -> tuple[float, float]:
    """Wall-clock and CPU seconds."""
    return time.perf_counter(), time.process_time()


def measure_vehicle(*, seconds: int, rounds: int) -> Comparison:
    """One vehicle at 36 Hz, with one call per second for its rows: CPU time as a share of a core."""
    made = team_signals.make_team_drives(drives=1, rows=seconds * RATE_HZ, seed=4)
    module = load(compiled(source(), team_signals.catalog()).program)
    machine = Machine(module)
    t_ns, columns = made.t_ns, [made.columns[name] for name in inputs(module)]
    calls = [slice(first, first + RATE_HZ) for first in range(0, made.rows, RATE_HZ)]
    given = [(t_ns[part], [column[part] for column in columns]) for part in calls]

    def drive(_: int) -> None:
        machine.reset()
        for times, samples in given:
            machine.run(times, samples)

    contender = Contender(name="module, 36 rows per call", role=Role.OWN, run=drive, result=lambda: "it ran")
    found = compare("221 triggers on one vehicle at 36 Hz", [contender], amount=seconds, unit="s", rounds=rounds)
    cpu_s = found.timings[0].median_cpu_s / seconds
    found.extra.update({"share of a core, %": 100 * cpu_s, "CPU microseconds per call": 1e6 * cpu_s})
    return found
