"""What the cost model says of a program holds for the instructions that wasmtime counts when it runs."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.triggers.language.randomised.agreement import object_columns
from tests.triggers.language.randomised.programs import random_program
from tests.triggers.language.randomised.recordings import random_recording
from tests.triggers.language.support import CATALOG, ir_of
from tests.triggers.language.webassembly.harness import Block, make_node, recordings
from tests.triggers.language.webassembly.measured import MeasuredKernel, beats_of, fuel_of_module
from triggers.language.checks.calls.places import rising_edges
from triggers.language.compile import compile_source
from triggers.language.ir import Kind, Node
from triggers.language.rows import HEARTBEAT_NS
from triggers.language.sun import FIRST_NS
from triggers.language.webassembly.cost import cost_of
from triggers.language.webassembly.counting import WorkRange, work_of
from triggers.language.webassembly.emitter import emit
from triggers.language.webassembly.host.manifest import read_manifest
from triggers.language.webassembly.kernels.table import KERNELS
from triggers.language.webassembly.plan import ModulePlan
from triggers.signals.catalog import SignalCatalog

N, B = Kind.NUMBER, Kind.BOOL
SPAN_NS = 1000
EVENTS_CATALOG = SignalCatalog.parse(
    "signals: {active.e: {type: bool, rate: 100}, shadow.e: {type: bool, rate: 100}, q: {type: bool, rate: 100}}",
    name="signals",
)
ENTRIES = 12
EDGES = rising_edges((0.0, 0.0, 0.5, 2.0, 2.0, 2.0, 1.5, 0.0))
_COMPARISONS = ("lt", "le", "gt", "ge")
_PAIR = {"skew_ns": SPAN_NS // 2, "stale_ns": SPAN_NS}

NODES: dict[str, Node] = {
    **{op: make_node(op, (N, N)) for op in (*_COMPARISONS, "add", "sub", "mul", "div", "min", "max")},
    **{f"{op}_constant": make_node(op, (N, N)) for op in _COMPARISONS},
    **{f"{op}_number": make_node(op, (N, N)) for op in ("eq", "ne")},
    **{f"{op}_bool": make_node(op, (B, B)) for op in ("eq", "ne")},
    **{op: make_node(op, (N,)) for op in ("neg", "abs", "sqrt")},
    **{op: make_node(op, (B, B)) for op in ("and", "or")},
    **{op: make_node(op, (B,)) for op in ("not", "rise", "fall")},
    **{op: make_node("truth", (), value=op == "always") for op in ("always", "never")},
    **{f"{op}_number": make_node(op, (N,)) for op in ("missing", "changed")},
    **{f"{op}_bool": make_node(op, (B,)) for op in ("missing", "changed")},
    "wrap": make_node("wrap", (N,), half_turn=1.0),
    **{op: make_node(op, (N,)) for op in ("sign", "floor")},
    "mod": make_node("mod", (N, N)),
    "bits": make_node("bits", (N,), mask=6.0),
    "default_number": make_node("default", (N, N)),
    "default_bool": make_node("default", (B, B)),
    "if_number": replace(make_node("if", (B, N, N)), kind=N),
    "if_bool": make_node("if", (B, B, B)),
    "prev_number": make_node("prev", (N,)),
    "prev_bool": make_node("prev", (B,)),
    "lookup": make_node("lookup", (N,), table=(1.0, 2.0, 3.0)),
    "in_range": make_node("in_range", (N,), low=-1.0, high=1.0),
    "age": make_node("age", (N,)),
    "for": make_node("for", (B,), hold_ns=SPAN_NS, tolerate_ns=0),
    "for_tolerating": make_node("for", (B,), hold_ns=SPAN_NS, tolerate_ns=SPAN_NS // 3),
    "for_at_most": make_node("for_at_most", (B,), most_ns=SPAN_NS, tolerate_ns=SPAN_NS // 3),
    "hysteresis": make_node("hysteresis", (N,), on=1.0, off=0.0),
    "once": make_node("once", (B,), window_ns=SPAN_NS),
    "share": make_node("share", (B,), window_ns=SPAN_NS, capacity=ENTRIES),
    **{op: make_node(op, (B,), window_ns=SPAN_NS, limit=ENTRIES) for op in ("count", "count_impulses")},
    "flicker_bool": make_node("flicker", (B,), window_ns=SPAN_NS, limit=ENTRIES),
    "flicker_number": make_node("flicker", (N,), window_ns=SPAN_NS, limit=ENTRIES),
    **{
        op: make_node(op, (N,), window_ns=SPAN_NS, capacity=ENTRIES)
        for op in (
            "window_min",
            "window_max",
            "window_avg",
            "delta",
            "rate",
            "window_sum",
            "window_std",
            "window_integral",
        )
    },
    "window_quantile": make_node("window_quantile", (N,), window_ns=SPAN_NS, capacity=ENTRIES, part=3.0, whole=4.0),
    "samples_number": make_node("samples", (N,), window_ns=SPAN_NS, capacity=ENTRIES),
    "samples_bool": make_node("samples", (B,), window_ns=SPAN_NS, capacity=ENTRIES),
    "ema": make_node("ema", (N,), window_ns=SPAN_NS),
    "past_number": make_node("past", (N,), delay_ns=SPAN_NS, capacity=ENTRIES),
    "past_bool": make_node("past", (B,), delay_ns=SPAN_NS, capacity=ENTRIES),
    **{op: make_node(op, (B, B), within_ns=SPAN_NS) for op in ("then", "without")},
    "then_after": make_node("then_after", (B, B), after_ns=SPAN_NS // 3, within_ns=SPAN_NS),
    "since_within": make_node("since_within", (B, B), within_ns=SPAN_NS),
    **{op: make_node(op, (B, B)) for op in ("since", "latch")},
    "every": make_node("every", (), period_ns=SPAN_NS),
    "disagree_number": make_node("disagree", (N, N), **_PAIR),
    "disagree_bool": make_node("disagree", (B, B), **_PAIR),
    "divergence": make_node("divergence", (N, N), **_PAIR),
    "near": make_node("near", (N, N), latitude=1.0, longitude=1.0, radius_m=90_000.0),
    "inside": make_node("inside", (N, N), edges=EDGES),
    "at_number": make_node("at", (N, B)),
    "at_bool": make_node("at", (B, B)),
    "time_since": make_node("time_since", (B,)),
    "odometer": make_node("odometer", (N,)),
    "solar_time": make_node("solar_time", (N,)),
    "sun_elevation": make_node("sun_elevation", (N, N)),
    "every_distance": make_node("every_distance", (N,), multiple_m=1.0),
    "odometer_of_places": make_node("odometer_of_places", (N, N)),
    **{op: make_node(op, (N, B)) for op in ("since_min", "since_max", "since_sum")},
    **{op: make_node(op, (B, B)) for op in ("since_count", "since_count_impulses")},
}
"""A node for each kernel but those of `compare`, which belong to no node."""


def kinds_of(name: str, node: Node) -> tuple[Kind, ...]:
    if node.op == "if":
        return (Kind.BOOL, node.kind, node.kind)
    if name in _NUMBER_AND_EVENT:
        return (N, B)
    return (Kind.BOOL if name.endswith("_bool") or node.op in BOOL_ARGUMENTS else Kind.NUMBER,) * len(node.arguments)


BOOL_ARGUMENTS = frozenset(
    {
        "and",
        "or",
        "not",
        "rise",
        "fall",
        "for",
        "for_at_most",
        "once",
        "share",
        "count",
        "count_impulses",
        "then",
        "then_after",
        "without",
        "since",
        "since_within",
        "latch",
        "since_count",
        "since_count_impulses",
        "time_since",
    }
)
_NUMBER_AND_EVENT = frozenset({"at_number", "since_min", "since_max", "since_sum"})


def with_samples(blocks: Sequence[Block], seed: int) -> list[Block]:
    """The same with times of samples for each argument: now and then an old one, in some blocks never."""
    rng = random.Random(seed)
    return [replace(b, sampled_ns=tuple(_sampled(b, rng) for _ in b.arguments)) for b in blocks]


def _sampled(block: Block, rng: random.Random) -> list[int]:
    share = rng.choice((0.0, 0.1, 0.7, 1.0))
    new = (t_ns if rng.random() < share else -1 for t_ns in block.times_ns)
    return list(accumulate(new, max))


def assert_within(work: WorkRange, fuel: Sequence[int], ticks: Sequence[int]) -> None:
    """Each block's instructions, and all together: what is added to a ring is evicted once."""
    for used, count in zip(fuel, ticks, strict=True):
        assert work.least.of_block(count) - work.least.word <= used <= work.most.of_block(count) + work.most.burst
    assert sum(fuel) <= sum(work.most.of_block(count) for count in ticks)


def test_each_kernel_is_measured() -> None:
    assert set(KERNELS) - set(NODES) == {"compare", "match_events"}


@pytest.mark.parametrize("name", NODES)
def test_a_kernel_takes_no_more_and_no_less_than_the_model_says(name: str) -> None:
    node, kinds = NODES[name], kinds_of(name, NODES[name])
    ring = ENTRIES if KERNELS[name].ring_entry_bytes else 0
    work = work_of(name, ring=ring, edges=len(EDGES) // 4)

    @settings(max_examples=12, database=None)
    @given(recordings(kinds, SPAN_NS), st.integers(0, 1 << 32))
    def holds(blocks: list[Block], seed: int) -> None:
        kernel = MeasuredKernel(KERNELS[name], node, kinds)
        fuel = [kernel.fuel_of(block) for block in in_its_time(name, with_samples(blocks, seed))]
        assert_within(work, fuel, [len(block.times_ns) for block in blocks])

    holds()


@pytest.mark.parametrize("name", NODES)
def test_a_kernels_bound_is_not_beyond_what_some_recording_takes_by_far(name: str) -> None:
    node, kinds = NODES[name], kinds_of(name, NODES[name])
    work = work_of(name, ring=ENTRIES if KERNELS[name].ring_entry_bytes else 0, edges=len(EDGES) // 4)
    worst = max(_share_of_bound(name, node, kinds, work, blocks) for blocks in hard_blocks(kinds, name))
    assert worst > 1 / 3


@pytest.mark.parametrize("leaving", [1, 30, 64, 65, 300, 400])
def test_an_order_of_many_entries_takes_no_more_than_the_model_says(leaving: int) -> None:
    """A window of 400 entries, of which so many leave at a tick; small numbers and large ones arrive in turn."""
    entries, name = 400, "window_quantile"
    node = make_node(name, (N,), window_ns=SPAN_NS, capacity=entries, part=3.0, whole=4.0)
    work, kernel = work_of(name, ring=entries), MeasuredKernel(KERNELS[name], node, (N,))
    rng, fuel, ticks, t_ns = random.Random(leaving), list[int](), list[int](), 0
    for _ in range(6):
        for count, step_ns in ((entries, 1), (1, SPAN_NS - entries + leaving), (leaving, 1)):
            times_ns = [t_ns + step_ns * (k + 1) for k in range(count)]
            t_ns = times_ns[-1]
            numbers = [rng.choice((rng.gauss(0, 1), float(-t), float(t))) for t in times_ns]
            fuel.append(kernel.fuel_of(Block(times_ns, [True] * count, [True] * count, (numbers,))))
            ticks.append(count)
            if count == 1:
                assert fuel[-1] <= work.most.of_block(1) + work.most.burst
    assert sum(fuel) <= sum(map(work.most.of_block, ticks))


def _share_of_bound(name: str, node: Node, kinds: tuple[Kind, ...], work: WorkRange, blocks: list[Block]) -> float:
    kernel = MeasuredKernel(KERNELS[name], node, kinds)
    fuel = sum(kernel.fuel_of(block) for block in blocks)
    return fuel / sum(work.most.of_block(len(block.times_ns)) for block in blocks)


def in_its_time(name: str, blocks: list[Block]) -> list[Block]:
    """The blocks; for the sun, which is only known since then, from the year 2000 on where the times leave room."""
    if name not in ("solar_time", "sun_elevation") or blocks[-1].times_ns[-1] > FIRST_NS:
        return blocks
    return [replace(block, times_ns=[t_ns + FIRST_NS for t_ns in block.times_ns]) for block in blocks]


def hard_blocks(kinds: Sequence[Kind], name: str) -> Iterator[list[Block]]:
    """Recordings in which much happens at each tick."""
    rng = random.Random(7)
    for stay, unknown, fresh, due, step_ns in (
        (0.0, 0.0, 1.0, 1.0, 100), (0.0, 0.5, 0.5, 1.0, 100), (0.0, 0.2, 1.0, 1.0, 700), (0.3, 0.1, 0.9, 0.7, 60),
        (0.9, 0.05, 0.95, 0.95, 20), (0.0, 0.0, 1.0, 1.0, 1100), (0.0, 0.0, 0.5, 0.5, 10), (0.5, 0.0, 1.0, 1.0, 10),
    ):  # fmt: skip
        blocks, t_ns = [], 0
        values = [_values(kind, rng, stay, unknown) for kind in kinds]
        for _ in range(8):
            times_ns = [t_ns + step_ns * i for i in range(64)]
            t_ns = times_ns[-1] + step_ns
            is_due = [rng.random() < due for _ in times_ns]
            is_fresh = [each and rng.random() < fresh for each in is_due]
            arguments = tuple([next(column) for _ in times_ns] for column in values)
            sampled = tuple(
                [t if i % 2 else max(0, t - 900 * k) for i, t in enumerate(times_ns)] for k in range(len(kinds))
            )
            blocks.append(Block(times_ns, is_due, is_fresh, arguments, sampled_ns=sampled))
        yield in_its_time(name, blocks)


def _values(kind: Kind, rng: random.Random, stay: float, unknown: float) -> Iterator[float | bool | None]:
    value: float | bool = False
    while True:
        if rng.random() >= stay:
            value = not value if kind is Kind.BOOL else rng.choice((0.5, 1.0, 1.5, 2.5))
        yield None if rng.random() < unknown else value


@pytest.mark.parametrize("seed", range(16))
def test_a_program_takes_no_more_than_the_model_says(seed: int) -> None:
    rng = random.Random(seed)
    made = random_program(rng)
    compilation = compile_source(made.source, filename="random", catalog=made.catalog.parsed)
    assert compilation.triggers is not None
    ir = compilation.triggers.ir
    recording = random_recording(rng, made.catalog, tuple(item.name for item in ir.inputs), 400)
    blank, objects = np.full(len(recording), np.nan), object_columns(ir, recording)
    columns = [recording.columns.get(item.name, blank) for item in ir.inputs]
    fuel, calls = fuel_of_module(emit(ir), recording.t_ns, columns, rng.choice((1, 36, 64, 400)), objects)
    cost = cost_of(ir)
    beats, segments = beats_of(recording.t_ns, ir.max_gap_ns, HEARTBEAT_NS)
    ticks = len(recording) + beats
    samples = sum(int(each.is_sample.sum()) for each in objects)  # each of which may have a new object
    bound = (2 * calls + 2 * segments + ticks // 64 + samples) * cost.operations_per_block
    assert fuel <= bound + ticks * cost.operations_per_tick[1] + (1 + samples) * cost.burst_operations


@pytest.mark.parametrize("rows_a_call", [1, 64, 400])
@pytest.mark.parametrize("within", ["1 ns", "25 ms", "1 s", "1 min"])
@pytest.mark.parametrize("rhythms", [(2, 2), (2, 0), (0, 2), (2, 7), (3, 5)])
def test_compared_events_take_no_more_than_the_model_says(
    rhythms: tuple[int, int], within: str, rows_a_call: int
) -> None:
    """Sides that rise as often as they can, alone and together, and that are invalid at times."""
    source = f"campaign c {{ compare events e with q within {within} budget 1 clips }}"
    ir = compile_source(source, filename="t", catalog=EVENTS_CATALOG).campaigns["c"].ir
    t_ns = np.arange(1, 2049, dtype=np.int64) * 10_000_000
    rhythm = {"active.e": rhythms[0], "shadow.e": rhythms[1], "q": 11}
    columns = [_beating(rhythm[item.name], len(t_ns)) for item in ir.inputs]
    fuel, calls = fuel_of_module(emit(ir), t_ns, columns, rows_a_call)
    cost = cost_of(ir)
    bound = (calls + len(t_ns) // 64) * cost.operations_per_block + len(t_ns) * cost.operations_per_tick[1]
    assert fuel <= bound + cost.burst_operations
    assert cost.state_bytes == 32 + 3 * 616 + 3 * 32 == ModulePlan(ir).state.size


def _beating(rhythm: int, rows: int) -> NDArray[np.float64]:
    """Changes at each row of a rhythm, and is invalid now and then."""
    steps = np.arange(rows)
    values = (steps % rhythm == 0).astype(float) if rhythm else np.zeros(rows)
    values[steps % 97 == 50] = np.inf
    return values


CONDITIONS = (
    "x > 1", "p", "x + y > 1 and not p", "p for 1 s", "rise(p)", "max(x over 2 s) - min(x over 2 s) > 1",
    "avg(x over 2 s) > 1", "share(p over 5 s) > 50 %", "count(p over 5 s) > 2", "flicker(x over 1 s) > 2",
    "sum(x over 2 s) > 1", "std(x over 2 s) > 1", "median(x over 2 s) > 1", "integral(x over 2 s) > 1 s",
    "samples(p over 2 s) > 9",
    "past(x, 1 s) > y", "p then q within 1 s", "p then q after 200 ms within 1 s",
    "p for at most 1 s", "p since q", "p since q within 1 s", "latch(p, q)", "every 1 s",
    "p without q within 1 s", "near(48, 11, 2 km)", "age(x) > 1 s",
    'mode == "low"', "divergence(h) > 1", "wrap(angle) > 20 deg", "true",
)  # fmt: skip


@pytest.mark.parametrize("when", CONDITIONS)
def test_a_recording_in_which_every_row_ticks_takes_at_least_the_least(when: str) -> None:
    ir = ir_of(when)
    t_ns = np.arange(1, 2049, dtype=np.int64) * 10_000_000
    columns = [np.resize(np.array([0.0, 1.0, 1.0, 2.0]), len(t_ns)) for _ in ir.inputs]
    for rows_a_call in (64, 2048):
        fuel, _ = fuel_of_module(emit(ir), t_ns, columns, rows_a_call)
        work = cost_of(ir).total.least
        assert fuel >= len(t_ns) * (work.tick + work.word / 64)
    fuel, _ = fuel_of_module(emit(ir), t_ns, columns, rows_a_call=64)
    assert fuel >= len(t_ns) * cost_of(ir).operations_per_tick[0]


def test_a_program_costs_what_its_nodes_and_its_frame_cost() -> None:
    ir = ir_of("max(x over 2 s) > 1 and p for 1 s")
    cost = cost_of(ir)
    parts = cost.frame + cost.fire
    for each in cost.nodes.values():
        parts += each
    assert parts == cost.total
    assert cost.state_bytes == ModulePlan(ir).state.size


def test_shared_work_is_counted_once() -> None:
    one, two = (
        compile_source(text, filename="t", catalog=CATALOG).triggers
        for text in (
            "trigger a { when max(x over 9 s) > 1 }",
            "trigger a { when max(x over 9 s) > 1 }\ntrigger b { when max(x over 9 s) > 1 }",
        )
    )
    assert one is not None
    assert two is not None
    first, second = cost_of(one.ir), cost_of(two.ir)
    assert (second.total.most.tick - first.total.most.tick) == first.fire.most.tick
    assert second.burst_operations == first.burst_operations


def test_a_burst_grows_with_the_window_and_the_rest_does_not() -> None:
    short, long = (cost_of(ir_of(f"max(x over {seconds} s) > 1")) for seconds in (2, 20))
    assert short.operations_per_tick == long.operations_per_tick
    assert long.burst_operations > 9 * short.burst_operations
    assert long.state_bytes - short.state_bytes == 16 * (18 * 25)


def test_the_manifest_states_the_cost() -> None:
    ir = ir_of("max(x over 2 s) > 1")
    stated, cost = read_manifest(emit(ir)).cost, cost_of(ir)
    assert stated.operations_per_tick == cost.operations_per_tick[1] > 100
    assert stated.burst_operations == cost.burst_operations > 100
    assert stated.operations_per_block == cost.operations_per_block > 100
