"""Version against version: did the rate of a problem fall, did a new problem appear?

The intervals are anytime-valid (`triggers.statistics.sequences`), because people look every day. Fires are thinned to
the independent ones first, as vehicles differ (`triggers.statistics.fleet_rates`). A vehicle that ran both versions
counts for each; what it has in common with itself is not used, so that the interval is rather too wide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from triggers.statistics.fleet_rates import FleetRate, VehicleSums, fleet_rate
from triggers.statistics.sequences import (
    CONFIDENCE,
    Mixture,
    RatioInterval,
    discoveries,
    log_e_value_of_ratio,
    ratio_sequence,
)


class Change(StrEnum):
    """What the new version did to a rate."""

    APPEARED = "appeared"
    """There was no fire of it before."""
    ROSE = "rose"
    FELL = "fell"
    OPEN = "open"
    """The data do not tell yet, or there is no change."""


@dataclass(frozen=True, slots=True)
class VersionComparison:
    """A rate under the old and under the new version; `ratio` is new / old, anytime-valid.

    The intervals of the two rates themselves are for one look each.
    """

    old: FleetRate | None
    new: FleetRate | None
    ratio: RatioInterval
    log_e_value: float
    """The evidence against no change: its exponential is an e-value."""


def compare_versions(
    old: VehicleSums, new: VehicleSums, *, per: int, expected: float, confidence: float = CONFIDENCE
) -> VersionComparison:
    """Compare the vehicles under two versions of the software.

    `expected` is a rate per `per` that was thought likely before these data, for example the backtest's: a guess that
    is far off makes the interval wider, never wrong.
    """
    mixtures = (Mixture.around(expected), Mixture.around(expected))
    old_rate, new_rate = fleet_rate(old, per), fleet_rate(new, per)
    if old_rate is None or new_rate is None:
        return VersionComparison(old_rate, new_rate, RatioInterval(None, 0.0, float("inf")), 0.0)
    return VersionComparison(
        old_rate,
        new_rate,
        ratio_sequence(new_rate.tally, old_rate.tally, mixtures, confidence),
        log_e_value_of_ratio(new_rate.tally, old_rate.tally, 1.0, mixtures),
    )


def changes(comparisons: Mapping[str, VersionComparison], level: float = 1 - CONFIDENCE) -> dict[str, Change]:
    """The triggers whose rate changed, if at most the share `level` of them may be named wrongly, on average.

    Of a hundred triggers that did not change, five would be named if each were judged alone.
    """
    names = list(comparisons)
    found = discoveries([comparisons[name].log_e_value for name in names], level)
    return {names[index]: _direction(comparisons[names[index]]) for index in found}


def _direction(comparison: VersionComparison) -> Change:
    """The direction of a change that is certain, by its estimate."""
    if comparison.old is None or comparison.old.fires == 0:
        return Change.APPEARED
    estimate = comparison.ratio.estimate
    return Change.FELL if estimate is not None and estimate < 1 else Change.ROSE
