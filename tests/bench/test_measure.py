"""Comparisons: work is compared only when it was the same, and no turn always follows the same one."""

from __future__ import annotations

import pytest

from bench.measure import WARM_UP, Comparison, Contender, ResultsDiffer, Role, Timing, compare, rotated


class Worker:
    """Notes what it is asked to do."""

    def __init__(self, name: str, journal: list[tuple[str, str, int]], result: str = "same") -> None:
        self.name, self.journal, self._result = name, journal, result

    def contender(self, role: Role) -> Contender:
        return Contender(
            name=self.name,
            role=role,
            prepare=lambda number: self.journal.append((self.name, "prepare", number)),
            run=lambda number: self.journal.append((self.name, "run", number)),
            clean_up=lambda number: self.journal.append((self.name, "clean up", number)),
            result=lambda: self._result,
        )


def timing(name: str, *seconds: float, role: Role = Role.OWN) -> Timing:
    return Timing(name=name, role=role, seconds=seconds, cpu_s=seconds)


def test_different_results_are_found_before_anything_is_timed() -> None:
    journal: list[tuple[str, str, int]] = []
    ours = Worker("ours", journal, "a b").contender(Role.OWN)
    theirs = Worker("theirs", journal, "a").contender(Role.PEER)
    with pytest.raises(ResultsDiffer, match=r"work: ours left 'a b' behind, theirs left 'a'"):
        compare("work", [ours, theirs], amount=1, unit="MB", rounds=3)
    assert {number for _, _, number in journal} == {WARM_UP}


def test_every_contender_works_once_a_round_between_its_preparation_and_its_clean_up() -> None:
    journal: list[tuple[str, str, int]] = []
    contenders = [Worker(name, journal).contender(Role.OWN) for name in ("a", "b")]
    found = compare("work", contenders, amount=1, unit="MB", rounds=2)
    turns = [(name, number) for name, act, number in journal if act == "run"]
    assert turns == [("a", 0), ("b", 0), ("b", 1), ("a", 1), ("a", 2), ("b", 2)]
    acts = [act for _, act, _ in journal]
    assert acts == ["prepare", "run", "clean up"] * len(turns)
    assert [len(each.seconds) for each in found.timings] == [2, 2]


def test_each_round_begins_with_another_contender() -> None:
    contenders = [Worker(name, []).contender(Role.OWN) for name in ("a", "b", "c")]
    assert {rotated(contenders, number)[0].name for number in (1, 2, 3)} == {"a", "b", "c"}


def test_only_a_limit_may_go_unchecked() -> None:
    Contender(name="disk", role=Role.LIMIT, run=lambda _: None)
    with pytest.raises(ValueError, match="only the result of a machine's limit"):
        Contender(name="peer", role=Role.PEER, run=lambda _: None)


def test_a_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    ours, theirs = timing("ours", 1.0, 10.0, 1.0), timing("theirs", 2.0, 20.0, 2.0, role=Role.PEER)
    assert Comparison.ratio(ours, theirs) == 2.0
    busy = timing("theirs", 2.0, 2.0, 20.0, role=Role.PEER)
    assert Comparison.ratio(ours, busy) == 2.0


def test_a_rate_is_that_of_the_median_round() -> None:
    comparison = Comparison(name="work", amount=100, unit="MB", timings=(timing("ours", 1.0, 4.0, 2.0),))
    assert comparison.rate(comparison.timings[0]) == 50.0
