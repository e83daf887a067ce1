"""Reading recorded drives: times, samples, found files, and refusals that name file and column."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from triggers.drives.columns import ColumnReader, Numbers
from triggers.drives.drive import Drive
from triggers.drives.find import find_drives
from triggers.drives.findings import NOT_A_VALUE, Finding, Findings
from triggers.drives.time_column import TimeReader
from triggers.drives.times import to_ns
from triggers.errors import InvalidInput
from triggers.language.rows import Row
from triggers.signals.catalog import SignalCatalog

CATALOG = SignalCatalog.parse(
    'signals:\n  v: {rate: 1, column: speed}\n  f: {type: bool}\n  g: {type: text, values: ["P", "D"]}\n', name="c"
)


def drive(
    folder: Path, columns: dict[str, Any], *, name: str = "d.parquet", metadata: dict[str, str] | None = None
) -> Drive:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), path)
    return Drive(path)


def numbers_of(column: Any, signal: str, findings: Findings | None = None) -> Numbers:
    numbers = ColumnReader(signal, CATALOG.signals[signal], findings or Findings()).numbers(column, 0)
    assert numbers is not None
    return numbers


def read(drive_: Drive, *signals: str) -> list[Row]:
    return list(drive_.rows(CATALOG, signals))


def test_null_and_nan_are_not_samples_and_infinity_is_one(tmp_path: Path) -> None:
    rows = read(drive(tmp_path, {"t": [0.0, 0.1, 0.2, 0.3], "speed": [1.0, None, math.nan, math.inf]}), "v")
    assert rows == [
        Row(0, {"v": 1.0}),
        Row(100_000_000, {}),
        Row(200_000_000, {}),
        Row(300_000_000, {"v": math.inf}),
    ]


def test_bools_integers_and_texts_become_numbers(tmp_path: Path) -> None:
    columns = {"t": [0.0, 1.0], "speed": [3, None], "f": [True, None], "g": ["D", None]}
    assert read(drive(tmp_path, columns), "v", "f", "g") == [Row(0, {"v": 3.0, "f": 1.0, "g": 1.0}), Row(10**9, {})]
    columns["g"] = pa.array(["P", "D"]).dictionary_encode()
    assert [row.samples for row in read(drive(tmp_path, columns), "g")] == [{"g": 0.0}, {"g": 1.0}]


def test_rows_of_equal_time_are_merged_and_the_last_sample_wins(tmp_path: Path) -> None:
    columns = {"t": [0.0, 0.0, 0.0, 1.0], "speed": [1.0, 2.0, None, 3.0], "f": [None, True, None, None]}
    assert read(drive(tmp_path, columns), "v", "f") == [Row(0, {"v": 2.0, "f": 1.0}), Row(10**9, {"v": 3.0})]


def test_equal_times_are_merged_across_batches_and_row_groups(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    times = np.sort(rng.integers(0, 40, 200)) * 0.01
    speed = np.where(rng.random(200) < 0.5, np.nan, np.arange(200.0))
    park = [None if x < 0.7 else bool(x < 0.8) for x in rng.random(200)]
    path = tmp_path / "d.parquet"
    pq.write_table(pa.table({"t": times, "speed": speed, "f": park}), path, row_group_size=37)
    expected: dict[int, dict[str, float]] = {}
    for t, v, f in zip(times, speed, park, strict=True):
        samples = expected.setdefault(round(t * 100) * 10**7, {})
        samples.update({} if math.isnan(v) else {"v": v}, **({} if f is None else {"f": float(f)}))
    for batch_rows in (1, 2, 3, 50, 200):
        assert read(Drive(path, batch_rows), "v", "f") == [Row(t, samples) for t, samples in expected.items()]


SECONDS = st.one_of(
    st.floats(0, 9.2e9),
    st.integers(0, 10**16).map(lambda ns: ns / 1e9),
    st.integers(0, 1 << 40).map(lambda halves: (2 * halves + 1) / 2 / 1e9),
    st.integers(0, 1 << 50).map(lambda k: k * 2.0**-20),
)


@given(st.lists(SECONDS, min_size=1, max_size=20))
@example([5e-10, 0.0])
def test_seconds_are_rounded_half_even_as_if_exact(seconds: list[float]) -> None:
    assert to_ns(np.array(seconds)).tolist() == [round(Fraction(second) * 10**9) for second in seconds]


def test_ties_are_rounded_to_even() -> None:
    assert to_ns(np.array([2.5**0 * 0.0, 2**-10, 3 * 2**-10])).tolist() == [0, 976562, 2929688]


@pytest.mark.parametrize(
    ("first_s", "step_s"),
    [(0.0, 0.01), (0.0, 1 / 3), (0.5e-9, 1e-9), (1123195.0, 0.1 / 3), (1.1258e6, 0.01), (2.9e6, 0.007)],
    ids=["whole ns", "thirds", "ties", "up to 13 days", "across 13 days", "33 days"],
)
def test_long_columns_of_seconds_are_rounded_as_if_exact(first_s: float, step_s: float) -> None:
    """Longer than what is converted at once."""
    seconds = first_s + np.arange(33_000) * step_s
    column = TimeReader("t", None).times(pa.array(seconds), 0)
    expected = [round(Fraction(second) * 10**9) for second in seconds.tolist()]
    assert column.t_ns.tolist() == expected
    steps = np.diff(expected)
    assert (column.shortest_step_ns, column.longest_step_ns) == (steps.min(), steps.max())


@pytest.mark.parametrize("bad", [math.nan, -math.nan, math.inf, -math.inf, -1e-10, -1.0, -5e6, 1e300, -1e300, 9.3e9])
@pytest.mark.parametrize("row", [0, 1, 7, 39_999])
def test_an_invalid_time_is_found_in_any_row(bad: float, row: int) -> None:
    seconds = np.concatenate((np.zeros(20), np.arange(39_980) / 100))
    seconds[row] = bad
    with pytest.raises(InvalidInput, match=f"no valid time in row {1000 + row}: "):
        TimeReader("t", None).times(pa.array(seconds), 1000)


def test_the_columns_of_a_batch_without_nulls_are_not_copied() -> None:
    column = pa.array([1.0, math.nan])
    numbers = numbers_of(column, "v")
    assert numbers is not None
    assert numbers.ctypes.data == column.buffers()[1].address


def test_arrow_timestamps_of_any_unit_are_times(tmp_path: Path) -> None:
    for unit, factor in (("s", 10**9), ("ms", 10**6), ("us", 1000), ("ns", 1)):
        columns = {"t": pa.array([1, 5], pa.timestamp(unit, tz="UTC")), "speed": [1.0, 2.0]}
        assert [row.t_ns for row in read(drive(tmp_path, columns), "v")] == [factor, 5 * factor]


def test_the_start_comes_from_the_metadata(tmp_path: Path) -> None:
    assert drive(tmp_path, {"t": [0.0]}).start_ns is None
    assert drive(tmp_path, {"t": [0.0]}, metadata={"longtail.start_ns": "1700000000000000000"}).start_ns == 17 * 10**17
    with pytest.raises(InvalidInput, match=r"longtail\.start_ns"):
        _ = drive(tmp_path, {"t": [0.0]}, metadata={"longtail.start_ns": "noon"}).start_ns


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"speed": [1.0]}, r"d\.parquet: has no column `t`"),
        ({"t": [0.0]}, r"d\.parquet: has no column `speed`, which carries the signal `v`"),
        ({"t": [0.0], "speed": ["fast"]}, r"d\.parquet: column `speed` holds text"),
        ({"t": [0.0], "speed": pa.array(["fast"]).dictionary_encode()}, r"d\.parquet: column `speed` holds text"),
        ({"t": [0.0], "speed": pa.array([None], pa.string())}, r"d\.parquet: column `speed` holds text"),
        ({"t": [0.0], "speed": pa.array([b"\xff"], pa.binary())}, r"d\.parquet: column `speed` has the type binary"),
        ({"t": [0], "speed": [1.0]}, r"d\.parquet: column `t` has the type int64"),
        ({"t": [0.0, math.inf], "speed": [1.0, 2.0]}, r"d\.parquet: column `t` has no valid time in row 1"),
        ({"t": [9.3e9], "speed": [1.0]}, r"d\.parquet: column `t` has no valid time in row 0"),
        ({"t": pa.array([-1], pa.timestamp("ns")), "speed": [1.0]}, r"column `t` has no valid time in row 0"),
        ({"t": pa.array([10**17], pa.timestamp("us")), "speed": [1.0]}, r"`t` has a time that does not fit an int64"),
        ({"t": [0.0], "speed": [[1.0]]}, r"d\.parquet: column `speed` has the type list"),
        ({"t": ["noon"], "speed": [1.0]}, r"d\.parquet: column `t` has the type string"),
        ({"t": [0.0, 2.0, 1.0], "speed": [1.0, 2.0, 3.0]}, r"d\.parquet: column `t` runs backwards in row 2"),
        ({"t": [0.0, None], "speed": [1.0, 2.0]}, r"d\.parquet: column `t` is empty in row 1"),
        ({"t": [0.0, math.nan], "speed": [1.0, 2.0]}, r"d\.parquet: column `t` has no valid time in row 1"),
        ({"t": [-1.0], "speed": [1.0]}, r"d\.parquet: column `t` has no valid time in row 0"),
    ],
)
def test_what_cannot_be_used_is_named_with_file_and_column(
    tmp_path: Path, columns: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        read(drive(tmp_path, columns), "v")


def test_a_text_that_the_signal_does_not_have_costs_that_sample(tmp_path: Path) -> None:
    recorded, findings = drive(tmp_path, {"t": [0.0, 1.0, 2.0], "g": ["P", "X", "D"]}), Findings()
    with recorded.open() as file:
        (batch,) = file.batches(CATALOG, ["g"], findings=findings)
    assert batch.columns["g"] is not None
    assert batch.columns["g"].tolist() == [0.0, math.inf, 1.0]
    assert findings.all() == (Finding("g", NOT_A_VALUE, 1, 1, '"X"'),)


def test_dictionaries_may_hold_texts_that_no_row_has(tmp_path: Path) -> None:
    words = pa.array(["X", "D", None, "P"])
    column = pa.DictionaryArray.from_arrays(pa.array([1, 3, None, 2], pa.int8()), words)
    numbers = numbers_of(column, "g")
    assert numbers is not None
    assert numbers[:2].tolist() == [1.0, 0.0]
    assert np.isnan(numbers[2:]).all()
    findings = Findings()
    column = pa.DictionaryArray.from_arrays(pa.array([1, 0, 0], pa.int8()), words)
    assert numbers_of(column, "g", findings).tolist() == [1.0, math.inf, math.inf]
    assert findings.all() == (Finding("g", NOT_A_VALUE, 2, 1, '"X"'),)


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.int8(), pa.uint64(), pa.bool_()])
def test_numbers_of_any_width_are_numbers(tmp_path: Path, kind: pa.DataType) -> None:
    column = pa.array([1, 0, None], pa.float64()).cast(kind)
    rows = read(drive(tmp_path, {"t": pa.array([0.0, 0.5, 1.0], pa.float32()), "speed": column}), "v")
    assert rows == [Row(0, {"v": 1.0}), Row(5 * 10**8, {"v": 0.0}), Row(10**9, {})]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_texts_of_any_layout_are_indexes(kind: pa.DataType) -> None:
    numbers = numbers_of(pa.array(["D", None, "P"], kind), "g")
    assert numbers is not None
    assert np.array_equal(numbers, [1.0, math.nan, 0.0], equal_nan=True)


def test_a_column_that_the_file_has_twice_is_named(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([0.0]), pa.array([1.0]), pa.array([2.0])], names=["t", "speed", "speed"])
    pq.write_table(table, tmp_path / "d.parquet")
    with pytest.raises(InvalidInput, match="has the column `speed`, which carries the signal `v`, 2 times"):
        read(Drive(tmp_path / "d.parquet"), "v")


def test_drives_without_rows_and_with_empty_row_groups_are_read(tmp_path: Path) -> None:
    assert read(drive(tmp_path, {"t": pa.array([], pa.float64()), "speed": pa.array([], pa.float64())}), "v") == []
    schema = pa.schema([("t", pa.float64()), ("speed", pa.float64())])
    with pq.ParquetWriter(tmp_path / "g.parquet", schema) as writer:
        for times in ([], [0.0, 1.0], [], [1.0, 2.0], []):
            writer.write_table(pa.table({"t": times, "speed": times}, schema))
    with Drive(tmp_path / "g.parquet").open() as file:
        (batch,) = file.batches(CATALOG, ["v"])
        assert batch.t_ns.tolist() == [0, 10**9, 2 * 10**9]
        assert file.group_starts_ns == [0, 0, 10**9, 10**9]


def test_one_row_group_is_read_alone(tmp_path: Path) -> None:
    path = tmp_path / "d.parquet"
    pq.write_table(pa.table({"t": np.arange(10.0), "speed": np.arange(10.0)}), path, row_group_size=4)
    with Drive(path).open() as file:
        assert [batch.t_ns.tolist() for batch in file.batches(CATALOG, ["v"], [1])] == [
            [k * 10**9 for k in range(4, 8)]
        ]


def test_two_columns_are_read_out_of_ten_thousand(tmp_path: Path) -> None:
    columns = {f"c{number}": [1.0] for number in range(10_000)}
    assert read(drive(tmp_path, {"t": [0.0], **columns, "speed": [2.0]}), "v") == [Row(0, {"v": 2.0})]


def test_flipped_bytes_anywhere_are_refused_or_read_never_worse(tmp_path: Path) -> None:
    whole = drive(tmp_path, {"t": np.arange(50) / 10, "speed": np.arange(50.0), "g": ["P", "D"] * 25}).path.read_bytes()
    rng = np.random.default_rng(3)
    refused = 0
    for place in rng.integers(0, len(whole), 150):
        changed = bytearray(whole)
        changed[place] ^= int(rng.integers(1, 256))
        (tmp_path / "flipped.parquet").write_bytes(changed)
        try:
            read(Drive(tmp_path / "flipped.parquet"), "v", "g")
        except InvalidInput as error:
            assert "flipped.parquet" in str(error)
            refused += 1
    assert refused > 20


def test_a_file_that_is_cut_off_or_no_parquet_is_named(tmp_path: Path) -> None:
    whole = drive(tmp_path, {"t": [0.0, 1.0], "speed": [1.0, 2.0]}).path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"PAR1" * 10):
        (tmp_path / "cut.parquet").write_bytes(content)
        with pytest.raises(InvalidInput, match=r"cut\.parquet"):
            read(Drive(tmp_path / "cut.parquet"), "v")


def test_drives_are_found_in_files_folders_and_trees_each_once(tmp_path: Path) -> None:
    for name in ("single.parquet", "fleet/a/signals.parquet", "fleet/b/signals.parquet", "fleet/c.parquet"):
        drive(tmp_path, {"t": [0.0]}, name=name)
    (tmp_path / "fleet/a/front_main.mp4").write_bytes(b"")
    found = find_drives([tmp_path / "single.parquet", tmp_path / "fleet/a", tmp_path / "fleet"])
    assert [drive.name for drive in found] == ["single", "a", "b", "c"]
    assert [list(drive.cameras) for drive in found] == [[], ["front_main"], [], []]


def test_a_path_without_drives_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("empty", "nowhere"):
        with pytest.raises(InvalidInput, match=name):
            find_drives([tmp_path / name])


def test_columns_are_checked_by_the_footer_alone(tmp_path: Path) -> None:
    recorded = drive(tmp_path, {"t": [0.0, 1.0], "speed": [1.0, 2.0]})
    whole = recorded.path.read_bytes()
    footer_bytes = int.from_bytes(whole[-8:-4], "little") + 8
    recorded.path.write_bytes(b"PAR1" + b"\xff" * (len(whole) - footer_bytes - 4) + whole[-footer_bytes:])
    recorded.check_columns(CATALOG, ["v"])
    with pytest.raises(InvalidInput, match="has no column `f`, which carries the signal `f`"):
        recorded.check_columns(CATALOG, ["v", "f"])
    with pytest.raises(InvalidInput, match="damaged"):
        read(recorded, "v")
