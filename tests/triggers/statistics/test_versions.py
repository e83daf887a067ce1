"""Versions compared: what changed is found, what did not is not, although somebody looks every day."""

from __future__ import annotations

import numpy as np

from triggers.statistics.fleet_rates import HOUR_NS, Report, VehicleSums
from triggers.statistics.versions import Change, VersionComparison, changes, compare_versions


def fleet(fires: list[int]) -> VehicleSums:
    return VehicleSums.of([Report(count, HOUR_NS)] for count in fires)


def change(comparison: VersionComparison) -> Change:
    """What a comparison shows that nobody has chosen among others."""
    return changes({"alone": comparison}).get("alone", Change.OPEN)


def test_a_rate_that_fell_a_problem_that_appeared_and_one_that_did_not_change() -> None:
    rng = np.random.default_rng(3)
    before, halved, same = (rng.poisson(rate, 500).tolist() for rate in (1.0, 0.5, 1.0))
    fell = compare_versions(fleet(before), fleet(halved), per=HOUR_NS, expected=2.0)
    assert change(fell) is Change.FELL
    assert fell.ratio.low < 0.5 < fell.ratio.high < 1
    assert change(compare_versions(fleet(halved), fleet(before), per=HOUR_NS, expected=2.0)) is Change.ROSE
    assert change(compare_versions(fleet(before), fleet(same), per=HOUR_NS, expected=2.0)) is Change.OPEN
    appeared = compare_versions(fleet([0] * 500), fleet(before), per=HOUR_NS, expected=2.0)
    assert change(appeared) is Change.APPEARED


def test_a_version_that_nobody_runs_leaves_everything_open() -> None:
    comparison = compare_versions(fleet([1, 2]), VehicleSums(), per=HOUR_NS, expected=1.0)
    assert (comparison.new, change(comparison), comparison.log_e_value) == (None, Change.OPEN, 0)


def test_vehicles_that_differ_are_covered_at_every_daily_look() -> None:
    """100 vehicles with the old version, 100 with the new one, whose own rates differ by 80 %; 40 days, no change."""
    rng, runs, days, missed, naive = np.random.default_rng(12), 50, 40, 0, 0
    for _ in range(runs):
        own = rng.gamma(1 / 0.64, 0.64, (2, 100, 1))
        counts = np.cumsum(rng.poisson(own * 0.5, (2, 100, days)), axis=2)
        looks = [
            [
                VehicleSums.of([Report(count, (day + 1) * HOUR_NS)] for count in counts[side, :, day].tolist())
                for side in (0, 1)
            ]
            for day in range(0, days, 4)
        ]
        found = [compare_versions(*pair, per=HOUR_NS, expected=0.5) for pair in looks]
        missed += any(change(each) is not Change.OPEN for each in found)
        alone = [compare_versions(*map(pooled, pair), per=HOUR_NS, expected=0.5) for pair in looks]
        naive += any(change(each) is not Change.OPEN for each in alone)
    assert missed <= 6  # of 50 with a chance of 5 %, in all but 1 % of cases
    assert naive > 6, "as if every fire were independent"


def pooled(sums: VehicleSums) -> VehicleSums:
    """The same fires and exposure, spread evenly over very many vehicles: what Poisson's variance alone would say."""
    vehicles = 10**6
    exposure = sums.exposure / vehicles
    fires = sums.fires / vehicles
    return VehicleSums(
        vehicles,
        sums.fires,
        sums.exposure,
        fires**2 * vehicles,
        fires * exposure * vehicles,
        exposure**2 * vehicles,
        sums.fires,
    )


def test_among_many_triggers_those_that_changed_are_named() -> None:
    rng = np.random.default_rng(17)
    comparisons = {
        f"t{number}": compare_versions(
            fleet(rng.poisson(0.5, 300).tolist()),
            fleet(rng.poisson(0.5 if number else 0.15, 300).tolist()),
            per=HOUR_NS,
            expected=0.5,
        )
        for number in range(40)
    }
    assert changes(comparisons) == {"t0": Change.FELL}
    assert changes({}) == {}
