"""Confidence sequences: against ville and closed forms, and their coverage when one looks all the time."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import numpy as np
import pytest
import ville
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import integrate, stats

from triggers.statistics.poisson import poisson_interval
from triggers.statistics.sequences import (
    Mixture,
    RatioInterval,
    Tally,
    discoveries,
    log_e_value,
    log_e_value_of_ratio,
    proportion_sequence,
    rate_sequence,
    ratio_sequence,
)

ALPHA = 0.05
EXCLUDED = math.log(1 / ALPHA)


def test_proportions_are_those_of_ville() -> None:
    outcomes = np.random.default_rng(4).random(400) < 0.07
    for prior in ((0.5, 0.5), (1.0, 1.0), (2.0, 30.0)):
        theirs = ville.BernoulliCS(alpha=ALPHA, prior=prior, intersect=False).fit(outcomes)
        for trials in (1, 10, 57, 400):
            ours = proportion_sequence(int(outcomes[:trials].sum()), trials, prior)
            assert ours is not None
            expected = theirs.lower_[trials - 1], theirs.upper_[trials - 1]
            assert (ours.low, ours.high) == pytest.approx(expected, abs=1e-9)


def test_rates_are_the_limit_of_the_proportions_of_ville() -> None:
    """A Poisson process is many trials with a small chance each: 20 events in 100,000 trials of a millisecond."""
    trials = 100_000
    outcomes = np.zeros(trials)
    outcomes[np.linspace(0, trials - 1, 20).astype(int)] = 1
    per_trial = 1e-3
    mixture = Mixture.around(0.3)
    prior = (mixture.shape, mixture.exposure / per_trial)
    theirs = ville.BernoulliCS(alpha=ALPHA, prior=prior, intersect=False).fit(outcomes)
    ours = rate_sequence(Tally(20, trials * per_trial), mixture)
    assert ours is not None
    assert ours.low == pytest.approx(theirs.lower_[-1] / per_trial, rel=1e-3)
    assert ours.high == pytest.approx(theirs.upper_[-1] / per_trial, rel=1e-3)


def test_evidence_is_the_ratio_of_likelihoods_over_the_mixture() -> None:
    mixture, tally, rate = Mixture(0.7, 3.0), Tally(4, 10.0), 0.9
    prior = stats.gamma(mixture.shape, scale=1 / mixture.exposure)
    likelihood = integrate.quad(lambda x: stats.poisson.pmf(4, 10 * x) * prior.pdf(x), 0, np.inf)[0]
    expected = math.log(likelihood / stats.poisson.pmf(4, 10 * rate))
    assert log_e_value(tally, rate, mixture) == pytest.approx(expected, rel=1e-6)


def test_the_evidence_against_a_ratio_is_that_at_the_best_pair_of_rates() -> None:
    mixtures, new, old = (Mixture.around(2.0), Mixture.around(1.0)), Tally(9, 4.0), Tally(3, 7.0)
    for ratio in (0.2, 1.0, 5.0):
        pairs = [
            log_e_value(new, ratio * rate, mixtures[0]) + log_e_value(old, rate, mixtures[1])
            for rate in np.geomspace(0.01, 10, 20_001)
        ]
        assert log_e_value_of_ratio(new, old, ratio, mixtures) == pytest.approx(min(pairs), abs=1e-6)


counts = st.integers(0, 10_000)
exposures = st.floats(1e-3, 1e7)


@given(count=counts, exposure=exposures, guess=st.floats(1e-6, 1e6))
def test_an_interval_of_a_rate_ends_where_the_evidence_does(count: int, exposure: float, guess: float) -> None:
    tally, mixture = Tally(count, exposure), Mixture.around(guess)
    interval = rate_sequence(tally, mixture)
    assert interval is not None
    evidence_at = [log_e_value(tally, end, mixture) for end in (interval.low, interval.high) if 0 < end < math.inf]
    assert interval.low <= interval.mean <= interval.high
    assert evidence_at == pytest.approx([EXCLUDED] * len(evidence_at), abs=1e-4)


@given(new=counts, old=counts, new_exposure=exposures, old_exposure=exposures)
@example(new=248, old=2, new_exposure=0.0625, old_exposure=1.0)  # from 1e-20 to 1e157
def test_swapping_the_versions_inverts_the_ratio(new: int, old: int, new_exposure: float, old_exposure: float) -> None:
    a, b, mixtures = Tally(new, new_exposure), Tally(old, old_exposure), (Mixture(0.5, 1.0), Mixture(0.5, 1.0))
    there, back = ratio_sequence(a, b, mixtures), ratio_sequence(b, a, mixtures)
    assert there.low == pytest.approx(1 / back.high if back.high else math.inf, rel=1e-6)
    assert there.high == pytest.approx(1 / back.low if back.low else math.inf, rel=1e-6)


def test_nothing_seen_bounds_a_rate_from_above_alone() -> None:
    interval = rate_sequence(Tally(0, 100.0), Mixture.around(0.05))
    assert interval is not None
    assert (interval.mean, interval.low) == (0, 0)
    # closed form: the evidence against a rate is (b / (b + e)) ** a * exp(rate * e), with a = 0.5 and b = 10
    assert interval.high == pytest.approx((EXCLUDED + 0.5 * math.log(110 / 10)) / 100)
    assert rate_sequence(Tally(0, 0), Mixture.around(1.0)) is None


def test_ratios_of_what_was_never_seen_are_open() -> None:
    mixtures = (Mixture.around(1.0), Mixture.around(1.0))
    assert ratio_sequence(Tally(0, 5.0), Tally(0, 5.0), mixtures) == RatioInterval(None, 0.0, math.inf)
    appeared = ratio_sequence(Tally(30, 5.0), Tally(0, 5.0), mixtures)
    assert (appeared.estimate, appeared.high) == (None, math.inf)
    assert appeared.low > 1
    assert appeared.to_json() == {"estimate": None, "low": appeared.low, "high": None}
    vanished = ratio_sequence(Tally(0, 5.0), Tally(30, 5.0), mixtures)
    assert (vanished.estimate, vanished.low) == (0, 0)
    assert vanished.high < 1


@pytest.mark.parametrize(("count", "exposure"), [(-1, 1.0), (1, -1.0), (1, 0.0), (math.nan, 1.0), (1, math.inf)])
def test_impossible_tallies_are_refused(count: float, exposure: float) -> None:
    with pytest.raises(ValueError, match="events"):
        Tally(count, exposure)
    with pytest.raises(ValueError, match="5 successes of 4 trials"):
        proportion_sequence(5, 4)


def looks(rng: random.Random, rate: float, events: int) -> Iterator[tuple[Tally, Tally]]:
    """A Poisson process just before and at each of its events: between events the evidence is largest at an end."""
    time = 0.0
    for count in range(events):
        time += rng.expovariate(rate)
        yield Tally(count, time), Tally(count + 1, time)


def test_a_rate_is_covered_at_all_looks_at_once_where_garwoods_interval_is_not() -> None:
    rng, rate, runs = random.Random(13), 3.0, 300
    mixture = Mixture.around(1.0)  # a guess that is wrong by three
    ever_missed = garwood_missed = 0
    for _ in range(runs):
        seen = list(looks(rng, rate, 150))
        ever_missed += any(log_e_value(tally, rate, mixture) > EXCLUDED for pair in seen for tally in pair)
        at_events = [after for _, after in seen[9::10]]
        garwood = [(poisson_interval(int(tally.count)), tally.exposure) for tally in at_events]
        garwood_missed += any(not low <= rate * time <= high for (low, high), time in garwood)
    assert ever_missed <= 24  # with a chance of 5 %, 24 or fewer of 300 runs miss with a probability of 99 %
    assert garwood_missed > 2 * ALPHA * runs, "looking 15 times at an interval for one look"


def test_a_ratio_is_covered_at_all_looks_at_once_also_when_one_version_replaces_the_other() -> None:
    rng = np.random.default_rng(31)
    mixtures = (Mixture.around(1.0), Mixture.around(1.0))
    runs, days, ratio, missed = 400, 60, 0.6, 0
    share = np.clip((np.arange(days) - 15) / 30, 0, 1)  # the new version's share of the fleet
    exposures = np.cumsum([20 * share, 20 * (1 - share)], axis=1)
    for _ in range(runs):
        means = np.array([20 * share * ratio * 2.0, 20 * (1 - share) * 2.0])
        fires = np.cumsum(rng.poisson(means), axis=1)
        missed += any(
            log_e_value_of_ratio(Tally(*new), Tally(*old), ratio, mixtures) > EXCLUDED
            for new, old in zip(
                zip(fires[0].tolist(), exposures[0].tolist(), strict=True),
                zip(fires[1].tolist(), exposures[1].tolist(), strict=True),
                strict=True,
            )
        )
    assert missed <= ALPHA * runs


def test_disagreement_is_covered_at_all_looks_at_once() -> None:
    rng, runs, pairs, share, missed = np.random.default_rng(8), 300, 400, 0.1, 0
    for _ in range(runs):
        disagreed = np.cumsum(rng.random(pairs) < share).tolist()
        for trials in range(1, pairs + 1, 4):
            interval = proportion_sequence(disagreed[trials - 1], trials)
            assert interval is not None
            if not interval.low <= share <= interval.high:
                missed += 1
                break
    assert missed <= ALPHA * runs


def test_a_halved_rate_is_found_soon() -> None:
    """Power, so that an interval that is always infinite fails: 400 fires before; how many after?"""
    mixtures = (Mixture.around(1.0), Mixture.around(1.0))
    old = Tally(400, 400.0)
    needed = next(n for n in range(1, 400) if ratio_sequence(Tally(n / 2, float(n)), old, mixtures).high < 1)
    assert needed <= 90


def test_thinned_counts_are_as_uncertain_as_fewer_events() -> None:
    mixture = Mixture.around(1.0)
    thinned = rate_sequence(Tally(90, 90.0).thinned(9), mixture)
    assert thinned == rate_sequence(Tally(10, 10.0), mixture)


def test_discoveries_are_those_of_e_bh() -> None:
    rng = np.random.default_rng(2)
    for size in (1, 5, 40):
        logs = rng.normal(1, 3, size)
        expected = ville.evalues.ebh(np.exp(logs), alpha=0.1)
        assert discoveries(logs.tolist(), 0.1) == np.flatnonzero(expected).tolist()
    assert discoveries([]) == []
