"""`longtail budget`: how much of its budget each campaign has used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.fleet.rates.forecast import forecast, show_bars
from fleet_api.cli.numbers import WholeNumber
from fleet_api.cli.output import Column, Form, form_options, print_json, print_list, print_table, remark, shown_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from fleet_api.client import Client
    from triggers.contracts.api.budget import AccountView

MAX_COUNTED = 10_000
"""Vehicle-days that are counted beside those that are shown: a fleet may have a million."""


def left_of(account: AccountView) -> int | None:
    """What can still be reserved; None without a limit."""
    return None if account.limit is None else max(0, account.limit - account.held)


COLUMNS: tuple[Column[AccountView], ...] = (
    Column("campaign", lambda account: account.campaign),
    Column("kind", lambda account: account.kind),
    Column("vehicle", lambda account: account.vehicle_id),
    Column("day", lambda account: account.day),
    Column("limit", lambda account: account.limit),
    Column("held", lambda account: account.held),
    Column("settled", lambda account: account.settled),
    Column("left", left_of),
    Column("unit", lambda account: account.unit),
)


@click.group()
def budget() -> None:
    """Show how much of its budget each campaign has used."""


budget.add_command(forecast)


@budget.command(short_help="Show how much of their budgets one or all campaigns have used.")
@click.argument("campaign", required=False)
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="UTC day of the vehicle-days shown, as in 2026-01-31.  [default: today]",
)
@click.option(
    "--top",
    type=WholeNumber(0),
    default=10,
    show_default=True,
    help="How many vehicle-days to show: those that hold the most.",
)
@form_options("json", "csv")
@with_client
def show(client: Client, campaign: str | None, form: Form, day: datetime | None, top: int) -> None:
    """Show the budgets of a campaign, or of all campaigns and the fleet.

    Totals come first, then the vehicles that hold the most of their limits on one day (UTC). `held` is the part of the
    limit that is reserved or used, and `settled` the part of `held` that has arrived; `left` is what can still be
    reserved. Below are bars of what campaigns that run or wait have spent and are expected to.
    """
    accounts = client.budget.accounts(campaign, day=None if day is None else day.date())
    shown: list[AccountView] = []
    more = 0
    for account in accounts:
        if account.day is None or top > 0:
            shown.append(account)
            top -= account.day is not None
        elif (more := more + 1) == MAX_COUNTED:
            break
    if form == "json":
        print_json({"accounts": [account.model_dump(mode="json") for account in shown], "capped": more > 0})
    elif form == "table" and shown:
        show_accounts(shown)
    else:
        print_list(form, shown, COLUMNS, none="no campaign has a limit, and nothing has been uploaded yet")
    if form == "table":
        show_bars(client.forecasts.current(campaign).forecasts)
    if more:
        remark(f"{'at least ' if more == MAX_COUNTED else ''}{more} more vehicle-days; --top shows more of them")


def show_accounts(accounts: Sequence[AccountView], *, title: str = "") -> None:
    """Print ledger accounts as a table: bytes with a unit, clips as plain numbers."""
    names = ("campaign", "kind", "vehicle", "day", "limit", "held", "used", "settled", "left")
    print_table(title, names, [_row(account) for account in accounts])


def _row(account: AccountView) -> tuple[object, ...]:
    amounts = (account.limit, account.held, account.settled, left_of(account))
    limit, held, settled, left = (
        [None if amount is None else shown_bytes(amount) for amount in amounts] if account.unit == "bytes" else amounts
    )
    return account.campaign, account.kind, account.vehicle_id, account.day, limit, held, _share(account), settled, left


def _share(account: AccountView) -> str | None:
    """The part of the limit that is held, in whole percent rounded down, so that 100 % means full."""
    return None if not account.limit else f"{account.held * 100 // account.limit} %"
