"""Short runs, `since`, latches and clocks, against their definitions and case by case."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.support import fires_ms, merged, series
from tests.triggers.language.webassembly.harness import make_node
from triggers.language.ir import Kind
from triggers.language.reference.conditions import ShortRun, Since, SinceWithin
from triggers.language.reference.operators import Operator, Tick
from triggers.language.reference.values import Value

T, F, U = True, False, None
Truth = bool | None
ONE, TWO = (Kind.BOOL,), (Kind.BOOL, Kind.BOOL)
_ORDER: tuple[Truth, ...] = (F, U, T)
_truths = st.sampled_from(_ORDER)
_steps = st.integers(1, 4)


def stepped(operator: Operator, ticks: Sequence[tuple[int, *tuple[Truth, ...]]]) -> list[Value]:
    return [operator.step(Tick(t_ns), *arguments) for t_ns, *arguments in ticks]


def least(*values: Truth) -> Truth:
    return min(values, key=_ORDER.index, default=T)


def most(*values: Truth) -> Truth:
    return max(values, key=_ORDER.index, default=F)


def defined_since(times: Sequence[int], p: Sequence[Truth], q: Sequence[Truth], i: int, within: int | None) -> Truth:
    """Some tick s in the window at which Q was true, and P true at every tick in (s, t]."""
    starts = (s for s in range(i + 1) if within is None or times[s] > times[i] - within)
    return most(*(least(q[s], *p[s + 1 : i + 1]) for s in starts))


@settings(max_examples=400)
@given(st.lists(st.tuples(_steps, _truths, _truths), min_size=1, max_size=12), st.one_of(st.none(), st.integers(1, 9)))
def test_since_is_what_its_definition_says(ticks: list[tuple[int, Truth, Truth]], within: int | None) -> None:
    times = list(accumulate(step for step, _, _ in ticks))
    p, q = [each[1] for each in ticks], [each[2] for each in ticks]
    operator: Operator = Since(make_node("since", TWO), 1)
    if within is not None:
        operator = SinceWithin(make_node("since_within", TWO, within_ns=within), 1)
    expected = [defined_since(times, p, q, i, within) for i in range(len(ticks))]
    assert stepped(operator, list(zip(times, p, q, strict=True))) == expected


def tolerated(times: Sequence[int], p: Sequence[Truth], tolerate: int) -> list[str]:
    """Each tick as T, F, U, or `-` in an unknown stretch that ends in time."""
    result = [{T: "T", F: "F", U: "U"}[value] for value in p]
    for known in (i for i in range(len(p)) if p[i] is not U):
        first = known
        while first > 0 and p[first - 1] is U:
            first -= 1
        if times[known] - times[first] <= tolerate:
            result[first:known] = "-" * (known - first)
    return result


def defined_short_run(times: Sequence[int], marks: Sequence[str], i: int, longest: int) -> bool:
    """Whether P is false at this tick, after a run that follows another false tick and is short enough."""
    before = max((k for k in range(i) if marks[k] == "F"), default=-1)
    run = marks[before + 1 : i]
    return marks[i] == "F" and before >= 0 and "T" in run and "U" not in run and times[i] - times[before + 1] <= longest


@settings(max_examples=400)
@given(st.lists(st.tuples(_steps, _truths), min_size=1, max_size=14), st.integers(1, 12), st.integers(0, 6))
def test_a_short_run_is_what_its_definition_says(ticks: list[tuple[int, Truth]], longest: int, tolerate: int) -> None:
    times, p = list(accumulate(step for step, _ in ticks)), [value for _, value in ticks]
    marks = tolerated(times, p, tolerate)
    # a false tick that is followed by tolerated unknown ones begins a run with them only if a true one follows
    expected = [U if p[i] is U else defined_short_run(times, marks, i, longest) for i in range(len(p))]
    operator = ShortRun(make_node("for_at_most", ONE, most_ns=longest, tolerate_ns=tolerate), 1)
    assert stepped(operator, list(zip(times, p, strict=True))) == expected


def test_then_after_wants_its_second_neither_too_early_nor_too_late() -> None:
    first = series("p", [0, 1, 1, 1, 1, 1, 1])
    for second, fires in (
        ([0, 0, 1, 1, 1, 1, 1], []),  # too early, and no further rise
        ([0, 0, 1, 0, 1, 0, 1], [400]),
        ([0, 0, 0, 1, 1, 1, 1], [300]),
        ([0, 0, 0, 0, 0, 1, 1], [500]),
        ([0, 0, 0, 0, 0, 0, 1], []),
    ):
        assert fires_ms("p then q after 200 ms within 400 ms", merged(first, series("q", second))) == fires


def test_a_later_rise_of_the_first_replaces_the_one_that_is_kept() -> None:
    samples = merged(series("p", [0, 1, 0, 1, 1, 1]), series("q", [0, 0, 0, 0, 1, 1]))
    assert fires_ms("p then q after 200 ms within 1 s", samples) == []
    assert fires_ms("p then q after 100 ms within 1 s", samples) == [400]


def test_a_chain_is_read_from_left_to_right() -> None:
    samples = merged(series("p", [0, 1, 1, 1, 0, 0]), series("q", [0, 0, 1, 1, 1, 1]), series("x", [0, 0, 0, 5, 0, 0]))
    chain, nested = (
        "p then q within 200 ms then x > 3 within 200 ms",
        "(p then q within 200 ms) then x > 3 within 200 ms",
    )
    assert fires_ms(chain, samples) == fires_ms(nested, samples) == [300]
    assert fires_ms("p then q within 200 ms without x > 9 within 200 ms", samples) == [400]


def test_reset_wins_over_set() -> None:
    samples = merged(series("p", [0, 1, 0, 1, 0, 1]), series("q", [0, 1, 0, 0, 1, 0]))
    assert fires_ms("latch(p, q)", samples) == [300, 500]


@pytest.mark.parametrize("row_ms", [7, 100, 130, 990])
def test_every_counts_from_the_segments_first_row_whatever_rows_there_are(row_ms: int) -> None:
    samples = {30 + row_ms * k: {"x": 1.0} for k in range(2 + 3000 // row_ms)}
    fires = [t_ms for t_ms in fires_ms("every 500 ms", samples) if t_ms <= 2900]
    assert fires == [600, 1100, 1600, 2100, 2600]


def test_every_begins_again_in_a_new_segment() -> None:
    samples = {0: {"x": 1.0}, 600: {"x": 1.0}, 10_050: {"x": 1.0}, 10_900: {"x": 1.0}}
    assert fires_ms("every 500 ms", samples) == [500, 1000, 1500, 2000, 2500, 10_600]
