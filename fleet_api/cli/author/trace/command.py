"""`longtail trace`: the value of every part of a trigger's condition over a drive."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import click

from fleet_api.cli.author.check import set_option, show_diagnostics, signals_option
from fleet_api.cli.numbers import Number, Seconds
from fleet_api.cli.output import json_option, print_json, print_result, print_table, remark
from fleet_api.cli.tables import GAP, display_width

if TYPE_CHECKING:
    from triggers.drives.drive import Drive
    from triggers.language.parts import ConditionPart, PartsProgram
    from triggers.signals.catalog import SignalCatalog
    from triggers.trace.run import TraceBlock, TraceSummary, TraceView

_AROUND = 4
"""Ticks that the table shows before and after the moment, where there is room for them."""
_MAX_LABEL = 44
_WIDTH_ELSEWHERE = 120
"""Columns where standard output is not a terminal and COLUMNS is not set."""
_PLOT_AT_LEAST = 20
_LABEL_AT_LEAST = 12
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
    from triggers.backtest.tables import written_whole
    from triggers.language.compile import compile_file
    from triggers.language.parts import parts_program
    from triggers.signals.catalog import SignalCatalog
    from triggers.times import NS_PER_S
    from triggers.trace.page import page
    from triggers.trace.run import TraceView, window

    catalog = SignalCatalog.load(catalog_file)
    compilation = compile_file(file, catalog, values=values)
    show_diagnostics([compilation])
    if not compilation.ok or compilation.triggers is None:
        return 1
    names = [settings.name for settings in compilation.triggers.settings]
    program = parts_program(compilation.source, str(file), _chosen(names, trigger_name, file), catalog)
    drive = _drive(drive_path)
    _check_window(window_s)
    _check_outputs({"--parquet": parquet_file, "--html": html_file}, (file, catalog_file, drive.path))
    summary = _whole(program, drive, catalog, parquet_file)
    at_ns = summary.centre_ns if at_s is None else round(at_s * NS_PER_S)
    _check_inside(at_ns, summary, drive)
    half_ns = round(window_s * NS_PER_S / 2)
    first_ns, last_ns = max(at_ns - half_ns, summary.first_ns), min(at_ns + half_ns, summary.last_ns)
    block = window(program, drive, catalog, first_ns, last_ns)
    view = TraceView(program, drive.name, summary, block, first_ns, last_ns, at_ns)
    if html_file is not None:
        with written_whole(html_file) as partial:
            partial.write_text(page(view), encoding="utf-8")
    if as_json:
        print_json(_document(view))
    else:
        _show(view)
    return 0


def _chosen(names: list[str], name: str | None, file: Path) -> str:
    from triggers.errors import InvalidInput

    if name is not None:
        return name
    if len(names) == 1:
        return names[0]
    listed = ", ".join(f"`{each}`" for each in names[:10]) or "none"
    raise InvalidInput(f"{file}: has {len(names)} triggers", remedy=f"choose one with --trigger: {listed}")


def _drive(path: Path) -> Drive:
    from triggers.drives.find import find_drives
    from triggers.errors import InvalidInput

    drives = find_drives([path])
    if len(drives) != 1:
        raise InvalidInput(f"{path}: has {len(drives)} drives", remedy=f"name one of them, such as {drives[0].path}")
    return drives[0]


def _check_outputs(outputs: dict[str, Path | None], inputs: tuple[Path, ...]) -> None:
    from triggers.errors import Misconfigured

    taken = {path.resolve(): "is an input of this trace" for path in inputs}
    for option, path in outputs.items():
        if path is None:
            continue
        if path.is_dir() or not path.parent.is_dir():
            raise Misconfigured(f"{option} {path}: cannot be written", remedy="name a file in a folder that exists")
        if (reason := taken.get(path.resolve())) is not None:
            raise Misconfigured(f"{option} {path}: this file {reason}, and would be lost", remedy="name another file")
        taken[path.resolve()] = f"is also that of {option}"


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
    blocks: Iterator[TraceBlock] = run.blocks()
    for _ in blocks if parquet_file is None else writing(parquet_file, program, blocks):
        pass
    return run.summary()


def _document(view: TraceView) -> dict[str, Any]:
    from dataclasses import asdict

    from triggers.backtest.conditions import Shares
    from triggers.times import NS_PER_S

    summary, block = view.summary, view.block
    return {
        "trigger": view.program.trigger,
        "drive": view.drive,
        "first": summary.first_ns / NS_PER_S,
        "last": summary.last_ns / NS_PER_S,
        "ticks": summary.ticks,
        "fires": [t_ns / NS_PER_S for t_ns in summary.fires_ns],
        "closest": None if summary.closest_ns is None else summary.closest_ns / NS_PER_S,
        "why_not": summary.why_not,
        "condition": asdict(Shares.of(summary.found.condition)),
        "unknown": summary.found.unknown,
        "at": view.at_ns / NS_PER_S,
        "t": (block.t_ns / NS_PER_S).tolist(),
        "fired": block.fires.tolist(),
        "parts": [
            {
                "text": part.text,
                "let": part.let,
                "depth": part.depth,
                "type": part.type,
                "unit": part.unit,
                "values": [_json_value(part, value) for value in values.tolist()],
            }
            for part, values in zip(view.program.parts, block.values, strict=True)
        ],
    }


def _json_value(part: ConditionPart, value: float) -> float | bool | str | None:
    """A value as JSON has it; null for unknown."""
    if math.isnan(value):
        return None
    if part.type == "condition":
        return value == 1
    return part.values[int(value)] if part.type == "text" else value


def _show(view: TraceView) -> None:
    from triggers.times import NS_PER_S
    from triggers.trace.page import outcome

    total = _width()
    first, last = (f"{t_ns / NS_PER_S:.3f} s" for t_ns in (view.summary.first_ns, view.summary.last_ns))
    title = f"{view.program.trigger} on {view.drive}, {first} to {last}, {view.summary.ticks:,} ticks"
    for sentence in (title, outcome(view.summary)):
        print_result(fill(sentence, total, break_long_words=False, break_on_hyphens=False))
    if not len(view.block.t_ns):
        remark("there is no tick in this window: give a longer --window")
        return
    _show_table(view, total)
    _show_plot(view, total)


def _width() -> int:
    """Characters per line: those of the terminal, or COLUMNS, which also holds where the output goes elsewhere."""
    return shutil.get_terminal_size((_WIDTH_ELSEWHERE, 0)).columns


def _show_table(view: TraceView, total: int) -> None:
    """A row per part, a column for each tick around the moment."""
    import numpy as np

    from triggers.times import NS_PER_S

    block = view.block
    at = max(int(np.searchsorted(block.t_ns, view.at_ns, side="right")) - 1, 0)
    for around in range(_AROUND, -1, -1):
        columns, rows = _table(view, range(max(at - around, 0), min(at + around + 1, len(block.t_ns))))
        needed = [max(map(display_width, cells)) for cells in zip(columns, *rows, strict=True)]
        if sum(needed) + len(GAP) * (len(needed) - 1) <= total:
            break
    print_table(f"Around {view.at_ns / NS_PER_S:.3f} s (* fires)", columns, rows, width=total)


def _table(view: TraceView, chosen: range) -> tuple[list[str], list[list[str]]]:
    """The titles and rows of a table of these ticks of the window."""
    from fleet_api.cli.author.trace.plot import shown
    from triggers.times import NS_PER_S

    block = view.block
    titles = [f"{block.t_ns[tick] / NS_PER_S:.3f}{' *' if block.fires[tick] else ''}" for tick in chosen]
    rows = [
        [_label(part.label, part.depth), part.unit, *(shown(part, float(values[tick])) for tick in chosen)]
        for part, values in zip(view.program.parts, block.values, strict=True)
    ]
    return ["part", "unit", *titles], rows


def _show_plot(view: TraceView, total: int) -> None:
    """A line per part over the whole window."""
    from fleet_api.cli.author.trace.plot import bar, extent, line
    from triggers.times import NS_PER_S
    from triggers.trace.bins import binned

    parts, span_ns = view.program.parts, (view.first_ns, view.last_ns)
    facts = [extent(part, values) for part, values in zip(parts, view.block.values, strict=True)]
    beside = max(len(fact) for fact in facts) + 2
    longest = max(total - beside - _PLOT_AT_LEAST, _LABEL_AT_LEAST)
    labels = [_label(part.label, part.depth, longest) for part in parts]
    room = max(len(label) for label in labels)
    width = max(total - room - beside, _PLOT_AT_LEAST)
    first, last = (f"{t_ns / NS_PER_S:.3f} s" for t_ns in span_ns)
    print_result("")
    print_result(f"{'':{room}} {first}{last:>{max(width - len(first), 1)}}")
    for part, values, label, fact in zip(parts, view.block.values, labels, facts, strict=True):
        bins = binned(view.block.t_ns, values, *span_ns, width)
        drawn = bar(bins) if part.type == "condition" else line(bins)
        print_result(f"{label:{room}} {drawn} {fact}".rstrip())


def _label(label: str, depth: int, longest: int = _MAX_LABEL) -> str:
    text, longest = "  " * min(depth, 6) + label, min(longest, _MAX_LABEL)
    return text if len(text) <= longest else text[: longest - 1] + "…"
