"""`sign`, `floor`, `mod` and `bits` give what exact arithmetic gives, at every tick."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.triggers.language.webassembly.harness import KernelMachine, make_node
from tests.triggers.language.webassembly.kernels.test_logic_kernels import assert_computes, columns, strict
from triggers.language.ir import MAX_INTEGER, Kind
from triggers.language.reference.values import Value, masked, modulo
from triggers.language.webassembly.kernels.current import stateless, whole_numbers

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
KERNELS = {**stateless.KERNELS, **whole_numbers.KERNELS}
ONE, TWO = (Kind.NUMBER,), (Kind.NUMBER, Kind.NUMBER)


@pytest.mark.parametrize("op", ["sign", "floor"])
@given(data=st.data())
@settings(max_examples=60)
def test_sign_and_floor_have_the_interpreters_bits(op: str, data: st.DataObject) -> None:
    assert_computes(KernelMachine(KERNELS[op], make_node(op, ONE), ONE), columns(data, ONE), strict(op))


@st.composite
def divisions(draw: st.DrawFn) -> tuple[float, float]:
    """A dividend and a divisor, mostly with a quotient for which there is a remainder, often near a whole one."""
    m = draw(st.sampled_from((1.0, 0.1, 24.0, 360.0, math.tau, 5e-324, 2.0**-1022, 1.7e308)) | NUMBERS)
    q = draw(st.integers(-(2**51) - 4, 2**51 + 4) | st.integers(-20, 20))
    x = draw(st.just(m * q) | NUMBERS)
    for _ in range(draw(st.integers(0, 3))):
        x = math.nextafter(x, draw(st.sampled_from((math.inf, -math.inf))))
    return (x, m) if math.isfinite(x) else (0.0, m)


LARGEST = math.nextafter(math.inf, 0)
HARD = [
    (LARGEST, math.nextafter(LARGEST / 3, math.inf)), (-LARGEST, LARGEST / 3), (-5e-324, 1.0), (-0.0, 1.0),
    (-3.0, 1.0), (1.0, -1.0), (1.0, 0.0), (2.0**51, 1.0), (2.0**51 - 0.25, 1.0), (-5e-324, 5e-324), (1e308, 1e-308),
]  # fmt: skip


@given(st.lists(divisions(), min_size=1, max_size=20))
@settings(max_examples=150)
@example(HARD)
def test_mod_is_the_exact_remainder_rounded_once(pairs: list[tuple[float, float]]) -> None:
    def exact(x: float | None, m: float | None) -> Value:
        if x is None or m is None or m <= 0 or not abs(x) / m < 2**51:
            return None
        rest = float(Fraction(x) % Fraction(m))
        return rest if rest < m else 0.0

    arguments = ([x for x, _ in pairs], [m for _, m in pairs])
    machine = KernelMachine(KERNELS["mod"], make_node("mod", TWO), TWO)
    assert_computes(machine, arguments, exact)
    assert_computes(machine, arguments, strict("mod"))
    assert all(rest is None or 0 <= rest < m for x, m in pairs for rest in [modulo(x, m)])


@given(data=st.data())
@settings(max_examples=60)
def test_mod_is_unknown_with_either_operand(data: st.DataObject) -> None:
    assert_computes(KernelMachine(KERNELS["mod"], make_node("mod", TWO), TWO), columns(data, TWO), strict("mod"))


INTEGERS = st.integers(0, MAX_INTEGER) | st.sampled_from((0, 1, 2**31, 2**32 - 1, 2**32, 2**52, MAX_INTEGER))
OUTSIDE = st.sampled_from((-0.0, -1.0, 0.5, 2.0**53, 2.0**53 + 2, 2.0**52 + 0.5, 1e300, 2.0**32 - 0.5)) | NUMBERS


@given(numbers=st.lists(st.none() | INTEGERS.map(float) | OUTSIDE, min_size=1, max_size=70), mask=INTEGERS)
@settings(max_examples=100)
def test_bits_are_those_of_integers_and_of_nothing_else(numbers: list[float | None], mask: int) -> None:
    machine = KernelMachine(KERNELS["bits"], make_node("bits", ONE, mask=float(mask)), ONE)

    def expected(x: float | None) -> Value:
        is_integer = x is not None and x.is_integer() and 0 <= x < 2**53
        return float(int(x) & mask) if x is not None and is_integer else None

    assert_computes(machine, (list(numbers),), expected)
    assert_computes(machine, (list(numbers),), lambda x: None if x is None else masked(x, float(mask)))
