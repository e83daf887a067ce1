"""`prev` gives what the interpreter's operator gives, at every tick."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.webassembly.harness import Block, assert_agrees, make_node, recordings, word_changes
from triggers.language.ir import Kind
from triggers.language.webassembly.kernels.table import KERNELS


@pytest.mark.parametrize("kind", list(Kind))
@given(data=st.data())
@settings(max_examples=100)
def test_prev_agrees_with_the_interpreter(kind: Kind, data: st.DataObject) -> None:
    assert_agrees(KERNELS[f"prev_{kind}"], make_node("prev", (kind,)), (kind,), data.draw(recordings((kind,), 1000)))


def test_prev_of_a_condition_agrees_where_words_begin() -> None:
    for values in word_changes():
        ticks = range(len(values))
        fresh = [index % 3 != 1 for index in ticks]
        blocks = [Block([10 * index for index in ticks], [True] * len(values), fresh, (values,))]
        assert_agrees(KERNELS["prev_bool"], make_node("prev", (Kind.BOOL,)), (Kind.BOOL,), blocks)
