"""`longtail backtest --events`: known events as ground truth, and how well the triggers found them, for people."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fleet_api.cli.author.evidence.shown import SHOWN, tell_rest
from fleet_api.cli.numbers import Seconds
from fleet_api.cli.output import counted, print_result, print_table, remark
from triggers.pages.shown_numbers import shown_number

if TYPE_CHECKING:
    from triggers.backtest.evidence.known_events import KnownEvents
    from triggers.backtest.evidence.scores import EventScore, EventsReport, NotFound
    from triggers.backtest.plan import BacktestPlan
    from triggers.backtest.report import BacktestReport
    from triggers.backtest.result import BacktestResult
    from triggers.signals.catalog import SignalCatalog
    from triggers.statistics.interval import Interval

Command = TypeVar("Command", bound=Callable[..., Any])
_LONGEST_WINDOW_S = 3600
_COUNTS = ("trigger", "events", "found", "missed", "unknown", "outside", "false alarms", "repeats")
_SHARES = ("trigger", "precision", "recall", "median delay", "90 % within")
_file = click.Path(path_type=Path)


@dataclass(frozen=True, slots=True)
class EventsAsked:
    """What `--events` and its options say: the file, the window in s, and pairs of a type and its trigger."""

    file: Path
    window_s: float
    types: tuple[tuple[str, str], ...]

    def read(self, catalog: SignalCatalog, triggers: Sequence[str]) -> KnownEvents:
        """The events of the file for these triggers. Raises InvalidInput for a file that cannot be used."""
        from triggers.backtest.evidence.events_file import Finders, read_events

        types: dict[str, list[str]] = {}
        for kind, trigger in self.types:
            types.setdefault(kind, []).append(trigger)
        return read_events(self.file, catalog.time, Finders(triggers, types), round(self.window_s * 1e9))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is measured beside the fires: conditions around known events, and the circumstances of time and fires."""

    events: KnownEvents | None
    breakdown: bool

    def judged(self, report: BacktestReport, plan: BacktestPlan, result: BacktestResult) -> BacktestReport:
        """The report with how well known events were found, if there are any."""
        from triggers.backtest.evidence.scores import score_events

        return report if self.events is None else replace(report, known_events=score_events(self.events, plan, result))


@dataclass(frozen=True, slots=True)
class AskedEvidence:
    """What `--events` and `--breakdown` ask for."""

    events: EventsAsked | None
    breakdown: bool

    @property
    def files(self) -> list[Path]:
        """The files that are read for it."""
        return [] if self.events is None else [self.events.file]

    @property
    def options(self) -> dict[str, object]:
        """The options that were given, None for others."""
        return {"--events": self.events, "--breakdown": self.breakdown or None}

    def read(self, catalog: SignalCatalog, triggers: Sequence[str]) -> Evidence:
        """What to measure, with the known events. Raises InvalidInput for a file of them that cannot be used."""
        return Evidence(None if self.events is None else self.events.read(catalog, triggers), self.breakdown)


class _TypeOfTrigger(click.ParamType[tuple[str, str]]):
    """A type of events and the trigger that should find them, as TYPE=TRIGGER."""

    name = "type"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """The pair, or a usage error."""
        if isinstance(value, tuple):
            return value
        kind, equals, trigger = str(value).rpartition("=")
        if not equals or not kind or not trigger:
            self.fail(f"{str(value)[:60]!r} is not TYPE=TRIGGER, such as cut_in=cut_in_missed", param, ctx)
        return kind, trigger


def evidence_options(command: Command) -> Command:
    """Add `--breakdown`, `--events`, `--event-window` and `--event-type`; the command gets them as `asked`."""

    @functools.wraps(command)
    def wrapped(
        *arguments: Any,
        events_file: Path | None,
        event_window_s: float | None,
        event_types: tuple[tuple[str, str], ...],
        breakdown: bool,
        **given: Any,
    ) -> Any:
        if events_file is None and (event_window_s is not None or event_types):
            raise click.UsageError("--event-window and --event-type are about --events FILE")
        window_s = 2.0 if event_window_s is None else event_window_s
        if not 0 <= window_s <= _LONGEST_WINDOW_S:
            raise click.UsageError(f"--event-window: must be between 0 s and {_LONGEST_WINDOW_S} s")
        events = None if events_file is None else EventsAsked(events_file, window_s, event_types)
        return command(*arguments, asked=AskedEvidence(events, breakdown), **given)

    for option in (
        click.option(
            "--event-type",
            "event_types",
            type=_TypeOfTrigger(),
            multiple=True,
            metavar="TYPE=TRIGGER",
            help="Which trigger should find known events of a type; may be repeated.",
        ),
        click.option(
            "--event-window",
            "event_window_s",
            type=Seconds(),
            help="How far a fire may be from a known event that it finds.  [default: 2s]",
        ),
        click.option(
            "--events", "events_file", type=_file, help="Judge the triggers by the known events of this Parquet file."
        ),
        click.option(
            "--breakdown", is_flag=True, help="Count fires and hours by speed, place and hour of the day, too."
        ),
    ):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]


def tell_events(report: EventsReport) -> None:
    """Remark on events that do not count, and on drives and triggers that none is for."""
    if report.elsewhere:
        are = ("known event is of a drive", "known events are of drives")
        remark(
            f"{counted(report.elsewhere, *are)} that did not run, so not judged; the first is called "
            f"`{report.first_elsewhere}`: call drives as this report does, or by their path"
        )
    for kind, count in list(report.of_no_trigger.items())[:SHOWN]:
        remark(
            f"{counted(count, 'known event')} of the type `{kind}`: no trigger of the file has this name; say which "
            f"one finds them (--event-type {kind}=TRIGGER)"
        )
    if report.repeated_rows:
        remark(f"{counted(report.repeated_rows, 'row')} of known events repeat another one, and count once")
    if report.drives_without:
        remark(
            f"{counted(report.drives_without, 'drive has', 'drives have')} no known event: every fire there is taken "
            "for a false alarm; leave out drives that nobody has looked through"
        )
    for name in report.not_judged[:SHOWN]:
        remark(f"no known event is for `{name}`, so it is not judged")


def show_events(report: EventsReport) -> None:
    """Print how well each trigger found the known events, and what to look at."""
    title = f"Known events, found by fires within {report.window_s:g} s"
    rows = [_score(name, score) for name, score in report.triggers.items()]
    print_table(title, _COUNTS, [row[:8] for row in rows[:SHOWN]])
    print_table("How well they were found", _SHARES, [(row[0], *row[8:]) for row in rows[:SHOWN]])
    tell_rest(len(rows), "--json writes all of them")
    if report.not_found:
        shown = [_not_found(each) for each in report.not_found[:SHOWN]]
        print_table("Known events that were not found", ("drive", "t", "trigger", "why"), shown)
        tell_rest(sum(s.events - s.found for s in report.triggers.values()), "--json lists the first 10,000")
    if report.false_alarms:
        alarms = [(each.drive, f"{each.t:.3f} s", each.trigger) for each in report.false_alarms[:SHOWN]]
        print_table("False alarms", ("drive", "t", "trigger"), alarms)
        tell_rest(sum(s.false_alarms for s in report.triggers.values()), "--json lists the first 10,000")
    if any(score.unknown for score in report.triggers.values()):
        print_result("unknown: the condition could not be judged then; such events are neither found nor missed")


def _score(name: str, score: EventScore) -> tuple[object, ...]:
    return (
        name,
        score.events,
        score.found,
        score.missed,
        score.unknown,
        score.outside,
        score.false_alarms,
        score.repeats,
        _percents(score.precision),
        _percents(score.recall),
        _delay(score.delay_median_s),
        _delay(score.delay_90_s),
    )


def _percents(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return f"{100 * interval.mean:.0f} % ({100 * interval.low:.0f} to {100 * interval.high:.0f} %)"


def _delay(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"-{shown_number(-seconds)} s" if seconds < 0 else f"{shown_number(seconds)} s"


def _not_found(event: NotFound) -> tuple[str, ...]:
    why = event.why.replace("outside", "nothing was recorded then")
    if event.why == "unknown":
        why = event.reason or f"unknown{f' with {event.signal}' if event.signal else ''}"
    return event.drive, f"{event.t:.3f} s", event.trigger, why
