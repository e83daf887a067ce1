"""Recorded drives: Parquet files, found in folders and read as rows, a batch at a time.

A drive is a Parquet file with the column `t` (float seconds or an Arrow timestamp) and one column a signal, null
or NaN where there was no new sample; or a folder with such a file named `signals.parquet` and videos
`<camera>.mp4` beside it. The schema's metadata may give the drive's start in Unix time: `longtail.start_ns`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from triggers.catalog import Signal, SignalCatalog
from triggers.contracts.base import NS_PER_S
from triggers.errors import InvalidInput
from triggers.language.interpreter import MAX_T_NS, Row

TIME_COLUMN = "t"
FOLDER_FILE = "signals.parquet"
START_KEY = b"longtail.start_ns"
BATCH_ROWS = 32_768
MAX_DRIVES = 100_000
_NO_SAMPLES: MappingProxyType[str, float] = MappingProxyType({})

Times = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of a drive as arrays: times in ns (equal ones not merged yet) and numbers, NaN where no sample is."""

    t_ns: Times
    columns: dict[str, Numbers]


@dataclass(frozen=True, slots=True)
class Drive:
    """One recorded drive on disk."""

    path: Path

    @property
    def name(self) -> str:
        """The file's stem, or its folder's name for a `signals.parquet`."""
        return self.path.resolve().parent.name if self.path.name == FOLDER_FILE else self.path.stem

    @property
    def cameras(self) -> dict[str, Path]:
        """Videos beside a folder's `signals.parquet`, by camera."""
        if self.path.name != FOLDER_FILE:
            return {}
        return {video.stem: video for video in sorted(self.path.parent.glob("*.mp4"))}

    @property
    def start_ns(self) -> int | None:
        """Unix time of the drive's `t` = 0 where its metadata gives it; InvalidInput if that is no number."""
        with _opened(self.path) as file:
            text = (file.schema_arrow.metadata or {}).get(START_KEY)
        if text is None:
            return None
        if not text.isdigit() or not 0 <= int(text[:20]) <= MAX_T_NS:
            raise InvalidInput(f"{self.path}: metadata {START_KEY.decode()} is no time in nanoseconds")
        return int(text)

    @property
    def row_count(self) -> int:
        """Rows in the file, from its footer."""
        with _opened(self.path) as file:
            return int(file.metadata.num_rows)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the file's columns."""
        with _opened(self.path) as file:
            return tuple(file.schema_arrow.names)

    def rows(self, catalog: SignalCatalog, signals: Collection[str]) -> Iterator[Row]:
        """All rows with the samples of these signals; memory is bounded by a batch.

        Raises InvalidInput naming the file and the column or row that cannot be used.
        """
        waiting: Row | None = None
        for batch in self.batches(catalog, signals):
            for row in _rows(batch):
                if waiting is not None and waiting.t_ns != row.t_ns:
                    yield waiting
                elif waiting is not None:
                    row = Row(row.t_ns, {**waiting.samples, **row.samples})  # noqa: PLW2901 - merged with its twin
                waiting = row
        if waiting is not None:
            yield waiting

    def batches(self, catalog: SignalCatalog, signals: Collection[str]) -> Iterator[Batch]:
        """The rows as arrays, in order of time, a bounded number at once."""
        with _opened(self.path) as file:
            present = file.schema_arrow.names
            columns = {signal: _column_of(signal, catalog, present) for signal in signals}
            self._check_columns(present, columns)
            first_row, latest_ns = 0, -1
            wanted = sorted({TIME_COLUMN, *columns.values()})
            for batch in _read(self.path, file, wanted):
                t_ns = self._times(batch.column(TIME_COLUMN), first_row, latest_ns)
                numbers = {
                    signal: self._numbers(batch.column(column), column, catalog.signals[signal])
                    for signal, column in columns.items()
                }
                yield Batch(t_ns, numbers)
                first_row += len(t_ns)
                latest_ns = int(t_ns[-1]) if len(t_ns) else latest_ns

    def check_columns(self, catalog: SignalCatalog, signals: Collection[str]) -> None:
        """InvalidInput naming a column that the file lacks for these signals; reads the file's footer only."""
        present = list(self.columns)
        self._check_columns(present, {signal: _column_of(signal, catalog, present) for signal in signals})

    def _check_columns(self, present: list[str], columns: dict[str, str]) -> None:
        if TIME_COLUMN not in present:
            raise InvalidInput(f"{self.path}: has no column `{TIME_COLUMN}`", remedy="add the time of each row in s")
        for signal, column in columns.items():
            if column not in present:
                raise InvalidInput(
                    f"{self.path}: has no column `{column}`, which carries the signal `{signal}`",
                    remedy="name the right `column` in the signal catalog",
                )

    def _times(self, column: Any, first_row: int, latest_ns: int) -> Times:
        """Times in ns, rounded half-even, checked to be there and in order."""
        if column.null_count:
            row = first_row + int(pc.index(column.is_null(), value=True).as_py())
            raise InvalidInput(f"{self.path}: column `{TIME_COLUMN}` is empty in row {row}")
        if pa.types.is_timestamp(column.type):
            t_ns = column.cast(pa.timestamp("ns", tz=column.type.tz)).cast(pa.int64()).to_numpy(zero_copy_only=False)
        elif pa.types.is_floating(column.type):
            seconds = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
            bad = np.flatnonzero(~((seconds >= 0) & (seconds < MAX_T_NS / NS_PER_S)))
            if len(bad):
                raise InvalidInput(f"{self.path}: column `{TIME_COLUMN}` has no time >= 0 in row {first_row + bad[0]}")
            t_ns = to_ns(seconds)
        else:
            raise InvalidInput(
                f"{self.path}: column `{TIME_COLUMN}` has the type {column.type}",
                remedy="write seconds as float64 or an Arrow timestamp",
            )
        steps = np.diff(t_ns, prepend=latest_ns if latest_ns >= 0 else t_ns[:1])
        backwards = np.flatnonzero((steps < 0) | (t_ns < 0))
        if len(backwards):
            raise InvalidInput(
                f"{self.path}: column `{TIME_COLUMN}` runs backwards in row {first_row + backwards[0]}",
                remedy="sort the drive by time, or split it where its clock was set back",
            )
        return np.asarray(t_ns, np.int64)

    def _numbers(self, column: Any, name: str, signal: Signal) -> Numbers:
        """A column as numbers: bools 0 and 1, texts the index of their value, NaN where there is no sample."""
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = self._indexes(column, name, signal)
        elif pa.types.is_null(column.type):
            return np.full(len(column), np.nan)
        elif not (
            pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)
        ):
            raise InvalidInput(f"{self.path}: column `{name}` has the type {column.type}, which is no number")
        filled = column.cast(pa.float64(), safe=False).fill_null(float("nan"))
        numbers: Numbers = filled.to_numpy(zero_copy_only=False)
        return numbers

    def _indexes(self, column: Any, name: str, signal: Signal) -> Any:
        if signal.type != "text":
            raise InvalidInput(f"{self.path}: column `{name}` holds texts, but its signal is a {signal.type}")
        indexes = pc.index_in(column, value_set=pa.array(signal.values, column.type))
        unknown = pc.filter(column, pc.and_(indexes.is_null(), column.is_valid()))
        if len(unknown):
            raise InvalidInput(
                f'{self.path}: column `{name}` holds "{unknown[0].as_py()[:50]}"',
                remedy="add it to the signal's `values` in the signal catalog",
            )
        return indexes


def find_drives(paths: Iterable[str | Path]) -> list[Drive]:
    """The drives under these paths: files, folders with a `signals.parquet`, or trees of either.

    Each drive once, in the order of the paths and of names within one. InvalidInput where a path has none.
    """
    found: dict[Path, Drive] = {}
    for path in map(Path, paths):
        files = _files_under(path)
        if not files:
            raise InvalidInput(f"{path}: has no drive", remedy=f"give a Parquet file or a folder with {FOLDER_FILE}")
        found.update((file.resolve(), Drive(file)) for file in files)
        if len(found) > MAX_DRIVES:
            raise InvalidInput(f"{path}: more than {MAX_DRIVES} drives", remedy="run them in several backtests")
    return list(found.values())


def _files_under(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InvalidInput(f"{path}: there is no such file or folder")
    if (path / FOLDER_FILE).is_file():
        return [path / FOLDER_FILE]
    return sorted(file for file in path.rglob("*.parquet") if file.is_file())


def to_ns(seconds: Numbers) -> Times:
    """Seconds to ns, rounded half-even as if computed exactly."""
    whole = np.floor(seconds)
    scaled = (seconds - whole) * 1e9  # the difference is exact, the product is off by at most 1e-7
    near_tie = np.abs(scaled - np.floor(scaled) - 0.5) < 1e-6
    t_ns = whole.astype(np.int64) * NS_PER_S + np.rint(scaled).astype(np.int64)
    for index in np.flatnonzero(near_tie):
        t_ns[index] = round(Fraction(float(seconds[index])) * NS_PER_S)
    return t_ns


def _rows(batch: Batch) -> Iterator[Row]:
    samples: dict[int, dict[str, float]] = {}
    for signal, numbers in batch.columns.items():
        places = np.flatnonzero(~np.isnan(numbers))
        for place, number in zip(places.tolist(), numbers[places].tolist(), strict=True):
            samples.setdefault(place, {})[signal] = number
    for place, t_ns in enumerate(batch.t_ns.tolist()):
        yield Row(t_ns, samples.get(place, _NO_SAMPLES))


def _column_of(signal: str, catalog: SignalCatalog, present: list[str]) -> str:
    """The catalog's column, else the signal's own name: extracted clips name their columns by signal."""
    declared = catalog.column(signal)
    return signal if declared not in present and signal in present else declared


def _opened(path: Path) -> Any:
    try:
        return pq.ParquetFile(path)
    except FileNotFoundError as error:
        raise InvalidInput(f"{path}: there is no such file") from error
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0][:200]
        raise InvalidInput(f"{path}: no readable Parquet file, or cut off ({reason})") from error


def _read(path: Path, file: Any, columns: list[str]) -> Iterator[Any]:
    try:
        yield from file.iter_batches(batch_size=BATCH_ROWS, columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput(f"{path}: damaged ({str(error).splitlines()[0][:200]})") from error
