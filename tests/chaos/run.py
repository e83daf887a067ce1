"""A run of the suite: one fault after the other under load, each followed by the question whether work goes on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import httpx

from tests.chaos import audit, faults
from tests.chaos.faults import Fault, shuffled
from tests.chaos.stage import Stage
from tests.support.waiting import let_pass
from triggers.contracts.api.clips import ClipView
from triggers.errors import LongtailError

RECOVERY_S = 60.0
"""Within this time after a fault's end, a clip that each vehicle recorded after it is catalogued, and one extracted."""
DRAIN_S = 240.0
SETTLE_S = 120.0
NEWEST = 300
_SHORTEST_S = 1.0
POLL_S = 0.5

Report = Callable[[str], None]


@dataclass
class Survived:
    """What a run came through, and what it did not."""

    faults: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    findings: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    clips: int = 0
    slowest_recovery_s: float = 0.0
    bits_turned_over: int = 0

    def take(self, fault: Fault, recovered_s: float) -> None:
        """Count a fault after which work went on."""
        self.faults.append(fault.name)
        self.kinds.add(fault.kind)
        self.slowest_recovery_s = max(self.slowest_recovery_s, recovered_s)

    def summary(self) -> str:
        """One line for people."""
        names = len(set(self.faults))
        return (
            f"{len(self.faults)} faults survived, {names} different ones of {len(self.kinds)} kinds; "
            f"{self.clips} clips whole and once, "
            f"{self.bits_turned_over} bits turned over; the slowest recovery took {self.slowest_recovery_s:.0f} s"
        )


def run(
    stage: Stage,
    *,
    for_s: float,
    longest_s: float,
    report: Report,
    only: Collection[str] = (),
    without: Collection[str] = (),
    fewest: int = 0,
    patience: float = 1.0,
) -> Survived:
    """Play faults for `for_s` seconds, none longer than `longest_s`, then let everything come to rest and audit it.

    `only` leaves out the faults whose name contains none of these words, `without` those whose name contains one. On a
    busy machine it goes on until there were `fewest`, and what has to happen in time has `patience` times as much.
    """
    survived = Survived(left_out=faults.left_out(stage))
    at_risk: set[str] = set()
    _recover(stage, "the start", patience)
    ends_s = time.monotonic() + for_s
    waiting: list[Fault] = []
    while (time.monotonic() < ends_s or len(survived.faults) < fewest) and not survived.findings:
        waiting = waiting or shuffled(_deck(stage, only, without), stage.rng)
        fault = waiting.pop(0)
        seconds = _duration(stage, min(fault.longest_s, longest_s))
        report(f"{fault.name}" + (f" for {seconds:.0f} s" if seconds else ""))
        try:
            at_risk |= _played(stage, fault, seconds)
            recovered_s = _recover(stage, fault.name, patience)
        except (AssertionError, LongtailError, httpx.HTTPError) as late:
            survived.findings.append(f"{fault.name}: {late}")
            report(f"    {late}")
            break
        report(f"    work goes on after {recovered_s:.0f} s")
        survived.take(fault, recovered_s)
        survived.findings += [f"after {fault.name}: {text}" for text in _contradictions(stage)]
    survived.findings += _audited(stage, at_risk, survived, patience)
    survived.bits_turned_over = sum(wire.flips for wire in stage.wires.values())
    return survived


def _played(stage: Stage, fault: Fault, seconds: float) -> set[str]:
    """Play the fault; returns the clips that were under way if it destroyed the log."""
    if not fault.loses_cells:
        fault.action(stage, seconds)
        return set()
    before = audit.recorded(stage)
    waiting = audit.not_catalogued(stage, before)
    fault.action(stage, seconds)
    return waiting | (audit.recorded(stage) - before)


def _deck(stage: Stage, only: Collection[str], without: Collection[str]) -> list[Fault]:
    chosen = [fault for fault in faults.deck(stage) if not only or any(words in fault.name for words in only)]
    chosen = [fault for fault in chosen if not any(words in fault.name for words in without)]
    assert chosen, f"no fault has a name with one of {sorted(only)}"
    return chosen


def _duration(stage: Stage, longest_s: float) -> float:
    """Short ones more often than long ones: uniform in the logarithm."""
    if longest_s <= _SHORTEST_S:
        return longest_s
    return math.exp(stage.rng.uniform(math.log(_SHORTEST_S), math.log(longest_s)))


def _recover(stage: Stage, what: str, patience: float) -> float:
    """Wait until clips recorded from now on are in the catalog, of every vehicle; how long that took, in seconds.

    The time that `longtail up` takes to start, where it was killed, does not count.
    """
    known = {name: set(_recorded(stage, name)) for name in stage.vehicle_names}
    extracted: set[str] | None = None

    def missing() -> str:
        nonlocal extracted
        newest = newest_clips(stage)
        stored = {clip.digest for clip in newest}
        ready = {clip.digest for clip in newest if clip.state == "ready"}
        extracted = ready if extracted is None else extracted
        waits = [name for name in stage.vehicle_names if not (set(_recorded(stage, name)) - known[name]) & stored]
        waits += [] if ready - extracted else ["extraction"]
        waits += [name for name in faults.ROLLED if not stage.is_ready(name)]
        return ", ".join(waits)

    return _until_nothing_is(missing, stage, within_s=patience * RECOVERY_S, what=f"work after {what}")


def _until_nothing_is(missing: Callable[[], str], stage: Stage, *, within_s: float, what: str) -> float:
    """Wait until `missing` is empty; the seconds that took. AssertionError, with what is missing, after `within_s`."""
    began_s, starting_s = time.monotonic(), stage.starting_s
    while True:
        stage.watch()
        text = _said(missing)
        took_s = time.monotonic() - began_s - (stage.starting_s - starting_s)
        if not text:
            return took_s
        assert took_s <= within_s, f"{what} did not go on within {within_s:.0f} s: {text}"
        let_pass(POLL_S, why="asking more often would be a load of its own")


def _said(missing: Callable[[], str]) -> str:
    try:
        return missing()
    except (LongtailError, httpx.HTTPError) as error:
        return f"an answer: {error}"


def _recorded(stage: Stage, name: str) -> list[str]:
    return list(stage.testimony(name).recorded)


def _contradictions(stage: Stage) -> list[str]:
    try:
        return audit.so_far(stage, newest_clips(stage))
    except (LongtailError, httpx.HTTPError) as error:
        return [f"the API answers {error} although work goes on"]


def newest_clips(stage: Stage) -> list[ClipView]:
    """The newest clips of the catalog."""
    with stage.api() as api:
        return list(api.clips.search(limit=NEWEST))


def _audited(stage: Stage, at_risk: set[str], survived: Survived, patience: float) -> list[str]:
    """What the audit finds once everything has come to rest, and what kept it from that, or from an audit."""
    found = []
    try:
        _drain(stage, patience)
        settle_s = patience * SETTLE_S
        _until_nothing_is(lambda: audit.under_way(stage), stage, within_s=settle_s, what="what is under way")
    except AssertionError as late:
        found.append(str(late))
    try:
        with stage.api() as api:
            survived.clips = sum(1 for _ in api.clips.search())
        return [*found, *audit.findings(stage, at_risk=at_risk)]
    except (LongtailError, httpx.HTTPError) as error:
        return [*found, f"nothing could be audited: {error}"]


def _drain(stage: Stage, patience: float) -> None:
    """Let the vehicles record nothing more, and wait until they have handed over and reported everything."""
    for name in stage.vehicle_names:
        (stage.vehicle_folder(name) / "drain").touch()

    def still_driving() -> str:
        return ", ".join(name for name, process in stage.vehicles.items() if process.poll() != 0)

    _until_nothing_is(still_driving, stage, within_s=patience * DRAIN_S, what="handing over")
