"""Rates of compared events per 1,000 km, over vehicles."""

from __future__ import annotations

import pytest

from triggers.compared_events.rates import event_rates
from triggers.contracts.compared import EventCounts

MM = 10**6
"""A thousand kilometres, in metres."""


def test_rates_are_events_per_1000_km_of_all_vehicles() -> None:
    found = event_rates([(EventCounts(30, 6, 3), 2 * MM), (EventCounts(10, 2, 0), 2 * MM)])
    assert found.counts == EventCounts(40, 8, 3)
    rates = [found.matched, found.only_first, found.only_second]
    assert [rate.interval.mean for rate in rates if rate is not None] == [10, 2, 0.75]
    assert found.told_by_one is not None
    assert found.told_by_one.share.mean == pytest.approx(11 / 51)
    assert found.unresolved_share == 0


def test_rises_that_are_not_resolved_are_told_beside_the_rates() -> None:
    found = event_rates([(EventCounts(10, 0, 0, 3, 2), MM)])
    assert found.unresolved_share == 0.2
    assert found.matched is not None
    assert found.matched.interval.mean == 10


def test_events_of_one_vehicle_say_little_about_the_fleet() -> None:
    alike = event_rates([(EventCounts(0, 5, 0), MM)] * 50).only_first
    one = event_rates([(EventCounts(0, 250, 0), MM), *[(EventCounts(), MM)] * 49]).only_first
    assert alike is not None
    assert one is not None
    assert alike.interval.mean == one.interval.mean == 5
    assert one.interval.high > 2 * alike.interval.high


def test_without_distance_or_events_there_is_nothing_to_say() -> None:
    nobody = event_rates([])
    assert (nobody.matched, nobody.told_by_one, nobody.unresolved_share) == (None, None, 0)
    silent = event_rates([(EventCounts(), MM)])
    assert silent.told_by_one is None
    assert silent.matched is not None
    assert silent.matched.interval.high > 0
