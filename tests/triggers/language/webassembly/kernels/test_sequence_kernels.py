"""Kernels of sequences give what the interpreter's operators give, at every tick."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.webassembly.harness import Block, assert_agrees, make_node
from tests.triggers.language.webassembly.held import held_recordings
from triggers.language.ir import Kind
from triggers.language.reference.values import Value
from triggers.language.webassembly.kernels.table import KERNELS

SPAN_NS = 3000
TWO = (Kind.BOOL, Kind.BOOL)
NUMBER, BOOL = (Kind.NUMBER,), (Kind.BOOL,)
T, F, U = True, False, None


@pytest.mark.parametrize("op", ["then", "without"])
@given(data=st.data())
@settings(max_examples=150)
def test_then_and_without_agree_with_the_interpreter(op: str, data: st.DataObject) -> None:
    node = make_node(op, TWO, within_ns=data.draw(st.sampled_from((1, SPAN_NS // 10, SPAN_NS, 10 * SPAN_NS))))
    assert_agrees(KERNELS[op], node, TWO, data.draw(held_recordings(TWO, SPAN_NS)))


@pytest.mark.parametrize("kind", list(Kind))
@given(data=st.data())
@settings(max_examples=150)
def test_changed_agrees_with_the_interpreter(kind: Kind, data: st.DataObject) -> None:
    node = make_node("changed", (kind,))
    assert_agrees(KERNELS[f"changed_{kind}"], node, (kind,), data.draw(held_recordings((kind,), SPAN_NS)))


@given(data=st.data())
@settings(max_examples=150)
def test_hysteresis_agrees_with_the_interpreter(data: st.DataObject) -> None:
    limits = data.draw(st.lists(st.sampled_from((-8.0, -0.0, 0.0, 0.1, 1.0, 2.0, 1e16)), min_size=2, max_size=2))
    on, off = limits if limits[0] != limits[1] else (limits[0], limits[1] + 1.0)
    node = make_node("hysteresis", NUMBER, on=on, off=off)
    assert_agrees(KERNELS["hysteresis"], node, NUMBER, data.draw(held_recordings(NUMBER, SPAN_NS)))


def sequence(a: Sequence[Value], b: Sequence[Value], *, step_ns: int = 10, start_ns: int = 0) -> list[Block]:
    times_ns = [start_ns + step_ns * index for index in range(len(a))]
    always = [True] * len(a)
    return [Block(times_ns, always, always, (a, b))]


@pytest.mark.parametrize("op", ["then", "without"])
@pytest.mark.parametrize("gap", [0, 1, 30, 31, 63, 64, 65, 130])
@pytest.mark.parametrize("late_ns", [-1, 0, 1])
def test_a_sequence_across_words_ends_exactly_at_its_time(op: str, gap: int, late_ns: int) -> None:
    a = [F] * 62 + [T] * 200
    b = [F] * (62 + gap) + [T] * (200 - gap)
    node = make_node(op, TWO, within_ns=max(1, gap * 10 + late_ns))
    assert_agrees(KERNELS[op], node, TWO, sequence(a, b))


@pytest.mark.parametrize("first", [0, 1, 61, 62, 63])
@pytest.mark.parametrize("length", [1, 2, 64, 65, 128])
def test_a_wait_is_dropped_by_an_unknown_at_any_place_of_a_word(first: int, length: int) -> None:
    a = [F] + [T] * 255
    b = [*[F] * (first + 1), *[U] * length, *[F] * (255 - first - length)]
    node = make_node("without", TWO, within_ns=1000)
    assert_agrees(KERNELS["without"], node, TWO, sequence(a, b))


ENDS = [(rises_at, ends_at) for rises_at in (1, 30, 62, 63, 64, 65) for ends_at in (63, 64, 65, 127, 128, 199)]


@pytest.mark.parametrize(("rises_at", "ends_at"), [each for each in ENDS if each[0] < each[1]])
def test_a_wait_ends_exactly_at_its_time_also_at_the_last_tick_of_a_word(rises_at: int, ends_at: int) -> None:
    a = [F] * rises_at + [T] * (200 - rises_at)
    node = make_node("without", TWO, within_ns=10 * (ends_at - rises_at))
    assert_agrees(KERNELS["without"], node, TWO, sequence(a, [F] * 200))
