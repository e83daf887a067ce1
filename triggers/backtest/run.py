"""Runs the programs of a trigger file over drives: the very bytes that would go to the vehicles.

A file's campaigns run as they would be sent; triggers that no campaign collects run as a program of their own.
A drive that cannot be read is named and left out; the others still count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from triggers.backtest.odometer import Odometer
from triggers.backtest.volume import SampleCounts, clip_bytes
from triggers.catalog import SignalCatalog
from triggers.contracts.campaign import TriggerSettings
from triggers.drives import Drive
from triggers.errors import InvalidInput
from triggers.language.compile import Compilation
from triggers.language.interpreter import Evaluator, Firing, Row
from triggers.language.program import decode

_CHUNK_ROWS = 8192
Progress = Callable[[int], None]
"""Called with the number of rows that were run since the last call."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: programs, and each trigger's settings and sampling, by name."""

    programs: tuple[bytes, ...]
    settings: dict[str, TriggerSettings]
    one_in: dict[str, int]


@dataclass(slots=True)
class DriveResult:
    """What happened on one drive. Times in ns of the drive's clock; `metres` None where nothing measures it."""

    drive: str
    rows: int = 0
    recorded_ns: int = 0
    metres: float | None = None
    fires: list[Firing] = field(default_factory=list)
    suppressed: dict[str, int] = field(default_factory=dict)
    clip_bytes: dict[str, list[int]] = field(default_factory=dict)


@dataclass(slots=True)
class Outcome:
    """All drives that ran, and for the others the reason."""

    results: list[DriveResult] = field(default_factory=list)
    failures: list[InvalidInput] = field(default_factory=list)


def make_plan(compilation: Compilation) -> Plan:
    """The programs of a compiled file; every trigger is in at least one of them."""
    if compilation.triggers is None:
        raise InvalidInput("the trigger file has errors", remedy="see its diagnostics")
    settings = {trigger.name: trigger for trigger in compilation.triggers.settings}
    one_in: dict[str, int] = {}
    for campaign in compilation.campaigns.values():
        for trigger in campaign.settings.triggers:
            rate = campaign.settings.sample_one_in
            one_in[trigger.name] = min(rate, one_in.get(trigger.name, rate))
    programs = [campaign.program for campaign in compilation.campaigns.values() if campaign.settings.triggers]
    if set(settings) - set(one_in):
        programs.append(compilation.triggers.program)
    return Plan(tuple(dict.fromkeys(programs)), settings, {name: one_in.get(name, 1) for name in settings})


def run(plan: Plan, drives: Iterable[Drive], catalog: SignalCatalog, progress: Progress) -> Outcome:
    """Run a plan over drives, one after the other."""
    outcome = Outcome()
    for drive in drives:
        try:
            outcome.results.append(run_drive(plan, drive, catalog, progress))
        except InvalidInput as error:
            outcome.failures.append(error)
    return outcome


def run_drive(plan: Plan, drive: Drive, catalog: SignalCatalog, progress: Progress) -> DriveResult:
    """Run a plan over one drive; InvalidInput where it cannot be read to its end."""
    evaluators = [Evaluator(decode(program)) for program in plan.programs]
    odometer = Odometer(catalog)
    wanted = {name for evaluator in evaluators for name in evaluator.inputs} | odometer.signals_in(drive)
    result = DriveResult(drive.name)
    fires: set[Firing] = set()
    previous_ns: int | None = None
    first_ns = 0
    for rows in _chunks(drive.rows(catalog, sorted(wanted))):
        first_ns = rows[0].t_ns if previous_ns is None else first_ns
        for evaluator in evaluators:
            fires.update(evaluator.run(rows))
        previous_ns = _measure(result, odometer, rows, previous_ns, catalog.max_gap_ns)
        progress(len(rows))
    result.metres = odometer.metres
    result.fires = sorted(fires, key=lambda fire: (fire.t_ns, fire.trigger))
    for evaluator in evaluators:
        result.suppressed.update(evaluator.suppressed)
    _weigh(result, plan, drive, catalog, (first_ns, previous_ns or first_ns))
    return result


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, _CHUNK_ROWS)):
        yield chunk


def _measure(result: DriveResult, odometer: Odometer, rows: list[Row], previous_ns: int | None, max_gap_ns: int) -> int:
    """Add rows, recorded time (gaps left out) and distance; returns the last row's time."""
    result.rows += len(rows)
    latest_ns = previous_ns
    for row in rows:
        step_ns = row.t_ns - latest_ns if latest_ns is not None else 0
        if step_ns > max_gap_ns:
            odometer.interrupt()
        else:
            result.recorded_ns += step_ns
        if row.samples:
            odometer.take(row)
        latest_ns = row.t_ns
    return rows[-1].t_ns


def _weigh(result: DriveResult, plan: Plan, drive: Drive, catalog: SignalCatalog, span_ns: tuple[int, int]) -> None:
    """Estimate the size of each fire's clip."""
    fired = {fire.trigger for fire in result.fires}
    signals = {signal for name in fired for signal in plan.settings[name].capture.signals}
    if not fired:
        return
    counts = SampleCounts.of(drive, catalog, signals, span_ns)
    for fire in result.fires:
        size = clip_bytes(plan.settings[fire.trigger].capture, fire.t_ns, counts)
        result.clip_bytes.setdefault(fire.trigger, []).append(size)
