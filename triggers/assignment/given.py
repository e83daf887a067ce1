"""What the cloud knows of a vehicle's part: the campaign versions it was given, and why something of it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from triggers.contracts.compared import HeadSides

Version = tuple[str, int]
"""Campaign and version."""


@dataclass(frozen=True, slots=True)
class AssignedVersion:
    """A version that a vehicle was given: when for the first time (ns), whether its fires are still accepted.

    `cooldowns` are its triggers', in ns; `replays` is the vehicle's.
    """

    since_ns: int
    in_time: bool
    cooldowns: Mapping[str, int]
    replays: bool


@dataclass(frozen=True, slots=True)
class CountedParts:
    """What a campaign version counts by name: its compared heads, its triggers, its heads with compared events."""

    heads: frozenset[str]
    triggers: frozenset[str]
    events: frozenset[HeadSides] = frozenset()


class Refusal(StrEnum):
    """Why something of a vehicle was refused."""

    NOT_ASSIGNED = "not_assigned"
    """Fires or counts of a campaign version that it was never given."""
    ASSIGNMENT_OVER = "assignment_over"
    """Fires or counts of a campaign version that ended for it longer ago than the grace: it was offline for long."""
    IMPLAUSIBLE = "implausible"
    """Counts of more fires, time or distance than any vehicle can have."""
    INVALID_REPORT = "invalid_report"
    """A report of counts that breaks a rule."""
    INVALID_MANIFEST = "invalid_manifest"
    """A manifest that breaks a rule."""
    DAMAGED_CLIP = "damaged_clip"
    """A clip of which the extractor could not make sense."""
