"""`longtail cost`: price books, and what the plan of a backtest would cost by one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fleet_api.cli.fleet.costs.months import close, export, list_months, statement
from fleet_api.cli.fleet.costs.price_books import get, list_books, publish
from fleet_api.cli.fleet.costs.show import show
from fleet_api.cli.numbers import WholeNumber
from fleet_api.cli.output import counted, json_option, print_json, print_table, remark

if TYPE_CHECKING:
    from decimal import Decimal

    from triggers.costs.plan import PlanCost, PlannedFleet
    from triggers.costs.prices import PriceBook, Tariff

MAX_VEHICLES = 10**9


@click.group()
def cost() -> None:
    """Check and publish price books, and show what the plan of a backtest costs.

    A price book is a YAML file with the prices of transfer, requests and storage, and the days on which they hold.
    """


for _command in (show, list_months, close, statement, export, publish, list_books, get):
    cost.add_command(_command)


@cost.command(short_help="Report every mistake in a price book, and show its prices.")
@click.argument("book", type=click.Path(path_type=Path))
def check(book: Path) -> None:
    """Report every mistake in the price book BOOK, or show its prices."""
    from triggers.costs.reader import load_price_book

    prices = load_price_book(book)
    tariffs = list(prices.tariffs)
    columns = ["", *(_days(tariff) for tariff in tariffs)]
    print_table(f"Prices in {prices.currency}", columns, _price_rows(prices))


@cost.command(short_help="Show what the plan of a backtest costs, before it is approved.")
@click.argument("report", type=click.Path(path_type=Path))
@click.option("--prices", required=True, type=click.Path(path_type=Path), help="The price book, a YAML file.")
@click.option(
    "--start", type=click.DateTime(["%Y-%m-%d"]), help="First day of uploads, as in 2026-01-31.  [default: today]"
)
@click.option("--days", type=WholeNumber(1, 3660), default=30, show_default=True, help="For how many days.")
@click.option("--cellular", is_flag=True, help="All uploads on cellular networks instead of wifi.")
@click.option(
    "--retain", metavar="DAYS", type=WholeNumber(1, 36_500), help="Days that clips are kept.  [default: as in the book]"
)
@json_option
def plan(
    *,
    report: Path,
    prices: Path,
    start: datetime | None,
    days: int,
    cellular: bool,
    retain: int | None,
    as_json: bool,
) -> None:
    """Show what the forecast in REPORT, which `longtail backtest --json REPORT` wrote, costs by a price book.

    The cost is that of all clips of these days, from their transfer until they are erased. `low` and `high` are those
    of the forecast's interval.
    """
    from fleet_api.cli.fleet.json_file import read_json_object
    from triggers.contracts.campaign import Network
    from triggers.costs.plan import plan_cost
    from triggers.costs.prices import Stay
    from triggers.costs.reader import load_price_book

    book = load_price_book(prices)
    planned = _planned(
        read_json_object(report),
        report,
        start=datetime.now(UTC).date() if start is None else start.date(),
        days=days,
        network=Network.CELLULAR if cellular else Network.WIFI,
        kept=None if retain is None else Stay(days=retain),
    )
    costs = plan_cost(book, planned)
    if as_json:
        print_json(_document(costs, book.currency))
        return
    _show(costs, book.currency)


def _planned(document: dict[str, Any], path: Path, *, start: date, **settings: Any) -> PlannedFleet:
    """What a report forecasts for the fleet, as a plan."""
    from triggers.contracts.api.campaigns import Expected
    from triggers.costs.plan import LEVELS, PlannedFleet
    from triggers.errors import InvalidInput

    forecast = document.get("forecast", "")
    if forecast is None:
        raise InvalidInput(
            f"{path}: this backtest has no forecast: it ran over clips, which were recorded because something happened",
            remedy="run one over recorded drives, with --drives",
        )
    try:
        vehicles = forecast["vehicles"]
        daily = [Expected.model_validate(forecast[f"{quantity}_per_fleet_day"]) for quantity in ("bytes", "clips")]
        sizes, clips = ({level: float(getattr(each, level)) for level in LEVELS} for each in daily)
        is_possible = type(vehicles) is int and 1 <= vehicles <= MAX_VEHICLES
        is_possible &= all(0 <= each["low"] <= each["mean"] <= each["high"] for each in (sizes, clips))
    except (KeyError, TypeError, ValueError) as error:
        raise _no_report(path) from error
    if not is_possible:
        raise _no_report(path)
    return PlannedFleet(start=start, vehicles=vehicles, bytes_per_day=sizes, clips_per_day=clips, **settings)


def _no_report(path: Path) -> Exception:
    from triggers.errors import InvalidInput

    return InvalidInput(
        f"{path} is not the report of a backtest with a forecast for a fleet",
        remedy="write one with `longtail backtest --json FILE`",
    )


def _days(tariff: Tariff) -> str:
    """The days of a tariff in words."""
    from triggers.costs.months import DAY

    return f"from {tariff.start}" if tariff.end is None else f"{tariff.start} to {tariff.end - DAY}"


def _price_rows(book: PriceBook) -> list[list[object]]:
    """A row for each price, with a column for each tariff."""
    from triggers.contracts.campaign import Network
    from triggers.costs.prices import RequestKind

    rows: list[list[object]] = []
    for network in Network:
        rows.append([f"{network}, per GB", *(f"{tariff.transfer_per_gb[network]:f}" for tariff in book.tariffs)])
    for kind in RequestKind:
        rows.append([f"{kind}, per 1,000", *(f"{tariff.per_1000_requests[kind]:f}" for tariff in book.tariffs)])
    for index, name in enumerate(book.tiers):
        tiers = [tariff.tiers[index] for tariff in book.tariffs]
        rows.append([f"{name}, per GB-month", *(f"{tier.per_gb_month:f}" for tier in tiers)])
        stays = [str(tier.stays) if tier.stays is not None else "until erased" for tier in tiers]
        rows.append([f"{name}, stays", *stays])
    return rows


def _show(costs: PlanCost, currency: str) -> None:
    """The cost as a table, with what it is for."""
    from triggers.costs.amounts import rounded
    from triggers.costs.plan import LEVELS, last_day

    def row(name: str, amounts: list[Decimal]) -> list[object]:
        return [name, *(f"{rounded(amount):,f}" for amount in amounts)]

    plan = costs.plan
    by_sku = {level: costs.by_sku(level) for level in LEVELS}
    rows = [row(sku, [by_sku[level][sku] for level in LEVELS]) for sku in by_sku["mean"]]
    rows.append(row("total", [costs.total(level) for level in LEVELS]))
    rows.append(["per vehicle-day", *(f"{costs.per_vehicle_day(level):f}" for level in LEVELS)])
    title = f"{counted(plan.vehicles, 'vehicle')}, {plan.start} to {last_day(plan)}, {plan.network}, in {currency}"
    print_table(title, ("", *LEVELS), rows)
    if (per_clip := costs.per_clip()) is not None:
        remark(f"a clip costs {per_clip:f} {currency} on average")
    remark(f"the last of it falls due in {max(costs.by_month('high'), default=plan.start)}")


def _document(costs: PlanCost, currency: str) -> dict[str, Any]:
    """The cost as JSON, with amounts as texts, since they are exact decimals."""
    from triggers.costs.plan import LEVELS, last_day

    plan = costs.plan
    by_sku = {level: costs.by_sku(level) for level in LEVELS}
    by_month = {level: costs.by_month(level) for level in LEVELS}
    per_clip = costs.per_clip()
    return {
        "currency": currency,
        "start": str(plan.start),
        "end": str(last_day(plan)),
        "vehicles": plan.vehicles,
        "network": str(plan.network),
        "total": {level: f"{costs.total(level):f}" for level in LEVELS},
        "per_vehicle_day": {level: f"{costs.per_vehicle_day(level):f}" for level in LEVELS},
        "per_clip": None if per_clip is None else f"{per_clip:f}",
        "by_sku": {sku: {level: f"{by_sku[level][sku]:f}" for level in LEVELS} for sku in by_sku["mean"]},
        "by_month": {
            str(month): {level: f"{by_month[level][month]:f}" for level in LEVELS} for month in by_month["mean"]
        },
    }
