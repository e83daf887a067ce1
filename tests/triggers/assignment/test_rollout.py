"""When the stages of a rollout begin, whatever halts it meanwhile."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from triggers.assignment.rollout import halted_ns, stage_at, stages_begin_ns
from triggers.contracts.campaign import RolloutStage

Halts = list[tuple[int, int]]
BEGAN = 1000
durations = st.lists(st.integers(1, 50), min_size=1, max_size=5)
halts = st.lists(st.tuples(st.integers(BEGAN, BEGAN + 200), st.integers(0, 60)), max_size=5).map(
    lambda found: [(since, since + lasts) for since, lasts in found]
)


def rollout(durations: list[int]) -> list[RolloutStage]:
    return [*(RolloutStage(share=0.5, duration_ns=ns) for ns in durations), RolloutStage(share=1)]


def counted(at: int, halts: Halts) -> int:
    """How many of the instants until `at` no halt has: what the rollout has advanced."""
    return sum(not any(since <= each < until for since, until in halts) for each in range(BEGAN, at))


@given(durations, halts)
def test_a_stage_begins_when_the_time_outside_of_halts_has_reached_it(durations: list[int], halts: Halts) -> None:
    stages = rollout(durations)
    begins = stages_begin_ns(stages, BEGAN, halts)
    assert len(begins) == len(stages)
    for number, begin in enumerate(begins, start=1):
        assert stage_at(stages, counted(begin, halts)).number == number
        assert begin == BEGAN or stage_at(stages, counted(begin - 1, halts)).number == number - 1


@given(durations, halts, st.integers(BEGAN, BEGAN + 300))
def test_what_follows_a_halt_that_lasts_is_not_known(durations: list[int], halts: Halts, since: int) -> None:
    stages = rollout(durations)
    known = stages_begin_ns(stages, BEGAN, halts)
    assert stages_begin_ns(stages, BEGAN, [*halts, (since, None)]) == [
        begin for begin in known if begin == BEGAN or begin <= since
    ]


@given(halts)
def test_halts_that_overlap_count_once(halts: Halts) -> None:
    instants = {each for since, until in halts for each in range(since, until)}
    assert halted_ns(halts) == len(instants)
