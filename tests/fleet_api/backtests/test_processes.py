"""The processes of backtests: what the jail leaves them, what hostile texts and files can do, and what they keep."""

from __future__ import annotations

import itertools
import json
import math
import multiprocessing
import os
import signal
import socket
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from pydantic import ValidationError

from fleet_api.backtest_processes import messages, start
from fleet_api.backtest_processes.messages import MAX_BYTES_IN_ALL, Messages, write
from fleet_api.backtest_processes.start import Aside, Ended, answer_of
from fleet_api.backtest_processes.tasks import (
    Advanced,
    Fleet,
    GivenDrive,
    Limits,
    Program,
    RunAnswer,
    RunTask,
    Wrong,
)
from tests.fleet_api.backtests.recorded import CATALOG, SOURCE, add_drives
from triggers.contracts.problem import problem_of
from triggers.errors import (
    DiagnosticsError,
    InvalidInput,
    LeaseLost,
    LongtailError,
    Misconfigured,
    NotFound,
    Overloaded,
    Unreachable,
)
from triggers.processes.jail.isolation import Isolation

LIMITS = Limits(cpu_s=60, memory_bytes=2 * 1024**3, isolation=Isolation.REQUIRE)

DIAGNOSTIC = {
    **{"code": "unknown", "severity": "error", "file": "f", "message": "m", "proposal": "", "source_line": ""},
    **{"line": 1, "column": 1, "end_line": 1, "end_column": 2},
}


def task(folder: Path, source: str = SOURCE, signals: str = CATALOG) -> RunTask:
    program = Program("file.trigger", source, signals)
    return RunTask(program, (GivenDrive("a", folder / "drives/a.parquet"),), None, Fleet(10, 1.0, None))


def test_a_process_runs_its_task_in_the_jail(tmp_path: Path) -> None:
    add_drives(tmp_path, "a")
    answer = answer_of(task(tmp_path), LIMITS, RunAnswer)
    assert {name: counts.fires for name, counts in answer.ran.report.triggers.items()} == {"fast": 1, "missed": 1}
    assert [fire.drive for fire in answer.fires] == ["a", "a"]


def test_a_link_to_a_drive_elsewhere_is_followed_and_a_lost_one_is_told(tmp_path: Path) -> None:
    add_drives(tmp_path / "elsewhere", "b")
    (tmp_path / "drives").mkdir()
    (tmp_path / "drives/a.parquet").symlink_to(tmp_path / "elsewhere/drives/b.parquet")
    assert answer_of(task(tmp_path), LIMITS, RunAnswer).ran.report.drives == 1
    (tmp_path / "drives/a.parquet").unlink()
    report = answer_of(task(tmp_path), LIMITS, RunAnswer).ran.report
    assert [each.problem for each in report.failed_drives] == ["a: there is no such file"]


@pytest.mark.parametrize(
    ("source", "signals", "told"),
    [("trigger t { when ego.sped > 1 m/s }", CATALOG, DiagnosticsError), (SOURCE, "signals: [", InvalidInput)],
)
def test_mistakes_in_texts_are_told(tmp_path: Path, source: str, signals: str, told: type[Exception]) -> None:
    with pytest.raises(told):
        answer_of(task(tmp_path, source, signals), LIMITS, RunAnswer)


def test_a_text_that_takes_too_long_ends_its_process_alone(tmp_path: Path) -> None:
    conditions = " or ".join(f"ego.speed > {number} km/h for 1 s" for number in range(500, 1500))
    source = "\n".join(f"trigger t{number} {{ when {conditions} }}" for number in range(20))
    with pytest.raises(Ended, match="more than 1 s of processor time"):
        answer_of(task(tmp_path, source), Limits(1, LIMITS.memory_bytes, LIMITS.isolation), RunAnswer)


def connect() -> None:
    with socket.socket() as opened:
        opened.connect(("127.0.0.1", 9))


ACTS: dict[str, Callable[[], object]] = {
    "read": lambda: Path("/etc/passwd").read_bytes(),
    "write": lambda: Path("/tmp/taken").write_bytes(b"x"),
    "list": lambda: next(Path("/").iterdir()),
    "connect": connect,
    "fork": os.fork,
    "signal": lambda: os.kill(os.getppid(), 0),
}


def taken_over(pipe: object, given: RunTask, limits: Limits) -> None:
    """Instead of the process's work: what one that a drive has taken over might do once it is in its jail."""
    from fleet_api.backtest_processes import running
    from fleet_api.backtest_processes.jailed import serve

    def act(*_: object, **__: object) -> None:
        try:
            ACTS[given.program.filename]()
        except PermissionError:
            raise InvalidInput("refused") from None
        raise InvalidInput("it did")

    running.run_together = act  # type: ignore[assignment]
    serve(pipe, given, limits)  # type: ignore[arg-type]


@pytest.mark.parametrize("act", ACTS)
def test_a_process_that_a_drive_has_taken_over_reaches_nothing(
    act: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_drives(tmp_path, "a")
    monkeypatch.setattr(start, "begin", taken_over)
    given = task(tmp_path)
    hostile = RunTask(Program(act, SOURCE, CATALOG), given.drives, None, None)
    with Aside(hostile, LIMITS) as aside, pytest.raises(InvalidInput, match="refused"):
        while True:
            aside.said()


def half(pipe: Connection) -> None:
    """Half a message, and then sleep, which costs no processor time."""
    os.write(pipe.fileno(), (1000).to_bytes(4, "big") + b"{")
    signal.pause()


def endless(pipe: Connection) -> None:
    """Always something, as if it went on."""
    for done in itertools.count():
        write(pipe, Advanced(done=done).model_dump_json().encode())


def drop_by_drop(pipe: Connection) -> None:
    """A message that never ends, so that there is always something to read."""
    os.write(pipe.fileno(), (2**25).to_bytes(4, "big"))
    while True:
        os.write(pipe.fileno(), b" ")


SAYS = {"half": half, "endless": endless, "drop by drop": drop_by_drop}


def saying(pipe: Connection, given: RunTask, _: Limits) -> None:
    """Instead of the process's work: what one that has been taken over might say, and it heeds no signal."""
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    SAYS[given.program.filename](pipe)


@pytest.mark.parametrize("what", SAYS)
def test_what_a_process_says_holds_nobody_beyond_its_time(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "begin", saying)
    monkeypatch.setattr(Limits, "in_all_s", 3)
    with pytest.raises(Ended, match="or more than 3 s"):
        answer_of(RunTask(Program(what, SOURCE, CATALOG), (), None, None), LIMITS, RunAnswer)


def test_half_a_message_is_waited_for_only_a_moment_and_then_read_on() -> None:
    ours, theirs = multiprocessing.Pipe(duplex=False)
    with ours, theirs:
        said = Messages(ours)
        os.write(theirs.fileno(), b"\0\0")
        assert said.next(0.01) is None
        os.write(theirs.fileno(), b"\0\3ab")
        assert said.next(0.01) is None
        os.write(theirs.fileno(), b"c")
        write(theirs, b"")
        assert (said.next(60), said.next(60), said.next(0)) == (b"abc", b"", None)
        os.write(theirs.fileno(), MAX_BYTES_IN_ALL.to_bytes(4, "big"))
        with pytest.raises(InvalidInput, match="at once"):
            said.next(60)


def test_a_process_says_only_so_much_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MAX_BYTES_IN_ALL", 1000)
    ours, theirs = multiprocessing.Pipe(duplex=False)
    with ours, theirs:
        said = Messages(ours)
        for _ in range(4):
            write(theirs, bytes(300))
        for _ in range(3):
            assert said.next(60) == bytes(300)
        with pytest.raises(InvalidInput, match="in all"):
            said.next(60)


@pytest.mark.parametrize("kind", [Unreachable, NotFound, LeaseLost, Misconfigured, LongtailError])
def test_a_process_cannot_say_what_would_be_the_apis_to_say(kind: type[LongtailError]) -> None:
    error = Wrong(problem=problem_of(kind("so it is\0", remedy="do it")).to_json()).error()
    assert (type(error), error.message, error.remedy) == (LongtailError, "so it is\\x00", "do it")
    busy = Wrong(problem=problem_of(Overloaded("busy", retry_after_s=1)).to_json()).error()
    assert (type(busy), type(Wrong(problem={"status": 503}).error())) == (LongtailError, LongtailError)


@pytest.mark.parametrize("diagnostics", [[{}], [DIAGNOSTIC | {"message": "\0"}], [DIAGNOSTIC | {"line": 10**400}]])
def test_mistakes_that_cannot_be_shown_are_none(diagnostics: list[dict[str, object]]) -> None:
    given = problem_of(DiagnosticsError("mistakes", diagnostics=[DIAGNOSTIC])).to_json()
    right = Wrong(problem=given).error()
    assert isinstance(right, DiagnosticsError) and right.diagnostics == [DIAGNOSTIC]
    assert type(Wrong(problem=given | {"diagnostics": diagnostics}).error()) is InvalidInput


def test_an_answer_that_could_not_be_shown_is_refused(tmp_path: Path) -> None:
    add_drives(tmp_path, "a")
    said = json.loads(answer_of(task(tmp_path), LIMITS, RunAnswer).model_dump_json())
    RunAnswer.model_validate_json(json.dumps(said))
    for place, wrong in [
        (said["fires"][0], {"drive": "b"}),
        (said["fires"][0], {"trigger": "other"}),
        (said["ran"]["report"], {"hours": math.inf}),
        (said["ran"]["report"]["by_drive"][0], {"first_ns": 10**400}),
    ]:
        right = dict(place)
        place.update(wrong)
        with pytest.raises(ValidationError):
            RunAnswer.model_validate_json(json.dumps(said))
        place.update(right)
