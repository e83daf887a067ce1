"""The language's peers, on tiny sizes: all fire when the reference interpreter does, and only when everybody does."""

from __future__ import annotations

import math
import random
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from triggers.language.reference.interpreter import Interpreter
from triggers.language.rows import Row

if any(find_spec(package) is None for package in ("numba", "polars", "duckdb")):
    pytest.skip("the peers are installed by `make bench` alone", allow_module_level=True)

from bench.speed import backtest as speed_backtest
from bench.speed import team as speed_team
from bench.speed import team_signals, team_triggers
from bench.speed import trigger as speed_trigger
from bench.speed import windows as speed_windows
from bench.speed.both_ways import InTime
from bench.speed.by_hand_numba import HeldComparisons
from bench.speed.by_hand_tables import after_cooldown
from bench.speed.made_drives import Drives, make_drives, thinned
from bench.speed.modules import catalog_of, compiled, drive_by_drive, inputs
from triggers.times import NS_PER_S


def interpreted(source: str, rate_hz: int, drives: Drives, *, end: bool) -> list[int]:
    """Fires of one trigger over signals of that rate."""
    catalog = catalog_of([f"{name}: {{rate: {rate_hz}}}" for name in drives.columns])
    evaluator = Interpreter(compiled(source, catalog).ir)
    found = []
    for rows in drives.as_rows():
        found += [firing.t_ns for firing in evaluator.run(rows)]
        if end:
            evaluator.end_drive()
    return found


@pytest.mark.parametrize("one_in", [1, 3, 10])
def test_the_trigger_by_hand_fires_when_the_interpreter_does(one_in: int) -> None:
    drives = make_drives("ab", drives=3, rows=3000, rate_hz=100, seed=11)
    drives = drives if one_in == 1 else thinned(drives, one_in=one_in, seed=12)
    trigger = speed_trigger.by_hand(sample_hz=100 // one_in)
    fires = trigger.fires(drives.t_ns, drives.columns["a"], drives.columns["b"])
    assert fires.tolist() == interpreted(speed_trigger.SOURCE, 100 // one_in, drives, end=False)
    assert len(fires) > 3


def test_the_trigger_by_hand_keeps_every_rule_of_time_and_truth() -> None:
    """Irregular steps, rows at heartbeats, gaps, jumps back in time, missing and invalid samples."""
    trigger = HeldComparisons(0.5, 0.3, 150_000_000, 400_000_000, 250_000_000, 2 * NS_PER_S)
    source = "trigger t { when (a > 0.5 and b < 0.3) for 150 ms cooldown 400 ms }"
    catalog = catalog_of([f"{name}: {{rate: 10, max_age: 0.25}}" for name in "ab"])
    program = compiled(source, catalog).ir
    fires = 0
    for seed in range(300):
        rng = random.Random(seed)
        t_ms, times, samples = 5000, [], []
        for _ in range(60):
            t_ms = max(0, t_ms + rng.choice([1, 20, 20, 50, 99, 100, 100, 101, 250, 2000, 2001, 7000, -30, -3000]))
            times.append(t_ms * 1_000_000)
            samples.append([rng.choice([1.0, 1.0, 0.0, 0.0, math.nan, math.inf]) for _ in "ab"])
        expected = [
            firing.t_ns
            for firing in Interpreter(program).run(
                [Row(t_ns, dict(zip("ab", pair, strict=True))) for t_ns, pair in zip(times, samples, strict=True)]
            )
        ]
        a, b = np.array(samples).T.copy()
        assert trigger.fires(np.array(times), a, b).tolist() == expected, f"seed {seed}"
        fires += len(expected)
    assert fires > 300


def test_everybody_fires_at_the_same_times_with_one_trigger() -> None:
    drives = make_drives("ab", drives=4, rows=2000, rate_hz=100, seed=13)
    speed_trigger.compare_dense(drives, rounds=1)
    speed_trigger.compare_sparse(thinned(drives, one_in=10, seed=14), rounds=1)


def test_spans_and_monitors_fire_at_the_same_times() -> None:
    drives = make_drives("x", drives=3, rows=1500, rate_hz=100, seed=15)
    speed_windows.compare_span(drives, rounds=1)
    assert (
        interpreted(speed_windows.SPAN, 100, drives, end=True) == speed_windows.SpansInPolars(drives).by_time().tolist()
    )
    if find_spec("rtamt"):
        for operator in speed_windows.MONITORED:
            speed_windows.compare_monitors(operator, rows=1000, rounds=1)


def test_a_team_has_221_different_triggers_and_30_windows_that_all_fire_as_polars_says() -> None:
    conditions = team_triggers.triggers(InTime(team_signals.RATE_HZ, lambda expression: expression))
    assert len({condition.text for condition in conditions.values()}) == len(conditions) == 221
    assert sum(name.startswith("windows_") for name in conditions) == 30
    drives = team_signals.make_team_drives(drives=2, rows=2500, seed=16)
    in_polars = speed_team.TeamInPolars(drives)
    module = speed_team.load(compiled(speed_team.source(), team_signals.catalog()).program)
    found = speed_team.fires_of(module, drive_by_drive(module, drives.each(inputs(module)), end=True))
    for other in (in_polars.all_at_once(), in_polars.drive_by_drive()):
        different = [name for name, fires in found.items() if fires.tolist() != other[name].tolist()]
        assert different == []
    assert sum(map(bool, map(len, found.values()))) > 180


def test_a_backtest_fires_when_the_module_does_in_memory(tmp_path: Path) -> None:
    made = make_drives(speed_backtest.RECORDED, drives=4, rows=20_000, rate_hz=100, seed=7)
    drives = speed_backtest.written(made, tmp_path)
    for name in speed_backtest.TRIGGERS:
        found = speed_backtest.compare_decoding(name, made, drives, rounds=1)
    assert found.extra["fires"] > 0


def test_a_cooldown_hops_to_the_first_rise_behind_it() -> None:
    rises = np.array([0, 4, 5, 9, 10, 30], np.int64)
    assert after_cooldown(rises, 5).tolist() == [0, 5, 10, 30]
    assert after_cooldown(rises, 0).tolist() == rises.tolist()
    assert after_cooldown(rises[:0], 5).tolist() == []
