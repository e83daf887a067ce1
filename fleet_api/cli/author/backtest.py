"""`longtail backtest`: what a trigger file would have done on recorded drives, and a forecast for a fleet."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fleet_api.cli.author.backtest_page import what_ran, write_page
from fleet_api.cli.author.backtest_remarks import tell_remarks
from fleet_api.cli.author.backtest_report import show_report
from fleet_api.cli.author.check import set_option, show_diagnostics, signals_option
from fleet_api.cli.author.drives_option import SpreadDrives, drives_option
from fleet_api.cli.connection import OpenApi, with_api
from fleet_api.cli.numbers import Number, WholeNumber
from fleet_api.cli.output import counted, print_json, remark

if TYPE_CHECKING:
    from triggers.backtest.plan import BacktestPlan
    from triggers.backtest.report import BacktestReport
    from triggers.backtest.result import BacktestResult
    from triggers.drives.drive import Drive
    from triggers.signals.catalog import SignalCatalog

_STANDARD_OUTPUT = Path("-")
_file = click.Path(path_type=Path)


def _number(_context: click.Context, _option: click.Parameter, value: float) -> float:
    """Refuse NaN, which click's ranges let through, since it is neither below nor above a limit."""
    if math.isnan(value):
        raise click.BadParameter("nan is not a number")
    return value


@click.command(cls=SpreadDrives)
@click.argument("file", type=_file)
@signals_option
@set_option
@drives_option
@click.option("--clips", "cql2", metavar="FILTER", help="Instead of drives: the catalogued clips that match this CQL2.")
@click.option("--limit", type=WholeNumber(1), help="At most this many clips, the latest.  [default: all]")
@click.option(
    "--workers", type=WholeNumber(1, 1024), help="How many drives to run at the same time.  [default: one per core]"
)
@click.option("--json", "json_file", type=_file, help="Write the report as JSON to this file; - is standard output.")
@click.option("--html", "html_file", type=_file, help="Write the report as a page that needs nothing but itself.")
@click.option("--fires", "fires_file", type=_file, help="Write all fires to this Parquet file.")
@click.option("--results", "results_file", type=_file, help="Write counts per drive and trigger to this Parquet file.")
@click.option(
    "--vehicles", type=WholeNumber(1), default=1000, show_default=True, help="How many vehicles the forecast is for."
)
@click.option(
    "--hours-per-day",
    type=Number(0, 24, min_open=True),
    callback=_number,
    default=1.0,
    show_default=True,
    help="Hours per day that each of these vehicles drives.",
)
@click.option(
    "--sample",
    type=WholeNumber(1),
    help="Keep 1 in this many fires in the forecast.  [default: as the campaigns say]",
)
@with_api
def backtest(
    *,
    open_api: OpenApi,
    file: Path,
    catalog_file: Path,
    values: tuple[str, ...],
    drive_paths: tuple[Path, ...],
    cql2: str | None,
    limit: int | None,
    workers: int | None,
    json_file: Path | None,
    html_file: Path | None,
    fires_file: Path | None,
    results_file: Path | None,
    vehicles: int,
    hours_per_day: float,
    sample: int | None,
) -> int:
    """Run the triggers of FILE over recorded drives, and forecast what they would do in a fleet.

    FILE comes before --drives. A drive that cannot be read is reported and left out, and the exit status is
    then 1. So it is for a trigger that could run on no drive. With --clips it runs over clips of a deployment,
    and there is no forecast.
    """
    from triggers.backtest.forecast import ForecastFleet
    from triggers.backtest.plan import make_plan
    from triggers.backtest.report import make_report
    from triggers.backtest.run import available_cores
    from triggers.backtest.tables import write_counts, write_fires
    from triggers.drives.find import find_drives
    from triggers.language.compile import compile_file
    from triggers.signals.catalog import SignalCatalog

    if bool(drive_paths) == (cql2 is not None) or (limit is not None and cql2 is None):
        raise click.UsageError("give either --drives PATH..., or --clips FILTER and perhaps --limit")
    outputs = {"--json": json_file, "--html": html_file, "--fires": fires_file, "--results": results_file}
    _check_outputs(outputs)
    catalog = SignalCatalog.load(catalog_file)
    compilation = compile_file(file, catalog, values=values)
    show_diagnostics([compilation])
    if not compilation.ok:
        return 1
    plan = make_plan(compilation)
    drives = find_drives(drive_paths)
    _check_not_inputs(outputs, (file, catalog_file, *(drive.path for drive in drives)))
    workers = workers or available_cores()
    if cql2 is None:
        result = _run(plan, drives, catalog, workers)
    else:
        result = _run_over_clips(open_api, (cql2, limit), plan, catalog, workers)
    if fires_file is not None:
        write_fires(fires_file, result)
    if results_file is not None:
        write_counts(results_file, plan, result)
    for failure in result.failures:
        remark(f"left out: {failure}")
    fleet = ForecastFleet(vehicles, hours_per_day, sample) if cql2 is None else None
    report = make_report(plan, result, fleet, catalog)
    tell_remarks(report)
    document = report.to_json() | {"run": what_ran(compilation, file, catalog_file)}
    if html_file is not None:
        write_page(html_file, document)
    _give(report, document, json_file)
    ran_nowhere = [name for name, counts in report.triggers.items() if result.drives and not counts.drives]
    return 1 if result.failures or ran_nowhere else 0


def _check_outputs(files: dict[str, Path | None]) -> None:
    """Raise Misconfigured now for a file that cannot be written, instead of after hours of work."""
    from triggers.errors import Misconfigured

    for option, path in files.items():
        if path is None or (option == "--json" and path == _STANDARD_OUTPUT):
            continue
        if path == _STANDARD_OUTPUT:
            raise Misconfigured(f"{option} -: only the JSON document goes to standard output", remedy="name a file")
        if path.is_dir():
            raise Misconfigured(f"{option} {path}: this is a folder", remedy="name a file")
        if not path.parent.is_dir():
            raise Misconfigured(f"{option} {path}: there is no folder {path.parent}")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise Misconfigured(f"{option} {path}: cannot be written (no permission)")


def _check_not_inputs(outputs: dict[str, Path | None], inputs: Iterable[Path]) -> None:
    """Raise Misconfigured if a file would be written over what is read, or two would be written to one place."""
    from triggers.errors import Misconfigured

    taken = {path.resolve(): "is an input of this backtest" for path in inputs}
    for option, path in outputs.items():
        if path is None or path == _STANDARD_OUTPUT:
            continue
        if (reason := taken.get(path.resolve())) is not None:
            raise Misconfigured(f"{option} {path}: this file {reason}, and would be lost", remedy="name another file")
        taken[path.resolve()] = f"is also that of {option}"


def _run(plan: BacktestPlan, drives: Sequence[Drive], catalog: SignalCatalog, workers: int) -> BacktestResult:
    """Run the plan; a terminal shows a progress bar over the files' bytes."""
    from triggers.backtest.run import run

    if not sys.stderr.isatty():
        return run(plan, drives, catalog, lambda _bytes: None, workers=workers)
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    total = sum(drive.path.stat().st_size for drive in drives if drive.path.is_file())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(counted(len(drives), "drive"), total=total)
        return run(plan, drives, catalog, lambda count: progress.advance(task, count), workers=workers)


def _run_over_clips(
    open_api: OpenApi, search: tuple[str, int | None], plan: BacktestPlan, catalog: SignalCatalog, workers: int
) -> BacktestResult:
    """Run the plan over clips, whose signals lie in a temporary folder meanwhile."""
    from tempfile import TemporaryDirectory

    from fleet_api.cli.author.backtest_clips import fetch_clips, named_for_clips
    from fleet_api.client.clips.drives import catalog_for_clips

    with TemporaryDirectory(prefix="longtail-clips-") as place, open_api() as client:
        folder = Path(place)
        fetched = fetch_clips(client, search, plan, catalog, folder)
        result = named_for_clips(_run(plan, fetched.drives, catalog_for_clips(catalog), workers), folder)
    result.failures[:0] = fetched.failures
    return result


def _give(report: BacktestReport, document: dict[str, Any], json_file: Path | None) -> None:
    """Write the report as JSON if `json_file` is given, and as tables unless the JSON goes to standard output."""
    import json

    from triggers.backtest.tables import written_whole

    if json_file == _STANDARD_OUTPUT:
        print_json(document)
        return
    if json_file is not None:
        with written_whole(json_file) as partial:
            partial.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    show_report(report)
