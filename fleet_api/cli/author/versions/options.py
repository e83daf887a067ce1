"""The options of `longtail backtest` for several versions, and the versions that they ask for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fleet_api.cli.numbers import Seconds

if TYPE_CHECKING:
    from triggers.language.compile import Compilation
    from triggers.signals.catalog import SignalCatalog

Command = TypeVar("Command", bound=Callable[..., Any])
_MAX_WITHIN_S = 3600.0


@dataclass(frozen=True, slots=True)
class AskedVersions:
    """What is asked for besides FILE: another version to compare it with."""

    file: Path
    against: Path | None
    values: tuple[str, ...]
    """The params of the other version."""
    within_s: float | None

    @property
    def others(self) -> bool:
        """Whether FILE does not run alone."""
        return self.against is not None or bool(self.values)

    @property
    def files(self) -> tuple[Path, ...]:
        """What is read besides FILE."""
        return () if self.against is None else (self.against,)

    @property
    def within_ns(self) -> int | None:
        """How far apart fires are the same; None where their capture windows decide."""
        return None if self.within_s is None else round(self.within_s * 1e9)

    @property
    def other_name(self) -> str:
        """What the other version is called."""
        return version_name(self.against or self.file, self.values)

    def check(self, alone: Sequence[str]) -> None:
        """UsageError for options that do not go together; `alone` are those given that need FILE to run alone."""
        if self.others and alone:
            raise click.UsageError(f"{alone[0]} is about one version: give it without --against and --set-against")
        if self.within_s is not None and not self.others:
            raise click.UsageError("--within is for --against: it says which fires of both are the same")
        if self.within_s is not None and not 0 <= self.within_s <= _MAX_WITHIN_S:
            raise click.UsageError("--within is a time from 0s to 60min")

    def compiled(self, catalog: SignalCatalog) -> list[Compilation]:
        """The other versions."""
        from triggers.language.compile import compile_file

        return [compile_file(self.against or self.file, catalog, values=self.values)] if self.others else []


def version_name(file: Path, values: Sequence[str]) -> str:
    """What a version is called: its file, and the values that were set."""
    return f"{file} with {', '.join(value.strip() for value in values)}" if values else str(file)


def version_options(command: Command) -> Command:
    """Add `--against`, `--set-against` and `--within`; the command gets them as `versions`."""

    @functools.wraps(command)
    def wrapped(*arguments: Any, file: Path, **given: Any) -> Any:
        asked = AskedVersions(file, given.pop("against"), given.pop("against_values"), given.pop("within_s"))
        return command(*arguments, file=file, versions=asked, **given)

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
