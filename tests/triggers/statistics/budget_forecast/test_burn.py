"""Burn rates: the backtest alone at first, the days later, and what each weighs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from triggers.statistics.budget_forecast.burn import Burn, Prior, learn
from triggers.statistics.budget_forecast.days import Day, Vehicles, memory_effect
from triggers.statistics.interval import Interval

MB = 10**6
ALL = Vehicles(1000)
PRIOR = Prior(mean=2.0 * MB, clips=4.0, unit=4.0 * MB)


def days(amounts: list[float], vehicle_days: float = 1000.0) -> list[Day]:
    """Days with clips of 4 MB each, in all so many bytes per vehicle-day."""
    return [Day(vehicle_days, int(each * vehicle_days), int(each * vehicle_days) * 4 * MB) for each in amounts]


def test_before_the_start_the_rate_is_the_backtests() -> None:
    burn = learn(PRIOR, [], ALL)
    assert burn.per_vehicle_day().mean == pytest.approx(2 * MB)
    assert burn.per_vehicle_day().low < 1 * MB < 3 * MB < burn.per_vehicle_day().high


def test_a_precise_backtest_weighs_four_clips_at_most_because_recorded_drives_are_not_the_fleet() -> None:
    precise, vague = (Prior.of_backtest(Interval(2.0, 0.0, high), 1.0) for high in (2.2, 5.0))
    assert (precise.mean, precise.clips) == (2.0, 4.0)
    assert vague.mean == 2.0
    assert 0.5 < vague.clips < 4


def test_the_prior_has_the_upper_end_of_the_backtests_interval() -> None:
    for mean, high in ((2.0, 5.0), (2.0, 9.9), (2.0, 40.0), (0.0, 3.7)):
        prior = Prior.of_backtest(Interval(mean, 0.0, high), 1.0)
        assert stats.gamma.ppf(0.975, prior.clips) * prior.mean / prior.clips == pytest.approx(high, rel=1e-6)


def test_no_fire_in_the_backtest_is_not_a_rate_of_zero() -> None:
    prior = Prior.of_backtest(Interval(0.0, 0.0, 3.7 * MB), 4.0 * MB)
    assert prior.mean > 0.5 * MB
    assert learn(prior, [], ALL).per_vehicle_day().low < 0.02 * MB


def test_only_the_share_of_vehicles_that_upload_counts() -> None:
    half = Prior.of_backtest(Interval(2.0, 1.0, 4.0), 1.0, uploading=0.5)
    assert half.mean == 1.0


def test_days_outweigh_the_backtest_soon() -> None:
    after = [learn(PRIOR, days([6.0 * MB] * seen), ALL).per_vehicle_day() for seen in (0, 1, 3, 10, 30)]
    assert [each.mean for each in after] == sorted(each.mean for each in after)
    assert after[3].mean == pytest.approx(6 * MB, rel=0.1)
    assert after[4].mean == pytest.approx(6 * MB, rel=0.06)
    widths = [(each.high - each.low) / each.mean for each in after]
    assert widths == sorted(widths, reverse=True)


def test_days_without_a_clip_lower_the_rate_and_never_to_zero() -> None:
    burn = learn(PRIOR, [Day(1000.0, 0, 0)] * 5, ALL)
    assert 0 < burn.per_vehicle_day().mean < 0.01 * MB


def test_days_that_differ_say_less_than_days_alike() -> None:
    alike = learn(PRIOR, days([2.0 * MB] * 10), ALL)
    differ = learn(PRIOR, days([1.0 * MB, 3.0 * MB] * 5), ALL)
    assert differ.day_variance > 5 * alike.day_variance
    assert differ.clips < alike.clips / 3


def test_a_single_day_does_not_show_how_days_differ() -> None:
    one, ten = (learn(PRIOR, days([2.0 * MB] * count), ALL).day_variance for count in (1, 10))
    assert one > 5 * ten


def test_the_first_vehicles_of_a_rollout_are_not_the_fleet() -> None:
    ten = days([2.0 * MB] * 10, vehicle_days=10)
    alone, of_many = learn(PRIOR, ten, Vehicles(10)), learn(PRIOR, ten, Vehicles(100_000))
    assert of_many.clips < alone.clips / 1.5
    alike = learn(PRIOR, ten, Vehicles(100_000, spread=0.0))
    assert alike.clips == pytest.approx(alone.clips)


def test_a_large_day_does_not_outweigh_the_days_before_it() -> None:
    """Ten days of 1,000 vehicles at 2 MB, one of 100,000 at 4 MB, which may have been a day of snow."""
    seen = [*days([2.0 * MB] * 10, 1_000), *days([4.0 * MB], 100_000)]
    assert learn(PRIOR, seen, Vehicles(100_000, spread=0.3)).per_vehicle_day().mean < 2.8 * MB


def test_a_rate_that_changed_is_followed() -> None:
    """A step in the rate also makes the days seem alike for long, so that they are trusted less."""
    rate = learn(PRIOR, days([2.0 * MB] * 60 + [4.0 * MB] * 60), ALL).per_vehicle_day()
    assert rate.mean > 3.1 * MB  # the mean of all days and the backtest is below 3
    assert rate.high > 4 * MB


def test_large_clips_are_counted_as_the_few_they_are() -> None:
    small = [Day(1000.0, 2000 * MB, 2000 * MB * 1 * MB)] * 5
    large = [Day(1000.0, 2000 * MB, 2000 * MB * 400 * MB)] * 5
    few, many = (learn(PRIOR, seen, ALL) for seen in (large, small))
    assert few.unit == pytest.approx(400 * MB, rel=0.05)
    assert few.clips < many.clips
    assert few.per_vehicle_day().high > many.per_vehicle_day().high


def test_days_that_nobody_ran_the_campaign_on_say_nothing() -> None:
    idle = learn(PRIOR, [Day(0.0, 0, 0)] * 3, ALL)
    assert (idle.clips, idle.per_vehicle_day().mean) == (4.0, pytest.approx(2 * MB))
    seen = days([2.0 * MB] * 3)
    assert learn(PRIOR, [Day(0.0, 0, 0), *seen], ALL) == learn(PRIOR, seen, ALL)


def test_variances_of_days_are_found() -> None:
    rng = np.random.default_rng(1)
    for spread in (0.1, 0.4):
        found = [
            learn(PRIOR, days((2.0 * MB * rng.gamma(spread**-2, spread**2, 60)).tolist(), 1e6), Vehicles(1e6))
            for _ in range(10)
        ]
        assert np.mean([burn.day_variance for burn in found]) == pytest.approx(spread**2, rel=0.25)


@pytest.mark.parametrize("day", [(-1.0, 0, 0), (1.0, -1, 0), (1.0, 1, -1), (float("nan"), 0, 0)])
def test_impossible_days_and_priors_are_refused(day: tuple[float, int, int]) -> None:
    with pytest.raises(ValueError, match="a day with"):
        Day(*day)
    with pytest.raises(ValueError, match="must be positive"):
        Prior(0.0, 1.0, 1.0)


def test_the_rate_is_clips_over_vehicle_days() -> None:
    assert Burn(6.0, 12.0, 4.0, 0.0).rate == 0.5
    assert Burn(6.0, 12.0, 4.0, 0.0).per_vehicle_day().mean == 2.0


def like_the_day_before(rng: np.random.Generator, memory: float, count: int) -> list[float]:
    """Rates that differ by a fifth, each correlated with the one before it."""
    logs = [rng.normal(0, 0.2)]
    for _ in range(count - 1):
        logs.append(memory * logs[-1] + np.sqrt(1 - memory**2) * rng.normal(0, 0.2))
    return (2.0 * MB * np.exp(logs)).tolist()


def test_days_that_are_like_the_one_before_tell_less() -> None:
    rng = np.random.default_rng(14)
    steady, apart = (
        [learn(PRIOR, days(like_the_day_before(rng, memory, 40), 1e5), Vehicles(1e5)) for _ in range(20)]
        for memory in (0.8, 0.0)
    )
    assert np.mean([burn.day_memory for burn in steady]) == pytest.approx(0.7, abs=0.1)  # moderated from 0.8
    assert np.mean([burn.day_memory for burn in apart]) < 0.12
    assert np.median([burn.clips for burn in steady]) < 0.4 * np.median([burn.clips for burn in apart])


def test_the_variance_of_a_mean_of_correlated_days_is_that_of_its_covariances() -> None:
    for count, memory in ((1, 0.5), (2, 0.5), (7, 0.9), (30, 0.3)):
        covariance = memory ** np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
        assert memory_effect(count, memory) == pytest.approx(covariance.mean() * count)
    assert memory_effect(10, 0.0) == 1
