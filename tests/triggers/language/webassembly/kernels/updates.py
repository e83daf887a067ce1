"""Segments in which every tick is an update tick, also such as glitches stand in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from hypothesis import strategies as st

from tests.triggers.language.webassembly.harness import Block
from triggers.language.reference.values import Value


def updates(
    values: list[Value], *, times_ns: Sequence[int] | None = None, step_ns: int = 100, start_ns: int = 0
) -> Block:
    """A segment's block with a new sample at every tick, `step_ns` apart unless `times_ns` says when."""
    count = len(values)
    times_ns = times_ns or [start_ns + index * step_ns for index in range(count)]
    return Block(times_ns, [True] * count, [True] * count, (values,), begins=True)


@dataclass(frozen=True)
class Glitched:
    """200 numbers around 10 with glitches among the first 61 of them, and the length of a window over them."""

    times_ns: list[int]
    numbers: list[float]
    last: int
    """The index of the last glitch; 0 without any."""
    window_ns: int

    @property
    def block(self) -> Block:
        """All of it, as one segment."""
        return updates(list(self.numbers), times_ns=self.times_ns)


def glitched(sizes: Sequence[float]) -> st.SearchStrategy[Glitched]:
    """Segments with at most eight glitches of these sizes and either sign."""

    def made(glitches: dict[int, tuple[float, float]], steps: list[int], length: int, seed: int) -> Glitched:
        random, times_ns = Random(seed), list(accumulate(steps))
        numbers = [random.gauss(10, 1) for _ in times_ns]
        for place, (size, sign) in glitches.items():
            numbers[place] = size * sign
        return Glitched(times_ns, numbers, max(glitches, default=0), 100 * length)

    signed = st.tuples(st.sampled_from(sizes), st.sampled_from((1.0, -1.0)))
    return st.builds(
        made,
        glitches=st.dictionaries(st.integers(0, 60), signed, max_size=8),
        steps=st.lists(st.sampled_from((20, 100, 100, 330)), min_size=200, max_size=200),
        length=st.integers(1, 20),
        seed=st.integers(0, 1 << 32),
    )
