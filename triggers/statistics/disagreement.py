"""Disagreement of a compared head: the share of its pairs in which active and shadow value differ, with intervals.

A head is compared dozens of times a second, and a pair is nearly always like the one before it: a million pairs of
one drive are far from a million observations. So the vehicles are the independent units
(`triggers.statistics.fleet_rates`), and pairs are thinned to as many independent ones as would tell as much. Two
intervals are made of those:

- for one look, Clopper and Pearson's with the effective numbers: E. Korn and B. Graubard, Confidence intervals for
  proportions with small expected number of positive counts estimated from survey data, Survey Methodology 24, 1998;
- for any number of looks, the beta-binomial confidence sequence (`triggers.statistics.sequences`).

Where no pair disagrees nothing tells how long a disagreement lasts: the upper ends are then those of pairs that
disagree one at a time.

Two versions are compared by `triggers.statistics.versions.compare_versions` with a pair as the unit of exposure: that
is valid for events that happen at most once per pair.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from triggers.statistics.fleet_rates import Report, VehicleSums, fleet_rate
from triggers.statistics.interval import Interval
from triggers.statistics.proportions import effective_interval
from triggers.statistics.sequences import proportion_sequence

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The share of pairs that disagree, of so many `pairs` of so many `vehicles`."""

    vehicles: int
    pairs: int
    disagreeing: int
    share: Interval
    """For one look."""
    anytime: Interval
    """Valid however often one looks."""
    effective_pairs: float
    """The independent pairs that would tell as much."""


def sums_of_pairs(vehicles: Iterable[tuple[int, int]]) -> VehicleSums:
    """The sums of each vehicle's disagreeing pairs and all its known pairs."""
    return VehicleSums.of([_report(disagreeing, pairs)] for disagreeing, pairs in vehicles)


def _report(disagreeing: int, pairs: int) -> Report:
    if not 0 <= disagreeing <= pairs:
        raise ValueError(f"{disagreeing} of {pairs} pairs disagree")
    return Report(disagreeing, pairs)


def disagreement(sums: VehicleSums, confidence: float = CONFIDENCE) -> Disagreement | None:
    """The share of the pairs of all vehicles; None without a pair."""
    rate = fleet_rate(sums, per=1, confidence=confidence)
    if rate is None:
        return None
    pairs, disagreeing = int(sums.exposure), int(sums.fires)
    # what agrees is rarer where most disagree: then its count is the one that tells
    agreeing = VehicleSums(
        sums.vehicles,
        pairs - disagreeing,
        pairs,
        sums.squared_exposure - 2 * sums.products + sums.squared_fires,
        sums.squared_exposure - sums.products,
        sums.squared_exposure,
        pairs - disagreeing,
    )
    other = fleet_rate(agreeing, per=1, confidence=confidence)
    rarer = rate if other is None or 2 * disagreeing <= pairs else other
    trials = min(float(pairs), rarer.tally.exposure)
    share = disagreeing / pairs
    anytime = proportion_sequence(share * trials, trials, confidence=confidence)
    if anytime is None:
        return None
    low, high = effective_interval(share * trials, trials, confidence)
    return Disagreement(sums.vehicles, pairs, disagreeing, Interval(share, low, high), anytime, trials)
