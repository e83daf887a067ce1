"""The run of several versions over the same drives or clips, with a progress bar on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fleet_api.cli.connection import OpenApi
from fleet_api.cli.output import counted

if TYPE_CHECKING:
    from fleet_api.cli.author.evidence.known_events import Evidence
    from triggers.backtest.plan import BacktestPlan
    from triggers.backtest.result import BacktestResult
    from triggers.drives.drive import Drive
    from triggers.signals.catalog import SignalCatalog


def run_versions(
    plans: Sequence[BacktestPlan],
    drives: Sequence[Drive],
    catalog: SignalCatalog,
    workers: int,
    evidence: Evidence,
) -> list[BacktestResult]:
    """Run plans over drives; a terminal shows a progress bar over the files' bytes."""
    from triggers.backtest.run import run_together

    def start(progress: Callable[[int], None]) -> list[BacktestResult]:
        events, breakdown = evidence.events, evidence.breakdown
        return run_together(plans, drives, catalog, progress, workers=workers, events=events, breakdown=breakdown)

    if not sys.stderr.isatty():
        return start(lambda _bytes: None)
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    total = sum(drive.path.stat().st_size for drive in drives if drive.path.is_file())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(counted(len(drives), "drive"), total=total)
        return start(lambda count: progress.advance(task, count))


def run_over_clips(
    open_api: OpenApi,
    search: tuple[str, int | None],
    plans: Sequence[BacktestPlan],
    catalog: SignalCatalog,
    *,
    workers: int,
    evidence: Evidence,
) -> list[BacktestResult]:
    """Run plans over clips, whose signals lie in a temporary folder meanwhile."""
    from tempfile import TemporaryDirectory

    from fleet_api.cli.author.backtest_clips import fetch_clips, named_for_clips
    from fleet_api.client.clips.drives import catalog_for_clips

    with TemporaryDirectory(prefix="longtail-clips-") as place, open_api() as client:
        folder = Path(place)
        fetched = fetch_clips(client, search, plans, catalog, folder)
        results = run_versions(plans, fetched.drives, catalog_for_clips(catalog), workers, evidence)
        results = [named_for_clips(result, folder) for result in results]
    for result in results:
        result.failures[:0] = fetched.failures
    return results
