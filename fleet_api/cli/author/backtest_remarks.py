"""Remarks on a backtest, on standard error: what was left out, unknown, merged or not counted, and what cannot fit."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from fleet_api.cli.author.evidence.known_events import tell_events
from fleet_api.cli.output import remark
from triggers.backtest.page.remarks import remarks

if TYPE_CHECKING:
    from triggers.backtest.report import BacktestReport

_SHOWN = 20
"""Remarks of one kind; the report has all of them."""


def tell_remarks(*reports: BacktestReport) -> None:
    """Print what the figures do not say by themselves; what is the same in several reports once."""
    for kind in zip_longest(*map(remarks, reports), fillvalue=()):
        lines = list(dict.fromkeys(line for lines in kind for line in lines))
        for line in lines[:_SHOWN]:
            remark(line)
        if len(lines) > _SHOWN:
            remark(f"and {len(lines) - _SHOWN} more like this (--json has all of them)")
    for report in reports:
        if report.known_events is not None:
            tell_events(report.known_events)
