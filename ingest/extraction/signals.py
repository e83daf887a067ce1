"""Signals of a clip as Parquet, in the layout of a recorded drive, so that a clip can be backtested like one.

`t` is float64 seconds since the clip's start (whose ns since the Unix epoch stand in the schema's metadata under
`longtail.start_ns`), and each signal is a float64 column under its name, null where there was no new sample.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ingest.extraction.outputs import Statistics
from ingest.extraction.recording import SignalSamples
from triggers.clips.damage import Damaged

START_KEY = b"longtail.start_ns"
MAX_TABLE_CELLS = 500_000_000
ROWS_A_GROUP = 65_536
Ordered = tuple[NDArray[np.int64], NDArray[np.float64]]


def in_order(signals: Mapping[str, SignalSamples]) -> dict[str, Ordered]:
    """Every signal's times and values, by time."""
    return {name: samples.in_order() for name, samples in signals.items()}


def write_parquet(path: Path, signals: Mapping[str, Ordered], start_ns: int) -> None:
    """Write the table, a row for each time at which any signal has a sample. Damaged when it would be too large."""
    times = [times for times, _ in signals.values()]
    all_ns = np.unique(np.concatenate(times)) if times else np.empty(0, np.int64)
    if len(all_ns) * len(signals) > MAX_TABLE_CELLS:
        raise Damaged("too_many_samples", f"{len(signals)} signals at {len(all_ns)} different times make no table")
    fields = [pa.field("t", pa.float64()), *(pa.field(name, pa.float64()) for name in signals)]
    schema = pa.schema(fields, metadata={START_KEY: str(start_ns).encode()})
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for first in range(0, max(1, len(all_ns)), ROWS_A_GROUP):
            rows_ns = all_ns[first : first + ROWS_A_GROUP]
            columns = [pa.array((rows_ns - start_ns) / 1e9)]
            columns += [_column(samples, rows_ns) for samples in signals.values()]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def _column(samples: Ordered, rows_ns: NDArray[np.int64]) -> pa.Array:
    """The signal's values in these rows; every one of its samples within their span has a row."""
    times, values = samples
    column = np.full(len(rows_ns), np.nan)
    missing = np.ones(len(rows_ns), dtype=bool)
    if len(rows_ns):
        here = slice(np.searchsorted(times, rows_ns[0]), np.searchsorted(times, rows_ns[-1], side="right"))
        rows = np.searchsorted(rows_ns, times[here])
        column[rows] = values[here]
        missing[rows] = False
    return pa.array(column, mask=missing)


def statistics(name: str, samples: Ordered) -> Statistics:
    """How many samples a signal has, and minimum, maximum and mean of the finite ones."""
    _, values = samples
    finite = values[np.isfinite(values)]
    if not len(finite):
        return Statistics(signal=name, samples=len(values), minimum=None, maximum=None, mean=None)
    return Statistics(
        signal=name,
        samples=len(values),
        minimum=float(finite.min()),
        maximum=float(finite.max()),
        mean=math.fsum(finite / len(finite)),
    )
