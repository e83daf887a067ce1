"""Plausibility of a vehicle's clock: how far it may be from the cloud's, and which clips are marked because of it."""

from __future__ import annotations

from triggers.contracts.clip import RecordingManifest
from triggers.times import DAY_NS, NS_PER_S

HOUR_NS = 3600 * NS_PER_S
MAX_OFFSET_NS = HOUR_NS
"""A clock that is further off is a problem of its vehicle: lists expire by it, and clips are found by it."""
EARLIEST_NS = 1_420_070_400 * NS_PER_S
"""The beginning of 2015: no vehicle recorded a clip before."""
IMPLAUSIBLE = "clock_implausible"
"""The tag of clips whose times cannot be right."""


def clock_problem(clock_offset_ns: int) -> str | None:
    """A sentence about the offset (vehicle's clock minus the cloud's); None if the clock is about right."""
    if abs(clock_offset_ns) <= MAX_OFFSET_NS:
        return None
    hours = abs(clock_offset_ns) / HOUR_NS
    span = f"{hours:.1f} hours" if hours < 48 else f"{hours / 24:.0f} days"
    way = "ahead of" if clock_offset_ns > 0 else "behind"
    return f"its clock is {span} {way} the cloud's; let it follow NTP, GNSS or the network's time"


def is_implausible(recording: RecordingManifest, *, received_ns: int) -> bool:
    """Whether a recording cannot have been made when it says, given when the cloud received it.

    It ends after it was received (a day is allowed), begins before 2015, or its vehicle knew that its clock was more
    than a day off. Replayed drives say where their times come from, and are left alone.
    """
    if recording.source is not None:
        return False
    return (
        recording.end_ns > received_ns + DAY_NS
        or recording.start_ns < EARLIEST_NS
        or abs(recording.clock_offset_ns) > DAY_NS
    )
