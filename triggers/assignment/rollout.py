"""Rollouts: the share of the fleet that the stages of one admit, by the time since it began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from triggers.contracts.campaign import RolloutStage


@dataclass(frozen=True, slots=True)
class ReachedStage:
    """The stage that a rollout has reached: its number from 1, its share, and how long it still lasts, if it ends."""

    number: int
    share: float
    left_ns: int | None


def stage_at(stages: Sequence[RolloutStage], elapsed_ns: int) -> ReachedStage:
    """The stage `elapsed_ns` after the rollout began; the last one has no end.

    >>> stages = RolloutStage(share=0.1, duration_ns=100), RolloutStage(share=1)
    >>> stage_at(stages, 30), stage_at(stages, 100).number
    (ReachedStage(number=1, share=0.1, left_ns=70), 2)
    """
    for number, stage in enumerate(stages, start=1):
        if stage.duration_ns is None or elapsed_ns < stage.duration_ns:
            return ReachedStage(
                number, stage.share, None if stage.duration_ns is None else stage.duration_ns - elapsed_ns
            )
        elapsed_ns -= stage.duration_ns
    return ReachedStage(len(stages), stages[-1].share, None)


def share_at(stages: Sequence[RolloutStage], elapsed_ns: int) -> float:
    """The share of the fleet that a rollout admits `elapsed_ns` after it began."""
    return stage_at(stages, elapsed_ns).share
