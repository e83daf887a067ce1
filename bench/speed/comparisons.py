"""The compiled program: one trigger, windows and a team's triggers in memory, backtest and trace over drives on disk.

All contenders use one core, except in the last comparison. The peers are the fastest forms found that fire at exactly
the same times.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.engines import Engines
from bench.measure import Comparison
from bench.speed import backtest as speed_backtest
from bench.speed import team as speed_team
from bench.speed import trace as speed_trace
from bench.speed import trigger as speed_trigger
from bench.speed import windows as speed_windows


def run(engines: Engines, *, quick: bool) -> Iterator[Comparison]:
    """All comparisons."""
    yield from speed_trigger.run(quick=quick)
    yield from speed_windows.run(quick=quick)
    yield from speed_team.run(quick=quick)
    yield from speed_backtest.run(engines, quick=quick)
    yield from speed_trace.run(engines, quick=quick)
