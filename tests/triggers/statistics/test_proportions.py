"""Proportions of grouped trials: exact for one group, never narrower than that, and how often they cover the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triggers.statistics.distributions import proportion_interval
from triggers.statistics.proportions import grouped_proportion, share_widening

group = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda pair: (pair[0], sum(pair)))


def test_of_nothing_there_is_no_share() -> None:
    assert grouped_proportion([]) is None and grouped_proportion([(0, 0)]) is None


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10)])
def test_the_interval_of_one_group_is_clopper_and_pearsons(successes: int, trials: int) -> None:
    found = grouped_proportion([(0, 0), (successes, trials)])
    assert found is not None
    assert (found.low, found.high) == pytest.approx(proportion_interval(successes, trials, 0.95))


@settings(max_examples=80)
@given(st.lists(group, min_size=1, max_size=6))
def test_groups_never_tell_more_than_independent_trials(groups: list[tuple[int, int]]) -> None:
    found = grouped_proportion(groups)
    successes, trials = sum(each[0] for each in groups), sum(each[1] for each in groups)
    if found is None:
        assert trials == 0
        return
    low, high = proportion_interval(successes, trials, 0.95)
    assert found.low <= low + 1e-9 and high - 1e-9 <= found.high
    assert found.low <= found.mean <= found.high and found.mean == pytest.approx(successes / trials)


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("correlation", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("drives", [3, 10, 30])
def test_the_interval_covers_the_truth(share: float, correlation: float, drives: int) -> None:
    rng = np.random.default_rng(drives)
    covered = 0
    for _ in range(100):
        trials = 1 + rng.poisson(rng.lognormal(np.log(5), 0.8, drives))
        odds = (1 - correlation) / correlation if correlation else 0
        own = rng.beta(share * odds, (1 - share) * odds, drives) if correlation else np.full(drives, share)
        found = grouped_proportion(zip(rng.binomial(trials, own).tolist(), trials.tolist(), strict=True))
        covered += found is not None and found.low <= share <= found.high
    assert covered >= 89


def test_without_spread_to_be_seen_a_share_is_not_widened() -> None:
    assert share_widening([]) is None
    assert share_widening([(0, 3), (0, 2)]) is None and share_widening([(3, 3), (2, 2)]) is None


def test_differences_of_groups_widen_a_share_and_more_so_where_few_groups_have_the_successes() -> None:
    few, many = share_widening([(3.0, 10.0)] * 3), share_widening([(3.0, 10.0)] * 300)
    unlike, one = share_widening([(0.0, 10.0), (6.0, 10.0)] * 150), share_widening([(3.0, 10.0)])
    busy = share_widening([(0.0, 10.0)] * 297 + [(300.0, 300.0)] * 3)
    assert few and many and unlike and one and busy
    assert many[0] == pytest.approx(many[1], rel=1e-6), "groups that are alike have no skewness"
    assert many[0] == pytest.approx(1.96 / (0.3 * 0.7 * 3000) ** 0.5, rel=0.05), "as independent trials"
    assert many[0] < unlike[0] < few[0] < one[0]
    assert busy[1] > 1.3 * busy[0], "those that were not seen may be busy"
