"""The forecasts of the past: how they are scored, and what their errors do to new ones."""

from __future__ import annotations

import numpy as np
import pytest

from triggers.statistics.budget_forecast.kept import (
    KeptForecast,
    Stage,
    calibrate,
    conformal_factor,
    widened,
)
from triggers.statistics.interval import Interval


def kept(campaign: str, actual: float, progress: float = 0.0, shown: Interval | None = None) -> KeptForecast:
    computed = Interval(100.0, 80.0, 150.0)
    return KeptForecast(campaign, progress, computed, shown or computed, actual)


@pytest.mark.parametrize(("actual", "score"), [(100, 0), (150, 1), (80, 1), (200, 2), (60, 2), (125, 0.5)])
def test_a_score_is_the_distance_from_the_mean_by_that_to_the_end(actual: float, score: float) -> None:
    assert kept("a", actual).score == score
    assert kept("a", actual).held is (score <= 1)


def test_a_campaign_counts_once_per_stage_by_its_first_forecast() -> None:
    forecasts = [kept("a", 300, 0.4), kept("a", 120, 0.1), kept("a", 120, 0.0), kept("b", 90, 0.2), kept("c", 1, 0.7)]
    found = calibrate(forecasts, Stage.FIRST_HALF)
    assert (found.forecasts, found.held) == (2, 2)
    assert found.median_error == pytest.approx(0.05)
    assert calibrate(forecasts, Stage.BEFORE).forecasts == 1
    assert calibrate(forecasts, Stage.SECOND_HALF).held == 0


def test_without_a_forecast_nothing_is_said() -> None:
    found = calibrate([], Stage.BEFORE)
    assert (found.held_share, found.median_error, found.factor) == (None, None, 1.0)


def test_the_share_that_held_is_of_what_was_shown_and_has_an_exact_interval() -> None:
    wide = Interval(100.0, 0.0, 500.0)
    found = calibrate([kept(str(number), 300, shown=wide) for number in range(10)], Stage.BEFORE)
    assert found.held_share is not None
    assert found.held_share.mean == 1
    assert found.held_share.low == pytest.approx(0.025 ** (1 / 10))  # closed form of Clopper and Pearson
    assert found.factor == 1.0, "ten are too few"


def test_twenty_errors_widen_intervals_and_never_narrow_them() -> None:
    assert conformal_factor([5.0] * 19) == 1.0
    assert conformal_factor([0.1] * 50) == 1.0
    scores = [float(number) for number in range(1, 21)]
    assert conformal_factor(scores) == 19.0  # the 19th of 20, ceil(0.9 * 21)
    assert widened(Interval(100.0, 80.0, 150.0), 3.0) == Interval(100.0, 40.0, 250.0)
    assert widened(Interval(100.0, 80.0, 150.0), 9.0).low == 0


def test_scoring_by_the_computed_interval_does_not_undo_itself() -> None:
    """If widened intervals were scored, a factor of 2 would be followed by one of 1."""
    forecasts = [kept(str(number), 200, shown=Interval(100.0, 0.0, 250.0)) for number in range(30)]
    assert calibrate(forecasts, Stage.BEFORE).factor == 2.0


def test_widened_intervals_hold_as_often_as_they_say_although_the_model_is_wrong() -> None:
    """Errors are twice as large as the intervals think: 60 % hold; with the errors of 50 campaigns 90 % do."""
    rng, plain, after, runs = np.random.default_rng(23), 0, 0, 400
    for _ in range(runs):
        actual = 1000 + 2 * 100 / 1.645 * rng.normal(size=51)
        thought = Interval(1000.0, 900.0, 1100.0)
        past = [KeptForecast(str(n), 0.0, thought, thought, each) for n, each in enumerate(actual[:50].tolist())]
        new = widened(thought, calibrate(past, Stage.BEFORE).factor)
        plain += 900 <= actual[50] <= 1100
        after += new.low <= actual[50] <= new.high
    assert plain / runs < 0.7
    assert 0.87 <= after / runs <= 0.95


def test_forecasts_that_cannot_be_scored_are_refused() -> None:
    point = Interval(1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="no width"):
        KeptForecast("a", 0.0, point, point, 1.0)
    with pytest.raises(ValueError, match="must be below 1"):
        kept("a", 1.0, progress=1.0)


def test_an_interval_without_width_below_its_mean_gives_no_infinite_factor() -> None:
    certain = Interval(100.0, 100.0, 150.0)
    past = [KeptForecast(str(number), 0.0, certain, certain, 50.0) for number in range(25)]
    assert calibrate(past, Stage.BEFORE).factor == 1.0
    assert KeptForecast("a", 0.0, certain, certain, 0.0).score == 2.0
