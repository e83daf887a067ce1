"""How many fires, and how much time and distance, a vehicle can have to report: what is beyond that is not counted.

Between two fires of a trigger at least its cooldown passes, by the time of the data. That time is armed or not (a car
that is started every minute fires once a drive, whatever its cooldown), so it is bounded by the time since the vehicle
was first given the campaign; armed time, which excludes what is between drives, bounds the number of ticks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple

from triggers.contracts.checkin import FireCounts
from triggers.times import NS_PER_S

SLACK_NS = 3600 * NS_PER_S
"""Clocks of vehicle and cloud may run apart so far; a clock that is set within a drive adds no armed time."""
REPLAYED_NS = 10 * 365 * 86_400 * NS_PER_S
"""The most data that a simulated vehicle can have played: ten years."""
MAX_SPEED_M_S = 1000.0
"""No faster sample of the speed counts as distance, see `triggers.distance`."""
MIN_TICK_NS = 1_000_000
"""No trigger fires more than once a millisecond, nor is a head compared or does it rise more often."""
TICKS_BESIDE = 1000
"""Ticks that armed time does not cover: the first one of each drive, and those after a gap."""


def span_ns(*, since_ns: int, now_ns: int, replays: bool) -> int:
    """The longest time (ns) that the data of a vehicle can cover which was given a campaign at `since_ns`."""
    return REPLAYED_NS if replays else max(0, now_ns - since_ns) + SLACK_NS


def most_ticks(elapsed_ns: int) -> int:
    """How many ticks a program can have had in `elapsed_ns` of data."""
    return elapsed_ns // MIN_TICK_NS + TICKS_BESIDE


def most_fires(cooldown_ns: int, span: int, armed_ns: int) -> int:
    """How often a trigger with this cooldown can have fired in data that covers `span`, `armed_ns` of it armed."""
    ticks = most_ticks(min(span, armed_ns))
    return min(ticks, span // cooldown_ns + 1) if cooldown_ns else ticks


def most_ordinals(cooldowns: Mapping[str, int], span: int) -> int:
    """The highest ordinal that a campaign's fires can have; `cooldowns` are its triggers', in ns."""
    return sum(most_fires(cooldown_ns, span, span) for cooldown_ns in cooldowns.values())


def implausible(counts: FireCounts, cooldowns: Mapping[str, int], span: int) -> str | None:
    """What no vehicle can have counted in data that covers `span` ns, as a sentence; None if all of it can be.

    Every trigger of the report must be in `cooldowns`.
    """
    if counts.armed_ns > span:
        return f"{counts.armed_ns} ns of armed time, but at most {span} ns have passed since it was first assigned"
    for trigger, fires in sorted(counts.per_trigger.items()):
        most = most_fires(cooldowns[trigger], span, counts.armed_ns)
        if fires > most:
            return f"{fires} fires of {trigger}, which can have fired {most} times at most"
    ticks = most_ticks(counts.armed_ns)
    if counts.suppressed > ticks * max(1, len(cooldowns)):
        return f"{counts.suppressed} suppressed rises in {counts.armed_ns} ns of armed time"
    for head, pairs in sorted(counts.compared.items()):
        if sum(astuple(pairs)) > ticks:
            return f"{sum(astuple(pairs))} pairs of {head} in {counts.armed_ns} ns of armed time"
    for head, of_head in sorted(counts.events.items()):
        most = max(max(events.rises) for events in of_head.values()) if of_head else 0
        if most > ticks:
            return f"{most} rises of {head} in {counts.armed_ns} ns of armed time"
    if counts.distance_m > MAX_SPEED_M_S * (counts.armed_ns / NS_PER_S) + TICKS_BESIDE:
        return f"{counts.distance_m} m in {counts.armed_ns} ns of armed time"
    return None
