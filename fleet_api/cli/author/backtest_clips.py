"""`longtail backtest --clips`: catalogued clips instead of recorded drives, fetched from a deployment."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fleet_api.cli.fleet.clips.filters import translated
from fleet_api.cli.output import counted, remark

if TYPE_CHECKING:
    from fleet_api.client import Client
    from fleet_api.client.clips.drives import ClipDrives
    from triggers.backtest.plan import BacktestPlan
    from triggers.backtest.result import BacktestResult
    from triggers.errors import InvalidInput
    from triggers.signals.catalog import SignalCatalog

NOT_A_SAMPLE = (
    "clips are not a random sample of driving: each was recorded because a trigger fired. So there is no forecast per "
    "vehicle and day, and rates per hour are those of these clips"
)


def fetch_clips(
    client: Client,
    search: tuple[str, int | None],
    plans: Sequence[BacktestPlan],
    catalog: SignalCatalog,
    folder: Path,
) -> ClipDrives:
    """The clips of a search (a filter, and at most how many) as drives in a folder; only the needed signals travel."""
    from fleet_api.client.clips.drives import ClipsAsDrives
    from triggers.backtest.plan import fields_needed, signals_needed
    from triggers.drives.find import MAX_DRIVES
    from triggers.errors import InvalidInput

    cql2, limit = search
    chosen = translated(client, cql2 or None)  # an empty one stands for all clips
    found = list(client.clips.search(chosen, limit=min(limit or MAX_DRIVES, MAX_DRIVES), note=remark))
    if not found:
        raise InvalidInput("no clip matches the filter", remedy="try it with `longtail clips search`")
    needed = frozenset[str]().union(*(signals_needed(plan, catalog) for plan in plans))
    clips = ClipsAsDrives(client.campaigns, catalog, needed, folder, fields=fields_needed(plans))
    with _progress(len(found)) as advance:
        fetched = clips.fetch(found, advance)
    remark(NOT_A_SAMPLE)
    return fetched


def named_for_clips(result: BacktestResult, folder: Path) -> BacktestResult:
    """The result without the files in which the clips lay for the run: drives and reasons name the clips."""
    drives = [
        replace(
            drive,
            path=Path(drive.name),
            left_out={name: _named(error, folder) for name, error in drive.left_out.items()},
        )
        for drive in result.drives
    ]
    return replace(result, drives=drives, failures=[_named(error, folder) for error in result.failures])


def _named(error: InvalidInput, folder: Path) -> InvalidInput:
    message = error.message.replace(f"{folder}/", "clip ").replace(".parquet:", ":", 1)
    return type(error)(message, remedy=error.remedy)


@contextmanager
def _progress(clips: int) -> Iterator[Callable[[], None]]:
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"fetching {counted(clips, 'clip')}", total=clips)
        yield lambda: progress.advance(task)
