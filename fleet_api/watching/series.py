"""The series of campaigns: few for each, and bounded in all; what an alert would be about comes first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fleet_api.watching.expected import Expected, expected
from ingest.metrics import names
from ingest.metrics.names import Metric
from storage.counts.outcomes import OutcomeCounts
from storage.rates.forecasts import Kept
from storage.watching.fleet import FleetNumbers
from storage.watching.numbers import Budget, Numbers
from triggers.times import NS_PER_S

MAX_SERIES = 1800
"""Of all campaigns together, so that a scrape of the API has less than 2,000."""
NEARLY_USED = 0.5
"""A campaign that has used so much of a limit, or has a trigger that is forecast to, comes before other campaigns. Such
triggers are counted where they are not shown."""
MAX_TRIGGERS = 10
"""Of so many triggers of a campaign forecasts are shown."""
FLEET = ""
"""The `campaign` of the fleet's own budget."""


class Series(NamedTuple):
    """One series with its value now."""

    metric: Metric
    labels: tuple[str, ...]
    value: float


@dataclass(frozen=True, slots=True)
class TriggerSeries:
    """The series of a trigger's own budget; `reached` is the share of its limit that its forecast reaches."""

    series: tuple[Series, ...]
    reached: float


@dataclass(frozen=True, slots=True)
class CampaignSeries:
    """The series of one campaign; those with the highest `concern` are shown first."""

    campaign: str
    series: tuple[Series, ...]
    concern: float
    of_triggers: tuple[TriggerSeries, ...] = ()
    """Those whose forecasts reach most of their limits come first."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The series that are shown, how many campaigns are not, and how many triggers that use half of their limits."""

    series: list[Series]
    left_out: int
    triggers_left_out: int


def chosen(campaigns: Sequence[CampaignSeries], limit: int) -> Chosen:
    """Whole campaigns as long as their series fit, by concern and then by name; then, as long as theirs fit, whole
    triggers of these, by what their forecasts reach, and at most MAX_TRIGGERS of each."""
    series: list[Series] = []
    of_triggers: list[TriggerSeries] = []
    shown = 0
    left_out = sum(trigger.reached >= NEARLY_USED for campaign in campaigns for trigger in campaign.of_triggers)
    for campaign in sorted(campaigns, key=lambda each: (-each.concern, each.campaign)):
        if len(series) + len(campaign.series) > limit:
            break
        series += campaign.series
        of_triggers += campaign.of_triggers[:MAX_TRIGGERS]
        shown += 1
    for trigger in sorted(of_triggers, key=lambda each: -each.reached):
        if len(series) + len(trigger.series) > limit:
            break
        series += trigger.series
        left_out -= trigger.reached >= NEARLY_USED
    return Chosen(series, len(campaigns) - shown, left_out)


@dataclass(frozen=True, slots=True)
class OfCampaigns:
    """What is counted once a minute, by campaign: fires, and what was expected."""

    counts: Mapping[str, OutcomeCounts]
    plans: Mapping[str, Expected]
    forecasts: Mapping[str, Kept]
    """Of bytes."""
    of_triggers: Mapping[str, Sequence[Kept]]
    """Forecasts of the own budgets of triggers, in bytes; those that reach most of their limits come first."""

    @classmethod
    def of(cls, fleet: FleetNumbers) -> OfCampaigns:
        """Summed over the versions of each campaign."""
        of_bytes = [kept for kept in fleet.budget_forecasts if kept.unit == "bytes"]
        of_campaigns = {kept.campaign: kept for kept in of_bytes if not kept.trigger}
        of_triggers: dict[str, list[Kept]] = {}
        for kept in sorted((kept for kept in of_bytes if kept.trigger), key=_reached, reverse=True):
            of_triggers.setdefault(kept.campaign, []).append(kept)
        return cls(_sums(fleet.outcomes), expected(fleet), of_campaigns, of_triggers)


def campaign_series(now: Numbers, fleet: OfCampaigns | None) -> list[CampaignSeries]:
    """The series of the fleet's budget, and of every campaign that runs or completed lately."""
    counts = fleet.counts if fleet is not None else {}
    plans = fleet.plans if fleet is not None else {}
    forecasts = fleet.forecasts if fleet is not None else {}
    found = [CampaignSeries(FLEET, tuple(_of_bytes(FLEET, now.fleet)), concern=float("inf"))]
    for campaign, budget in now.bytes.items():
        clips, counted, plan = now.clips[campaign], counts.get(campaign), plans.get(campaign)
        forecast = forecasts.get(campaign)
        series = [*_of_bytes(campaign, budget), *_of_clips(campaign, clips)]
        reason = now.completed.get(campaign)
        if reason is not None:
            series.append(Series(names.COMPLETED, (campaign, reason), 1))
        if fleet is not None:  # before the first count nobody knows, which is not 0
            series += _of_fires(campaign, counted)
        if plan is not None:
            series.append(Series(names.EXPECTED_FIRES, (campaign,), plan.fires))
            series.append(Series(names.EXPECTED_BYTES, (campaign,), plan.bytes))
        if forecast is not None:
            series += _of_forecast((campaign,), forecast, names.FORECAST, names.EXHAUSTION)
        if reason is not None:  # nothing is to be done about it
            found.append(CampaignSeries(campaign, tuple(series), concern=0.0))
            continue
        of_triggers = tuple(map(_of_trigger, fleet.of_triggers.get(campaign, ()) if fleet is not None else ()))
        concern = _concern(budget, clips, counted, plan, of_triggers)
        found.append(CampaignSeries(campaign, tuple(series), concern, of_triggers))
    return found


def _of_bytes(campaign: str, budget: Budget) -> Iterator[Series]:
    if budget.limit is not None:
        yield Series(names.BUDGET_LIMIT, (campaign,), budget.limit)
    yield Series(names.BUDGET_RESERVED, (campaign,), budget.reserved)
    yield Series(names.BUDGET_SETTLED, (campaign,), budget.settled)


def _of_clips(campaign: str, budget: Budget) -> Iterator[Series]:
    if budget.limit is not None:
        yield Series(names.CLIP_LIMIT, (campaign,), budget.limit)
        yield Series(names.CLIPS_HELD, (campaign,), budget.held)


def _of_fires(campaign: str, counts: OutcomeCounts | None) -> Iterator[Series]:
    """Outcomes that there were none of have no series."""
    yield Series(names.FIRED, (campaign,), 0 if counts is None else counts.fired)
    if counts is None:
        return
    for outcome, count in _ended(counts).items():
        if count:
            yield Series(names.FIRES, (campaign, outcome), count)
    if counts.in_flight:
        yield Series(names.IN_FLIGHT, (campaign,), counts.in_flight)
    if counts.unaccounted:
        yield Series(names.UNACCOUNTED, (campaign,), counts.unaccounted)


def _of_trigger(kept: Kept) -> TriggerSeries:
    of = (kept.campaign, kept.trigger)
    limit = Series(names.TRIGGER_LIMIT, of, kept.forecast["limit"])
    forecast = _of_forecast(of, kept, names.TRIGGER_FORECAST, names.TRIGGER_EXHAUSTION)
    return TriggerSeries((limit, *forecast), _reached(kept))


def _of_forecast(of: tuple[str, ...], kept: Kept, forecast: Metric, exhaustion: Metric) -> Iterator[Series]:
    demand, end = kept.forecast["demand"], kept.forecast["end"]
    for quantile, name in (("0.05", "low"), ("mean", "mean"), ("0.95", "high")):
        if demand[name] is not None:
            yield Series(forecast, (*of, quantile), demand[name])
    if end is not None and end["expected_ns"] is not None:
        yield Series(exhaustion, of, end["expected_ns"] / NS_PER_S)


def _reached(of_trigger: Kept) -> float:
    """The share of the limit, which a trigger's own budget always has, that its forecast reaches."""
    demand, limit = float(of_trigger.forecast["demand"]["mean"]), int(of_trigger.forecast["limit"])
    return demand / max(1, limit)


def _ended(counts: OutcomeCounts) -> dict[str, int]:
    return {
        "sampled_out": counts.sampled_out,
        "refused": sum(counts.refused.values()),
        "dropped": sum(counts.dropped.values()),
        "failed": sum(counts.failed.values()),
        "catalogued": counts.catalogued,
    }


def _sums(by_version: Mapping[tuple[str, int], OutcomeCounts]) -> dict[str, OutcomeCounts]:
    """Outcomes by campaign, over its versions, as far as metrics show them."""
    sums: dict[str, OutcomeCounts] = {}
    for (campaign, _), counts in by_version.items():
        of = sums.setdefault(campaign, OutcomeCounts())
        of.fired += counts.fired
        of.in_flight += counts.in_flight
        of.unaccounted += counts.unaccounted
        of.sampled_out += counts.sampled_out
        of.catalogued += counts.catalogued
        for kind in ("refused", "dropped", "failed"):
            reasons = getattr(of, kind)
            reasons[""] = reasons.get("", 0) + sum(getattr(counts, kind).values())
    return sums


def _concern(
    bytes_: Budget,
    clips: Budget,
    counts: OutcomeCounts | None,
    plan: Expected | None,
    of_triggers: Sequence[TriggerSeries],
) -> float:
    """How much of a limit is used, or is forecast to be of a trigger's, and more where fires are lost, or none came
    that were expected."""
    used = [budget.held / max(1, budget.limit) for budget in (bytes_, clips) if budget.limit is not None]
    # At most all of it: what is forecast beyond a limit must not come before fires that are lost now.
    used += [min(1.0, trigger.reached) for trigger in of_triggers]
    most = max(used, default=0.0)
    is_silent = plan is not None and plan.fires >= 1 and (counts is None or counts.fired == 0)
    is_odd = is_silent or (counts is not None and counts.unaccounted > 0)
    return float(is_odd) + (most if most >= NEARLY_USED else 0.0)
