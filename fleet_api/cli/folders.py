"""Folders that commands write results to."""

from __future__ import annotations

from pathlib import Path

from triggers.errors import Misconfigured


def make_folder(folder: Path) -> None:
    """Create the folder and its parents if they are missing; Misconfigured if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(f"{folder}: the folder cannot be created ({error.strerror})") from error
