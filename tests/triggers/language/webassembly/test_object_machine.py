"""Hosts and lists of objects: what a manifest may say of them, buffers that fill up, and what was left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest

from tests.triggers.language.object_programs import X, field, list_input, objects, program, rows, signal
from tests.triggers.language.reference.test_objects import any_held
from triggers.errors import InvalidInput
from triggers.language.graph import Graph
from triggers.language.ir import Kind
from triggers.language.rows import Row
from triggers.language.webassembly.emitter import emit
from triggers.language.webassembly.host.evaluator import Evaluator
from triggers.language.webassembly.host.machine import Machine, load
from triggers.language.webassembly.host.manifest import SECTION, read_manifest
from triggers.language.webassembly.host.sections import custom_section, with_custom_section
from triggers.signals.object_columns import ObjectColumn
from triggers.signals.objects import ObjectSample


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    """A module with a list, and another manifest."""
    module = emit(any_held(64))
    manifest = json.loads(custom_section(module, SECTION) or b"")
    change(manifest)
    return with_custom_section(module, SECTION, json.dumps(manifest).encode())


def setting(*path: str | int, to: Any) -> Callable[[dict[str, Any]], None]:
    """A change of one thing that the manifest says of its list."""

    def change(manifest: Any) -> None:
        part = manifest["lists"][0]
        for step in path[:-1]:
            part = part[step]
        part[path[-1]] = to(part[path[-1]]) if callable(to) else to

    return change


def test_a_program_with_lists_has_a_format_of_its_own_and_tells_where_objects_go() -> None:
    manifest = read_manifest(emit(any_held(64)))
    (of_list,) = manifest.lists
    assert manifest.format == "longtail-program/4"
    assert (of_list.input, of_list.max_objects, of_list.left_out) == ("tracked", 64, of_list.left_out)
    assert [(item.name, item.column is not None) for item in of_list.fields] == [
        ("id", False), ("x", True), ("seen", False), ("kind", False),
    ]  # fmt: skip
    assert list(of_list.columns) == [0], "the place among the fields without the key"


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.update(format="longtail-program/3"),
        lambda manifest: manifest.update(format="longtail-program/2"),
        lambda manifest: manifest.update(lists=[]),
        lambda manifest: manifest["lists"].append(manifest["lists"][0]),
        lambda manifest: manifest["inputs"][0].update(type="number"),
        setting("input", to="other"),
        setting("max_objects", to=0),
        setting("max_objects", to=257),
        setting("capacity", to=63),
        setting("capacity", to=lambda objects: objects * 2),
        setting("starts", to=lambda at: at - 4096),
        setting("starts", to=2**31),
        setting("keys", to=lambda at: at - 4096),
        setting("keys", to=-8),
        setting("fields", 1, "column", to=lambda at: at - 8),
        setting("fields", 1, "column", to=2**28 - 8),
        setting("fields", 0, "column", to=0),
        setting("fields", 0, "type", to="number"),
        setting("fields", 2, "type", to="id"),
        setting("fields", to=[]),
        setting("left_out", to=0),
    ],
)
def test_what_makes_no_sense_of_a_list_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(InvalidInput):
        load(changed(change))


def test_a_list_is_given_as_it_is_declared() -> None:
    machine = Machine(load(emit(any_held(4))))
    t_ns = np.arange(2, dtype=np.int64)
    given = ObjectColumn.of([objects(k1=1), None], 3)
    for wrong in ([given, given], [given.part(slice(0, 1))], [ObjectColumn.of([None, None], 2)]):
        with pytest.raises(InvalidInput):
            machine.run(t_ns, [None], wrong)
    assert not len(machine.run(t_ns, [None], [given]))
    assert not len(machine.run(t_ns + 2, [None])), "a list without any sample"


def test_keys_that_are_no_integers_of_64_bits_are_refused() -> None:
    with pytest.raises(InvalidInput, match="a key is an int64"):
        Evaluator(emit(any_held(4))).run(rows({0: ObjectSample((1 << 63,), ((1.0, 1.0, 0.0),))}))


def test_objects_that_have_no_slot_are_counted_whatever_the_buffers_hold() -> None:
    many = ObjectSample(tuple(range(7)), ((2.0, 1.0, 0.0),) * 7)
    twice = ObjectSample((1, 1), ((2.0, 1.0, 0.0),) * 2)
    recording = rows({t_ms: many if t_ms % 20 else twice for t_ms in range(0, 1000, 10)})
    for capacity in (1, 5, 1000):
        evaluator = Evaluator(emit(any_held(4, hold_ms=0), object_capacity=capacity))
        evaluator.run(recording)
        assert evaluator.left_out == {"tracked": 50 * 3 + 50}


def test_a_saved_state_goes_on_with_its_objects() -> None:
    module, recording = emit(any_held(4)), rows({t_ms: objects(k1=2, k2=0) for t_ms in range(0, 400, 50)})
    assert [fire.t_ns // 10**6 for fire in Evaluator(module).run([*rows({0: objects(k1=0)}), *recording[1:]])] == [250]
    evaluator = Evaluator(module)
    evaluator.run([*rows({0: objects(k1=0)}), *recording[1:3]])
    other = Evaluator(module)
    other.restore(evaluator.save())
    assert [fire.t_ns // 10**6 for fire in other.run(recording[3:])] == [250]


def test_fields_that_cannot_be_are_invalid_and_counted_on_a_vehicle() -> None:
    evaluator = Evaluator(emit(over_seen()), checked=True)
    odd = ObjectSample((1, 2), ((1.0, 3.0, 0.0), (1.0, 1.0, 0.0)))
    assert not evaluator.run([Row(0, {}, {"tracked": odd})])
    assert evaluator.strange == {"tracked.seen": 1}


def over_seen() -> Any:
    """`all(o in tracked where o.seen)`, risen."""
    return program((list_input(),), lambda graph: graph.add("all_objects", field(graph, 2), input=0))


def test_a_metered_program_may_take_what_its_objects_take() -> None:
    """Each sample has only new objects, so that each is a block of its own."""
    random = Random(3)

    def root(graph: Graph) -> int:
        speed = graph.add("input", input=1, kind=Kind.NUMBER)
        mean = graph.add("window_avg", field(graph, X), window_ns=10**9, capacity=40)
        return graph.add("any_object", graph.add("gt", mean, speed), input=0)

    ir = program((list_input(most=64), signal("v")), root)
    machine = Machine(load(emit(ir), metered=True))
    t_ns = np.arange(1, 501, dtype=np.int64) * 50_000_000
    samples = [objects(**{f"k{random.getrandbits(60)}": 1.0 for _ in range(64)}) for _ in t_ns]
    machine.run(t_ns, [None, np.zeros(len(t_ns))], [ObjectColumn.of(samples, 3)])
