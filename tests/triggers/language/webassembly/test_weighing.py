"""A machine weighs how long conditions are true, false and unknown as the reference interpreter's values say."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest

from tests.triggers.language.randomised.agreement import Case, Pieces, object_columns
from tests.triggers.language.randomised.tracing import traced
from tests.triggers.language.randomised.weighing import weights_by_hand
from triggers.language.compile import compile_source
from triggers.language.graph import BEFORE, stages
from triggers.language.ir import Ir, Kind, Node, TriggerCode
from triggers.language.watched import watched
from triggers.language.webassembly.emitter import emit
from triggers.language.webassembly.host.machine import Machine, load
from triggers.signals.catalog import SignalCatalog

PROGRAMS = 90
SHARDS = 6


def joined(case: Case, random: Random) -> Case:
    """The case with a further trigger of all its conditions joined with `and`, half of them in an inner one."""
    ir = case.ir
    roots = [code.root for code in ir.triggers]
    random.shuffle(roots)
    inner, outer = tuple((roots * 2)[:2]), tuple(roots[2:] or roots)
    nodes = (*ir.nodes, Node("and", inner, (), Kind.BOOL))
    nodes = (*nodes, Node("and", (len(ir.nodes), *outer), (), Kind.BOOL))
    triggers = (*ir.triggers, TriggerCode("joined", len(ir.nodes) + 1, 0))
    other = replace(case)
    if any(item.type == "objects" for item in ir.inputs) and stages(nodes, range(len(nodes)))[len(ir.nodes)] == BEFORE:
        return case  # a node that would have to stand before those of the lists
    vars(other)["ir"] = replace(ir, nodes=nodes, triggers=triggers)
    return other


def weighing(ir: Ir, max_chunk: int) -> Machine:
    machine = Machine(load(emit(ir, max_chunk=max_chunk)))
    machine.weigh(watched(ir))
    return machine


def run(machine: Machine, case: Case, cuts: tuple[int, ...]) -> None:
    for start, stop in pairwise((0, *cuts, len(case.recording))):
        piece = case.recording.cut(start, stop)
        columns = [piece.columns.get(item.name) for item in case.ir.inputs]
        machine.run(piece.t_ns, columns, object_columns(case.ir, piece))


@pytest.mark.parametrize("shard", range(SHARDS))
def test_weights_are_those_of_the_interpreters_values_however_a_recording_is_cut(shard: int) -> None:
    found_parts = found_unknown = 0
    for seed in range(shard, PROGRAMS, SHARDS):
        random = Random(7_000_000 + seed)
        case = Case.random(random, rows=random.choice((60, 200, 500)), triggers=5, depth=3)
        case = joined(case, random)
        trace = traced(case.ir, case.recording)
        expected, longer = (
            weights_by_hand(case.ir, watched(case.ir), case.recording, trace, longer_ns) for longer_ns in (0, 7)
        )
        pieces = Pieces.random(random, len(case.recording))
        for max_chunk, cuts in ((4096, ()), (64, ()), (4096, pieces.cuts)):
            machine = weighing(case.ir, max_chunk)
            run(machine, case, cuts)
            assert machine.weights == expected, f"seed {seed}, blocks of {max_chunk}, cut at {cuts}"
            assert machine.weights_if_longer(7) == longer
        found_parts += sum(each.closest is not None for each in expected.values())
        found_unknown += sum(any(each.unknown_with_ns) for each in expected.values())
    assert found_parts > 2
    assert found_unknown > 2


def test_long_dense_recordings_are_weighed_alike() -> None:
    random = Random(-77)
    case = joined(Case.random(random, rows=6000, triggers=4, depth=3), random)
    machine = weighing(case.ir, 4096)
    run(machine, case, ())
    trace = traced(case.ir, case.recording)
    assert machine.weights == weights_by_hand(case.ir, watched(case.ir), case.recording, trace)


def test_a_reset_begins_the_weights_again() -> None:
    case = Case.random(Random(3), rows=300)
    machine = weighing(case.ir, 4096)
    run(machine, case, ())
    first = machine.weights
    machine.reset()
    assert all(each.condition.total_ns == 0 for each in machine.weights.values())
    run(machine, case, ())
    assert machine.weights == first


def test_a_machine_that_is_not_asked_weighs_nothing() -> None:
    case = Case.random(Random(4), rows=300)
    machine = Machine(load(emit(case.ir)))
    run(machine, case, ())
    assert machine.weights == {}


CATALOG = SignalCatalog.parse("signals: {x: {rate: 10}, y: {rate: 10}, p: {type: bool, rate: 10}}", name="c")


@pytest.mark.parametrize(
    ("condition", "parts"),
    [
        ("x > 1 and p", 2),
        ("x > 1", 0),
        ("both and y < 2", 3),
        ("x between 1 and 2 and p", 2),
        ("x between 1 and 2", 0),
        ("changed(x) from 1 to 2 and p and y > 2", 3),
        ("changed(x) from 1 to 2", 0),
        ("fall(x == 1) and rise(y == 2)", 2),
        ("fall(x > 1) and rise(x > 2)", 2),
        ("x > 1 or p", 0),
        ("(x > 1 and p) for 1 s", 0),
        ("x > 1 and (p or (y > 1 and x > 3))", 2),
    ],
)
def test_the_parts_of_a_condition_are_what_its_author_joined_with_and(condition: str, parts: int) -> None:
    text = f"let both = x > 1 and p\ntrigger t {{ when {condition} }}"
    compilation = compile_source(text, filename="f", catalog=CATALOG)
    assert compilation.triggers is not None
    (found,) = watched(compilation.triggers.ir)
    assert len(found.parts) == parts


@pytest.mark.parametrize(
    "asked", ["missing(x)", "age(x) > 1 s", "samples(x over 2 s) > 3", "default(x, 0) > 1", "default(x, y) > 1"]
)
def test_a_signal_that_a_condition_only_asks_about_is_not_needed(asked: str) -> None:
    compilation = compile_source(f"trigger t {{ when {asked} and y > 1 }}", filename="f", catalog=CATALOG)
    assert compilation.triggers is not None
    ir = compilation.triggers.ir
    (found,) = watched(ir)
    assert [ir.inputs[index].name for index in found.signals] == ["y"]
