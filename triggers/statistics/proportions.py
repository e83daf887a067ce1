"""Proportions whose trials come in groups, such as the events of drives that were found, each with an interval.

Trials of one drive are alike: ten events of one drive tell less than ten of ten drives. So they are thinned to as many
independent trials as would tell as much, and the interval is Clopper and Pearson's of those (E. Korn and B. Graubard,
Confidence intervals for proportions with small expected number of positive counts estimated from survey data, Survey
Methodology 24, 1998). By how much is the *design effect*: the variance of the proportion over drives (linearised, as
that of a ratio of totals) divided by the binomial one, at least 1. Few drives say little about it, so it is moderated
towards drives with an intra-class correlation of PRIOR_CORRELATION, which counts as PRIOR_GROUPS drives, as
`triggers.statistics.rates` moderates the differences of rates; and the quantile is Student's.

Of a single drive the interval is that of independent trials: how drives differ cannot be seen from one.

A share that has an interval for other reasons as well is widened instead (`share_widening`), on the scale of log odds,
where what adds up does not leave 0 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from triggers.statistics.distributions import beta_quantile, normal_quantile, student_quantile
from triggers.statistics.interval import Interval
from triggers.statistics.poisson import CONFIDENCE

PRIOR_GROUPS = 2.0
"""How many groups the prior of the design effect weighs as much as."""
PRIOR_CORRELATION = 0.1
"""The prior's intra-class correlation: how alike the trials of one group are."""


def grouped_proportion(groups: Iterable[tuple[float, float]], confidence: float = CONFIDENCE) -> Interval | None:
    """The share of successes, from (successes, trials) of each group, which may be fractions; None without a trial."""
    counted = [(successes, trials) for successes, trials in groups if trials]
    if not counted:
        return None
    successes, trials = sum(each[0] for each in counted), sum(each[1] for each in counted)
    effective = trials / _inflation(counted, confidence)
    low, high = effective_interval(successes / trials * effective, effective, confidence)
    return Interval(successes / trials, low, high)


def effective_interval(successes: float, trials: float, confidence: float) -> tuple[float, float]:
    """Clopper and Pearson's interval of a proportion, for numbers of trials that need not be whole."""
    tail, failures = (1 - confidence) / 2, trials - successes
    low = beta_quantile(tail, successes, failures + 1) if successes > 0 else 0.0
    high = beta_quantile(1 - tail, successes + 1, failures) if failures > 0 else 1.0
    return low, high


def share_widening(groups: Iterable[tuple[float, float]], confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """How far the differences of groups widen the interval of a share, below and above, on the scale of log odds.

    From (successes, trials) of each group, which may be fractions; None without a trial, and where all or none are
    successes, so that no spread is seen. The jackknife's variance is moderated as above, and that of independent trials
    at least; above the share, Johnson's correction for skewness is added, as `triggers.statistics.rates` has it. Of a
    single group it is the prior's, as nothing is seen.
    """
    counted = [(successes, trials) for successes, trials in groups if trials]
    total = math.fsum(trials for _, trials in counted)
    share = math.fsum(successes for successes, _ in counted) / total if total else 0.0
    if not 0 < share < 1:
        return None
    influence = [(successes - share * trials) / total for successes, trials in counted]
    weights = [trials / total for _, trials in counted]
    squares, number = math.fsum(weight**2 for weight in weights), len(counted)
    freedom = max(1.0, 1 / squares - 1) if number > 1 else 0.0
    binomial = share * (1 - share) / total
    prior = binomial * (1 + PRIOR_CORRELATION * (squares * total - 1))
    others = [max(1 - weight, 1 / number) for weight in weights]  # one of nearly all trials says little about the rest
    seen = math.fsum((each / other) ** 2 for each, other in zip(influence, others, strict=True)) * (number - 1) / number
    variance = max(binomial, (PRIOR_GROUPS * prior + freedom * seen) / (PRIOR_GROUPS + freedom))
    quantile = student_quantile((1 + confidence) / 2, PRIOR_GROUPS + freedom)
    second = math.fsum(each**2 for each in influence)
    skewness = max(0.0, math.fsum(each**3 for each in influence) / second**1.5) if second > 0 else 0.0
    deviation = math.sqrt(variance) / (share * (1 - share))
    return quantile * deviation, (quantile + skewness * (1 + 2 * quantile**2) / 6) * deviation


def _inflation(groups: list[tuple[float, float]], confidence: float) -> float:
    """How many trials tell as much as an independent one, the widening for few groups included."""
    if len(groups) < 2:
        return 1.0
    successes, trials = sum(each[0] for each in groups), sum(each[1] for each in groups)
    share, squares = successes / trials, sum(each[1] ** 2 for each in groups)
    freedom = max(1.0, trials**2 / squares - 1)  # groups of equal size that would tell as much, less one
    prior = 1 + PRIOR_CORRELATION * (squares / trials - 1)
    seen = 1.0
    if 0 < share < 1:
        residuals = sum((found - share * of) ** 2 for found, of in groups) * len(groups) / (len(groups) - 1)
        seen = residuals / (trials * share * (1 - share))
    effect = max(1.0, (PRIOR_GROUPS * prior + freedom * seen) / (PRIOR_GROUPS + freedom))
    quantile = (1 + confidence) / 2
    widened = student_quantile(quantile, PRIOR_GROUPS + freedom) / normal_quantile(quantile)
    return effect * float(widened) ** 2
