"""Confidence sequences: intervals that are valid however often one looks, and whenever one stops.

People look at a comparison every day and stop when they like what they see. An interval for one look, such as
Garwood's, then misses the truth far more often than it says. A confidence sequence covers it at *all* times at once
with the stated confidence. By Ville's inequality, a nonnegative supermartingale that begins at 1 exceeds 1 / alpha with
probability alpha at most; the sequence has all parameters whose martingale has not. S. Howard, A. Ramdas, J. McAuliffe
and J. Sekhon, Time-uniform, nonparametric, nonasymptotic confidence sequences, Annals of Statistics 49, 2021.

- A rate: for events of a Poisson process, the likelihood ratio of a gamma mixture of rates against one rate is such a
  martingale. For events that happen at most once per unit of exposure (pairs of a compared head) it is a
  supermartingale, as E exp(sX) is no larger for a Bernoulli variable than for a Poisson variable of the same mean.
- A proportion: the same with a beta mixture (H. Robbins, Annals of Mathematical Statistics 41, 1970).
- A ratio of two rates: the product of both martingales, at the pair of rates with that ratio at which it is smallest
  (L. Wasserman, A. Ramdas, S. Balakrishnan, Universal inference, PNAS 117, 2020). That holds whether the two versions
  ran at the same time, one after the other, or while the one replaced the other.

The mixture must be chosen before the data are seen, for example around the rate that a backtest predicts. A bad choice
makes intervals wider, never wrong.

Counts that are not Poisson, since vehicles differ, are divided by their design effect first (`Tally.thinned`): J. Rao
and A. Scott, A simple method for analysing overdispersion in clustered Poisson data, Statistics in Medicine 18, 1999.
As the design effect is estimated, the guarantee is then asymptotic.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from triggers.statistics.distributions import log_beta
from triggers.statistics.interval import Interval

CONFIDENCE = 0.95
MIXTURE_SHAPE = 0.5
_STEPS = 200
_SMALLEST, _LARGEST = sys.float_info.min, sys.float_info.max


@dataclass(frozen=True, slots=True)
class Tally:
    """Events, and the exposure in which they could happen: time, distance, or pairs. Both may be fractions."""

    count: float
    exposure: float

    def __post_init__(self) -> None:
        if not (0 <= self.count < math.inf and 0 <= self.exposure < math.inf):
            raise ValueError(f"{self.count} events in {self.exposure}: both must be finite and not negative")
        if self.count > 0 and self.exposure == 0:
            raise ValueError(f"{self.count} events without any exposure")

    def thinned(self, design_effect: float) -> Tally:
        """The independent events that tell as much as these, whose variance is `design_effect` times Poisson's."""
        return Tally(self.count / design_effect, self.exposure / design_effect)


@dataclass(frozen=True, slots=True)
class Mixture:
    """A gamma distribution of rates that are thought possible before any data: `shape` events in `exposure`."""

    shape: float
    exposure: float

    @classmethod
    def around(cls, rate: float, shape: float = MIXTURE_SHAPE) -> Mixture:
        """A mixture with this mean, which must be positive; the smaller the shape, the wider it is."""
        return cls(shape, shape / rate)

    def log_marginal(self, tally: Tally) -> float:
        """The logarithm of the mean of rate ** count * exp(-rate * exposure) over the mixture."""
        after = self.shape + tally.count
        return (
            self.shape * math.log(self.exposure)
            - math.lgamma(self.shape)
            + math.lgamma(after)
            - after * math.log(self.exposure + tally.exposure)
        )


@dataclass(frozen=True, slots=True)
class RatioInterval:
    """A ratio with its interval: `estimate` is None where it is 0 / 0 or infinite, `high` may be infinite."""

    estimate: float | None
    low: float
    high: float

    def to_json(self) -> dict[str, float | None]:
        """JSON has no infinity: a ratio without an upper bound has null."""
        return {"estimate": self.estimate, "low": self.low, "high": self.high if math.isfinite(self.high) else None}


def log_e_value(tally: Tally, rate: float, mixture: Mixture) -> float:
    """The logarithm of the evidence against this rate.

    For the true rate it ever exceeds log(1 / alpha) with probability alpha at most.
    """
    return mixture.log_marginal(tally) - _log_likelihood(tally, rate)


def _log_likelihood(tally: Tally, rate: float) -> float:
    if rate <= 0:
        return -math.inf if tally.count else 0.0
    return tally.count * math.log(rate) - rate * tally.exposure


def rate_sequence(tally: Tally, mixture: Mixture, confidence: float = CONFIDENCE) -> Interval | None:
    """The rate of events with an anytime-valid interval; None without any exposure."""
    if tally.exposure <= 0:
        return None
    threshold = -math.log1p(-confidence)
    rate = tally.count / tally.exposure
    start = rate if rate > 0 else 1 / tally.exposure
    low, high = _region(lambda value: log_e_value(tally, value, mixture) < threshold, start, rate > 0)
    return Interval(rate, low, high)


def log_e_value_of_ratio(new: Tally, old: Tally, ratio: float, mixtures: tuple[Mixture, Mixture]) -> float:
    """The logarithm of the evidence against new rate / old rate = `ratio` (positive), whatever the old rate is.

    `mixtures` are those of the new and of the old rate.
    """
    marginals = mixtures[0].log_marginal(new) + mixtures[1].log_marginal(old)
    exposure = ratio * new.exposure + old.exposure
    if exposure <= 0:
        return marginals
    rate = (new.count + old.count) / exposure  # the most likely old rate, given the ratio
    return marginals - _log_likelihood(new, ratio * rate) - _log_likelihood(old, rate)


def ratio_sequence(
    new: Tally, old: Tally, mixtures: tuple[Mixture, Mixture], confidence: float = CONFIDENCE
) -> RatioInterval:
    """New rate / old rate, with an anytime-valid interval."""
    threshold = -math.log1p(-confidence)
    if new.exposure <= 0 or old.exposure <= 0 or new.count + old.count <= 0:
        return RatioInterval(None, 0.0, math.inf)
    # a rate of 0 stands for a small one: the search begins where neither side is excluded
    pretended = ((new.count or 1e-9) / new.exposure) / ((old.count or 1e-9) / old.exposure)
    low, high = _region(
        lambda ratio: log_e_value_of_ratio(new, old, ratio, mixtures) < threshold,
        pretended,
        new.count > 0,
        is_bounded_above=old.count > 0,
    )
    estimate = (new.count / new.exposure) / (old.count / old.exposure) if old.count else None
    return RatioInterval(estimate, low, high)


def _region(
    is_possible: Callable[[float], bool], inside: float, is_bounded_below: bool, *, is_bounded_above: bool = True
) -> tuple[float, float]:
    """The ends of an interval of positive numbers that has `inside` in it."""
    low = _end(is_possible, inside, 0.5) if is_bounded_below else 0.0
    high = _end(is_possible, inside, 2.0) if is_bounded_above else math.inf
    return low, high


def _end(is_possible: Callable[[float], bool], inside: float, factor: float) -> float:
    outside = inside
    while is_possible(outside):
        if outside in (_SMALLEST, _LARGEST):
            return 0.0 if outside == _SMALLEST else math.inf
        inside, outside = outside, min(max(outside * factor, _SMALLEST), _LARGEST)
        factor *= factor  # 2, 4, 16, ...: a bound may be many orders of magnitude away
    for _ in range(_STEPS):
        middle = math.sqrt(inside) * math.sqrt(outside)
        if middle in (inside, outside) or abs(outside - inside) <= 1e-12 * middle:
            break
        inside, outside = (middle, outside) if is_possible(middle) else (inside, middle)
    return outside


def proportion_sequence(
    successes: float, trials: float, prior: tuple[float, float] = (0.5, 0.5), confidence: float = CONFIDENCE
) -> Interval | None:
    """A proportion with an anytime-valid interval; None without any trial.

    `prior` are the parameters of the beta mixture. Successes and trials may be fractions, see `Tally.thinned`.
    """
    if not 0 <= successes <= trials < math.inf:
        raise ValueError(f"{successes} successes of {trials} trials")
    if trials <= 0:
        return None
    failures, threshold = trials - successes, -math.log1p(-confidence)
    marginal = log_beta(prior[0] + successes, prior[1] + failures) - log_beta(*prior)

    def is_possible(value: float) -> bool:
        return marginal - _times_log(successes, value) - _times_log(failures, 1 - value) < threshold

    share = successes / trials
    low = _between(is_possible, share, 0.0) if successes > 0 else 0.0
    high = _between(is_possible, share, 1.0) if failures > 0 else 1.0
    return Interval(share, low, high)


def _times_log(count: float, value: float) -> float:
    if count == 0:
        return 0.0
    return count * math.log(value) if value > 0 else -math.inf


def _between(is_possible: Callable[[float], bool], inside: float, outside: float) -> float:
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        if middle in (inside, outside):
            break
        inside, outside = (middle, outside) if is_possible(middle) else (inside, middle)
    return outside


def discoveries(log_e_values: Sequence[float], level: float = 1 - CONFIDENCE) -> list[int]:
    """Which of many comparisons show something, if at most the share `level` of those named may be false, on average.

    The indexes of e-values that are large enough by the e-BH procedure, whatever the dependence between them: R. Wang
    and A. Ramdas, False discovery rate control with e-values, Journal of the Royal Statistical Society B 84, 2022.
    """
    order = sorted(range(len(log_e_values)), key=lambda index: -log_e_values[index])
    enough = [
        rank for rank, index in enumerate(order, 1) if log_e_values[index] >= math.log(len(order) / (rank * level))
    ]
    return sorted(order[: max(enough, default=0)])
