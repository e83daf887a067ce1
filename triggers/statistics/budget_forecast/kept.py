"""The forecasts of the past: how often their intervals held, how far off they were, and how much wider new ones are.

An interval that is computed assumes a model, and a deployment may differ from it. So each forecast is kept, and when
its campaign has ended it is scored. From the scores comes a factor for new intervals with which 90 % of the past ones
would have held: split conformal prediction with a normalised score (J. Lei, M. G'Sell, A. Rinaldo, R. Tibshirani, L.
Wasserman, Distribution-free predictive inference for regression, Journal of the American Statistical Association 113,
2018). It assumes that campaigns are alike in how far forecasts of them are off, not how their volumes are
distributed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from triggers.statistics.budget_forecast.days import CONFIDENCE
from triggers.statistics.distributions import proportion_interval
from triggers.statistics.interval import Interval

FEWEST_SCORES = 20
"""With fewer ended campaigns intervals are left as they are computed."""


class Stage(StrEnum):
    """How much of its campaign a forecast knew; errors of one stage say nothing about those of another."""

    BEFORE = "before"
    """Nothing but the backtest."""
    FIRST_HALF = "first_half"
    SECOND_HALF = "second_half"


def stage_of(progress: float) -> Stage:
    """The stage of a forecast that is made at this share of a campaign's vehicle-days."""
    if progress <= 0:
        return Stage.BEFORE
    return Stage.FIRST_HALF if progress < 0.5 else Stage.SECOND_HALF


@dataclass(frozen=True, slots=True)
class KeptForecast:
    """A forecast of what a campaign version would spend from then on, and what it did spend.

    `campaign` identifies the campaign version. `progress` is the share of its vehicle-days that were over, 0 before the
    start. `computed` is the interval before it was widened, which alone is scored: otherwise each factor would undo the
    one before it. `shown` is the one that people saw.
    """

    campaign: str
    progress: float
    computed: Interval
    shown: Interval
    actual: float

    def __post_init__(self) -> None:
        if not has_width(self.computed):
            raise ValueError(f"the forecast of {self.campaign} has no width to score it by: {self.computed}")
        if not 0 <= self.progress < 1:
            raise ValueError(f"the forecast of {self.campaign} was made at {self.progress} of it: must be below 1")

    @property
    def stage(self) -> Stage:
        """The stage at which it was made."""
        return stage_of(self.progress)

    @property
    def score(self) -> float:
        """How far off it was, by the distance from its mean to that end of its interval: at most 1 within it."""
        off = self.actual - self.computed.mean
        if off >= 0:
            return off / (self.computed.high - self.computed.mean)
        # where the interval has no width below its mean, that above it says how sure the model was
        below = self.computed.mean - self.computed.low or self.computed.high - self.computed.mean
        return -off / below

    @property
    def held(self) -> bool:
        """Whether the interval that was shown contains what happened."""
        return self.shown.low <= self.actual <= self.shown.high


@dataclass(frozen=True, slots=True)
class Calibration:
    """How good the forecasts of a stage were, one per campaign version; new intervals are widened by `factor`."""

    stage: Stage
    forecasts: int
    held: int
    held_share: Interval | None
    """The share of intervals that held, with an exact interval of 95 %; None without a forecast."""
    median_error: float | None
    """The median of actual / expected - 1: above 0, forecasts are too low."""
    factor: float


def has_width(computed: Interval) -> bool:
    """Whether a forecast can be scored: it was not certain."""
    return computed.low <= computed.mean < computed.high


def calibrate(kept: Iterable[KeptForecast], stage: Stage) -> Calibration:
    """Score the forecasts of this stage, of each campaign version the first.

    Later ones of the same campaign are wrong in the same way, and would count its error many times.
    """
    first: dict[str, KeptForecast] = {}
    for forecast in sorted(kept, key=lambda each: each.progress):
        if forecast.stage is stage:
            first.setdefault(forecast.campaign, forecast)
    scored = list(first.values())
    held = sum(forecast.held for forecast in scored)
    errors = [each.actual / each.computed.mean - 1 for each in scored if each.computed.mean > 0]
    return Calibration(
        stage,
        len(scored),
        held,
        Interval(held / len(scored), *proportion_interval(held, len(scored), 0.95)) if scored else None,
        median(errors) if errors else None,
        conformal_factor([forecast.score for forecast in scored]),
    )


def conformal_factor(scores: Sequence[float], confidence: float = CONFIDENCE) -> float:
    """By how much intervals must be widened to hold with this confidence; never below 1, and 1 with too few scores."""
    if len(scores) < FEWEST_SCORES:
        return 1.0
    rank = math.ceil((len(scores) + 1) * confidence)
    return max(1.0, sorted(scores)[min(rank, len(scores)) - 1])


def widened(interval: Interval, factor: float) -> Interval:
    """The interval with both ends `factor` times as far from its mean, though not below 0."""
    more = factor - 1
    low = max(0.0, interval.low - more * (interval.mean - interval.low))
    return Interval(interval.mean, low, interval.high + more * (interval.high - interval.mean))
