"""The budgets of a file's campaigns beside the forecast: how much is used, until when it lasts, what does not fit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from triggers.backtest.forecast import DailyVolume, ForecastFleet, TriggerYield, mean_camera_rates, trigger_yield
from triggers.backtest.limits.day import CLIPS, TOTAL, UPLOAD, VEHICLE_DAY, VEHICLE_DAY_CLIPS
from triggers.backtest.result import DriveResult
from triggers.clips.size import nominal_clip_bytes
from triggers.contracts.campaign import BudgetLimits, CampaignSettings, TriggerSettings
from triggers.signals.catalog import SignalCatalog
from triggers.statistics.interval import Interval


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """One limit of a campaign, or of a trigger's own budget in it (`trigger`).

    It is `vehicle_day_bytes`, `vehicle_day_clips`, `total_bytes`, `clips`, or `upload_bytes`.

    `upload_bytes` is the largest clip that any network of the campaign's `upload` takes. `per_day` is the forecast of
    what the limit counts (for a vehicle's day, or for the whole fleet), None where there is none. `days` is how long
    the limit lasts, for one that is used up over time. Of `clips` recordings of the drives (or the one that is
    expected, if there were none), `larger_clips` are larger than the limit, so vehicles never upload them.
    """

    campaign: str
    limit: str
    amount: int
    per_day: Interval | None
    days: Interval | None
    clips: int
    larger_clips: int
    trigger: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As in the report of a backtest; a budget that may last for ever has no `high`."""
        document = asdict(self)
        if self.days is not None:
            document["days"] |= {"high": self.days.high if math.isfinite(self.days.high) else None}
        return document


def budget_uses(
    campaigns: Sequence[CampaignSettings],
    drives: Sequence[DriveResult],
    fleet: ForecastFleet | None,
    catalog: SignalCatalog,
) -> tuple[BudgetUse, ...]:
    """Every limit of every campaign, in the order of the file; without a fleet nothing is expected per day."""
    return tuple(use for campaign in campaigns for use in _uses(campaign, drives, fleet, catalog))


def _uses(
    campaign: CampaignSettings, drives: Sequence[DriveResult], fleet: ForecastFleet | None, catalog: SignalCatalog
) -> Iterator[BudgetUse]:
    yield from _of_budget(campaign, campaign.triggers, campaign.budget, None, drives, fleet, catalog)
    for trigger in campaign.triggers:
        if trigger.budget is not None:
            yield from _of_budget(campaign, (trigger,), trigger.budget, trigger.name, drives, fleet, catalog)


def _of_budget(  # noqa: PLR0917 - what a budget is compared with
    campaign: CampaignSettings,
    triggers: Sequence[TriggerSettings],
    budget: BudgetLimits,
    own_of: str | None,
    drives: Sequence[DriveResult],
    fleet: ForecastFleet | None,
    catalog: SignalCatalog,
) -> Iterator[BudgetUse]:
    """The limits of a campaign's budget, or of the own budget of a trigger, beside what these triggers use."""
    day = fleet_day = None
    if fleet is not None and (day := vehicle_day(campaign, triggers, drives, fleet, catalog)) is not None:
        fleet_day = day.scaled(fleet.vehicles)
    sizes = _clip_sizes(triggers, drives, catalog)
    limits = {
        VEHICLE_DAY: (budget.vehicle_day_bytes, day.bytes if day else None, False),
        VEHICLE_DAY_CLIPS: (budget.vehicle_day_clips, day.clips if day else None, False),
        TOTAL: (budget.total_bytes, fleet_day.bytes if fleet_day else None, True),
        CLIPS: (budget.clips, fleet_day.clips if fleet_day else None, True),
        UPLOAD: (campaign.largest_upload_bytes if own_of is None else None, None, False),
    }
    for limit, (amount, per_day, is_used_up) in limits.items():
        if amount is None:
            continue
        larger = 0 if limit in (CLIPS, VEHICLE_DAY_CLIPS) else int((sizes > amount).sum())
        days = _days(amount, per_day) if is_used_up and per_day else None
        yield BudgetUse(campaign.name, limit, amount, per_day, days, len(sizes), larger, own_of)


def vehicle_day(
    campaign: CampaignSettings,
    triggers: Sequence[TriggerSettings],
    drives: Sequence[DriveResult],
    fleet: ForecastFleet,
    catalog: SignalCatalog,
) -> DailyVolume | None:
    """What these triggers of a campaign yield in a vehicle's day; None if none of them ran."""
    total = yield_of(campaign, triggers, drives, fleet, catalog)
    return total.per_day(fleet.hours_per_day) if total else None


def yield_of(
    campaign: CampaignSettings,
    triggers: Sequence[TriggerSettings],
    drives: Sequence[DriveResult],
    fleet: ForecastFleet,
    catalog: SignalCatalog,
) -> TriggerYield | None:
    """What these triggers of a campaign yield per hour; None if none of them ran."""
    yields = [
        trigger_yield(each.name, each.capture, fleet.sample_one_in or campaign.one_in(each), drives, catalog)
        for each in triggers
    ]
    return TriggerYield.total([each for each in yields if each is not None])


def _clip_sizes(
    triggers: Sequence[TriggerSettings], drives: Sequence[DriveResult], catalog: SignalCatalog
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The sizes of all recordings of these triggers; a trigger without any counts with one of its declared rates."""
    cameras = mean_camera_rates(drives)
    sizes: list[int] = []
    for trigger in triggers:
        recorded = [drive.recording_bytes[trigger.name] for drive in drives if trigger.name in drive.recording_bytes]
        sizes += (
            np.concatenate(recorded).tolist() if recorded else [nominal_clip_bytes(trigger.capture, catalog, cameras)]
        )
    return np.array(sizes, np.int64)


def _days(amount: int, per_day: Interval) -> Interval | None:
    """How long an amount lasts; None if nothing is used."""
    if per_day.mean <= 0:
        return None
    longest = amount / per_day.low if per_day.low > 0 else math.inf
    return Interval(amount / per_day.mean, amount / per_day.high, longest)
