"""The shared clock: processes that run already see each step of it, and no others do."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.chaos.parts.clocks import shared_clock
from tests.support.waiting import wait_for

TELL = "import sys, time\nfor line in sys.stdin: print(int(time.time()), flush=True)"
DAY_S = 86_400
WITHIN_S = 20.0


def test_a_running_process_sees_the_clock_stepped_and_set_right_again(tmp_path: Path) -> None:
    with shared_clock(tmp_path / "clock") as clock:
        if clock is None:
            pytest.skip("libfaketime is not there for this machine")
        command = [sys.executable, "-c", TELL]
        environment = os.environ | clock.environment()
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        ) as other:
            assert other.stdin is not None and other.stdout is not None
            told, answered = other.stdin, other.stdout

            def days_wrong() -> int:
                told.write("\n")
                told.flush()
                return round((int(answered.readline()) - time.time()) / DAY_S)

            assert days_wrong() == 0
            for days in (2, -2, 0):
                clock.step(days * DAY_S)
                wait_for(lambda days=days: days_wrong() == days, within_s=WITHIN_S, what=f"a step of {days} days")  # type: ignore[misc]
            told.close()
