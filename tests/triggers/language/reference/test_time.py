"""Rules of time: rows, heartbeats, segments, expiry, initial values, cooldown."""

from __future__ import annotations

import math

import pytest

from tests.triggers.language.support import MS, fires_ms, ir_of, merged, rows, series, times_ms
from triggers.errors import InvalidInput
from triggers.language.reference.interpreter import Interpreter
from triggers.language.rows import Row


def test_a_hold_is_fulfilled_at_a_heartbeat_between_two_samples() -> None:
    samples = series("slow", [0, 1, 1], step_ms=1000)
    assert fires_ms("slow > 0.5 for 500 ms", samples) == [1500]


def test_heartbeats_stand_at_multiples_of_100_ms_of_the_clock_not_of_the_segment() -> None:
    samples = series("slow", [0, 1, 1], step_ms=1000, start_ms=1040)
    assert fires_ms("slow > 0.5 for 500 ms", samples) == [2600]


def test_no_heartbeat_where_the_signal_has_a_sample_in_the_100_ms_before() -> None:
    # sample at 90 and 180 ms: at 100 and 200 ms nothing ticks, at 300 the signal is silent
    samples = merged({0: {"x": 0}, 90: {"x": 1}, 180: {"x": 1}, 400: {"x": 0}})
    assert fires_ms("x > 0.5 for 100 ms", samples) == [300]


def test_a_row_without_samples_is_its_own_heartbeat_at_a_multiple_of_100_ms() -> None:
    with_row = merged(series("slow", [0, 1], step_ms=1000), {1500: {}, 1990: {"slow": 0}})
    assert fires_ms("slow > 0.5 for 500 ms", with_row) == [1500]


def test_a_row_between_heartbeats_without_samples_is_not_a_tick() -> None:
    samples = merged(series("slow", [0, 1], step_ms=1000), {1505: {}, 1520: {"slow": 0}})
    assert fires_ms("slow > 0.5 for 502 ms", samples) == []


def test_other_signals_do_not_move_a_triggers_ticks() -> None:
    alone = series("slow", [0, 1, 1, 0, 1, 1], step_ms=1000)
    noise = {t: {"x": 1.0} for t in range(3, 6000, 7)}
    condition = "slow > 0.5 for 450 ms"
    assert fires_ms(condition, merged(alone, noise)) == fires_ms(condition, alone) == [1500, 4500]


def test_other_triggers_do_not_move_a_triggers_ticks() -> None:
    other = "trigger u {\n    when y > 0\n}\n"
    samples = merged(series("slow", [0, 1, 1], step_ms=1000), {t: {"y": 1.0} for t in range(3, 3000, 7)})
    evaluator = Interpreter(ir_of("slow > 0.5 for 450 ms", extra=other))
    assert [f.t_ns // MS for f in evaluator.run(rows(samples)) if f.trigger == "t"] == [1500]


def test_there_are_no_heartbeats_after_the_last_row() -> None:
    assert fires_ms("slow > 0.5 for 500 ms", series("slow", [0, 1], step_ms=1000)) == []


def test_over_a_long_gap_heartbeats_go_up_to_max_gap() -> None:
    samples = {0: {"flag": 0.0}, 100: {"flag": 1.0}, 60_000: {"flag": 0.0}}
    assert fires_ms("flag for 2 s", samples) == [2100]
    assert fires_ms("flag for 2001 ms", samples) == []


def test_a_gap_of_exactly_max_gap_does_not_begin_a_segment() -> None:
    assert fires_ms("slow > 0.5", {0: {"slow": 0.0}, 2000: {"slow": 1.0}}) == [2000]
    assert fires_ms("slow > 0.5", {0: {"slow": 0.0}, 2001: {"slow": 1.0}}) == []


def test_a_condition_that_is_true_when_a_segment_begins_does_not_fire() -> None:
    assert fires_ms("x > 0.5", series("x", [1, 1, 0, 1])) == [300]


def test_time_that_runs_backwards_begins_a_segment() -> None:
    evaluator = Interpreter(ir_of("x > 0.5"))
    evaluator.run([Row(500 * MS, {"x": 0.0})])
    assert evaluator.run([Row(400 * MS, {"x": 1.0}), Row(450 * MS, {"x": 0.0})]) == []
    assert times_ms(evaluator.run([Row(460 * MS, {"x": 1.0})])) == [460]


def test_a_sample_expires_after_max_age_and_not_before() -> None:
    # max_age 350 ms: at the heartbeat 300 ms the sample counts, at 400 ms it does not
    samples = {0: {"x": 1.0}, 900: {"x": 1.0}}
    assert fires_ms("missing(x)", samples) == [400]


def test_an_on_change_signal_never_expires_within_a_segment() -> None:
    samples = {0: {"flag": 1.0}, **{t: {"x": 0.0} for t in range(1000, 60_000, 1000)}}
    assert fires_ms("missing(flag)", samples) == []


def test_an_initial_value_holds_from_the_segments_start() -> None:
    assert fires_ms("flag", {0: {"x": 0.0}, 500: {"flag": 1.0}}) == [500]
    assert fires_ms('mode == "high"', {0: {"x": 0.0}, 500: {"mode": 2.0}}) == [500]
    after_gap = {0: {"flag": 1.0}, 5000: {"x": 0.0}, 5500: {"flag": 1.0}}
    assert fires_ms("flag", after_gap) == [5500]


def test_an_initial_value_is_not_a_sample() -> None:
    assert fires_ms("missing(age(flag))", {0: {"flag": 1.0}, 5000: {"x": 0.0}}) == []
    assert fires_ms("not missing(age(flag))", {0: {"x": 1.0}, 500: {"flag": 0.0}}) == [500]


def test_nan_is_not_a_new_sample_and_infinity_is_measured_but_invalid() -> None:
    held = {0: {"x": 0.0}, 100: {"x": 1.0}, 200: {"x": math.nan}, 300: {"x": math.nan}, 400: {"x": 0.0}}
    assert fires_ms("x > 0.5 for 200 ms", held) == [300]
    invalid = {0: {"x": 0.0}, 100: {"x": 1.0}, 200: {"x": math.inf}, 300: {"x": math.nan}, 400: {"x": 0.0}}
    assert fires_ms("x > 0.5 for 200 ms", invalid) == []
    assert fires_ms("missing(x)", invalid) == [200]


def test_a_rise_during_the_cooldown_is_suppressed_and_counted() -> None:
    evaluator = Interpreter(ir_of("x > 0.5", cooldown="300 ms"))
    fired = evaluator.run(rows(series("x", [0, 1, 0, 1, 1, 0, 1, 0])))
    assert times_ms(fired) == [100, 600]
    assert evaluator.suppressed == {"t": 1}


def test_a_cooldown_ends_exactly_at_its_time() -> None:
    assert fires_ms("x > 0.5", series("x", [0, 1, 0, 1]), cooldown="200 ms") == [100, 300]
    assert fires_ms("x > 0.5", series("x", [0, 1, 0, 1]), cooldown="201 ms") == [100]


def test_a_cooldown_goes_on_over_a_gap_which_counts_as_elapsed() -> None:
    samples = {0: {"x": 0.0}, 100: {"x": 1.0}, 5000: {"x": 0.0}, 5100: {"x": 1.0}}
    assert fires_ms("x > 0.5", samples, cooldown="5 s") == [100, 5100]
    assert fires_ms("x > 0.5", samples, cooldown="5001 ms") == [100]


def test_a_cooldown_keeps_its_remainder_when_time_jumps_back() -> None:
    evaluator = Interpreter(ir_of("x > 0.5", cooldown="1 s"))
    assert len(evaluator.run(rows({5000: {"x": 0.0}, 5100: {"x": 1.0}, 5400: {"x": 0.0}}))) == 1
    back = rows({1000: {"x": 0.0}, 1600: {"x": 1.0}, 1650: {"x": 0.0}, 1700: {"x": 1.0}})  # 700 ms were left
    assert times_ms(evaluator.run(back)) == [1700]
    assert evaluator.suppressed == {"t": 1}


def test_a_timestamp_outside_int64_is_refused() -> None:
    evaluator = Interpreter(ir_of("x > 0.5"))
    for t_ns in (-1, 1 << 63):
        with pytest.raises(InvalidInput, match="timestamp"):
            evaluator.run([Row(t_ns, {})])
