"""Operations without state give what the interpreter's functions give, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.webassembly.harness import Block, KernelMachine, bits_of, make_node
from triggers.language.ir import Kind, Node
from triggers.language.reference.values import STRICT, Value, kleene_and, kleene_or
from triggers.language.webassembly.kernels.current import logic, stateless

HARD = (0.0, -0.0, 1.0, -1.5, 0.1, 5e-324, -5e-324, 2.2250738585072014e-308, 1e154, 1.7e308, -1.7e308)
NUMBERS = st.none() | st.sampled_from(HARD) | st.floats(allow_nan=False, allow_infinity=False)
KNOWN_NUMBERS = st.sampled_from(HARD) | st.floats(allow_nan=False, allow_infinity=False)
TRUTH = st.sampled_from((True, False, None))
COUNTS = st.sampled_from((1, 2, 3, 63, 64, 65, 129))


def columns(data: st.DataObject, kinds: Sequence[Kind]) -> tuple[list[Value], ...]:
    """Arguments for some ticks; numbers now and then without an unknown one."""
    count = data.draw(COUNTS)
    numbers = data.draw(st.sampled_from((NUMBERS, KNOWN_NUMBERS)))
    each = [numbers if kind is Kind.NUMBER else TRUTH for kind in kinds]
    return tuple(data.draw(st.lists(values, min_size=count, max_size=count)) for values in each)


def assert_computes(machine: KernelMachine, arguments: tuple[list[Value], ...], function: Callable[..., Value]) -> None:
    """The kernel gives the function's value at every tick."""
    always = [True] * len(arguments[0])
    got = machine.run(Block(range(len(always)), always, always, arguments))
    assert [bits_of(v) for v in got] == [bits_of(function(*each)) for each in zip(*arguments, strict=True)]


def strict(op: str) -> Callable[..., Value]:
    """The interpreter's function, unknown as soon as one operand is."""
    return lambda *operands: None if None in operands else STRICT[op](*operands)


@pytest.mark.parametrize("op", ["add", "sub", "mul", "div", "min", "max", "lt", "le", "gt", "ge", "neg", "abs", "sqrt"])
@given(data=st.data())
@settings(max_examples=60)
def test_arithmetic_and_comparisons_have_the_interpreters_bits(op: str, data: st.DataObject) -> None:
    kinds = (Kind.NUMBER,) * (1 if op in ("neg", "abs", "sqrt") else 2)
    machine = KernelMachine(stateless.KERNELS[op], make_node(op, kinds), kinds)
    assert_computes(machine, columns(data, kinds), strict(op))


@pytest.mark.parametrize("op", ["eq", "ne"])
@given(data=st.data())
@settings(max_examples=60)
def test_equality_of_numbers_is_exact(op: str, data: st.DataObject) -> None:
    kinds = (Kind.NUMBER, Kind.NUMBER)
    machine = KernelMachine(stateless.KERNELS[f"{op}_number"], make_node(op, kinds), kinds)
    left, right = columns(data, kinds)
    same = [a if index % 2 else b for index, (a, b) in enumerate(zip(left, right, strict=True))]
    assert_computes(machine, (left, same), strict(op))


@pytest.mark.parametrize(("op", "function"), [("and", kleene_and), ("or", kleene_or)])
@given(data=st.data())
@settings(max_examples=60)
def test_and_and_or_are_kleenes(op: str, function: Callable[..., Value], data: st.DataObject) -> None:
    kinds = (Kind.BOOL, Kind.BOOL)
    machine = KernelMachine(logic.KERNELS[op], make_node(op, kinds), kinds)
    assert_computes(machine, columns(data, kinds), function)


@given(data=st.data())
@settings(max_examples=60)
def test_not_turns_the_known_ticks_over(data: st.DataObject) -> None:
    kinds = (Kind.BOOL,)
    machine = KernelMachine(logic.KERNELS["not"], make_node("not", kinds), kinds)
    assert_computes(machine, columns(data, kinds), strict("not"))


@pytest.mark.parametrize("kind", list(Kind))
@given(data=st.data())
@settings(max_examples=60)
def test_missing_is_true_exactly_where_the_argument_is_unknown(kind: Kind, data: st.DataObject) -> None:
    kernels = {**logic.KERNELS, **stateless.KERNELS}
    machine = KernelMachine(kernels[f"missing_{kind}"], make_node("missing", (kind,)), (kind,))
    assert_computes(machine, columns(data, (kind,)), lambda a: a is None)


@pytest.mark.parametrize(("name", "value"), [("always", True), ("never", False)])
@pytest.mark.parametrize("count", [1, 63, 64, 65])
def test_a_constant_condition_holds_at_every_tick_and_no_further(name: str, value: bool, count: int) -> None:
    node = Node("truth", (), (value,), Kind.BOOL)
    block = Block(range(count), [True] * count, [True] * count, ())
    assert KernelMachine(logic.KERNELS[name], node, ()).run(block) == [value] * count
