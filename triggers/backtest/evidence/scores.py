"""How well triggers found known events: what was found, missed and told falsely, with intervals, and how late.

An event that no fire found *could not be judged* if the condition was unknown for at least half of its window, or if
the trigger could not run on its drive; it is *outside* if nothing was recorded in its window. Else it was missed.
Precision is the share of found events among what was told: found events and false alarms. Further fires in the window
of an event that was found are neither. Recall is the share of found events among those found and missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from triggers.backtest.evidence.known_events import EventSpans, KnownEvents
from triggers.backtest.evidence.matching import Matching, match
from triggers.backtest.plan import BacktestPlan
from triggers.backtest.result import BacktestResult, DriveResult, JudgedWindow
from triggers.statistics.interval import Interval
from triggers.statistics.proportions import grouped_proportion
from triggers.times import NS_PER_S

Why = Literal["missed", "unknown", "outside"]
MAX_LISTED = 10_000
"""Events that were not found, and false alarms, that a report lists; counts are whole."""
LATE = 0.9
"""The quantile of delays beside the median."""


@dataclass(frozen=True, slots=True)
class NotFound:
    """An event that a trigger did not find: `t` and `end` in s of the drive's clock.

    `why` is `missed`, `unknown` (it could not be judged; `signal` is one that was unknown, or `reason` why the trigger
    did not run) or `outside` (nothing was recorded then). `unknown` is the share of its window in which the condition
    was unknown, None where nothing was weighed.
    """

    trigger: str
    drive: str
    t: float
    end: float
    why: Why
    unknown: float | None = None
    signal: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class FalseAlarm:
    """A fire in the window of no known event; `t` is in s of the drive's clock."""

    trigger: str
    drive: str
    t: float


@dataclass(frozen=True, slots=True)
class EventScore:
    """How well one trigger found its `events`: `found`, `missed`, `unknown` (not to be judged) and `outside` add up.

    `repeats` are fires in the window of an event that another fire found. `precision` and `recall` are None where there
    is nothing to divide; their intervals take drives as the independent units. The delays are those of the found
    events' fires behind the beginning of the event, in s: negative for fires before it.
    """

    events: int
    found: int
    missed: int
    unknown: int
    outside: int
    fires: int
    repeats: int
    false_alarms: int
    precision: Interval | None
    recall: Interval | None
    delay_median_s: float | None
    delay_90_s: float | None


@dataclass(frozen=True, slots=True)
class EventsReport:
    """How well the triggers found known events, with what was not found and what was told falsely.

    `events` are those of the file that count. `elsewhere` of them are of drives that did not run, the first of which is
    `first_elsewhere`. `drives_without` of the drives have no event: each fire on them is a false alarm. `not_judged`
    are triggers that no event is for.
    """

    window_s: float
    events: int
    elsewhere: int
    first_elsewhere: str | None
    repeated_rows: int
    of_no_trigger: dict[str, int]
    drives_without: int
    not_judged: tuple[str, ...]
    triggers: dict[str, EventScore]
    not_found: tuple[NotFound, ...]
    false_alarms: tuple[FalseAlarm, ...]

    def to_json(self) -> dict[str, Any]:
        """As in the report of a backtest."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _OnDrive:
    """A trigger on a drive: its events, the fires that found them, and why each other one was not found."""

    drive: DriveResult
    spans: EventSpans
    fires: Any
    matching: Matching
    why: tuple[NotFound, ...]

    def count(self, why: Why) -> int:
        return sum(1 for each in self.why if each.why == why)


_NO_EVENTS = EventSpans(np.empty(0, np.int64), np.empty(0, np.int64), 0)


def score_events(known: KnownEvents, plan: BacktestPlan, result: BacktestResult) -> EventsReport:
    """Compare the fires of a backtest with known events."""
    judged = [name for name in plan.settings if known.judges(name)]
    on_drives: dict[str, list[_OnDrive]] = {name: [] for name in judged}
    called: set[str] = set()
    without = 0
    for drive in result.drives:
        names = known.names_of(drive.name, drive.path)
        called.update(names)
        without += not names
        spans = known.spans(drive.name, drive.path, judged)
        for name in judged:
            on_drives[name].append(_on_drive(name, drive, spans.get(name, _NO_EVENTS)))
    elsewhere = {text: _events_of(known, text) for text in known.by_drive if text not in called}
    return EventsReport(
        window_s=known.window_ns / NS_PER_S,
        events=known.count,
        elsewhere=sum(elsewhere.values()),
        first_elsewhere=next(iter(elsewhere), None),
        repeated_rows=known.repeated,
        of_no_trigger=dict(known.of_no_trigger),
        drives_without=without,
        not_judged=tuple(name for name in plan.settings if not known.judges(name)),
        triggers={name: _score(found) for name, found in on_drives.items()},
        not_found=tuple(_first(each for found in on_drives.values() for one in found for each in one.why)),
        false_alarms=tuple(_first(each for name, found in on_drives.items() for each in _alarms(name, found))),
    )


def _events_of(known: KnownEvents, text: str) -> int:
    return len({event for events in known.by_drive[text].values() for event in events})


def _on_drive(name: str, drive: DriveResult, spans: EventSpans) -> _OnDrive:
    fires_ns = drive.fires_ns.get(name, np.empty(0, np.int64))
    matching = match(fires_ns, spans)
    windows = drive.judged.get(name, ())
    why = tuple(
        _not_found(name, drive, spans, number, windows[number] if windows else JudgedWindow())
        for number in np.flatnonzero(matching.fire_of_event < 0).tolist()
    )
    return _OnDrive(drive, spans, fires_ns, matching, why)


def _not_found(name: str, drive: DriveResult, spans: EventSpans, number: int, window: JudgedWindow) -> NotFound:
    place = name, drive.name, int(spans.t_ns[number]) / NS_PER_S, int(spans.end_ns[number]) / NS_PER_S
    if name in drive.left_out:
        return NotFound(*place, "unknown", reason=str(drive.left_out[name]))
    weight = window.condition
    if not weight.total_ns:
        return NotFound(*place, "outside")
    is_unknown = 2 * weight.unknown_ns >= weight.total_ns
    return NotFound(
        *place, "unknown" if is_unknown else "missed", weight.unknown_ns / weight.total_ns, window.unknown_signal
    )


def _score(found: Sequence[_OnDrive]) -> EventScore:
    hits = [each.matching.found for each in found]
    missed = [each.count("missed") for each in found]
    alarms = [len(each.matching.false_alarms()) for each in found]
    delays = np.concatenate([_delays_s(each) for each in found]) if found else np.empty(0)
    return EventScore(
        events=sum(len(each.spans) for each in found),
        found=sum(hits),
        missed=sum(missed),
        unknown=sum(each.count("unknown") for each in found),
        outside=sum(each.count("outside") for each in found),
        fires=sum(len(each.fires) for each in found),
        repeats=sum(int(each.matching.repeats.sum()) for each in found),
        false_alarms=sum(alarms),
        precision=grouped_proportion((hit, hit + alarm) for hit, alarm in zip(hits, alarms, strict=True)),
        recall=grouped_proportion((hit, hit + miss) for hit, miss in zip(hits, missed, strict=True)),
        delay_median_s=float(np.median(delays)) if len(delays) else None,
        delay_90_s=float(np.quantile(delays, LATE)) if len(delays) else None,
    )


def _delays_s(found: _OnDrive) -> Any:
    events = np.flatnonzero(found.matching.fire_of_event >= 0)
    fires_ns = found.fires[found.matching.fire_of_event[events]]
    return (fires_ns - found.spans.t_ns[events]) / NS_PER_S


def _alarms(name: str, found: Sequence[_OnDrive]) -> Iterator[FalseAlarm]:
    for each in found:
        for t_ns in each.fires[each.matching.false_alarms()].tolist():
            yield FalseAlarm(name, each.drive.name, t_ns / NS_PER_S)


def _first(each: Iterator[Any]) -> Iterator[Any]:
    return (one for one, _ in zip(each, range(MAX_LISTED), strict=False))
