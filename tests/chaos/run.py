"""A run of the suite: one fault after the other under load, each followed by the question whether work goes on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from tests.chaos import audit, faults
from tests.chaos.faults import Fault
from tests.chaos.stage import Stage
from tests.chaos.witness import testimony
from tests.support.waiting import wait_for
from triggers.errors import LongtailError

RECOVERY_S = 60.0
"""Within this time after a fault's end, a clip that each vehicle recorded after it is catalogued, and one extracted."""
DRAIN_S = 240.0
SETTLE_S = 120.0
NEWEST = 300
_SHORTEST_S = 1.0

Report = Callable[[str], None]


@dataclass
class Survived:
    """What a run came through, and what it did not."""

    faults: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    clips: int = 0
    slowest_recovery_s: float = 0.0
    bits_turned_over: int = 0

    def summary(self) -> str:
        """One line for people."""
        kinds = len(set(self.faults))
        return (
            f"{len(self.faults)} faults of {kinds} kinds survived, {self.clips} clips whole and once, "
            f"{self.bits_turned_over} bits turned over; the slowest recovery took {self.slowest_recovery_s:.0f} s"
        )


def run(stage: Stage, *, for_s: float, longest_s: float, report: Report, only: str | None = None) -> Survived:
    """Play faults for `for_s` seconds, none longer than `longest_s`, then let everything come to rest and audit it.

    `only` leaves out the faults whose name does not contain it.
    """
    survived = Survived(left_out=faults.left_out(stage))
    cells_were_lost = False
    ends_s = time.monotonic() + for_s
    _recover(stage, "the start")
    waiting: list[Fault] = []
    while time.monotonic() < ends_s and not survived.findings:
        waiting = waiting or _shuffled(stage, only or "")
        fault = waiting.pop()
        seconds = _duration(stage, min(fault.longest_s, longest_s))
        report(f"{fault.name}" + (f" for {seconds:.0f} s" if seconds else ""))
        cells_were_lost |= fault.loses_cells
        fault.action(stage, seconds)
        try:
            recovered_s = _recover(stage, fault.name)
        except AssertionError as late:
            survived.findings.append(str(late))
            break
        survived.slowest_recovery_s = max(survived.slowest_recovery_s, recovered_s)
        survived.faults.append(fault.name)
        survived.findings += [f"after {fault.name}: {text}" for text in audit.contradictions(stage)]
    survived.findings += _audited(stage, cells_were_lost, survived)
    survived.bits_turned_over = sum(wire.flips for wire in stage.wires.values())
    return survived


def _shuffled(stage: Stage, only: str) -> list[Fault]:
    """The whole deck in a new order, so that every kind comes before any comes twice."""
    deck = [fault for fault in faults.deck(stage) if only in fault.name]
    stage.rng.shuffle(deck)
    return deck


def _duration(stage: Stage, longest_s: float) -> float:
    """Short ones more often than long ones: uniform in the logarithm."""
    if longest_s <= _SHORTEST_S:
        return longest_s
    return math.exp(stage.rng.uniform(math.log(_SHORTEST_S), math.log(longest_s)))


def _recover(stage: Stage, what: str) -> float:
    """Wait until clips recorded from now on are in the catalog, of every vehicle; how long that took, in seconds."""
    began_s = time.monotonic()
    known = {name: set(_recorded(stage, name)) for name in stage.vehicle_names}
    extracted: set[str] | None = None

    def goes_on() -> bool:
        nonlocal extracted
        stage.watch()
        try:
            stored, ready = _newest(stage)
        except (LongtailError, httpx.HTTPError):
            return False
        extracted = ready if extracted is None else extracted
        fresh = [set(_recorded(stage, name)) - known[name] for name in stage.vehicle_names]
        works = all(new & stored for new in fresh) and ready - extracted
        return bool(works) and stage.is_ready("api") and stage.is_ready("gateway")

    wait_for(goes_on, within_s=RECOVERY_S, what=f"work that goes on after {what}")
    return time.monotonic() - began_s


def _recorded(stage: Stage, name: str) -> list[str]:
    return list(testimony(stage.vehicle_folder(name) / "witness.jsonl").recorded)


def _newest(stage: Stage) -> tuple[set[str], set[str]]:
    """Of the newest clips: all of them, and those that are extracted, by digest."""
    with stage.api() as api:
        clips = list(api.clips.search(limit=NEWEST))
    return {clip.digest for clip in clips}, {clip.digest for clip in clips if clip.state == "ready"}


def _audited(stage: Stage, cells_were_lost: bool, survived: Survived) -> list[str]:
    try:
        _drain(stage)
        wait_for(lambda: audit.is_settled(stage), within_s=SETTLE_S, what="the end of everything under way")
    except AssertionError as late:
        return [str(late), *audit.findings(stage, cells_were_lost=cells_were_lost)]
    with stage.api() as api:
        survived.clips = sum(1 for _ in api.clips.search())
    return audit.findings(stage, cells_were_lost=cells_were_lost)


def _drain(stage: Stage) -> None:
    """Let the vehicles record nothing more, and wait until they have handed over and reported everything."""
    for name in stage.vehicle_names:
        (stage.vehicle_folder(name) / "drain").touch()

    def drained() -> bool:
        stage.watch()
        return all(process.poll() == 0 for process in stage.vehicles.values())

    wait_for(drained, within_s=DRAIN_S, what="empty queues on every vehicle")
