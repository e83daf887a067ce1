"""What the forecast of a campaign costs by the deployment's price book, for whoever is to approve it."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from triggers.contracts.api.campaigns import BacktestForecast, Expected
from triggers.contracts.api.costs.expected import ExpectedCostView, ExpectedTriggerCost
from triggers.contracts.campaign import CampaignSettings, Network
from triggers.costs.amounts import UNIT_COST_DECIMALS, rounded
from triggers.costs.plan import LEVELS, PlannedFleet, plan_cost
from triggers.costs.prices import PriceBook, Stay
from triggers.costs.reader import parse_price_book
from triggers.errors import InvalidInput
from triggers.times import NS_PER_S

NS_PER_DAY = 86_400 * NS_PER_S


def expected_cost(
    forecast: BacktestForecast, settings: CampaignSettings, *, version: int, text: str, today: date
) -> ExpectedCostView:
    """What the clips that are forecast for a day of the fleet cost, by a version of the price book and its text.

    On each network that the campaign uploads on, at the prices from today on. Where that cannot be said, the view says
    why.
    """
    try:
        book = read_book(text)
        costs = [
            ExpectedTriggerCost(trigger=name, network=route.network, **_amounts(book, plan))
            for name, expected in forecast.triggers.items()
            for route in settings.upload
            for plan in [_planned(forecast, name, settings, network=route.network, today=today)]
        ]
        return ExpectedCostView(price_book=version, currency=book.currency, day=today, costs=costs, unknown=None)
    except InvalidInput as error:
        return ExpectedCostView(price_book=version, currency=None, day=today, costs=[], unknown=str(error))


@lru_cache(maxsize=4)
def read_book(text: str) -> PriceBook:
    """The price book of a published text; it is read once."""
    return parse_price_book(text, name="the price book")


def _planned(
    forecast: BacktestForecast, trigger: str, settings: CampaignSettings, *, network: Network, today: date
) -> PlannedFleet:
    """One day of the fleet. A clip is kept for the whole days in which its retention ends."""
    expected = forecast.triggers[trigger]
    kept = None if settings.retain_ns is None else Stay(days=-(-settings.retain_ns // NS_PER_DAY))
    return PlannedFleet(
        start=today,
        days=1,
        vehicles=forecast.vehicles,
        network=network,
        bytes_per_day=_levels(expected.bytes_per_fleet_day),
        clips_per_day=_levels(expected.clips_per_fleet_day),
        kept=kept,
    )


def _levels(expected: Expected) -> dict[str, float]:
    """A forecast by level; one of which nobody knows how much it may be has no cost."""
    if expected.high is None or not 0 <= expected.low <= expected.mean <= expected.high:
        raise InvalidInput("the forecast has a quantity without bounds", remedy="run the backtest over longer drives")
    return {"low": expected.low, "mean": expected.mean, "high": expected.high}


def _amounts(book: PriceBook, plan: PlannedFleet) -> dict[str, str]:
    cost = plan_cost(book, plan)
    return {level: f"{rounded(cost.total(level), UNIT_COST_DECIMALS):f}" for level in LEVELS}
