"""Rollouts: the share of the fleet that the stages of one admit, by the time since it began."""

from __future__ import annotations

from collections.abc import Sequence

from triggers.contracts.campaign import RolloutStage


def share_at(stages: Sequence[RolloutStage], elapsed_ns: int) -> float:
    """The share of the fleet that a rollout admits `elapsed_ns` after it began; the last stage has no end."""
    for stage in stages:
        if stage.duration_ns is None or elapsed_ns < stage.duration_ns:
            return stage.share
        elapsed_ns -= stage.duration_ns
    return stages[-1].share
