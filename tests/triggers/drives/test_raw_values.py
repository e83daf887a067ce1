"""Raw values of recorded drives: read in the signal's unit, once, with what is invalid or out of range unknown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triggers.distance import speed_signal
from triggers.drives.columns import ColumnReader
from triggers.drives.drive import Drive
from triggers.drives.findings import DECLARED_INVALID, NOT_A_VALUE, NOT_BOOL, NOT_EXACT, OUT_OF_RANGE, Findings
from triggers.drives.series import SignalSeries, write_drive
from triggers.errors import InvalidInput
from triggers.signals.catalog import Signal, SignalCatalog

CATALOG = SignalCatalog.parse(
    """
signals:
  v:    {unit: m/s, rate: 10, columns: [can_speed, gnss_speed], scale: 0.01, offset: -5, invalid: [65535], max: 100}
  soc:  {unit: "%", rate: 10, min: 0, max: 100}
  door: {type: bool, rate: 10, invalid: [3]}
  gear: {type: text, values: [P, D], rate: 10, invalid: [SNA]}
  id:   {rate: 10, invalid: [18446744073709551615]}
  twice: {unit: m/s, rate: 10, column: can_speed, scale: 0.02}
""",
    name="signals.yaml",
)


def drive(folder: Path, *, is_clip: bool = False, **columns: Any) -> Drive:
    path = folder / "d.parquet"
    length = len(next(iter(columns.values())))
    pq.write_table(pa.table({"t": [n / 10 for n in range(length)], **columns}), path)
    return Drive(path, is_clip=is_clip)


def samples(read: Drive, signal: str) -> list[float]:
    return [row.samples.get(signal, math.nan) for row in read.rows(CATALOG, [signal])]


def found(read: Drive, *signals: str) -> list[tuple[str, str, int, int, str]]:
    """The findings: column, problem, count, first row, value."""
    findings = Findings()
    with read.open() as file:
        for _ in file.batches(CATALOG, signals, findings=findings):
            pass
    return [(each.column, each.problem, each.count, each.row, each.value) for each in findings.all()]


def test_raw_numbers_are_scaled_then_moved(tmp_path: Path) -> None:
    read = drive(tmp_path, can_speed=pa.array([2500, 0, None, 10_500], pa.uint16()))
    assert samples(read, "v") == pytest.approx([20.0, -5.0, math.nan, 100.0], nan_ok=True)
    assert samples(read, "v")[0] == 2500 * 0.01 + -5
    assert found(read, "v") == []


def test_what_is_declared_invalid_or_out_of_range_is_unknown_and_counted(tmp_path: Path) -> None:
    read = drive(tmp_path, can_speed=pa.array([65535, 2500, 10_501, 65535, None], pa.uint16()))
    assert samples(read, "v") == pytest.approx([math.inf, 20.0, math.inf, math.inf, math.nan], nan_ok=True)
    assert found(read, "v") == [
        ("can_speed", DECLARED_INVALID, 2, 0, "65535"),
        ("can_speed", OUT_OF_RANGE, 1, 2, "100.01"),
    ]


def test_what_is_unknown_is_shown_with_all_of_its_digits() -> None:
    signal, findings = Signal(rate=1, invalid=(4294967295,), max=20.0000001), Findings()
    ColumnReader("x", signal, findings).numbers(pa.array([1, 4294967295], pa.int64()), 0)
    ColumnReader("y", signal, findings).numbers(pa.array([20.0000001, 20.0000002]), 0)
    assert [(each.column, each.value) for each in findings.all()] == [("x", "4294967295"), ("y", "20.0000002")]


def test_both_ends_of_a_range_are_in_it_and_infinite_samples_are_not_counted(tmp_path: Path) -> None:
    read = drive(tmp_path, soc=[0.0, 100.0, -1e-9, 100.00001, math.inf, -math.inf, math.nan])
    assert samples(read, "soc")[:2] == [0.0, 100.0]
    assert all(math.isinf(each) for each in samples(read, "soc")[2:6])
    assert found(read, "soc") == [("soc", OUT_OF_RANGE, 2, 2, "-1e-09")]


def test_a_raw_value_of_a_bool_or_text_can_be_declared_invalid(tmp_path: Path) -> None:
    read = drive(tmp_path, door=pa.array([1, 3, 2, 0]), gear=["D", "SNA", "X", "P"])
    assert samples(read, "door") == [1.0, math.inf, math.inf, 0.0]
    assert samples(read, "gear") == [1.0, math.inf, math.inf, 0.0]
    assert found(read, "door", "gear") == [
        ("door", DECLARED_INVALID, 1, 1, "3"),
        ("door", NOT_BOOL, 1, 2, "2"),
        ("gear", DECLARED_INVALID, 1, 1, '"SNA"'),
        ("gear", NOT_A_VALUE, 1, 2, '"X"'),
    ]


def test_texts_of_a_dictionary_are_told_alike(tmp_path: Path) -> None:
    read = drive(tmp_path, gear=pa.array(["SNA", "X", "P", "SNA"]).dictionary_encode())
    assert samples(read, "gear") == [math.inf, math.inf, 0.0, math.inf]
    assert [each[1:4] for each in found(read, "gear")] == [(DECLARED_INVALID, 2, 0), (NOT_A_VALUE, 1, 1)]


def test_an_invalid_id_of_64_bits_is_not_one_that_is_too_long(tmp_path: Path) -> None:
    read = drive(tmp_path, id=pa.array([2**64 - 1, 2**53 + 1, 7], pa.uint64()))
    assert samples(read, "id") == [math.inf, math.inf, 7.0]
    assert [each[1:] for each in found(read, "id")] == [
        (DECLARED_INVALID, 1, 0, "18446744073709551615"),
        (NOT_EXACT, 1, 1, "9007199254740993"),
    ]


@pytest.mark.parametrize(
    ("signal", "what", "form"),
    [
        ("soc", "is not numeric", "write it as a number in the signal's unit"),
        ("door", "is neither a bool nor numeric", "write it as a bool, or as 0 and 1"),
        ("gear", "is neither text nor numeric", "write it as text (a string in UTF-8), or as the indexes"),
    ],
)
def test_a_column_of_bytes_is_refused_with_what_its_signal_takes(
    tmp_path: Path, signal: str, what: str, form: str
) -> None:
    with drive(tmp_path, **{signal: pa.array([b"P"])}).open() as file:
        problem = file.problem(signal, CATALOG)
    assert problem is not None and f"`{signal}` has the type binary, which {what}" in problem.message
    assert form in problem.remedy


def test_decimals_are_converted_too(tmp_path: Path) -> None:
    read = drive(tmp_path, can_speed=pa.array([None, 2500, 65535]).cast(pa.decimal128(30, 0)))
    assert samples(read, "v") == pytest.approx([math.nan, 20.0, math.inf], nan_ok=True)


def test_a_value_that_scaling_carries_beyond_all_numbers_is_unknown_and_counted() -> None:
    signal, findings = Signal(rate=1, scale=1e200), Findings()
    numbers = ColumnReader("x", signal, findings).numbers(pa.array([1e200, 1.0]), 0)
    assert numbers is not None and numbers.tolist() == [math.inf, 1e200]
    assert [each.problem for each in findings.all()] == [OUT_OF_RANGE]


def test_signals_that_share_a_column_are_each_read_in_their_own_way(tmp_path: Path) -> None:
    read = drive(tmp_path, can_speed=[100.0])
    (row,) = read.rows(CATALOG, ["v", "twice"])
    assert row.samples == {"v": -4.0, "twice": 2.0}


@pytest.mark.parametrize(
    ("columns", "value"),
    [(("gnss_speed", "can_speed"), 1.0), (("gnss_speed",), 2.0), (("gnss_speed", "v"), 2.0), (("v",), 3.0)],
)
def test_the_first_column_that_is_present_counts(tmp_path: Path, columns: Sequence[str], value: float) -> None:
    """In the order of the catalog, then the column named like the signal."""
    raw = {"can_speed": 600.0, "gnss_speed": 700.0, "v": 800.0}
    read = drive(tmp_path, **{name: [raw[name]] for name in columns})
    assert samples(read, "v") == [value]


def test_a_drive_with_none_of_the_columns_is_refused_with_their_names(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidInput, match=r"none of the columns `can_speed`, `gnss_speed`, which carry the signal `v`"
    ):
        samples(drive(tmp_path, other=[1.0]), "v")


def test_clips_hold_values_in_units_and_are_not_converted_again(tmp_path: Path) -> None:
    """What the extraction of a clip writes says so; who reads an older one knows that it is a clip."""
    series = SignalSeries(np.array([0, 10**8, 2 * 10**8], np.int64), np.array([20.0, 65535.0, math.inf]))
    write_drive(tmp_path / "clip.parquet", {"v": series}, start_ns=0)
    assert samples(Drive(tmp_path / "clip.parquet"), "v") == [20.0, math.inf, math.inf]
    assert samples(drive(tmp_path, v=[20.0, 65535.0], is_clip=True), "v") == [20.0, math.inf]
    assert samples(drive(tmp_path, v=[2500.0]), "v") == [20.0]


def test_a_derived_signal_is_in_no_drive(tmp_path: Path) -> None:
    catalog = SignalCatalog.parse('signals: {x: {rate: 1}, twice: {derived: "x * 2"}}', name="signals.yaml")
    with pytest.raises(InvalidInput, match="gives no samples of `twice`, which the signal catalog derives from others"):
        list(drive(tmp_path, x=[1.0], twice=[2.0]).rows(catalog, ["twice"]))
    assert speed_signal(speeds := SignalCatalog.parse(SPEEDS, name="s"), ["ego.speed"]) is None
    assert speeds.sampled == {"x"}


SPEEDS = 'signals: {x: {unit: m/s, rate: 1}, ego.speed: {unit: m/s, derived: "x * 2"}}'
FORMS = st.builds(
    lambda scale, offset, invalid, low, high: Signal(
        rate=1, scale=scale, offset=offset, invalid=tuple(invalid), min=min(low, high), max=max(low, high)
    ),
    st.sampled_from([1.0, 0.01, -3.7, 1e300]),
    st.sampled_from([0.0, -40.0, 0.1]),
    st.lists(st.sampled_from([0.0, 255.0, -1.0]), max_size=2),
    st.floats(-300, 300),
    st.floats(-300, 300),
)
RAW = st.lists(st.one_of(st.integers(-256, 256).map(float), st.floats()), min_size=1, max_size=30)


@given(FORMS, RAW)
def test_a_drive_is_read_as_a_vehicle_reads_each_of_its_raw_samples(signal: Signal, raw: list[float]) -> None:
    findings = Findings()
    numbers = ColumnReader("x", signal, findings).numbers(pa.array(raw, pa.float64()), 0)
    each = [signal.raw_form.value(value) for value in raw]
    assert numbers is not None
    told = [("nan" if math.isnan(x) else "inf" if math.isinf(x) else x.hex()) for x in numbers.tolist()]
    assert told == [("nan" if math.isnan(x) else "inf" if math.isinf(x) else x.hex()) for x, _ in each]
    assert sum(found.count for found in findings.all()) == sum(refused for _, refused in each)
