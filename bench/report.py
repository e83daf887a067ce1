"""What a run found, as tables for people and as JSON for the next run to be compared with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.measure import Comparison, Role, Timing

FORMAT = 1


def table_of(comparison: Comparison) -> Table:
    """One line a contender; the last columns say how many times as fast as each reference it is."""
    table = Table(title=comparison.name, title_justify="left", title_style="bold")
    table.add_column("")
    for heading in (_rate_heading(comparison), "slowest..fastest", "CPU here, s"):
        table.add_column(heading, justify="right")
    references = comparison.references()
    for reference in references:
        table.add_column(f"x {reference.name}", justify="right")
    for timing in comparison.timings:
        ratios = [_shown_ratio(timing, reference) for reference in references]
        table.add_row(*_cells(comparison, timing), *ratios, style="bold" if timing.role is Role.OWN else "")
    return table


def show(console: Console, comparison: Comparison) -> None:
    """Print one comparison, with its notes and further figures."""
    console.print(table_of(comparison))
    for name, value in comparison.extra.items():
        console.print(f"  {name}: {value:.3g}")
    for note in comparison.notes:
        console.print(f"  {note}")


def document(
    comparisons: Mapping[str, Sequence[Comparison]], *, surroundings: dict[str, Any], quick: bool
) -> dict[str, Any]:
    """Everything a run found, by area; `surroundings` says on what it ran."""
    return {
        "format": FORMAT,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        **surroundings,
        "areas": {area: [_comparison_json(each) for each in found] for area, found in comparisons.items()},
    }


def write(path: Path, found: dict[str, Any]) -> None:
    """Write the JSON file; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _comparison_json(comparison: Comparison) -> dict[str, Any]:
    return {
        "name": comparison.name,
        "amount": comparison.amount,
        "unit": comparison.unit,
        "notes": list(comparison.notes),
        "extra": comparison.extra,
        "contenders": [
            {
                "name": timing.name,
                "role": timing.role.value,
                "seconds": list(timing.seconds),
                "cpu_s": list(timing.cpu_s),
                "median_s": timing.median_s,
                "per_s": comparison.rate(timing),
                "times_as_fast_as": {
                    reference.name: comparison.ratio(timing, reference) for reference in comparison.references()
                },
            }
            for timing in comparison.timings
        ],
    }


def _rate_heading(comparison: Comparison) -> str:
    return f"{comparison.unit}/s" if comparison.unit else "ms"


def _cells(comparison: Comparison, timing: Timing) -> list[str]:
    slowest_s, fastest_s = max(timing.seconds), min(timing.seconds)
    if comparison.unit:
        median = _shown(comparison.rate(timing))
        spread = f"{_shown(comparison.amount / slowest_s)}..{_shown(comparison.amount / fastest_s)}"
    else:
        median, spread = f"{timing.median_s * 1e3:.0f}", f"{slowest_s * 1e3:.0f}..{fastest_s * 1e3:.0f}"
    return [timing.name, median, spread, f"{timing.median_cpu_s:.2f}"]


def _shown(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _shown_ratio(timing: Timing, reference: Timing) -> str:
    return "" if timing is reference else f"{Comparison.ratio(timing, reference):.2f}"
