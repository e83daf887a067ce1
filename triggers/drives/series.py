"""Drives as whole signals, without a signal catalog: the writer of the drive format, and the matching reader.

The file has a row for each time at which any signal has a sample, `t` in float64 seconds since `start_ns`, and one
float64 column per signal, null where it has no new sample, in the signal's unit. `start_ns` (ns since the Unix epoch)
is in the schema's metadata. A backtest reads drives in batches instead (`DriveFile`).
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from triggers.drives.columns import Numbers
from triggers.drives.file import IN_UNITS, START_KEY, VALUES_KEY
from triggers.drives.time_column import TIME_COLUMN
from triggers.drives.times import Times, to_ns
from triggers.errors import InvalidInput
from triggers.times import NS_PER_S

MAX_TABLE_CELLS = 500_000_000
ROWS_PER_GROUP = 65_536
CELLS_PER_GROUP = 32_000_000
"""What is held in memory at once, 9 bytes a cell: a table of very many signals has fewer rows in a group."""


class SignalSeries(NamedTuple):
    """The samples of one signal: times (ns since the Unix epoch, strictly ascending) and values, of equal length."""

    t_ns: Times
    values: Numbers


def write_drive(path: Path, signals: Mapping[str, SignalSeries], *, start_ns: int) -> None:
    """Write a drive. No sample may be before `start_ns`. Equal input gives equal bytes.

    Raises InvalidInput if the table would have more than MAX_TABLE_CELLS cells.
    """
    times = [series.t_ns for series in signals.values()]
    all_ns = np.unique(np.concatenate(times)) if times else np.empty(0, np.int64)
    if len(all_ns) * len(signals) > MAX_TABLE_CELLS:
        raise InvalidInput(f"{len(signals)} signals at {len(all_ns)} different times are too many for a table")
    fields = [pa.field(TIME_COLUMN, pa.float64()), *(pa.field(name, pa.float64()) for name in signals)]
    schema = pa.schema(fields, metadata={START_KEY: str(start_ns).encode(), VALUES_KEY: IN_UNITS})
    rows_each = max(1, min(ROWS_PER_GROUP, CELLS_PER_GROUP // (1 + len(signals))))
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for first in range(0, max(1, len(all_ns)), rows_each):
            rows_ns = all_ns[first : first + rows_each]
            columns = [pa.array((rows_ns - start_ns) / NS_PER_S)]
            columns += [_column(series, rows_ns) for series in signals.values()]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def _column(series: SignalSeries, rows_ns: Times) -> pa.Array:
    """The signal's values in these rows; each of its samples within their span has a row."""
    column = np.full(len(rows_ns), np.nan)
    missing = np.ones(len(rows_ns), dtype=bool)
    if len(rows_ns):
        here = slice(np.searchsorted(series.t_ns, rows_ns[0]), np.searchsorted(series.t_ns, rows_ns[-1], side="right"))
        rows = np.searchsorted(rows_ns, series.t_ns[here])
        column[rows] = series.values[here]
        missing[rows] = False
    return pa.array(column, mask=missing)


def read_series(source: Path | BinaryIO, *, only: Container[str] | None = None) -> dict[str, SignalSeries]:
    """All signals (or those of `only`) of a drive that `write_drive` wrote; those without a sample are empty.

    It is read in this thread alone.

    Raises InvalidInput if it is not such a drive. NaN means no sample, as in every drive.
    """
    try:
        with pq.ParquetFile(source, pre_buffer=False) as file:
            names = [name for name in file.schema_arrow.names if only is None or name == TIME_COLUMN or name in only]
            table = file.read(columns=names, use_threads=False)
        start_ns = int((table.schema.metadata or {})[START_KEY])
        t_ns = start_ns + to_ns(table[TIME_COLUMN].to_numpy())
        columns = {name: _numbers(table[name]) for name in table.column_names if name != TIME_COLUMN}
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise InvalidInput(f"not a drive with a start time: {error}") from error
    return {name: _series(t_ns, column) for name, column in columns.items()}


def _numbers(column: Any) -> Numbers:
    numbers: Numbers = column.to_numpy().astype(np.float64)
    return numbers


def _series(t_ns: Times, column: Numbers) -> SignalSeries:
    sampled = ~np.isnan(column)
    return SignalSeries(t_ns[sampled], column[sampled])
