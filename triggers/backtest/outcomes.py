"""What would have become of each fire of a drive: the recording that it is in, and whether a vehicle keeps its clip.

A drive counts as a day of one vehicle. Limits of the whole fleet, targets and rollouts are not applied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from triggers.backtest.meters.recordings import OwnRecordings
from triggers.backtest.plan import BacktestPlan
from triggers.backtest.result import DriveResult
from triggers.contracts.campaign import BudgetLimits, CampaignSettings
from triggers.drives.times import Times
from triggers.signals.catalog import SignalCatalog


class FireFate(StrEnum):
    """What becomes of a fire; `SAMPLED` ones are kept by chance, `UNCOLLECTED` ones are of no campaign of the file."""

    KEPT = "kept"
    SAMPLED = "sampled"
    DROPPED = "dropped"
    UNCOLLECTED = "uncollected"


@dataclass(frozen=True, slots=True)
class FireOutcome:
    """A fire at `t_ns`: the size of its clip alone, the number of its recording (of this trigger), and its fate.

    `reason` says why a fire is dropped.
    """

    trigger: str
    t_ns: int
    clip_bytes: int
    recording: int
    fate: FireFate
    reason: str | None


@dataclass(frozen=True, slots=True)
class _Recording:
    """A recording: when its first fire was, and its size; `number` counts those of its trigger."""

    t_ns: int
    trigger: str
    number: int
    size_bytes: int


def fire_outcomes(plan: BacktestPlan, drive: DriveResult, catalog: SignalCatalog, *, at_most: int) -> list[FireOutcome]:
    """The first fires of a drive in order of time, then of the trigger's name.

    A fire is kept if one of the campaigns that collect its trigger keeps its clip.
    """
    if at_most <= 0:
        return []
    # What becomes of a fire depends on those before it alone, which are among the first of their own triggers.
    fires_ns = {name: t_ns[:at_most] for name, t_ns in drive.fires_ns.items()}
    joined = {name: _numbers(plan, name, t_ns, catalog) for name, t_ns in fires_ns.items()}
    recordings = sorted(
        (each for name in joined for each in _recordings(drive, name, fires_ns[name], joined[name])),
        key=lambda each: (each.t_ns, each.trigger),
    )
    fates: dict[tuple[str, int], tuple[FireFate, str | None]] = {}
    for campaign in plan.campaigns:
        for recording, fate, reason in _fates(campaign, recordings):
            key = (recording.trigger, recording.number)
            if key not in fates or fates[key][0] is FireFate.DROPPED:
                fates[key] = fate, reason
    outcomes = []
    for name, t_ns in fires_ns.items():
        sizes = drive.clip_bytes[name][:at_most].tolist()
        for moment, size, number in zip(t_ns.tolist(), sizes, joined[name], strict=True):
            fate, reason = fates.get((name, number), (FireFate.UNCOLLECTED, None))
            outcomes.append(FireOutcome(name, moment, size, number, fate, reason))
    return sorted(outcomes, key=lambda fire: (fire.t_ns, fire.trigger))[:at_most]


def _numbers(plan: BacktestPlan, name: str, fires_ns: Times, catalog: SignalCatalog) -> list[int]:
    """For each fire of a trigger, the number of its recording."""
    joined = OwnRecordings(plan.settings[name].capture, catalog.buffer_ns).joined(fires_ns)
    numbers: list[int] = (np.cumsum(~joined) - 1).tolist()
    return numbers


def _recordings(drive: DriveResult, name: str, fires_ns: Times, numbers: Sequence[int]) -> Iterator[_Recording]:
    sizes = drive.recording_bytes[name]
    latest = -1
    for moment, number in zip(fires_ns.tolist(), numbers, strict=True):
        if number != latest:
            yield _Recording(moment, name, number, int(sizes[number]))
            latest = number


def _fates(
    campaign: CampaignSettings, recordings: Sequence[_Recording]
) -> Iterator[tuple[_Recording, FireFate, str | None]]:
    """What becomes of the recordings of a campaign's triggers, in order of time."""
    triggers = {trigger.name: trigger for trigger in campaign.triggers}
    of_campaign = _Day(campaign.name, campaign.budget)
    own = {name: _Day(f"`{name}` in {campaign.name}", each.budget) for name, each in triggers.items() if each.budget}
    for recording in recordings:
        if recording.trigger not in triggers:
            continue
        days = [of_campaign, *([own[recording.trigger]] if recording.trigger in own else [])]
        if (reason := _too_large(campaign, days, recording.size_bytes)) is not None:
            yield recording, FireFate.DROPPED, reason
        elif campaign.one_in(triggers[recording.trigger]) > 1:
            for day in days:
                day.is_by_chance = True
            yield recording, FireFate.SAMPLED, None
        elif (reason := next((why for day in days if (why := day.refusal(recording.size_bytes))), None)) is not None:
            yield recording, FireFate.DROPPED, reason
        elif any(day.drops and day.is_by_chance for day in days):  # what is used depends on which fires were kept
            yield recording, FireFate.SAMPLED, None
        else:
            for day in days:
                day.used += recording.size_bytes
                day.clips += 1
            yield recording, FireFate.KEPT, None


@dataclass(slots=True)
class _Day:
    """A vehicle's day under a budget, and what is used of it so far; `whose` names the budget."""

    whose: str
    budget: BudgetLimits
    used: int = 0
    clips: int = 0
    is_by_chance: bool = False

    @property
    def drops(self) -> bool:
        """Whether clips are dropped that the day has no room for."""
        limits = (self.budget.vehicle_day_bytes, self.budget.vehicle_day_clips)
        return self.budget.when_day_is_spent == "drop" and limits != (None, None)

    def refusal(self, size_bytes: int) -> str | None:
        """Why the day drops a clip; None if it does not."""
        budget, of_day = self.budget, f"that {self.whose} has for a vehicle's day were used"
        if not self.drops:
            return None
        if budget.vehicle_day_bytes is not None and self.used + size_bytes > budget.vehicle_day_bytes:
            return f"{self.used} of the {budget.vehicle_day_bytes} bytes {of_day}, and its clip has {size_bytes}"
        if budget.vehicle_day_clips is not None and self.clips >= budget.vehicle_day_clips:
            return f"all of the {budget.vehicle_day_clips} clips {of_day}"
        return None


def _too_large(campaign: CampaignSettings, days: Sequence[_Day], size_bytes: int) -> str | None:
    """Why a clip of this size is never uploaded for a campaign; None if it is."""
    limits = [("`upload`", campaign.largest_upload_bytes, campaign.name)]
    for day in days:
        limits.append(("the budget of a vehicle's day", day.budget.vehicle_day_bytes, day.whose))
        limits.append(("the budget in total", day.budget.total_bytes, day.whose))
    for what, limit, whose in limits:
        if limit is not None and size_bytes > limit:
            return f"its clip has {size_bytes} bytes, more than the {limit} of {what} in {whose}"
    return None
