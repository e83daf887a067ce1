"""What holds of rates, trends and comparisons, whatever was counted."""

from __future__ import annotations

import math
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from triggers.statistics.disagreement import disagreement, sums_of_pairs
from triggers.statistics.fleet_rates import Report, VehicleSums, fleet_rate, spread_of_vehicles
from triggers.statistics.sequences import Tally
from triggers.statistics.trend import Period, trend
from triggers.statistics.versions import changes, compare_versions

shares = st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(1, 100), Fraction(3, 10)])
reports = st.builds(Report, st.integers(0, 10**6), st.integers(0, 10**18), shares, shares)
fleets = st.lists(st.lists(reports, max_size=4), max_size=8)
tallies = st.builds(Tally, st.floats(0, 1e7), st.floats(1e-6, 1e9))
HOUR_NS = 3_600 * 10**9


@settings(max_examples=60)
@given(fleet=fleets)
def test_a_rate_lies_in_its_interval_and_tells_no_more_than_its_fires(fleet: list[list[Report]]) -> None:
    sums = VehicleSums.of(fleet)
    rate = fleet_rate(sums, HOUR_NS)
    assert (rate is None) == (sums.exposure == 0)
    if rate is None:
        return
    assert 0 <= rate.interval.low <= rate.interval.mean <= rate.interval.high < math.inf
    assert rate.tally.count <= rate.fires * (1 + 1e-9)
    assert 0 <= spread_of_vehicles(sums) < math.inf


@settings(max_examples=60)
@given(fleet=fleets, other=fleets)
def test_the_order_of_vehicles_and_the_way_they_are_added_change_nothing(
    fleet: list[list[Report]], other: list[list[Report]]
) -> None:
    together = VehicleSums.of([*fleet, *other])
    assert together == VehicleSums.of(other) + VehicleSums.of(fleet)


@settings(max_examples=60)
@given(fleet=fleets)
def test_the_same_fleet_shows_no_change(fleet: list[list[Report]]) -> None:
    sums = VehicleSums.of(fleet)
    assert changes({"": compare_versions(sums, sums, per=HOUR_NS, expected=1.0)}) == {}


@settings(max_examples=60)
@given(rows=st.lists(tallies, max_size=10))
def test_a_trend_lies_in_its_interval(rows: list[Tally]) -> None:
    found = trend([Period(float(day), tally) for day, tally in enumerate(rows)])
    if found is not None:
        assert 0 <= found.low <= found.mean <= found.high


@settings(max_examples=60)
@given(rows=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=8))
def test_a_share_lies_in_both_its_intervals(rows: list[tuple[int, int]]) -> None:
    found = disagreement(sums_of_pairs((min(row), max(row)) for row in rows))
    if found is not None:
        for interval in (found.share, found.anytime):
            assert 0 <= interval.low <= interval.mean <= interval.high <= 1
        assert found.effective_pairs <= found.pairs
