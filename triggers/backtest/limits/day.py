"""A vehicle's day under the limits of a campaign and of triggers' own budgets in it: which clip has no room in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from triggers.contracts.campaign import BudgetLimits, CampaignSettings

VEHICLE_DAY, TOTAL, CLIPS, UPLOAD = "vehicle_day_bytes", "total_bytes", "clips", "upload_bytes"
VEHICLE_DAY_CLIPS = "vehicle_day_clips"


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit by its name (see above) and its amount in bytes or clips.

    It is a campaign's, or that of the own budget of a `trigger` in it.
    """

    name: str
    amount: int
    trigger: str | None = None


@dataclass(slots=True)
class DayBudget:
    """A vehicle's day under one budget, a campaign's or the own one of a `trigger` in it, and what is used of it."""

    budget: BudgetLimits
    trigger: str | None = None
    used_bytes: int = 0
    clips: int = 0

    @property
    def is_limited(self) -> bool:
        """Whether the budget has a limit of a vehicle's day."""
        return (self.budget.vehicle_day_bytes, self.budget.vehicle_day_clips) != (None, None)

    def without_room(self, size_bytes: int) -> Limit | None:
        """The limit of the day that has no room for a clip of this size; None if there is room."""
        budget = self.budget
        if budget.vehicle_day_bytes is not None and self.used_bytes + size_bytes > budget.vehicle_day_bytes:
            return Limit(VEHICLE_DAY, budget.vehicle_day_bytes, self.trigger)
        if budget.vehicle_day_clips is not None and self.clips >= budget.vehicle_day_clips:
            return Limit(VEHICLE_DAY_CLIPS, budget.vehicle_day_clips, self.trigger)
        return None

    def has_room_for(self, clips: int, size_bytes: int) -> bool:
        """Whether no limit of the day refuses any of so many clips with so many bytes in all."""
        most_bytes, most_clips = self.budget.vehicle_day_bytes, self.budget.vehicle_day_clips
        return (most_bytes is None or self.used_bytes + size_bytes <= most_bytes) and (
            most_clips is None or self.clips + clips <= most_clips
        )

    def reset(self) -> None:
        """Begin another day."""
        self.used_bytes = self.clips = 0

    def use(self, size_bytes: int) -> None:
        """Count a clip."""
        self.used_bytes += size_bytes
        self.clips += 1


def day_budgets(campaign: CampaignSettings) -> dict[str, tuple[DayBudget, ...]]:
    """An unused day: by trigger the budgets that its clips count in, the campaign's (one for all) and its own."""
    of_campaign = DayBudget(campaign.budget)
    own = {each.name: DayBudget(each.budget, each.name) for each in campaign.triggers if each.budget is not None}
    return {each.name: (of_campaign, *([own[each.name]] if each.name in own else [])) for each in campaign.triggers}


def too_large(campaign: CampaignSettings, days: Sequence[DayBudget], size_bytes: int) -> Limit | None:
    """The limit for which a clip of this size is never uploaded for a campaign; None if it may be."""
    limits: list[tuple[str, int | None, str | None]] = [(UPLOAD, campaign.largest_upload_bytes, None)]
    for day in days:
        limits.append((VEHICLE_DAY, day.budget.vehicle_day_bytes, day.trigger))
        limits.append((TOTAL, day.budget.total_bytes, day.trigger))
    for name, amount, trigger in limits:
        if amount is not None and size_bytes > amount:
            return Limit(name, amount, trigger)
    return None
