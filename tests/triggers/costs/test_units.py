"""Costs per unit, and waste: what is used and what is not add up to everything."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.triggers.costs.test_amounts import AMOUNTS
from triggers.costs.amounts import total
from triggers.costs.units import UnitCosts, Waste, waste


def test_costs_are_per_what_there_was() -> None:
    costs = UnitCosts.of(Decimal("100.25"), vehicle_days=3, distance_m=2_000_000, clips=8, accepted_labels=1)
    assert costs == UnitCosts(
        Decimal("100.25"),
        per_vehicle_day=Decimal("33.416666667"),
        per_1000_km=Decimal("50.125000000"),
        per_clip=Decimal("12.531250000"),
        per_accepted_label=Decimal("100.250000000"),
    )
    none = UnitCosts.of(Decimal(0), vehicle_days=0, distance_m=0, clips=0, accepted_labels=0)
    assert none == UnitCosts(Decimal(0), None, None, None, None)


@given(AMOUNTS, st.integers(1, 10**15), st.integers(0, 10**15))
def test_waste_and_what_was_used_are_everything(amount: Decimal, used_bytes: int, unused_bytes: int) -> None:
    everything = used_bytes + unused_bytes
    wasted = waste(amount, size_bytes=everything, unused_clips=2, unused_bytes=unused_bytes)
    rest = waste(amount, size_bytes=everything, unused_clips=3, unused_bytes=used_bytes)
    assert (wasted.clips, wasted.size_bytes, wasted.size_bytes + rest.size_bytes) == (2, unused_bytes, everything)
    assert abs(total([wasted.amount, rest.amount]) - amount) <= Decimal("2E-18")
    if unused_bytes == 0:
        assert wasted.amount == 0


def test_nothing_is_wasted_without_a_clip() -> None:
    assert waste(Decimal(3), size_bytes=0, unused_clips=0, unused_bytes=0) == Waste(0, 0, Decimal(0))
