"""`longtail budget`: how much of its budget each campaign has used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.output import Column, Form, form_options, print_json, print_list, print_table, remark, shown_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet_api.client import ApiClient
    from triggers.contracts.api.budget import AccountView

COLUMNS: tuple[Column[AccountView], ...] = (
    Column("campaign", lambda account: account.campaign),
    Column("kind", lambda account: account.kind),
    Column("vehicle", lambda account: account.vehicle_id),
    Column("day", lambda account: account.day),
    Column("limit", lambda account: account.limit),
    Column("held", lambda account: account.held),
    Column("settled", lambda account: account.settled),
    Column("unit", lambda account: account.unit),
)


@click.group()
def budget() -> None:
    """Show how much of its budget each campaign has used."""


@budget.command(short_help="Show the accounts of one or all campaigns.")
@click.argument("campaign", required=False)
@form_options("json", "csv")
@with_client
def show(client: ApiClient, campaign: str | None, form: Form) -> None:
    """Show the accounts of a campaign, or of all campaigns and the fleet.

    `held` is the part of the limit that is reserved or used, and `settled` the part of `held` that has arrived. Totals
    come first, then today's accounts of single vehicles (UTC).
    """
    listed = client.budget.accounts(campaign)
    if form == "json":
        print_json(listed.model_dump(mode="json"))
    elif form == "table" and listed.accounts:
        show_accounts(listed.accounts)
    else:
        none = "no budget has been used yet; the first upload opens the accounts"
        print_list(form, listed.accounts, COLUMNS, none=none)
    if listed.capped:
        remark("there are more accounts than these; name a campaign to see its accounts")


def show_accounts(accounts: Sequence[AccountView], *, title: str = "") -> None:
    """Print ledger accounts as a table: bytes with a unit, clips as plain numbers."""
    print_table(title, [column.name for column in COLUMNS[:-1]], [_row(account) for account in accounts])


def _row(account: AccountView) -> tuple[object, ...]:
    amounts = (account.limit, account.held, account.settled)
    shown = [shown_bytes(amount) for amount in amounts] if account.unit == "bytes" else amounts
    return account.campaign, account.kind, account.vehicle_id, account.day, *shown
