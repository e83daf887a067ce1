"""Costs per unit, and waste: what is used and what is not add up to everything."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triggers.costs.test_amounts import AMOUNTS
from triggers.costs.amounts import total
from triggers.costs.units import UnitCosts, Waste, waste

CLIPS = st.dictionaries(st.text(max_size=4), st.integers(1, 10**12), min_size=1, max_size=12)


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


@given(AMOUNTS, CLIPS, st.sets(st.text(max_size=4)))
def test_waste_and_what_was_used_are_everything(amount: Decimal, clips: dict[str, int], used: set[str]) -> None:
    wasted, rest = waste(amount, clips, used), waste(amount, clips, clips.keys() - used)
    assert wasted.clips + rest.clips == len(clips)
    assert wasted.size_bytes + rest.size_bytes == sum(clips.values())
    assert total([wasted.amount, rest.amount]) == amount


def test_nothing_is_wasted_of_nothing() -> None:
    assert waste(Decimal(0), {}, set()) == Waste(0, 0, Decimal(0))
    with pytest.raises(ValueError, match="nothing to which"):
        waste(Decimal(1), {"a": 0}, set())
