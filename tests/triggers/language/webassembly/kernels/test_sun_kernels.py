"""The kernels of the sun give what the interpreter gives, at any time and place."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triggers.language.webassembly.harness import Block, assert_agrees, make_node
from triggers.language.ir import Kind
from triggers.language.sun import DAY_NS, FIRST_NS
from triggers.language.webassembly.kernels.samples.sun import KERNELS

N = Kind.NUMBER
_times = st.one_of(
    st.integers(0, 2**63 - 1),
    st.integers(FIRST_NS - 5, FIRST_NS + 50 * 366 * DAY_NS),
    st.integers(0, 30_000).map(lambda days: days * DAY_NS),
)
_degrees = st.one_of(st.none(), st.floats(-91, 91), st.floats(-361, 361), st.sampled_from((0.0, -0.0, 90.0, -1e-20)))
_ticks = st.lists(st.tuples(_times, _degrees, _degrees, st.booleans()), min_size=1, max_size=200)


@pytest.mark.parametrize(("name", "arguments"), [("solar_time", 1), ("sun_elevation", 2)])
@given(ticks=_ticks)
def test_each_agrees_with_the_interpreter(
    name: str, arguments: int, ticks: Sequence[tuple[int, float | None, float | None, bool]]
) -> None:
    times, latitudes, longitudes, due = map(list, zip(*ticks, strict=True))
    due[0] = True
    block = Block(times, due, [True] * len(ticks), (latitudes, longitudes)[2 - arguments :], begins=True)
    assert_agrees(KERNELS[name], make_node(name, (N,) * arguments), (N,) * arguments, [block])
