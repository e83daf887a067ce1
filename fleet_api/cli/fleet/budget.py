"""`longtail budget`: how much of its budgets a campaign has used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.output import json_option, print_json, print_table, shown_bytes

if TYPE_CHECKING:
    from typing import Any

    from fleet_api.client.client import ApiClient


@click.group()
def budget() -> None:
    """Show how much of their budgets campaigns have used."""


@budget.command()
@click.argument("campaign", required=False)
@json_option
@with_client
def show(client: ApiClient, campaign: str | None, as_json: bool) -> None:
    """Show the accounts of a campaign, or of all: limit, what is reserved or used, what arrived."""
    from fleet_api.client.client import segment

    listed = client.get("/v1/campaigns")["campaigns"]
    wanted = [each for each in listed if campaign in (None, each["campaign"])]
    if campaign is not None and not wanted:
        client.get(f"/v1/campaigns/{segment(campaign)}")  # raises the API's own NotFound
    accounts = {
        each["campaign"]: client.get(f"/v1/campaigns/{segment(each['campaign'])}/{each['version']}")["budget"]
        for each in wanted
    }
    if as_json:
        print_json(accounts)
        return
    rows = [row for name, budget in accounts.items() for row in account_rows(name, budget)]
    print_table("", ("campaign", "account", "vehicle", "day", "limit", "reserved or used", "used"), rows)


def account_rows(campaign: str, accounts: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    """Ledger accounts as rows: bytes in the unit people read, clips as they are."""
    rows: list[tuple[object, ...]] = []
    for account in accounts:
        in_bytes = account["unit"] == "bytes"
        amounts = [shown_bytes(account[key]) if in_bytes else account[key] for key in ("limit", "held", "settled")]
        rows.append((campaign, account["kind"], account["vehicle_id"], account["day"] or "", *amounts))
    return rows
