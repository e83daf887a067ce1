"""The numbers of a text that an author tunes: which they are, where, about what, and in which range."""

from __future__ import annotations

import pytest

from triggers.language.constants import Constant, constants_of

SOURCE = """
let slow = ego.speed < 20 km/h for 2 s tolerating 200 ms
trigger t {
    when slow and -3 m/s^2 > ego.accel and share(ego.wet over 10 s) >= 50 %
        and lead.distance between 5 m and 30 m and count(rise(active.seen) over 1 min) > 4
        and (ego.braking then ego.stopped within 3 s) and ego.speed > ego.limit
    cooldown 5 s
}
campaign c { collect t target vehicle.hardware > 3 budget 1 GB total }
"""


def found(text: str) -> list[Constant]:
    return constants_of(text, filename="file.trigger")


def shown(constant: Constant, text: str) -> tuple[str, str, str]:
    subject = text[constant.subject.start : constant.subject.end]
    return subject, constant.operator, text[constant.span.start : constant.span.end]


def test_comparisons_and_durations_of_conditions_are_found_in_the_order_of_the_text() -> None:
    constants = found(SOURCE)
    assert [shown(each, SOURCE) for each in constants if each.kind == "comparison"] == [
        ("ego.speed", "<", "20 km/h"),
        ("ego.accel", "<", "-3 m/s^2"),
        ("share(ego.wet over 10 s)", ">=", "50 %"),
        ("lead.distance", ">=", "5 m"),
        ("lead.distance", "<=", "30 m"),
        ("count(rise(active.seen) over 1 min)", ">", "4"),
    ]
    assert [(each.operator, shown(each, SOURCE)[2]) for each in constants if each.kind == "duration"] == [
        ("for", "2 s"), ("tolerating", "200 ms"), ("over", "10 s"), ("over", "1 min"), ("within", "3 s")
    ]  # fmt: skip
    assert {each.block for each in constants} == {"slow", "t"}
    assert [each.signal for each in constants[:2]] == ["ego.speed", None]


OWN_WORDS = """import "common.trigger" as c
param limit = 20 km/h
param hold = 300 ms
let faster(x) = x > 3 m/s
trigger t { when ego.speed > limit for hold and faster(ego.speed) and ego.accel < c.least for c.hold }
trigger u { when ego.speed > limit }
file "common.trigger" {
    param least = -4 m/s^2
    param hold = 1 s
}
"""


def test_numbers_of_params_are_found_where_they_are_defined_once_and_with_what_uses_them_first() -> None:
    constants = found(OWN_WORDS)
    assert [(each.block, *shown(each, OWN_WORDS)) for each in constants] == [
        ("t", "ego.speed", ">", "20 km/h"),
        ("t", "ego.speed > limit", "for", "300 ms"),
        ("faster", "x", ">", "3 m/s"),
        ("t", "ego.accel", "<", "-4 m/s^2"),
        ("t", "ego.accel < c.least", "for", "1 s"),
    ]
    assert [each.signal for each in constants if each.kind == "comparison"] == ["ego.speed", None, "ego.accel"]


@pytest.mark.parametrize(
    ("condition", "value", "bounds", "step"),
    [
        ("ego.speed > 20 m/s", 20.0, (0.0, 60.0), 1.0),
        ("ego.accel < -3 m/s^2", -3.0, (-9.0, 0.0), 0.1),
        ("ego.accel > 0", 0.0, (-1.0, 1.0), 0.02),
        ("share(p over 1 s) > 20 %", 20.0, (0.0, 100.0), 1.0),
        ("share(p over 1 s) > 0.2", 0.2, (0.0, 1.0), 0.01),
        ("count(p over 1 s) > 2", 2.0, (0.0, 10.0), 1.0),
        ("ego.speed > 1e300 m/s", 1e300, (0.0, 1e300), 1e298),
    ],
)
def test_a_number_has_a_range_and_a_step_in_its_own_unit(
    condition: str, value: float, bounds: tuple[float, float], step: float
) -> None:
    constant = next(each for each in found(f"trigger t {{ when {condition} }}") if each.kind == "comparison")
    assert (float(constant.value), (constant.low, constant.high)) == (value, bounds)
    assert constant.step == pytest.approx(step)


def test_a_duration_is_never_nothing() -> None:
    (duration,) = [each for each in found("trigger t { when p for 400 ms }") if each.kind == "duration"]
    assert (duration.low, duration.high, duration.step, duration.unit) == (20.0, 1200.0, 20.0, "ms")


@pytest.mark.parametrize("text", ["", "trigger t { when", "trigger t { when 1 > 2 }", "\0" * 1000, "trigger t {}"])
def test_no_text_makes_it_raise(text: str) -> None:
    assert found(text) == []
