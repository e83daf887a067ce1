"""A short run of the attack suite, in which no clock decides: some attacks of every kind."""

from __future__ import annotations

import pytest

from tests.attack.attacks.deck import DECK, SHORT, chosen
from tests.attack.run import run
from tests.attack.target import target

SECONDS = 2.0
SEED = 7
KINDS = {"flood", "drip", "fill", "forge", "replay"}


@pytest.mark.integration
def test_attacks_by_one_caller_are_withstood_and_others_are_served() -> None:
    said: list[str] = []
    with target(SEED) as attacked:
        outcome = run(attacked, SHORT, seconds=SECONDS, report=said.append, timed=False)
    print(*said, outcome.summary(), sep="\n")
    assert not outcome.findings, "\n".join(outcome.findings)
    assert len(outcome.attacks) == len(SHORT)
    assert outcome.requests > len(SHORT)


def test_a_short_run_has_attacks_of_every_kind_and_names_tell_them_apart() -> None:
    assert {attack.kind for attack in SHORT} == {attack.kind for attack in DECK} == KINDS
    assert len({attack.name for attack in DECK}) == len(DECK)


def test_attacks_are_chosen_by_words_of_their_names() -> None:
    assert chosen(["idle connections"]) == [
        attack for attack in DECK if attack.name == "drip: idle connections by the thousand"
    ]
    assert chosen([]) == list(DECK)
    assert chosen(["nothing of the kind"]) == []


def test_every_attack_says_what_it_is_about() -> None:
    assert [attack.name for attack in DECK if not attack.action.__doc__] == []
