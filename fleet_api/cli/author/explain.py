"""`longtail explain`: what the programs of a trigger file read, need and cost on a vehicle."""

from __future__ import annotations

from collections.abc import Iterator, Set
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet_api.cli.author.check import set_option, show_diagnostics, signals_option
from fleet_api.cli.output import counted, json_option, print_json, print_result, print_table, shown_bytes
from triggers.pages.shown_numbers import shown_number
from triggers.written_numbers import in_full

if TYPE_CHECKING:
    from triggers.language.explain import Explained, ExplainedInput, ExplainedTrigger

_MAX_OPERATORS = 10
_MAX_TEXT = 60


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@signals_option
@set_option
@json_option
def explain(file: Path, catalog_file: Path, values: tuple[str, ...], as_json: bool) -> int:
    """Show what each campaign of a trigger file reads, needs and costs on a vehicle.

    State and operations are worst cases that hold for any data; operations are WebAssembly instructions per tick. If
    the file has no campaign, its triggers are explained as one program. The exit status is 1 if the file has an error.
    """
    from triggers.language.compile import compile_file
    from triggers.language.explain import explain as explained
    from triggers.language.explain import to_json
    from triggers.signals.catalog import SignalCatalog

    catalog = SignalCatalog.load(catalog_file)
    compilation = compile_file(file, catalog, values=values)
    programs = explained(compilation, catalog)
    if as_json:
        diagnostics = [diagnostic.to_json() for diagnostic in compilation.diagnostics]
        print_json(
            {"ok": compilation.ok, "diagnostics": diagnostics, "programs": [to_json(program) for program in programs]}
        )
    else:
        show_diagnostics([compilation])
        for program in programs:
            _show(program, {name for name, camera in catalog.cameras.items() if camera.bit_rate is None})
    return 0 if compilation.ok else 1


def _show(program: Explained, without_rate: Set[str]) -> None:
    """`without_rate` are the cameras whose video is not in the size of clips."""
    name = "all triggers of the file" if program.campaign is None else f"campaign {program.campaign}"
    lists = sum(each.objects is not None for each in program.inputs)
    parts = [counted(len(program.triggers), "trigger"), counted(len(program.inputs) - lists, "signal")]
    parts += [f"{counted(lists, 'list')} of objects"] if lists else []
    print_result(f"{name}: {', '.join(parts)}")
    for title, text in _facts(program):
        print_result(f"  {title:11} {text}")
    rows = [(each.name, _kind(each), each.rate, _lasting(each.max_age_s)) for each in program.inputs]
    if rows:
        print_table("", ("signal", "unit", "rate (Hz)", "a sample is valid for"), rows)
    for trigger in program.triggers:
        print_result(f"  {trigger.name}: {_sentence(trigger, without_rate)}")
    _show_operators(program)


def _facts(program: Explained) -> Iterator[tuple[str, str]]:
    operations = program.operations_per_tick
    yield "state", f"{program.state_bytes:,} of {program.state_limit_bytes:,} bytes"
    yield "operations", f"{operations.least:,} to {operations.most:,} of {program.operations_limit:,} per tick"
    yield "", f"{program.reading_operations_per_tick:,} of them to read the signals"
    yield "", f"and {program.operations_per_block:,} per block, {program.burst_operations:,} in a burst"
    if program.core_share is not None:
        share = f"{100 * program.core_share:.3f} % of a core that does 10^9 operations per second"
        yield "per second", f"{program.ticks_per_s:,.0f} ticks, {program.operations_per_s:,} operations: {share}"
        if unrated := [signal.name for signal in program.inputs if signal.rate is None]:
            yield "", f"not counting samples of {', '.join(unrated)}, which have no rate"
    yield "module", f"{program.module_bytes:,} bytes, SHA-256 {program.digest}"
    if program.compares:
        yield "compares", ", ".join(program.compares)


def _kind(read: ExplainedInput) -> str:
    """The unit or type of a signal; how many objects of a list are kept apart, and what is read of them."""
    if read.objects is None:
        return read.unit or read.type
    most = f"up to {counted(read.objects, 'object')}"
    return f"{most}: {', '.join(read.fields)}" if read.fields else most


def _lasting(seconds: float | None) -> str:
    return "forever" if seconds is None else f"{shown_number(seconds)} s"


def _without(cameras: Set[str]) -> str:
    return f" without the video of {', '.join(sorted(cameras))}" if cameras else ""


def _sentence(trigger: ExplainedTrigger, without_rate: Set[str]) -> str:
    cameras = f" and {', '.join(trigger.cameras)}" if trigger.cameras else ""
    clip = shown_bytes(trigger.clip_bytes) + _without(without_rate & set(trigger.cameras))
    cooldown = f"at most once per {in_full(trigger.cooldown_s)} s" if trigger.cooldown_s else "no cooldown"
    return (
        f"reads {', '.join(trigger.reads) or 'nothing'}; {cooldown}; captures {in_full(trigger.before_s)} s before, "
        f"{in_full(trigger.after_s)} s after of {counted(trigger.signals, 'signal')}{cameras}, about {clip} per clip; "
        f"{trigger.operations_per_tick.most:,} operations, {trigger.state_bytes:,} bytes of state"
    )


def _show_operators(program: Explained) -> None:
    working = [operator for operator in program.operators if operator.operations_per_tick.most]
    shown = working[:_MAX_OPERATORS]
    rows = [
        (
            operator.text if len(operator.text) <= _MAX_TEXT else operator.text[: _MAX_TEXT - 1] + "…",
            f"{operator.line}:{operator.column}",
            operator.operations_per_tick.least,
            operator.operations_per_tick.most,
            operator.burst_operations,
            operator.state_bytes,
            ", ".join(operator.triggers),
        )
        for operator in shown
    ]
    titles = ("operator", "place", "least", "most", "burst", "state", "for")
    if rows:
        print_table("Costliest operators: operations per tick, bytes of state", titles, rows)
    left = len(working) - len(shown)
    if left > 0:
        print_result(f"  and {left} more (--json prints all of them)")
