"""`longtail budget`: how much of their budgets campaigns have used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.output import json_option, print_json, print_table, remark, shown_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fleet_api.client import ApiClient
    from triggers.contracts.api.campaigns import AccountView

COLUMNS = ("campaign", "kind", "vehicle", "day", "limit", "held", "settled")


@click.group()
def budget() -> None:
    """Show how much of their budgets campaigns have used."""


@budget.command()
@click.argument("campaign", required=False)
@json_option
@with_client
def show(client: ApiClient, campaign: str | None, as_json: bool) -> None:
    """Show the accounts of a campaign, or of all.

    `held` is what is reserved or used of the limit, `settled` the part of it that has arrived.
    """
    accounts = client.budget.accounts(campaign)
    if as_json:
        print_json({name: [each.model_dump(mode="json") for each in listed] for name, listed in accounts.items()})
    elif any(accounts.values()):
        show_accounts(accounts)
    else:
        remark("no budget has been used yet; accounts are opened by the first upload")


def show_accounts(accounts: Mapping[str, Sequence[AccountView]], *, title: str = "") -> None:
    """Ledger accounts by campaign: bytes in the unit that people read, clips as they are."""
    rows = [_row(campaign, account) for campaign, listed in accounts.items() for account in listed]
    print_table(title, COLUMNS, rows)


def _row(campaign: str, account: AccountView) -> tuple[object, ...]:
    amounts = (account.limit, account.held, account.settled)
    shown = [shown_bytes(amount) for amount in amounts] if account.unit == "bytes" else amounts
    return campaign, account.kind, account.vehicle_id, account.day, *shown
