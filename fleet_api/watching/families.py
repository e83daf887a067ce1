"""Metrics that are of no campaign: queues, dead letters, vehicles, label jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from ingest.metrics import names
from ingest.metrics.names import Family
from storage.watching.fleet import FleetNumbers
from storage.watching.numbers import Numbers

MAX_VALUES = 30
"""Of a label whose values others choose (reasons, tasks): those with most are shown, the rest together as `other`."""
OTHER = "other"


def of_queues(now: Numbers) -> Iterator[Family]:
    """What waits now."""
    queues = now.queues
    yield names.OPEN_CLIPS.family((((state,), queues[f"{state}_uploads"])) for state in ("open", "received"))
    yield names.UNSENT_EVENTS.family([((), queues["unsent_events"])])
    yield names.EXTRACTIONS.family([((), queues["waiting_extractions"])])
    yield names.DEAD_LETTERS.family(((reason,), count) for reason, count in few(now.dead_letters).items())


def of_fleet(fleet: FleetNumbers) -> Iterator[Family]:
    """What is counted once a minute."""
    yield names.VEHICLES.family(((state,), count) for state, count in fleet.vehicles.items())
    jobs: Counter[tuple[str, ...]] = Counter()
    tasks = few({task: sum(states.values()) for task, states in fleet.label_jobs.items()})
    for task, states in fleet.label_jobs.items():
        for state, count in states.items():
            jobs[task if task in tasks else OTHER, state] += count
    yield names.LABEL_JOBS.family((labels, count) for labels, count in sorted(jobs.items()))


def few(counts: Mapping[str, int]) -> dict[str, int]:
    """At most MAX_VALUES of these, the largest first, and the sum of the others as OTHER."""
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    shown = dict(ordered[:MAX_VALUES])
    rest = sum(count for _, count in ordered[MAX_VALUES:])
    if rest:
        shown[OTHER] = shown.get(OTHER, 0) + rest
    return shown
