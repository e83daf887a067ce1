"""The matching of two versions' fires, against a search for the nearest pair, and by capture windows."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from triggers.backtest.versions.matching import Nearness, matched
from triggers.contracts.campaign import CaptureWindow

TIMES = st.lists(st.integers(0, 60), unique=True, max_size=12).map(sorted)


def searched(first: list[int], second: list[int], nearness: Nearness) -> tuple[list[bool], list[bool]]:
    """Match the nearest pair that is left, the earliest of several, until none is near enough."""
    found = [False] * len(first), [False] * len(second)
    while pairs := [
        (apart, min(one, other), one, other, i, j)
        for i, one in enumerate(first)
        for j, other in enumerate(second)
        if not found[0][i] and not found[1][j] and (apart := nearness.of_two(one, other)) is not None
    ]:
        *_, i, j = min(pairs)
        found[0][i] = found[1][j] = True
    return found


@settings(max_examples=200, deadline=None)
@given(TIMES, TIMES, st.integers(0, 20), st.integers(0, 20))
def test_of_all_pairs_that_are_left_the_nearest_is_matched(
    first: list[int], second: list[int], later: int, earlier: int
) -> None:
    nearness = Nearness(later, earlier)
    found = matched(first, second, nearness)
    assert found == searched(first, second, nearness)
    assert found[0].count(True) == found[1].count(True)
    assert len(found[0]) == len(first)


@settings(max_examples=50, deadline=None)
@given(TIMES, st.integers(0, 20))
def test_a_version_has_all_fires_of_itself(times: list[int], apart: int) -> None:
    assert matched(times, times, Nearness.within(apart)) == ([True] * len(times), [True] * len(times))


def test_windows_touch_by_what_is_recorded_after_the_one_and_before_the_other() -> None:
    first = CaptureWindow(before_ns=10, after_ns=1, signals=())
    second = CaptureWindow(before_ns=5, after_ns=2, signals=())
    nearness = Nearness.touching(first, second)
    assert [nearness.of_two(100, t) for t in (106, 107, 88, 87)] == [6, None, 12, None]
