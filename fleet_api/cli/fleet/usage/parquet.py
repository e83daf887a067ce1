"""Usage as a Parquet file: one row per group, a column for each key and measure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fleet_api.client.volume.usage import UsageSums
from triggers.backtest.tables import written_whole
from triggers.contracts.api.usage.answers import UsageKey

_BLOCK_ROWS = 10_000
_TIME = pa.timestamp("s", tz="UTC")
_KINDS = {"version": pa.int32(), "month": _TIME, "day": _TIME, "hour": _TIME}
_MEASURES = {
    "clips": pa.int64(),
    "kept_fires": pa.int64(),
    "clip_bytes": pa.int64(),
    "wire_bytes": pa.int64(),
    "fires": pa.int64(),
    **dict.fromkeys(("suppressed", "sampled_out", "refused", "dropped", "failed"), pa.int64()),
    "armed_ns": pa.decimal128(38, 0),  # a large fleet is armed for more ns than 64 bits hold
    "distance_m": pa.int64(),
}


def write(path: Path, sums: UsageSums, by: Sequence[UsageKey]) -> int:
    """Write all groups; returns how many. The span is in the file's metadata.

    Raises Misconfigured if the file cannot be written.
    """
    kinds = {name: _KINDS.get(name, pa.string()) for name in by} | _MEASURES
    span = {"longtail.since": sums.since.isoformat(), "longtail.until": sums.until.isoformat()}
    schema = pa.schema(list(kinds.items()), metadata=span)
    written, block = 0, []
    with written_whole(path) as partial, partial.open("wb") as file, pq.ParquetWriter(file, schema) as writer:
        for group in sums.groups:
            block.append({**{name: getattr(group, name) for name in kinds}, "armed_ns": Decimal(group.armed_ns)})
            if len(block) == _BLOCK_ROWS:
                writer.write_table(pa.Table.from_pylist(block, schema))
                block.clear()
            written += 1
        writer.write_table(pa.Table.from_pylist(block, schema))
    return written
