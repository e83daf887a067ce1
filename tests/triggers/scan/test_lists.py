"""Scans over lists of objects: the instants of the reference interpreter, over the lists that a clip has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.triggers.scan.test_evaluate import START_NS
from triggers.drives.objects.lists import StructsReader
from triggers.drives.series import ROWS_PER_GROUP, SignalSeries, write_drive
from triggers.language.compile import CONDITION, compile_condition
from triggers.language.reference.interpreter import Interpreter
from triggers.language.rows import Row
from triggers.scan.condition import compile_for_scan
from triggers.scan.evaluate import Evaluator, scan_clip, scan_clips
from triggers.signals.catalog import SignalCatalog
from triggers.signals.object_columns import ObjectColumn, ObjectSeries
from triggers.signals.objects import ObjectSample

CATALOG = SignalCatalog.parse(
    """
signals: {ego.speed: {unit: m/s, rate: 10}}
objects: {tracked: {max: 8, rate: 10, key: id, fields: {id: {type: id}, x: {unit: m, scale: 0.01}}}}
""",
    name="signals.yaml",
)
NEAR = "any(o in tracked where o.x < 5 m for 300 ms) and ego.speed > 1 m/s"


def clip(folder: Path, rows: int = 400) -> tuple[bytes, list[Row]]:
    rng = np.random.default_rng(3)
    t_ns = START_NS + np.arange(rows, dtype=np.int64) * 10**8
    speeds = np.abs(rng.normal(size=rows)) + 1
    samples = [
        ObjectSample(tuple(keys), tuple((float(x),) for x in rng.choice([2.0, 50.0], len(keys), p=[0.8, 0.2])))
        for keys in (rng.permutation(6)[: rng.integers(0, 5)].tolist() for _ in range(rows))
    ]
    path = folder / "signals.parquet"
    series = ObjectSeries(t_ns, ObjectColumn.of(samples, 1), ("id", "x"))
    write_drive(path, {"ego.speed": SignalSeries(t_ns, speeds)}, start_ns=START_NS, objects={"tracked": series})
    read = zip(t_ns.tolist(), speeds.tolist(), samples, strict=True)
    return path.read_bytes(), [Row(t, {"ego.speed": v}, {"tracked": each}) for t, v, each in read]


def test_instants_are_those_of_the_reference_interpreter(tmp_path: Path) -> None:
    data, rows = clip(tmp_path)
    compiled = compile_condition(NEAR, filename="test", catalog=CATALOG).triggers
    assert compiled is not None
    expected = [firing.t_ns for firing in Interpreter(compiled.ir).run(rows) if firing.trigger == CONDITION]
    found = scan_clip(data, [Evaluator(compile_for_scan(NEAR, CATALOG)[0])])
    assert found.problem is None
    assert list(found.t_ns) == expected
    assert len(expected) > 3


@pytest.mark.parametrize(("condition", "missing"), [(NEAR, "tracked"), ("ego.speed > 1 m/s", None)])
def test_a_clip_without_the_list_says_so(tmp_path: Path, condition: str, missing: str | None) -> None:
    speed = SignalSeries(np.array([START_NS], np.int64), np.array([2.0]))
    write_drive(tmp_path / "s.parquet", {"ego.speed": speed}, start_ns=START_NS)
    found = scan_clip((tmp_path / "s.parquet").read_bytes(), [Evaluator(compile_for_scan(condition, CATALOG)[0])])
    assert found.problem == (f"it has no signal `{missing}`" if missing else None)


def test_conditions_on_signals_read_clips_that_have_lists(tmp_path: Path) -> None:
    data, rows = clip(tmp_path, rows=20)
    found = scan_clip(data, [Evaluator(compile_for_scan("ego.speed > 1.5 m/s", CATALOG)[0])])
    assert found.problem is None
    assert found.count > 0
    assert len(rows) < ROWS_PER_GROUP


FAST = SignalCatalog.parse(
    "signals: {a: {}}\nobjects: {tracked: {max: 8, rate: 10, key: id, fields: {id: {type: id}, x: {}, v: {}}}}",
    name="signals.yaml",
)


def clip_with_fields(folder: Path, *fields: str) -> bytes:
    t_ns = START_NS + np.arange(2, dtype=np.int64) * 10**8
    sample = ObjectSample((7,), ((9.0,) * len(fields),))
    series = ObjectSeries(t_ns, ObjectColumn.of([ObjectSample((), ()), sample], len(fields)), ("id", *fields))
    write_drive(folder / "s.parquet", {}, start_ns=START_NS, objects={"tracked": series})
    return (folder / "s.parquet").read_bytes()


@pytest.mark.parametrize("order", [("x", "xv", "vx"), ("xv", "x", "v"), ("v", "", "xv")])
def test_clips_whose_objects_have_other_fields_do_not_change_what_is_found_in_the_next(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    evaluators = [Evaluator(compile_for_scan("any(o in tracked where o.v > 5)", FAST)[0])]
    found = scan_clips([(clip_with_fields(tmp_path, *fields), evaluators) for fields in order])
    assert [each.problem for each in found] == [None] * 3
    assert [each.t_ns for each in found] == [(START_NS + 10**8,) if "v" in fields else () for fields in order]


def test_what_one_clip_makes_a_reader_raise_is_the_problem_of_that_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = StructsReader.objects

    def objects(self: StructsReader, record_batch: Any, first_row: int) -> ObjectColumn | None:
        record_batch.column("tracked").type.value_type.field("v")
        return read(self, record_batch, first_row)

    monkeypatch.setattr(StructsReader, "objects", objects)
    evaluators = [Evaluator(compile_for_scan("any(o in tracked where o.v > 5)", FAST)[0])]
    odd, sound = scan_clips([(clip_with_fields(tmp_path, *fields), evaluators) for fields in ("x", "xv")])
    assert (odd.problem or "").startswith("its signals cannot be read (")
    assert sound.count == 1
