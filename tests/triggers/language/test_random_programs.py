"""The random programs are worth running: they compile, use every operation, and each gives every kind of value."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, astuple, fields
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.triggers.language.randomised.agreement import Case, nodes_of_objects
from tests.triggers.language.randomised.programs import random_program
from tests.triggers.language.randomised.tracing import traced
from triggers.contracts.compared import EventCounts
from triggers.language.compile import compile_source
from triggers.language.ir import OPERATIONS, Kind
from triggers.language.reference.values import Value
from triggers.language.text.diagnostics import render_all

NEVER_UNKNOWN = {
    "number", "truth", "missing", "samples", "without", "every", "odometer", "odometer_of_places", "every_distance",
}  # fmt: skip
PROGRAMS = 500


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.randoms(use_true_random=False))
def test_every_random_program_compiles(random: Random) -> None:
    made = random_program(random)
    compilation = compile_source(made.source, filename="random", catalog=made.catalog.parsed)
    assert compilation.ok, f"{made.catalog.text}\n{render_all(compilation.diagnostics)}"


def test_the_same_seed_gives_the_same_program_and_recording() -> None:
    first, second = (Case.random(Random(7)) for _ in range(2))
    assert (first.catalog, first.source) == (second.catalog, second.source)
    assert first.recording.rows() == second.recording.rows()


def test_all_operations_occur_often_with_every_kind_of_value() -> None:
    nodes: Counter[str] = Counter()
    looked_at: Counter[str] = Counter()
    seen: Counter[tuple[str, str]] = Counter()
    totals: Counter[str] = Counter()
    for seed in range(PROGRAMS):
        case = Case.random(Random(seed), rows=120)
        trace = traced(case.ir, case.recording)
        totals["fires"] += len(trace.fires)
        totals["suppressed"] += sum(trace.suppressed.values())
        totals["overflows"] += trace.overflows
        totals["left out"] += sum(trace.left_out.values())
        totals["compared"] += sum(sum(astuple(each)) for each in trace.compared.values())
        for each in trace.events.values():
            totals.update({f"events {name}": count for name, count in asdict(each).items()})
        nodes.update(node.op for node in case.ir.nodes)
        of_objects = nodes_of_objects(case.ir)
        for index, column in enumerate(zip(*trace.values, strict=True)):
            if index not in of_objects:  # which have a value for each object, of which nothing is traced
                op = case.ir.nodes[index].op
                looked_at[op] += 1
                seen.update({(op, _kind(value)) for value in column})
    rare = {op: nodes[op] for op in OPERATIONS if nodes[op] < (3 if op == "truth" else 15)}
    assert not rare
    one_sided = [
        (op, kind)
        for op in OPERATIONS
        for kind in _kinds(op)
        if seen[op, kind] < (1 if op == "truth" else 0.1 * looked_at[op])
    ]
    assert not one_sided
    events = [f"events {field.name}" for field in fields(EventCounts)]
    assert all(totals[name] > 100 for name in ("fires", "suppressed", "overflows", "left out", "compared", *events)), (
        totals
    )


def _kind(value: Value) -> str:
    return (
        {True: "true", False: "false", None: "unknown"}.get(value, "known") if not isinstance(value, float) else "known"
    )


def _kinds(op: str) -> list[str]:
    """The kinds of values an operation can give; those that pass on what they are given are counted as numbers."""
    known = ["true", "false"] if OPERATIONS[op].result is Kind.BOOL else ["known"]
    return known if op in NEVER_UNKNOWN else [*known, "unknown"]
