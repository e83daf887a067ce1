"""Drives as whole signals, without a signal catalog: the writer of the drive format, and the matching reader.

The file has a row for each time at which any signal has a sample, `t` in float64 seconds since `start_ns`, and one
float64 column per signal, null where it has no new sample, in the signal's unit. A list of objects is a column of lists
of structs: the key (int64) first, then its fields (float64, null where one is unknown). `start_ns` (ns since the Unix
epoch) is in the schema's metadata. A backtest reads drives in batches instead (`DriveFile`).
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from triggers.drives.columns import Numbers
from triggers.drives.file import IN_UNITS, START_KEY, VALUES_KEY
from triggers.drives.time_column import TIME_COLUMN
from triggers.drives.times import Times, to_ns
from triggers.errors import InvalidInput
from triggers.signals.object_columns import ObjectColumn, ObjectSeries, starts_of
from triggers.times import NS_PER_S

MAX_TABLE_CELLS = 500_000_000
ROWS_PER_GROUP = 65_536
CELLS_PER_GROUP = 32_000_000
"""What is held in memory at once, 9 bytes a cell: a table of very many signals has fewer rows in a group."""
_LOOK_AT = 8
"""Among how many memories a column looks for one to share: enough for the signals of common messages."""


class SignalSeries(NamedTuple):
    """The samples of one signal: times (ns since the Unix epoch, strictly ascending) and values, of equal length."""

    t_ns: Times
    values: Numbers


def write_drive(
    path: Path,
    signals: Mapping[str, SignalSeries],
    *,
    start_ns: int,
    objects: Mapping[str, ObjectSeries] = MappingProxyType({}),
) -> None:
    """Write a drive. No sample may be before `start_ns`. Equal input gives equal bytes.

    Raises InvalidInput if the table would have more than MAX_TABLE_CELLS cells.
    """
    times = [*(series.t_ns for series in signals.values()), *(series.t_ns for series in objects.values())]
    all_ns = _distinct(np.concatenate(times)) if times else np.empty(0, np.int64)
    of_objects = sum(len(series.column.keys) * len(series.names) for series in objects.values())
    if len(all_ns) * (len(signals) + len(objects)) + of_objects > MAX_TABLE_CELLS:
        lists = f" and {len(objects)} lists of objects" if objects else ""
        raise InvalidInput(f"{len(signals)} signals{lists} at {len(all_ns)} different times are too many for a table")
    fields = [
        pa.field(TIME_COLUMN, pa.float64()),
        *(pa.field(name, pa.float64()) for name in signals),
        *(pa.field(name, _list_type(series.names)) for name, series in objects.items()),
    ]
    schema = pa.schema(fields, metadata={START_KEY: str(start_ns).encode(), VALUES_KEY: IN_UNITS})
    # Measurements hardly repeat, so that a dictionary of them is stored beside them; zstd finds the states that do.
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=False) as writer:
        for group in _groups(all_ns, len(signals), objects.values()):
            rows_ns = all_ns[group]
            numbers = _NumberColumns(rows_ns)
            columns = [pa.array((rows_ns - start_ns) / NS_PER_S)]
            columns += [numbers.column(series) for series in signals.values()]
            columns += [_list_column(series, rows_ns) for series in objects.values()]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def _distinct(times_ns: Times) -> Times:
    """The different times in order. `np.unique` looks each of them up in a table before it sorts, which costs more."""
    times_ns.sort()
    is_first = np.ones(len(times_ns), dtype=bool)
    is_first[1:] = times_ns[1:] != times_ns[:-1]
    return times_ns[is_first]


def _groups(all_ns: Times, signals: int, objects: Collection[ObjectSeries]) -> Iterator[slice]:
    """The rows of each row group: as many as have CELLS_PER_GROUP, of which rows of many objects have more."""
    cells = np.full(len(all_ns), 1 + signals + len(objects), np.int64)
    for series in objects:
        cells[np.searchsorted(all_ns, series.t_ns)] += np.diff(series.column.starts) * len(series.names)
    ends = np.cumsum(cells)
    first = before = 0
    while first < len(ends):
        full = int(np.searchsorted(ends, before + CELLS_PER_GROUP, side="right"))
        end = min(max(first + 1, full), first + ROWS_PER_GROUP)
        yield slice(first, end)
        first, before = end, int(ends[end - 1])
    if not len(ends):
        yield slice(0, 0)


class _NumberColumns:
    """Columns of signals in the same rows, of which most have no sample of a signal.

    What a column holds where it has no sample is not written, so signals that have theirs in different rows share their
    memory: each page of it that a process touches for the first time costs more than writing its values.
    """

    def __init__(self, rows_ns: Times) -> None:
        self._rows_ns = rows_ns
        self._shared: list[tuple[Numbers, NDArray[np.bool_]]] = []

    def column(self, series: SignalSeries) -> pa.Array:
        """The signal's values; each of its samples within the span of the rows has a row."""
        rows_ns, is_sample = self._rows_ns, np.zeros(len(self._rows_ns), dtype=bool)
        first, end = 0, 0
        if len(rows_ns):
            first = np.searchsorted(series.t_ns, rows_ns[0])
            end = np.searchsorted(series.t_ns, rows_ns[-1], side="right")
        rows = np.searchsorted(rows_ns, series.t_ns[first:end])
        values = self._room(rows)
        values[rows] = series.values[first:end]
        is_sample[rows] = True
        validity = np.packbits(is_sample, bitorder="little")
        return pa.Array.from_buffers(pa.float64(), len(values), [pa.py_buffer(validity), pa.py_buffer(values)])

    def _room(self, rows: NDArray[np.int64]) -> Numbers:
        """Memory for a value in each row, in which nothing else has these ones."""
        for values, taken in self._shared[-_LOOK_AT:]:
            if not taken[rows].any():
                taken[rows] = True
                return values
        values, taken = np.zeros(len(self._rows_ns)), np.zeros(len(self._rows_ns), dtype=bool)
        taken[rows] = True
        self._shared.append((values, taken))
        return values


def _list_type(names: Sequence[str]) -> pa.DataType:
    key, *fields = names
    return pa.list_(pa.struct([pa.field(key, pa.int64()), *(pa.field(name, pa.float64()) for name in fields)]))


def _list_column(series: ObjectSeries, rows_ns: Times) -> pa.Array:
    """The list's samples in these rows; each of its samples within their span has a row."""
    rows = np.full(len(rows_ns), -1, np.int64)
    if len(rows_ns):
        first = np.searchsorted(series.t_ns, rows_ns[0])
        end = np.searchsorted(series.t_ns, rows_ns[-1], side="right")
        rows[np.searchsorted(rows_ns, series.t_ns[first:end])] = np.arange(first, end)
    column = series.column.taken(rows)
    kind = _list_type(series.names)
    fields = [pa.array(column.keys), *(pa.array(field, mask=np.isnan(field)) for field in column.fields)]
    structs = pa.StructArray.from_arrays(fields, fields=list(kind.value_type))
    offsets = pa.array(column.starts.astype(np.int32))
    return pa.ListArray.from_arrays(offsets, structs, type=kind, mask=pa.array(~column.is_sample))


def read_series(source: Path | BinaryIO, *, only: Container[str] | None = None) -> dict[str, SignalSeries]:
    """All signals (or those of `only`) of a drive that `write_drive` wrote; those without a sample are empty.

    It is read in this thread alone. Lists of objects are left out: `read_lists` reads them.

    Raises InvalidInput if it is not such a drive. NaN means no sample, as in every drive.
    """
    t_ns, table = _read(source, only, lists=False)
    try:
        columns = {name: _numbers(table[name]) for name in table.column_names if name != TIME_COLUMN}
    except (pa.ArrowException, ValueError) as error:
        raise InvalidInput(f"not a drive of numbers: {error}") from error
    return {name: _series(t_ns, column) for name, column in columns.items()}


def read_lists(source: Path | BinaryIO, *, only: Container[str] | None = None) -> dict[str, ObjectSeries]:
    """All lists of objects (or those of `only`) of a drive that `write_drive` wrote.

    It is read in this thread alone. Raises InvalidInput if it is not such a drive.
    """
    t_ns, table = _read(source, only, lists=True)
    try:
        return {
            name: _object_series(t_ns, table[name].combine_chunks())
            for name in table.column_names
            if name != TIME_COLUMN
        }
    except (pa.ArrowException, ValueError) as error:
        raise InvalidInput(f"not a drive whose lists have keys and numbers: {error}") from error


def _read(source: Path | BinaryIO, only: Container[str] | None, *, lists: bool) -> tuple[Times, Any]:
    """The times in ns, and the columns of numbers or those of lists, with that of the times."""
    try:
        with pq.ParquetFile(source, pre_buffer=False) as file:
            names = [
                field.name
                for field in file.schema_arrow
                if field.name == TIME_COLUMN
                or (pa.types.is_list(field.type) is lists and (only is None or field.name in only))
            ]
            table = file.read(columns=names, use_threads=False).select(names)
        start_ns = int((table.schema.metadata or {})[START_KEY])
        return start_ns + to_ns(table[TIME_COLUMN].to_numpy()), table
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise InvalidInput(f"not a drive with a start time: {error}") from error


def _object_series(t_ns: Times, column: Any) -> ObjectSeries:
    """The samples of a column of lists whose structs begin with the key."""
    structs = column.flatten()
    if not pa.types.is_struct(structs.type) or not structs.type.num_fields or structs.null_count:
        raise ValueError(f"lists of {structs.type}, which are not structs")
    keys, *fields = (structs.field(index) for index in range(structs.type.num_fields))
    if keys.type != pa.int64() or keys.null_count:
        raise ValueError(f"keys are {keys.type}, and not int64 without nulls")
    is_sample = column.is_valid().to_numpy(zero_copy_only=False)
    counts = pc.list_value_length(column).filter(column.is_valid()).to_numpy().astype(np.int64)
    numbers = tuple(_numbers(field) for field in fields)
    objects = ObjectColumn(starts_of(counts), np.ones(len(counts), np.bool_), keys.to_numpy(), numbers)
    return ObjectSeries(t_ns[is_sample], objects, tuple(field.name for field in structs.type))


def _numbers(column: Any) -> Numbers:
    numbers: Numbers = np.asarray(column).astype(np.float64)
    return numbers


def _series(t_ns: Times, column: Numbers) -> SignalSeries:
    sampled = ~np.isnan(column)
    return SignalSeries(t_ns[sampled], column[sampled])
