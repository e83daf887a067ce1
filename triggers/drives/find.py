"""Finding recorded drives: files, folders and trees, links followed; and names that tell the drives apart."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from triggers.drives.drive import Drive
from triggers.drives.names import FOLDER_FILE, SUFFIX
from triggers.errors import InvalidInput

MAX_DRIVES = 100_000


def find_drives(paths: Iterable[str | Path]) -> list[Drive]:
    """The drives under these paths: files, folders with a `signals.parquet`, or trees of either.

    Links to files and to folders are followed, and every folder is searched once, so links in circles are no trouble.
    Each drive once, in the order of the paths, then of the names. Raises InvalidInput for a path without drives, for
    a folder that cannot be read, and for a link in a tree that leads nowhere.
    """
    drives: dict[str, Drive] = {}
    for path in map(Path, paths):
        files = list(_files_under(path))
        if not files:
            raise InvalidInput(f"{path}: has no drives", remedy=f"give a Parquet file or a folder with {FOLDER_FILE}")
        for file in files:
            drives.setdefault(os.path.realpath(file), Drive(file))
        if len(drives) > MAX_DRIVES:
            raise InvalidInput(f"{path}: more than {MAX_DRIVES} drives", remedy="run them in several backtests")
    return list(drives.values())


def _files_under(path: Path) -> Iterator[Path]:
    if path.is_file():
        return iter([path])
    if not path.is_dir():
        raise InvalidInput(f"{path}: there is no such file or folder")
    if (path / FOLDER_FILE).is_file():
        return iter([path / FOLDER_FILE])
    return iter(sorted(_files_in_tree(path)))


def _files_in_tree(top: Path) -> Iterator[Path]:
    """All Parquet files under a folder; a folder that several links lead to is searched under the first of them."""
    searched = {os.path.realpath(top)}
    for folder, folders, files in os.walk(top, onerror=_refuse, followlinks=True):
        folders[:] = [name for name in sorted(folders) if _is_new(Path(folder, name), searched)]
        for name in files:
            file = Path(folder, name)
            if file.suffix.lower() in (SUFFIX, "") and file.is_symlink() and not file.exists():
                raise InvalidInput(f"{file}: this link leads nowhere", remedy="remove it, or bring its drive back")
            if file.suffix.lower() == SUFFIX and file.is_file():
                yield file


def _is_new(folder: Path, searched: set[str]) -> bool:
    """Whether a folder was not searched yet; notes that it is now."""
    real = os.path.realpath(folder)
    if real in searched:
        return False
    searched.add(real)
    return True


def _refuse(error: OSError) -> None:
    raise InvalidInput(f"{error.filename}: cannot be searched for drives ({error.strerror})") from error


def distinct_names(drives: Sequence[Drive]) -> list[str]:
    """A name for each drive that no other has: its own, with as many of the folders above it as it takes.

    Drives `2024/7/signals.parquet` and `2025/7/signals.parquet` are `2024/7` and `2025/7`.
    """
    parts = [(*_folder(drive).parts, drive.name) for drive in drives]
    names = [drive.name for drive in drives]
    for count in range(2, max(map(len, parts), default=0) + 1):
        repeated = {name for name, times in Counter(names).items() if times > 1}
        if not repeated:
            return names
        names = ["/".join(path[-count:]) if name in repeated else name for name, path in zip(names, parts, strict=True)]
    counts = Counter(names)
    return [name if counts[name] == 1 else str(drive.path) for name, drive in zip(names, drives, strict=True)]


def _folder(drive: Drive) -> Path:
    """The folder that a drive is in; for a drive that is a folder itself, the one above it."""
    parent = Path(os.path.realpath(drive.path)).parent
    return parent.parent if drive.path.name == FOLDER_FILE else parent
