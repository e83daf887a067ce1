"""`compare H.F`: the heads of a program, which ticks are pairs, and counts that nothing loses."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import astuple
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.support import MS, Samples, merged, rows
from triggers.contracts.compared import Compared
from triggers.language.compile import Compilation, compile_source
from triggers.language.ir import CompareCode, Ir
from triggers.language.reference.interpreter import Interpreter
from triggers.language.rows import Row
from triggers.language.text.diagnostics import render_all
from triggers.language.webassembly.emitter import emit
from triggers.language.webassembly.host import machine
from triggers.language.webassembly.host.evaluator import Evaluator
from triggers.signals.catalog import SignalCatalog

CATALOG = SignalCatalog.parse(
    """
max_gap: 2.0
signals:
  x: {rate: 10}
  active.h: {type: bool, rate: 20}
  shadow.h: {type: bool, rate: 10}
  active.k.f: {type: bool, rate: 10}
  shadow.k.f: {type: bool, rate: 10}
""",
    name="test catalog",
)
SKEW_NS = 50 * MS
A, S = "active.h", "shadow.h"
COMPARING = "campaign c { compare h budget 1 clips }"
AMONG_OTHERS = "trigger t { when x > 1 for 300 ms or disagree(h) }\ncampaign c { collect t compare h budget 1 clips }"


def compiled(source: str) -> Compilation:
    result = compile_source(source, filename="test", catalog=CATALOG)
    assert result.ok, render_all(result.diagnostics)
    return result


def of_campaign(source: str, name: str = "c") -> Ir:
    return compiled(source).campaigns[name].ir


@cache
def _module(source: str) -> machine.LoadedModule:
    return machine.load(emit(of_campaign(source)))


def of_file(source: str) -> Ir:
    triggers = compiled(source).triggers
    assert triggers is not None
    return triggers.ir


def signals(ir: Ir, code: CompareCode) -> tuple[str, str]:
    """The names of the two signals that a compare reads."""
    nodes = (ir.nodes[code.active], ir.nodes[code.shadow])
    active, shadow = (ir.inputs[node.integer("input")].name for node in nodes)
    return active, shadow


def counted(samples: Samples) -> tuple[int, ...]:
    """Pairs of `h`: 00, 01, 10, 11 and unknown."""
    evaluator = Interpreter(of_campaign(COMPARING))
    evaluator.run(rows(samples))
    return astuple(evaluator.compared["h"])


# What a program compares.


def test_a_campaign_of_compares_only_reads_its_heads_and_nothing_else() -> None:
    source = "trigger t { when x > 1 }\ncampaign c { compare k.f, h budget 1 clips }"
    ir = of_campaign(source)
    assert ir.triggers == ()
    assert {item.name for item in ir.inputs} == {A, S, "active.k.f", "shadow.k.f"}
    assert [code.head for code in ir.compares] == ["k.f", "h"]
    assert [signals(ir, code) for code in ir.compares] == [("active.k.f", "shadow.k.f"), (A, S)]
    assert [code.skew_ns for code in ir.compares] == [SKEW_NS, SKEW_NS], "half the longer period"


def test_a_trigger_and_a_compare_share_the_signals_they_read() -> None:
    ir = of_campaign("trigger t { when disagree(h) }\ncampaign c { collect t compare h budget 1 clips }")
    assert [node.op for node in ir.nodes] == ["input", "input", "disagree"]
    (code,) = ir.compares
    assert (code.active, code.shadow) == ir.nodes[2].arguments
    assert code.skew_ns == ir.nodes[2].parameter("skew_ns")


def test_a_files_program_compares_each_head_of_its_campaigns_once() -> None:
    source = """
    trigger t { when x > 1 }
    campaign a { collect t compare k.f budget 1 clips }
    campaign b { compare h, k.f budget 1 clips }
    """
    assert [code.head for code in of_file(source).compares] == ["k.f", "h"]
    assert [code.head for code in of_campaign(source, "a").compares] == ["k.f"]
    assert of_file("trigger t { when x > 1 }").compares == ()


# What it counts.


def test_pairs_are_counted_by_their_two_values_active_first() -> None:
    values = [(0, 0)] * 1 + [(0, 1)] * 2 + [(1, 0)] * 3 + [(1, 1)] * 4
    assert counted({100 * i: {A: a, S: s} for i, (a, s) in enumerate(values)}) == (1, 2, 3, 4, 0)


def test_samples_further_apart_than_the_skew_are_not_a_pair() -> None:
    assert counted({0: {A: 1}, 50: {S: 1}}) == (0, 0, 0, 1, 0)
    assert counted({0: {A: 1}, 51: {S: 1}}) == (0, 0, 0, 0, 0)


def test_a_heartbeat_or_a_row_without_a_sample_of_the_two_is_not_a_new_pair() -> None:
    assert counted({0: {A: 1, S: 1}, 20: {}, 40: {"x": 3.0}, 250: {}}) == (0, 0, 0, 1, 0)


def test_heads_that_arrive_apart_are_counted_at_the_later_sample_of_each_pair() -> None:
    active = {100 * i: {A: float(i % 2)} for i in range(10)}
    shadow = {100 * i + 5: {S: float(i % 2)} for i in range(10)}
    assert counted(merged(active, shadow)) == (5, 0, 0, 5, 0), "the arrival of the first alone is not a disagreement"


def test_each_sample_of_the_faster_side_near_one_of_the_slower_is_a_pair() -> None:
    assert counted({0: {A: 0, S: 0}, 50: {A: 1}, 100: {A: 0, S: 0}, 150: {A: 0}}) == (3, 0, 1, 0, 0)


@pytest.mark.parametrize("invalid", [{A: math.inf, S: 1.0}, {A: 0.0, S: -math.inf}, {A: math.inf, S: math.inf}])
def test_a_pair_with_an_unknown_value_counts_as_unknown(invalid: dict[str, float]) -> None:
    assert counted({0: invalid}) == (0, 0, 0, 0, 1)


def test_samples_of_two_segments_are_not_a_pair_and_counts_survive_them() -> None:
    evaluator = Interpreter(of_campaign(COMPARING))
    evaluator.run([Row(0, {A: 1.0, S: 1.0}), Row(3000 * MS, {A: 0.0})])
    evaluator.run([Row(2990 * MS, {S: 0.0}), Row(2991 * MS, {A: 0.0})])
    evaluator.end_drive()
    evaluator.run([Row(2992 * MS, {S: 1.0})])
    assert evaluator.compared == {"h": Compared(neither=1, both=1)}


def test_a_restored_evaluator_counts_on() -> None:
    evaluator, restored = Evaluator(_module(COMPARING)), Evaluator(_module(COMPARING))
    evaluator.run([Row(0, {A: 1.0, S: 0.0})])
    restored.restore(evaluator.save())
    restored.run([Row(20 * MS, {S: 1.0})])
    assert restored.compared == {"h": Compared(only_active=1, both=1)}


_value = st.sampled_from([0.0, 1.0, 1.0, math.inf, math.nan])
_row = st.tuples(
    st.sampled_from([1, 20, 49, 50, 51, 100, 1000, 2000, 2001, -30]),
    st.fixed_dictionaries({}, optional={A: _value, S: _value, "x": st.just(2.0)}),
)


def _by_definition(recording: Iterable[Row]) -> list[int]:
    """The five counts by what the language says a pair is; no value here expires while it can be part of one."""
    counts, latest, previous_ns = [0] * 5, dict[str, tuple[int, float]](), -1
    for row in recording:
        if not previous_ns < row.t_ns <= previous_ns + CATALOG.max_gap_ns:
            latest.clear()
        previous_ns = row.t_ns
        new = {name: (row.t_ns, v) for name, v in row.samples.items() if name in (A, S) and not math.isnan(v)}
        latest |= new
        if new and len(latest) == 2 and abs(latest[A][0] - latest[S][0]) <= SKEW_NS:
            values = (latest[A][1], latest[S][1])
            counts[4 if math.inf in values else round(2 * values[0] + values[1])] += 1
    return counts


@settings(max_examples=100)
@given(st.lists(_row, max_size=60), st.integers(0, 60), st.booleans())
def test_random_recordings_are_counted_by_the_definition(
    steps: list[tuple[int, dict[str, float]]], cut: int, among_others: bool
) -> None:
    t_ms, recording = 1000, []
    for step_ms, samples in steps:
        t_ms += step_ms
        recording.append(Row(t_ms * MS, samples))
    source = AMONG_OTHERS if among_others else COMPARING
    whole = Interpreter(of_campaign(source))
    whole.run(recording)
    first, second = Evaluator(_module(source)), Evaluator(_module(source))
    first.run(recording[:cut])
    second.restore(first.save())
    second.run(recording[cut:])
    for evaluator in (whole, second):
        assert list(astuple(evaluator.compared["h"])) == _by_definition(recording)
