"""Distribution functions and quantiles, against scipy."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from triggers.statistics.distributions import (
    beta_cdf,
    beta_quantile,
    count_quantile,
    gamma_cdf,
    gamma_quantile,
    normal_quantile,
    proportion_interval,
    student_quantile,
)

PROBABILITIES = (0.001, 0.025, 0.05, 0.3, 0.5, 0.9, 0.95, 0.975, 0.9999)
SHAPES = (0.05, 0.3, 0.5, 1.0, 1.7, 4.0, 33.3, 250.0, 9_999.0)


@pytest.mark.parametrize("shape", SHAPES)
def test_gamma_distributions_are_scipys(shape: float) -> None:
    for relative in (0.01, 0.5, 0.99, 1.0, 1.01, 1.5, 4.0):
        value = relative * shape
        assert gamma_cdf(shape, value) == pytest.approx(stats.gamma.cdf(value, shape), rel=1e-9, abs=1e-14)
    for probability in PROBABILITIES:
        expected = stats.gamma.ppf(probability, shape)
        assert gamma_quantile(probability, shape) == pytest.approx(expected, rel=1e-8, abs=1e-250)


def test_quantiles_of_large_shapes_are_approximated_closely() -> None:
    for shape in (10_001.0, 1e6, 1e12):
        for probability in PROBABILITIES:
            expected = stats.gamma.ppf(probability, shape)
            assert gamma_quantile(probability, shape) == pytest.approx(expected, rel=2e-6)


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (1, 1), (2.5, 0.5), (30, 70), (1, 5000), (5000, 3.5), (4e4, 6e4)])
def test_beta_distributions_are_scipys(a: float, b: float) -> None:
    for probability in PROBABILITIES:
        value = stats.beta.ppf(probability, a, b)
        assert beta_cdf(a, b, value) == pytest.approx(stats.beta.cdf(value, a, b), rel=1e-9)
        assert beta_quantile(probability, a, b) == pytest.approx(value, rel=1e-8)


def test_quantiles_of_students_t_and_of_the_normal_distribution_are_scipys() -> None:
    for probability in PROBABILITIES:
        assert normal_quantile(probability) == pytest.approx(stats.norm.ppf(probability), abs=1e-12)
        for freedom in (1.0, 2.0, 3.5, 10.0, 200.0, 1e6, 1e9):
            expected = stats.t.ppf(probability, freedom)
            assert student_quantile(probability, freedom) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("mean", "variance"), [(0.05, 0.05), (3, 3), (3, 12), (40, 41), (40, 4_000), (0.3, 5)])
def test_quantiles_of_counts_are_scipys(mean: float, variance: float) -> None:
    distribution = (
        stats.poisson(mean) if variance == mean else stats.nbinom(mean**2 / (variance - mean), mean / variance)
    )
    for probability in PROBABILITIES:
        assert count_quantile(probability, mean, variance) == distribution.ppf(probability)
    assert count_quantile(0.95, 0.0, 0.0) == 0


def test_intervals_of_proportions_are_clopper_and_pearsons() -> None:
    for successes, trials in ((0, 20), (1, 20), (85, 100), (100, 100)):
        expected = stats.binomtest(successes, trials).proportion_ci(0.9, method="exact")
        assert proportion_interval(successes, trials, 0.9) == pytest.approx((expected.low, expected.high), rel=1e-8)


def test_a_gamma_variable_has_no_value_below_zero() -> None:
    assert gamma_cdf(2.0, -1.0) == gamma_cdf(2.0, 0.0) == 0
    assert gamma_quantile(0.0, 2.0) == 0
    assert math.isfinite(gamma_quantile(1e-12, 0.01))
