"""`longtail clips search --when`: the clips and instants at which something happened, with progress meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fleet_api.cli.output import Column, Form, counted, print_json, print_list, remark, show_findings, shown_bytes
from triggers.errors import DiagnosticsError

if TYPE_CHECKING:
    from fleet_api.client import Client
    from triggers.contracts.api.scans.answers import ScanHitView, ScanView

SHOWN_INSTANTS = 5
_SHOWN_REASONS = 20
COLUMNS: tuple[Column[ScanHitView], ...] = (
    Column("id", lambda hit: hit.clip),
    Column("start", lambda hit: hit.start),
    Column("vehicle", lambda hit: hit.vehicle),
    Column("instants", lambda hit: hit.instants),
    Column("t_s", lambda hit: hit.t_s, shown=lambda t_s: _some([f"{each:.3f}" for each in t_s])),
    Column("t_ns", lambda hit: hit.t_ns, shown=lambda t_ns: _some(list(map(str, t_ns)))),
)


def search_when(client: Client, cql2: str | None, when: str, *, limit: int | None, form: Form) -> int:
    """Scan the clips that a filter admits, and print what is found; the exit status. Ctrl-C ends the scan, too."""
    try:
        begun = client.scans.begin(when, filter_text=cql2, limit=limit)
    except DiagnosticsError as error:
        show_findings(error.diagnostics)
        return 1
    show_findings(begun.warnings)
    last = begun
    try:
        with _progress() as show:

            def note(scan: ScanView) -> None:
                nonlocal last
                last = scan
                show(scan)

            hits = list(client.scans.hits(begun.id, progress=note))
    except KeyboardInterrupt:
        client.scans.end(begun.id)
        raise
    if form == "json":
        print_json({"scan": last.model_dump(mode="json"), "hits": [hit.model_dump(mode="json") for hit in hits]})
    else:
        print_list(form, hits, COLUMNS, none="it happened in none of them")
    _tell(last)
    return 0


def _tell(scan: ScanView) -> None:
    """What the list does not say: how much was looked at, and what was not."""
    remark(
        f"scanned {counted(scan.scanned, 'clip')} ({shown_bytes(scan.read_bytes)} of signals): "
        f"{counted(scan.instants, 'instant')} in {counted(scan.found, 'clip')}"
    )
    for each in scan.left_out[:_SHOWN_REASONS]:
        remark(f"left out {counted(each.clips, 'clip')}, such as {each.example}: {each.reason}")
    if len(scan.left_out) > _SHOWN_REASONS:
        remark(f"and for {len(scan.left_out) - _SHOWN_REASONS} more reasons (--json has all of them)")
    if scan.stopped is not None:
        remark(f"not all clips were scanned: {scan.stopped}")


@contextmanager
def _progress() -> Iterator[Callable[[ScanView], None]]:
    """Show a bar over the clips where somebody looks."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("scanning", total=None)

        def show(scan: ScanView) -> None:
            progress.update(
                task, completed=scan.scanned, total=scan.clips, description=f"scanning ({scan.found} found)"
            )

        yield show


def _some(texts: list[str]) -> str:
    """The first of these texts, and how many there are besides."""
    more = len(texts) - SHOWN_INSTANTS
    return ", ".join(texts[:SHOWN_INSTANTS]) + (f" and {more} more" if more > 0 else "")
