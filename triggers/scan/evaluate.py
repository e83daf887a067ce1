"""Evaluation of a condition over the extracted signals of one clip, as a vehicle would have evaluated it.

Times are those of the vehicle's clock, so heartbeats are where the vehicle had them. The clip's first row begins a
segment: nothing before it is known. What the reader of a drive does about values that a signal cannot have, and about
signals that are sent on change, is done here by the same code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from triggers.drives.batches import Batch
from triggers.drives.carry import carried
from triggers.drives.columns import ColumnReader
from triggers.drives.file import START_KEY
from triggers.drives.findings import Findings
from triggers.drives.time_column import TIME_COLUMN
from triggers.drives.times import Times, step_bounds_ns, written_ns
from triggers.errors import InvalidInput, LongtailError
from triggers.language.rows import MAX_T_NS
from triggers.language.webassembly.host.machine import LoadedModule, Machine, load
from triggers.scan.condition import Condition

MAX_INSTANTS = 1000
"""Of one clip; further ones are only counted."""
MAX_GROUP_BYTES = 512 * 1024**2
"""What a row group may unpack to by the file's own word; the writer makes them half as large at most."""
MAX_LENGTH_S = 86_400.0
_NOT_ASCENDING = "its times do not ascend from 0, or are longer than a day"


@dataclass(frozen=True, slots=True)
class Scanned:
    """What became of one clip: the instants at which the condition became true, or why it could not be evaluated.

    `t_ns` are the first MAX_INSTANTS of `count` instants, ascending.
    """

    t_ns: tuple[int, ...] = ()
    count: int = 0
    problem: str | None = None


class Evaluator:
    """One condition, ready to be evaluated over one clip after the other. Not for several threads at a time."""

    def __init__(self, condition: Condition, module: LoadedModule | None = None) -> None:
        """`module` is the condition's program, if it is loaded already."""
        self._machine = Machine(module or load(condition.program))
        names = [item.name for item in self._machine.manifest.inputs]
        findings = Findings()
        self._readers = {name: ColumnReader(name, condition.signals[name], findings) for name in names}
        self._on_change = [name for name in names if condition.signals[name].update == "on_change"]
        self._max_gap_ns = self._machine.manifest.max_gap_ns

    def missing(self, columns: Collection[str]) -> list[str]:
        """The signals that it reads and a clip with these columns has not."""
        return [name for name in self._readers if name not in columns]

    def instants(self, file: ClipSignals) -> Scanned:
        """The instants at which the condition became true. InvalidInput if the signals cannot be read."""
        names = list(self._readers)
        found: list[int] = []
        count = 0
        try:
            for batch in carried(file.batches(self._readers), self._on_change, self._max_gap_ns):
                fires = self._machine.run(batch.t_ns, [batch.columns[name] for name in names])
                count += len(fires)
                found += fires["t_ns"][: MAX_INSTANTS - len(found)].tolist()
        finally:
            self._machine.reset()
        return Scanned(tuple(found), count)


class ClipSignals:
    """The extracted signals of a clip, as the bytes of its Parquet file."""

    def __init__(self, data: bytes) -> None:
        """InvalidInput if they are not a drive with a start time."""
        try:
            self._file: Any = pq.ParquetFile(pa.BufferReader(data), pre_buffer=False)
            names = self._file.schema.names
            start = (self._file.metadata.metadata or {})[START_KEY]
        except (pa.ArrowException, OSError, ValueError, KeyError) as error:
            raise InvalidInput(f"its signals cannot be read ({_reason(error)})") from error
        self.columns = frozenset(names)
        self._start_ns = int(start) if start.isdigit() and len(start) < 20 else -1
        if not 0 <= self._start_ns <= MAX_T_NS or len(self.columns) != len(names):
            raise InvalidInput("its signals cannot be read (no start time, or a column twice)")

    def batches(self, readers: dict[str, ColumnReader]) -> Iterator[Batch]:
        """The rows of these signals, by the vehicle's clock. InvalidInput if they cannot be read."""
        latest_ns = -1
        for group in range(self._file.num_row_groups):
            rows = self._rows(group, [TIME_COLUMN, *readers])
            if not rows.num_rows:
                continue
            t_ns, steps_ns = self._times(rows.column(TIME_COLUMN))
            if t_ns[0] <= latest_ns:
                raise InvalidInput(_NOT_ASCENDING)
            latest_ns = int(t_ns[-1])
            yield Batch(
                t_ns, {name: reader.numbers(rows.column(name), 0) for name, reader in readers.items()}, steps_ns
            )

    def _rows(self, group: int, columns: list[str]) -> Any:
        """The rows of a row group, each of whose columns is one array."""
        if self._file.metadata.row_group(group).total_byte_size > MAX_GROUP_BYTES:
            raise InvalidInput(f"its signals unpack to more than {MAX_GROUP_BYTES} bytes at once")
        try:
            table = self._file.read_row_group(group, columns=columns, use_threads=False)
            (rows,) = table.to_batches() or [pa.RecordBatch.from_pylist([], table.schema)]
        except (pa.ArrowException, OSError, ValueError, KeyError) as error:
            raise InvalidInput(f"its signals cannot be read ({_reason(error)})") from error
        return rows

    def _times(self, column: Any) -> tuple[Times, tuple[int, int]]:
        """The times of rows in ns, with their shortest and longest step."""
        if column.type != pa.float64() or column.null_count:
            raise InvalidInput(f"its signals cannot be read (`{TIME_COLUMN}` is not in seconds)")
        seconds = column.to_numpy()
        if not (seconds[0] >= 0 and seconds[-1] < MAX_LENGTH_S):
            raise InvalidInput(_NOT_ASCENDING)
        t_ns = written_ns(seconds)
        shortest_ns, longest_ns = step_bounds_ns(t_ns)
        if shortest_ns <= 0:
            raise InvalidInput(_NOT_ASCENDING)
        return t_ns + np.int64(self._start_ns), (shortest_ns, longest_ns)


def scan_clip(data: bytes, evaluators: Sequence[Evaluator]) -> Scanned:
    """Evaluate the first of these conditions whose signals the clip has; `data` is its file of extracted signals."""
    try:
        file = ClipSignals(data)
        lacking: list[str] = []
        for evaluator in evaluators:
            if not (missing := evaluator.missing(file.columns)):
                return evaluator.instants(file)
            lacking = lacking or missing
    except LongtailError as error:
        return Scanned(problem=error.message)
    names = ", ".join(f"`{name}`" for name in sorted(lacking)[:5]) + (" ..." if len(lacking) > 5 else "")
    return Scanned(problem=f"it has no signal {names}")


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200]
