"""The file of a drive: Parquet whose rows are read as arrays, a bounded number at a time, in one thread.

Only the requested columns are read. Memory holds a few batches (`BATCH_BYTES` of numbers each) and the pages that are
being decoded, however long the file is. Errors name the file, and the column or row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from triggers.drives.batches import Batch, Merger
from triggers.drives.carry import carried
from triggers.drives.columns import ColumnReader, Numbers, check_type
from triggers.drives.findings import Findings
from triggers.drives.objects.lists import ObjectReader, Structs
from triggers.drives.objects.places import Places, source_of
from triggers.drives.time_column import TimeReader
from triggers.drives.times import Times
from triggers.errors import InvalidInput
from triggers.language.rows import MAX_T_NS
from triggers.signals.catalog import Signal, SignalCatalog
from triggers.signals.raw import RawForm

START_KEY = b"longtail.start_ns"
VALUES_KEY = b"longtail.values"
IN_UNITS = b"in units"
"""Metadata of a file whose numbers are in the signals' units already, so that they are not converted again."""
MAX_BATCH_ROWS = 131_072
MIN_BATCH_ROWS = 1024
BATCH_BYTES = 32 << 20
_NO_COLUMN = "name the right `column` in the signal catalog"
_NO_TIME = "add the time of each row in s, or name the column of times in the signal catalog: `time: {column: ...}`"
_READ_BYTES = 64 << 10
"""How much of a column chunk is read at once. Arrow's default reads ahead until the whole file is in memory."""


class DriveFile:
    """One recorded drive, open for reading; a context manager. Do not share it between threads."""

    def __init__(self, path: Path, *, batch_rows: int | None = None, is_clip: bool = False) -> None:
        """Open the file and read its footer. Raises InvalidInput if it is not a Parquet file or is truncated.

        `is_clip`: it holds values in the signals' units, not raw ones, also if its metadata do not say so.
        """
        self.path = path
        self._batch_rows = batch_rows
        with readable_parquet(path):
            self._file: Any = pq.ParquetFile(path, pre_buffer=False, buffer_size=_READ_BYTES)
            self._schema: Any = self._file.schema_arrow  # which Arrow makes again each time that it is asked
            self.columns: tuple[str, ...] = tuple(self._schema.names)
            metadata = self._file.metadata
            rows = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
        self._is_raw = not is_clip and (self._schema.metadata or {}).get(VALUES_KEY) != IN_UNITS
        self._occurrences = Counter(self.columns)
        self._group_rows = np.cumsum([0, *rows])[:-1]
        self.group_starts_ns: list[int] = []
        """The time in ns of the first row of each row group, as far as `batches` has read."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def row_count(self) -> int:
        """Rows in the file, from its footer."""
        return int(self._file.metadata.num_rows)

    @property
    def size_bytes(self) -> int:
        """Size of the file."""
        return self.path.stat().st_size

    @property
    def start_ns(self) -> int | None:
        """Unix time of the drive's `t` = 0 where its metadata gives it; InvalidInput if that is not a number."""
        text = (self._schema.metadata or {}).get(START_KEY)
        if text is None:
            return None
        if not text.isdigit() or not 0 <= int(text[:20]) <= MAX_T_NS:
            raise InvalidInput(f"{self.path}: metadata {START_KEY.decode()} is not a time in nanoseconds")
        return int(text)

    def bounds_of(self, column: str) -> list[tuple[Any, Any]]:
        """The lowest and highest value of a column in each row group, from the footer; empty where one is not told.

        Columns with parts, such as structs, have none; nor have columns that the file has twice, and values that Python
        cannot hold. They are of any type: whatever the file has in this column.
        """
        metadata = self._file.metadata
        # A struct is one column of the file's and several of its row groups'.
        leaves = [leaf for leaf in range(metadata.num_columns) if metadata.schema.column(leaf).path == column]
        if column not in self.columns or len(leaves) != 1:
            return []
        told = [metadata.row_group(group).column(leaves[0]).statistics for group in range(metadata.num_row_groups)]
        try:
            known = [(each.min, each.max) for each in told if each is not None and each.has_min_max]
        except (pa.ArrowException, ArithmeticError, LookupError, ValueError):  # such as dates beyond the year 9999
            return []
        return known if len(known) == len(told) else []

    def column_of(self, signal: str, catalog: SignalCatalog) -> str:
        """The first of the catalog's columns that is there; its last one is the signal's own name, as in clips."""
        if signal in catalog.objects:
            source = self._source_of(signal, catalog)
            return source.column if source else catalog.objects[signal].column or signal
        columns = catalog.columns(signal)
        return next((column for column in columns if column in self._occurrences), columns[0])

    def problem(self, signal: str, catalog: SignalCatalog) -> InvalidInput | None:
        """Why the file cannot give this signal, from its footer alone: no column, two of them, or of a wrong type.

        It may also be the name of a list of objects.
        """
        if signal in catalog.objects:
            return self._problem_of_list(signal, catalog)
        if signal not in catalog.sampled:
            problem = f"gives no samples of `{signal}`, which the signal catalog derives from others"
            return self._named(InvalidInput(problem, remedy="read the signals that it is computed from"))
        column = self.column_of(signal, catalog)
        declared = catalog.signals[signal].columns
        if len(declared) > 1 and column not in self._occurrences:
            named = ", ".join(f"`{name}`" for name in declared)
            problem = f"has none of the columns {named}, which carry the signal `{signal}`"
            return self._named(InvalidInput(problem, remedy=_NO_COLUMN))
        try:
            kind = self._kind_of(column, f", which carries the signal `{signal}`", _NO_COLUMN)
            check_type(kind, column, catalog.signals[signal])
        except InvalidInput as error:
            return self._named(error)
        return None

    def _problem_of_list(self, name: str, catalog: SignalCatalog) -> InvalidInput | None:
        declared, source = catalog.objects[name], self._source_of(name, catalog)
        if source is None:
            column = declared.column or name
            key = f"{column}.0.{declared.fields[declared.key].column or declared.key}"
            problem = f"has neither a column `{column}` nor columns `{key}`, ..., for the list of objects `{name}`"
            return self._named(InvalidInput(problem, remedy=_NO_COLUMN))
        try:
            use = f", which carries the list of objects `{name}`"
            source.check(declared, lambda column: self._kind_of(column, use, _NO_COLUMN))
        except InvalidInput as error:
            return self._named(error)
        return None

    def _source_of(self, name: str, catalog: SignalCatalog) -> Structs | Places | None:
        return source_of(name, catalog.objects[name], self._occurrences)

    def time_column(self, catalog: SignalCatalog) -> str:
        """The column of times. Raises InvalidInput if there is none, or two of its name, or one of another type."""
        return self._time_reader(catalog).name

    def check_columns(self, catalog: SignalCatalog, signals: Collection[str]) -> None:
        """Raise InvalidInput if the file cannot give one of these signals (see `problem`) or has no usable times."""
        self._time_reader(catalog)
        for signal in signals:
            if problem := self.problem(signal, catalog):
                raise problem

    def batches(
        self,
        catalog: SignalCatalog,
        signals: Collection[str],
        row_groups: Sequence[int] | None = None,
        findings: Findings | None = None,
    ) -> Iterator[Batch]:
        """The rows with the samples of these signals and lists of objects, in order of time, rows of equal time merged.

        Signals that are sent on change are repeated after a gap (see `carry`). `row_groups` (ascending): only these
        row groups, without such repetition. `findings` counts what could not be taken as it is. Raises InvalidInput
        naming the file and the column or row that cannot be used.
        """
        self.check_columns(catalog, signals)
        findings = Findings() if findings is None else findings
        time = self._time_reader(catalog)
        columns = {signal: self.column_of(signal, catalog) for signal in signals}
        of_numbers = [signal for signal in signals if signal not in catalog.objects]
        texts = {signal: catalog.signals[signal].values for signal in of_numbers}
        batches = Merger(findings, time.name, columns, texts).merged(
            self._batches(catalog, columns, time, row_groups, findings)
        )
        if row_groups is not None:
            return batches
        on_change = [signal for signal in of_numbers if catalog.signals[signal].update == "on_change"]
        return carried(batches, on_change, catalog.max_gap_ns)

    def _time_reader(self, catalog: SignalCatalog) -> TimeReader:
        """The reader of the catalog's column of times, or else of `t`, as in extracted clips."""
        try:
            reader = TimeReader.among(self._occurrences, catalog.time)
            reader.check_type(self._kind_of(reader.name, "", _NO_TIME))
        except InvalidInput as error:
            raise self._named(error) from error
        return reader

    def _kind_of(self, column: str, use: str, remedy: str) -> Any:
        """The Arrow type of a column. Raises InvalidInput if the file lacks it or has it twice."""
        times = self._occurrences[column]
        if times > 1:
            raise InvalidInput(
                f"has the column `{column}`{use}, {times} times",
                remedy="rename or drop all but one of them",
            )
        if not times:
            raise InvalidInput(f"has no column `{column}`{use}", remedy=remedy)
        return self._schema.field(column).type

    def _named(self, error: InvalidInput) -> InvalidInput:
        return InvalidInput(f"{self.path}: {error.message}", remedy=error.remedy)

    def _batches(
        self,
        catalog: SignalCatalog,
        columns: Mapping[str, str],
        time: TimeReader,
        row_groups: Sequence[int] | None,
        findings: Findings,
    ) -> Iterator[Batch]:
        lists = {
            name: source for name in columns if name in catalog.objects if (source := self._source_of(name, catalog))
        }
        signals = {name: column for name, column in columns.items() if name not in lists}
        readers = _Readers(catalog, signals, findings, is_raw=self._is_raw)
        list_readers = {
            name: source.reader(catalog.objects[name], findings, is_raw=self._is_raw) for name, source in lists.items()
        }
        first_row, latest_ns = 0, 0
        flat, nested = {time.name, *signals.values()}, self._leaves(catalog, lists)
        record_batches = self._read(sorted(flat), nested, row_groups)
        for record_batch in _bounded(record_batches, len(flat), list_readers.values()):
            try:
                times = time.times(record_batch.column(time.name), first_row)
                arrays = readers.arrays(record_batch, first_row)
                objects = {name: reader.objects(record_batch, first_row) for name, reader in list_readers.items()}
                batch = Batch(times.t_ns, arrays, (times.shortest_step_ns, times.longest_step_ns), objects)
                _check_order(batch, time.name, first_row, latest_ns)
            except InvalidInput as error:
                raise self._named(error) from error
            if row_groups is None:
                self._note_groups(batch.t_ns, first_row)
            first_row, latest_ns = first_row + len(batch), int(batch.t_ns[-1])
            yield batch

    def _leaves(self, catalog: SignalCatalog, lists: Mapping[str, Structs | Places]) -> dict[str, int | None]:
        """The leaves of the file that hold these lists, by path; None for what has no leaf of its own."""
        metadata = self._file.metadata
        paths = {metadata.schema.column(leaf).path: leaf for leaf in range(metadata.num_columns)} if lists else {}
        leaves: dict[str, int | None] = {}
        for name, source in lists.items():
            for path in source.leaves(catalog.objects[name], paths) or source.columns:
                leaves[path] = paths.get(path)
        return leaves

    def _read(
        self, columns: list[str], nested: Mapping[str, int | None], row_groups: Sequence[int] | None
    ) -> Iterator[Any]:
        """Batches of these columns and of the `nested` leaves."""
        with readable_parquet(self.path):
            for rows, groups in self._steps(len(columns), nested.values(), row_groups):
                yield from self._file.iter_batches(
                    batch_size=rows, columns=[*columns, *nested], row_groups=groups, use_threads=False
                )

    def _steps(
        self, columns: int, nested: Collection[int | None], row_groups: Sequence[int] | None
    ) -> Iterator[tuple[int, Sequence[int] | None]]:
        """How many rows are read at a time, and of which row groups.

        Lists are read in small steps, as they may be longer in some of a group's rows than its average tells, and in
        smaller ones where this is large; what is read is divided by what it really holds (`_bounded`).
        """
        if self._batch_rows or not nested:
            yield self._batch_rows or max(MIN_BATCH_ROWS, min(MAX_BATCH_ROWS, BATCH_BYTES // (8 * columns))), row_groups
            return
        groups = range(self._file.metadata.num_row_groups) if row_groups is None else row_groups
        for rows, same in groupby(groups, key=lambda group: self._list_rows(group, columns, nested)):
            yield rows, list(same)

    def _list_rows(self, group: int, columns: int, nested: Collection[int | None]) -> int:
        """How many rows of a row group with lists are read at a time: a power of 2, so that it is seldom another."""
        row_group = self._file.metadata.row_group(group)
        values = sum(row_group.column(leaf).num_values for leaf in nested if leaf is not None)
        row_bytes = 8 * columns + 8 * values // max(row_group.num_rows, 1)
        rows: int = max(MIN_BATCH_ROWS // 64, min(MIN_BATCH_ROWS, BATCH_BYTES // row_bytes), 1)
        return 1 << (rows.bit_length() - 1)

    def _note_groups(self, t_ns: Times, first_row: int) -> None:
        """Remember the times of the row groups that begin in these rows."""
        known = len(self.group_starts_ns)
        if known == len(self._group_rows) or self._group_rows[known] >= first_row + len(t_ns):
            return
        end = np.searchsorted(self._group_rows, first_row + len(t_ns))
        self.group_starts_ns += t_ns[self._group_rows[known:end] - first_row].tolist()


def _bounded(record_batches: Iterable[Any], flat: int, lists: Collection[ObjectReader]) -> Iterator[Any]:
    """Batches with rows, divided so that the arrays of each take at most BATCH_BYTES, or it is a single row.

    What a row group holds on average says nothing of a stretch of it in which its lists are long.
    """
    for record_batch in record_batches:
        if not lists:
            if record_batch.num_rows:
                yield record_batch
            continue
        until = np.cumsum(sum((each.row_bytes(record_batch) for each in lists), start=np.array(8 * flat)))
        first = 0
        while first < record_batch.num_rows:
            before = until[first - 1] if first else 0
            end = max(int(until.searchsorted(before + BATCH_BYTES, side="right")), first + 1)
            yield record_batch.slice(first, end - first)
            first = end


@contextmanager
def readable_parquet(path: Path) -> Iterator[None]:
    """Turn errors of Arrow and the system into InvalidInput that names the file."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{path}: its name is not UTF-8, so no report could name it; rename it") from error
    try:
        yield
    except FileNotFoundError as error:
        raise InvalidInput(f"{path}: there is no such file") from error
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = (str(error).splitlines() or [""])[0][:200]
        raise InvalidInput(f"{path}: not a readable Parquet file: damaged or truncated ({reason})") from error


class _Readers:
    """The readers of a file's columns; a column is converted once for all signals of the same type that share it."""

    def __init__(self, catalog: SignalCatalog, columns: Mapping[str, str], findings: Findings, *, is_raw: bool) -> None:
        self._keys = {name: (column, *_meaning(catalog.signals[name])) for name, column in columns.items()}
        self._readers = {
            key: ColumnReader(key[0], catalog.signals[name], findings, is_raw=is_raw)
            for name, key in self._keys.items()
        }

    def arrays(self, record_batch: Any, first_row: int) -> dict[str, Numbers | None]:
        """The numbers of each signal in a batch."""
        converted = {
            key: reader.numbers(record_batch.column(key[0]), first_row) for key, reader in self._readers.items()
        }
        return {name: converted[key] for name, key in self._keys.items()}


def _meaning(signal: Signal) -> tuple[str, tuple[str, ...], RawForm, tuple[float | str, ...]]:
    """All that decides which numbers a column gives for a signal."""
    return signal.type, signal.values, signal.raw_form, signal.invalid


def _check_order(batch: Batch, time_column: str, first_row: int, latest_ns: int) -> None:
    """Raise InvalidInput if a time is before the time of the previous row."""
    backwards = None
    if batch.t_ns[0] < latest_ns:
        backwards = 0
    elif batch.shortest_step_ns < 0:
        backwards = int(np.flatnonzero(batch.steps_ns < 0)[0]) + 1
    if backwards is not None:
        raise InvalidInput(
            f"column `{time_column}` runs backwards in row {first_row + backwards}",
            remedy="sort the drive by time, or split it where its clock was set back",
        )
