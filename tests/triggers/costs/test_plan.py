"""A plan costs what its bytes cost from their transfer until they are erased, at each level of its forecast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.costs.books import WORKED_EXAMPLE, price_book
from triggers.contracts.campaign import Network
from triggers.costs import storage
from triggers.costs.amounts import total
from triggers.costs.charges import Service
from triggers.costs.months import Month
from triggers.costs.plan import LEVELS, MAX_DAYS, PlannedFleet, last_day, plan_cost
from triggers.costs.prices import Stay
from triggers.errors import InvalidInput

GB = 10**9
NONE = dict.fromkeys(LEVELS, 0.0)


def fleet(*, days: int = 1, vehicles: int = 1, mean: float = 10e9, clips: float = 100.0) -> PlannedFleet:
    return PlannedFleet(
        start=date(2026, 1, 1),
        days=days,
        vehicles=vehicles,
        network=Network.WIFI,
        bytes_per_day={"low": mean / 2, "mean": mean, "high": mean * 3},
        clips_per_day={"low": clips, "mean": clips, "high": clips},
    )


def test_the_plan_of_a_car_day_costs_1_724() -> None:
    cost = plan_cost(price_book(WORKED_EXAMPLE), fleet())
    assert cost.total("mean") == Decimal("1.724")
    assert cost.per_vehicle_day("mean") == Decimal("1.724000000")
    assert cost.per_clip() == Decimal("0.017240000")
    assert (cost.total("low"), cost.total("high")) == (Decimal("0.862"), Decimal("5.172"))
    assert cost.by_sku("mean") == {
        "storage:archive": Decimal("0.594"),
        "storage:hot": Decimal("0.63"),
        "transfer:wifi": Decimal("0.5"),
    }
    due = cost.by_month("mean")
    assert (due[Month(2026, 1)], due[Month(2026, 2)], due[Month(2026, 4)]) == (
        Decimal("0.71"),
        Decimal("0.21"),
        Decimal("0.0099"),
    )
    assert (min(due), max(due), len(due)) == (Month(2026, 1), Month(2031, 3), 63)


@settings(max_examples=20)
@given(st.integers(1, 70), st.floats(0, 1e15), st.floats(0, 1e6), st.integers(1, 10**6))
def test_costs_by_sku_and_by_month_add_up_to_the_total(days: int, size: float, clips: float, vehicles: int) -> None:
    plan = fleet(days=days, vehicles=vehicles, mean=size, clips=clips)
    cost = plan_cost(price_book(), plan)
    for level in LEVELS:
        assert total(cost.by_sku(level).values()) == total(cost.by_month(level).values()) == cost.total(level)
        exact = Fraction(cost.total(level)) / (days * vehicles)
        assert abs(Fraction(cost.per_vehicle_day(level)) - exact) <= Fraction(1, 2 * 10**9)
    transferred = [charge for charge in cost.charges["mean"] if charge.sku.service is Service.TRANSFER]
    assert sum(charge.quantity for charge in transferred) == round(Fraction(size) * days)
    assert (last_day(plan) - plan.start).days == days - 1


def test_each_day_of_a_plan_has_its_own_months() -> None:
    cost = plan_cost(price_book(WORKED_EXAMPLE), fleet(days=32))
    transferred = [charge for charge in cost.charges["mean"] if charge.sku.service is Service.TRANSFER]
    assert [(charge.month, charge.quantity) for charge in transferred] == [
        (Month(2026, 1), 31 * 10 * GB),
        (Month(2026, 2), 10 * GB),
    ]


def test_a_plan_of_nothing_costs_nothing() -> None:
    plan = PlannedFleet(date(2026, 1, 1), 30, 1000, Network.WIFI, NONE, NONE)
    cost = plan_cost(price_book(), plan)
    assert (cost.total("high"), cost.by_sku("mean"), cost.by_month("mean")) == (0, {}, {})
    assert (cost.per_vehicle_day("mean"), cost.per_clip()) == (0, None)


def test_less_than_a_clip_per_day_is_some_over_many_days() -> None:
    cost = plan_cost(price_book(), fleet(days=30, clips=0.1))
    (written,) = [charge for charge in cost.charges["mean"] if str(charge.sku) == "requests:write"]
    assert written.quantity == 3


def test_a_campaigns_retention_ends_the_cost() -> None:
    planned = fleet()
    kept = PlannedFleet(
        planned.start, 1, 1, Network.CELLULAR, planned.bytes_per_day, planned.clips_per_day, kept=Stay(days=31)
    )
    assert plan_cost(price_book(WORKED_EXAMPLE), kept).total("mean") == Decimal("9.21")


@pytest.mark.parametrize("days", [0, -1, MAX_DAYS + 1])
def test_a_plan_has_days(days: int) -> None:
    with pytest.raises(InvalidInput, match=f"it must be of 1 to {MAX_DAYS} days"):
        plan_cost(price_book(), fleet(days=days))


def test_the_longest_plan_with_the_longest_retention_looks_at_each_day_and_month_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ten years of clips that stay for 100: each day's months would be four million for each level."""
    looked_at = 0
    of_storage = storage.month_parts

    def counted(start: date, end: date) -> Iterator[tuple[Month, date, date]]:
        nonlocal looked_at
        for part in of_storage(start, end):
            looked_at += 1
            yield part

    monkeypatch.setattr(storage, "month_parts", counted)
    plan = replace(fleet(days=MAX_DAYS), kept=Stay(days=36_500))
    cost = plan_cost(price_book(WORKED_EXAMPLE), plan)
    assert max(cost.by_month("mean")) == Month(2135, 12)
    assert looked_at < 3 * 4 * (2 * MAX_DAYS + 110 * 12)
