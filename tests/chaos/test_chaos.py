"""A fifteenth of the chaos suite: two minutes of short faults, one of every kind first."""

from __future__ import annotations

import pytest

from tests.chaos.run import run
from tests.chaos.stage import stage

SECONDS = 120.0
LONGEST_S = 8.0
SEED = 7
FEWEST = 5
"""So many faults are played on a busy machine, too; a free one plays about fifteen."""
PATIENCE = 5.0
"""No clock decides this test: that work goes on within a minute is for `make chaos` to say."""

ONLY_IN_LONG_RUNS = ("bits turned over on the way to kafka",)
"""Kafka protects records by a checksum and nothing else, so that one run in many meets what no client can notice."""


@pytest.mark.integration
@pytest.mark.timeout(1500)
def test_faults_under_load_lose_and_double_nothing_and_work_goes_on() -> None:
    said: list[str] = []
    with stage(SEED) as playing:
        survived = run(
            playing,
            for_s=SECONDS,
            longest_s=LONGEST_S,
            report=said.append,
            without=ONLY_IN_LONG_RUNS,
            fewest=FEWEST,
            patience=PATIENCE,
        )
    print(*said, *(f"left out: {reason}" for reason in survived.left_out), survived.summary(), sep="\n")
    assert not survived.findings, "\n".join(survived.findings)
    assert len(survived.faults) >= FEWEST, survived.summary()
