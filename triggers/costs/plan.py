"""What a plan will cost: so many bytes per day over some days, from their transfer until their clips are erased."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from triggers.contracts.campaign import Network
from triggers.costs.amounts import UNIT_COST_DECIMALS, allocate_whole, rounded, total, unit_cost
from triggers.costs.charges import Charge
from triggers.costs.months import DAY, LAST_DAY, Month
from triggers.costs.prices import PriceBook, Stay
from triggers.costs.storage import Uploads, lifetime_charges
from triggers.errors import InvalidInput

MAX_DAYS = 3660
LEVELS = ("low", "mean", "high")
"""An expected quantity: its mean, and the ends of its interval."""
Expected = Mapping[str, float]
"""A quantity by level."""


@dataclass(frozen=True, slots=True)
class PlannedFleet:
    """What a fleet is expected to upload per day on one network, beginning on a day and for some days.

    `kept` is how long the campaign keeps its clips; None: as long as the price book says.
    """

    start: date
    days: int
    vehicles: int
    network: Network
    bytes_per_day: Expected
    clips_per_day: Expected
    kept: Stay | None = None


@dataclass(frozen=True, slots=True)
class PlanCost:
    """What a plan costs, by level: its charges, all of them as exact as if the bytes were known."""

    plan: PlannedFleet
    charges: Mapping[str, tuple[Charge, ...]]

    def total(self, level: str) -> Decimal:
        """All cost, until the last clip is erased."""
        return total(charge.amount for charge in self.charges[level])

    def by_sku(self, level: str) -> dict[str, Decimal]:
        """Cost by SKU, in order; those that cost something at the highest level."""
        skus = sorted({charge.sku for charge in self.charges["high"] if charge.amount})
        return {str(sku): total(each.amount for each in self.charges[level] if each.sku == sku) for sku in skus}

    def by_month(self, level: str) -> dict[Month, Decimal]:
        """Cost by the month in which it falls due, in order."""
        months = sorted({charge.month for charge in self.charges["high"]})
        return {month: total(each.amount for each in self.charges[level] if each.month == month) for month in months}

    def per_vehicle_day(self, level: str) -> Decimal:
        """The cost of what a vehicle uploads in a day, rounded as unit costs are."""
        return rounded(Fraction(self.total(level)) / (self.plan.vehicles * self.plan.days), UNIT_COST_DECIMALS)

    def per_clip(self) -> Decimal | None:
        """The mean cost of a clip; None if not a single one is expected."""
        return unit_cost(self.total("mean"), over_days(self.plan.clips_per_day["mean"], self.plan.days))


def plan_cost(book: PriceBook, plan: PlannedFleet) -> PlanCost:
    """What a plan costs at each level. InvalidInput if the book does not say what it needs.

    Whole bytes and clips over all days are divided evenly among the days. A clip is written by one request, and the
    prices of the book's last tariff are taken to hold for as long as it says.
    """
    if not 1 <= plan.days <= MAX_DAYS:
        raise InvalidInput(f"a plan of {plan.days} days: it must be of 1 to {MAX_DAYS} days")
    if plan.start > LAST_DAY:
        raise InvalidInput(f"a plan from {plan.start} on: its first day must be {LAST_DAY} or earlier")
    return PlanCost(plan, {level: tuple(_charges(book, plan, level)) for level in LEVELS})


def _charges(book: PriceBook, plan: PlannedFleet, level: str) -> list[Charge]:
    evenly = [1] * plan.days
    sizes = allocate_whole(over_days(plan.bytes_per_day[level], plan.days), evenly)
    clips = allocate_whole(over_days(plan.clips_per_day[level], plan.days), evenly)
    days = zip(sizes, clips, strict=True)
    uploads = [Uploads(plan.start + number * DAY, plan.network, *each) for number, each in enumerate(days)]
    return lifetime_charges(book, uploads, kept=plan.kept)


def over_days(per_day: float, days: int) -> int:
    """A quantity per day over some days, as the nearest whole number."""
    return round(Fraction(per_day) * days)


def last_day(plan: PlannedFleet) -> date:
    """The last day on which the plan uploads."""
    return plan.start + timedelta(days=plan.days - 1)
