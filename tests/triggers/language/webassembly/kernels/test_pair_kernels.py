"""`age`, `disagree`, `divergence` and `compare` give what the interpreter gives, at every tick."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.webassembly.harness import Block, KernelMachine, bits_of, make_node
from tests.triggers.language.webassembly.held import held, held_recordings
from triggers.language.ir import Input, Kind
from triggers.language.reference.inputs import Age, HeldInput, Pair
from triggers.language.reference.operators import Operator, Tick
from triggers.language.reference.values import Value
from triggers.language.webassembly.kernel_parts.kernel import NO_SAMPLE
from triggers.language.webassembly.kernels.samples.pairs import KERNELS

SPAN_NS = 3000
KIND_PAIRS = {kind: (kind, kind) for kind in Kind}


def with_samples(blocks: Sequence[Block], seed: int, share: float) -> list[Block]:
    """The blocks with sample times: at a fresh tick at least one of the two signals has a sample."""
    rng = random.Random(seed)
    latest = [NO_SAMPLE, NO_SAMPLE]
    result = []
    for block in blocks:
        if block.begins:
            latest = [NO_SAMPLE, NO_SAMPLE]
        columns: tuple[list[int], list[int]] = ([], [])
        for t_ns, fresh in zip(block.times_ns, block.fresh, strict=True):
            if fresh:
                sure = rng.randrange(2)
                latest = [t_ns if i == sure or rng.random() < share else latest[i] for i in range(2)]
            for column, sample_ns in zip(columns, latest, strict=True):
                column.append(sample_ns)
        result.append(replace(block, sampled_ns=columns[: len(block.arguments)]))
    return result


def interpret(operator: Operator, inputs: Sequence[HeldInput], blocks: Sequence[Block]) -> list[Value]:
    """What the operator yields at every tick, with the inputs' samples as the blocks say."""
    values: list[Value] = []
    value: Value = None
    for block in blocks:
        if block.begins:
            operator.clear()
        for index, t_ns in enumerate(block.times_ns):
            for item, column in zip(inputs, block.sampled_ns, strict=True):
                item.sample_ns = None if column[index] == NO_SAMPLE else column[index]
            if block.due[index]:
                value = operator.step(Tick(t_ns), *(argument[index] for argument in block.arguments))
            values.append(value)
    return values


def run(machine: KernelMachine, blocks: Sequence[Block]) -> list[Value]:
    values = []
    for block in blocks:
        if block.begins:
            machine.reset()
        values += machine.run(block)
    return values


def held_inputs() -> list[HeldInput]:
    return [HeldInput(Input(name, "number", "", None, None)) for name in "ab"]


SHARES = st.sampled_from((0.0, 0.1, 0.7, 1.0))
SKEWS_NS = st.sampled_from((1, SPAN_NS // 10, SPAN_NS // 2, 3 * SPAN_NS))
STALES_NS = st.sampled_from((1, SPAN_NS // 2, 3 * SPAN_NS, 200 * SPAN_NS))


@pytest.mark.parametrize(
    ("op", "kind"), [("disagree", Kind.BOOL), ("disagree", Kind.NUMBER), ("divergence", Kind.NUMBER)]
)
@given(data=st.data())
@settings(max_examples=200)
def test_pairs_agree_with_the_interpreter(op: str, kind: Kind, data: st.DataObject) -> None:
    kinds = KIND_PAIRS[kind]
    blocks = data.draw(held_recordings(kinds, SPAN_NS))
    blocks = with_samples(blocks, data.draw(st.integers(0, 1 << 32)), data.draw(SHARES))
    node = make_node(op, kinds, skew_ns=data.draw(SKEWS_NS), stale_ns=data.draw(STALES_NS))
    inputs = held_inputs()
    expected = interpret(Pair(node, 1, *inputs), inputs, blocks)
    kernel = KERNELS[op if op == "divergence" else f"{op}_{kind}"]
    assert [bits_of(v) for v in run(KernelMachine(kernel, node, kinds), blocks)] == [bits_of(v) for v in expected]


@given(data=st.data())
@settings(max_examples=100)
def test_age_agrees_with_the_interpreter(data: st.DataObject) -> None:
    blocks = data.draw(held_recordings((Kind.NUMBER,), SPAN_NS))
    blocks = with_samples(blocks, data.draw(st.integers(0, 1 << 32)), data.draw(SHARES))
    node = make_node("age", (Kind.NUMBER,))
    inputs = held_inputs()[:1]
    expected = interpret(Age(node, 1, inputs[0]), inputs, blocks)
    got = run(KernelMachine(KERNELS["age"], node, (Kind.NUMBER,)), blocks)
    assert [bits_of(v) for v in got] == [bits_of(v) for v in expected]


@pytest.mark.parametrize("sample_ns", [0, 1, (1 << 62) - 1, 1 << 62, (1 << 63) - 2])
def test_a_missing_sample_is_near_to_none(sample_ns: int) -> None:
    times_ns = [(1 << 63) - 2, (1 << 63) - 1]
    node = make_node("disagree", (Kind.BOOL, Kind.BOOL), skew_ns=(1 << 62) - 1, stale_ns=1 << 62)
    for columns in (([sample_ns] * 2, [NO_SAMPLE] * 2), ([NO_SAMPLE] * 2, [sample_ns] * 2), ([NO_SAMPLE] * 2,) * 2):
        block = Block(times_ns, [True] * 2, [True] * 2, ([True] * 2, [False] * 2), True, columns)
        assert run(KernelMachine(KERNELS["disagree_bool"], node, (Kind.BOOL, Kind.BOOL)), [block]) == [None, None]


@pytest.mark.parametrize("op", ["disagree", "divergence"])
@pytest.mark.parametrize("paired_until", [0, 1, 62, 63, 64, 65])
@pytest.mark.parametrize("fresh_for", [0, 1, 62, 63, 64, 65, 130])
@pytest.mark.parametrize("late_ns", [-1, 0, 1])
@pytest.mark.parametrize("pause", [1, 5])
def test_a_pair_grows_too_old_exactly_at_its_time(
    op: str, paired_until: int, fresh_for: int, late_ns: int, pause: int
) -> None:
    times_ns = range(0, 2400, 10)
    first_ns = [min(t_ns, 10 * paired_until) for t_ns in times_ns]
    due = [index <= paired_until or index % pause == 0 for index in range(240)]
    again = 220  # a last pair
    first_ns[again:] = times_ns[again:]
    due[again] = True
    kinds = KIND_PAIRS[Kind.NUMBER]
    numbers: tuple[list[Value], list[Value]] = ([1.0] * 240, [3.0] * 240)
    blocks = [
        Block(
            times_ns[at : at + 100],
            due[at : at + 100],
            due[at : at + 100],
            tuple(column[at : at + 100] for column in numbers),
            at == 0,
            (first_ns[at : at + 100], times_ns[at : at + 100]),
        )
        for at in (0, 100, 200)
    ]
    node = make_node(op, kinds, skew_ns=1, stale_ns=max(1, 10 * fresh_for + late_ns))
    inputs = held_inputs()
    expected = interpret(Pair(node, 1, *inputs), inputs, blocks)
    kernel = KERNELS["divergence" if op == "divergence" else "disagree_number"]
    assert run(KernelMachine(kernel, node, kinds), blocks) == expected


class Comparison(KernelMachine):
    """Five counters as the state, which a segment's begin leaves as they are."""

    def __init__(self, skew_ns: int) -> None:
        node = make_node("disagree", (Kind.BOOL, Kind.BOOL), skew_ns=skew_ns, stale_ns=1)
        super().__init__(KERNELS["compare"], node, (Kind.BOOL, Kind.BOOL))

    def _place(self, name: str, size: int) -> None:
        super()._place(name, 40 if name == "state" else size)

    def reset(self) -> None:
        """Counters survive segments."""

    def _read(self, count: int) -> list[Value]:
        return []

    @property
    def counts(self) -> list[int]:
        return cast("list[int]", self.column("state", "<i8").tolist())


def counted(blocks: Sequence[Block], skew_ns: int) -> list[int]:
    """The counts by the letter: 00, 01, 10, 11, unknown, at each new pair."""
    counts = [0] * 5
    for block in blocks:
        (active, shadow), (active_ns, shadow_ns) = block.arguments, block.sampled_ns
        for tick, fresh in enumerate(block.fresh):
            if not fresh or NO_SAMPLE in (active_ns[tick], shadow_ns[tick]):
                continue
            if abs(active_ns[tick] - shadow_ns[tick]) > skew_ns:
                continue
            a, b = active[tick], shadow[tick]
            counts[4 if a is None or b is None else 2 * int(a) + int(b)] += 1
    return counts


@given(data=st.data())
@settings(max_examples=100)
def test_compare_counts_each_new_pair_once(data: st.DataObject) -> None:
    blocks = data.draw(held_recordings((Kind.BOOL, Kind.BOOL), SPAN_NS))
    blocks = with_samples(blocks, data.draw(st.integers(0, 1 << 32)), data.draw(SHARES))
    skew_ns = data.draw(SKEWS_NS)
    machine = Comparison(skew_ns)
    run(machine, blocks)
    assert machine.counts == counted(blocks, skew_ns)


def test_samples_at_every_tick_pair_without_a_look_at_their_times() -> None:
    times_ns = range(0, 1500, 10)
    ticks = [True] * len(times_ns)
    arguments = ([t % 3 == 0 for t in times_ns], [t % 70 == 0 for t in times_ns])
    block = held([Block(times_ns, ticks, ticks, arguments, True, (times_ns, times_ns))])[0]
    node = make_node("disagree", (Kind.BOOL, Kind.BOOL), skew_ns=1, stale_ns=1)

    class SharedTimes(KernelMachine):
        """Passes the ticks' times themselves as both columns of sample times."""

        def address(self, region: str) -> int:
            return super().address("times" if region.startswith("sampled") else region)

    got = SharedTimes(KERNELS["disagree_bool"], node, (Kind.BOOL, Kind.BOOL)).run(replace(block, sampled_ns=()))
    assert got == [a != b for a, b in zip(*arguments, strict=True)]
