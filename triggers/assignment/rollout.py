"""Rollouts: the share of the fleet that the stages of one admit, by the time since it began."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def stages_begin_ns(
    stages: Sequence[RolloutStage], began_ns: int, halts: Iterable[tuple[int, int | None]]
) -> list[int]:
    """When each stage of a rollout began or will begin, as far as that is known (Unix time).

    `halts` are times in which its stages did not count: since when and until when, None for one that lasts. They may
    overlap. A stage that begins after a halt that lasts is not known.

    >>> stages = [RolloutStage(share=share, duration_ns=100) for share in (0.1, 0.5, 1)]
    >>> stages_begin_ns(stages, 1000, [(1050, 1060), (1180, None)])
    [1000, 1110]
    """
    begins, at_ns = [], began_ns
    left = _apart(halts)
    for stage in stages:
        begins.append(at_ns)
        if stage.duration_ns is None:
            break
        at_ns += stage.duration_ns
        while left and left[0][0] < at_ns:
            since_ns, until_ns = left.pop(0)
            if until_ns is None:
                return begins
            at_ns += until_ns - since_ns
    return begins


def halted_ns(halts: Iterable[tuple[int, int | None]]) -> int:
    """How long all halts that are over have lasted together, in ns; what overlaps counts once."""
    return sum(until_ns - since_ns for since_ns, until_ns in _apart(halts) if until_ns is not None)


def _apart(halts: Iterable[tuple[int, int | None]]) -> list[tuple[int, int | None]]:
    """The same halts in their order, those that overlap as one."""
    apart: list[tuple[int, int | None]] = []
    for since_ns, until_ns in sorted(halts, key=lambda halt: halt[0]):
        if apart and (apart[-1][1] is None or since_ns <= apart[-1][1]):
            last_since, last_until = apart[-1]
            ends = None if last_until is None or until_ns is None else max(last_until, until_ns)
            apart[-1] = last_since, ends
        else:
            apart.append((since_ns, until_ns))
    return apart


def share_at(stages: Sequence[RolloutStage], elapsed_ns: int) -> float:
    """The share of the fleet that a rollout admits `elapsed_ns` after it began."""
    return stage_at(stages, elapsed_ns).share
