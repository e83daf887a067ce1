"""`longtail demo`: the whole loop on this machine, with its progress and a summary whose counts add up."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fleet_api.cli.author.drives_option import SpreadDrives
from fleet_api.cli.interrupts import interrupt_on_sigterm
from fleet_api.cli.numbers import WholeNumber
from fleet_api.cli.output import counted, json_option, print_json, print_result, print_table, remark, shown_bytes
from triggers.foreign_text import escaped

if TYPE_CHECKING:
    from fleet_api.demo.loop import Step
    from fleet_api.demo.summary import CampaignResult, Summary

path_type = click.Path(path_type=Path)


@click.command(cls=SpreadDrives)
@click.option(
    "--drives",
    type=path_type,
    multiple=True,
    help="Recorded drives; takes every word up to the next option.  [default: generated drives]",
)
@click.option("--signals", type=path_type, help="Signal catalog of the recorded drives.")
@click.option("--campaign", type=path_type, help="Trigger file with the campaigns to run.")
@click.option("--vehicles", type=WholeNumber(1, 100), help="How many vehicles.  [default: one per drive, at most 8]")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the deployment's data, which is then kept.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for clips, pictures and labels.  [default: a new one]",
)
@click.option("--keep", is_flag=True, help="Keep the deployment's data, so that `longtail up --data` can serve it.")
@click.option(
    "--seed", type=WholeNumber(), default=1, show_default=True, help="Seed of the drives and the vehicles' attributes."
)
@json_option
def demo(*, keep: bool, as_json: bool, data: Path | None, out: Path | None, **options: Any) -> int:
    """Run the whole loop: check, backtest and approve campaigns, run them on vehicles, and label their clips.

    With --keep or --data, it ends by saying how to look at all of it in the web console. The exit status is 0 only if
    the loop closed and every fire is accounted for.
    """
    from triggers.errors import DiagnosticsError
    from triggers.language.text.diagnostics import Diagnostic

    began_s = time.monotonic()
    interrupt_on_sigterm()
    try:
        with (
            _data_dir(data, keep=keep) as data_dir,
            _results_dir(out) as results_dir,
            _progress(began_s) as step,
        ):
            summary = _run(data_dir, results_dir, step, options, keep=keep or data is not None)
            summary.seconds = round(time.monotonic() - began_s, 1)
    except DiagnosticsError as error:
        for diagnostic in error.diagnostics:
            remark(Diagnostic(**diagnostic).render() + "\n")
        return 1
    if as_json:
        print_json(summary.document())
    else:
        _show(summary)
    status = _verdict(summary)
    _tell_of_the_console(summary)
    return status


def _run(data_dir: Path, results_dir: Path, step: Step, options: dict[str, Any], *, keep: bool) -> Summary:
    from fleet_api.demo.inputs import prepare_inputs
    from fleet_api.demo.loop import Demo

    step("finding the drives" if options["drives"] else "generating drives")
    inputs = prepare_inputs(
        results_dir,
        drives=options["drives"],
        signals=options["signals"],
        campaign=options["campaign"],
        seed=options["seed"],
    )
    names = ", ".join(inputs.compilation.campaigns)
    step(f"checked {inputs.campaign_path.name}: campaigns {names}")
    vehicles = options["vehicles"] or min(len(inputs.drives), 8)
    return Demo(inputs, data_dir, results_dir, vehicles, step, seed=options["seed"], keep=keep).run()


@contextmanager
def _data_dir(data: Path | None, *, keep: bool) -> Iterator[Path]:
    """The named directory, which is kept, or a fresh one, which is removed unless `keep` and it has something."""
    from storage.embedded import scratch_dir

    if data is not None:
        yield data
        return
    folder = scratch_dir("longtail-demo-data-")
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
        elif not any(folder.iterdir()):  # what was given was refused before anything began
            folder.rmdir()


@contextmanager
def _results_dir(out: Path | None) -> Iterator[Path]:
    """The named directory, or a fresh one, which is removed again if nothing has been written to it."""
    from storage.embedded import scratch_dir

    folder = out or scratch_dir("longtail-demo-")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    finally:
        if out is None and not any(folder.iterdir()):
            folder.rmdir()


@contextmanager
def _progress(began_s: float) -> Iterator[Step]:
    """A status line on a terminal; elsewhere plain lines that begin with the seconds so far."""
    if not sys.stderr.isatty():
        yield lambda text: remark(f"{time.monotonic() - began_s:6.1f} s  {text}")
        return
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True)
    with console.status("starting") as status:

        def step(text: str) -> None:
            console.print(f"[dim]{time.monotonic() - began_s:6.1f} s[/dim]  {escape(escaped(text))}", highlight=False)
            status.update(escape(escaped(text)))

        yield step


def _show(summary: Summary) -> None:
    _show_fires(summary.campaigns)
    columns = ("uploaded", "stored", "catalogued", "labelled", "dead letters", "sent", "predicted")
    counts = (summary.uploads, summary.objects, len(summary.clips), summary.labeled, summary.dead_letters)
    volume = (shown_bytes(summary.uploaded_bytes), shown_bytes(summary.predicted_bytes))
    print_table("Clips", columns, [(*counts, *volume)])
    for clip in summary.clips:
        picture = " and its .jpg" if clip.thumbnail else ""
        print_result(f"  {clip.file}{picture}, {shown_bytes(clip.size_bytes)}")
        print_result(f"      {', '.join(clip.moments)}; labelled {', '.join(clip.labels) or 'as nothing special'}")
    print_result(f"in {Path(summary.results_dir) / 'clips'}\n")


def _show_fires(campaigns: list[CampaignResult]) -> None:
    """A column per campaign, to be read downwards as a sum: what fired, and how each fire ended."""
    from triggers.contracts.api.outcomes import FIRE_OUTCOMES

    def row(title: str, name: str) -> tuple[object, ...]:
        counts = [getattr(campaign, name) for campaign in campaigns]
        return (title, *counts, sum(counts))

    rows = [row("predicted", "predicted"), row("fired", "fired")]
    signs = ("=", *"+" * (len(FIRE_OUTCOMES) - 1))
    rows += [row(f"  {sign} {name.replace('_', ' ')}", name) for sign, name in zip(signs, FIRE_OUTCOMES, strict=True)]
    rows.append(row("suppressed", "suppressed"))
    print_table("Fires", ("", *(campaign.campaign for campaign in campaigns), "all"), rows)


def _verdict(summary: Summary) -> int:
    gaps = summary.gaps()
    if not gaps:
        clips = counted(len(summary.clips), "clip")
        remark(f"the loop closed in {summary.seconds:.1f} s: {clips}, every fire accounted for")
        return 0
    for problem in summary.problems[:10]:
        remark(f"a vehicle reported: {problem}")
    remark(f"longtail: the loop did not close: {'; '.join(gaps)}")
    return 1


def _tell_of_the_console(summary: Summary) -> None:
    """How to look at the data that was kept: one command, one address, and one thing to paste."""
    from fleet_api.cli.deployment.console_hints import how_to_serve
    from fleet_api.console import built
    from storage.settings import Settings

    if not summary.data_dir:
        remark("to look at all of it in the web console, run the demo with --keep")
        return
    remark(f"to look at all of it in the web console, run: {how_to_serve(Path(summary.data_dir))}")
    remark(f"then open {built.address(Settings.load().effective_api_url())} and sign in with this token:")
    remark(f"    {summary.console_token}")
