"""`for` gives what the interpreter gives, at every tick."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.webassembly.harness import Block, assert_agrees, make_node
from tests.triggers.language.webassembly.held import held_recordings
from triggers.language.ir import Kind
from triggers.language.webassembly.kernels.conditions.holds import KERNELS

BOOL = (Kind.BOOL,)
SPAN_NS = 3000


@given(data=st.data())
@settings(max_examples=300)
def test_a_hold_agrees_with_the_interpreter(data: st.DataObject) -> None:
    hold_ns = data.draw(st.sampled_from((0, 1, SPAN_NS // 3, SPAN_NS, 7 * SPAN_NS)))
    node = make_node("for", BOOL, hold_ns=hold_ns, tolerate_ns=0)
    assert_agrees(KERNELS["for"], node, BOOL, data.draw(held_recordings(BOOL, SPAN_NS)))


@given(data=st.data())
@settings(max_examples=200)
def test_a_tolerant_hold_agrees_with_the_interpreter(data: st.DataObject) -> None:
    hold_ns = data.draw(st.sampled_from((0, 1, SPAN_NS // 3, SPAN_NS, 7 * SPAN_NS)))
    tolerate_ns = data.draw(st.sampled_from((0, 1, SPAN_NS // 10, SPAN_NS, 1 << 62)))
    node = make_node("for", BOOL, hold_ns=hold_ns, tolerate_ns=tolerate_ns)
    assert_agrees(KERNELS["for_tolerating"], node, BOOL, data.draw(held_recordings(BOOL, SPAN_NS)))


@pytest.mark.parametrize("begin", [0, 1, 62, 63, 64, 65])
@pytest.mark.parametrize("ticks", [0, 1, 2, 62, 63, 64, 65, 128])
@pytest.mark.parametrize("late_ns", [-1, 0, 1])
def test_a_hold_across_words_is_true_exactly_from_its_time(begin: int, ticks: int, late_ns: int) -> None:
    values = [False] * begin + [True] * 250
    always = [True] * len(values)
    node = make_node("for", BOOL, hold_ns=max(0, 10 * ticks + late_ns), tolerate_ns=0)
    times_ns = range(0, 10 * len(values), 10)
    assert_agrees(KERNELS["for"], node, BOOL, [Block(times_ns, always, always, (values,))])
