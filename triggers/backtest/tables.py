"""The results of a backtest as Parquet tables: one row per fire, and one per drive and trigger."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from triggers.backtest.conditions import Judged, WrittenParts, why_not
from triggers.backtest.evidence.by_drive import Totals, fires_on
from triggers.backtest.plan import BacktestPlan
from triggers.backtest.result import BacktestResult, DriveResult
from triggers.errors import Misconfigured
from triggers.language.watched import Weight
from triggers.times import NS_PER_S

_GROUP_ROWS = 1 << 17

FIRES = pa.schema(
    [
        ("trigger", pa.string()),
        ("drive", pa.string()),
        ("t", pa.float64()),
        ("t_ns", pa.int64()),
        ("clip_bytes", pa.int64()),
        ("path", pa.string()),
    ]
)
"""`t` (s) and `t_ns` are times of the drive's own clock; `clip_bytes` is estimated; `path` identifies the drive."""

COUNTS = pa.schema(
    [
        ("drive", pa.string()),
        ("path", pa.string()),
        ("rows", pa.int64()),
        ("recorded_s", pa.float64()),
        ("known_s", pa.float64()),
        ("metres", pa.float64()),
        ("trigger", pa.string()),
        ("fires", pa.int64()),
        ("suppressed", pa.int64()),
        ("clip_bytes", pa.int64()),
        ("recordings", pa.int64()),
        ("recording_bytes", pa.int64()),
        ("true_s", pa.float64()),
        ("false_s", pa.float64()),
        ("unknown_s", pa.float64()),
        ("unknown_with", pa.list_(pa.struct([("signal", pa.string()), ("s", pa.float64())]))),
        (
            "parts",
            pa.list_(
                pa.struct(
                    [
                        ("text", pa.string()),
                        ("true_s", pa.float64()),
                        ("false_s", pa.float64()),
                        ("unknown_s", pa.float64()),
                    ]
                )
            ),
        ),
        ("why_not", pa.string()),
        ("share", pa.float64()),
        ("per_hour_without", pa.float64()),
    ]
)
"""One row per drive and trigger that ran on it. `metres` is null if nothing measures it; bytes are sums.

`parts` are those of the condition's `and`; `unknown_with` has how long the condition was unknown while a signal was;
`why_not` is null if the trigger fired. `share` is that of the trigger's fires, null if it has none;
`per_hour_without` is its rate over the other drives, null if they have no time.
"""


def write_fires(path: Path, result: BacktestResult) -> None:
    """Write all fires, ordered by drive, time and trigger. Raises Misconfigured if the file cannot be written."""
    _write(path, FIRES, (row for drive in result.drives for row in _fire_rows(drive)))


def write_counts(path: Path, plan: BacktestPlan, result: BacktestResult) -> None:
    """Write the counts of every drive and trigger. Raises Misconfigured if the file cannot be written."""
    totals = {name: Totals.of(name, result.drives) for name in plan.settings}
    _write(path, COUNTS, (row for drive in result.drives for row in _count_rows(drive, plan, totals)))


def _fire_rows(drive: DriveResult) -> Iterator[tuple[Any, ...]]:
    path = str(drive.path)
    fires = chain.from_iterable(
        zip(t_ns.tolist(), [name] * len(t_ns), drive.clip_bytes[name].tolist(), strict=True)
        for name, t_ns in drive.fires_ns.items()
    )
    for t_ns, name, size in sorted(fires):
        yield name, drive.name, t_ns / NS_PER_S, t_ns, size, path


def _count_rows(drive: DriveResult, plan: BacktestPlan, totals: Mapping[str, Totals]) -> Iterator[tuple[Any, ...]]:
    for name in plan.settings:
        if name in drive.left_out:
            continue
        parts, fires = plan.parts.get(name, WrittenParts()).names, fires_on(drive, name)
        judged = Judged.over(name, [drive])
        clips, recordings = drive.clip_bytes.get(name), drive.recording_bytes.get(name)
        yield (
            drive.name,
            str(drive.path),
            drive.rows,
            drive.recorded_ns / NS_PER_S,
            judged.condition.known_ns / NS_PER_S,
            drive.metres,
            name,
            fires,
            drive.suppressed.get(name, 0),
            0 if clips is None else int(clips.sum()),
            0 if recordings is None else len(recordings),
            0 if recordings is None else int(recordings.sum()),
            *_seconds(judged.condition),
            [{"signal": signal, "s": ns / NS_PER_S} for signal, ns in judged.unknown_with_ns.most_common() if ns],
            [
                dict(zip(("text", "true_s", "false_s", "unknown_s"), (text, *_seconds(weight)), strict=True))
                for text, weight in zip(parts, judged.parts, strict=True)
            ],
            why_not(judged, parts, fires, in_drive=False),
            totals[name].share(fires),
            totals[name].without(fires, drive.recorded_ns),
        )


def _seconds(weight: Weight) -> tuple[float, float, float]:
    """How long it was true, false and unknown."""
    return weight.true_ns / NS_PER_S, weight.false_ns / NS_PER_S, weight.unknown_ns / NS_PER_S


def _write(path: Path, schema: Any, rows: Iterator[tuple[Any, ...]]) -> None:
    """Write rows as a table, one row group at a time."""
    with (
        written_whole(path) as partial,
        partial.open("wb") as file,  # Arrow takes no path that is not UTF-8
        pq.ParquetWriter(file, schema) as writer,
    ):
        block: list[tuple[Any, ...]] = []
        for row in rows:
            block.append(row)
            if len(block) == _GROUP_ROWS:
                writer.write_batch(_record_batch(block, schema))
                block.clear()
        if block:
            writer.write_batch(_record_batch(block, schema))


def _record_batch(rows: list[tuple[Any, ...]], schema: Any) -> Any:
    columns = zip(*rows, strict=True)
    return pa.record_batch([pa.array(values, kind) for values, kind in zip(columns, schema.types, strict=True)], schema)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary path to write to: it replaces `path` if the block succeeds, and is removed otherwise.

    A pipe or device is written to directly. Raises Misconfigured if the file cannot be written.
    """
    partial = path
    try:
        if not path.exists() or path.is_file():
            path = Path(os.path.realpath(path))
            partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        yield partial
        if partial != path:
            partial.replace(path)
    except OSError as error:
        raise Misconfigured(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        if partial != path:
            partial.unlink(missing_ok=True)
