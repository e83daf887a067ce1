"""The options of `longtail backtest` for several versions, and the versions that they ask for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fleet_api.cli.numbers import Seconds
from triggers.times import NS_PER_S

if TYPE_CHECKING:
    from triggers.language.compile import Compilation
    from triggers.language.sources.sweeps import ParamSweep
    from triggers.language.text.diagnostics import Diagnostic
    from triggers.signals.catalog import SignalCatalog

Command = TypeVar("Command", bound=Callable[..., Any])
_MAX_WITHIN_S = 3600.0


@dataclass(frozen=True, slots=True)
class AskedVersions:
    """What is asked for besides FILE: another version to compare it with, or a sweep over a param of it."""

    file: Path
    values: tuple[str, ...]
    """The params of FILE."""
    against: Path | None
    against_values: tuple[str, ...]
    """The params of the other version."""
    sweep: str | None
    within_s: float | None

    @property
    def compares(self) -> bool:
        """Whether FILE is compared with another version."""
        return self.against is not None or bool(self.against_values)

    @property
    def files(self) -> tuple[Path, ...]:
        """What is read besides FILE."""
        return () if self.against is None else (self.against,)

    @property
    def within_ns(self) -> int | None:
        """How far apart fires are the same; None where their capture windows decide."""
        return None if self.within_s is None else round(self.within_s * NS_PER_S)

    @property
    def names(self) -> tuple[str, str]:
        """What FILE, and what the other version is called."""
        return version_name(self.file, self.values), version_name(self.against or self.file, self.against_values)

    def check(self, alone: Sequence[str]) -> None:
        """UsageError for options that do not go together; `alone` are those given that are about one version."""
        if self.sweep is not None and self.compares:
            raise click.UsageError("--sweep is about one file: give it without --against and --set-against")
        if alone and (self.sweep is not None or self.compares):
            raise click.UsageError(f"{alone[0]} is about one version: give it for one alone")
        if self.within_s is not None and self.sweep is None and not self.compares:
            raise click.UsageError(
                "--within says which fires of two versions are the same: give it with --against or --sweep"
            )
        if self.within_s is not None and not 0 <= self.within_s <= _MAX_WITHIN_S:
            raise click.UsageError("--within is a time from 0s to 60min")

    def compiled(self, catalog: SignalCatalog) -> list[Compilation]:
        """The other versions: for a sweep, FILE with each value but its own; with diagnostics if it cannot be swept."""
        from triggers.language.compile import Compilation, compile_file

        if self.compares:
            return [compile_file(self.against or self.file, catalog, values=self.against_values)]
        if self.sweep is None:
            return []
        swept, diagnostics = self.swept()
        if swept is None:
            return [Compilation(diagnostics, ok=False)]
        kept = [value for value in self.values if value.partition("=")[0].strip() != swept.name]
        others = [[*kept, f"{swept.name}={value.text}"] for value in swept.others]
        return [compile_file(self.file, catalog, values=values) for values in others]

    def swept(self) -> tuple[ParamSweep | None, tuple[Diagnostic, ...]]:
        """The values of the sweep, or what is wrong with them or with the file."""
        from triggers.language.sources.imports import read_whole
        from triggers.language.sources.sweeps import swept_values
        from triggers.language.sources.values import with_values

        whole, diagnostics = read_whole(self.file)
        if not diagnostics:
            whole, diagnostics = with_values(whole, self.values)
        return (None, diagnostics) if diagnostics else swept_values(whole, self.sweep or "")


def version_name(file: Path, values: Sequence[str]) -> str:
    """What a version is called: its file, and the values that were set."""
    return f"{file} with {', '.join(value.strip() for value in values)}" if values else str(file)


def version_options(command: Command) -> Command:
    """Add the options for several versions; the command gets them as `versions`, with its `file` and its `values`."""

    @functools.wraps(command)
    def wrapped(*arguments: Any, **given: Any) -> Any:
        sweeps = given.pop("sweeps")
        if len(sweeps) > 1:
            raise click.UsageError("one param is swept at a time: give --sweep once, and the others by --set")
        asked = AskedVersions(
            given["file"],
            given["values"],
            given.pop("against"),
            given.pop("against_values"),
            next(iter(sweeps), None),
            given.pop("within_s"),
        )
        return command(*arguments, versions=asked, **given)

    options = (
        click.option(
            "--against",
            type=click.Path(path_type=Path),
            metavar="OTHER",
            help="Compare the fires of FILE with those of this trigger file, on the same drives.",
        ),
        click.option(
            "--set-against",
            "against_values",
            metavar="NAME=VALUE",
            multiple=True,
            help="Like --set, for OTHER; without --against, for FILE as it is compared with itself. May be repeated.",
        ),
        click.option(
            "--sweep",
            "sweeps",
            metavar="NAME=VALUES",
            multiple=True,
            help="Run FILE with each of these values of a param, such as hold=100ms,200ms or hold=100ms..1s/10.",
        ),
        click.option(
            "--within",
            "within_s",
            type=Seconds(),
            metavar="TIME",
            help="Fires at most so far apart are the same, such as 1s.  [default: those whose capture windows touch]",
        ),
    )
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]
