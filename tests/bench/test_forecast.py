"""Forecasts on simulated fleets: a small version of `python -m bench.forecast.run`."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import pytest

from bench.forecast.fleet import Campaign, World
from bench.forecast.run import PROMISED, WIDEST, Outcome, outcomes
from triggers.statistics.budget_forecast.burn import learn
from triggers.statistics.budget_forecast.forecast import DAY_NS, Spending
from triggers.statistics.budget_forecast.kept import KeptForecast, conformal_factor, widened

SMALL = World(vehicles=600)
RUNS = 60


@pytest.fixture(scope="module")
def found() -> list[Outcome]:
    return list(outcomes(SMALL, range(RUNS), (0, 7, 15)))


@pytest.mark.parametrize("day", [0, 7, 15])
def test_what_happens_lies_inside_the_interval_of_90_percent(found: list[Outcome], day: int) -> None:
    assert sum(each.held for each in found if each.days == day) >= PROMISED * RUNS


@pytest.mark.parametrize("day", [0, 7, 15])
def test_intervals_are_not_much_wider_than_those_of_the_best_possible_forecast(found: list[Outcome], day: int) -> None:
    assert median(each.width_to_best for each in found if each.days == day) <= 1.5


def test_at_half_time_intervals_are_not_wider_than_twice_those_of_who_knows_all_rates() -> None:
    full = list(outcomes(World(), range(25), (15,)))
    assert median(each.width for each in full) <= WIDEST


def test_intervals_that_know_of_chance_alone_would_not_hold() -> None:
    """So the test above can fail: as if days did not differ, and so told the rate exactly."""
    held = 0
    for seed in range(30):
        campaign = Campaign(SMALL, seed)
        burn = learn(campaign.prior(), campaign.seen(15), campaign.vehicles(15))
        naive = replace(burn, clips=burn.clips * 100, vehicle_days=burn.vehicle_days * 100, day_variance=0.0)
        band = Spending(naive, campaign.plan(15), now_ns=15 * DAY_NS).computed(15)
        held += band.low <= campaign.left(15) <= band.high
    assert held < 0.6 * 30


def test_errors_of_past_campaigns_make_up_for_what_the_model_does_not_know() -> None:
    """A season lasts as long as a campaign: two of three intervals hold, and most with the errors of 40 campaigns."""
    world = World(vehicles=300, day_spread=0.4, day_memory=0.98)
    found = list(outcomes(world, range(80), (15,)))
    factor = conformal_factor([score(each) for each in found[:40]])
    new = [widened(each.forecast, factor) for each in found[40:]]
    assert sum(each.held for each in found) < 0.75 * len(found)
    assert factor > 1.5
    assert sum(band.low <= each.actual <= band.high for band, each in zip(new, found[40:], strict=True)) >= 34


def score(outcome: Outcome) -> float:
    kept = KeptForecast(str(outcome.seed), 0.5, outcome.forecast, outcome.forecast, float(outcome.actual))
    return kept.score


def test_the_same_seed_gives_the_same_campaign() -> None:
    one, same, other = (next(outcomes(SMALL, [seed], [7])) for seed in (3, 3, 4))
    assert one == same
    assert one.actual != other.actual
