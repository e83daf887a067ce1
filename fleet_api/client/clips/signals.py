"""The extracted signals of a clip as an Arrow table: only the columns and row groups that are wanted travel.

A table is a recorded drive: a column `t` with the times of the vehicle's clock, and a column per signal or list of
objects, null where it has no new sample. Written as Parquet, it can be backtested.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fleet_api.client.clips.ranges import LinkedFile, Span
from triggers.drives.file import START_KEY
from triggers.drives.time_column import TIME_COLUMN
from triggers.drives.times import to_ns
from triggers.errors import InvalidInput
from triggers.times import NS_PER_S


class SignalsFile:
    """The file of a clip's signals, of which its footer is read when it is opened."""

    def __init__(self, file: LinkedFile) -> None:
        """InvalidInput if it is not such a file."""
        self._file = file
        with _readable():
            self._source: Any = pq.ParquetFile(pa.PythonFile(file, mode="r"), pre_buffer=False)
            self._start_ns = int(self._source.metadata.metadata[START_KEY])
            self.signals: list[str] = [name for name in self._source.schema_arrow.names if name != TIME_COLUMN]

    def read(self, names: Sequence[str], *, first_ns: int | None = None, last_ns: int | None = None) -> pa.Table:
        """The samples of these signals, from `first_ns` to `last_ns`; rows without any are left out."""
        with _readable():
            groups: list[int | None] = [*_groups(self._source, self._start_ns, first_ns, last_ns)]
            self._file.fetch(span for group in groups for span in _chunks(self._source, group, {TIME_COLUMN, *names}))
            parts = [_part(self._source, group, list(names), self._start_ns) for group in groups or [None]]
            table = pa.concat_tables(parts)
            return table.filter(_wanted(table, names, first_ns, last_ns))


def read_signals(
    file: LinkedFile, patterns: Sequence[str], *, first_ns: int | None = None, last_ns: int | None = None
) -> pa.Table:
    """The samples of the signals that these patterns name (`ego.*`; none: all), from `first_ns` to `last_ns`.

    Rows in which none of them has a sample are left out. InvalidInput for a pattern that names no signal of the clip.
    """
    signals = SignalsFile(file)
    return signals.read(matching(signals.signals, patterns), first_ns=first_ns, last_ns=last_ns)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"the clip's signals cannot be read ({str(error)[:200]})") from error


def matching(names: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """The names that a pattern matches, in their order; InvalidInput for a pattern that matches none."""
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            known = ", ".join(sorted(names)[:10]) + (" ..." if len(names) > 10 else "")
            raise InvalidInput(f"the clip has no signal {pattern!r}", remedy=f"its signals are {known or 'none'}")
    return [name for name in names if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)]


def _groups(source: Any, start_ns: int, first_ns: int | None, last_ns: int | None) -> list[int]:
    """The row groups that may have rows of this time, by their statistics."""
    wanted = []
    for group in range(source.metadata.num_row_groups):
        columns = source.metadata.row_group(group)
        times = next(
            columns.column(index).statistics
            for index in range(columns.num_columns)
            if columns.column(index).path_in_schema == TIME_COLUMN
        )
        if times is not None and times.has_min_max:
            low, high = (start_ns + round(seconds * NS_PER_S) for seconds in (times.min, times.max))
            if (last_ns is not None and low > last_ns) or (first_ns is not None and high < first_ns):
                continue
        wanted.append(group)
    return wanted


def _chunks(source: Any, group: int | None, names: set[str]) -> list[Span]:
    """Where the columns of a row group are in the file."""
    spans = []
    columns = source.metadata.row_group(group)
    known = set(source.schema_arrow.names)
    for index in range(columns.num_columns):
        chunk = columns.column(index)
        if column_of(chunk.path_in_schema, known) in names:
            first = chunk.data_page_offset
            if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
                first = min(first, chunk.dictionary_page_offset)
            spans.append((first, first + chunk.total_compressed_size))
    return spans


def column_of(path: str, known: Collection[str]) -> str:
    """The column of a file that a path of its leaves belongs to: a list's leaves are `tracked.list.element.x`.

    >>> [column_of(path, {"ego.speed", "tracked"}) for path in ("ego.speed", "tracked.list.element.x")]
    ['ego.speed', 'tracked']
    """
    while path not in known and "." in path:
        path = path.rpartition(".")[0]
    return path


def _part(source: Any, group: int | None, names: list[str], start_ns: int) -> pa.Table:
    """The rows of a row group (None: no rows) with absolute times."""
    columns = [TIME_COLUMN, *names]
    table = source.schema_arrow.empty_table().select(columns)
    if group is not None:
        table = source.read_row_group(group, columns=columns, use_threads=False).select(columns)
    t_ns = to_ns(table[TIME_COLUMN].to_numpy()) + np.int64(start_ns)
    times = pa.array(t_ns, pa.timestamp("ns", tz="UTC"))
    return table.set_column(0, pa.field(TIME_COLUMN, times.type), times).replace_schema_metadata(None)


def _wanted(table: pa.Table, names: Sequence[str], first_ns: int | None, last_ns: int | None) -> pa.Array:
    """Which rows are in the time and have a sample of one of the signals."""
    t_ns = table[TIME_COLUMN].cast(pa.int64()).to_numpy()
    wanted = np.ones(len(t_ns), bool)
    if first_ns is not None:
        wanted &= t_ns >= first_ns
    if last_ns is not None:
        wanted &= t_ns <= last_ns
    if names:
        sampled = np.zeros(len(t_ns), bool)
        for name in names:
            sampled |= pc.is_valid(table[name]).to_numpy()
        wanted &= sampled
    return pa.array(wanted)
