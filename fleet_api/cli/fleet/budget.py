"""`longtail budget`: how much of its budget each campaign has used."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.fleet.rates.forecast import forecast, show_bars
from fleet_api.cli.numbers import Bytes, WholeNumber
from fleet_api.cli.output import (
    Column,
    Form,
    form_options,
    json_option,
    print_json,
    print_list,
    print_result,
    print_table,
    remark,
    shown_bytes,
)
from triggers.contracts.campaign import budget_owner, owner_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from fleet_api.client import Client
    from triggers.contracts.api.budget import AccountKind, AccountView, LimitKind, LimitView

MAX_COUNTED = 10_000
"""Vehicle-days that are counted beside those that are shown: a fleet may have a million."""


def left_of(account: AccountView) -> int | None:
    """What can still be reserved; None without a limit."""
    return None if account.limit is None else max(0, account.limit - account.held)


OPTION_OF: dict[LimitKind, str] = {
    "campaign_bytes": "--total",
    "campaign_clips": "--clips",
    "trigger_bytes": "--total",
    "trigger_clips": "--clips",
    "cost_centre_month": "--month",
    "fleet": "--total",
    "fleet_month": "--month",
}
COLUMNS: tuple[Column[AccountView], ...] = (
    Column("campaign", lambda account: account.campaign),
    Column("trigger", lambda account: account.trigger),
    Column("kind", lambda account: account.kind),
    Column("vehicle", lambda account: account.vehicle_id),
    Column("day", lambda account: account.day),
    Column("cost_centre", lambda account: account.cost_centre),
    Column("network", lambda account: account.network),
    Column("month", lambda account: account.month),
    Column("limit", lambda account: account.limit),
    Column("held", lambda account: account.held),
    Column("settled", lambda account: account.settled),
    Column("left", left_of),
    Column("unit", lambda account: account.unit),
)


@click.group()
def budget() -> None:
    """Show how much of its budget each campaign has used, set limits, and audit the ledger."""


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
    help="How many vehicle-days to show, of bytes and of clips: those that hold the most.",
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
    of_days: Counter[AccountKind] = Counter()
    for account in accounts:
        if account.day is None or of_days[account.kind] < top:
            shown.append(account)
            of_days[account.kind] += account.day is not None
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


@budget.command(short_help="Set the limit of a campaign, a trigger, a cost centre or the fleet.")
@click.argument("campaign", required=False, metavar="[CAMPAIGN[.TRIGGER]]")
@click.option("--cost-centre", help="The limit is of this cost centre, in a calendar month.")
@click.option("--fleet", is_flag=True, help="The limit is of the fleet.")
@click.option("--total", type=Bytes(), help="Bytes in total, such as 2 TB, of a campaign, a trigger or the fleet.")
@click.option("--month", type=Bytes(), help="Bytes in a calendar month, of a cost centre or the fleet.")
@click.option("--clips", type=WholeNumber(0), help="Clips of a campaign or a trigger.")
@click.option("--none", is_flag=True, help="Take away the limits that were set by this command.")
@click.option("--zone", help="Where a cost centre's months begin, as in Europe/Berlin.  [default: as before]")
@click.option("--reason", required=True, help="Why, in at most 500 characters; it is in the audit log.")
@json_option
@with_client
def limit(
    client: Client,
    *,
    campaign: str | None,
    cost_centre: str | None,
    fleet: bool,
    total: int | None,
    month: int | None,
    clips: int | None,
    none: bool,
    zone: str | None,
    reason: str,
    as_json: bool,
) -> None:
    """Set the limit of a CAMPAIGN, of a trigger's own budget in it (CAMPAIGN.TRIGGER), of a cost centre's months
    (--cost-centre) or of the fleet (--fleet).

    It counts beside the limit that was approved or that the settings have: the lower one applies, at once. So it can be
    lowered and raised again; more than was approved takes a new version of the campaign, and so does a limit for a
    trigger that was approved without one. Below what is held already, uploads stop at once.
    """
    if (campaign is not None) + (cost_centre is not None) + fleet != 1:
        raise click.UsageError("name a campaign, or give either --cost-centre NAME or --fleet")
    given: dict[LimitKind, int | None] = {"fleet": total, "fleet_month": month}
    if campaign is not None and owner_parts(campaign)[1]:
        given = {"trigger_bytes": total, "trigger_clips": clips}
    elif campaign is not None:
        given = {"campaign_bytes": total, "campaign_clips": clips}
    elif cost_centre is not None:
        given = {"cost_centre_month": month}
    chosen = _chosen(given, sum(amount is not None for amount in (total, month, clips)), none=none)
    name = campaign or cost_centre or ""
    set_now = [
        client.budget.set_limit(kind, name, amount=amount, zone=zone, reason=reason) for kind, amount in chosen.items()
    ]
    if as_json:
        print_json([view.model_dump(mode="json") for view in set_now])
        return
    for view in set_now:
        _show_limit(view)


def _chosen(given: dict[LimitKind, int | None], options: int, *, none: bool) -> dict[LimitKind, int | None]:
    """The limits to set, of those that there are here; a usage error for others, and for none at all."""
    chosen: dict[LimitKind, int | None] = {kind: amount for kind, amount in given.items() if amount is not None}
    if len(chosen) != options or bool(chosen) == none:
        raise click.UsageError(f"give {' or '.join(OPTION_OF[kind] for kind in given)}, or --none alone")
    return given if none else chosen


def _show_limit(view: LimitView) -> None:
    amount: Callable[[int], str] = str if OPTION_OF[view.kind] == "--clips" else shown_bytes
    of = f"{view.kind} of {view.name}" if view.name else view.kind
    of += "" if view.month is None else f" in {view.month:%Y-%m}"
    has = "no limit" if view.limit is None else f"the limit {amount(view.limit)}"
    print_result(f"{of} has {has}; {amount(view.held)} are held, {amount(view.settled)} of them settled")
    if view.above or (view.limit is not None and view.held == view.limit):
        ended = f"; {view.ended} that were under way have been ended" if view.ended else ""
        remark(f"{amount(view.above)} more than the limit are held: uploads stop now{ended}")


@budget.command(short_help="Compare every balance with what came, to the byte.")
@json_option
@with_client
def audit(client: Client, as_json: bool) -> int:
    """Recompute every balance from its entries, and the entries from uploads, clips and objects, and compare both.

    The exit status is 1 if anything differs.
    """
    accounts = entries = uploads = objects = object_bytes = 0
    differences: list[str] = []
    capped = False
    for page in client.budget.audit():
        accounts, entries = accounts + page.accounts, entries + page.entries
        uploads, objects = uploads + page.uploads, objects + page.objects
        object_bytes, capped = object_bytes + page.object_bytes, capped or page.capped
        differences += page.differences
    counts = {"accounts": accounts, "entries": entries, "uploads": uploads, "objects": objects}
    if as_json:
        print_json({**counts, "object_bytes": object_bytes, "differences": differences, "capped": capped})
        return 1 if differences else 0
    for sentence in differences:
        print_result(sentence)
    looked_at = ", ".join(f"{count} {what}" for what, count in counts.items()) + f" of {shown_bytes(object_bytes)}"
    if differences:
        remark(f"{'at least ' if capped else ''}{len(differences)} differences in {looked_at}")
        return 1
    print_result(f"all agree to the byte: {looked_at}")
    return 0


def show_accounts(accounts: Sequence[AccountView], *, title: str = "") -> None:
    """Print ledger accounts as a table: bytes with a unit, clips as plain numbers."""
    names = ("of", "kind", "vehicle", "day or month", "limit", "held", "used", "settled", "left")
    print_table(title, names, [_row(account) for account in accounts])


def _row(account: AccountView) -> tuple[object, ...]:
    amounts = (account.limit, account.held, account.settled, left_of(account))
    limit, held, settled, left = (
        [None if amount is None else shown_bytes(amount) for amount in amounts] if account.unit == "bytes" else amounts
    )
    of_campaign = budget_owner(account.campaign, account.trigger)
    of = of_campaign or account.cost_centre or account.network
    period = account.day if account.month is None else f"{account.month:%Y-%m}"
    return of, account.kind, account.vehicle_id, period, limit, held, _share(account), settled, left


def _share(account: AccountView) -> str | None:
    """The part of the limit that is held, in whole percent rounded down, so that 100 % means full."""
    return None if not account.limit else f"{account.held * 100 // account.limit} %"
