"""The input and output of evaluators: rows of samples, firings, and the interval of heartbeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from triggers.signals.objects import ObjectSample

HEARTBEAT_NS = 100_000_000
MAX_T_NS = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Row:
    """All samples of one instant, by signal name.

    Absent or NaN: no new sample. Infinite: measured but invalid. Bools are 0 and 1, texts the index of their
    value. Timestamps are strictly ascending within a recording; rows of equal time are merged beforehand.
    `objects` has the samples of lists of objects, by the list's name.
    """

    t_ns: int
    samples: Mapping[str, float]
    objects: Mapping[str, ObjectSample] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Firing:
    """A trigger fired at this time."""

    trigger: str
    t_ns: int
