"""A bounded child ends with its time or its caller's interest, and takes what it started along."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.processes import is_gone
from tests.support.waiting import wait_for
from triggers.processes.bounded import Interrupted, TimedOut, run_bounded

WITH_GRANDCHILD = """
import pathlib, subprocess, sys, time
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
note = pathlib.Path(sys.argv[1])
note.with_suffix(".part").write_text(str(grandchild.pid))
note.with_suffix(".part").rename(note)
time.sleep(600)
"""


def run(tmp_path: Path, code: str, *, timeout_s: float = 20.0, until_started: bool = False) -> int:
    return run_bounded(
        [sys.executable, "-c", code, str(tmp_path / "pid")],
        environment=dict(os.environ),
        errors=tmp_path / "stderr.txt",
        timeout_s=timeout_s,
        go_on=lambda: not until_started or not (tmp_path / "pid").exists(),
    )


@pytest.mark.parametrize(
    ("code", "status"), [("pass", 0), ("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", -9)]
)
def test_the_exit_status_is_the_answer(tmp_path: Path, code: str, status: int) -> None:
    assert run(tmp_path, code) == status


def test_what_it_says_on_standard_error_is_kept(tmp_path: Path) -> None:
    assert run(tmp_path, "raise SystemExit('no such thing')") == 1
    assert "no such thing" in (tmp_path / "stderr.txt").read_text()


def test_a_child_is_killed_when_its_time_is_over(tmp_path: Path) -> None:
    with pytest.raises(TimedOut, match=r"within 0\.2 s"):
        run(tmp_path, "import time; time.sleep(600)", timeout_s=0.2)


def test_an_interrupted_child_is_killed_with_everything_it_started(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        run(tmp_path, WITH_GRANDCHILD, until_started=True)
    pid = int((tmp_path / "pid").read_text())
    wait_for(lambda: not psutil.pid_exists(pid) or is_gone(psutil.Process(pid)), within_s=5, what="its end")
