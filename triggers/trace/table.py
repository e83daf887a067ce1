"""A trace as a Parquet table: a row per tick, a column per part of the condition.

It is written while the trace is read, a row group at a time, and read column by column: memory is bounded by a group.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from triggers.backtest.tables import written_whole
from triggers.language.parts import ConditionPart, PartsProgram
from triggers.times import NS_PER_S
from triggers.trace.run import Numbers, TraceBlock, joined

OWN_COLUMNS = ("t", "t_ns", "fires")
_GROUP_BYTES = 16 * 1024 * 1024
"""What the values of a row group take in memory: blocks alone would be groups of a few hundred rows."""
_READ_ROWS = 1 << 14


def schema_of(program: PartsProgram) -> pa.Schema:
    """`t` (s), `t_ns` and `fires`, then a column per part under its text.

    A column's metadata has its `type`, `unit` and `depth`, and `let` for the use of one.
    """
    own = [pa.field("t", pa.float64()), pa.field("t_ns", pa.int64()), pa.field("fires", pa.bool_())]
    fields = [
        pa.field(
            name,
            {"number": pa.float64(), "condition": pa.bool_(), "text": pa.string()}[part.type],
            metadata={"type": part.type, "unit": part.unit, "depth": str(part.depth), "let": part.let or ""},
        )
        for name, part in zip(names_of(program), program.parts, strict=True)
    ]
    return pa.schema([*own, *fields], metadata={"longtail.trigger": program.trigger})


def names_of(program: PartsProgram) -> list[str]:
    """A column name per part: its text, with a number where that is taken."""
    taken = set(OWN_COLUMNS)
    names = []
    for part in program.parts:
        name, number = part.text, 1
        while name in taken:
            number += 1
            name = f"{part.text} ({number})"
        taken.add(name)
        names.append(name)
    return names


def writing(path: Path, program: PartsProgram, blocks: Iterable[TraceBlock]) -> Iterator[TraceBlock]:
    """Write blocks to a file as they pass. Raises Misconfigured if it cannot be written."""
    schema, parts = schema_of(program), len(program.parts)
    with written_whole(path) as partial, partial.open("wb") as file, pq.ParquetWriter(file, schema) as writer:
        waiting: list[TraceBlock] = []
        for block in blocks:
            waiting.append(block)
            if sum(len(each.t_ns) for each in waiting) * 8 * parts >= _GROUP_BYTES:
                writer.write_batch(_batch(joined(waiting, parts), program, schema))
                waiting = []
            yield block
        if waiting:
            writer.write_batch(_batch(joined(waiting, parts), program, schema))


def column(path: Path, name: str) -> Iterator[float | int | bool | str | None]:
    """The values of one column of a written trace in order, None where unknown, read some rows at a time."""
    with path.open("rb") as file:
        for batch in pq.ParquetFile(file).iter_batches(_READ_ROWS, columns=[name]):
            yield from batch.column(name).to_pylist()


def _batch(block: TraceBlock, program: PartsProgram, schema: pa.Schema) -> pa.RecordBatch:
    columns = [pa.array(block.t_ns / NS_PER_S), pa.array(block.t_ns), pa.array(block.fires)]
    columns += [_column(part, values) for part, values in zip(program.parts, block.values, strict=True)]
    return pa.record_batch(columns, schema=schema)


def _column(part: ConditionPart, values: Numbers) -> pa.Array:
    unknown = np.isnan(values)
    if part.type == "number":
        return pa.array(values, mask=unknown)
    if part.type == "condition":
        return pa.array(values == 1, mask=unknown)
    indexes = pa.array(np.where(unknown, 0, values).astype(np.int32), mask=unknown)
    return pa.array(part.values, pa.string()).take(indexes)
