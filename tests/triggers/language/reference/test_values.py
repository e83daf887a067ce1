"""Rules of the operators on current values and of `prev`, as the language writes them."""

from __future__ import annotations

import math

import pytest

from tests.triggers.language.reference.test_operators import values
from tests.triggers.language.support import fires_ms, ir_of, merged, series
from triggers.language.reference.values import Value, floor_of, masked, modulo, sign_of

T, F, U = True, False, None


def of_x(expression: str, *samples: float) -> list[Value]:
    return list(values(expression, series("x", samples)).values())


def test_min_and_max_take_any_number_of_values() -> None:
    assert of_x("min(x, 5, 3 * x, 2)", 1, -1, 9) == [1, -3, 2]
    assert of_x("max(x, 5, 3 * x, 2)", 1, -1, 9) == [5, 5, 27]
    assert list(values("max(x, y, 1)", {0: {"x": 1.0}, 100: {"y": 2.0}}).values()) == [U, 2.0]


@pytest.mark.parametrize("count", [2, 3, 1000])
def test_min_of_so_many_values_compiles(count: int) -> None:
    assert ir_of(f"min({', '.join(['x', *map(str, range(count - 1))])}) > 1")


def test_clamp_is_the_upper_end_where_the_ends_are_the_wrong_way_round() -> None:
    assert of_x("clamp(x, 0, 10)", -1, 5, 11) == [0, 5, 10]
    assert list(values("clamp(x, y, 1)", merged(series("x", [0, 0]), series("y", [-1, 3]))).values()) == [0.0, 1.0]


def test_sign_of_both_zeros_is_zero() -> None:
    assert [math.copysign(1, sign_of(zero)) * (1 + sign_of(zero)) for zero in (0.0, -0.0)] == [1.0, 1.0]
    assert of_x("sign(x)", -3, 0, 5e-324, math.inf) == [-1, 0, 1, U]


def test_floor_goes_down_and_keeps_a_negative_zero() -> None:
    assert of_x("floor(x)", -0.5, 0.5, 2, 1e300) == [-1, 0, 2, 1e300]
    assert math.copysign(1, floor_of(-0.0)) == -1


@pytest.mark.parametrize(
    ("x", "m", "rest"),
    [
        (7.0, 3.0, 1.0), (-7.0, 3.0, 2.0), (6.0, 3.0, 0.0), (-6.0, 3.0, 0.0), (0.3, 0.1, 0.3 - 2 * 0.1 - 0.0),
        (-5e-324, 1.0, 0.0), (1.0, 0.0, U), (1.0, -1.0, U), (2.0**51, 1.0, U), (2.0**51 - 0.5, 1.0, 0.5),
    ],
)  # fmt: skip
def test_mod_is_floored_and_below_m(x: float, m: float, rest: Value) -> None:
    assert modulo(x, m) == (pytest.approx(rest, abs=1e-15) if rest is not None else None)
    assert modulo(x, m) is None or 0 <= modulo(x, m) < m  # type: ignore[operator]


def test_mod_is_exact_of_constants_and_of_doubles_where_one_is_a_sample() -> None:
    assert of_x("mod(x, 0.1) - mod(0.3, 0.1)", 0.3) == [pytest.approx(0.1)]
    assert of_x("x + mod(0.3, 0.1)", 5) == [5]


def test_mod_converts_the_units_of_both() -> None:
    assert list(values("mod(angle, 1 rad)", series("angle", [60])).values()) == [pytest.approx(60 - 180 / math.pi)]


@pytest.mark.parametrize(("x", "bits"), [(5, 4), (3, 0), (-0.0, 0), (0.5, U), (-1, U), (2.0**53, U), (2.0**53 - 1, 4)])
def test_bits_are_those_of_whole_numbers(x: float, bits: Value) -> None:
    assert masked(x, 4.0) == bits
    assert of_x("bits(x, 4)", x) == [bits]


def test_approx_includes_its_tolerance() -> None:
    assert of_x("if(approx(x, 5, 0.5), 1, 0)", 4.5, 5.5, 5.75) == [1, 1, 0]


def test_default_stands_in_for_what_is_unknown_and_may_be_unknown_itself() -> None:
    samples = {0: {}, 100: {"y": 7.0}, 200: {"x": 1.0}, 300: {"x": math.inf}}
    assert list(values("default(x, y)", samples).values()) == [U, 7.0, 1.0, 7.0]
    assert list(values("default(p, true)", {0: {}, 100: {"p": 0.0}}).values()) == [T, F]


def test_default_of_texts_takes_the_values_of_both() -> None:
    assert fires_ms('default(active.kind, "z") == "z"', {0: {"active.kind": 0.0}, 100: {"active.kind": math.inf}}) == [
        100
    ]


def test_if_is_unknown_with_its_condition_and_looks_at_one_value_only() -> None:
    samples = {0: {"x": 1.0}, 100: {"p": 1.0, "x": 1.0}, 200: {"p": 0.0, "x": 1.0}, 300: {"y": 3.0, "x": 1.0}}
    assert list(values("if(p, x, y)", samples).values()) == [U, 1.0, U, 3.0]


def test_if_of_texts_compares_by_value() -> None:
    samples = merged(series("p", [1, 1, 0]), series("active.kind", [0, 1, 0]), series("shadow.kind", [0, 0, 1]))
    assert fires_ms('if(p, active.kind, shadow.kind) == "b"', samples) == [100]
    assert fires_ms('if(p, active.kind, shadow.kind) == "a"', samples) == [200]


def test_prev_is_the_value_at_the_update_before() -> None:
    assert of_x("prev(x)", 1, 2, 2, 5) == [U, 1, 2, 2]


def test_prev_stays_at_heartbeats_and_in_silence() -> None:
    samples = {0: {"x": 1.0}, 100: {"x": 2.0}, 200: {}, 700: {}, 800: {"x": 3.0}}
    assert list(values("prev(x)", samples).values()) == [U, 1.0, 1.0, 1.0, 2.0]


def test_prev_skips_updates_at_which_its_operand_is_unknown() -> None:
    assert of_x("prev(x)", 1, math.inf, 2) == [U, U, 1]


def test_prev_of_an_expression_updates_with_each_of_its_signals() -> None:
    samples = {0: {"x": 1.0, "y": 1.0}, 50: {"x": 2.0}, 90: {"y": 5.0}}
    assert list(values("prev(x + y)", samples).values()) == [U, 2.0, 3.0]


def test_prev_is_forgotten_when_a_segment_begins() -> None:
    assert list(values("prev(x)", {0: {"x": 1.0}, 100: {"x": 2.0}, 5000: {"x": 3.0}}).values()) == [U, 1.0, U]


def test_changed_from_to_looks_at_the_last_known_value() -> None:
    samples = series("mode", [0, 2, 0, 1, 2, 2])
    assert fires_ms('changed(mode) from "off" to "high"', samples) == [100]
    assert fires_ms('changed(mode) from "off"', samples) == [100, 300]
    assert fires_ms('changed(mode) to "high"', samples) == [100, 400]
    assert fires_ms("changed(x) from 1 to 2", series("x", [1, math.inf, 2])) == [200]
    assert fires_ms("changed(p) from true", series("p", [1, 0])) == [100]
