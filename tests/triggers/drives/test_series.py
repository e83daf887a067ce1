"""The drive format: what the writer writes both readers give back, sample for sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triggers.drives import series as drive_series
from triggers.drives.drive import Drive
from triggers.drives.series import SignalSeries, read_series, write_drive
from triggers.errors import InvalidInput
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S

START_NS = 1_800_000_000 * NS_PER_S
HOUR_NS = 3600 * NS_PER_S
CATALOG = SignalCatalog.parse("signals: {a: {rate: 1}, b: {rate: 1}}", name="c")


@st.composite
def one_series(draw: st.DrawFn) -> SignalSeries:
    times = sorted(draw(st.sets(st.integers(START_NS, START_NS + HOUR_NS), max_size=20)))
    values = [draw(st.floats(allow_nan=False)) for _ in times]
    return SignalSeries(np.array(times, np.int64), np.array(values, np.float64))


def same(first: SignalSeries, second: SignalSeries) -> bool:
    """The same samples, bit for bit (0 is not -0)."""
    return first.t_ns.tolist() == second.t_ns.tolist() and first.values.tobytes() == second.values.tobytes()


def through_batches(path: Path, signal: str) -> SignalSeries:
    """A signal as a backtest reads it."""
    drive = Drive(path)
    rows = [row for row in drive.rows(CATALOG, [signal]) if row.samples]
    t_ns = np.array([row.t_ns + (drive.start_ns or 0) for row in rows], np.int64)
    return SignalSeries(t_ns, np.array([row.samples[signal] for row in rows], np.float64))


@given(a=one_series(), b=one_series())
def test_what_is_written_is_read_back_by_both_readers(
    tmp_path_factory: pytest.TempPathFactory, a: SignalSeries, b: SignalSeries
) -> None:
    path = tmp_path_factory.mktemp("drive") / "d.parquet"
    write_drive(path, {"a": a, "b": b}, start_ns=START_NS)
    again = read_series(path)
    assert list(again) == ["a", "b"]
    assert same(again["a"], a) and same(again["b"], b)
    assert Drive(path).start_ns == START_NS
    assert same(through_batches(path, "a"), a) and same(through_batches(path, "b"), b)


def test_a_drive_longer_than_a_row_group_is_read_back(tmp_path: Path) -> None:
    count = drive_series.ROWS_PER_GROUP * 2 + 7
    t_ns = START_NS + np.arange(count, dtype=np.int64) * 10_000_000
    drive = {"a": SignalSeries(t_ns, np.arange(count, dtype=np.float64)), "b": SignalSeries(t_ns[::3], t_ns[::3] / 7)}
    write_drive(tmp_path / "d.parquet", drive, start_ns=START_NS)
    again = read_series(tmp_path / "d.parquet")
    assert same(again["a"], drive["a"]) and same(again["b"], drive["b"])


def test_values_are_stored_plainly_and_not_in_a_dictionary_beside_them(tmp_path: Path) -> None:
    t_ns = START_NS + np.arange(10_000, dtype=np.int64)
    measured = SignalSeries(t_ns, np.random.default_rng(1).normal(size=len(t_ns)))
    write_drive(tmp_path / "d.parquet", {"measured": measured}, start_ns=START_NS)
    column = pq.ParquetFile(tmp_path / "d.parquet").metadata.row_group(0).column(1)
    assert (column.path_in_schema, column.has_dictionary_page) == ("measured", False)
    assert column.total_compressed_size <= measured.values.nbytes


def test_samples_at_the_same_times_share_their_rows(tmp_path: Path) -> None:
    t_ns = START_NS + np.array([0, 10, 20], np.int64)
    signals = {"a": SignalSeries(t_ns, np.zeros(3)), "b": SignalSeries(t_ns[1:], np.ones(2))}
    write_drive(tmp_path / "d.parquet", signals, start_ns=START_NS)
    table = pq.read_table(tmp_path / "d.parquet")
    assert (table["a"].to_pylist(), table["b"].to_pylist()) == ([0.0, 0.0, 0.0], [None, 1.0, 1.0])


def test_signals_whose_samples_take_turns_and_meet_keep_their_own_values(tmp_path: Path) -> None:
    """More signals at the same times than share the memory of their columns, and others at times between."""
    t_ns = START_NS + np.arange(0, 3000, 3, dtype=np.int64)
    drive = {
        f"s{offset}_{copy}": SignalSeries(t_ns + offset, np.full(len(t_ns), 10.0 * copy + offset))
        for copy in range(12)
        for offset in range(3)
    }
    write_drive(tmp_path / "d.parquet", drive, start_ns=START_NS)
    again = read_series(tmp_path / "d.parquet")
    assert [name for name in drive if not same(again[name], drive[name])] == []


def test_a_drive_without_signals_has_its_start_and_no_rows(tmp_path: Path) -> None:
    write_drive(tmp_path / "d.parquet", {}, start_ns=START_NS)
    assert (Drive(tmp_path / "d.parquet").start_ns, Drive(tmp_path / "d.parquet").row_count) == (START_NS, 0)


def test_a_table_without_a_start_or_with_texts_or_no_table_at_all_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "d.parquet"
    start = {"longtail.start_ns": "5"}
    for table in (
        pa.table({"t": [0.0]}),
        pa.table({"v": [0.0]}).replace_schema_metadata(start),
        pa.table({"t": [0.0], "v": ["x"]}).replace_schema_metadata(start),
    ):
        pq.write_table(table, path)
        with pytest.raises(InvalidInput):
            read_series(path)
    path.write_bytes(b"PAR1")
    with pytest.raises(InvalidInput):
        read_series(path)
