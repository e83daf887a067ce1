"""What the server was given when it was started: folders, drives, a signal catalog, a deployment; and its bounds."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from triggers.drives.names import FOLDER_FILE, SUFFIX
from triggers.errors import InvalidInput, Misconfigured
from triggers.foreign_text import foreign_name
from triggers.signals.catalog import read_catalog_text

if TYPE_CHECKING:
    from fleet_api.client import Client

TRIGGER_SUFFIXES = (".trigger",)
CATALOG_SUFFIXES = (".yaml", ".yml")
MAX_ENTRIES = 200_000
"""Files and folders that are looked at for drives, in all folders together."""
MAX_OFFERED = 10_000
_NO_CATALOG = "give `signals`, the catalog's text, or `signals_path`; or start the server with --signals FILE"


@dataclass(frozen=True, slots=True)
class OfferedDrive:
    """A drive by the name that it is asked for by."""

    name: str
    path: Path
    size_bytes: int


@dataclass(frozen=True)
class Workspace:
    """Everything that tools may reach. All folders are resolved, so that nothing below can lead out of them."""

    roots: tuple[Path, ...]
    """Folders of trigger files and signal catalogs."""
    drives: tuple[Path, ...]
    """Files and folders of recorded drives."""
    signals: Path | None
    """The signal catalog for whatever names no other."""
    open_api: Callable[[], Client]
    may_apply: bool
    backtest_cpu_s: int

    def file(self, given: str, suffixes: tuple[str, ...]) -> tuple[Path, Path]:
        """A folder and the path of a file in it. InvalidInput for whatever is not in the folders, which tells not why.

        Links count as what they lead to.
        """
        for root in self.roots:
            try:
                found = (root / given).resolve(strict=True)
            except (OSError, ValueError, RuntimeError):  # there is none; NUL in it; a circle of links
                continue
            if found.is_relative_to(root) and found.is_file() and found.suffix in suffixes:
                return root, found.relative_to(root)
        raise InvalidInput(
            f"there is no {suffixes[0]} file {foreign_name(given)} in the folders of this server",
            remedy="give the text itself, or a path below a folder that the server was started with (--root)",
        )

    def catalog_text(self, text: str | None, path: str | None) -> str:
        """The YAML of the catalog that is meant. InvalidInput where there is none, or it cannot be read."""
        if text is not None and path is not None:
            raise InvalidInput("`signals` and `signals_path` are both given", remedy="give one of them")
        if text is not None:
            return text
        if path is not None:
            root, found = self.file(path, CATALOG_SUFFIXES)
            return _read(root / found, foreign_name(path))
        if self.signals is None:
            raise InvalidInput("there is no signal catalog", remedy=_NO_CATALOG)
        return _read(self.signals, "the server's signal catalog")

    def offered_drives(self) -> list[OfferedDrive]:
        """The drives below the folders, by names that tell them apart. No link in them is followed.

        InvalidInput for more than there may be.
        """
        found: dict[Path, OfferedDrive] = {}
        names: dict[str, int] = {}
        for top, path in _drives_below(self.drives):
            name = _name(top, path)
            names[name] = names.get(name, 0) + 1
            shown = name if names[name] == 1 else f"{name} ({names[name]})"
            found.setdefault(path, OfferedDrive(shown, path, _size_bytes(path)))
            if len(found) > MAX_OFFERED:
                raise _too_much(f"more than {MAX_OFFERED} drives")
        return list(found.values())


def resolved(path: Path, option: str) -> Path:
    """A path of the command line without links. Misconfigured where there is nothing."""
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise Misconfigured(f"{option} {path}: there is no such file or folder") from error


def _read(path: Path, shown: str) -> str:
    try:
        return read_catalog_text(path)
    except InvalidInput as error:  # whose message has the whole path
        sys.stderr.write(f"{error}\n")
        raise InvalidInput(f"{shown} cannot be read") from error


def _drives_below(tops: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Each drive, beside the file or folder of these that it is below."""
    entries = 0
    for top in tops:
        if top.is_file():
            yield top, top
            continue
        for folder, folders, files in os.walk(top):
            folders.sort()
            entries += len(folders) + len(files)
            if entries > MAX_ENTRIES:
                raise _too_much(f"more than {MAX_ENTRIES} files")
            is_drive = FOLDER_FILE in files
            if is_drive:
                folders.clear()
            for name in [FOLDER_FILE] if is_drive else sorted(files):
                path = Path(folder, name)
                if path.suffix.lower() == SUFFIX and path.is_file() and not path.is_symlink():
                    yield top, path


def _name(top: Path, path: Path) -> str:
    """The path below the folder, without what all drives have in common."""
    inside = path.relative_to(top.parent if top == path else top)
    short = inside.parent if path.name == FOLDER_FILE and inside.parent != Path() else inside.with_suffix("")
    return short.as_posix().encode(errors="backslashreplace").decode()


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _too_much(what: str) -> InvalidInput:
    return InvalidInput(
        f"the folders of drives have {what}", remedy="start the server with --drives of smaller folders"
    )
