"""Where rows become blocks of ticks: cases that random recordings hit only rarely."""

from __future__ import annotations

from tests.triggers.language.support import MS, ir_of
from triggers.language.reference.interpreter import Interpreter
from triggers.language.rows import Firing, Row
from triggers.language.webassembly.emitter import emit
from triggers.language.webassembly.host.evaluator import Evaluator


def test_a_cooldown_keeps_its_remaining_time_when_time_jumps_back_after_rows_without_a_tick() -> None:
    code = ir_of("p", cooldown="1 s")
    before = [Row(0, {"p": 0.0}), Row(100 * MS, {"p": 1.0})]
    silent = [Row(t_ms * MS, {}) for t_ms in (110, 150, 190)]
    samples = ((50, 0.0), (900, 1.0), (950, 0.0), (970, 1.0))
    after = [*silent, *(Row(t_ms * MS, {"p": value}) for t_ms, value in samples)]
    module, interpreter = Evaluator(emit(code)), Interpreter(code)
    fires = module.run(before) + module.run(after)
    assert fires == [Firing("t", 100 * MS), Firing("t", 970 * MS)] == interpreter.run([*before, *after])
    assert module.suppressed == {"t": 1} == interpreter.suppressed


def test_a_call_of_many_short_segments_ends() -> None:
    code = ir_of("p")
    rows = [Row((3000 * i + 100 * j) * MS, {"p": float(j)}) for i in range(100) for j in range(2)]
    fires = Evaluator(emit(code)).run(rows)
    assert fires == Interpreter(code).run(rows)
    assert len(fires) == 100
