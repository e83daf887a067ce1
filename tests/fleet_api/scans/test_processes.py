"""The processes of a scan: what the jail of an evaluating one leaves it, and what the end of one costs."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fleet_api.scans import reading
from fleet_api.scans.evaluating import EvaluatingProcess, fork
from fleet_api.scans.reader import MAX_RESTARTS, Reader
from fleet_api.scans.reading import BatchReader
from fleet_api.scans.runner import ScanRunner
from fleet_api.scans.tasks import Answer, Limits, Setup, Task
from storage.clips.positions.signals import PositionSignals
from storage.database import Database
from storage.objects import open_store
from storage.settings import Settings
from tests.fleet_api.scans.recorded import BRAKING, SIGNALS, SLOWER, SLOWER_AT_NS, signals_file
from tests.storage.clips.catalog_support import T_NS
from triggers.drives.batches import Batch
from triggers.errors import LongtailError, Unreachable
from triggers.processes.jail import parts
from triggers.processes.jail.isolation import Isolation
from triggers.scan.condition import Condition, compile_for_scan
from triggers.scan.evaluate import ClipSignals, Evaluator
from triggers.scan.scanned import Scanned
from triggers.signals.catalog import SignalCatalog

LIMITS = Limits(seconds=60, isolation=Isolation.REQUIRE)
DATA = signals_file(BRAKING)
FATAL = signals_file({"ego.speed": {0: 1.0}, "fatal": {0: 1.0}})
"""The file that ends the process of `Fragile`."""


def condition() -> Condition:
    return compile_for_scan(SLOWER, SignalCatalog.parse(SIGNALS, name="signals"))[0]


@contextmanager
def forked(*evaluators: Callable[[], Any], limits: Limits = LIMITS) -> Iterator[EvaluatingProcess]:
    process = fork(multiprocessing.Pipe(), evaluators, limits)
    try:
        yield process
    finally:
        process.end()


def evaluated(process: EvaluatingProcess, data: bytes = DATA, *, timeout_s: float = 60) -> Answer | None:
    """The answer for one clip."""
    answers = process.evaluate([(data, [0])], timeout_s=timeout_s)
    return None if answers is None else answers[0]


class Trying:
    """Instead of an evaluator: it does what a process that a file has taken over might do, and says what happened."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act

    columns = ["t"]

    def missing(self, _columns: object) -> list[str]:
        return []

    def batch(self, _file: ClipSignals, _rows: object) -> list[int]:
        return [1]

    def instants(self, _batches: object) -> Scanned:
        try:
            self._act()
        except OSError as error:
            return Scanned(problem=type(error).__name__)
        return Scanned(problem="it did")


@pytest.mark.integration
@pytest.mark.parametrize(("isolation", "told"), [(Isolation.BEST_EFFORT, ["files", "system calls"]), ("require", [])])
def test_what_the_jail_of_scans_lacks_is_told_where_it_is_accepted(
    settings: Settings,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    isolation: str,
    told: list[str],
) -> None:
    monkeypatch.setattr(parts, "lacking", lambda: [parts.lack(part, f"no {part}") for part in parts.Part])
    settings = settings.model_copy(update={"extraction_isolation": Isolation(isolation)})
    runner = ScanRunner(Database.from_settings(settings), settings, PositionSignals())
    runner.start()
    runner.close()
    start = "scans are evaluated without isolation: no "
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith(start)]
    assert [line.removeprefix(start).split(",")[0] for line in lines] == told


def half_an_answer() -> None:
    """In a process that a file has taken over: the beginning of an answer through its only socket, and then nothing."""
    for descriptor in range(3, 1000):
        try:
            os.write(descriptor, (1000).to_bytes(4, "big") + b"{")
        except OSError:
            continue
    signal.pause()


def test_half_an_answer_and_clips_that_are_not_read_are_waited_for_no_longer_than_a_whole_one() -> None:
    with forked(lambda: Trying(half_an_answer)) as process:
        assert evaluated(process, timeout_s=2) is None
    with forked(lambda: Trying(half_an_answer)) as process:
        os.kill(process.pid, signal.SIGSTOP)
        assert evaluated(process, bytes(2**24), timeout_s=2) is None


def test_an_evaluating_process_answers_with_instants_one_clip_after_the_other() -> None:
    with forked(lambda: Evaluator(condition())) as process:
        for _ in range(3):
            answer = evaluated(process)
            assert answer is not None
            assert (answer.t_ns, answer.count, answer.problem) == ((T_NS + SLOWER_AT_NS,), 1, None)
        broken = evaluated(process, b"no parquet")
        assert broken is not None and "cannot be read" in str(broken.problem)


def connect() -> None:
    with socket.socket() as opened:
        opened.connect(("127.0.0.1", 9))


@pytest.mark.parametrize(
    "act",
    [
        lambda: Path("/etc/passwd").read_bytes(),
        lambda: Path("taken").write_bytes(b"x"),
        lambda: next(Path("/").iterdir()),
        connect,
        os.fork,
        lambda: os.kill(os.getppid(), 0),
    ],
)
def test_a_process_that_a_clip_has_taken_over_reaches_nothing(
    act: Callable[[], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with forked(lambda: Trying(act)) as process:
        answer = evaluated(process)
    assert answer is not None and answer.problem == "PermissionError"


def test_a_process_has_no_secrets_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGTAIL_OBJECTS_SECRET_KEY", "s")

    def look() -> None:
        if os.environ:
            raise OSError("there is something")

    with forked(lambda: Trying(look)) as process:
        answer = evaluated(process)
    assert answer is not None and answer.problem == "it did"


def test_a_process_that_does_not_answer_in_time_or_with_nonsense_is_given_up() -> None:
    with forked(lambda: Trying(signal.pause)) as process:
        assert evaluated(process, timeout_s=0.2) is None
    with forked(lambda: Trying(lambda: os._exit(3))) as process:
        assert evaluated(process) is None


class Fragile(Evaluator):
    """An evaluator whose process ends over one file."""

    def batch(self, file: ClipSignals, rows: Any) -> Batch:
        if "fatal" in file.columns:
            os._exit(3)
        return super().batch(file, rows)


@pytest.fixture
def settings_with_clips(tmp_path: Path) -> Settings:
    """Settings of a store that has the file of a good clip and one that ends a process."""
    settings = Settings(data_dir=tmp_path)
    store = open_store(settings)
    store.put("good", DATA)
    store.put("fatal", FATAL)
    return settings


def test_a_clip_that_ends_its_process_costs_itself_and_no_other(
    settings_with_clips: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "Evaluator", Fragile)
    with BatchReader(Setup(settings_with_clips, (condition(),), 3, LIMITS)) as reader:
        answers = reader.batch([Task("good", (0,)), Task("fatal", (0,)), Task("good", (0,)), Task("nowhere", (0,))])
        assert [answer and answer.count for answer in answers] == [1, 0, 1, 0]
        assert answers[1] is not None and "more time or memory" in str(answers[1].problem)
        assert answers[3] is not None and "not in the object store" in str(answers[3].problem)
        last = reader.batch([Task("fatal", (0,))])
        assert last[0] is not None and last[0].problem is not None
        assert reader.batch([Task("good", (0,))]) == [None], "no process is left: another reader must take it"


def test_a_reader_whose_process_was_killed_goes_on_with_another(settings_with_clips: Settings) -> None:
    with Reader(settings_with_clips, processes=1, limits=LIMITS) as reader:
        reader.use([condition()])
        tasks = [Task("good", (0,))] * 3
        for _ in range(2):
            assert [answer.count for answer in reader.evaluate(tasks, lambda: None)] == [1, 1, 1]
            assert reader.process_id is not None
            os.kill(reader.process_id, signal.SIGKILL)


def test_a_reader_whose_processes_never_work_gives_up_and_says_so(
    settings_with_clips: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(settings_with_clips, processes=1, limits=LIMITS)
    begun = 0

    def dead(tasks: list[Task], keep_on: object) -> list[None]:
        nonlocal begun
        begun += 1
        return [None] * len(tasks)

    monkeypatch.setattr(reader, "exchange", dead)
    with reader, pytest.raises(LongtailError, match="ended"):
        reader.evaluate([Task("good", (0,))], lambda: None)
    assert begun == MAX_RESTARTS + 1


def test_what_a_reader_is_asked_to_give_up_ends_at_once(settings_with_clips: Settings) -> None:
    def stop() -> None:
        raise Unreachable("somebody wants it to end")

    with Reader(settings_with_clips, processes=1, limits=LIMITS) as reader:
        reader.use([condition()])
        with pytest.raises(Unreachable):
            reader.evaluate([Task("good", (0,))] * 20_000, stop)
    assert reader.process_id is None


def test_an_object_store_that_is_gone_is_told_as_what_it_is(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, objects_url=f"file://{tmp_path}/not/mounted")
    with Reader(settings, processes=1, limits=LIMITS) as reader, pytest.raises(LongtailError) as caught:
        reader.use([condition()])
        reader.evaluate([Task("good", (0,))], lambda: None)
    assert "not" in caught.value.message
