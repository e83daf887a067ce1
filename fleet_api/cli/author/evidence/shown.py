"""Numbers of a backtest as its tables show them, and how the rest of a long table is told."""

from __future__ import annotations

from fleet_api.cli.output import print_result

SHOWN = 20
"""Rows that are shown of the longer tables; the files have all of them."""


def share(value: float | None) -> str:
    """A share in percent; nothing for None."""
    return "" if value is None else f"{100 * value:.0f} %"


def tell_rest(count: int, where: str, shown: int = SHOWN) -> None:
    """How many rows of a table are not shown, and where they are."""
    if count > shown:
        print_result(f"and {count - shown} more ({where})")
