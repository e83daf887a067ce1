"""Conditions in a backtest's report for people: for how long they were true, and why triggers never fired."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet_api.cli.output import print_result, print_table
from triggers.pages.shown_numbers import shown_share

if TYPE_CHECKING:
    from triggers.backtest.conditions import PartShares, Shares
    from triggers.backtest.report import BacktestReport

_SHOWN = 30
"""Rows that are shown; the JSON document has all of them."""
_MAX_TEXT = 60
_DEEPEST = 6
"""Lets in lets that are told apart."""


def show_conditions(report: BacktestReport) -> None:
    """Print how long conditions and their parts were true, and a sentence for each trigger that never fired."""
    rows: list[tuple[str, ...]] = []
    for name, counts in report.triggers.items():
        if counts.condition.true is None:
            continue
        unknown = ", ".join(f"{signal} {shown_share(share)}" for signal, share in list(counts.unknown.items())[:3])
        rows.append((name, *_shares(counts.condition), unknown))
        rows += [
            (f"{'  ' * (min(part.depth, _DEEPEST) + 1)}{shortened(part.text)}", *_shares(part), "")
            for part in counts.parts
        ]
    if not rows:
        return
    print_table("Conditions, share of time", ("condition", "true", "false", "unknown", "with signal"), rows[:_SHOWN])
    if len(rows) > _SHOWN:
        print_result(f"and {len(rows) - _SHOWN} more (--json writes all of them)")
    silent = [(name, counts.why_not) for name, counts in report.triggers.items() if counts.why_not]
    for name, sentence in silent[:_SHOWN]:
        print_result(f"{name} never fired: {sentence}")
    if len(silent) > _SHOWN:
        print_result(f"and {len(silent) - _SHOWN} more that never fired (--json has all of them)")


def shortened(text: str) -> str:
    """A text as a cell of a table."""
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"


def _shares(shares: Shares | PartShares) -> tuple[str, str, str]:
    return shown_share(shares.true), shown_share(shares.false), shown_share(shares.unknown)
