"""Paired rates: how many times as often one of two versions fires as the other one, over the same drives.

Fires of both versions are the same fires, and a busy drive is busy for both, so the interval of the ratio is not that
of two rates side by side. It is found by inverting a test (E. Fieller, Some problems in interval estimation, Journal of
the Royal Statistical Society B 16, 1954): a ratio r belongs to the interval if the total of `first - r * second` may be
0. That total's own interval has two parts:

- Fires within drives are Poisson processes: those of both versions, of the first alone and of the second alone. What
  adds to the total and what takes away from it each have the interval of Dobson et al. for weighted sums (see
  `triggers.statistics.rates`), and their difference has the interval of G. Zou and A. Donner (Construction of
  confidence limits about effect measures: a general approach, Statistics in Medicine 27, 2008).
- Drives differ in how the versions differ: the jackknife's variance of the total, less its Poisson part, moderated and
  widened by Student's t with N. Johnson's correction for skewness, as `triggers.statistics.rates` does for a rate. A
  drive weighs as much as it has fires, so its hours, and how busy it was, drop out.

How often the interval covers the truth is measured by a test and stated in docs/backtest.md. In plain Python, as the
API answers with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from triggers.statistics.distributions import student_quantile
from triggers.statistics.poisson import CONFIDENCE, poisson_interval
from triggers.statistics.sequences import RatioInterval

PRIOR_DRIVES = 2.0
"""How many drives the prior of the drives' differences weighs as much as."""
PRIOR_SPREAD = 0.5
"""The prior's standard deviation, by drive, of how many of the fires one version alone has, relative to the mean. It is
half of that of a rate, since two versions of a trigger share most of what makes drives differ."""
_EXACT_COUNT = 100
"""Up to this count Poisson's interval is computed from exact probabilities; above it is off by less than 1e-4."""
_STEPS = 40


@dataclass(frozen=True, slots=True)
class PairedFires:
    """The fires of two versions on one drive: of both, and of one alone."""

    both: int
    only_first: int
    only_second: int

    @property
    def fires(self) -> int:
        """Fires of either."""
        return self.both + self.only_first + self.only_second


def rate_ratio(drives: Iterable[PairedFires]) -> RatioInterval:
    """The rate of the first version divided by that of the second; drives without a fire of either do not count.

    `low` is 0, and `high` is infinite, where the drives leave it open.
    """
    told = [drive for drive in drives if drive.fires]
    fires = _Sums.of([(each.only_first, each.both, each.only_second) for each in told])
    swapped = _Sums.of([(each.only_second, each.both, each.only_first) for each in told])
    first, second = fires.first + fires.both, fires.second + fires.both
    lowest_of_inverse = _lowest_ratio(swapped)
    return RatioInterval(
        first / second if second else None,
        _lowest_ratio(fires),
        1 / lowest_of_inverse if lowest_of_inverse > 0 else math.inf,
    )


@dataclass(frozen=True, slots=True)
class _Sums:
    """The counts of all drives, and sums over drives of what they deviate from the mean rates.

    With x and y what a drive has of the first and the second version beyond its share of all: `moments[k]` has the sums
    of x ** (k - i) * y ** i for each i, and `weighted` those of k = 2 as the jackknife weighs drives.
    """

    first: int
    both: int
    second: int
    drives: int
    squared_shares: float
    weighted: tuple[float, ...]
    squares: tuple[float, ...]
    cubes: tuple[float, ...]

    @classmethod
    def of(cls, drives: Sequence[tuple[int, int, int]]) -> _Sums:
        """The sums over drives with fires, each with those of the first alone, of both, and of the second alone."""
        only_first, both, only_second = zip(*drives, strict=True) if drives else ((), (), ())
        fires = sum(map(sum, drives))
        shares = [sum(each) / fires for each in drives]
        x = _beyond([alone + shared for alone, shared in zip(only_first, both, strict=True)], shares)
        y = _beyond([alone + shared for alone, shared in zip(only_second, both, strict=True)], shares)
        others = [max(1 - share, 1 / len(drives)) for share in shares]  # what is nearly all says little of the rest
        of_x, of_y = ([value / other for value, other in zip(values, others, strict=True)] for values in (x, y))
        return cls(
            sum(only_first),
            sum(both),
            sum(only_second),
            len(drives),
            math.fsum(share * share for share in shares),
            _moments(of_x, of_y, 2),
            _moments(x, y, 2),
            _moments(x, y, 3),
        )


def _beyond(counts: Sequence[int], shares: Sequence[float]) -> list[float]:
    total = sum(counts)
    return [count - total * share for count, share in zip(counts, shares, strict=True)]


def _moments(x: Sequence[float], y: Sequence[float], power: int) -> tuple[float, ...]:
    return tuple(math.fsum(a ** (power - i) * b**i for a, b in zip(x, y, strict=True)) for i in range(power + 1))


def _lowest_ratio(fires: _Sums) -> float:
    """The ratio up to which the first version certainly fires more often than so many times the second."""

    def is_too_low(ratio: float) -> bool:
        return _least_excess(fires, ratio) > 0

    if not is_too_low(0.0):
        return 0.0
    high = 1.0
    while is_too_low(high):
        high *= 2
    return _boundary(is_too_low, 0.0, high)


def _boundary(is_below: Callable[[float], bool], low: float, high: float) -> float:
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return low


def _least_excess(fires: _Sums, ratio: float) -> float:
    """The lower limit of the total of `first - ratio * second`."""
    shared = 1 - ratio
    gains = [(fires.first, 1.0)] + ([(fires.both, shared)] if shared > 0 else [])
    losses = [(fires.second, ratio)] + ([(fires.both, -shared)] if shared < 0 else [])
    gain, least_gain, _ = _weighted_interval(gains)
    loss, _, most_loss = _weighted_interval(losses)
    margin = math.hypot(gain - least_gain, most_loss - loss)
    return gain - loss - math.hypot(margin, _spread_below(fires, ratio, [*gains, *losses]))


def _weighted_interval(kinds: Sequence[tuple[int, float]]) -> tuple[float, float, float]:
    """A sum of counts with weights, and its interval if they are Poisson variables."""
    counts = sum(count for count, _ in kinds)
    low, high = poisson_interval(counts, exact_up_to=_EXACT_COUNT)
    if counts == 0:
        return 0.0, 0.0, high * max(weight for _, weight in kinds)
    total = math.fsum(count * weight for count, weight in kinds)
    spread = math.sqrt(math.fsum(count * weight**2 for count, weight in kinds) / counts)
    return total, max(0.0, total + spread * (low - counts)), total + spread * (high - counts)


def _spread_below(fires: _Sums, ratio: float, kinds: Sequence[tuple[int, float]]) -> float:
    """How far the differences of drives widen the interval of the total downwards; not at all for a single drive."""
    drives = fires.drives
    if drives < 2:
        return 0.0
    jackknife = _polynomial(fires.weighted, ratio) * (drives - 1) / drives
    seen = max(0.0, jackknife - math.fsum(count * weight**2 for count, weight in kinds))
    freedom = max(1.0, 1 / fires.squared_shares - 1)  # drives with as many fires each that would tell as much, less one
    prior = PRIOR_SPREAD**2 * fires.squared_shares * (fires.first**2 + (ratio * fires.second) ** 2)
    deviation = math.sqrt((PRIOR_DRIVES * prior + freedom * seen) / (PRIOR_DRIVES + freedom))
    quantile = _student((1 + CONFIDENCE) / 2, PRIOR_DRIVES + freedom)
    squares = _polynomial(fires.squares, ratio)
    skewness = max(0.0, -_polynomial(fires.cubes, ratio) / squares**1.5) if squares > 0 else 0.0
    return (quantile + skewness * (1 + 2 * quantile**2) / 6) * deviation


def _polynomial(moments: Sequence[float], ratio: float) -> float:
    """The sum over drives of (x - ratio * y) ** k, from its moments."""
    power = len(moments) - 1
    return math.fsum(math.comb(power, i) * (-ratio) ** i * moment for i, moment in enumerate(moments))


@lru_cache(1_000)
def _student(probability: float, freedom: float) -> float:
    return student_quantile(probability, freedom)
