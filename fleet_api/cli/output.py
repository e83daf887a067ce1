"""What commands print: JSON on standard output, tables and remarks on standard error."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")


def print_json(value: Any) -> None:
    """The one JSON document that a command with `--json` writes."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def remark(text: str) -> None:
    """A line for the person at the terminal."""
    click.echo(text, err=True)


def counted(count: int, thing: str, things: str = "") -> str:
    """`1 error`, `2 errors`; `things` is the plural where an `s` does not make it."""
    return f"{count} {thing}" if count == 1 else f"{count} {things or thing + 's'}"


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table for people; numbers stand to the right. Where nobody watches, lines are as wide as they need to be."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    content = [list(row) for row in rows]
    table = Table(title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = bool(content) and all(isinstance(row[index], int | float | None) for row in content)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in content:
        table.add_row(*("" if cell is None else _shown(cell) for cell in row))
    console = Console(stderr=True)
    if not console.is_terminal:
        console = Console(stderr=True, width=240)
    console.print(table)


def _shown(cell: object) -> str:
    from rich.markup import escape

    text = f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else str(cell)
    return escape(text)


def shown_bytes(count: int | None) -> str:
    """Bytes in the unit people read them in (SI, as in budgets)."""
    if count is None:
        return ""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB", "PB"]
    while abs(value) >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} {units[0]}" if units[0] == "B" else f"{value:.1f} {units[0]}"
