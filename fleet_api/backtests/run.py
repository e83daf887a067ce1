"""One run of a backtest: its drives are found or its clips fetched, then each program runs in a process of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from multiprocessing.connection import wait
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from fleet_api.backtest_processes.start import Aside
from fleet_api.backtest_processes.tasks import (
    Advanced,
    Compiled,
    Fleet,
    GivenDrive,
    Limits,
    Program,
    RunAnswer,
    RunTask,
)
from fleet_api.backtests import views
from fleet_api.backtests.folders import work_folder
from fleet_api.backtests.inputs import ClipFetcher, Inputs
from fleet_api.job_threads import Stopped
from fleet_api.services import Services
from storage.backtests import jobs, results
from storage.backtests.jobs import Backtest
from storage.backtests.results import Result
from storage.clips.positions import Sight
from storage.clips.positions.sight import EVERYTHING
from storage.clips.positions.signals import PositionSignals
from storage.database import Database
from storage.settings import Settings
from triggers.contracts.api.backtests.answers import BacktestFireView
from triggers.contracts.api.backtests.requests import FleetRequest, Over
from triggers.errors import Forbidden, InvalidInput, LongtailError, NotFound

LEASE_S = 30.0
SAVED_EVERY_S = 0.5
_WAIT_S = 0.5
FINDING, FETCHING, RUNNING = "finding drives", "fetching clips", "running"
_Done = TypeVar("_Done")


KEPT_FIRES: TypeAdapter[list[BacktestFireView]] = TypeAdapter(list[BacktestFireView])


class ProgramError(InvalidInput):
    """Why one of the programs cannot be run; `cause` says it, `program` is its number."""

    def __init__(self, program: int, cause: LongtailError) -> None:
        super().__init__(cause.message, remedy=cause.remedy)
        self.program = program
        self.cause = cause


def limits_of(settings: Settings) -> Limits:
    """What a process of a backtest may use."""
    return Limits(settings.backtest_s, settings.backtest_memory_bytes, settings.extraction_isolation)


def sight_of_job(backtest: Backtest, database: Database, positions: PositionSignals) -> Sight:
    """What a backtest's user saw of where cars were when it was begun."""
    if backtest.sees_positions:
        return EVERYTHING
    with database.snapshot() as connection:
        return Sight(precise=False, declared=positions.declared(connection))


def sight_of_program(sight: Sight, compiled: Compiled) -> Sight:
    """What the user sees by a program's catalog; Forbidden for a program that reads a position they may not see."""
    sight = sight.of_drives(compiled.columns, compiled.position)
    sight.require_condition(compiled.signals)
    return sight


class BacktestRun:
    """The run of one backtest whose lease this process holds."""

    def __init__(
        self, database: Database, services: Services, backtest: Backtest, *, keep_on: Callable[[], None]
    ) -> None:
        """`keep_on` raises when this process must stop."""
        self._database = database
        self._settings = services.settings
        self._backtest = backtest
        self._offered = services.offered_drives
        self._keep_on = keep_on
        self._sight = sight_of_job(backtest, database, services.positions)
        self._clips = ClipFetcher(database, services.store, self._sight)
        self._saved_s = 0.0

    def to_the_end(self) -> None:
        """Run it. LeaseLost or NotFound when it is another's, or was removed; Unreachable when something is down."""
        with self._database.snapshot() as connection:
            texts = jobs.texts(connection, self._backtest.id)
        over = Over.model_validate(self._backtest.over, strict=False)
        with work_folder(self._settings) as folder:
            inputs = self._inputs(over, folder)
            if inputs.size_bytes > self._settings.backtest_bytes:
                raise InvalidInput(
                    f"the drives have {inputs.size_bytes} bytes, and a backtest reads at most "
                    f"{self._settings.backtest_bytes}",
                    remedy="choose fewer of them, or narrow the filter",
                )
            tasks = []
            for number, text in enumerate(texts):
                program = Program(text.filename, text.source, text.signals)
                clips = inputs.clips_in(folder / str(number), at_most_bytes=self._settings.backtest_bytes)
                tasks.append(RunTask(program, inputs.drives, clips, self._fleet(over), text.sweep, text.breakdown))
            answers = self._run(tasks, inputs.size_bytes)
        self._keep(answers)

    def _keep(self, answers: Sequence[RunAnswer]) -> None:
        """End the backtest with its results, made as they are shown: nothing is left to do for each who looks."""
        given, fires = [answer.ran for answer in answers], [answer.fires for answer in answers]
        try:
            shown = views.fire_views(given, fires)
        except KeyError as error:  # a process that a drive has taken over may answer anything
            raise InvalidInput(
                f"the backtest's process told of a fire of something that is not there: {error}"
            ) from error
        comparison = views.comparison_view(given, fires) if len(given) > 1 else None
        with self._database.begin() as connection:
            jobs.finish(connection, self._backtest)
            for number, (ran, of_program) in enumerate(zip(given, shown, strict=True)):
                starts = range(0, len(of_program), results.PART)
                parts = [KEPT_FIRES.dump_json(of_program[start : start + results.PART]) for start in starts]
                result = Result(ran.model_dump_json().encode(), len(of_program))
                results.write(connection, self._backtest, number, result, parts)
            if comparison is not None:
                results.write_comparison(connection, self._backtest, comparison.model_dump_json().encode())

    def _fleet(self, over: Over) -> Fleet | None:
        """Clips are no sample of driving, so nothing is forecast from them."""
        if over.drives is None:
            return None
        asked = FleetRequest.model_validate(self._backtest.fleet)
        return Fleet(asked.vehicles, asked.hours_per_day, asked.sample)

    def _inputs(self, over: Over, folder: Path) -> Inputs:
        if over.drives is not None:
            return Inputs.of_drives(self._drives(over.drives))
        assert over.clips is not None  # noqa: S101 - it has one of both
        found = self._clips.find(over.clips)
        if not found:
            raise InvalidInput("no clip matches the filter", remedy="try it as a search")
        size_bytes = sum(clip.signals_bytes for clip in found)
        if size_bytes > self._settings.backtest_bytes:
            return Inputs((), size_bytes=size_bytes)
        with self._database.begin() as connection:
            alive = jobs.note_clips(connection, self._backtest, [clip.id for clip in found])
        found = [clip for clip in found if clip.id in alive]
        if not found:
            raise InvalidInput("all clips that match the filter were erased meanwhile", remedy="try it as a search")
        fetched = folder / "clips"
        fetched.mkdir()
        ended = threading.Event()

        def keep_on() -> None:
            if ended.is_set():
                raise Stopped

        with ThreadPoolExecutor(ClipFetcher.FETCHERS, "backtest-fetch") as threads:
            try:
                fetching = [threads.submit(self._clips.fetch, clip, fetched, keep_on) for clip in found]
                clips = self._awaited(fetching, FETCHING)
            finally:
                ended.set()
                threads.shutdown(cancel_futures=True)
        return Inputs((), tuple(clips), fetched, self._clips.catalogs(found), size_bytes)

    def _drives(self, names: Sequence[str]) -> tuple[GivenDrive, ...]:
        """The drives with these names; finding them may take longer than a lease."""
        with ThreadPoolExecutor(1, "backtest-drives") as thread:
            try:
                (drives,) = self._awaited([thread.submit(self._offered.given, names)], FINDING)
            except NotFound as error:  # it was there when the backtest was asked for
                raise InvalidInput(error.message, remedy=error.remedy) from error
        return drives

    def _awaited(self, work: Sequence[Future[_Done]], step: str) -> list[_Done]:
        """What comes of work in other threads; the lease is kept all the while, however long each of it takes."""
        left = set(work)
        self._say(step, 0, len(work), at_once=True)
        while left:
            done, left = futures.wait(left, timeout=_WAIT_S, return_when=futures.FIRST_COMPLETED)
            for each in done:
                each.result()
            self._say(step, len(work) - len(left), len(work))
        return [each.result() for each in work]

    def _run(self, tasks: Sequence[RunTask], size_bytes: int) -> list[RunAnswer]:
        """The answers of the programs, which run beside each other."""
        answers: dict[int, RunAnswer] = {}
        done = dict.fromkeys(range(len(tasks)), 0)
        total = size_bytes * len(tasks)
        self._say(RUNNING, 0, total, at_once=True)
        limits = limits_of(self._settings)
        with ExitStack() as ending:
            running = {number: ending.enter_context(Aside(task, limits)) for number, task in enumerate(tasks)}
            while running:
                for number, said in self._said(running):
                    if isinstance(said, Advanced):
                        done[number] = min(said.done, size_bytes)
                    elif isinstance(said, RunAnswer):
                        answers[number], done[number] = said, size_bytes
                        del running[number]
                self._say(RUNNING, sum(done.values()), total)
        return [answers[number] for number in range(len(tasks))]

    def _said(self, running: dict[int, Aside]) -> Iterator[tuple[int, object]]:
        """What processes say within a moment."""
        wait([aside.pipe for aside in running.values()], _WAIT_S)
        for number, aside in list(running.items()):
            try:
                said = aside.said()
                if isinstance(said, Compiled):
                    sight_of_program(self._sight, said)
            except (InvalidInput, Forbidden) as error:
                raise ProgramError(number, error) from error
            if said is not None:
                yield number, said

    def _say(self, step: str, done: int, total: int, *, at_once: bool = False) -> None:
        """Write how far it is, not too often, which also keeps the lease; give up when there is no more use in it."""
        self._keep_on()
        now_s = time.monotonic()
        if at_once or now_s - self._saved_s >= SAVED_EVERY_S:
            self._saved_s = now_s
            with self._database.begin() as connection:
                jobs.move_on(connection, self._backtest, step=step, done=done, total=total, lease_s=LEASE_S)
