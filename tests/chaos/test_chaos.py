"""A tenth of the chaos suite, and its own parts."""

from __future__ import annotations

import pytest

from tests.chaos.run import run
from tests.chaos.stage import stage

SECONDS = 180.0
LONGEST_S = 8.0
SEED = 7


@pytest.mark.integration
@pytest.mark.timeout(900)
def test_faults_under_load_lose_and_double_nothing_and_work_goes_on_within_a_minute() -> None:
    said: list[str] = []
    with stage(SEED) as playing:
        survived = run(playing, for_s=SECONDS, longest_s=LONGEST_S, report=said.append)
    assert not survived.findings, "\n".join([*said, *survived.findings])
    assert len(survived.faults) >= 5, survived.summary()
    print(survived.summary())
