"""Conditions on the objects of lists, from their text to the program that an interpreter runs."""

from __future__ import annotations

import pytest

from triggers.language.checks.checker import lower
from triggers.language.compile import compile_source, expanded
from triggers.language.constants import constants_of
from triggers.language.explain import explain
from triggers.language.graph import AFTER, BEFORE, stages
from triggers.language.ir import Input, InputField, Ir
from triggers.language.lets import lets_of
from triggers.language.parts import parts_program
from triggers.language.reference.interpreter import Interpreter
from triggers.language.rows import Row
from triggers.language.text.diagnostics import Source
from triggers.language.text.parser import parse
from triggers.language.text.reporter import Reporter
from triggers.language.watched import watched
from triggers.signals.catalog import SignalCatalog
from triggers.signals.objects import ObjectSample

MS = 1_000_000
CATALOG = SignalCatalog.parse(
    """
signals:
  speed: {unit: m/s, rate: 10}
  gear: {type: text, values: [P, D], rate: 10}
objects:
  tracked:
    max: 4
    rate: 10
    key: id
    fields: {kind: {type: text, values: [car, truck]}, x: {unit: m}, id: {type: id}, seen: {type: bool}}
  parked: {max: 2, rate: 10, max_age: 0.3, key: id, fields: {id: {type: id}, x: {unit: m, min: 0, max: 100}}}
""",
    name="catalog.yaml",
)


def read(text: str) -> tuple[Ir, list[str]]:
    """The program of a text, a condition or whole blocks, and what was found in it."""
    text = text if "trigger" in text else f"trigger t {{ when {text} }}"
    report = Reporter(Source(text, "a.trigger"))
    file = expanded(parse(report.source, report), CATALOG, report)
    lowered = lower(file, file.triggers, [], CATALOG, report)
    return lowered.ir, [each.render().split("\n")[0] for each in report.diagnostics]


def program(text: str) -> Ir:
    ir, found = read(text)
    assert found == []
    return ir


def said(text: str) -> str:
    """What is found in a text with one mistake, without its place."""
    (found,) = read(text)[1]
    return found.split(": ", 1)[1]


def operations(text: str) -> list[str]:
    return [node.op for node in program(text).nodes]


def row(t_ms: int, **objects: tuple[float, ...]) -> Row:
    """A row of `tracked` by its objects' keys (`k7`), each with kind, x and seen."""
    keys = tuple(int(key[1:]) for key in objects)
    return Row(t_ms * MS, {"speed": 5.0}, {"tracked": ObjectSample(keys, tuple(objects.values()))})


def fires(text: str, rows: list[Row]) -> list[int]:
    return [firing.t_ns // MS for firing in Interpreter(program(text)).run(rows)]


def test_a_list_is_an_input_with_all_its_fields_the_key_first() -> None:
    fields = (
        InputField("id", "id"),
        InputField("kind", "text", values=("car", "truck")),
        InputField("x", "number", "m"),
        InputField("seen", "bool"),
    )
    tracked = Input("tracked", "objects", "", 300 * MS, None, (), 4, fields)
    assert program("any(o in tracked where o.seen)").inputs == (tracked,)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("any(o in tracked where o.seen)", ["object_field", "any_object"]),
        ("all(o in tracked)", ["truth", "all_objects"]),
        ("count(o in tracked) > 3", ["truth", "number", "count_objects", "gt"]),
        ("min(o.x for o in tracked) < 3 m", ["truth", "number", "object_field", "min_of_objects", "lt"]),
        (
            "nearest(o in tracked by o.x where o.seen).id == 7",
            ["number", "object_field", "object_field", "object_field", "nearest_object", "eq"],
        ),
        ("any(o in parked where o.x > 3 m)", ["number", "object_field", "in_range", "gt", "any_object"]),
    ],
)
def test_forms_become_operations(condition: str, expected: list[str]) -> None:
    assert operations(condition) == expected


def test_equal_fields_of_different_forms_are_one_node() -> None:
    found = operations("any(o in tracked where o.seen) and count(p in tracked where p.seen) < 3")
    assert found.count("object_field") == 1


def test_a_program_has_a_stage_for_each_list_between_two_halves() -> None:
    ir = program("any(o in parked where o.x < 5 m) and speed > 1 m/s and any(o in tracked where o.x < speed * 1 s)")
    found = [*stages(ir.nodes, range(len(ir.nodes))).values()]
    assert found == sorted(found)
    assert {BEFORE, AFTER} < set(found)
    assert [each.name for each in ir.inputs] == ["speed", "parked", "tracked"]


def test_what_reads_no_field_is_an_ordinary_node() -> None:
    ir = program("any(o in tracked where o.x < 5 m and (speed > 1 m/s for 1 s))")
    assert {ir.nodes[index].op for index, stage in stages(ir.nodes, range(len(ir.nodes))).items() if stage < 0} == {
        "input",
        "number",
        "gt",
        "for",
    }


def test_a_hold_belongs_to_one_object() -> None:
    rows = [row(t, **{f"k{t // 100 % 2}": (0.0, 1.0, 1.0)}) for t in range(0, 600, 100)]
    assert fires("any(o in tracked where o.x < 5 m for 200 ms)", rows) == []
    assert fires("any(o in tracked where o.x < 5 m) for 200 ms", [row(0, k1=(0.0, 9.0, 0.0)), *rows[1:]]) == [300]


def test_texts_are_indexes_of_the_declared_values() -> None:
    rows = [row(0, k1=(0.0, 9.0, 0.0)), row(100, k1=(0.0, 9.0, 0.0), k2=(1.0, 9.0, 0.0))]
    assert fires('any(o in tracked where o.kind == "truck")', rows) == [100]
    assert fires('set rare = ("truck") trigger t { when any(o in tracked where o.kind in rare) }', rows) == [100]
    assert fires('nearest(o in tracked by -o.id).kind == "truck"', rows) == [100]


def test_a_let_with_an_argument_is_a_condition_on_an_object() -> None:
    text = (
        "param far = 10 m let close(x) = x < far"
        " trigger t { when any(o in tracked where close(o.x)) and any(o in parked where close(o.x)) }"
    )
    assert [node.op for node in program(text).nodes].count("lt") == 2


def test_a_let_may_be_given_lists_and_objects() -> None:
    text = (
        "let close(o, far) = o.x < far let near_by(objects) = any(o in objects where close(o, 5 m))"
        " trigger t { when near_by(tracked) and near_by(parked) and close(nearest(p in tracked by p.x), 3 m) }"
    )
    ir = program(text)
    assert [node.op for node in ir.nodes].count("any_object") == 2
    assert [each.name for each in ir.inputs] == ["tracked", "parked"]


@pytest.mark.parametrize(
    "condition",
    [
        "count(any(o in tracked where o.seen) over 3 s) > 1",
        "max(count(o in tracked) over 2 s) > 3",
        "all(o in tracked where o.seen) since rise(any(o in parked where o.x < 5 m))",
        "min(min(o.x for o in tracked) since any(o in parked)) < 3 m",
        "any(o in tracked where o.seen) for 1 s tolerating 300 ms",
        "past(nearest(o in tracked by o.x).x, 1 s) > nearest(o in tracked by o.x).x",
        "share(any(o in tracked where o.x < 5 m for 300 ms) over 5 s) > 20 %",
        "nearest(o in tracked by o.x).x at rise(nearest(o in tracked by o.x).seen) > 3 m",
    ],
)
def test_what_is_told_of_objects_may_stand_in_any_operator(condition: str) -> None:
    program(condition)


@pytest.mark.parametrize("name", ["-3", "-9007199254740992", "9007199254740992"])
def test_a_key_is_compared_as_a_number(name: str) -> None:
    rows = [row(0, **{"k7": (0.0, 1.0, 1.0)}), row(100, **{f"k{name}": (0.0, 1.0, 1.0)})]
    assert fires(f"any(o in tracked where o.id == {name})", rows) == [100]


def test_a_key_that_no_number_holds_cannot_be_written_and_is_unknown() -> None:
    assert "LT108" in said("any(o in tracked where o.id == 9007199254740993)")
    rows = [row(0, k7=(0.0, 1.0, 1.0)), row(100, k9007199254740993=(0.0, 1.0, 1.0))]
    assert fires("any(o in tracked where missing(o.id))", rows) == [100]


def test_a_let_may_hold_a_form_and_its_arguments_stand_in_it() -> None:
    text = (
        "let reach(d) = any(o in tracked where o.x < d)"
        " let crowded = count(o in tracked) > 2 trigger t { when reach(5 m) and not missing(speed) and crowded }"
    )
    assert fires(text, [row(0, k1=(0, 1.0, 0)), row(100, k1=(0, 1.0, 0), k2=(0, 1.0, 0), k3=(0, 1.0, 0))]) == [100]


def test_an_imported_file_may_hold_forms() -> None:
    text = (
        'import "common.trigger" as c'
        ' file "common.trigger" { let close(x) = x < 5 m let crowd = count(o in tracked where close(o.x)) > 1 }'
        "\ntrigger t { when c.crowd and any(p in tracked where c.close(p.x)) }"
    )
    assert fires(text, [row(0), row(100, k1=(0, 1.0, 0), k2=(0, 1.0, 0))]) == [100]


def test_an_object_is_not_mistaken_for_that_of_a_let_with_the_same_name() -> None:
    text = "let crowd(x) = count(o in tracked where o.x < x) > 1 trigger t { when any(o in tracked where crowd(o.x)) }"
    assert "LT235" in said(text)


def test_words_of_forms_are_names_elsewhere() -> None:
    text = (
        "let any = speed > 1 m/s let where = speed > 2 m/s let by = speed let nearest(p) = p for 1 s"
        ' set rare = ("D") let all(p) = once(p over 1 s)'
        " trigger t { when any and where and by > 3 m/s and nearest(gear in rare) and all(gear in rare) }"
    )
    assert "any_object" not in [node.op for node in program(text).nodes]
    assert operations("let where = speed > 2 m/s trigger t { when any(o in tracked where o.seen and where) }")


def test_a_constant_before_where_has_no_unit() -> None:
    assert read("nearest(o in tracked by 5 where o.seen).seen")[1] == [
        "a.trigger:1:42: warning: `5` is the same for every `o` [LT922]"
    ]


def test_windows_and_holds_know_the_rate_of_a_list() -> None:
    ir = program("any(o in tracked where avg(o.x over 1 s) > 3 m)")
    assert next(node.integer("capacity") for node in ir.nodes if node.op == "window_avg") == 26
    assert "LT902" in said("max(count(o in tracked) over 100 ms) > 2")
    assert "LT903" in said("any(o in tracked where o.seen for 50 ms)")


def test_captures_take_lists_by_name_and_by_pattern() -> None:
    text = "trigger t { when speed > 1 m/s capture 1 s before, 1 s after { signals speed, tracked } }"
    report = Reporter(Source(text, "a"))
    lowered = lower(file := parse(report.source, report), file.triggers, [], CATALOG, report)
    assert lowered.settings[0].capture.signals == ("speed", "tracked")
    default = Reporter(Source("trigger t { when any(o in parked where o.x < speed * 1 s) }", "a"))
    lowered = lower(file := parse(default.source, default), file.triggers, [], CATALOG, default)
    assert lowered.settings[0].capture.signals == ("parked", "speed")


OF_A_FILE = """
let close(x) = x < 5 m
let fast = speed > 10 m/s
let crowd = count(o in tracked where close(o.x) and fast) >= 3
trigger t { when crowd and any(o in tracked where close(o.x) and o.seen) and fast }
"""


def test_a_form_is_one_part_of_a_condition() -> None:
    found = parts_program(OF_A_FILE, "a.trigger", "t", CATALOG)
    assert [(part.depth, part.text) for part in found.parts] == [
        (0, "crowd and any(o in tracked where close(o.x) and o.seen) and fast"),
        (1, "crowd"),
        (2, "count(o in tracked where close(o.x) and fast) >= 3"),
        (3, "count(o in tracked where close(o.x) and fast)"),
        (4, "speed > 10 m/s"),
        (5, "speed"),
        (1, "any(o in tracked where close(o.x) and o.seen)"),
        (1, "fast"),
    ]
    assert [part.let for part in found.parts if part.let is not None] == ["crowd", "fast"]
    assert [(each.depth, OF_A_FILE[each.span.start : each.span.end]) for each in found.conjuncts] == [
        (0, "crowd"),
        (1, "count(o in tracked where close(o.x) and fast) >= 3"),
        (0, "any(o in tracked where close(o.x) and o.seen)"),
        (0, "fast"),
        (1, "speed > 10 m/s"),
    ]
    (trigger,) = watched(found.ir)
    assert set(trigger.parts) == {each.node for each in found.conjuncts}


def test_lets_on_objects_are_explained_and_their_numbers_found() -> None:
    assert [(let.name, let.type) for let in lets_of(OF_A_FILE, filename="a", catalog=CATALOG)] == [
        ("fast", "bool"),
        ("crowd", "bool"),
    ]
    found = constants_of(OF_A_FILE, filename="a")
    assert [(each.block, str(each.value), each.signal) for each in found] == [
        ("close", "5", None),
        ("fast", "10", "speed"),
        ("crowd", "3", None),
    ]


def test_a_list_is_explained_as_an_input_that_a_trigger_reads() -> None:
    compilation = compile_source(OF_A_FILE, filename="a", catalog=CATALOG)
    (program,) = explain(compilation, CATALOG)
    assert [(each.name, each.type, each.rate) for each in program.inputs] == [
        ("speed", "number", 10),
        ("tracked", "objects", 10),
    ]
    assert program.triggers[0].reads == ("speed", "tracked")
    assert program.triggers[0].clip_bytes > 0


@pytest.mark.parametrize("pattern", ["perception.*", "perception.parked"])
def test_patterns_of_captures_match_lists(pattern: str) -> None:
    catalog = SignalCatalog.parse(
        "signals: {speed: {rate: 10}}\n"
        "objects: {perception.parked: {max: 2, rate: 10, key: id, fields: {id: {type: id}}}}",
        name="catalog.yaml",
    )
    text = f"trigger t {{ when speed > 1 capture 1 s before, 1 s after {{ signals {pattern} }} }}"
    compilation = compile_source(text, filename="a", catalog=catalog)
    assert compilation.triggers is not None
    assert compilation.triggers.settings[0].capture.signals == ("perception.parked",)
