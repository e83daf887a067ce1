"""`longtail backtest`: what a trigger file would have done on recorded drives, and a forecast for a fleet."""

from __future__ import annotations

import math
import os
from pathlib import Path

import click

from fleet_api.cli.author.backtest_page import what_ran, write_page
from fleet_api.cli.author.backtest_remarks import tell_remarks
from fleet_api.cli.author.backtest_report import show_report
from fleet_api.cli.author.check import set_option, show_diagnostics, signals_option
from fleet_api.cli.author.drives_option import SpreadDrives, drives_option
from fleet_api.cli.author.evidence.known_events import AskedEvidence, evidence_options
from fleet_api.cli.author.versions.document import STANDARD_OUTPUT, give
from fleet_api.cli.author.versions.giving import give_versions
from fleet_api.cli.author.versions.options import AskedVersions, version_options
from fleet_api.cli.author.versions.running import run_over_clips, run_versions
from fleet_api.cli.connection import OpenApi, is_typed, with_api
from fleet_api.cli.folders import check_not_inputs
from fleet_api.cli.numbers import Number, WholeNumber
from fleet_api.cli.output import remark

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
@version_options
@evidence_options
@with_api
def backtest(
    *,
    open_api: OpenApi,
    file: Path,
    versions: AskedVersions,
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
    asked: AskedEvidence,
) -> int:
    """Run the triggers of FILE over recorded drives, and forecast what they would do in a fleet.

    FILE comes before --drives. A drive that cannot be read is reported and left out, and the exit status is
    then 1. So it is for a trigger that could run on no drive. With --clips it runs over clips of a deployment,
    and there is no forecast. With --against or --set-against it gives a comparison of two versions,
    and with --sweep a curve over the values of a param.
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
    _check_fleet(over_clips=cql2 is not None, compares=versions.compares)
    outputs = {"--json": json_file, "--html": html_file, "--fires": fires_file, "--results": results_file}
    alone = {"--fires": fires_file, "--results": results_file, **asked.options}
    versions.check([option for option, given in alone.items() if given is not None])
    _check_outputs(outputs)
    catalog = SignalCatalog.load(catalog_file)
    compilations = [compile_file(file, catalog, values=values), *versions.compiled(catalog)]
    show_diagnostics(compilations)
    if not all(each.ok for each in compilations):
        return 1
    plans = [make_plan(each) for each in compilations]
    evidence = asked.read(catalog, list(plans[0].settings))
    drives = find_drives(drive_paths)
    written = [(option, path) for option, path in outputs.items() if path is not None and path != STANDARD_OUTPUT]
    imported = [Path(part.filename) for each in compilations for part in each.parts]
    inputs = (file, catalog_file, *imported, *versions.files, *asked.files, *(drive.path for drive in drives))
    check_not_inputs(written, inputs, "backtest")
    workers = workers or available_cores()
    if cql2 is None:
        results = run_versions(plans, drives, catalog, workers, evidence)
    else:
        results = run_over_clips(open_api, (cql2, limit), plans, catalog, workers=workers, evidence=evidence)
    fleet = ForecastFleet(vehicles, hours_per_day, sample) if cql2 is None else None
    if len(plans) > 1 or versions.sweep is not None:
        ran = list(zip(compilations, results, strict=True))
        return give_versions(versions, ran, fleet, catalog, json_file=json_file, html_file=html_file)
    plan, result = plans[0], results[0]
    if fires_file is not None:
        write_fires(fires_file, result)
    if results_file is not None:
        write_counts(results_file, plan, result)
    for failure in result.failures:
        remark(f"left out: {failure}")
    report = evidence.judged(make_report(plan, result, fleet, catalog), plan, result)
    tell_remarks(report)
    document = report.to_json() | {"run": what_ran(compilations[0], file, catalog_file)}
    if html_file is not None:
        write_page(html_file, document)
    give(document, lambda: show_report(report), json_file)
    ran_nowhere = [name for name, counts in report.triggers.items() if result.drives and not counts.drives]
    return 1 if result.failures or ran_nowhere else 0


def _check_fleet(*, over_clips: bool, compares: bool) -> None:
    """UsageError for an option of the forecast that would change nothing."""
    if over_clips and (typed := [name for name in ("vehicles", "hours_per_day", "sample") if is_typed(name)]):
        option = f"--{typed[0].replace('_', '-')}"
        raise click.UsageError(f"{option} is about the forecast, and there is none over clips: leave it out")
    if compares and is_typed("vehicles"):
        raise click.UsageError(
            "--vehicles is about a fleet, and two versions are compared by what one vehicle does: leave it out"
        )


def _check_outputs(files: dict[str, Path | None]) -> None:
    """Raise Misconfigured now for a file that cannot be written, instead of after hours of work."""
    from triggers.errors import Misconfigured

    for option, path in files.items():
        if path is None or (option == "--json" and path == STANDARD_OUTPUT):
            continue
        if path == STANDARD_OUTPUT:
            raise Misconfigured(f"{option} -: only the JSON document goes to standard output", remedy="name a file")
        if path.is_dir():
            raise Misconfigured(f"{option} {path}: this is a folder", remedy="name a file")
        if not path.parent.is_dir():
            raise Misconfigured(f"{option} {path}: there is no folder {path.parent}")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise Misconfigured(f"{option} {path}: cannot be written (no permission)")
