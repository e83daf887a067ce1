"""`longtail trace`: the value of every part of a trigger's condition over a drive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet_api.cli.author.check import set_option, show_diagnostics, signals_option
from fleet_api.cli.folders import check_not_inputs
from fleet_api.cli.numbers import Number, Seconds
from fleet_api.cli.output import json_option

if TYPE_CHECKING:
    from triggers.drives.drive import Drive
    from triggers.language.parts import PartsProgram
    from triggers.signals.catalog import SignalCatalog
    from triggers.trace.run import TraceBlock, TraceSummary, TraceView

_file = click.Path(path_type=Path)


@click.command()
@click.argument("file", type=_file)
@signals_option
@set_option
@click.option("--trigger", "trigger_name", metavar="NAME", help="Which trigger of FILE; needed if it has several.")
@click.option("--drive", "drive_path", type=_file, required=True, help="A Parquet file or a folder with one.")
@click.option(
    "--at",
    "at_s",
    type=Number(0, 1e10),
    help="The moment to look at, in s of the drive's clock.  [default: the first fire, or where it came closest]",
)
@click.option("--window", "window_s", type=Seconds(), default="10s", show_default=True, help="How much to plot.")
@click.option("--parquet", "parquet_file", type=_file, help="Write every tick of the drive to this Parquet file.")
@click.option("--html", "html_file", type=_file, help="Write the window as a page that needs nothing but itself.")
@json_option
def trace(
    *,
    file: Path,
    catalog_file: Path,
    values: tuple[str, ...],
    trigger_name: str | None,
    drive_path: Path,
    at_s: float | None,
    window_s: float,
    parquet_file: Path | None,
    html_file: Path | None,
    as_json: bool,
) -> int:
    """Show the value of every part of a trigger's condition over a drive: why it fired, or why not.

    A part is unknown (?) while a signal that it needs is, or while its window is not filled. The exit status is 1
    if FILE has an error.
    """
    from triggers.language.compile import compile_file
    from triggers.language.parts import parts_program
    from triggers.signals.catalog import SignalCatalog
    from triggers.times import NS_PER_S
    from triggers.trace.run import TraceView, window

    catalog = SignalCatalog.load(catalog_file)
    compilation = compile_file(file, catalog, values=values)
    show_diagnostics([compilation])
    if not compilation.ok or compilation.triggers is None:
        return 1
    names = [settings.name for settings in compilation.triggers.settings]
    program = parts_program(compilation.source, str(file), _chosen(names, trigger_name, file), catalog)
    _require_parts(program, file)
    drive = _drive(drive_path)
    _check_window(window_s)
    imported = [Path(part.filename) for part in compilation.parts]
    _check_outputs({"--parquet": parquet_file, "--html": html_file}, (file, catalog_file, *imported, drive.path))
    summary = _whole(program, drive, catalog, parquet_file)
    at_ns = summary.centre_ns if at_s is None else round(at_s * NS_PER_S)
    _check_inside(at_ns, summary, drive)
    half_ns = round(window_s * NS_PER_S / 2)
    first_ns, last_ns = max(at_ns - half_ns, summary.first_ns), min(at_ns + half_ns, summary.last_ns)
    view = TraceView(program, drive.name, summary, first_ns, last_ns, at_ns)
    _show(view, window(program, drive, catalog, first_ns, last_ns), html_file, as_json=as_json)
    return 0


def _chosen(names: list[str], name: str | None, file: Path) -> str:
    from triggers.errors import InvalidInput

    if name is not None:
        return name
    if len(names) == 1:
        return names[0]
    listed = ", ".join(f"`{each}`" for each in names[:10]) or "none"
    raise InvalidInput(f"{file}: has {len(names)} triggers", remedy=f"choose one with --trigger: {listed}")


def _require_parts(program: PartsProgram, file: Path) -> None:
    from triggers.errors import InvalidInput

    if not program.parts:
        raise InvalidInput(
            f"{file}: the condition of `{program.trigger}` reads no signal, so it is the same at all times",
            remedy="trace a trigger whose condition reads signals",
        )


def _drive(path: Path) -> Drive:
    from triggers.drives.find import find_drives
    from triggers.errors import InvalidInput

    drives = find_drives([path])
    if len(drives) != 1:
        raise InvalidInput(f"{path}: has {len(drives)} drives", remedy=f"name one of them, such as {drives[0].path}")
    return drives[0]


def _check_outputs(outputs: dict[str, Path | None], inputs: tuple[Path, ...]) -> None:
    from triggers.errors import Misconfigured

    written = [(option, path) for option, path in outputs.items() if path is not None]
    for option, path in written:
        if path.is_dir() or not path.parent.is_dir():
            raise Misconfigured(f"{option} {path}: cannot be written", remedy="name a file in a folder that exists")
    check_not_inputs(written, inputs, "trace")


def _check_window(window_s: float) -> None:
    from triggers.errors import InvalidInput
    from triggers.times import NS_PER_S
    from triggers.trace.run import MAX_WINDOW_NS

    if not 0 < window_s * NS_PER_S <= MAX_WINDOW_NS:
        longest = MAX_WINDOW_NS // (60 * NS_PER_S)
        raise InvalidInput(f"--window {window_s:g} s: a window is at most {longest} min long, and longer than nothing")


def _check_inside(at_ns: int, summary: TraceSummary, drive: Drive) -> None:
    from triggers.errors import InvalidInput
    from triggers.times import NS_PER_S

    if not summary.first_ns <= at_ns <= summary.last_ns:
        first, last = (f"{t_ns / NS_PER_S:.3f} s" for t_ns in (summary.first_ns, summary.last_ns))
        raise InvalidInput(
            f"--at {at_ns / NS_PER_S:.3f}: {drive.path} is from {first} to {last}", remedy="give a time between them"
        )


def _whole(program: PartsProgram, drive: Drive, catalog: SignalCatalog, parquet_file: Path | None) -> TraceSummary:
    """Run over the whole drive, writing it to a file if one is given."""
    from triggers.trace.run import TraceRun
    from triggers.trace.table import writing

    run = TraceRun(program, drive, catalog)
    if parquet_file is None:
        run.run_through()
    else:
        for _ in writing(parquet_file, program, run.blocks()):
            pass
    return run.summary()


def _show(view: TraceView, blocks: Iterator[TraceBlock], html_file: Path | None, *, as_json: bool) -> None:
    """Show a window, whose ticks are read once, in each form that was asked for."""
    from fleet_api.cli.author.trace.document import print_document
    from fleet_api.cli.author.trace.terminal import TerminalView

    if html_file is not None:
        blocks = _into_page(view, blocks, html_file)
    if as_json:
        print_document(view, blocks)
        return
    shown = TerminalView(view)
    for block in blocks:
        shown.take(block)
    shown.print()


def _into_page(view: TraceView, blocks: Iterator[TraceBlock], file: Path) -> Iterator[TraceBlock]:
    """Pass blocks on, and write them as a page once all have passed."""
    from triggers.backtest.tables import written_whole
    from triggers.trace.page import binning, page

    taken = binning(view)
    for block in blocks:
        taken.take(block)
        yield block
    with written_whole(file) as partial:
        partial.write_text(page(view, taken.bins()), encoding="utf-8")
