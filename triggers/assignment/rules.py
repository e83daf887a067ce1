"""The rule by which a campaign is assigned to a vehicle: its days, its target and its rollout.

It is a pure function, so every replica of the API gives the same answer, and a prediction can use it in advance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum

from triggers.assignment.rollout import share_at
from triggers.assignment.sampling import admitted
from triggers.assignment.targets import compares_no_version, matches
from triggers.contracts.base import AttributeValue
from triggers.contracts.campaign import CampaignSettings, RolloutStage
from triggers.contracts.campaign_life import has_begun, is_over
from triggers.times import DAY_NS, NS_PER_S, midnight_ns


class Obstacle(StrEnum):
    """Why an active campaign is not assigned to a vehicle."""

    DAYS = "days"
    """Its first day has not come, or its last one is over."""
    TARGET = "target"
    """The vehicle's attributes do not satisfy its target, or are not known."""
    NOT_A_VERSION = "not_a_version"
    """Its target compares an attribute as a version, and the vehicle's is not one."""
    STAGE = "stage"
    """The stage that its rollout has reached does not admit the vehicle."""


def obstacle(
    settings: CampaignSettings,
    vehicle_id: str,
    attributes: Mapping[str, AttributeValue],
    *,
    rollout_from_ns: int,
    now_ns: int,
    held_ns: int | None = None,
    reported: Mapping[str, AttributeValue] | None = None,
) -> Obstacle | None:
    """Why the vehicle does not run an active campaign at `now_ns`, if its rollout began at `rollout_from_ns` (Unix
    time); None if it runs it. Of several reasons it is the first.

    A rollout that is held since `held_ns` admits whom it admitted then.
    `reported` are the attributes that the vehicle itself tells, see `targets.matches`.

    The campaign's days are whole days in UTC, including the first and the last.
    """
    if settings.active_from is not None or settings.active_to is not None:
        today = datetime.fromtimestamp(now_ns // NS_PER_S, UTC).date()
        if not has_begun(settings, today) or is_over(settings, today):
            return Obstacle.DAYS
    if not matches(settings.target, attributes, reported or {}):
        is_unreadable = compares_no_version(settings.target, attributes, reported or {})
        return Obstacle.NOT_A_VERSION if is_unreadable else Obstacle.TARGET
    until_ns = now_ns if held_ns is None else min(now_ns, held_ns)
    share = share_at(settings.rollout, max(0, until_ns - rollout_from_ns))
    return None if admitted(vehicle_id, settings.name, share) else Obstacle.STAGE


def next_change_ns(
    settings: CampaignSettings, *, rollout_from_ns: int, now_ns: int, is_held: bool = False
) -> int | None:
    """When the campaign may next be assigned to other vehicles than at `now_ns`, by time alone; None: never.

    The stages of a rollout that is held do not end.
    """
    changes = [
        *(() if settings.active_from is None else (midnight_ns(settings.active_from),)),
        *(() if settings.active_to is None else (midnight_ns(settings.active_to) + DAY_NS,)),
        *(() if is_held else _stages_end_ns(settings.rollout, rollout_from_ns)),
    ]
    return min((change for change in changes if change > now_ns), default=None)


def _stages_end_ns(stages: Sequence[RolloutStage], began_ns: int) -> Iterator[int]:
    for stage in stages:
        if stage.duration_ns is None:
            return
        began_ns += stage.duration_ns
        yield began_ns
