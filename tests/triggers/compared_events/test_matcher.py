"""The matching of rises: against a search for a maximum matching, and what becomes of rises at the edges."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triggers.compared_events import matcher
from triggers.compared_events.matcher import EventMatcher, Side, match_events
from triggers.contracts.compared import EventCounts

times = st.lists(st.integers(0, 60), max_size=14).map(sorted)
windows = st.integers(0, 12)


def most_pairs(first: list[int], second: list[int], within: int) -> int:
    """The size of a maximum matching, by augmenting paths: slow, and knows nothing of time's order."""
    partner: dict[int, int] = {}

    def find(index: int, tried: set[int]) -> bool:
        for other, time in enumerate(second):
            if abs(time - first[index]) <= within and other not in tried:
                tried.add(other)
                if other not in partner or find(partner[other], tried):
                    partner[other] = index
                    return True
        return False

    return sum(find(index, set()) for index in range(len(first)))


def naive(first: list[int], second: list[int], within: int, start: int, end: int) -> EventCounts:
    """The rule as it is written: again and again, the earliest rise that can have a partner takes the earliest one."""
    left = [list(first), list(second)]
    matched = 0
    while pairs := [(min(a, b), max(a, b), a, b) for a in left[0] for b in left[1] if abs(a - b) <= within]:
        *_, a, b = min(pairs)
        left[0].remove(a)
        left[1].remove(b)
        matched += 1
    seen = [[time for time in side if start <= time - within and time + within <= end] for side in left]
    alone = [len(side) for side in seen]
    return EventCounts(matched, *alone, len(left[0]) - alone[0], len(left[1]) - alone[1])


@given(first=times, second=times, within=windows)
def test_as_many_rises_are_matched_as_any_rule_could(first: list[int], second: list[int], within: int) -> None:
    counts = match_events(first, second, within, start_ns=-100, end_ns=200)
    assert counts.matched == most_pairs(first, second, within)


@given(first=times, second=times, within=windows, cut=st.integers(0, 10))
def test_the_stream_follows_the_written_rule(first: list[int], second: list[int], within: int, cut: int) -> None:
    start, end = min([0, *first[:1], *second[:1]]), max([60 - cut, *first, *second])
    counts = match_events(first, second, within, start_ns=start, end_ns=end)
    assert counts == naive(first, second, within, start, end)


@given(first=times, second=times, within=windows)
def test_every_rise_is_in_one_count_and_swapping_the_sides_swaps_the_counts(
    first: list[int], second: list[int], within: int
) -> None:
    counts = match_events(first, second, within, start_ns=0, end_ns=70)
    assert counts.rises == (len(first), len(second))
    swapped = match_events(second, first, within, start_ns=0, end_ns=70)
    assert swapped == EventCounts(
        counts.matched, counts.only_second, counts.only_first, counts.unresolved_second, counts.unresolved_first
    )


@given(first=times, second=times, within=windows, steps=st.lists(st.integers(0, 60), max_size=10))
def test_telling_the_time_in_between_changes_nothing(
    first: list[int], second: list[int], within: int, steps: list[int]
) -> None:
    told = EventMatcher(within, 0)
    rises = [(time, 0, Side.FIRST) for time in first] + [(time, 0, Side.SECOND) for time in second]
    for time, is_step, side in sorted([*rises, *((step, 1, Side.FIRST) for step in steps)]):
        if is_step:
            told.advance(time)
        else:
            told.rise(side, time)
    told.advance(70)
    assert told.finish() == match_events(first, second, within, start_ns=0, end_ns=70)


def test_the_window_includes_its_end() -> None:
    assert match_events([100], [110], 10, start_ns=0, end_ns=200).matched == 1
    assert match_events([100], [111], 10, start_ns=0, end_ns=200) == EventCounts(0, 1, 1)


def test_one_rise_is_not_matched_twice() -> None:
    assert match_events([100], [99, 101], 10, start_ns=0, end_ns=200) == EventCounts(1, 0, 1)


def test_earliest_first_matches_both_where_nearest_first_matches_one() -> None:
    """14 is nearest to 15; taken together, they leave 5 and 24 alone, which are too far apart."""
    assert match_events([5, 15], [14, 24], 10, start_ns=-100, end_ns=200) == EventCounts(2)


def test_rises_at_the_edges_of_what_was_observed_are_unresolved() -> None:
    counts = match_events([3, 50, 97], [], 5, start_ns=0, end_ns=100)
    assert counts == EventCounts(0, 1, 0, 2, 0)
    assert match_events([5, 95], [], 5, start_ns=0, end_ns=100) == EventCounts(0, 2)


def test_a_rise_that_waits_is_in_no_count_yet() -> None:
    matching = EventMatcher(10, 0)
    matching.rise(Side.SECOND, 20)
    assert (matching.waiting, matching.counts) == (1, EventCounts())
    matching.advance(30)
    assert matching.waiting == 1, "a partner may still come at 30"
    matching.advance(31)
    assert (matching.waiting, matching.counts) == (0, EventCounts(only_second=1))


def test_more_rises_than_may_wait_are_unresolved_and_not_lost() -> None:
    matching = EventMatcher(1000, 0, max_waiting=3)
    for time in range(1000, 1010):
        matching.rise(Side.FIRST, time)
    assert (matching.waiting, matching.counts) == (3, EventCounts(unresolved_first=7))
    for time in range(1010, 1014):
        matching.rise(Side.SECOND, time)
    matching.advance(5000)
    assert matching.finish() == EventCounts(matched=3, only_second=1, unresolved_first=7)


def test_times_that_go_back_are_refused() -> None:
    matching = EventMatcher(10, 100)
    with pytest.raises(ValueError, match="99 ns after 100 ns"):
        matching.rise(Side.FIRST, 99)
    with pytest.raises(ValueError, match="window of -1 ns"):
        EventMatcher(-1, 0)


def test_counts_of_stretches_add_up() -> None:
    assert EventCounts(1, 2, 3, 4, 5) + EventCounts(10, 20, 30, 40, 50) == EventCounts(11, 22, 33, 44, 55)


def test_counts_since_an_earlier_moment_are_a_difference() -> None:
    assert EventCounts(11, 22, 33, 44, 55) - EventCounts(1, 2, 3, 4, 5) == EventCounts(10, 20, 30, 40, 50)


@pytest.mark.parametrize(
    ("unknown_ns", "known_ns", "resolved"),
    [
        (60, 89, True),  # known again just before the window begins
        (60, 90, True),
        (60, 91, False),
        (100, 101, False),
        (110, None, False),  # unknown from the last moment of the window on
        (111, None, True),
        (0, None, False),
    ],
)
def test_a_rise_is_alone_only_if_the_other_side_was_known_in_its_whole_window(
    unknown_ns: int, known_ns: int | None, resolved: bool
) -> None:
    told = [(100, 1, lambda at: matching.rise(Side.FIRST, at))]
    told.append((unknown_ns, 0, lambda at: matching.observe(Side.SECOND, at, is_known=False)))
    if known_ns is not None:
        told.append((known_ns, 0, lambda at: matching.observe(Side.SECOND, at, is_known=True)))
    matching = EventMatcher(10, 0)
    for time_ns, _, tell in sorted(told, key=lambda each: each[:2]):
        tell(time_ns)
    matching.advance(300)
    assert matching.finish() == (EventCounts(only_first=1) if resolved else EventCounts(unresolved_first=1))


def test_a_side_that_is_unknown_itself_resolves_its_rises_all_the_same() -> None:
    matching = EventMatcher(10, 0)
    matching.rise(Side.FIRST, 100)
    matching.observe(Side.FIRST, 101, is_known=False)
    matching.advance(300)
    assert matching.finish() == EventCounts(only_first=1)


def test_a_partner_counts_although_its_side_was_unknown_in_between() -> None:
    matching = EventMatcher(10, 0)
    matching.rise(Side.FIRST, 100)
    matching.observe(Side.SECOND, 102, is_known=False)
    matching.observe(Side.SECOND, 105, is_known=True)
    matching.rise(Side.SECOND, 105)
    assert matching.finish() == EventCounts(matched=1)


def test_the_example_in_the_documentation_holds() -> None:
    assert doctest.testmod(matcher).failed == 0
