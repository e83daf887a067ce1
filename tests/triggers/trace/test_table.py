"""The Parquet table of a trace is written in groups, as blocks come, and read column by column."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from tests.triggers.trace.made import many
from triggers.language.parts import parts_program
from triggers.signals.catalog import SignalCatalog
from triggers.trace.run import TraceBlock
from triggers.trace.table import column, writing

MB = 1 << 20
CATALOG = SignalCatalog.parse(
    "signals: {x: {rate: 10}, x.y: {rate: 10}, who: {type: text, values: [a, b], update: on_change}}", name="c"
)
PROGRAM = parts_program('trigger t { when x > x.y and who == "b" }', "f", "t", CATALOG)


def test_groups_have_many_blocks_and_memory_is_bounded_by_a_group(tmp_path: Path) -> None:
    blocks = many(1_500, 1_000, len(PROGRAM.parts))
    tracemalloc.start()
    for _ in writing(tmp_path / "t.parquet", PROGRAM, blocks):
        pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    written = pq.ParquetFile(tmp_path / "t.parquet").metadata
    assert (written.num_rows, written.num_row_groups) == (1_500_000, 5)
    assert most < 56 * MB, "a group as blocks, as one, and as what is written of a column; all blocks take 70 MB"


def test_a_column_has_its_own_values_though_others_begin_with_its_name(tmp_path: Path) -> None:
    labels = [part.text for part in PROGRAM.parts]
    assert labels == ['x > x.y and who == "b"', "x > x.y", "x", "x.y", 'who == "b"', "who"]
    unknown, one, two = np.array([np.nan, np.nan]), np.array([0.0, 1.0]), np.array([2.0, -0.25])
    block = TraceBlock(np.array([5, 10]), [unknown, one, two, -two, one, one], np.array([False, True]))
    for _ in writing(tmp_path / "t.parquet", PROGRAM, [block]):
        pass
    found = {name: list(column(tmp_path / "t.parquet", name)) for name in ("t", "t_ns", "fires", *labels)}
    assert found == {
        "t": [5e-9, 1e-8],
        "t_ns": [5, 10],
        "fires": [False, True],
        'x > x.y and who == "b"': [None, None],
        "x > x.y": [False, True],
        "x": [2.0, -0.25],
        "x.y": [-2.0, 0.25],
        'who == "b"': [False, True],
        "who": ["a", "b"],
    }
