"""What the processes of backtests are given and what they answer: all that the API loads of them.

Answers are checked: a process that a drive or a clip has taken over may write anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, model_validator

from storage.jsonb import storable
from triggers.contracts.api.authoring.checks import DiagnosticView
from triggers.contracts.api.backtests.answers import DriveView
from triggers.contracts.api.backtests.reports import ReportView
from triggers.contracts.api.backtests.signals import MissingSeriesView, SeriesView
from triggers.contracts.api.backtests.stated import RanCampaign
from triggers.contracts.api.backtests.versions import SweepView
from triggers.contracts.api.base import View
from triggers.contracts.base import Contract, Name, ShortText
from triggers.contracts.problem import error_of
from triggers.errors import DiagnosticsError, InvalidInput, LongtailError
from triggers.foreign_text import escaped_lines
from triggers.processes.jail.isolation import Isolation

MAX_FIRES = 20_000
"""Fires of one program that are kept."""
MAX_DIAGNOSTICS = 10_000
Version = tuple[str, int]
"""A campaign's name and a number of its versions."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process may use, and what to do where the system lacks a part of the jail."""

    cpu_s: int
    memory_bytes: int
    isolation: Isolation

    @property
    def in_all_s(self) -> int:
        """How long it may take on a machine with much else to do: sleeping costs no processor time."""
        return 2 * self.cpu_s + 30


@dataclass(frozen=True, slots=True)
class GivenDrive:
    """A drive by the name that the deployment offers it by, and its file."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class GivenClip:
    """A clip's extracted signals in a file (None: there are none, for the `problem`), and its campaigns' versions."""

    id: str
    path: Path | None
    versions: tuple[Version, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """A drive or clip that could not be run, and why not."""

    name: str
    error: InvalidInput


@dataclass(frozen=True, slots=True)
class Fleet:
    """The fleet of a forecast."""

    vehicles: int
    hours_per_day: float
    sample: int | None


@dataclass(frozen=True, slots=True)
class Program:
    """The texts that a program is compiled from."""

    filename: str
    source: str
    signals: str


@dataclass(frozen=True, slots=True)
class ClipsOf:
    """Clips with the catalogs of their campaigns' versions, their files' folder, and one to write some bytes into."""

    clips: tuple[GivenClip, ...]
    catalogs: Mapping[Version, str]
    fetched: Path
    folder: Path
    at_most_bytes: int


@dataclass(frozen=True, slots=True)
class RunTask:
    """Run a program over drives, or over clips; `sweep` is `NAME=VALUES` of one of its params."""

    what: ClassVar = "it"
    remedy: ClassVar = "choose fewer or shorter drives; operators can raise the limits of backtests"
    """What to do when it takes more than it may; `what` says what does."""
    program: Program
    drives: tuple[GivenDrive, ...]
    clips: ClipsOf | None
    fleet: Fleet | None
    sweep: str | None = None
    breakdown: bool = False


@dataclass(frozen=True, slots=True)
class SignalsTask:
    """Read signals of one drive or clip around a moment; without `names`, those that the program reads."""

    what: ClassVar = "reading the signals"
    remedy: ClassVar = "ask for fewer signals, or for a shorter time"
    program: Program
    drive: GivenDrive | None
    clips: ClipsOf | None
    from_ns: int
    to_ns: int
    names: tuple[str, ...]
    points: int


@dataclass(frozen=True, slots=True)
class ListTask:
    """Find the drives in a folder, and say what is known of each."""

    what: ClassVar = "finding the recorded drives"
    remedy: ClassVar = "operators can offer fewer drives, in a folder with nothing else"
    folder: Path
    at_most: int


class Compiled(Contract):
    """The program is compiled, and these signals are what it reads.

    `columns` are those of drives that its catalog names for signals; `position` are the signals that it declares as
    the car's.
    """

    kind: Literal["compiled"] = "compiled"
    signals: Annotated[tuple[str, ...], Field(max_length=20_000)]
    columns: Annotated[dict[str, tuple[str, ...]], Field(max_length=20_000)]
    position: Annotated[tuple[str, ...], Field(max_length=2)]


class Advanced(Contract):
    """So many bytes of the drives are done."""

    kind: Literal["advanced"] = "advanced"
    done: Annotated[int, Field(ge=0, le=2**62)]


class Capture(Contract):
    """The window of a trigger's fires."""

    before_ns: Annotated[int, Field(ge=0, lt=2**63)]
    after_ns: Annotated[int, Field(ge=0, lt=2**63)]


class FireRow(View):
    """A fire; see `triggers.backtest.limits.outcomes.FireOutcome`."""

    trigger: Name
    drive: Annotated[str, Field(max_length=1000)]
    t_ns: Annotated[int, Field(ge=0, lt=2**63)]
    clip_bytes: Annotated[int, Field(ge=0)]
    recording: Annotated[int, Field(ge=0)]
    outcome: Literal["kept", "sampled", "dropped", "uncollected"]
    reason: ShortText | None


class Ran(View):
    """What a program gave, apart from its fires."""

    report: ReportView
    warnings: Annotated[list[DiagnosticView], Field(max_length=MAX_DIAGNOSTICS)]
    campaigns: Annotated[list[RanCampaign], Field(max_length=10_000)]
    captures: dict[Name, Capture]
    left_out_on: dict[Name, list[str]] = {}
    """By trigger, the drives on which it could not run."""
    fires_left_out: Annotated[int, Field(ge=0)]
    sweep: SweepView | None = None


class RunAnswer(View):
    """The end of a run."""

    kind: Literal["ran"] = "ran"
    ran: Ran
    fires: Annotated[list[FireRow], Field(max_length=MAX_FIRES)]

    @model_validator(mode="after")
    def _can_be_shown(self) -> Self:
        """It is shown again and again, so what cannot be must not be kept."""
        drives = {each.drive for each in self.ran.report.by_drive}
        if any(fire.drive not in drives or fire.trigger not in self.ran.captures for fire in self.fires):
            raise ValueError("there is a fire of a trigger or a drive that did not run")
        if any(abs(each.first_ns) >= 2**63 for each in self.ran.report.by_drive):
            raise ValueError("a drive begins at no time")
        Ran.model_validate_json(self.ran.model_dump_json())  # infinite numbers cannot be read again
        return self


class SignalsAnswer(View):
    """The signals of a drive; `first_ns` is the time of its first row."""

    kind: Literal["signals"] = "signals"
    first_ns: int
    series: Annotated[list[SeriesView], Field(max_length=1000)]
    missing: Annotated[list[MissingSeriesView], Field(max_length=1000)]


def _within(path: str) -> str:
    if not path or "\0" in path or Path(path).is_absolute() or ".." in Path(path).parts:
        raise ValueError("a drive's path is one within the folder")
    return path


class FoundDrive(View):
    """A drive of a folder, and its file within it."""

    path: Annotated[str, AfterValidator(_within)]
    view: DriveView


class ListAnswer(View):
    """The drives of a folder."""

    kind: Literal["listed"] = "listed"
    drives: list[FoundDrive]
    complete: bool
    problem: str | None


class Wrong(View):
    """Nothing came of it: the problem document of why."""

    kind: Literal["problem"] = "problem"
    problem: dict[str, object]

    def error(self) -> LongtailError:
        """The error that it was: of the kinds that are about what it was given, or else LongtailError.

        Others would say something of the API: that it should try again, or that the job is not its own any more.
        """
        status = self.problem.get("status")
        document = json.dumps(self.problem).encode()
        error = error_of(status if isinstance(status, int) else 500, {}, document, what="the backtest's process")
        message, remedy = escaped_lines(error.message), escaped_lines(error.remedy)
        if isinstance(error, DiagnosticsError):
            try:
                found = _diagnostics.validate_python(storable(error.diagnostics, what="diagnostics"))
            except (ValidationError, InvalidInput):
                return InvalidInput(message, remedy=remedy)
            return DiagnosticsError(message, diagnostics=[each.model_dump() for each in found], remedy=remedy)
        return (InvalidInput if isinstance(error, InvalidInput) else LongtailError)(message, remedy=remedy)


_diagnostics: TypeAdapter[list[DiagnosticView]] = TypeAdapter(
    Annotated[list[DiagnosticView], Field(max_length=MAX_DIAGNOSTICS)]
)
Task = RunTask | SignalsTask | ListTask
Said = Annotated[Compiled | Advanced | RunAnswer | SignalsAnswer | ListAnswer | Wrong, Field(discriminator="kind")]
