"""Values of a trace are those of the reference interpreter, bit for bit, over random programs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.triggers.language.randomised.agreement import Case, Pieces, nodes_of_objects, object_columns
from tests.triggers.language.randomised.tracing import traced
from triggers.drives.drive import Drive
from triggers.errors import InvalidInput
from triggers.language.checks.checker import lower_parts
from triggers.language.compile import expanded
from triggers.language.ir import Ir
from triggers.language.parts import parts_program
from triggers.language.text.diagnostics import Source
from triggers.language.text.parser import parse
from triggers.language.text.reporter import Reporter
from triggers.language.webassembly.host.blocks import ReadableMachine
from triggers.signals.catalog import SignalCatalog
from triggers.trace.run import TraceRun, joined

PROGRAMS = 30
SHARDS = 3


def read(ir: Ir, case: Case, cuts: Sequence[int], max_chunk: int) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Times of all ticks, the values of all nodes that have one at them, and fires."""
    machine, nodes = ReadableMachine(ir, max_chunk=max_chunk), nodes_without_objects(ir)
    blocks = []
    for start, stop in pairwise((0, *cuts, len(case.recording))):
        piece = case.recording.cut(start, stop)
        columns = [piece.columns.get(item.name) for item in ir.inputs]
        blocks += list(machine.blocks(piece.t_ns, columns, nodes, object_columns(ir, piece)))
    times = np.concatenate([block.t_ns for block in blocks])
    values = np.concatenate([np.array(block.values).T for block in blocks])
    return times, values, [t_ns for block in blocks for t_ns in block.fires_ns.tolist()]


def nodes_without_objects(ir: Ir) -> list[int]:
    """The nodes that have a value of their own."""
    of_objects = nodes_of_objects(ir)
    return [node for node in range(len(ir.nodes)) if node not in of_objects]


def demand_equal(ir: Ir, case: Case, cuts: Sequence[int], max_chunk: int) -> None:
    expected = traced(ir, case.recording)
    times, values, fires = read(ir, case, cuts, max_chunk)
    at_tick = {int(t_ns): index for index, t_ns in enumerate(times)}
    rows = [at_tick[t_ns] for _, t_ns in expected.ticks]
    table = expected.table()[:, nodes_without_objects(ir)]
    assert (values[rows].view(np.int64) == table.view(np.int64)).all()
    assert sorted(fires) == sorted(t_ns for _, t_ns, _ in expected.fires)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_part_of_random_conditions_has_the_interpreters_values(shard: int) -> None:
    for seed in range(shard, PROGRAMS, SHARDS):
        random = Random(9_000_000 + seed)
        case = Case.random(random, rows=150, triggers=3, depth=4)
        if (np.diff(case.recording.t_ns) <= 0).any():  # the same times come again
            continue
        catalog = SignalCatalog.parse(case.catalog, name="catalog")
        for code in case.ir.triggers:
            program = parts_program(case.source, "case", code.name, catalog)
            pieces = Pieces.random(random, len(case.recording))
            demand_equal(program.ir, case, (), 4096)
            demand_equal(program.ir, case, pieces.cuts, 64)


CATALOG = SignalCatalog.parse(
    """
signals:
  x: {unit: m/s, rate: 10}
  y: {unit: m/s, rate: 10}
  gear: {type: text, values: [park, drive], update: on_change}
  armed: {type: bool, update: on_change}
""",
    name="c",
)


def write(path: Path, **columns: object) -> Drive:
    pq.write_table(pa.table(columns), path)
    return Drive(path)


def test_parts_are_all_sub_expressions_in_their_own_units_with_lets_as_they_are_used() -> None:
    source = 'let fast = x > 36 km/h\ntrigger t { when fast and x + y > 5 km/h and gear == "drive" and armed }'
    parts = parts_program(source, "f", "t", CATALOG).parts
    assert [(part.text, part.depth, part.type, part.unit) for part in parts] == [
        ('fast and x + y > 5 km/h and gear == "drive" and armed', 0, "condition", ""),
        ("fast", 1, "condition", ""),
        ("x > 36 km/h", 2, "condition", ""),
        ("x", 3, "number", "m/s"),
        ("x + y > 5 km/h", 1, "condition", ""),
        ("x + y", 2, "number", "m/s"),
        ("y", 3, "number", "m/s"),
        ('gear == "drive"', 1, "condition", ""),
        ("gear", 2, "text", ""),
        ("armed", 1, "condition", ""),
    ]


def test_the_use_of_a_let_is_a_part_with_what_it_stands_for_beneath() -> None:
    source = """import "lib/c.trigger" as c
param limit = 3 m/s
set known = ("park", "drive")
let above(a) = a > limit
trigger t { when above(x + y) and c.far and c.held(armed) and gear in known and c.held(above(y)) and c.far }
file "lib/c.trigger" {
let far = y > 10 m/s
param hold = 1 s
let held(p) = p for hold
}
"""
    parts = parts_program(source, "f", "t", CATALOG).parts
    assert [(part.text, part.depth) for part in parts[1:]] == [
        ("above(x + y)", 1),
        ("a > limit", 2),
        ("x + y", 3),
        ("x", 4),
        ("y", 4),
        ("c.far", 1),
        ("y > 10 m/s", 2),
        ("c.held(armed)", 1),
        ("p for hold", 2),
        ("armed", 3),
        ("gear in known", 1),
        ("gear", 2),
        ("c.held(above(y))", 1),
        ("p for hold", 2),
        ("above(y)", 3),
        ("a > limit", 4),
    ]
    lets = [part.let for part in parts if part.let is not None]
    assert lets == ["above(x + y)", "c.far", "c.held(armed)", "c.held(above(y))", "above(y)"]


@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_part_of_a_random_condition_is_left_out(shard: int) -> None:
    for seed in range(shard, PROGRAMS, SHARDS):
        case = Case.random(Random(9_000_000 + seed), rows=5, triggers=3, depth=4)
        catalog = SignalCatalog.parse(case.catalog, name="catalog")
        report = Reporter(Source(case.source, "case"))
        file = expanded(parse(report.source, report), catalog, report)
        for trigger in file.triggers:
            lowered = lower_parts(file, trigger, catalog, report)
            parts = parts_program(case.source, "case", trigger.name.text, catalog).parts
            assert lowered is not None
            assert {part.node for part in parts} == set(lowered.nodes)
            assert (parts[0].node, parts[0].depth) == (lowered.ir.triggers[0].root, 0)


def test_two_calls_of_a_let_are_parts_of_their_own_with_their_own_values(tmp_path: Path) -> None:
    source = "let above(a) = a > 3 m/s trigger t { when above(x) and above(y) }"
    program = parts_program(source, "f", "t", CATALOG)
    drive = write(tmp_path / "d.parquet", t=[0.0, 0.1], x=[5.0, 5.0], y=[1.0, 5.0])
    block = joined(list(TraceRun(program, drive, CATALOG).blocks()), len(program.parts))
    values = {part.text: found.tolist() for part, found in zip(program.parts, block.values, strict=True)}
    assert values["above(x)"] == [1.0, 1.0]
    assert values["above(y)"] == [0.0, 1.0]


def test_a_derived_signal_is_a_part_by_its_name_without_what_it_is_derived_from() -> None:
    text = "signals: {x: {unit: m/s, rate: 10}, twice: {unit: m/s, derived: x * 2}}"
    catalog = SignalCatalog.parse(text, name="c")
    parts = parts_program("trigger t { when twice > 5 m/s and x > 1 m/s }", "f", "t", catalog).parts
    labels = ["twice > 5 m/s and x > 1 m/s", "twice > 5 m/s", "twice", "x > 1 m/s", "x"]
    assert [part.text for part in parts] == labels


@pytest.mark.parametrize("measured", ["distance over 2 s", "distance since p"])
def test_a_distance_is_one_part_in_metres_whatever_it_is_counted_from(measured: str) -> None:
    signals = "signals: {ego.speed: {unit: km/h, rate: 10}, p: {type: bool, rate: 10}}"
    catalog = SignalCatalog.parse(signals, name="c")
    parts = parts_program(f"trigger t {{ when {measured} > 4 m }}", "f", "t", catalog).parts
    found = [(part.text, part.unit) for part in parts if part.type == "number"]
    assert found == [(measured, "m")]


def test_an_unknown_trigger_is_named_with_those_that_there_are() -> None:
    with pytest.raises(InvalidInput, match="has no trigger `u`") as raised:
        parts_program("trigger t { when armed }", "f", "u", CATALOG)
    assert "`t`" in raised.value.remedy


def test_a_drive_without_a_needed_signal_is_told(tmp_path: Path) -> None:
    drive = write(tmp_path / "d.parquet", t=[0.0, 0.1], x=[1.0, 2.0])
    program = parts_program("trigger t { when x > 1 m/s and y > 1 m/s }", "f", "t", CATALOG)
    with pytest.raises(InvalidInput, match="`t` needs it"):
        TraceRun(program, drive, CATALOG)


def test_a_comparison_that_never_was_true_came_closest_where_its_sides_were(tmp_path: Path) -> None:
    t = np.arange(100) / 10
    drive = write(tmp_path / "d.parquet", t=t, x=9 - np.abs(t - 6))
    run = TraceRun(parts_program("trigger t { when x > 36 km/h }", "f", "t", CATALOG), drive, CATALOG)
    block = joined(list(run.blocks()), 2)
    summary = run.summary()
    assert (summary.closest_ns, summary.centre_ns) == (6_000_000_000, 6_000_000_000)
    assert summary.why_not == "it was never true"
    assert len(block.t_ns) == summary.ticks == 100


def test_of_a_conjunction_that_never_was_true_the_closest_is_where_all_but_one_part_were(tmp_path: Path) -> None:
    t = np.arange(100) / 10
    drive = write(tmp_path / "d.parquet", t=t, x=np.where(t >= 5, 20.0, 0.0), y=np.zeros(100))
    program = parts_program("trigger t { when x > 36 km/h and y > 1 m/s }", "f", "t", CATALOG)
    run = TraceRun(program, drive, CATALOG)
    for _ in run.blocks():
        pass
    summary = run.summary()
    assert summary.closest_ns == 5_000_000_000
    assert summary.why_not == "`y > 1 m/s` was never true; all but `y > 1 m/s` were true first at 5.000 s"


def test_the_reason_names_a_part_after_the_let_that_it_is_written_in(tmp_path: Path) -> None:
    drive = write(tmp_path / "d.parquet", t=[0.0, 0.1], x=[20.0, 20.0], y=[0.0, 0.0])
    source = "let both(v, w) = v > 36 km/h and w > 1 m/s trigger t { when both(x, y) and x > 1 m/s }"
    run = TraceRun(parts_program(source, "f", "t", CATALOG), drive, CATALOG)
    run.run_through()
    assert run.summary().why_not == (
        "`both(x, y): w > 1 m/s` was never true; all but `both(x, y): w > 1 m/s` were true first at 0.000 s"
    )
