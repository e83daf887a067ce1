"""`longtail check` and `longtail backtest`: what is wrong in a trigger file, and what it would have done."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fleet_api.cli.output import counted, json_option, print_json, remark

if TYPE_CHECKING:
    from triggers.backtest.run import Outcome, Plan
    from triggers.drives import Drive
    from triggers.language.compile import Compilation

signals_option = click.option(
    "--signals",
    "catalog_file",
    type=click.Path(path_type=Path),
    required=True,
    help="The signal catalog, a YAML file.",
)
_STANDARD_OUTPUT = Path("-")


class SpreadDrives(click.Command):
    """A command whose `--drives` takes all words up to the next option: `--drives A B C`, also repeated."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option before each of its words, which is the form click knows."""
        return super().parse_args(ctx, spread(args, "--drives"))


def spread(arguments: list[str], option: str) -> list[str]:
    """`option A B` as `option A option B`; a word that begins with `-` ends the list, as does the end."""
    result: list[str] = []
    words = iter(arguments)
    inside = False
    for word in words:
        if word == "--":
            return [*result, word, *words]
        if word == option:
            inside = True
        elif inside and not word.startswith("-"):
            result += [option, word]
        else:
            inside = word.startswith(f"{option}=")
            result.append(word)
    return [*result, option] if arguments and arguments[-1] == option else result


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@signals_option
@json_option
def check(files: tuple[Path, ...], catalog_file: Path, as_json: bool) -> int:
    """Report every mistake in trigger files, with its place and what to write instead.

    Exits with 1 if there is an error; warnings alone do not count.
    """
    from triggers.catalog import SignalCatalog

    catalog = SignalCatalog.load(catalog_file)
    compiled = [_compile(file, catalog) for file in files]
    diagnostics = [diagnostic for each in compiled for diagnostic in each.diagnostics]
    if as_json:
        print_json({"ok": all(each.ok for each in compiled), "diagnostics": [d.to_json() for d in diagnostics]})
    else:
        _show(compiled)
        errors = sum(1 for diagnostic in diagnostics if diagnostic.severity == "error")
        warnings = counted(len(diagnostics) - errors, "warning")
        remark(f"{counted(len(files), 'file')}: {counted(errors, 'error')}, {warnings}")
    return 0 if all(each.ok for each in compiled) else 1


@click.command(cls=SpreadDrives)
@click.argument("file", type=click.Path(path_type=Path))
@signals_option
@click.option(
    "--drives",
    "drive_paths",
    type=click.Path(path_type=Path),
    multiple=True,
    required=True,
    metavar="PATH...",
    help="Parquet files, folders with a signals.parquet, or trees of them; all words up to the next option.",
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write the report to this file; - is stdout."
)
@click.option("--fires", "fires_file", type=click.Path(path_type=Path), help="Write all fires to this Parquet file.")
@click.option("--vehicles", type=click.IntRange(1), default=1000, show_default=True, help="Fleet of the forecast.")
@click.option(
    "--hours-per-day",
    type=click.FloatRange(0, 24, min_open=True),
    default=1.0,
    show_default=True,
    help="How long each vehicle of the forecast drives a day.",
)
def backtest(
    *,
    file: Path,
    catalog_file: Path,
    drive_paths: tuple[Path, ...],
    json_file: Path | None,
    fires_file: Path | None,
    vehicles: int,
    hours_per_day: float,
) -> int:
    """Run the triggers of FILE over recorded drives: fires, bytes, and what that means for a fleet.

    FILE stands before --drives. A drive that cannot be read is named and left out; the exit status is 1 then.
    """
    from triggers.backtest.report import Fleet, report, write_fires
    from triggers.backtest.run import make_plan
    from triggers.catalog import SignalCatalog
    from triggers.drives import find_drives

    catalog = SignalCatalog.load(catalog_file)
    compilation = _compile(file, catalog)
    _show([compilation])
    if not compilation.ok:
        return 1
    plan = make_plan(compilation)
    outcome = _run_with_progress(plan, find_drives(drive_paths), catalog)
    result = report(plan, outcome, Fleet(vehicles, hours_per_day))
    for failure in outcome.failures:
        remark(f"left out: {failure}")
    if json_file == _STANDARD_OUTPUT:
        print_json(result)
    elif json_file is not None:
        _write_json(json_file, result)
    if fires_file is not None:
        write_fires(fires_file, outcome)
    if json_file != _STANDARD_OUTPUT:
        _show_report(result)
    return 1 if outcome.failures else 0


def _compile(file: Path, catalog: Any) -> Compilation:
    from triggers.errors import InvalidInput
    from triggers.language.compile import MAX_SOURCE_BYTES, compile_bytes

    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_SOURCE_BYTES + 1)
    except OSError as error:
        raise InvalidInput(f"{file}: cannot be read ({error.strerror})") from error
    return compile_bytes(data, filename=str(file), catalog=catalog)


def _show(compiled: list[Compilation]) -> None:
    from triggers.language.diagnostics import render_all

    text = render_all(diagnostic for each in compiled for diagnostic in each.diagnostics)
    if text:
        click.echo(text + "\n", err=True)


def _run_with_progress(plan: Plan, drives: list[Drive], catalog: Any) -> Outcome:
    """Run the plan, with a progress bar over the rows if somebody watches."""
    from triggers.backtest.run import run
    from triggers.errors import InvalidInput

    if not sys.stderr.isatty():
        return run(plan, drives, catalog, lambda _rows: None)
    from rich.console import Console
    from rich.progress import Progress

    total = 0
    for drive in drives:
        try:
            total += drive.row_count
        except InvalidInput:
            continue  # it is named when it is run
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(counted(len(drives), "drive"), total=total)
        return run(plan, drives, catalog, lambda rows: progress.advance(task, rows))


def _write_json(path: Path, result: dict[str, Any]) -> None:
    import json

    from triggers.errors import Misconfigured

    try:
        path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise Misconfigured(f"--json {path}: cannot be written ({error.strerror})") from error


def _show_report(result: dict[str, Any]) -> None:
    """The report as lines for people, to standard error."""
    distance = "" if result["km"] is None else f", {result['km']:.1f} km"
    recorded = f"{counted(result['drives'], 'drive')}, {counted(result['rows'], 'row')}"
    remark(f"{recorded}, {result['hours']:.2f} h{distance}")
    for name, each in result["triggers"].items():
        clip = "" if each["clip_bytes"] is None else f", about {each['clip_bytes'] / 1000:.0f} kB a clip"
        rate = "" if each["per_hour"] is None else f", {each['per_hour']:.2f} an hour"
        remark(f"  {name}: {counted(each['fires'], 'fire')}{rate}, {each['suppressed']} suppressed{clip}")
    for fire in result["fires"][:20]:
        remark(f"    {fire['drive']} {fire['t']:.3f} s  {fire['trigger']}")
    if len(result["fires"]) > 20:
        remark(f"    and {len(result['fires']) - 20} more (--json or --fires gives all)")
    forecast = result["forecast"]
    volume = forecast["bytes_per_fleet_day"]
    remark(
        f"forecast for {counted(forecast['vehicles'], 'vehicle')} at {forecast['hours_per_day']:g} h a day: "
        f"{volume['mean'] / 1e6:.1f} MB a day ({volume['low'] / 1e6:.1f} to {volume['high'] / 1e6:.1f})"
    )
