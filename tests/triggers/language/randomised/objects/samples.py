"""Random recordings of the signals and lists of objects of a program that was built as a graph."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from random import Random

import numpy as np

from tests.triggers.language.randomised.objects.tracker import Tracker
from tests.triggers.language.randomised.recordings import Recording, random_times
from triggers.language.ir import Input, Ir
from triggers.signals.objects import ObjectSample

_NUMBERS = (-2.0, -1.0, -0.0, 0.0, 0.5, 1.0, 1.0, 2.0, 3.0)


def recording_of(random: Random, ir: Ir, rows: int) -> Recording:
    """About so many rows with samples of a program's signals and lists."""
    sources = [_source(random, item) for item in ir.inputs]
    times: list[int] = []
    table: list[list[float | ObjectSample | None]] = []
    for at_ns, present in random_times(random, len(sources), rows, ir.max_gap_ns):
        times.append(at_ns)
        table.append([source() if here else None for source, here in zip(sources, present, strict=True)])
    columns = dict(zip([item.name for item in ir.inputs], zip(*table, strict=True), strict=True))
    lists = {item.name for item in ir.inputs if item.type == "objects"}
    return Recording(
        np.array(times, np.int64),
        {
            name: np.array([nan if each is None else each for each in column], np.float64)
            for name, column in columns.items()
            if name not in lists
        },
        {name: [_sample(each) for each in columns[name]] for name in columns if name in lists},
    )


def _sample(given: float | ObjectSample | None) -> ObjectSample | None:
    return given if isinstance(given, ObjectSample) else None


def _source(random: Random, item: Input) -> Callable[[], float | ObjectSample]:
    if item.type == "objects":
        return Tracker(random, item).sample
    if item.type == "bool":
        return lambda: float(random.random() < 0.5)
    return lambda: inf if random.random() < 0.03 else random.choice(_NUMBERS)
