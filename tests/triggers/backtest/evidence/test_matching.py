"""Matching of fires with known events, against every other way to match them."""

from __future__ import annotations

from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from triggers.backtest.evidence.known_events import EventSpans
from triggers.backtest.evidence.matching import match


def spans(events: list[tuple[int, int]], window: int) -> EventSpans:
    pairs = np.array(sorted(events), np.int64).reshape(-1, 2)
    return EventSpans(pairs[:, 0], pairs[:, 1], window)


def most(fires: list[int], events: EventSpans) -> int:
    """The largest number of events that any matching finds, by trying all."""
    windows = list(zip(events.from_ns.tolist(), events.until_ns.tolist(), strict=True))

    @cache
    def best(fire: int, left: frozenset[int]) -> int:
        if fire == len(fires):
            return 0
        taken = [1 + best(fire + 1, left - {n}) for n in left if windows[n][0] <= fires[fire] <= windows[n][1]]
        return max([best(fire + 1, left), *taken])

    return best(0, frozenset(range(len(windows))))


event = st.tuples(st.integers(0, 20), st.integers(0, 8)).map(lambda pair: (pair[0], sum(pair)))


@settings(max_examples=300)
@given(st.lists(st.integers(0, 30), max_size=7), st.lists(event, max_size=6), st.integers(0, 4))
def test_no_other_matching_finds_more_events(fires: list[int], events: list[tuple[int, int]], window: int) -> None:
    ordered, given_spans = sorted(fires), spans(events, window)
    found = match(np.array(ordered, np.int64), given_spans)
    used = [fire for fire in found.fire_of_event.tolist() if fire >= 0]
    assert len(used) == len(set(used)) == most(ordered, given_spans)
    begins, ends = given_spans.from_ns, given_spans.until_ns
    for number, fire in enumerate(found.fire_of_event.tolist()):
        assert fire < 0 or begins[number] <= ordered[fire] <= ends[number]
    alarms = set(found.false_alarms().tolist())
    for fire, t in enumerate(ordered):
        inside = bool(((begins <= t) & (t <= ends)).any())
        assert (fire in alarms) == (not inside)
        assert bool(found.repeats[fire]) == (inside and fire not in used)


def test_a_fire_before_its_event_counts_and_one_behind_its_end() -> None:
    found = match(np.array([8, 14, 15]), spans([(10, 12)], 2))
    assert found.fire_of_event.tolist() == [0]
    assert (found.repeats.tolist(), found.false_alarms().tolist()) == ([False, True, False], [2])


def test_one_fire_finds_one_event() -> None:
    assert match(np.array([10]), spans([(9, 9), (11, 11)], 2)).fire_of_event.tolist() == [0, -1]
    assert match(np.array([10]), spans([], 2)).false_alarms().tolist() == [0]


def test_windows_end_where_times_do() -> None:
    last = (1 << 63) - 1
    assert match(np.array([last]), spans([(last, last)], 10**9)).found == 1
