"""Rules of truth and of each operator, as the language writes them."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from tests.triggers.language.support import MS, fires_ms, ir_of, merged, rows, series, times_ms
from triggers.language.reference.interpreter import Interpreter
from triggers.language.reference.values import Value, kleene_and, kleene_or, larger, smaller, wrap_angle

T, F, U = True, False, None


def values(expression: str, samples: dict[int, dict[str, float]]) -> dict[int, Value]:
    """The value of an expression after each row, by time in ms."""
    evaluator = Interpreter(ir_of(f"({expression}) == ({expression})"))
    argument = evaluator.ir.nodes[evaluator.ir.triggers[0].root].arguments[0]
    result = {}
    for row in rows(samples):
        evaluator.run([row])
        result[row.t_ns // MS] = evaluator.values[argument]
    return result


@pytest.mark.parametrize(
    ("a", "b", "both", "either"),
    [(T, T, T, T), (T, F, F, T), (T, U, U, T), (F, F, F, F), (F, U, F, U), (U, U, U, U)],
)
def test_and_and_or_are_kleenes(a: bool | None, b: bool | None, both: bool | None, either: bool | None) -> None:
    assert kleene_and(a, b) is kleene_and(b, a) is both
    assert kleene_or(a, b) is kleene_or(b, a) is either


def test_a_comparison_with_an_unknown_operand_is_unknown() -> None:
    assert list(values("x > 1 or y > 1", {0: {"x": 0.0}, 100: {"x": 2.0}, 200: {"y": 0.0}}).values()) == [U, T, T]


def test_not_of_unknown_is_unknown() -> None:
    assert fires_ms("not x > 0.5", {0: {"x": 1.0}, 100: {"x": math.inf}, 200: {"x": 1.0}}) == []


def test_division_by_zero_and_overflow_are_unknown() -> None:
    samples = {0: {"x": 1.0, "y": 0.0}, 100: {"x": 1e308, "y": 1e-300}, 200: {"x": 6.0, "y": 3.0}}
    assert list(values("x / y", samples).values()) == [U, U, 2.0]
    assert values("sqrt(x)", {0: {"x": -1.0}, 100: {"x": 9.0}}) == {0: U, 100: 3.0}


def test_equality_is_exact() -> None:
    assert fires_ms("x + y == 0.3", {0: {"x": 0.0, "y": 0.0}, 100: {"x": 0.1, "y": 0.2}}) == []


def test_min_and_max_order_negative_zero_first() -> None:
    for function, expected in ((smaller, -1.0), (larger, 1.0)):
        assert math.copysign(1.0, function(0.0, -0.0)) == math.copysign(1.0, function(-0.0, 0.0)) == expected


@pytest.mark.parametrize("angle", [-540.0, -180.0, -179.5, 0.0, 179.9, 180.0, 360.0, 725.0, 1e6, -math.ulp(180.0)])
def test_wrap_gives_the_angle_in_the_half_open_turn(angle: float) -> None:
    wrapped = wrap_angle(angle, 180.0)
    assert wrapped is not None
    assert -180.0 <= wrapped < 180.0
    assert (Fraction(angle) - Fraction(wrapped)) % 360 == pytest.approx(0, abs=1e-9)


def test_between_includes_both_ends() -> None:
    assert list(values("x between 1 and 2", series("x", [0.9, 1, 2, 2.1])).values()) == [F, T, T, F]


def test_in_compares_with_each() -> None:
    assert list(values('mode in ("off", "high")', series("mode", [0, 1, 2])).values()) == [T, F, T]


def test_for_needs_every_tick_and_the_full_time() -> None:
    assert fires_ms("p for 200 ms", series("p", [0, 1, 1, 0, 1, 1, 1])) == [600]


def test_for_is_unknown_and_ends_while_its_condition_is_unknown() -> None:
    samples = merged(series("p", [0, 1]), {200: {"p": math.inf}}, series("p", [1, 1, 1], start_ms=300))
    assert fires_ms("p for 200 ms", samples) == [500]


def test_for_tolerating_spans_unknown_stretches_up_to_the_given_time() -> None:
    samples = merged(series("p", [0, 1]), {200: {"p": math.inf}, 300: {"p": math.inf}}, series("p", [1], start_ms=400))
    assert fires_ms("p for 250 ms tolerating 200 ms", samples) == [400]
    assert fires_ms("p for 250 ms tolerating 199 ms", samples) == []


def test_rise_and_fall_look_at_the_last_known_value() -> None:
    samples = {0: {"p": 0.0}, 100: {"p": math.inf}, 200: {"p": 1.0}, 300: {"p": 1.0}, 400: {"p": 0.0}}
    assert list(values("rise(p)", samples).values()) == [F, U, T, F, F]
    assert list(values("fall(p)", samples).values()) == [F, U, F, F, T]


def test_changed_is_false_at_the_first_known_value() -> None:
    samples = {0: {"x": 5.0}, 100: {"x": 5.0}, 200: {"x": math.inf}, 300: {"x": 6.0}}
    assert list(values("changed(x)", samples).values()) == [F, F, U, T]


def test_once_looks_into_a_window_open_on_the_left() -> None:
    assert list(values("once(p over 200 ms)", series("p", [0, 1, 0, 0, 0])).values()) == [F, T, T, F, F]


def test_once_is_unknown_where_its_condition_was_known_at_no_tick() -> None:
    samples = {0: {"p": 0.0}, 100: {"p": math.inf}, 200: {"p": math.inf}}
    assert list(values("once(p over 200 ms)", samples).values()) == [F, F, U]


def test_windows_hold_update_ticks_only() -> None:
    samples = {0: {"x": 1.0}, 100: {"y": 0.0}, 200: {"x": 3.0}}
    assert values("avg(x over 1 s)", samples) == {0: 1.0, 100: 1.0, 200: 2.0}


def test_min_max_avg_over_a_window() -> None:
    samples = series("x", [5, 1, 4, 2, 3])
    assert list(values("min(x over 300 ms)", samples).values()) == [5, 1, 1, 1, 2]
    assert list(values("max(x over 300 ms)", samples).values()) == [5, 5, 5, 4, 4]
    assert list(values("avg(x over 200 ms)", samples).values()) == [5, 3, 2.5, 3, 2.5]


def test_sums_deviations_and_integrals_over_a_window() -> None:
    samples = series("x", [5, 1, 4, 2, 3])
    assert list(values("sum(x over 300 ms)", samples).values()) == [5, 6, 10, 7, 9]
    assert list(values("std(x over 200 ms)", samples).values()) == [0, 2, 1.5, 1, 0.5]
    areas = [0, 0.3, 0.3 + 0.25, 0.25 + 0.3, 0.3 + 0.25]
    assert list(values("integral(x over 300 ms)", samples).values()) == pytest.approx(areas)


def test_a_window_without_update_ticks_has_no_sum_and_no_samples() -> None:
    samples = merged(series("x", [5, math.inf, math.inf]), series("p", [1, 0, math.inf]))
    for operator in ("sum", "std", "integral", "median"):
        assert list(values(f"{operator}(x over 200 ms)", samples).values())[2] is U
    assert list(values("samples(x over 200 ms)", samples).values()) == [1, 1, 0]
    assert list(values("samples(p over 200 ms)", samples).values()) == [1, 2, 1]


def test_quantiles_are_values_of_the_window() -> None:
    samples = series("x", [5, 1, 4, 2, 3])
    assert list(values("median(x over 400 ms)", samples).values()) == [5, 1, 4, 2, 2]
    assert list(values("quantile(x over 400 ms, 0.75)", samples).values()) == [5, 5, 5, 4, 3]
    assert list(values("quantile(x over 400 ms, 1)", samples).values()) == [5, 5, 5, 5, 4]


def test_an_integral_spans_silence_within_its_window() -> None:
    samples = {0: {"x": 1.0}, 1000: {"x": 3.0}, 1500: {"y": 0.0}}
    assert values("integral(x over 2 s)", samples) == {0: 0.0, 1000: 2.0, 1500: 2.0}


def test_negative_windows_have_negative_extremes() -> None:
    assert list(values("max(x over 1 s)", series("x", [-5, -3, -4])).values()) == [-5, -3, -3]


def test_a_mean_recovers_from_an_overflow_of_its_sum() -> None:
    samples = series("x", [1e308, 1e308, 1.0, 2.0])
    assert list(values("avg(x over 200 ms)", samples).values()) == [1e308, U, 5e307, 1.5]


def test_delta_and_rate_need_two_update_ticks() -> None:
    samples = series("x", [1, 2, 4, 8])
    assert list(values("delta(x over 300 ms)", samples).values()) == [U, 1, 3, 6]
    assert list(values("rate(x over 300 ms)", samples).values()) == [U, 10.0, 15.0, 30.0]


def test_a_full_ring_covers_the_latest_entries_and_counts_the_lost_ones() -> None:
    # slow declares 1 Hz: a window of 1 s holds ceil(1.5 + 10) + 1 = 13 entries
    evaluator = Interpreter(ir_of("delta(slow over 1 s) > 100"))
    evaluator.run(rows(series("slow", range(20), step_ms=10)))
    assert evaluator.overflows == 7
    delta = next(i for i, node in enumerate(evaluator.ir.nodes) if node.op == "delta")
    assert evaluator.values[delta] == 12.0


def test_ema_follows_its_recurrence() -> None:
    result = values("ema(x over 1 s)", series("x", [0, 10, 10]))
    first = 0 + (10 - 0) * 0.1 / (1 + 0.1)
    assert list(result.values()) == [0, first, first + (10 - first) * 0.1 / (1 + 0.1)]


def test_past_gives_the_value_at_the_latest_tick_not_later() -> None:
    samples = series("x", [0, 1, 2, 3, 4])
    assert list(values("past(x, 200 ms)", samples).values()) == [U, U, 0, 1, 2]
    assert list(values("past(x, 250 ms)", samples).values()) == [U, U, U, 0, 1]


def test_past_gives_unknown_where_it_was_unknown() -> None:
    samples = merged(series("x", [0]), {100: {"x": math.inf}}, series("x", [2, 3], start_ms=200))
    assert list(values("past(x, 200 ms)", samples).values()) == [U, U, 0, U]


def test_share_weighs_by_time() -> None:
    samples = {0: {"p": 1.0}, 100: {"p": 1.0}, 300: {"p": 0.0}, 400: {"p": 0.0}}
    assert list(values("share(p over 400 ms)", samples).values()) == [U, 1.0, 1.0, 0.75]


def test_count_counts_rises_and_impulses() -> None:
    samples = series("p", [0, 1, 0, 1, 0, 0])
    assert list(values("count(p over 300 ms)", samples).values()) == [0, 1, 1, 2, 1, 1]
    assert list(values("count(changed(p) over 300 ms)", samples).values()) == [0, 1, 2, 3, 3, 2]
    assert list(values("flicker(p over 300 ms)", samples).values()) == [0, 1, 2, 3, 3, 2]


def test_a_count_reaches_any_constant_it_is_compared_with() -> None:
    samples = series("p", [n % 2 for n in range(2600)], step_ms=1)
    assert fires_ms("count(p over 1 h) > 1200", samples) == [2401]


def test_then_wants_the_second_after_the_first() -> None:
    late = merged(series("p", [0, 1, 0, 0]), series("q", [0, 0, 0, 1]))
    assert fires_ms("p then q within 200 ms", late) == [300]
    assert fires_ms("p then q within 199 ms", late) == []
    together = merged(series("p", [0, 1, 1]), series("q", [0, 1, 1]))
    assert fires_ms("p then q within 1 s", together) == []


def test_then_consumes_its_first() -> None:
    samples = merged(series("p", [0, 1, 1, 1, 1]), series("q", [0, 0, 1, 0, 1]))
    assert fires_ms("p then q within 1 s", samples) == [200]


def test_without_waits_for_the_second_to_stay_away() -> None:
    quiet = merged(series("p", [0, 1, 1, 1, 1]), series("q", [0, 0, 0, 0, 0]))
    assert fires_ms("p without q within 200 ms", quiet) == [300]
    answered = merged(series("p", [0, 1, 1, 1, 1]), series("q", [0, 0, 0, 1, 1]))
    assert fires_ms("p without q within 200 ms", answered) == []
    too_late = merged(series("p", [0, 1, 1, 1, 1]), series("q", [0, 0, 0, 0, 1]))
    assert fires_ms("p without q within 200 ms", too_late) == [300]


def test_hysteresis_switches_beyond_its_thresholds() -> None:
    up, down = series("x", [5, 7, 6, 5, 4, 6]), series("x", [5, 3, 4, 5, 7, 4])
    assert list(values("hysteresis(x, 6, 5)", up).values()) == [F, T, T, T, F, F]
    assert list(values("hysteresis(x, 4, 6)", down).values()) == [F, T, T, T, F, F]


def test_age_counts_from_the_latest_sample() -> None:
    assert values("age(x)", {0: {"y": 0.0}, 100: {"x": 1.0}, 400: {}}) == {0: U, 100: 0.0, 400: 0.3}


def test_a_pair_is_compared_only_where_its_samples_lie_within_the_skew() -> None:
    # two identical heads, 5 ms apart: comparing held values would differ at every other tick
    active = {100 * k: {"active.h": float(k)} for k in range(20)}
    shadow = {100 * k + 5: {"shadow.h": float(k)} for k in range(20)}
    assert fires_ms("divergence(h) > 0.5", merged(active, shadow)) == []
    off = {100 * k + 5: {"shadow.h": float(k) + (1.0 if k >= 10 else 0.0)} for k in range(20)}
    assert fires_ms("divergence(h) > 0.5", merged(active, off)) == [1005]


def test_a_pair_is_unknown_when_its_latest_match_is_older_than_the_longer_max_age() -> None:
    samples = merged({0: {"active.h": 1.0, "shadow.h": 1.0}}, {100 * k: {"active.h": 1.0} for k in range(1, 9)})
    assert values("divergence(h)", samples)[500] == 0.0
    assert values("divergence(h)", samples)[600] is U


def test_heads_with_different_value_lists_are_compared_by_value() -> None:
    same = {0: {"active.kind": 0.0, "shadow.kind": 1.0}}
    assert values("disagree(kind)", same) == {0: F}
    assert values("disagree(kind)", {0: {"active.kind": 0.0, "shadow.kind": 2.0}}) == {0: T}


def test_near_agrees_with_the_great_circle() -> None:
    north_km = 111.195
    samples = {0: {"lat": 48.0, "lon": 11.0}, 100: {"lat": 48.0 + 0.999 / north_km, "lon": 11.0}}
    samples[200] = {"lat": 48.0 + 1.001 / north_km, "lon": 11.0}
    samples[300] = {"lat": 48.0, "lon": 11.0 + 0.999 / north_km / math.cos(math.radians(48.0))}
    samples[400] = {"lat": -48.0, "lon": 11.0}
    assert list(values("near(48, 11, 1 km)", samples).values()) == [T, T, F, T, F]


def test_inside_is_even_odd_with_half_open_edges() -> None:
    fence = "fence box { (0, 0), (0, 1), (1, 1), (1, 0) }"
    points = [(0.5, 0.5), (2.0, 0.5), (0.5, 1.5), (0.0, 0.5), (1.0, 0.5)]
    evaluator = Interpreter(ir_of("inside(box)", extra=fence))
    root = evaluator.ir.triggers[0].root
    seen = []
    for index, (lat, lon) in enumerate(points):
        evaluator.run(rows({100 * index: {"lat": lat, "lon": lon}}))
        seen.append(evaluator.values[root])
    assert seen[:3] == [T, F, F]
    assert seen[3] is not seen[4]


def test_a_fires_at_the_rise_of_its_whole_condition() -> None:
    evaluator = Interpreter(ir_of("x > 0.5 and y > 0.5"))
    fired = evaluator.run(rows(merged(series("x", [0, 1, 1, 1]), series("y", [0, 0, 1, 1]))))
    assert times_ms(fired) == [200]
