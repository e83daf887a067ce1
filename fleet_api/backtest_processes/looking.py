"""What is looked up in drives, in a process: which there are in a folder, and signals around a moment."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fleet_api.backtest_processes.jailed import Process
from fleet_api.backtest_processes.running import files_of, prepare
from fleet_api.backtest_processes.tasks import (
    FoundDrive,
    ListAnswer,
    ListTask,
    SignalsAnswer,
    SignalsTask,
)
from triggers.backtest.plan import BacktestPlan
from triggers.contracts.api.backtests.answers import DriveView
from triggers.contracts.api.backtests.signals import MAX_SIGNALS_SHOWN, MissingSeriesView, SeriesView
from triggers.drives.drive import Drive
from triggers.drives.file import DriveFile
from triggers.drives.find import find_drives
from triggers.drives.names import FOLDER_FILE
from triggers.drives.time_column import TIME_COLUMN
from triggers.errors import InvalidInput
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S

Numbers = NDArray[np.float64]
Times = NDArray[np.int64]


def listed(task: ListTask, process: Process) -> ListAnswer:
    """The drives in a folder, by name."""
    try:
        found = find_drives([task.folder])
    except InvalidInput as error:
        return ListAnswer(drives=[], complete=True, problem=str(error))
    shown = found[: task.at_most]
    process.shut_in([task.folder.resolve(), *_folders_elsewhere(shown, task.folder)])
    names = names_in(task.folder, [drive.path for drive in shown])
    drives = [
        FoundDrive(path=_printable(str(drive.path.relative_to(task.folder))), view=_drive_view(name, drive))
        for name, drive in zip(names, shown, strict=True)
    ]
    drives.sort(key=lambda each: each.view.name)
    return ListAnswer(drives=drives, complete=len(shown) == len(found), problem=None)


def _folders_elsewhere(drives: Iterable[Drive], folder: Path) -> list[Path]:
    """The folders of drives that links lead to."""
    home = folder.resolve()
    folders = dict.fromkeys(drive.path.resolve().parent for drive in drives)
    return [each for each in folders if not each.is_relative_to(home)]


def names_in(folder: Path, paths: Sequence[Path]) -> list[str]:
    """A name for each drive in a folder: its path there without what all have; the whole path where two would agree.

    >>> paths = [Path("d/coast/signals.parquet"), Path("d/2024/7.parquet"), Path("d/coast.parquet")]
    >>> names_in(Path("d"), paths)
    ['coast', '2024/7', 'coast.parquet']
    """
    names: dict[str, Path] = {}
    given = []
    for path in paths:
        inside = path.relative_to(folder)
        short = inside.parent if path.name == FOLDER_FILE and inside.parent != Path() else inside.with_suffix("")
        name = inside.as_posix() if short.as_posix() in names else short.as_posix()
        names[name] = path
        given.append(name)
    return given


def _printable(name: str) -> str:
    """The name of a file, with escapes in place of bytes that are not UTF-8, which no answer can hold."""
    return name.encode(errors="backslashreplace").decode()


def _drive_view(name: str, drive: Drive) -> DriveView:
    cameras = [_printable(camera) for camera in drive.cameras]
    view = DriveView(
        name=_printable(name), bytes=0, seconds=None, rows=None, signals=None, cameras=cameras, problem=None
    )
    try:
        size_bytes = drive.path.stat().st_size
        view = view.model_copy(update={"bytes": size_bytes})
        with drive.open() as file:
            known = {
                "rows": file.row_count,
                "signals": sum(column != TIME_COLUMN for column in file.columns),
                "seconds": _seconds(file),
            }
    except OSError as error:
        return view.model_copy(update={"problem": f"it cannot be read ({error.strerror})"})
    except InvalidInput as error:
        return view.model_copy(update={"problem": _printable(error.message.replace(f"{drive.path}: ", ""))})
    except Exception as error:  # noqa: BLE001 - one odd file must not cost the others: their list is what all ask for
        return view.model_copy(update={"problem": f"its file is not understood ({type(error).__name__})"})
    return view.model_copy(update=known)


def _seconds(file: DriveFile) -> float | None:
    """From the first to the last row, where the footer tells; None where it does not, or tells no times."""
    values = [value for bounds in file.bounds_of(TIME_COLUMN) for value in bounds]
    if not values or not all(isinstance(value, float | datetime | timedelta) for value in values):
        return None
    length: Any = max(values) - min(values)
    if isinstance(length, timedelta):
        return length.total_seconds()
    return length if math.isfinite(length) else None


def signals_of(task: SignalsTask, process: Process) -> SignalsAnswer:
    """Signals of a drive from a moment to another. InvalidInput for a drive that cannot be read."""
    prepared = prepare(task.program, process)
    process.compiled()
    catalog, names = prepared.catalog, task.names or _shown_first(prepared.plan, prepared.catalog)
    if task.drive is not None:
        process.shut_in(files_of(task.drive.path))
        return _read(Drive(task.drive.path), catalog, names, task)
    assert task.clips is not None  # noqa: S101 - a task has one of both
    from fleet_api.backtest_processes.clips import clips_as_drives  # noqa: PLC0415 - see there

    process.shut_in([task.clips.fetched], [task.clips.folder])
    needed = {name for name in names if name in catalog.signals}
    drives, failed, for_clips = clips_as_drives(task.clips, needed, catalog, {})
    if failed:
        raise failed[0].error
    return _read(drives[0], for_clips, names, task)


def _shown_first(plan: BacktestPlan, catalog: SignalCatalog) -> tuple[str, ...]:
    """What the program reads, each head with both its sides; lists of objects are not plotted."""
    names: dict[str, None] = {}
    for name in sorted(frozenset[str]().union(*plan.signals.values(), *plan.head_signals.values())):
        if name in catalog.objects:
            continue
        head, _ = _head_of(name, catalog)
        names |= dict.fromkeys([name] if head is None else [f"active.{head}", f"shadow.{head}"])
    return tuple(names)[:MAX_SIGNALS_SHOWN]


def _head_of(name: str, catalog: SignalCatalog) -> tuple[str | None, Literal["active", "shadow"] | None]:
    side, _, head = name.partition(".")
    if head not in catalog.heads or side not in ("active", "shadow"):
        return None, None
    return head, "active" if side == "active" else "shadow"


def _read(drive: Drive, catalog: SignalCatalog, names: Sequence[str], task: SignalsTask) -> SignalsAnswer:
    missing: list[MissingSeriesView] = []
    parts: dict[str, list[tuple[Times, Numbers]]] = {}
    with drive.open() as file:
        for name in names:
            if name in catalog.objects:
                missing.append(MissingSeriesView(name=name, problem="a list of objects is not a series of numbers"))
            elif name not in catalog.signals:
                missing.append(MissingSeriesView(name=name, problem="the signal catalog does not declare it"))
            elif (error := file.problem(name, catalog)) is not None:
                missing.append(MissingSeriesView(name=name, problem=error.message.replace(f"{drive.path}: ", "")))
            else:
                parts[name] = []
        first_ns = _take(file, catalog, parts, task)
    series = [_series(name, catalog, parts[name], first_ns, task) for name in names if name in parts]
    return SignalsAnswer(first_ns=first_ns, series=series, missing=missing)


def _take(
    file: DriveFile, catalog: SignalCatalog, parts: dict[str, list[tuple[Times, Numbers]]], task: SignalsTask
) -> int:
    """Add the samples until the end of the time, and return the time of the first row."""
    first_ns: int | None = None
    for batch in file.batches(catalog, sorted(parts)):
        first_ns = int(batch.t_ns[0]) if first_ns is None else first_ns
        end = int(np.searchsorted(batch.t_ns, task.to_ns, side="right"))
        for name, numbers in batch.columns.items():
            if numbers is None:
                continue
            sampled = np.flatnonzero(~np.isnan(numbers[:end]))
            times, values = batch.t_ns[sampled], numbers[sampled]
            begun = int(np.searchsorted(times, task.from_ns))
            if begun:  # of what was before, the last sample alone is shown
                parts[name] = [(times[begun - 1 : begun], values[begun - 1 : begun])]
            parts[name].append((times[begun:], values[begun:]))
        if end < len(batch):
            break
    return first_ns or 0


def _series(
    name: str, catalog: SignalCatalog, parts: Sequence[tuple[Times, Numbers]], first_ns: int, task: SignalsTask
) -> SeriesView:
    signal = catalog.signals[name]
    times = np.concatenate([each for each, _ in parts]) if parts else np.empty(0, np.int64)
    values = np.concatenate([each for _, each in parts]) if parts else np.empty(0)
    shown = thinned(values, task.points)
    head, side = _head_of(name, catalog)
    return SeriesView(
        name=name,
        type=signal.type,
        unit=signal.unit,
        values=list(signal.values),
        head=head,
        side=side,
        samples=len(values),
        thinned=len(shown) < len(values),
        t_s=((times[shown] - first_ns) / NS_PER_S).tolist(),
        value=[each if math.isfinite(each) else None for each in values[shown].tolist()],
    )


def thinned(values: Numbers, points: int) -> NDArray[np.int64]:
    """The places of at most `points` values: the first and the last, and of each stretch the lowest and the highest.

    An invalid value counts as neither, unless a stretch has no other.

    >>> thinned(np.array([0.0, 1, 9, 2, -5, 3, 4, 5]), 4).tolist()
    [0, 2, 4, 7]
    """
    count = len(values)
    if count <= points:
        return np.arange(count)
    stretches = max(1, (points - 2) // 2)
    inside = np.arange(1, count - 1)
    length = -(-len(inside) // stretches)
    padded = np.full(stretches * length, np.nan)
    padded[: len(inside)] = np.where(np.isfinite(values[inside]), values[inside], np.nan)
    rows = padded.reshape(stretches, length)
    first = np.arange(stretches) * length + 1
    lowest = first + np.argmin(np.where(np.isnan(rows), np.inf, rows), axis=1)
    highest = first + np.argmax(np.where(np.isnan(rows), -np.inf, rows), axis=1)
    places = np.unique(np.concatenate([[0], lowest, highest, [count - 1]]))
    return places[places < count].astype(np.int64)
