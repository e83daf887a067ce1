"""Planned vehicle-days: how many vehicles a rollout will admit, day by day, as forecasts of volume need it."""

from __future__ import annotations

from datetime import UTC, datetime

from triggers.assignment.rollout import share_at
from triggers.assignment.rules import next_change_ns
from triggers.contracts.campaign import CampaignSettings
from triggers.contracts.campaign_life import has_begun, is_over
from triggers.statistics.budget_forecast.forecast import DAY_NS, PlannedDay
from triggers.times import NS_PER_S


def planned_days(
    settings: CampaignSettings, vehicles: int, *, rollout_from_ns: int, now_ns: int, until_ns: int
) -> list[PlannedDay]:
    """The days (UTC) from `now_ns` to `until_ns`, the first and the last in part.

    `vehicles` are those that the target matches. Each day has the vehicles that the rollout is expected to admit, by
    the time of the day that each stage takes, none before the campaign's first day and after its last one. Vehicles
    beyond the present ones are not foreseen, nor is a rollout that is held or paused.
    """
    days = []
    start_ns = now_ns
    while start_ns < until_ns:
        end_ns = min(until_ns, (start_ns // DAY_NS + 1) * DAY_NS)
        share = _mean_share(settings, rollout_from_ns, start_ns, end_ns)
        days.append(PlannedDay(end_ns, vehicles * share * (end_ns - start_ns) / DAY_NS))
        start_ns = end_ns
    return days


def _mean_share(settings: CampaignSettings, rollout_from_ns: int, start_ns: int, end_ns: int) -> float:
    """The share of the fleet that is admitted in a part of a day, on average over it."""
    today = datetime.fromtimestamp(start_ns // NS_PER_S, UTC).date()
    if not has_begun(settings, today) or is_over(settings, today):
        return 0.0
    admitted, from_ns = 0.0, start_ns
    while from_ns < end_ns:
        change_ns = next_change_ns(settings, rollout_from_ns=rollout_from_ns, now_ns=from_ns)
        to_ns = end_ns if change_ns is None else min(end_ns, change_ns)
        admitted += share_at(settings.rollout, max(0, from_ns - rollout_from_ns)) * (to_ns - from_ns)
        from_ns = to_ns
    return admitted / (end_ns - start_ns)
