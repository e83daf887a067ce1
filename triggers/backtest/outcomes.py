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
    one_in = {trigger.name: campaign.one_in(trigger) for trigger in campaign.triggers}
    drops = campaign.budget.when_day_is_spent == "drop"
    is_day_limited = campaign.budget.vehicle_day_bytes is not None or campaign.budget.vehicle_day_clips is not None
    used, clips, is_by_chance = 0, 0, False
    for recording in recordings:
        if recording.trigger not in one_in:
            continue
        if (reason := _too_large(campaign, recording.size_bytes)) is not None:
            yield recording, FireFate.DROPPED, reason
        elif one_in[recording.trigger] > 1:
            is_by_chance = True
            yield recording, FireFate.SAMPLED, None
        elif drops and (reason := _day_is_spent(campaign, used, clips, recording.size_bytes)) is not None:
            yield recording, FireFate.DROPPED, reason
        elif drops and is_day_limited and is_by_chance:  # what of the day is used depends on which fires were kept
            yield recording, FireFate.SAMPLED, None
        else:
            used += recording.size_bytes
            clips += 1
            yield recording, FireFate.KEPT, None


def _day_is_spent(campaign: CampaignSettings, used: int, clips: int, size_bytes: int) -> str | None:
    """Why a vehicle's day of which bytes and clips are used has no room for a clip; None if it has."""
    budget, of_day = campaign.budget, f"that {campaign.name} has for a vehicle's day were used"
    if budget.vehicle_day_bytes is not None and used + size_bytes > budget.vehicle_day_bytes:
        return f"{used} of the {budget.vehicle_day_bytes} bytes {of_day}, and its clip has {size_bytes}"
    if budget.vehicle_day_clips is not None and clips >= budget.vehicle_day_clips:
        return f"all of the {budget.vehicle_day_clips} clips {of_day}"
    return None


def _too_large(campaign: CampaignSettings, size_bytes: int) -> str | None:
    """Why a clip of this size is never uploaded for a campaign; None if it is."""
    upload, budget = campaign.largest_upload_bytes, campaign.budget
    limits = {
        "`upload`": upload,
        "the budget of a vehicle's day": budget.vehicle_day_bytes,
        "the budget in total": budget.total_bytes,
    }
    for what, limit in limits.items():
        if limit is not None and size_bytes > limit:
            return f"its clip has {size_bytes} bytes, more than the {limit} of {what} in {campaign.name}"
    return None
