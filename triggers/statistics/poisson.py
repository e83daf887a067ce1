"""The interval of a Poisson variable that was observed once: Garwood's, in plain Python, for whoever counts events.

F. Garwood, Fiducial limits for the Poisson distribution, Biometrika 28, 1936.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

CONFIDENCE = 0.95
NORMAL_QUANTILE = 1.959963984540054
"""Of (1 + CONFIDENCE) / 2."""
EXACT_COUNT = 1000
"""Up to this count the interval is computed from exact probabilities."""
_NEGLIGIBLE = 1e-18


@lru_cache(10_000)
def poisson_interval(count: int, *, exact_up_to: int = EXACT_COUNT) -> tuple[float, float]:
    """Garwood's exact interval for the mean of a Poisson variable that was observed once.

    Above `exact_up_to` it is approximated by Wilson and Hilferty's cube (PNAS 17, 1931), whose
    error is below 1e-5 of the mean for counts above 1000.
    """
    if count > exact_up_to:
        return _cube(count, -NORMAL_QUANTILE), _cube(count + 1, NORMAL_QUANTILE)
    tail = (1 - CONFIDENCE) / 2
    low = 0.0 if count == 0 else _solve(lambda mean: 1 - _poisson_cdf(count - 1, mean) < tail, count)
    return low, _solve(lambda mean: _poisson_cdf(count, mean) > tail, count)


def _cube(shape: int, quantile: float) -> float:
    """A quantile of the gamma distribution of that shape."""
    return float(shape * (1 - 1 / (9 * shape) + quantile / (3 * math.sqrt(shape))) ** 3)


def _poisson_cdf(count: int, mean: float) -> float:
    """P(X <= count): the sum of the probabilities from the last one down, each from the one after it."""
    if mean <= 0:
        return 1.0
    term = math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))
    total, number = term, count
    while number and (number > mean or term > _NEGLIGIBLE * total):  # below the mean they only become smaller
        term *= number / mean
        number -= 1
        total += term
    return min(1.0, total)


def _solve(is_below: Callable[[float], bool], count: int) -> float:
    """The mean at which a monotonic condition becomes false, by bisection."""
    low, high = 0.0, 10.0 + count + 10 * math.sqrt(count + 1)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return (low + high) / 2
