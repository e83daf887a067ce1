"""Single drives: what is left without each of them, against sums by hand, and when one carries the result."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triggers.backtest.evidence.by_drive import counts_by_drive, leave_one_out
from triggers.backtest.result import DriveResult
from triggers.errors import InvalidInput
from triggers.times import NS_PER_S

HOUR_NS = 3600 * NS_PER_S


def drive(name: str, hours: float, **fires: int) -> DriveResult:
    times = {trigger: np.arange(count) for trigger, count in fires.items() if count}
    return DriveResult(name, Path(name), recorded_ns=round(hours * HOUR_NS), fires_ns=times)


UNLIKE = [drive("a", 0.05, x=40), drive("b", 0.2), drive("c", 1, x=3), drive("d", 6), drive("e", 2, x=1)]
"""Five drives, one of which has nearly all fires in three minutes."""


def test_the_drive_that_has_nearly_all_fires_carries_the_result() -> None:
    found = leave_one_out("x", UNLIKE)
    assert found is not None
    assert (found.drive, found.fires, found.carries) == ("a", 40, True)
    assert (found.share, found.hours) == (pytest.approx(40 / 44), pytest.approx(0.05))
    assert (found.per_hour, found.per_hour_without) == (pytest.approx(44 / 9.25), pytest.approx(4 / 9.2))


def test_a_long_drive_without_fires_may_carry_the_result() -> None:
    found = leave_one_out("x", [drive("long", 20), drive("a", 1, x=2), drive("b", 1, x=3)])
    assert found is not None and (found.drive, found.fires, found.carries) == ("long", 0, True)


def test_drives_alike_carry_nothing_however_large_their_share() -> None:
    found = leave_one_out("x", [drive("a", 9, x=90), drive("b", 1, x=11)])
    assert found is not None and not found.carries and found.share == pytest.approx(90 / 101)


@pytest.mark.parametrize("drives", [[], [drive("a", 1, x=3)], [drive("a", 1), drive("b", 2)], UNLIKE[:1]])
def test_without_a_fire_or_a_second_drive_nothing_can_be_left_out(drives: list[DriveResult]) -> None:
    assert leave_one_out("x", drives) is None


def test_drives_that_a_trigger_did_not_run_on_say_nothing_about_it() -> None:
    left = drive("left", 5, y=1)
    left.left_out["x"] = InvalidInput("no column")
    found = leave_one_out("x", [left, drive("a", 1, x=1), drive("b", 1, x=1)])
    assert found is not None and found.per_hour == pytest.approx(1) and found.drive == "a"
    (first, *_) = counts_by_drive(["x", "y"], [left, drive("a", 1, x=1), drive("b", 1, x=1)])
    assert list(first.by_trigger) == ["y"] and first.by_trigger["y"].per_hour_without == pytest.approx(0)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=6))
def test_rates_without_a_drive_are_those_of_the_others_alone(given_drives: list[tuple[int, int, int]]) -> None:
    drives = [drive(str(n), hours / 4, x=x, y=y) for n, (hours, x, y) in enumerate(given_drives)]
    for index, counts in enumerate(counts_by_drive(["x", "y"], drives)):
        others = [each for n, each in enumerate(drives) if n != index]
        hours = sum(each.recorded_ns for each in others) / HOUR_NS
        fires = {name: sum(len(each.fires_ns.get(name, ())) for each in others) for name in "xy"}
        alone = {name: fires[name] / hours if hours else None for name in "xy"}
        total = sum(fires.values()) / hours if hours else None
        assert counts.per_hour_without == (total if total is None else pytest.approx(total))
        for name, on_drive in counts.by_trigger.items():
            expected = alone[name]
            assert on_drive.per_hour_without == (expected if expected is None else pytest.approx(expected))
    found = leave_one_out("x", drives)
    if found is not None:
        factor = _factor(found.per_hour, found.per_hour_without)
        for each in drives:
            rest = [other for other in drives if other is not each and other.recorded_ns]
            hours = sum(other.recorded_ns for other in rest) / HOUR_NS
            rate = sum(len(other.fires_ns.get("x", ())) for other in rest) / hours if hours else found.per_hour
            assert not each.recorded_ns or _factor(found.per_hour, rate) <= factor * (1 + 1e-9)


def _factor(rate: float, other: float) -> float:
    return max(rate / other, other / rate) if other else math.inf
