"""What commands print: results on standard output, remarks on standard error (and tables, unless told otherwise)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")

_WIDE = 240
"""Characters per line of a table that does not go to a terminal."""


def print_json(value: Any) -> None:
    """The one JSON document that a command with `--json` writes."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def remark(text: str) -> None:
    """A line for the person at the terminal."""
    click.echo(text, err=True)


def print_result(text: str) -> None:
    """A line of what was asked for."""
    click.echo(text)


def counted(count: int, thing: str, things: str = "") -> str:
    """`1 error`, `2 errors`; `things` is the plural where an `s` does not make it."""
    return f"{count} {thing}" if count == 1 else f"{count} {things or thing + 's'}"


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, results: bool = False) -> None:
    """A table for people, numbers aligned to the right; on standard output if these are the command's results.

    On a terminal cells are wrapped between words, never within one; elsewhere lines are as wide as they need to be.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    content = [list(row) for row in rows]
    table = Table(title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = bool(content) and all(isinstance(row[index], int | float | None) for row in content)
        words = [word for cell in (column, *(row[index] for row in content)) for word in _cell(cell).split()]
        longest_word = max(map(len, words), default=0)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold", min_width=longest_word)
    for row in content:
        table.add_row(*(escape(_cell(cell)) for cell in row))
    console = Console(stderr=not results)
    if not console.is_terminal:
        console = Console(stderr=not results, width=_WIDE)
    console.print(table, crop=False)  # where the words of a row do not fit, the terminal breaks the line


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def shown_bytes(count: int | None) -> str:
    """Bytes in the unit people read them in (SI, as in budgets)."""
    if count is None:
        return ""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB", "PB"]
    while abs(value) >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} {units[0]}" if units[0] == "B" else f"{value:.1f} {units[0]}"
