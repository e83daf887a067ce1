"""A trace as a JSON document: what became of the trigger, and the values of every part at the ticks of the window."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from fleet_api.cli.output import print_json_as_it_comes
from triggers.backtest.conditions import Shares
from triggers.times import NS_PER_S
from triggers.trace.table import column, names_of, writing

if TYPE_CHECKING:
    from triggers.trace.run import TraceBlock, TraceView


def print_document(view: TraceView, blocks: Iterable[TraceBlock]) -> None:
    """Print the document. Ticks come in order and the document has part after part, so they wait in a file."""
    with TemporaryDirectory(prefix="longtail-trace-") as folder:
        file = Path(folder) / "window.parquet"
        for _ in writing(file, view.program, blocks):
            pass
        print_json_as_it_comes(_document(view, file))


def _document(view: TraceView, ticks: Path) -> dict[str, Any]:
    summary = view.summary
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
        "t": column(ticks, "t"),
        "fired": column(ticks, "fires"),
        "parts": (
            {
                "text": part.text,
                "let": part.let,
                "depth": part.depth,
                "type": part.type,
                "unit": part.unit,
                "values": column(ticks, name),
            }
            for part, name in zip(view.program.parts, names_of(view.program), strict=True)
        ),
    }
