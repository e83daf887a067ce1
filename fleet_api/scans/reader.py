"""The reader of a scan as the API holds it: it starts the process beside it, and sends it clips to be evaluated."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

from fleet_api.scans.tasks import Answer, Limits, Setup, Task
from storage.settings import Settings
from triggers.contracts.problem import error_of
from triggers.errors import LongtailError
from triggers.processes.refused_imports import refuse_imports
from triggers.scan.condition import Condition

MAX_RESTARTS = 100
"""Of the process in one scan: clips that end evaluating processes, or processes that do not start, must end it."""
_ASK_S = 1.0

_processes = multiprocessing.get_context("forkserver")


class Reader:
    """Evaluates conditions over clips, in a process of its own that a context manager ends."""

    def __init__(self, settings: Settings, *, processes: int, limits: Limits) -> None:
        self._settings = settings
        self._number = processes
        self._limits = limits
        self._conditions: tuple[Condition, ...] = ()
        self._process: multiprocessing.process.BaseProcess | None = None
        self._restarts = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def use(self, conditions: Sequence[Condition]) -> None:
        """The conditions that tasks name by their indexes; further ones need another process."""
        if tuple(conditions) != self._conditions:
            self._end()
            self._conditions = tuple(conditions)

    def evaluate(self, tasks: Sequence[Task], keep_on: Callable[[], None]) -> list[Answer]:
        """An answer for each task. `keep_on` is called about once a second meanwhile, and may raise to give up.

        Unreachable when the object store does not answer; LongtailError when the process ends again and again.
        """
        answers: list[Answer | None] = [None] * len(tasks)
        while left := [index for index, answer in enumerate(answers) if answer is None]:
            given = self.exchange([tasks[index] for index in left], keep_on)
            for index, answer in zip(left, given, strict=True):
                answers[index] = answer
            if None in given:
                self._restart_later()
        return [answer for answer in answers if answer is not None]

    @property
    def process_id(self) -> int | None:
        """The process at work; None while there is none."""
        return None if self._process is None else self._process.pid

    def exchange(self, tasks: list[Task], keep_on: Callable[[], None]) -> list[Answer | None]:
        """Send tasks to the process, which is started first if there is none; None for each that it did not answer."""
        if self._process is None:
            self._start()
        try:
            self._pipe.send(tasks)
            while not self._pipe.poll(_ASK_S):
                keep_on()
            said = self._pipe.recv()
        except (EOFError, OSError):
            return [None] * len(tasks)
        if isinstance(said, dict):
            self._end()
            raise error_of(said["status"], {}, json.dumps(said).encode(), what="the scan's process")
        return list(said)

    def _start(self) -> None:
        setup = Setup(self._settings, self._conditions, self._number, self._limits)
        self._pipe, theirs = _processes.Pipe()
        self._process = _processes.Process(target=_serve, args=(theirs, setup), daemon=True)
        self._process.start()
        theirs.close()

    def _restart_later(self) -> None:
        self._end()
        self._restarts += 1
        if self._restarts > MAX_RESTARTS:
            raise LongtailError(
                f"the processes that evaluate conditions ended {self._restarts} times",
                remedy="see the log of the API; `longtail doctor` says whether this system lacks what they need",
            )

    def _end(self) -> None:
        if self._process is not None:
            self._pipe.close()
            self._process.kill()
            self._process.join()
            self._process = None


def _serve(pipe: Connection, setup: Setup) -> None:
    refuse_imports("pandas")  # pyarrow would load it at its first conversion, where it is installed
    from fleet_api.scans.reading import serve  # noqa: PLC0415 - with pyarrow and wasmtime, which only the process needs

    serve(pipe, setup)
