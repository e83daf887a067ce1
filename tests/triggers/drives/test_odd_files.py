"""Odd Parquet files: every type of number and time is read exactly, counted as unknown, or refused by its column."""

from __future__ import annotations

import math
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triggers.drives.columns import ColumnReader
from triggers.drives.drive import Drive
from triggers.drives.file import DriveFile
from triggers.drives.find import distinct_names, find_drives
from triggers.drives.findings import MERGED, NOT_A_VALUE, NOT_AN_INDEX, NOT_BOOL, NOT_EXACT, REPLACED, Findings
from triggers.errors import InvalidInput
from triggers.signals.catalog import SignalCatalog

CATALOG = SignalCatalog.parse(
    "signals:\n  x: {rate: 1}\n  p: {type: bool}\n  g: {type: text, values: [P, D]}\n", name="c"
)


def read(column: Any, signal: str = "x") -> tuple[list[float], dict[str, int]]:
    """The numbers of a column, and the counts of its findings by problem."""
    findings = Findings()
    numbers = ColumnReader("col", CATALOG.signals[signal], findings).numbers(column, 0)
    values = [math.nan] * len(column) if numbers is None else numbers.tolist()
    return values, {found.problem: found.count for found in findings.all()}


@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(2**53 - 2, 2**53 + 9)), min_size=1))
def test_signed_integers_are_exact_or_unknown(values: list[int | None]) -> None:
    numbers, found = read(pa.array(values, pa.int64()))
    inexact = [value for value in values if value is not None and int(float(value)) != value]
    assert found == ({NOT_EXACT: len(inexact)} if inexact else {})
    for value, number in zip(values, numbers, strict=True):
        assert math.isnan(number) if value is None else number == (math.inf if value in inexact else value)


@given(st.lists(st.one_of(st.none(), st.integers(0, 2**64 - 1)), min_size=1))
def test_unsigned_integers_are_exact_or_unknown(values: list[int | None]) -> None:
    numbers, _ = read(pa.array(values, pa.uint64()))
    for value, number in zip(values, numbers, strict=True):
        if value is None:
            assert math.isnan(number)
        else:
            assert number == (value if int(float(value)) == value else math.inf)


@given(st.integers(0, 30), st.lists(st.integers(-(10**30), 10**30), min_size=1, max_size=5))
def test_decimals_are_the_nearest_float_or_unknown(scale: int, units: list[int]) -> None:
    values = [Decimal(unit).scaleb(-scale) for unit in units]
    numbers, _ = read(pa.array(values, pa.decimal128(38, scale)))
    for value, number in zip(values, numbers, strict=True):
        held = value in (Decimal(float(value)), Decimal(repr(float(value))))
        assert number == (float(value) if held else math.inf)


@pytest.mark.parametrize(
    ("column", "signal", "numbers", "found"),
    [
        (pa.array([0.5, 1, None, math.nan, math.inf, -math.inf, 0]), "p", "inf 1 nan nan inf -inf 0", {NOT_BOOL: 1}),
        (pa.array([0, 1, 2, -1, None], pa.int8()), "p", "0 1 inf inf nan", {NOT_BOOL: 2}),
        (pa.array([1e300, 1.0]), "p", "inf 1", {NOT_BOOL: 1}),
        (pa.array([True, None, False]), "p", "1 nan 0", {}),
        (pa.array([0, 1, 2, -1, None], pa.int8()), "g", "0 1 inf inf nan", {NOT_AN_INDEX: 2}),
        (pa.array([0.0, 0.5, math.nan]), "g", "0 inf nan", {NOT_AN_INDEX: 1}),
        (pa.array(["P", "X", None, "D", "Y"]), "g", "0 inf nan 1 inf", {NOT_A_VALUE: 2}),
        (pa.array(["P", "X", None, "D"]).dictionary_encode(), "g", "0 inf nan 1", {NOT_A_VALUE: 1}),
        (pa.array([2**60 + 1, 5, None]).dictionary_encode(), "x", "inf 5 nan", {NOT_EXACT: 1}),
        (pa.array([Decimal("0.3"), None], pa.decimal128(38, 30)), "x", "0.3 nan", {}),
        (pa.array([1.5, None], pa.float16()), "x", "1.5 nan", {}),
        (pa.array([None, None], pa.null()), "x", "nan nan", {}),
    ],
)
def test_values_that_a_signal_cannot_have_are_unknown_and_counted(
    column: Any, signal: str, numbers: str, found: dict[str, int]
) -> None:
    got = read(column, signal)
    assert np.array_equal(got[0], [float(word) for word in numbers.split()], equal_nan=True)
    assert got[1] == found


@pytest.mark.parametrize(
    "kind",
    [
        *(pa.duration("ms"), pa.timestamp("ns"), pa.date32(), pa.time64("us"), pa.binary(), pa.list_(pa.float64())),
        *(pa.struct([("a", pa.int8())]), pa.dictionary(pa.int8(), pa.binary())),
    ],
    ids=str,
)
def test_types_that_are_no_numbers_are_refused_by_column(tmp_path: Path, kind: pa.DataType) -> None:
    pq.write_table(pa.table({"t": [0.0], "x": pa.array([None], kind)}), tmp_path / "d.parquet")
    with Drive(tmp_path / "d.parquet").open() as file:
        problem = file.problem("x", CATALOG)
    assert problem is not None
    assert "d.parquet: column `x` has the type" in str(problem)


@pytest.mark.parametrize(
    ("unit", "column", "t_ns"),
    [
        ("ns", pa.array([0, 5], pa.int64()), [0, 5]),
        ("us", pa.array([1, 5], pa.uint64()), [1000, 5000]),
        ("ms", pa.array([1, 5], pa.int32()), [10**6, 5 * 10**6]),
        ("s", pa.array([1, 5], pa.uint8()), [10**9, 5 * 10**9]),
        ("ms", pa.array([0.5, 1.25]), [500_000, 1_250_000]),
        (None, pa.array([0.5, 1.25]), [500_000_000, 1_250_000_000]),
        (None, pa.array([1, 2], pa.duration("ms")), [10**6, 2 * 10**6]),
        ("ns", pa.array([1, 2], pa.timestamp("s", tz="Europe/Berlin")), [10**9, 2 * 10**9]),
    ],
)
def test_times_of_any_declared_unit_are_ns(tmp_path: Path, unit: str | None, column: Any, t_ns: list[int]) -> None:
    pq.write_table(pa.table({"ts": column, "x": [1.0, 2.0]}), tmp_path / "d.parquet")
    declared = "time: {column: ts}" if unit is None else f"time: {{column: ts, unit: {unit}}}"
    catalog = SignalCatalog.parse(f"signals: {{x: {{rate: 1}}}}\n{declared}", name="c")
    assert [row.t_ns for row in Drive(tmp_path / "d.parquet").rows(catalog, ["x"])] == t_ns


@pytest.mark.parametrize(
    ("unit", "column", "message"),
    [
        ("ns", pa.array([-1], pa.int64()), "no valid time in row 0: -1"),
        ("s", pa.array([2**62], pa.int64()), "does not fit an int64 of nanoseconds"),
        ("ns", pa.array([2**63], pa.uint64()), "does not fit an int64 of nanoseconds"),
        ("ms", pa.array([math.nan]), "no valid time in row 0: nan"),
        ("ns", pa.array([9.3e18]), "no valid time in row 0"),
        ("ns", pa.array([None], pa.int64()), "is empty in row 0"),
        ("ns", pa.array(["1"]), "has the type string"),
    ],
)
def test_times_that_are_none_are_refused_by_row(tmp_path: Path, unit: str, column: Any, message: str) -> None:
    pq.write_table(pa.table({"ts": column, "x": [1.0]}), tmp_path / "d.parquet")
    catalog = SignalCatalog.parse(f"signals: {{x: {{rate: 1}}}}\ntime: {{column: ts, unit: {unit}}}", name="c")
    with pytest.raises(InvalidInput, match=f"column `ts` .*{message}"):
        list(Drive(tmp_path / "d.parquet").rows(catalog, ["x"]))


@pytest.mark.parametrize(
    ("unit", "column"),
    [
        ("ns", pa.array([0, 1_500_000_000], pa.int64())),
        ("us", pa.array([0, 1_500_000], pa.uint32())),
        ("ms", pa.array([0, 1500], pa.int64())),
        ("ms", pa.array([0.0, 1500.0], pa.float64())),
        ("s", pa.array([0.0, 1.5], pa.float64())),
    ],
)
def test_times_count_the_unit_that_the_catalog_names(tmp_path: Path, unit: str, column: Any) -> None:
    pq.write_table(pa.table({"ts": column, "x": [1.0, 2.0]}), tmp_path / "d.parquet")
    catalog = SignalCatalog.parse(f"signals: {{x: {{rate: 1}}}}\ntime: {{column: ts, unit: {unit}}}", name="c")
    assert [row.t_ns for row in Drive(tmp_path / "d.parquet").rows(catalog, ["x"])] == [0, 1_500_000_000]


def test_a_drive_without_the_declared_column_of_times_is_read_by_t(tmp_path: Path) -> None:
    pq.write_table(pa.table({"t": [1.0], "x": [1.0]}), tmp_path / "d.parquet")
    catalog = SignalCatalog.parse("signals: {x: {rate: 1}}\ntime: {column: ts, unit: ns}", name="c")
    assert [row.t_ns for row in Drive(tmp_path / "d.parquet").rows(catalog, ["x"])] == [10**9]


def test_findings_of_rows_are_those_of_the_file_whatever_the_batches(tmp_path: Path) -> None:
    t = [0.0, 1.0, 1.0, 1.0, 2.0, 3.0, 3.0]
    table = pa.table({"t": t, "x": [1.0, 2.0, None, 3.0, 4.0, None, 5.0], "p": [0, 0, 0, 0, 7, 0, 7]})
    pq.write_table(table, tmp_path / "d.parquet", row_group_size=3)
    for batch_rows in (2, 3, 100):
        findings = Findings()
        with Drive(tmp_path / "d.parquet", batch_rows).open() as file:
            for _ in file.batches(CATALOG, ["x", "p"], findings=findings):
                pass
        found = {(each.column, each.problem): (each.count, each.row) for each in findings.all()}
        assert found[("t", MERGED)] == (3, 2)
        assert found[("x", REPLACED)] in ((1, 1), (1, 2))  # a row of the run that it is in
        assert found[("p", NOT_BOOL)] == (2, 4)
        assert found[("p", REPLACED)][0] == 3


def test_replaced_samples_are_counted_by_column_and_shown_as_the_file_has_them(tmp_path: Path) -> None:
    catalog = SignalCatalog.parse(
        "signals:\n  a: {rate: 1, column: c}\n  b: {rate: 1, column: c, scale: 2}\n"
        "  g: {type: text, values: [P, D], rate: 1}\n",
        name="c",
    )
    table = pa.table({"t": [0.0, 0.0, 1.0, 1.0], "c": [4294967295, 1, 2, 3], "g": ["D", "P", None, "D"]})
    pq.write_table(table, tmp_path / "d.parquet")
    findings = Findings()
    with DriveFile(tmp_path / "d.parquet") as file:
        assert list(file.batches(catalog, ["a", "b", "g"], findings=findings))
    replaced = [each for each in findings.all() if each.problem == REPLACED]
    assert [(each.column, each.count, each.row, each.value) for each in replaced] == [
        ("c", 2, 0, "4294967295"),
        ("g", 1, 0, '"D"'),
    ]


def test_files_without_rows_columns_or_content_are_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({}), tmp_path / "none.parquet")
    with pytest.raises(InvalidInput, match=r"none\.parquet: has no column `t`"):
        list(Drive(tmp_path / "none.parquet").rows(CATALOG, ["x"]))
    (tmp_path / "csv.parquet").write_text("t,x\n0,1\n")
    with pytest.raises(InvalidInput, match=r"csv\.parquet: not a readable Parquet file"):
        list(Drive(tmp_path / "csv.parquet").rows(CATALOG, ["x"]))
    pq.write_table(pa.table({"t": [0.0], "x": [1.0]}), tmp_path / "odd.PARQUET")
    assert [drive.name for drive in find_drives([tmp_path])] == ["csv", "none", "odd"]


def test_a_name_that_no_report_could_hold_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"t": [0.0], "x": [1.0]}), tmp_path / "plain.parquet")
    path = (tmp_path / "plain.parquet").rename(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.parquet"))
    with pytest.raises(InvalidInput, match="is not UTF-8"):
        DriveFile(path)


def test_links_that_lead_nowhere_are_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"t": [0.0]}), tmp_path / "a.parquet")
    for name in ("d7", "b.parquet"):
        (tmp_path / name).symlink_to(tmp_path / "gone")
        with pytest.raises(InvalidInput, match=f"{name}: this link leads nowhere"):
            find_drives([tmp_path])
        (tmp_path / name).unlink()
    (tmp_path / "notes.txt").symlink_to(tmp_path / "gone")
    assert len(find_drives([tmp_path])) == 1


def test_names_take_as_many_folders_as_tell_drives_apart(tmp_path: Path) -> None:
    places = ["2024/7/signals.parquet", "2025/7/signals.parquet", "x/2025/8.parquet", "y/2025/8.parquet", "9.parquet"]
    for place in places:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"t": [0.0]}), tmp_path / place)
    drives = [Drive(tmp_path / place) for place in places]
    assert distinct_names(drives) == ["2024/7", "2025/7", "x/2025/8", "y/2025/8", "9"]
    assert distinct_names([]) == []
    pq.write_table(pa.table({"t": [0.0]}), tmp_path / "9.pq")
    twins = [Drive(tmp_path / "9.parquet"), Drive(tmp_path / "9.pq")]
    assert distinct_names(twins) == [str(drive.path) for drive in twins]


def bounds(path: Path, column: str) -> list[tuple[Any, Any]]:
    with DriveFile(path) as file:
        return file.bounds_of(column)


def test_bounds_are_those_of_the_column_whatever_is_before_it(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parts = pa.array([{"x": 97.0, "y": 3.0}, {"x": 0.0, "y": 4.0}])
    pq.write_table(pa.table({"s": parts, "l": pa.array([[5.0], [6.0]]), "t": [0.0, 10.0]}), path, row_group_size=1)
    assert bounds(path, "t") == [(0.0, 0.0), (10.0, 10.0)]
    for nothing in ("s", "s.x", "l", "none"):
        assert bounds(path, nothing) == []


def test_bounds_that_are_not_told_or_cannot_be_held_are_none(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    twice = pa.table([pa.array([0.0]), pa.array([10.0])], names=["t", "t"])
    beyond = pa.table({"t": pa.array([2**62, 2**63 - 1], pa.timestamp("us"))})
    for table in (twice, beyond):
        pq.write_table(table, path)
        assert bounds(path, "t") == []
    pq.write_table(pa.table({"t": [0.0, 10.0]}), path, write_statistics=False)
    assert bounds(path, "t") == []
