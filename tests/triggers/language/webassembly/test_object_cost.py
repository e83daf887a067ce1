"""The cost of conditions on objects: stated for as many as a list keeps apart, taken by those that are present."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from tests.triggers.language.object_programs import KEY, KIND, MS, X, above, field, list_input, program
from tests.triggers.language.randomised.agreement import object_columns
from tests.triggers.language.randomised.objects.graphs import random_object_program
from tests.triggers.language.randomised.objects.samples import recording_of
from tests.triggers.language.webassembly.measured import beats_of, fuel_of_module
from triggers.language.graph import Graph
from triggers.language.ir import Ir
from triggers.language.rows import HEARTBEAT_NS
from triggers.language.webassembly.cost import cost_of
from triggers.language.webassembly.emitter import emit
from triggers.signals.object_columns import ObjectColumn


@pytest.mark.parametrize("seed", range(24))
def test_conditions_on_objects_take_no_more_than_the_model_says(seed: int) -> None:
    random = Random(seed)
    ir = random_object_program(random)
    recording = recording_of(random, ir, 300)
    objects = object_columns(ir, recording)
    blank = np.full(len(recording), np.nan)
    columns = [recording.columns.get(item.name, blank) for item in ir.inputs]
    fuel, calls = fuel_of_module(emit(ir), recording.t_ns, columns, random.choice((64, 300)), objects)
    beats, segments = beats_of(recording.t_ns, ir.max_gap_ns, HEARTBEAT_NS)
    ticks = len(recording) + beats
    samples = sum(int(each.is_sample.sum()) for each in objects)
    cost = cost_of(ir)
    blocks = calls + ticks // 64 + segments + samples
    bound = blocks * cost.operations_per_block + ticks * cost.operations_per_tick[1]
    assert fuel <= bound + (1 + samples) * cost.burst_operations


def following(present: int, most: int, *, new: bool = False) -> int:
    """Instructions per sample of three conditions on so many objects that are there all the time, or always new."""
    rows, fields = 400, 3
    keys = np.arange(rows * present) if new else np.tile(np.arange(present), rows)
    column = ObjectColumn(
        np.arange(rows + 1) * present,
        np.ones(rows, np.bool_),
        keys,
        tuple(np.ones(rows * present) for _ in range(fields)),
    )
    t_ns = np.arange(1, rows + 1, dtype=np.int64) * 50 * MS
    fuel, _ = fuel_of_module(emit(three_conditions(most)), t_ns, [np.full(rows, np.nan)], rows, [column])
    return fuel // rows


def three_conditions(most: int) -> Ir:
    """A hold, a window, and the nearest object."""

    def held(graph: Graph) -> int:
        node = graph.add("for", above(graph, field(graph), 0.0), hold_ns=300 * MS, tolerate_ns=0)
        return graph.add("any_object", node, input=0)

    def averaged(graph: Graph) -> int:
        mean = graph.add("window_avg", field(graph), window_ns=1000 * MS, capacity=40)
        return above(graph, graph.add("count_objects", above(graph, mean, 2.0), input=0), 3.0)

    def nearest(graph: Graph) -> int:
        of_kind = graph.add("eq", field(graph, KIND), graph.add("number", value=1.0))
        node = graph.add("nearest_object", field(graph, X), of_kind, field(graph, KEY), input=0)
        return above(graph, node, 7.0)

    return program((list_input(most=most),), held, averaged, nearest)


def test_what_is_taken_follows_the_objects_that_are_present() -> None:
    few, many = following(3, 64), following(64, 64)
    assert few < 0.12 * many, "three of 64 are nearly 3 / 64 of the work"
    assert few < 1.3 * following(3, 4), "empty slots cost next to nothing"
    assert many < cost_of(three_conditions(64)).operations_per_tick[1]


def test_objects_that_are_always_new_take_no_more_than_blocks_and_bursts() -> None:
    cost = cost_of(three_conditions(16))
    assert following(16, 16, new=True) < sum(
        (cost.operations_per_tick[1], cost.operations_per_block, cost.burst_operations)
    )


def test_the_state_is_that_of_as_many_objects_as_the_list_keeps_apart() -> None:
    small, large = (cost_of(three_conditions(most)).state_bytes for most in (16, 31))
    held, averaged, fields, flag = 4 * 8, 16 * 40, 2 * 8, 8
    per_object = 2 * 8 + held + averaged + fields + flag
    assert (large - small) / 15 >= per_object, "times and keys, a hold, a window, and fields of the latest sample"
    assert large - small < 15 * (per_object + 200)
