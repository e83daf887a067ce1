"""Places that commands write results to: folders that are made, and files that are none of those that are read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from triggers.errors import Misconfigured


def make_folder(folder: Path) -> None:
    """Create the folder and its parents if they are missing; Misconfigured if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(f"{folder}: the folder cannot be created ({error.strerror})") from error


def check_not_inputs(outputs: Iterable[tuple[str, Path]], inputs: Iterable[Path], what: str) -> None:
    """Misconfigured if a file would be written over one that is read, or two would be written to one place.

    `outputs` are options and their files, `what` is what reads the `inputs`, such as "backtest".
    """
    taken = {_place(path): f"is an input of this {what}" for path in inputs}
    for option, path in outputs:
        if (reason := taken.get(_place(path))) is not None:
            raise Misconfigured(f"{option} {path}: this file {reason}, and would be lost", remedy="name another file")
        taken[_place(path)] = f"is also that of {option}"


def _place(path: Path) -> Path:
    """Where a path leads to; itself where its links lead nowhere, which whoever opens it will say."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # Python says the latter of links that lead in a circle
        return path.absolute()
