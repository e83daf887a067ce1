"""Made blocks of a trace, as a run gives them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from random import Random

import numpy as np

from triggers.trace.run import TraceBlock


def made(random: Random, ticks: int, parts: int, steps_ns: Sequence[int] = (1, 3, 10, 40)) -> TraceBlock:
    """Ticks in random steps, from 0 on, at which each part is 1, or now and then another number or unknown."""
    t_ns = np.cumsum([0, *(random.choice(steps_ns) for _ in range(ticks - 1))])
    other = (np.nan, 0.0, -2.5, 7.0)
    rows = [[random.choice(other) if random.random() < 0.4 else 1.0 for _ in t_ns] for _ in range(parts)]
    return TraceBlock(t_ns, [np.array(row) for row in rows], np.array([random.random() < 0.1 for _ in t_ns]))


def cut(random: Random, whole: TraceBlock) -> Iterator[TraceBlock]:
    """The same ticks in blocks, of which some are empty."""
    ends = sorted(random.choices(range(len(whole.t_ns) + 1), k=random.randint(0, 6)))
    for start, end in pairwise((0, *ends, len(whole.t_ns))):
        yield whole.cut(start, end)


def many(blocks: int, ticks: int, parts: int) -> Iterator[TraceBlock]:
    """Blocks of an even rate, one per ms, as they come: no more than one of them is in memory."""
    for block in range(blocks):
        t_ns = (np.arange(ticks) + block * ticks) * 1_000_000
        yield TraceBlock(t_ns, [np.sin(t_ns / 1e9 + part) for part in range(parts)], np.zeros(ticks, np.bool_))
