"""`rise` and `fall` give what the interpreter gives, at every tick."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.webassembly.harness import Block, assert_agrees, make_node
from tests.triggers.language.webassembly.held import held, held_recordings
from triggers.language.ir import Kind
from triggers.language.webassembly.kernels.conditions.edges import KERNELS

BOOL = (Kind.BOOL,)


@pytest.mark.parametrize("op", ["rise", "fall"])
@given(data=st.data())
@settings(max_examples=200)
def test_edges_agree_with_the_interpreter(op: str, data: st.DataObject) -> None:
    assert_agrees(KERNELS[op], make_node(op, BOOL), BOOL, data.draw(held_recordings(BOOL, 3000)))


@pytest.mark.parametrize("op", ["rise", "fall"])
@pytest.mark.parametrize("change", [1, 2, 62, 63, 64, 65, 127, 128])
@pytest.mark.parametrize("unknown", [0, 1, 2, 63, 64, 65])
@pytest.mark.parametrize("pause", [1, 2, 63, 64, 65])
def test_an_edge_is_seen_over_an_unknown_stretch_and_stays_until_due(
    op: str, change: int, unknown: int, pause: int
) -> None:
    values = [op == "fall"] * change + [None] * unknown + [op == "rise"] * 200
    due = [index <= change + unknown or (index - change - unknown) % pause == 0 for index in range(len(values))]
    blocks = [
        Block(
            range(start, start + 100),
            due[start : start + 100],
            due[start : start + 100],
            (values[start : start + 100],),
        )
        for start in range(0, len(values) - 99, 100)
    ]
    assert_agrees(KERNELS[op], make_node(op, BOOL), BOOL, held(blocks))
