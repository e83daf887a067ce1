"""`longtail cost show`: what campaigns have cost so far, and what it was for."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.output import Column, Form, form_options, print_json, print_list, print_table, remark, shown_bytes

if TYPE_CHECKING:
    from fleet_api.client import Client
    from triggers.contracts.api.costs.to_date import CostList, CostToDate

COLUMNS: tuple[Column[CostToDate], ...] = (
    Column("campaign", lambda cost: cost.campaign),
    Column("amount", lambda cost: cost.amount),
    Column("transfer", lambda cost: part(cost, "transfer")),
    Column("requests", lambda cost: part(cost, "requests")),
    Column("storage", lambda cost: part(cost, "storage")),
    Column("clips", lambda cost: cost.clips),
    Column("received_bytes", lambda cost: cost.received_bytes),
    Column("vehicle_days", lambda cost: cost.vehicle_days),
    Column("per_vehicle_day", lambda cost: cost.per_vehicle_day),
    Column("per_1000_km", lambda cost: cost.per_1000_km),
    Column("per_clip", lambda cost: cost.per_clip),
    Column("per_accepted_label", lambda cost: cost.per_accepted_label),
    Column("wasted_bytes", lambda cost: cost.waste.size_bytes),
    Column("wasted_amount", lambda cost: cost.waste.amount),
)


def part(cost: CostToDate, service: str) -> Decimal:
    """What of an amount is for a service, such as transfer."""
    from triggers.costs.amounts import total

    return total(Decimal(amount) for sku, amount in cost.by_sku.items() if sku.startswith(f"{service}:"))


@click.command(short_help="Show what campaigns have cost so far, and what it was for.")
@click.argument("campaign", required=False)
@form_options("json", "csv")
@with_client
def show(client: Client, campaign: str | None, form: Form) -> None:
    """Show what a campaign, or each campaign, has cost from its beginning through today, by the published price book.

    `wasted` is the part of it for clips that nobody has opened, labelled or put into a dataset.
    """
    found = client.costs.to_date(campaign)
    if form == "json":
        print_json(found.model_dump(mode="json"))
    elif form == "csv":
        print_list(form, found.costs, COLUMNS, none="")
    else:
        show_costs(found, with_total=campaign is None)


def show_costs(found: CostList, *, with_total: bool) -> None:
    """Print costs as a table for people, with amounts of two decimals, those per something of four."""
    names: tuple[str, ...] = ("campaign", "amount", "transfer", "requests", "storage", "clips", "received")
    names += ("per vehicle-day", "per 1,000 km", "per clip", "per label", "wasted", "wasted bytes")
    rows = [_row(cost, cost.campaign or "") for cost in found.costs]
    if with_total:
        rows.append(_row(found.total, "total"))
    print_table(f"Cost in {found.currency} through {found.through} ({found.zone})", names, rows)
    remark(f"by version {found.price_book} of the price book; what arrives is charged to the day its upload ends")


def _row(cost: CostToDate, name: str) -> tuple[object, ...]:
    return (
        name,
        _amount(Decimal(cost.amount)),
        *(_amount(part(cost, service)) for service in ("transfer", "requests", "storage")),
        cost.clips,
        shown_bytes(cost.received_bytes),
        *(
            None if each is None else _amount(Decimal(each), 4)
            for each in (cost.per_vehicle_day, cost.per_1000_km, cost.per_clip, cost.per_accepted_label)
        ),
        _amount(Decimal(cost.waste.amount)),
        shown_bytes(cost.waste.size_bytes),
    )


def _amount(amount: Decimal, decimals: int = 2) -> str:
    from triggers.costs.amounts import rounded

    return f"{rounded(amount, decimals):,f}"
