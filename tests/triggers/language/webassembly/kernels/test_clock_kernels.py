"""`every` gives what the interpreter gives, at every tick."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.webassembly.harness import Block, assert_agrees, make_node, recordings
from triggers.language.webassembly.kernels.conditions.clocks import KERNELS

SPAN_NS = 3000


@given(data=st.data())
@settings(max_examples=200)
def test_every_agrees_with_the_interpreter(data: st.DataObject) -> None:
    period_ns = data.draw(st.sampled_from((1, SPAN_NS // 10, SPAN_NS // 3 + 1, SPAN_NS, 7 * SPAN_NS)))
    node = make_node("every", (), period_ns=period_ns)
    assert_agrees(KERNELS["every"], node, (), data.draw(recordings((), SPAN_NS)))


@pytest.mark.parametrize("ticks", [2, 3, 31, 62, 63, 64, 65, 128, 129])
@pytest.mark.parametrize("late_ns", [-1, 0, 1])
def test_a_multiple_counts_from_its_own_tick_at_any_place_of_a_word(ticks: int, late_ns: int) -> None:
    always = [True] * 300
    node = make_node("every", (), period_ns=10 * ticks + late_ns)
    assert_agrees(KERNELS["every"], node, (), [Block(range(0, 3000, 10), always, always, ())])
