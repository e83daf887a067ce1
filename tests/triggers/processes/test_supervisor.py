"""The supervisor and its children: replaced when they die, ended in order, never orphaned."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import psutil
import pytest

from tests.support.processes import is_gone, python_process, read_line, wait_until_gone
from tests.support.waiting import wait_for
from triggers.errors import NotFound, Unreachable
from triggers.processes.child import ChildProcess
from triggers.processes.ends import described_end
from triggers.processes.supervisor import Supervisor

WAITS = """import signal, sys
signal.signal(signal.SIGTERM, lambda *_: None)
print('up', flush=True)
signal.pause()
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
FAILS = "import sys; sys.exit('cannot work: no such thing')"
MakeChild = Callable[[str, str], ChildProcess]


@pytest.fixture
def make_child(tmp_path: Path) -> MakeChild:
    def make(name: str, code: str) -> ChildProcess:
        log = tmp_path / f"{name}.log"
        return ChildProcess(name, [sys.executable, "-c", code], environment=dict(os.environ), log=log)

    return make


def wait_for_start(child: ChildProcess) -> None:
    wait_for(
        lambda: child.log.exists() and "up" in child.log.read_text(), within_s=20, what=f"the start of {child.name}"
    )


def test_a_killed_child_is_started_again_and_that_is_said(make_child: MakeChild) -> None:
    said: list[str] = []
    child = make_child("worker", WAITS)
    supervisor = Supervisor([[child]], said.append)
    supervisor.start()
    try:
        wait_for_start(child)
        first = child.pid
        child.send(signal.SIGKILL)
        wait_for(lambda: child.starts == 2 and child.pid not in (None, first), within_s=10, what="the restart")
        assert any("worker was killed by SIGKILL" in line for line in said)
    finally:
        supervisor.stop()


def test_a_child_that_cannot_be_started_again_is_tried_again(make_child: MakeChild, tmp_path: Path) -> None:
    said: list[str] = []
    program = tmp_path / "program"
    program.symlink_to(sys.executable)
    child, other = make_child("worker", WAITS), make_child("other", WAITS)
    child = ChildProcess("worker", [str(program), "-c", WAITS], environment=dict(os.environ), log=child.log)
    supervisor = Supervisor([[child, other]], said.append)
    supervisor.start()
    try:
        wait_for_start(child)
        wait_for_start(other)
        program.unlink()
        child.send(signal.SIGKILL)
        wait_for(lambda: any("could not be started" in line for line in said), within_s=10, what="the failed start")
        assert other.pid is not None
        program.symlink_to(sys.executable)
        wait_for(lambda: child.starts == 2 and child.pid is not None, within_s=20, what="the restart")
    finally:
        supervisor.stop()


def test_a_child_that_cannot_be_started_at_first_is_named_and_the_others_end(make_child: MakeChild) -> None:
    other = make_child("other", WAITS)
    lost = ChildProcess("lost", ["/nowhere"], environment={}, log=other.log)
    supervisor = Supervisor([[other], [lost]], lambda _: None)
    with pytest.raises(Unreachable, match="the process lost could not be started: No such file"):
        supervisor.start()
    supervisor.stop()
    assert other.pid is None


def test_waves_end_one_after_the_other(make_child: MakeChild, tmp_path: Path) -> None:
    order = tmp_path / "order"
    code = f"{WAITS}open({str(order)!r}, 'a').write('%s ')"
    front, back = make_child("front", code % "front"), make_child("back", code % "back")
    supervisor = Supervisor([[front], [back]], lambda _: None)
    supervisor.start()
    wait_for_start(front)
    wait_for_start(back)
    supervisor.stop()
    assert order.read_text().split() == ["front", "back"]
    assert front.pid is None and back.pid is None


def test_a_child_that_ignores_the_request_to_end_is_killed(make_child: MakeChild) -> None:
    said: list[str] = []
    child = make_child("deaf", DEAF)
    supervisor = Supervisor([[child]], said.append, stop_patience_s=0.3)
    supervisor.start()
    wait_for_start(child)
    process = psutil.Process(child.pid)
    supervisor.stop()
    assert is_gone(process)
    assert any("deaf did not end" in line for line in said)


def test_a_child_that_keeps_dying_is_reported_with_the_end_of_its_log(make_child: MakeChild) -> None:
    supervisor = Supervisor([[make_child("broken", FAILS)]], lambda _: None)
    supervisor.start()
    try:
        with pytest.raises(Unreachable, match=r"broken does not stay up(.|\n)*cannot work: no such thing"):
            wait_for(lambda: supervisor.raise_if_failing() is not None, within_s=20, what="the failure")
    finally:
        supervisor.stop()


def test_a_child_that_takes_long_to_die_is_reported_too(make_child: MakeChild, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triggers.processes.supervisor.HEALTHY_AFTER_S", 0.0)
    slow = make_child("slow", f"import time; time.sleep(0.5); {FAILS}")
    supervisor = Supervisor([[slow]], lambda _: None)
    supervisor.start()
    try:
        with pytest.raises(Unreachable, match="slow does not stay up"):
            wait_for(lambda: supervisor.raise_if_failing() is not None, within_s=20, what="the failure")
    finally:
        supervisor.stop()


def test_grandchildren_of_a_killed_child_are_swept(make_child: MakeChild, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(note)!r}, 'w').write(str(p.pid)); print('up', flush=True); time.sleep(600)"
    )
    child = make_child("parent", code)
    supervisor = Supervisor([[child]], lambda _: None)
    supervisor.start()
    try:
        wait_for_start(child)
        grandchild = psutil.Process(int(note.read_text()))
        child.send(signal.SIGKILL)
        wait_until_gone([grandchild], within_s=10)
    finally:
        supervisor.stop()


def test_an_unknown_child_is_not_found_and_the_known_ones_are_named(make_child: MakeChild) -> None:
    with pytest.raises(NotFound, match="there are api"):
        Supervisor([[make_child("api", WAITS)]], lambda _: None).child("apu")


@pytest.mark.parametrize(
    ("status", "words"), [(0, "ended with status 0"), (3, "ended with status 3"), (-9, "was killed by SIGKILL")]
)
def test_the_end_of_a_process_is_described_in_words(status: int, words: str) -> None:
    assert described_end(status) == words


def test_the_report_of_a_death_says_the_last_line_of_the_log(make_child: MakeChild) -> None:
    said: list[str] = []
    supervisor = Supervisor([[make_child("broken", FAILS)]], said.append)
    supervisor.start()
    try:
        wait_for(lambda: said, within_s=20, what="the report")
        assert said[0].startswith("broken ended with status 1: cannot work: no such thing (starting it again")
    finally:
        supervisor.stop()


def test_a_child_whose_log_cannot_be_written_works_and_its_last_words_are_known(make_child: MakeChild) -> None:
    child = make_child("worker", "import sys; print('x' * 300_000, flush=True); sys.exit('the end')")
    child.log.mkdir()
    supervisor = Supervisor([[child]], lambda _: None)
    supervisor.start()
    try:
        wait_for(lambda: child.starts > 1, within_s=20, what="the end of the first run")
        wait_for(lambda: child.last_line() == "the end", within_s=20, what="the last words")
    finally:
        supervisor.stop()


SUPERVISING = """
import os, sys, time
from pathlib import Path
from triggers.processes.child import ChildProcess
from triggers.processes.supervisor import Supervisor

code, log = sys.argv[1:]
child = ChildProcess("c", [sys.executable, "-c", code], environment=dict(os.environ), log=Path(log))
Supervisor([[child]], print).start()
print(child.pid, flush=True)
time.sleep(600)
"""
LIFELINE = "from triggers.processes.lifeline import hold_lifeline; hold_lifeline(patience_s=0.3)\n"


@pytest.mark.parametrize(
    "code",
    [f"{LIFELINE}import time; print('up', flush=True); time.sleep(600)", LIFELINE + DEAF],
    ids=["well-behaved", "ignores SIGTERM"],
)
def test_children_die_with_a_supervisor_that_is_killed(code: str, tmp_path: Path) -> None:
    log = tmp_path / "c.log"
    with python_process("-c", SUPERVISING, code, str(log)) as supervising:
        child = psutil.Process(int(read_line(supervising)))
        wait_for(lambda: log.exists() and "up" in log.read_text(), within_s=20, what="the child's start")
        supervising.kill()
        wait_until_gone([child], within_s=20)


def start_stopped(supervising: Popen[str], log: Path) -> psutil.Process:
    """The supervised child, once it has started and was stopped by somebody."""
    child = psutil.Process(int(read_line(supervising)))
    wait_for(lambda: log.exists() and "up" in log.read_text(), within_s=20, what="the child's start")
    child.suspend()
    wait_for(lambda: child.status() == psutil.STATUS_STOPPED, within_s=10, what="the child to stop")
    return child


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent has died")
@pytest.mark.parametrize("code", [LIFELINE + WAITS, LIFELINE + DEAF], ids=["well-behaved", "ignores SIGTERM"])
def test_a_stopped_child_dies_with_a_supervisor_that_is_killed(code: str, tmp_path: Path) -> None:
    log = tmp_path / "c.log"
    with python_process("-c", SUPERVISING, code, str(log)) as supervising:
        child = start_stopped(supervising, log)
        supervising.kill()
        wait_until_gone([child], within_s=20)


def test_a_stopped_child_ends_in_order(make_child: MakeChild) -> None:
    said: list[str] = []
    child = make_child("worker", WAITS)
    supervisor = Supervisor([[child]], said.append)
    supervisor.start()
    wait_for_start(child)
    process = psutil.Process(child.pid)
    process.suspend()
    wait_for(lambda: process.status() == psutil.STATUS_STOPPED, within_s=10, what="the child to stop")
    supervisor.stop()
    assert is_gone(process) and said == []
