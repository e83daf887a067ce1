"""The results of a run, as tables for people and as JSON for comparison with later runs.

`python -m bench.report FILE [--area AREA]` prints a run's JSON as the Markdown tables of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.measure import Comparison, Role, Timing

FORMAT = 1


def table_of(comparison: Comparison) -> Table:
    """One row per contender; the last columns say how many times as fast as each reference it is."""
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
    """All results of a run, by area; `surroundings` describes the machine and versions."""
    return {
        "format": FORMAT,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        **surroundings,
        "areas": {area: [_comparison_json(each) for each in found] for area, found in comparisons.items()},
    }


def markdown(found: Mapping[str, Any], areas: Sequence[str]) -> str:
    """A document's comparisons as Markdown tables: rates in millions per second where they are that large."""
    return "\n".join(_markdown_table(each) for area in areas for each in found["areas"].get(area, []))


def write(path: Path, found: dict[str, Any]) -> None:
    """Write the JSON file, and create its folder."""
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


def _markdown_table(comparison: Mapping[str, Any]) -> str:
    references = [each["name"] for each in comparison["contenders"] if each["role"] != Role.OWN.value]
    unit, divisor = comparison["unit"], 1.0
    if unit and max(each["per_s"] for each in comparison["contenders"]) >= 1e5:
        unit, divisor = f"M {unit}", 1e6
    heading = [comparison["name"], f"{unit}/s" if unit else "ms", *(f"x {name}" for name in references)]
    lines = [heading, ["---"] * len(heading)]
    for each in comparison["contenders"]:
        if unit:
            median, *spread = (comparison["amount"] / each_s / divisor for each_s in _median_and_spread(each))
        else:
            median, *spread = (each_s * 1e3 for each_s in _median_and_spread(each))
        cells = [each["name"], f"{_shown(median)} ({'..'.join(map(_shown, sorted(spread)))})"]
        ratios = each["times_as_fast_as"]
        cells += ["" if name == each["name"] or name not in ratios else f"{ratios[name]:.2f}" for name in references]
        lines.append(cells)
    extra = [f"{name}: {value:.3g}" for name, value in comparison["extra"].items()]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return f"{table}\n" + "".join(f"\n{line}  " for line in [*extra, *comparison["notes"]]) + "\n"


def _median_and_spread(contender: Mapping[str, Any]) -> tuple[float, float, float]:
    return contender["median_s"], max(contender["seconds"]), min(contender["seconds"])


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


def main(argv: list[str]) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.report", description="Print a run as Markdown tables.")
    parser.add_argument("file", type=Path, help="what `make bench` wrote")
    parser.add_argument("--area", action="append", help="this area alone (may be repeated)")
    options = parser.parse_args(argv)
    found = json.loads(options.file.read_text(encoding="utf-8"))
    for name in ("machine", "versions", "load_before", "load_after", "finished"):
        print(f"{name}: {found[name]}  ")
    print()
    print(markdown(found, options.area or list(found["areas"])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
