"""Properties of interpreter and module on random recordings: chunks, saving and restoring, sharing, the drive's end."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.support import CATALOG, MS, ir_of
from triggers.language.compile import CompiledTriggers, compile_source
from triggers.language.reference.interpreter import Interpreter
from triggers.language.rows import Firing, Row
from triggers.language.webassembly.emitter import emit
from triggers.language.webassembly.host import machine
from triggers.language.webassembly.host.evaluator import Evaluator

CONDITIONS = [
    "x > 0 for 200 ms",
    "x > 0 for 300 ms tolerating 200 ms",
    "rise(p) or fall(q)",
    "changed(x) and not missing(y)",
    "once(p over 500 ms) and q",
    "avg(x over 700 ms) > y",
    "max(x over 500 ms) - min(x over 500 ms) > 1",
    "rate(x over 600 ms) < -2 1/s or delta(y over 400 ms) > 1",
    "past(x, 300 ms) < x",
    "ema(x over 500 ms) > 0.5",
    "share(p over 800 ms) > 50 %",
    "count(p over 1 s) >= 2 or flicker(q over 1 s) > 1",
    "p then q within 500 ms",
    "p without q within 300 ms",
    "hysteresis(x, 1, -1)",
    "divergence(active.h, shadow.h within 60 ms) > 0.5",
    'flag and mode != "off" or age(x) > 200 ms',
]
NAMES = ("x", "y", "p", "q", "flag", "mode", "active.h", "shadow.h")


def _everything() -> CompiledTriggers:
    source = "\n".join(f"trigger t{i} {{ when {c} cooldown {i % 3 * 300} ms }}" for i, c in enumerate(CONDITIONS))
    compilation = compile_source(source, filename="test", catalog=CATALOG)
    assert compilation.triggers is not None
    return compilation.triggers


COMPILED = _everything()
PROGRAM = COMPILED.ir
MODULE = machine.load(COMPILED.program)
_number = st.sampled_from([-2.0, -1.0, 0.0, -0.0, 0.5, 1.0, 2.0, math.inf, math.nan])
_sample = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, _number))
_step_ms = st.sampled_from([1, 7, 20, 50, 99, 100, 101, 250, 1000, 2000, 2001, 9000, -50, -3000])


@st.composite
def recordings(draw: st.DrawFn) -> list[Row]:
    """Rows with steps of every kind: short, at heartbeats, gaps, backwards; values of every kind."""
    t_ms, rows = 5000, []
    for step_ms, samples in draw(st.lists(st.tuples(_step_ms, _sample), max_size=40)):
        t_ms = max(0, t_ms + step_ms)
        rows.append(Row(t_ms * MS, samples))
    return rows


@settings(max_examples=50)
@given(recordings(), st.lists(st.integers(0, 40), max_size=5))
def test_chunks_give_what_the_whole_gives(rows: list[Row], cuts: list[int]) -> None:
    whole, chunked = Interpreter(PROGRAM), Interpreter(PROGRAM)
    edges = [0, *sorted(cuts), len(rows)]
    pieces = [firing for a, b in pairwise(edges) for firing in chunked.run(rows[a:b])]
    assert pieces == whole.run(rows)
    assert chunked.suppressed == whole.suppressed


@settings(max_examples=50)
@given(recordings(), st.integers(0, 40))
def test_a_restored_evaluator_goes_on_as_the_saved_one(rows: list[Row], cut: int) -> None:
    saved, uninterrupted = Evaluator(MODULE), Interpreter(PROGRAM)
    before = saved.run(rows[:cut])
    restored = Evaluator(MODULE)
    restored.restore(saved.save())
    assert restored.save() == saved.save()
    assert before + restored.run(rows[cut:]) == uninterrupted.run(rows)
    assert restored.suppressed == uninterrupted.suppressed


@settings(max_examples=50)
@given(recordings(), st.integers(0, len(CONDITIONS) - 1))
def test_a_trigger_fires_in_the_same_way_alone_and_among_others(rows: list[Row], index: int) -> None:
    alone = Interpreter(ir_of(CONDITIONS[index], cooldown=f"{index % 3 * 300} ms"))
    together = [firing.t_ns for firing in Interpreter(PROGRAM).run(rows) if firing.trigger == f"t{index}"]
    assert [firing.t_ns for firing in alone.run(rows)] == together


@settings(max_examples=50)
@given(recordings())
def test_fires_are_in_order_of_time_within_a_segment_and_repeatable(rows: list[Row]) -> None:
    first = Interpreter(PROGRAM).run(rows)
    assert first == Interpreter(PROGRAM).run(rows)
    if all(a.t_ns < b.t_ns for a, b in pairwise(rows)):
        assert [f.t_ns for f in first] == sorted(f.t_ns for f in first)


def test_nothing_is_evaluated_after_the_last_row_of_a_drive_even_after_a_restart() -> None:
    held = ir_of("x > 0.5 for 300 ms")
    module = machine.load(emit(held))
    drive = [Row(0, {"x": 0.0}), Row(100 * MS, {"x": 1.0})]
    later = [Row(60_000 * MS, {"x": 0.0})]
    assert [f.t_ns for f in Interpreter(held).run(drive + later)] == [400 * MS]
    ended, saved = Interpreter(held), Evaluator(module)
    assert ended.run(drive) == saved.run(drive) == []
    ended.end_drive()
    saved.end_drive()
    restored = Evaluator(module)
    restored.restore(saved.save())
    assert ended.run(later) == restored.run(later) == []
    assert ended.run([Row(60_100 * MS, {"x": 1.0}), Row(60_400 * MS, {"x": 1.0})]) == [Firing("t", 60_400 * MS)]
