"""How often the interval of the refused share covers the truth, over simulated sets of drives."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from triggers.backtest.forecast import NS_PER_HOUR, ForecastFleet
from triggers.backtest.limits.limited_day import limited_days
from triggers.backtest.plan import BacktestPlan, make_plan
from triggers.backtest.result import DriveResult
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog
from triggers.statistics.interval import Interval

CATALOG = SignalCatalog.parse("signals: {ego.speed: {unit: m/s, rate: 10}}", name="signals")
SOURCE = """trigger a { when ego.speed > 1 m/s capture 0 s before, 0 s after }
campaign c { collect a budget 3 clips per vehicle per day }"""
MEAN = 2.0
"""Fires per hour."""


def refused(drives: int, spread: float, rng: np.random.Generator) -> Interval | None:
    """The refused share as so many drives show it, whose hours and rates are log-normal; None if nothing fired."""
    results = []
    for number in range(drives):
        hours = float(np.exp(rng.normal(0, 0.8)))
        rate = MEAN * float(np.exp(rng.normal(-(spread**2) / 2, spread)))
        fires_ns = np.sort(rng.random(rng.poisson(rate * hours)) * hours * NS_PER_HOUR).astype(np.int64)
        result = DriveResult(f"d{number}", Path(f"d{number}"), last_ns=round(hours * NS_PER_HOUR))
        result.recorded_ns = result.last_ns
        if len(fires_ns):
            result.fires_ns["a"] = fires_ns
            result.clip_bytes["a"] = result.recording_bytes["a"] = np.full(len(fires_ns), 1000)
        results.append(result)
    (day,) = limited_days(_plan().campaigns, results, ForecastFleet(100, 1.0), CATALOG)
    return day.refused


@cache
def _plan() -> BacktestPlan:
    return make_plan(compile_source(SOURCE, filename="f", catalog=CATALOG))


@cache
def truth(spread: float) -> float:
    """The share over very many drives."""
    found = refused(4000, spread, np.random.default_rng(1))
    assert found is not None
    return found.mean


def coverage(drives: int, spread: float, runs: int) -> float:
    """How often the interval covers the truth, of the sets of drives on which something fired."""
    rng = np.random.default_rng(2)
    found = [each for _ in range(runs) if (each := refused(drives, spread, rng)) is not None]
    return sum(each.low <= truth(spread) <= each.high for each in found) / len(found)


@pytest.mark.parametrize(
    ("spread", "at_least"), [(0.0, {1: 0.93, 3: 0.93, 10: 0.93}), (1.0, {1: 0.75, 3: 0.9, 10: 0.85})]
)
def test_intervals_cover_the_truth_about_as_often_as_they_say(spread: float, at_least: dict[int, float]) -> None:
    """docs/backtest.md has the table; less than it says by more than chance fails here."""
    covered = {drives: coverage(drives, spread, 40) for drives in at_least}
    assert [drives for drives, share in covered.items() if share < at_least[drives]] == [], covered
