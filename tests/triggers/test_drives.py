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
from hypothesis import given
from hypothesis import strategies as st

from triggers.catalog import SignalCatalog
from triggers.drives import BATCH_ROWS, Drive, find_drives, to_ns
from triggers.errors import InvalidInput
from triggers.language.interpreter import Row

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


def read(drive_: Drive, *signals: str) -> list[Row]:
    return list(drive_.rows(CATALOG, signals))


def test_null_and_nan_are_no_sample_and_infinity_is_one(tmp_path: Path) -> None:
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


def test_equal_times_are_merged_across_batches(tmp_path: Path) -> None:
    times = [*np.arange(BATCH_ROWS) * 0.01, (BATCH_ROWS - 1) * 0.01]
    rows = read(drive(tmp_path, {"t": times, "speed": np.arange(len(times), dtype=float)}), "v")
    assert len(rows) == BATCH_ROWS
    assert rows[-1].samples == {"v": float(BATCH_ROWS)}


@given(st.lists(st.floats(0, 4e9), min_size=1, max_size=20))
def test_seconds_are_rounded_half_even_as_if_exact(seconds: list[float]) -> None:
    assert to_ns(np.array(seconds)).tolist() == [round(Fraction(second) * 10**9) for second in seconds]


def test_ties_are_rounded_to_even() -> None:
    assert to_ns(np.array([2.5**0 * 0.0, 2**-10, 3 * 2**-10])).tolist() == [0, 976562, 2929688]


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
        ({"t": [0.0], "speed": ["fast"]}, r"d\.parquet: column `speed` holds texts"),
        ({"t": [0.0], "speed": [[1.0]]}, r"d\.parquet: column `speed` has the type list"),
        ({"t": ["noon"], "speed": [1.0]}, r"d\.parquet: column `t` has the type string"),
        ({"t": [0.0, 2.0, 1.0], "speed": [1.0, 2.0, 3.0]}, r"d\.parquet: column `t` runs backwards in row 2"),
        ({"t": [0.0, None], "speed": [1.0, 2.0]}, r"d\.parquet: column `t` is empty in row 1"),
        ({"t": [0.0, math.nan], "speed": [1.0, 2.0]}, r"d\.parquet: column `t` has no time >= 0 in row 1"),
        ({"t": [-1.0], "speed": [1.0]}, r"d\.parquet: column `t` has no time >= 0 in row 0"),
    ],
)
def test_what_cannot_be_used_is_named_with_file_and_column(
    tmp_path: Path, columns: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        read(drive(tmp_path, columns), "v")


def test_a_text_that_the_signal_does_not_have_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r'column `g` holds "X"'):
        read(drive(tmp_path, {"t": [0.0], "g": ["X"]}), "g")


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
    assert [each.name for each in found] == ["single", "a", "b", "c"]
    assert [list(each.cameras) for each in found] == [[], ["front_main"], [], []]


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
