"""`for at most`, `then ... after`, `since` and `latch` give what the interpreter gives, at every tick."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.webassembly.harness import Block, assert_agrees, make_node, word_changes
from tests.triggers.language.webassembly.held import held_recordings
from triggers.language.ir import Kind
from triggers.language.webassembly.kernels.table import KERNELS

SPAN_NS = 3000
ONE, TWO = (Kind.BOOL,), (Kind.BOOL, Kind.BOOL)
TIMES_NS = (1, SPAN_NS // 10, SPAN_NS, 7 * SPAN_NS)


@given(data=st.data())
@settings(max_examples=200)
def test_a_short_run_agrees_with_the_interpreter(data: st.DataObject) -> None:
    most_ns, tolerate_ns = (data.draw(st.sampled_from(TIMES_NS)) for _ in range(2))
    node = make_node("for_at_most", ONE, most_ns=most_ns, tolerate_ns=data.draw(st.sampled_from((0, tolerate_ns))))
    assert_agrees(KERNELS["for_at_most"], node, ONE, data.draw(held_recordings(ONE, SPAN_NS)))


@given(data=st.data())
@settings(max_examples=150)
def test_then_after_agrees_with_the_interpreter(data: st.DataObject) -> None:
    after_ns, within_ns = sorted(data.draw(st.tuples(st.sampled_from(TIMES_NS), st.sampled_from(TIMES_NS))))
    node = make_node("then_after", TWO, after_ns=after_ns, within_ns=within_ns)
    assert_agrees(KERNELS["then_after"], node, TWO, data.draw(held_recordings(TWO, SPAN_NS)))


@pytest.mark.parametrize("op", ["since", "latch"])
@given(data=st.data())
@settings(max_examples=200)
def test_since_and_latch_agree_with_the_interpreter(op: str, data: st.DataObject) -> None:
    assert_agrees(KERNELS[op], make_node(op, TWO), TWO, data.draw(held_recordings(TWO, SPAN_NS)))


@given(data=st.data())
@settings(max_examples=200)
def test_since_within_agrees_with_the_interpreter(data: st.DataObject) -> None:
    node = make_node("since_within", TWO, within_ns=data.draw(st.sampled_from(TIMES_NS)))
    assert_agrees(KERNELS["since_within"], node, TWO, data.draw(held_recordings(TWO, SPAN_NS)))


@pytest.mark.parametrize("op", ["for_at_most", "since", "since_within", "latch"])
def test_what_changes_where_a_word_begins_is_seen(op: str) -> None:
    parameters = {
        "for_at_most": {"most_ns": 640, "tolerate_ns": 640},
        "since_within": {"within_ns": 650},
    }.get(op, {})
    kinds = ONE if op == "for_at_most" else TWO
    for shift, values in enumerate(word_changes()):
        other = [*values[shift % 7 :], *values[: shift % 7]]
        always = [True] * len(values)
        blocks = [Block(range(0, 10 * len(values), 10), always, always, (other, values)[: len(kinds)])]
        assert_agrees(KERNELS[op], make_node(op, kinds, **parameters), kinds, blocks)


@pytest.mark.parametrize("gap", [1, 30, 31, 63, 64, 65, 130])
@pytest.mark.parametrize("late_ns", [-1, 0, 1])
def test_a_time_after_counts_exactly_from_its_tick(gap: int, late_ns: int) -> None:
    a, b = [False] * 62 + [True] * 200, [False] * (62 + gap) + [True] * (200 - gap)
    always = [True] * len(a)
    node = make_node("then_after", TWO, after_ns=10 * gap + late_ns, within_ns=10_000)
    assert_agrees(KERNELS["then_after"], node, TWO, [Block(range(0, 10 * len(a), 10), always, always, (a, b))])
