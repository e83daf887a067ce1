"""The ticks around a moment are those of the whole trace, however it is cut into blocks."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from tests.triggers.trace.made import cut, made
from triggers.trace.around import Around


@pytest.mark.parametrize("seed", range(30))
def test_they_are_the_nearest_on_either_side(seed: int) -> None:
    random = Random(seed)
    whole = made(random, random.randint(1, 30), 2)
    at_ns = random.randint(-5, int(whole.t_ns[-1]) + 5)
    around = Around(2, at_ns, 4)
    for block in cut(random, whole):
        around.take(block)
    at = max(int((whole.t_ns <= at_ns).sum()) - 1, 0)
    for count in range(5):
        found, expected = around.ticks(count), whole.cut(max(at - count, 0), at + count + 1)
        assert found.t_ns.tolist() == expected.t_ns.tolist()
        assert found.fires.tolist() == expected.fires.tolist()
        assert np.array_equal(found.values, expected.values, equal_nan=True)


def test_there_are_none_where_no_tick_has_come() -> None:
    assert len(Around(2, 0, 4).ticks(4).t_ns) == 0
