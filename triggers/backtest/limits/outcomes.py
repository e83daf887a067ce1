"""What would have become of each fire of a drive: the recording that it is in, and whether a vehicle keeps its clip.

A drive counts as a day of one vehicle. Limits of the whole fleet, targets and rollouts are not applied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from triggers.backtest.limits.day import TOTAL, UPLOAD, VEHICLE_DAY, DayBudget, Limit, day_budgets, too_large
from triggers.backtest.meters.recordings import OwnRecordings
from triggers.backtest.plan import BacktestPlan
from triggers.backtest.result import DriveResult
from triggers.contracts.campaign import CampaignSettings
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
    triggers, budgets = {trigger.name: trigger for trigger in campaign.triggers}, day_budgets(campaign)
    by_chance: set[str | None] = set()  # the budgets of which nobody knows how much sampling has left
    for recording in recordings:
        if recording.trigger not in triggers:
            continue
        days, size_bytes = budgets[recording.trigger], recording.size_bytes
        dropping = [day for day in days if day.budget.when_day_is_spent == "drop" and day.is_limited]
        if (limit := too_large(campaign, days, size_bytes)) is not None:
            yield recording, FireFate.DROPPED, _larger(campaign, limit, size_bytes)
        elif campaign.one_in(triggers[recording.trigger]) > 1:
            by_chance |= {day.trigger for day in days}
            yield recording, FireFate.SAMPLED, None
        elif (
            reason := next((why for day in dropping if (why := _spent(campaign, day, size_bytes))), None)
        ) is not None:
            yield recording, FireFate.DROPPED, reason
        elif any(day.trigger in by_chance for day in dropping):  # what is used depends on which fires were kept
            yield recording, FireFate.SAMPLED, None
        else:
            for day in days:
                day.use(size_bytes)
            yield recording, FireFate.KEPT, None


_LIMITS = {UPLOAD: "`upload`", VEHICLE_DAY: "the budget of a vehicle's day", TOTAL: "the budget in total"}


def _larger(campaign: CampaignSettings, limit: Limit, size_bytes: int) -> str:
    """Why a clip is never uploaded."""
    what, whose = _LIMITS[limit.name], _whose(campaign, limit.trigger)
    return f"its clip has {size_bytes} bytes, more than the {limit.amount} of {what} in {whose}"


def _spent(campaign: CampaignSettings, day: DayBudget, size_bytes: int) -> str | None:
    """Why a day that drops what it has no room for drops a clip; None if it does not."""
    limit = day.without_room(size_bytes)
    if limit is None:
        return None
    of_day = f"that {_whose(campaign, day.trigger)} has for a vehicle's day were used"
    if limit.name == VEHICLE_DAY:
        return f"{day.used_bytes} of the {limit.amount} bytes {of_day}, and its clip has {size_bytes}"
    return f"all of the {limit.amount} clips {of_day}"


def _whose(campaign: CampaignSettings, trigger: str | None) -> str:
    return campaign.name if trigger is None else f"`{trigger}` in {campaign.name}"
