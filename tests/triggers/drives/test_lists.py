"""Lists of objects in recorded drives: lists of structs of every form, columns by place, and what is odd about them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triggers.drives import file as drive_file
from triggers.drives import series
from triggers.drives.batches import Batch
from triggers.drives.drive import Drive
from triggers.drives.file import MIN_BATCH_ROWS
from triggers.drives.findings import (
    DECLARED_INVALID,
    KEY_NOT_WHOLE,
    KEY_ROUNDED,
    KEY_TOO_LARGE,
    MERGED,
    NOT_A_VALUE,
    OUT_OF_RANGE,
    REPLACED,
    TOO_MANY_OBJECTS,
    Findings,
)
from triggers.drives.series import SignalSeries, read_lists, read_series, write_drive
from triggers.errors import InvalidInput
from triggers.signals.catalog import SignalCatalog
from triggers.signals.catalog_text import catalog_text
from triggers.signals.object_columns import ObjectColumn, ObjectSeries, starts_of
from triggers.signals.objects import MAX_CARRIED_OBJECTS, MAX_KEY, MIN_KEY, ObjectSample

CATALOG = SignalCatalog.parse(
    """
signals: {v: {unit: m/s, rate: 10}}
objects:
  tracked:
    max: 4
    key: id
    column: perception
    fields:
      id: {type: id, invalid: [255], column: track_id}
      kind: {type: text, values: [car, truck], invalid: [SNA]}
      x: {unit: m, scale: 0.01, invalid: [65535], max: 100, column: pos_x}
      moving: {type: bool}
  plain: {max: 4, key: k, fields: {k: {type: id}, x: {}}}
""",
    name="signals.yaml",
)
PLAIN = pa.list_(pa.struct([("k", pa.int64()), ("x", pa.float64())]))


def drive(
    folder: Path, table: dict[str, Any], t: Sequence[float] | None = None, batch_rows: int | None = None
) -> Drive:
    path = folder / "d.parquet"
    rows = len(next(iter(table.values())))
    pq.write_table(pa.table({"t": list(t or [n / 10 for n in range(rows)]), **table}), path)
    return Drive(path, batch_rows)


def samples(read: Drive, name: str = "plain") -> list[ObjectSample | None]:
    return [row.objects.get(name) for row in read.rows(CATALOG, [name])]


def found(read: Drive, *names: str) -> list[tuple[str, str, int, int, str]]:
    """The findings: column, problem, count, first row, value."""
    findings = Findings()
    with read.open() as file:
        for _ in file.batches(CATALOG, names, findings=findings):
            pass
    return [(each.column, each.problem, each.count, each.row, each.value) for each in findings.all()]


def refusal(folder: Path, table: dict[str, Any], name: str = "plain") -> str:
    read = drive(folder, table)
    with read.open() as file:
        problem = file.problem(name, CATALOG)
    with pytest.raises(InvalidInput) as refused:
        samples(read, name)
    assert problem is not None
    assert refused.value.message == problem.message
    return f"{problem.message.removeprefix(f'{read.path}: ')}; {problem.remedy}"


def obj(*objects: tuple[int, float]) -> ObjectSample:
    return ObjectSample(tuple(key for key, _ in objects), tuple((x,) for _, x in objects))


ROWS: list[Any] = [
    [{"k": 7, "x": 1.5}, {"k": MAX_KEY, "x": None}],
    None,
    [],
    [None, {"k": None, "x": 2.0}, {"k": MIN_KEY, "x": -0.0}],
]


@pytest.mark.parametrize("kind", [PLAIN, pa.large_list(PLAIN.value_type)])
@pytest.mark.parametrize("batch_rows", [None, 1, 3])
def test_a_null_list_is_no_sample_and_a_null_struct_or_key_no_object(
    tmp_path: Path, kind: pa.DataType, batch_rows: int | None
) -> None:
    read = drive(tmp_path, {"plain": pa.array(ROWS, kind)}, batch_rows=batch_rows)
    found_samples = samples(read)
    assert str(found_samples) == str([obj((7, 1.5), (MAX_KEY, math.nan)), None, obj(), obj((MIN_KEY, -0.0))])
    assert found(read, "plain") == []


def test_lists_of_fixed_length_leave_out_places_without_an_object(tmp_path: Path) -> None:
    kind = pa.list_(PLAIN.value_type, 2)
    read = drive(
        tmp_path, {"plain": pa.array([[None, {"k": 1, "x": 1.0}], [None, None], [{"k": 2, "x": 2.0}] * 2], kind)}
    )
    assert samples(read) == [obj((1, 1.0)), obj(), obj((2, 2.0), (2, 2.0))]


@pytest.mark.parametrize(
    ("rows", "seen"),
    [
        (pa.nulls(2), [None, None]),
        (pa.array([None, []], PLAIN), [None, obj()]),
        (pa.array([None, []], pa.list_(pa.null())), [None, obj()]),
        (pa.array([[None], []], pa.list_(pa.null())), [obj(), obj()]),
        (pa.array([[{"k": None}], [{"k": 1}]], pa.list_(pa.struct([("k", pa.int8())]))), [obj(), obj((1, math.nan))]),
    ],
)
def test_columns_without_values_or_fields_are_read(tmp_path: Path, rows: pa.Array, seen: list[Any]) -> None:
    assert str(samples(drive(tmp_path, {"plain": rows}))) == str(seen)


def test_raw_values_of_fields_are_read_as_those_of_signals(tmp_path: Path) -> None:
    objects = [
        {"track_id": 1, "kind": "truck", "pos_x": 250, "moving": True, "more": "x"},
        {"track_id": 255, "kind": "boat", "pos_x": 65535, "moving": None, "more": "x"},
        {"track_id": 2, "kind": "boat", "pos_x": 65535, "moving": None, "more": "x"},
        {"track_id": 3, "kind": "SNA", "pos_x": 60000, "moving": False, "more": "x"},
    ]
    read = drive(tmp_path, {"perception": pa.array([None, objects])})
    (sample,) = (each for each in samples(read, "tracked") if each is not None)
    assert sample.keys == (1, 2, 3)
    assert str(sample.values) == str(((1.0, 2.5, 1.0), (math.inf, math.inf, math.nan), (math.inf, math.inf, 0.0)))
    assert found(read, "tracked") == [
        ("perception.kind", DECLARED_INVALID, 1, 1, '"SNA"'),
        ("perception.kind", NOT_A_VALUE, 1, 1, '"boat"'),
        ("perception.pos_x", DECLARED_INVALID, 1, 1, "65535"),
        ("perception.pos_x", OUT_OF_RANGE, 1, 1, "600"),
    ]


def test_a_file_in_units_has_the_fields_names_and_is_not_converted_again(tmp_path: Path) -> None:
    column = ObjectColumn.of([ObjectSample((255,), ((1.0, 2.5, 0.0),))], 3)
    series = ObjectSeries(np.array([10**8]), column, ("id", "kind", "x", "moving"))
    write_drive(tmp_path / "d.parquet", {}, start_ns=0, objects={"tracked": series})
    assert samples(Drive(tmp_path / "d.parquet"), "tracked") == [ObjectSample((255,), ((1.0, 2.5, 0.0),))]


@pytest.mark.parametrize(
    ("keys", "seen", "problems"),
    [
        (pa.array([1, 2**63 - 1, 2**63, 2**64 - 1], pa.uint64()), (1, MAX_KEY), [(KEY_TOO_LARGE, 2, str(2**63))]),
        (pa.array([-1, None, 3, 127], pa.int8()), (-1, 3, 127), []),
        (pa.array([1.0, math.nan, 1.5, -2.0, math.inf]), (1, -2), [(KEY_NOT_WHOLE, 2, "1.5")]),
        (pa.array([2.0**53 - 1, 2.0**53, 1e300]), (2**53 - 1,), [(KEY_ROUNDED, 2, "9007199254740992.0")]),
        (pa.array([1 - 2.0**24, 2.0**24], pa.float32()), (1 - 2**24,), [(KEY_ROUNDED, 1, "16777216.0")]),
        (pa.nulls(3), (), []),
        (pa.array([5, 5, 6], pa.int32()).dictionary_encode(), (5, 5, 6), []),
    ],
)
def test_keys_are_exact_or_their_objects_are_left_out(
    tmp_path: Path, keys: pa.Array, seen: tuple[int, ...], problems: list[tuple[str, int, str]]
) -> None:
    structs = pa.StructArray.from_arrays([keys], ["k"])
    read = drive(tmp_path, {"plain": pa.ListArray.from_arrays([0, 0, len(keys)], structs)})
    assert [sample.keys for sample in samples(read) if sample] == [(), seen]
    assert found(read, "plain") == [("plain.k", problem, count, 1, value) for problem, count, value in sorted(problems)]


@pytest.mark.parametrize(
    ("invalid", "kind", "keys", "seen"),
    [
        (2**63 - 1, pa.int64(), [1, 2**63 - 1, 2**63 - 2], (1, 2**63 - 2)),
        (2**53 + 1, pa.int64(), [2**53, 2**53 + 1, 2**53 + 2], (2**53, 2**53 + 2)),
        (2**64 - 1, pa.uint64(), [1, 2**64 - 1], (1,)),
    ],
)
def test_invalid_keys_are_compared_exactly(
    tmp_path: Path, invalid: int, kind: Any, keys: list[int], seen: tuple[int, ...]
) -> None:
    text = "signals: {v: {rate: 10}}\nobjects: {plain: {max: 4, key: k, fields: {k: {type: id, invalid: [%d]}}}}"
    catalog = SignalCatalog.parse(text % invalid, name="signals")
    assert SignalCatalog.parse(catalog_text(catalog), name="signals") == catalog
    structs = pa.StructArray.from_arrays([pa.array(keys, kind)], ["k"])
    read = drive(tmp_path, {"plain": pa.ListArray.from_arrays([0, len(keys)], structs)})
    (row,) = read.rows(catalog, ["plain"])
    assert row.objects["plain"].keys == seen
    findings = Findings()
    with read.open() as file:
        assert list(file.batches(catalog, ["plain"], findings=findings))
    assert list(findings.all()) == []


def test_what_is_longer_than_any_list_of_objects_is_cut_and_counted(tmp_path: Path) -> None:
    rows = [
        [{"k": 1, "x": 0.0}],
        [{"k": n, "x": float(n)} for n in range(MAX_CARRIED_OBJECTS + 3)],
        [{"k": 9, "x": 9.0}],
    ]
    read = drive(tmp_path, {"plain": pa.array(rows, PLAIN)})
    first, long, last = samples(read)
    assert (first, last) == (obj((1, 0.0)), obj((9, 9.0)))
    assert long is not None
    assert long.keys == tuple(range(MAX_CARRIED_OBJECTS))
    assert found(read, "plain") == [("plain", TOO_MANY_OBJECTS, 3, 1, "4,099")]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pa.array([1.0]), "column `plain` has the type double, which is not a list of structs; write one struct per"),
        (pa.array([[1.0]]), "column `plain` has the type list<element: double>, which is not a list of structs"),
        (pa.array([{"k": 1}]), "column `plain` has the type struct<k: int64>, which is not a list of structs"),
        (pa.array([[(1, 2)]], pa.map_(pa.int64(), pa.int64())), "column `plain` has the type map<"),
        (pa.array([[{"x": 1.0}]]), "column `plain` has structs without the field `k`, the key of its objects"),
        (
            pa.array([[{"k": "a"}]]),
            "column `plain.k` has the type string, which cannot be the key of objects; write keys",
        ),
        (pa.array([[{"k": True}]]), "column `plain.k` has the type bool, which cannot be the key"),
        (
            pa.array([[{"k": 1, "x": [1.0]}]]),
            "column `plain.x` has the type list<element: double>, which is not numeric",
        ),
        (pa.array([[{"k": 1, "x": "far"}]]), "column `plain.x` holds text, but"),
    ],
)
def test_a_column_that_cannot_hold_the_list_is_refused(tmp_path: Path, column: pa.Array, said: str) -> None:
    assert refusal(tmp_path, {"plain": column}).startswith(said)


def test_a_drive_without_the_list_says_what_it_could_have(tmp_path: Path) -> None:
    said = (
        "has neither a column `perception` nor columns `perception.0.track_id`, ..., for the list of objects `tracked`"
    )
    assert refusal(tmp_path, {"v": [1.0]}, "tracked").startswith(said)


PLACES = {
    "v": [1.0, 2.0, 3.0, 4.0],
    "plain.0.k": pa.array([7, None, None, 9], pa.int64()),
    "plain.0.x": [1.0, None, math.nan, math.nan],
    "plain.2.k": [8.0, math.nan, math.nan, math.nan],
    "plain.10.k": pa.array([None, None, None, 10], pa.uint8()),
    "plain.10.x": [3.0, None, 4.0, 5.0],
    "plain.01.k": [1.0, 1.0, 1.0, 1.0],
    "plain.5.other": [1.0, 1.0, 1.0, 1.0],
    "plain.9999.k": [1.0, 1.0, 1.0, 1.0],
}


@pytest.mark.parametrize("batch_rows", [None, 1])
def test_columns_by_place_are_one_list_and_rows_of_nulls_no_sample(tmp_path: Path, batch_rows: int | None) -> None:
    read = drive(tmp_path, PLACES, batch_rows=batch_rows)
    of_rows = [obj((7, 1.0), (8, math.nan)), None, obj(), obj((9, math.nan), (10, 5.0))]
    assert str(samples(read)) == str(of_rows)
    rows = list(read.rows(CATALOG, ["v", "plain"]))
    assert [row.samples["v"] for row in rows] == PLACES["v"]


def test_a_place_without_a_key_is_refused(tmp_path: Path) -> None:
    said = "has the column `plain.1.x`, but not the key of that object, `plain.1.k`; write the key of each place"
    assert refusal(tmp_path, {"plain.0.k": [1], "plain.1.x": [1.0]}).startswith(said)
    assert refusal(tmp_path, {"plain.0.k": ["a"]}).startswith("column `plain.0.k` has the type string")


def test_a_list_of_structs_goes_before_columns_by_place(tmp_path: Path) -> None:
    read = drive(tmp_path, {"plain.0.k": [5], "plain": pa.array([[{"k": 6, "x": 1.0}]], PLAIN)})
    assert samples(read) == [obj((6, 1.0))]


@pytest.mark.parametrize("batch_rows", [None, 1, 2])
def test_of_lists_of_one_time_the_last_one_counts(tmp_path: Path, batch_rows: int | None) -> None:
    rows = [[{"k": 1, "x": 1.0}], None, [], None, None, [{"k": 2, "x": 2.0}]]
    read = drive(tmp_path, {"plain": pa.array(rows, PLAIN)}, [0.0, 0.0, 0.0, 0.1, 0.2, 0.2], batch_rows)
    assert samples(read) == [obj(), None, obj((2, 2.0))]
    assert [each[:3] for each in found(read, "plain")] == [("plain", REPLACED, 1), ("t", MERGED, 3)]


def test_only_the_fields_of_the_catalog_are_read(tmp_path: Path) -> None:
    points = pa.array([[{"k": 1, "x": 1.0, "points": list(range(1000))}]] * 100)
    read = drive(tmp_path, {"plain": points})
    assert samples(read) == [obj((1, 1.0))] * 100
    with read.open() as file:
        (batch,) = file.batches(CATALOG, ["plain"])
    assert len(batch) == 100


DENSE = np.concatenate((np.zeros(3000, np.int64), np.full(600, 200)))
"""How many objects there are in each row: none, and in the last sixth very many."""


def dense_at_the_end(folder: Path) -> Path:
    t_ns = np.arange(len(DENSE), dtype=np.int64) * 10**8
    total = int(DENSE.sum())
    column = ObjectColumn(
        starts_of(DENSE), np.ones(len(DENSE), np.bool_), np.arange(total) % 200, (np.arange(total) * 0.5,)
    )
    write_drive(folder / "d.parquet", {}, start_ns=0, objects={"plain": ObjectSeries(t_ns, column, ("k", "x"))})
    return folder / "d.parquet"


def groups_of(path: Path) -> list[int]:
    metadata = pq.ParquetFile(path).metadata
    return [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]


def test_row_groups_have_as_many_rows_as_their_own_objects_allow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "CELLS_PER_GROUP", 40_200)
    path = dense_at_the_end(tmp_path)
    assert groups_of(path) == [3085, *[100] * 5, 15]
    assert np.diff(read_lists(path)["plain"].column.starts).tolist() == DENSE.tolist()


def bytes_of(batch: Batch) -> int:
    """What the numbers of a batch take."""
    arrays = [batch.t_ns, *(each for each in batch.columns.values() if each is not None)]
    for column in batch.objects.values():
        arrays += [] if column is None else [column.keys, *column.fields]
    return sum(array.nbytes for array in arrays)


@pytest.mark.parametrize(
    "cells_per_group", [40_200, 10**9]
)  # dense rows in groups of their own, and in one with others
def test_batches_are_bounded_where_a_list_is_dense(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cells_per_group: int
) -> None:
    monkeypatch.setattr(series, "CELLS_PER_GROUP", cells_per_group)
    monkeypatch.setattr(drive_file, "BATCH_BYTES", 400_000)
    read = Drive(dense_at_the_end(tmp_path))
    batches = list(read.batches(CATALOG, ["plain"]))
    assert sum(map(len, batches)) == len(DENSE)
    assert max(map(len, batches)) <= MIN_BATCH_ROWS
    assert 200_000 < max(map(bytes_of, batches)) <= 400_000
    assert [len(row.objects["plain"].keys) for row in read.rows(CATALOG, ["plain"])] == DENSE.tolist()


def test_fields_that_a_drive_lacks_count_for_the_size_of_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drive_file, "BATCH_BYTES", 400_000)
    fields = "".join(f", f{number}: {{}}" for number in range(30))
    text = f"signals: {{v: {{}}}}\nobjects: {{plain: {{max: 4, key: k, fields: {{k: {{type: id}}, x: {{}}{fields}}}}}}}"
    catalog = SignalCatalog.parse(text, name="signals.yaml")
    batches = list(Drive(dense_at_the_end(tmp_path)).batches(catalog, ["plain"]))
    assert max(map(bytes_of, batches)) <= 400_000


def test_a_row_that_is_larger_than_a_batch_is_a_batch_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drive_file, "BATCH_BYTES", 3_000)
    read = Drive(dense_at_the_end(tmp_path))
    batches = [batch for batch in read.batches(CATALOG, ["plain"]) if bytes_of(batch) > 3_000]
    assert [len(batch) for batch in batches] == [1] * 600
    assert [len(row.objects["plain"].keys) for row in read.rows(CATALOG, ["plain"])] == DENSE.tolist()


OBJECTS = st.lists(st.tuples(st.integers(MIN_KEY, MAX_KEY), st.floats()), max_size=4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.none() | OBJECTS, max_size=12), dense=st.booleans())
def test_what_is_written_is_read_again_bit_for_bit(
    tmp_path: Path, rows: list[list[tuple[int, float]] | None], dense: bool
) -> None:
    written = [None if row is None else obj(*row) for row in rows]
    t_ns = np.flatnonzero([row is not None for row in rows]) * 10**8
    column = ObjectColumn.of([each for each in written if each is not None], 1)
    all_ns = np.arange(len(rows), dtype=np.int64) * 10**8
    others = {"v": SignalSeries(all_ns, np.ones(len(rows)))} if dense else {}
    path = tmp_path / "d.parquet"
    write_drive(path, others, start_ns=0, objects={"plain": ObjectSeries(t_ns, column, ("k", "x"))})
    again = read_lists(path)["plain"]
    assert again.names == ("k", "x")
    assert again.t_ns.tolist() == t_ns.tolist()
    assert again.column.keys.tolist() == column.keys.tolist()
    assert again.column.starts.tolist() == column.starts.tolist()
    canonical = np.where(np.isnan(column.fields[0]), np.nan, column.fields[0])
    assert again.column.fields[0].tobytes() == canonical.tobytes()
    assert read_series(path).keys() == others.keys()
    if dense:
        assert str(samples(Drive(path))) == str(written)


def test_columns_of_objects_are_taken_and_joined_by_rows() -> None:
    rows = [obj((1, 1.0), (2, 2.0)), None, obj(), obj((3, 3.0))]
    column = ObjectColumn.of(rows, 1)
    taken = column.taken(np.array([3, -1, 0, 1, 2, 0]))
    assert [taken.sample(row) for row in range(6)] == [rows[3], None, rows[0], None, rows[2], rows[0]]
    joined = ObjectColumn.joined([column.part(slice(2, 4)), ObjectColumn.without_samples(1, 1), column])
    assert [joined.sample(row) for row in range(7)] == [*rows[2:], None, *rows]
