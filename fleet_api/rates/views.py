"""The API's views of rates, compared events, comparisons and disagreement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from fleet_api.rates.rules import CountedBy, weekly_trend
from storage.rates.days import RateDay
from storage.rates.sums import EventSums, HeadSums, TriggerSums
from triggers.contracts.api.rates.answers import ChangeName, CompareView, EventsView, HeadView, RateView, RatioView
from triggers.contracts.api.rates.estimates import Estimate
from triggers.contracts.campaign import EventComparison
from triggers.contracts.compared import Sides
from triggers.statistics.disagreement import disagreement
from triggers.statistics.fleet_rates import HOUR_NS, THOUSAND_KM_M, FleetRate, VehicleSums, fleet_rate
from triggers.statistics.sequences import Mixture, rate_sequence
from triggers.statistics.versions import Change, VersionComparison


def rate_view(
    sums: TriggerSums, days: Sequence[RateDay], *, by_software: bool, as_of: datetime, likely_per_hour: float
) -> RateView:
    """The rate of one trigger. `likely_per_hour` is what was thought likely before any of these counts."""
    exposure = sums.exposure
    per_hour = fleet_rate(sums.time, HOUR_NS)
    counted = [CountedBy(day.recorded_at.timestamp(), day.fires, day.armed_ns) for day in days]
    # How many counted fires there are for each independent one; the rate's design effect is that of weighted fires.
    counted_per_independent = sums.fires / per_hour.tally.count if per_hour and per_hour.tally.count else 1.0
    trend = None if per_hour is None else weekly_trend(counted, counted_per_independent)
    return RateView(
        campaign=exposure.campaign,
        version=exposure.version,
        software=exposure.label if by_software else None,
        trigger=sums.trigger,
        vehicles=sums.time.vehicles,
        fires=sums.fires,
        armed_ns=exposure.armed_ns,
        distance_m=exposure.distance_m,
        per_hour=_estimate(per_hour),
        anytime=_anytime(per_hour, likely_per_hour),
        per_1000km=_estimate(fleet_rate(sums.way, THOUSAND_KM_M)),
        trend=None if trend is None else Estimate.of(trend),
        as_of=as_of,
    )


def head_view(sums: HeadSums, *, by_software: bool) -> HeadView:
    """The disagreement of one head."""
    found = disagreement(sums.pairs)
    return HeadView(
        campaign=sums.campaign,
        version=sums.version,
        software=sums.label if by_software else None,
        head=sums.head,
        vehicles=sums.pairs.vehicles,
        pairs=int(sums.pairs.exposure),
        disagreeing=int(sums.pairs.fires),
        unknown=sums.unknown,
        share=None if found is None else Estimate.of(found.share),
        anytime=None if found is None else Estimate.of(found.anytime),
        effective_pairs=None if found is None else found.effective_pairs,
    )


def event_view(sums: EventSums, compared: EventComparison, *, by_software: bool) -> EventsView:
    """The events of two sides of one head."""
    exposure, counts = sums.exposure, sums.counts
    rises = sum(counts.rises)
    return EventsView(
        campaign=exposure.campaign,
        version=exposure.version,
        software=exposure.label if by_software else None,
        head=sums.head,
        sides=sums.sides,
        within_ns=compared.within_ns,
        driver=None if sums.sides is Sides.ACTIVE_SHADOW else compared.driver,
        vehicles=sums.matched.vehicles,
        distance_m=exposure.distance_m,
        **asdict(counts),
        unresolved_share=(counts.unresolved_first + counts.unresolved_second) / rises if rises else 0.0,
        matched_per_1000km=_estimate(fleet_rate(sums.matched, THOUSAND_KM_M)),
        only_first_per_1000km=_estimate(fleet_rate(sums.only_first, THOUSAND_KM_M)),
        only_second_per_1000km=_estimate(fleet_rate(sums.only_second, THOUSAND_KM_M)),
    )


def named_events(sums: EventSums) -> list[tuple[str, VehicleSums]]:
    """The events of two sides by name, as comparisons of versions have them."""
    first, second = sums.sides.names
    return [
        (f"{sums.head}: {first} and {second}", sums.matched),
        (f"{sums.head}: {first} alone ({second})", sums.only_first),
        (f"{sums.head}: {second} alone ({first})", sums.only_second),
    ]


def compare_view(name: str, compared: VersionComparison, change: Change) -> CompareView:
    """One of many comparisons, with the change that all of them together show of it."""
    ratio = compared.ratio
    named: ChangeName = change.value
    return CompareView(
        name=name,
        old=_estimate(compared.old),
        new=_estimate(compared.new),
        ratio=RatioView(estimate=ratio.estimate, low=ratio.low, high=ratio.high if math.isfinite(ratio.high) else None),
        change=named,
    )


def _anytime(rate: FleetRate | None, likely: float) -> Estimate | None:
    found = None if rate is None else rate_sequence(rate.tally, Mixture.around(likely))
    return None if found is None else Estimate.of(found)


def _estimate(rate: FleetRate | None) -> Estimate | None:
    return None if rate is None else Estimate.of(rate.interval)
