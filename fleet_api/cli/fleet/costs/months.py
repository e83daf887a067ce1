"""`longtail cost months`, `close`, `statement` and `export`: months of costs, which close for good."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.output import (
    Column,
    Form,
    counted,
    form_options,
    json_option,
    print_json,
    print_list,
    print_result,
    print_table,
    remark,
)

if TYPE_CHECKING:
    from fleet_api.client import Client
    from triggers.contracts.api.costs.months import ClosedMonthView, CostEntryView, StatementView

MONTH_COLUMNS: tuple[Column[ClosedMonthView], ...] = (
    Column("month", lambda month: month.month),
    Column("amount", lambda month: month.amount),
    Column("currency", lambda month: month.currency),
    Column("entries", lambda month: month.entries),
    Column("price_book", lambda month: month.price_book),
    Column("zone", lambda month: month.zone),
    Column("closed_by", lambda month: month.closed_by),
    Column("closed_at", lambda month: month.closed_at),
)
ENTRY_COLUMNS: tuple[Column[CostEntryView], ...] = (
    Column("number", lambda entry: entry.number),
    Column("campaign", lambda entry: entry.campaign),
    Column("sku", lambda entry: entry.sku),
    Column("is_correction", lambda entry: entry.is_correction),
    Column("start", lambda entry: entry.start),
    Column("end", lambda entry: entry.end),
    Column("quantity", lambda entry: entry.quantity),
    Column("unit", lambda entry: entry.unit),
    Column("unit_price", lambda entry: entry.unit_price),
    Column("amount", lambda entry: entry.amount),
)


@click.command(name="months", short_help="List the months of costs that are closed.")
@form_options("json", "csv")
@with_client
def list_months(client: Client, form: Form) -> None:
    """List the months of costs that are closed, in order."""
    found = client.costs.months()
    none = "no month is closed; an operator closes one with `longtail cost close MONTH`"
    print_list(form, found.months, MONTH_COLUMNS, none=none)
    if form == "table" and found.next_open is not None:
        remark(f"{found.next_open} is the next to be closed")


@click.command(short_help="Close a month of costs for good.")
@click.argument("month")
@json_option
@with_client
def close(client: Client, *, month: str, as_json: bool) -> None:
    """Close MONTH, such as 2026-01, for good, with the costs of each campaign and corrections of earlier months.

    Months are closed in order, once they are over and their days of grace, too. A closed month never changes: what
    becomes known of it later is corrected in the month that is open then.
    """
    closed = client.costs.close(month)
    if as_json:
        print_json(closed.model_dump(mode="json"))
    else:
        entries = counted(closed.entries, "entry", "entries")
        print_result(f"{closed.month} is closed with {entries}: {closed.amount} {closed.currency}")


@click.command(short_help="Show the entries of a month of costs.")
@click.argument("month")
@form_options("json", "csv")
@with_client
def statement(client: Client, *, month: str, form: Form) -> None:
    """Show the entries of MONTH, such as 2026-01: those it was closed with, or would be with what is known now."""
    found = client.costs.statement(month)
    if form == "json":
        print_json(found.model_dump(mode="json"))
    elif form == "csv":
        print_list(form, found.entries, ENTRY_COLUMNS, none="")
    else:
        _show(found)


@click.command(short_help="Export closed months of costs as FOCUS 1.2.")
@click.option(
    "--format", "format_", type=click.Choice(["focus"]), default="focus", show_default=True, help="FOCUS 1.2, in CSV."
)
@click.option("--from", "first", metavar="MONTH", help="The first month.  [default: the first closed]")
@click.option("--through", metavar="MONTH", help="The last month.  [default: the last closed]")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file.  [default: standard output]")
@with_client
def export(client: Client, *, format_: str, first: str | None, through: str | None, output: Path | None) -> None:
    """Export the statements of closed months, one row per entry, as a Cost and Usage dataset of FOCUS 1.2 in CSV."""
    from triggers.atomic_file import replace_bytes

    rows = b"".join(client.costs.focus(first, through))
    if output is None:
        print_result(rows.decode().rstrip("\n"))
    else:
        replace_bytes(output, rows)
        print_result(f"{output} has the closed months as {format_.upper()}")


def _show(found: StatementView) -> None:
    from triggers.costs.amounts import rounded

    state = f"closed by {found.closed_by}" if found.closed_at is not None else "open: its entries may still change"
    rows = [
        [
            entry.campaign,
            entry.sku,
            f"of {entry.start:%Y-%m}" if entry.is_correction else "",
            f"{entry.start:%m-%d} to {entry.end:%m-%d}",
            entry.quantity,
            entry.unit,
            entry.unit_price,
            f"{rounded(Decimal(entry.amount)):,f}",
        ]
        for entry in found.entries
    ]
    names = ("campaign", "sku", "correction", "days", "quantity", "unit", "price", "amount")
    print_table(f"{found.month} in {found.currency} ({found.zone}), {state}", names, rows)
    amount = f"{rounded(Decimal(found.amount)):,f} {found.currency}"
    remark(f"together {amount}, by version {found.price_book} of the price book")
