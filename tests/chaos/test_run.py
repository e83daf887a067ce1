"""The deck: every kind comes first, and a seed repeats its order."""

from __future__ import annotations

import random

from tests.chaos.faults import Fault, shuffled
from tests.chaos.run import Survived


def nothing(stage: object, seconds: float) -> None:
    """A fault that breaks nothing."""


DECK = [Fault(kind, f"{kind} {number}", nothing) for kind in ("kill", "stop", "disk") for number in range(5)]


def test_one_fault_of_every_kind_comes_before_any_second_one() -> None:
    for seed in range(20):
        order = shuffled(DECK, random.Random(seed))
        assert {fault.kind for fault in order[:3]} == {"kill", "stop", "disk"}
        assert sorted(fault.name for fault in order) == sorted(fault.name for fault in DECK)


def test_a_seed_repeats_the_order_and_another_gives_another() -> None:
    orders = [[fault.name for fault in shuffled(DECK, random.Random(seed))] for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_the_summary_counts_what_was_survived() -> None:
    survived = Survived(clips=7)
    for fault in (DECK[0], DECK[0], DECK[5]):
        survived.take(fault, 3.0)
    assert survived.summary().startswith("3 faults survived, 2 different ones of 2 kinds; 7 clips whole and once")
    assert survived.slowest_recovery_s == 3.0
