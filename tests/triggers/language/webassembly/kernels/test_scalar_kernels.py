"""`wrap`, `lookup`, ranges and equality of conditions give what the interpreter's functions give, at every tick."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.webassembly.harness import Block, KernelMachine, bits_of, make_node
from triggers.language.ir import Kind, Node
from triggers.language.reference.values import Value, wrap_angle
from triggers.language.webassembly.kernels.current.scalars import KERNELS

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TRUTH = st.sampled_from((True, False, None))


def assert_computes(
    name: str, node: Node, kinds: Sequence[Kind], arguments: Sequence[tuple[Value, ...]], function: Callable[..., Value]
) -> None:
    """The kernel gives the function's value for each tuple of arguments."""
    columns = tuple(list(column) for column in zip(*arguments, strict=True))
    ticks = [True] * len(arguments)
    got = KernelMachine(KERNELS[name], node, kinds).run(Block(range(len(ticks)), ticks, ticks, columns))
    assert [bits_of(value) for value in got] == [bits_of(function(*each)) for each in arguments]


@pytest.mark.parametrize("half_turn", [180.0, math.pi, 1.0])
@given(angles=st.lists(st.none() | NUMBERS | st.integers(-20, 20).map(lambda n: n * 90.0), min_size=1, max_size=200))
@settings(max_examples=100)
def test_wrap_gives_the_interpreters_bits(half_turn: float, angles: list[float | None]) -> None:
    edges = [edge * turns for edge in (half_turn, -half_turn) for turns in (1.0, 3.0)]
    near = [math.nextafter(edge, towards) for edge in edges for towards in (math.inf, -math.inf)]
    beyond_the_open_end = float.fromhex("-0x1.31dedfad92dbap+42")  # half a turn of pi, by rounding
    hard = [beyond_the_open_end, -0.0, 0.0, -5e-324, 1.7e308, -1.7e308, *edges, *near]
    node = make_node("wrap", (Kind.NUMBER,), half_turn=half_turn)
    arguments = [(angle,) for angle in (*hard, *angles)]
    assert_computes("wrap", node, (Kind.NUMBER,), arguments, lambda a: None if a is None else wrap_angle(a, half_turn))


@given(
    table=st.lists(NUMBERS, min_size=1, max_size=8),
    values=st.lists(st.none() | NUMBERS | st.integers(-2, 9).map(float), min_size=1, max_size=200),
)
@settings(max_examples=100)
def test_lookup_takes_whole_numbers_within_the_table(table: list[float], values: list[float | None]) -> None:
    node = make_node("lookup", (Kind.NUMBER,), table=tuple(table))
    entries: dict[float, float] = {float(index): value for index, value in enumerate(table)}
    arguments = [(value,) for value in (-0.0, 0.5, 4294967296.0, *values)]
    assert_computes("lookup", node, (Kind.NUMBER,), arguments, lambda a: None if a is None else entries.get(a))


@given(
    low=NUMBERS,
    width=st.floats(0, 1e9),
    values=st.lists(st.none() | NUMBERS | st.floats(-10, 10), min_size=1, max_size=200),
)
@settings(max_examples=100)
def test_a_number_out_of_its_range_is_unknown(low: float, width: float, values: list[float | None]) -> None:
    high = low + width
    ends = [low, high, math.nextafter(low, -math.inf), math.nextafter(high, math.inf), -0.0, 0.0]
    node = make_node("in_range", (Kind.NUMBER,), low=low, high=high)
    arguments = [(value,) for value in (*(end for end in ends if math.isfinite(end)), *values)]
    assert_computes(
        "in_range", node, (Kind.NUMBER,), arguments, lambda a: a if a is not None and low <= a <= high else None
    )


@pytest.mark.parametrize("op", ["eq", "ne"])
@given(arguments=st.lists(st.tuples(TRUTH, TRUTH), min_size=1, max_size=200))
@settings(max_examples=50)
def test_equality_of_conditions_is_unknown_with_either(
    op: str, arguments: list[tuple[bool | None, bool | None]]
) -> None:
    kinds = (Kind.BOOL, Kind.BOOL)

    def expected(a: bool | None, b: bool | None) -> bool | None:
        return None if a is None or b is None else (a == b) is (op == "eq")

    assert_computes(f"{op}_bool", make_node(op, kinds), kinds, arguments, expected)
