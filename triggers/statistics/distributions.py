"""Distribution functions and quantiles of the normal, gamma, beta, Student and negative binomial distributions.

In plain Python, since processes that run for months do without numpy. W. Press, S. Teukolsky, W. Vetterling and
B. Flannery, Numerical Recipes (third edition, 2007), sections 6.2 and 6.4, describe the series and the continued
fractions; a test compares every function with scipy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist

_PRECISION = 1e-15
_TINY = 1e-300
_MOST_TERMS = 10_000
_LARGE_SHAPE = 10_000.0
"""From here on Wilson and Hilferty's cube (PNAS 17, 1931) gives gamma quantiles, to 1e-6 of the value."""
_LARGE_FREEDOM = 1e7
_NEARLY_POISSON = 1e9


def normal_quantile(probability: float) -> float:
    """The quantile of the standard normal distribution."""
    return NormalDist().inv_cdf(probability)


def gamma_cdf(shape: float, value: float) -> float:
    """P(X <= value) of a gamma variable with this shape and scale 1."""
    if value <= 0:
        return 0.0
    scale = math.exp(shape * math.log(value) - value - math.lgamma(shape))
    if value < shape + 1:
        return min(1.0, scale * _series(shape, value))
    fraction = _continued(value + 1 - shape, lambda n: (-n * (n - shape), value + 1 - shape + 2 * n))
    return max(0.0, 1 - scale / fraction)


def _series(shape: float, value: float) -> float:
    term = total = 1 / shape
    for number in range(1, _MOST_TERMS):
        term *= value / (shape + number)
        total += term
        if term < total * _PRECISION:
            break
    return total


def gamma_quantile(probability: float, shape: float) -> float:
    """The value below which a gamma variable with this shape and scale 1 lies with this probability."""
    if probability <= 0:
        return 0.0
    cube = 1 - 1 / (9 * shape) + normal_quantile(probability) / (3 * math.sqrt(shape))
    if shape > _LARGE_SHAPE:
        return float(shape * cube**3)
    # near 0 the distribution function is value ** shape / gamma(shape + 1)
    near_zero = math.exp((math.log(probability) + math.lgamma(shape + 1)) / shape)
    start = shape * cube**3 if cube > 0.1 and shape > 0.5 else near_zero
    if start < _TINY:
        return 0.0
    return _newton(lambda value: gamma_cdf(shape, value) - probability, _log_density(shape), start)


def _log_density(shape: float) -> Callable[[float], float]:
    return lambda value: (shape - 1) * math.log(value) - value - math.lgamma(shape)


def _newton(error: Callable[[float], float], log_density: Callable[[float], float], start: float) -> float:
    """The root of an increasing function, by Newton's steps where they stay within what is known to bracket it."""
    low, high, value = 0.0, math.inf, start
    for _ in range(200):
        off = error(value)
        low, high = (low, value) if off > 0 else (value, high)
        density = math.exp(log_density(value))
        following = value - off / density if density > 0 else math.nan
        if low < following < high and abs(following - value) <= 1e-8 * value:
            return following  # Newton's steps square the error: what is left of it is below 1e-14
        if not low < following < high:
            following = (low + high) / 2 if math.isfinite(high) else 2 * value
        if following == value:
            return value
        value = following
    return value


def beta_cdf(a: float, b: float, value: float) -> float:
    """P(X <= value) of a beta variable."""
    if value <= 0 or value >= 1:
        return float(value >= 1)
    if value > (a + 1) / (a + b + 2):
        return 1 - beta_cdf(b, a, 1 - value)
    scale = math.exp(a * math.log(value) + b * math.log1p(-value) - log_beta(a, b)) / a
    return min(1.0, scale / _continued(1.0, lambda n: (_beta_term(a, b, value, n), 1.0)))


def _beta_term(a: float, b: float, value: float, number: int) -> float:
    half = number // 2
    if number % 2:
        return -(a + half) * (a + b + half) * value / ((a + 2 * half) * (a + 2 * half + 1))
    return half * (b - half) * value / ((a + 2 * half - 1) * (a + 2 * half))


def _continued(first: float, term: Callable[[int], tuple[float, float]]) -> float:
    """The continued fraction first + a1 / (b1 + a2 / (b2 + ...)) of pairs (a, b), by Lentz's method."""
    value = c = first if first != 0 else _TINY
    d = 0.0
    for number in range(1, _MOST_TERMS):
        numerator, denominator = term(number)
        d = denominator + numerator * d
        c = denominator + numerator / c
        d, c = 1 / (d if d != 0 else _TINY), c if c != 0 else _TINY
        value *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return value


def log_beta(a: float, b: float) -> float:
    """The logarithm of the beta function."""
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def beta_quantile(probability: float, a: float, b: float) -> float:
    """The value below which a beta variable lies with this probability, to 1e-12 or 40 bits of it."""
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if beta_cdf(a, b, middle) < probability else (low, middle)
        if high - low < 1e-12 * high:
            break
    return (low + high) / 2


@lru_cache(maxsize=4096)
def student_quantile(probability: float, freedom: float) -> float:
    """The quantile of Student's t with `freedom` degrees of freedom (not necessarily whole)."""
    if freedom > _LARGE_FREEDOM:
        return normal_quantile(probability)
    if probability < 0.5:
        return -student_quantile(1 - probability, freedom)
    if probability == 0.5:
        return 0.0
    z = normal_quantile(probability)
    start = z + (z**3 + z) / (4 * freedom)  # the first terms of its expansion in 1 / freedom
    log_scale = -log_beta(freedom / 2, 0.5) - math.log(freedom) / 2

    def error(value: float) -> float:
        return 1 - beta_cdf(freedom / 2, 0.5, freedom / (freedom + value**2)) / 2 - probability

    def log_density(value: float) -> float:
        return log_scale - (freedom + 1) / 2 * math.log1p(value**2 / freedom)

    return _newton(error, log_density, start)


def proportion_interval(successes: int, trials: int, confidence: float) -> tuple[float, float]:
    """Clopper and Pearson's exact interval of a proportion (Biometrika 26, 1934)."""
    tail, failures = (1 - confidence) / 2, trials - successes
    low = beta_quantile(tail, successes, failures + 1) if successes else 0.0
    high = beta_quantile(1 - tail, successes + 1, failures) if failures else 1.0
    return low, high


def count_quantile(probability: float, mean: float, variance: float) -> int:
    """The smallest count that a negative binomial variable does not exceed with this probability.

    A variance that is no larger than the mean gives a Poisson variable. The time is proportional to the result.
    """
    if mean <= 0:
        return 0
    size = mean**2 / (variance - mean) if variance > mean else math.inf
    poisson = size > _NEARLY_POISSON * max(1.0, mean)
    ratio = 0.0 if poisson else mean / (size + mean)
    chance = math.exp(-mean) if poisson else math.exp(size * math.log1p(-ratio))
    total, count = chance, 0
    while total < probability and chance > 0:
        count += 1
        chance *= mean / count if poisson else ratio * (size + count - 1) / count
        total += chance
    return count
