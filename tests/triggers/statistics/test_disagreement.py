"""Disagreement of compared heads: shares of pairs whose intervals know that pairs of a drive are alike."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from triggers.statistics.disagreement import disagreement, sums_of_pairs
from triggers.statistics.versions import Change, changes, compare_versions


def test_the_share_is_that_of_all_pairs() -> None:
    found = disagreement(sums_of_pairs([(30, 1000), (50, 3000), (0, 0)]))
    assert found is not None
    assert (found.vehicles, found.pairs, found.disagreeing) == (2, 4000, 80)
    assert found.share.mean == 0.02
    assert found.anytime.low < found.share.low < 0.02 < found.share.high < found.anytime.high


def test_vehicles_of_one_pair_each_have_clopper_and_pearsons_interval() -> None:
    found = disagreement(sums_of_pairs([(int(number < 30), 1) for number in range(3000)]))
    assert found is not None
    expected = stats.binomtest(30, 3000).proportion_ci(0.95, method="exact")
    assert (found.share.low, found.share.high) == pytest.approx((expected.low, expected.high), rel=0.02)


def test_many_pairs_of_few_vehicles_tell_little() -> None:
    found = disagreement(sums_of_pairs([(10_000, 1_000_000), (90_000, 1_000_000), (20_000, 1_000_000)]))
    assert found is not None
    assert found.effective_pairs < 1000
    assert found.share.low < 0.02
    assert found.share.high > 0.09


@pytest.mark.parametrize("flipped", [False, True])
def test_intervals_cover_shares_of_vehicles_that_differ(flipped: bool) -> None:
    """Also where most pairs disagree, and the agreeing ones are the rare ones."""
    rng, covered, runs = np.random.default_rng(40), 0, 200
    for _ in range(runs):
        pairs = rng.integers(5_000, 50_000, 60)
        rare = rng.binomial(pairs, rng.beta(2, 98, 60))
        disagreeing = pairs - rare if flipped else rare
        found = disagreement(sums_of_pairs(zip(disagreeing.tolist(), pairs.tolist(), strict=True)))
        assert found is not None
        covered += found.share.low <= (0.98 if flipped else 0.02) <= found.share.high
    assert covered / runs >= 0.91


def test_heads_that_always_or_never_disagree_have_an_open_end() -> None:
    never, always = (disagreement(sums_of_pairs([(each * 500, 500)] * 40)) for each in (0, 1))
    assert never is not None
    assert always is not None
    assert (never.share.mean, never.share.low) == (0, 0)
    assert 0 < never.share.high < 0.01
    assert (always.share.mean, always.share.high) == (1, 1)
    assert always.share.low > 0.99
    assert disagreement(sums_of_pairs([])) is None


def test_versions_are_compared_pair_by_pair() -> None:
    rng = np.random.default_rng(6)
    pairs = np.full(300, 10_000)
    old, new = (
        sums_of_pairs(zip(rng.binomial(pairs, rng.beta(2, b, 300)).tolist(), pairs.tolist(), strict=True))
        for b in (98, 398)
    )
    comparison = compare_versions(old, new, per=1, expected=0.02)
    assert changes({"": comparison}) == {"": Change.FELL}
    assert comparison.ratio.low < 0.25 < comparison.ratio.high


def test_more_disagreement_than_pairs_is_refused() -> None:
    with pytest.raises(ValueError, match="5 of 4 pairs"):
        sums_of_pairs([(5, 4)])
