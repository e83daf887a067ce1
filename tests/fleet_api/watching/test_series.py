"""The choice of series: what campaigns leave over is for their triggers, and what alerts are about comes first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from fleet_api.watching.series import MAX_TRIGGERS, CampaignSeries, OfCampaigns, campaign_series, chosen
from ingest.metrics import names
from storage.counts.outcomes import OutcomeCounts
from storage.rates.forecasts import Kept
from storage.watching.fleet import FleetNumbers
from storage.watching.numbers import Budget, Numbers

LIMIT = 100


def forecast(campaign: str, trigger: str, mean: float) -> Kept:
    """A forecast in bytes of a limit of 100."""
    return Kept(
        campaign=campaign,
        version=1,
        trigger=trigger,
        unit="bytes",
        made_at=datetime(2026, 3, 1, tzinfo=UTC),
        until=datetime(2026, 4, 1, tzinfo=UTC),
        open_ended=False,
        rollout_from=None,
        progress=0.0,
        from_backtest=True,
        spent=0,
        forecast={"demand": {"mean": mean, "low": 0.0, "high": None}, "limit": LIMIT, "end": None},
    )


def found(
    campaigns: Sequence[str], forecasts: Sequence[Kept], *, used: int = 0, lost: Sequence[str] = ()
) -> list[CampaignSeries]:
    """The series of running campaigns with these forecasts, that have used so much of 100 bytes each; of some a fire is
    lost."""
    counts = {(name, 1): OutcomeCounts(fired=1, unaccounted=1) for name in lost}
    budgets = {name: Budget(LIMIT, used, used) for name in campaigns}
    clips = {name: Budget(None, 0, 0) for name in campaigns}
    now = Numbers(Budget(None, 0, 0), budgets, clips, completed={}, queues={}, dead_letters={})
    return campaign_series(now, OfCampaigns.of(FleetNumbers(counts, {}, forecasts, {}, {})))


def shown_triggers(campaigns: Sequence[CampaignSeries], limit: int) -> list[tuple[str, ...]]:
    """Campaigns and triggers whose limits are shown, in order."""
    return [each.labels for each in chosen(campaigns, limit).series if each.metric is names.TRIGGER_LIMIT]


def test_triggers_get_what_campaigns_leave_over_and_the_one_that_comes_closest_to_its_limit_first() -> None:
    forecasts = [forecast("braking", "half", 50), forecast("lanes", "above", 300), forecast("braking", "near", 90)]
    campaigns = found(["braking", "lanes", "swerve"], forecasts)
    alone = sum(len(each.series) for each in campaigns)
    of_trigger = 3  # its limit, and two quantiles of its forecast
    for room, triggers in [
        (0, []),
        (of_trigger - 1, []),
        (of_trigger, [("lanes", "above")]),
        (2 * of_trigger, [("lanes", "above"), ("braking", "near")]),
        (3 * of_trigger, [("lanes", "above"), ("braking", "near"), ("braking", "half")]),
    ]:
        assert chosen(campaigns, alone + room).left_out == 0, "no campaign makes room for a trigger"
        assert shown_triggers(campaigns, alone + room) == triggers


def test_triggers_that_use_half_of_their_limits_are_counted_where_they_are_not_shown() -> None:
    many = [forecast("braking", f"near_{number:02d}", 90) for number in range(MAX_TRIGGERS + 3)]
    campaigns = found(["braking", "lanes"], [*many, forecast("lanes", "half", 50), forecast("lanes", "little", 49)])
    alone = sum(len(each.series) for each in campaigns)
    of_trigger = 3  # its limit, and two quantiles of its forecast
    for room, left_out in [(0, len(many) + 1), (of_trigger, len(many)), (12 * of_trigger, 3)]:
        assert chosen(campaigns, alone + room).triggers_left_out == left_out
    without_campaigns = chosen(campaigns, 0)
    assert (without_campaigns.left_out, without_campaigns.triggers_left_out) == (len(campaigns), len(many) + 1)


def test_a_trigger_that_is_forecast_above_its_limit_raises_its_campaign_but_not_above_lost_fires() -> None:
    forecasts = [forecast("swerve", "above", 300), forecast("lanes", "little", 40)]
    campaigns = found(["braking", "lanes", "merging", "swerve"], forecasts, used=60, lost=["merging"])
    concerns = {each.campaign: each.concern for each in campaigns}
    assert concerns["merging"] > concerns["swerve"] > concerns["braking"] == concerns["lanes"]
