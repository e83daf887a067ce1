"""The process of a scan beside the API: it fetches signals from the object store, and has them evaluated in the jail.

Its parent, a thread of the API, sends batches of clips and gets one answer for each. The threads here wait for the
store; what takes the processor runs in the evaluating processes. It ends with its parent, whose pipe is then closed.
"""

from __future__ import annotations

import multiprocessing
import queue
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import Self

from fleet_api.scans.evaluating import Answer, EvaluatingProcess, Limits, fork
from storage.objects import ObjectStore, open_store
from storage.settings import Settings
from triggers.contracts.problem import problem_of
from triggers.errors import InvalidInput, LongtailError, NotFound
from triggers.language.webassembly.host.machine import load
from triggers.scan.condition import Condition
from triggers.scan.evaluate import Evaluator

FETCHERS = 8
EVALUATION_S = 60.0
"""What one clip may take, however busy the machine is."""
_UNREADABLE = "its signals cannot be read: reading them took more time or memory than it may"


@dataclass(frozen=True, slots=True)
class Task:
    """One clip: the object of its signals, and the conditions to try, by their indexes, in their order."""

    key: str
    candidates: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Setup:
    """What the process is started with."""

    settings: Settings
    conditions: tuple[Condition, ...]
    processes: int
    limits: Limits


Batch = list[Answer | None]
"""An answer for each task; None for those that no process was left for: they are to be sent again to another reader."""


def serve(pipe: Connection, setup: Setup) -> None:
    """In the process: answer batches of tasks until the pipe is closed. An error ends it, and is sent."""
    try:
        with BatchReader(setup) as reader:
            while True:
                pipe.send(reader.batch(pipe.recv()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except LongtailError as error:
        pipe.send(problem_of(error).to_json())


class BatchReader:
    """Fetches the signals of clips and has them evaluated, batch by batch; a context manager."""

    def __init__(self, setup: Setup) -> None:
        # The evaluating processes are forked first: as yet there are no threads, and no credentials have been read.
        modules = [load(condition.program) for condition in setup.conditions]
        evaluators = [
            partial(Evaluator, condition, module) for condition, module in zip(setup.conditions, modules, strict=True)
        ]
        self._all = [fork(multiprocessing.Pipe(), evaluators, setup.limits) for _ in range(setup.processes)]
        self._idle: queue.SimpleQueue[EvaluatingProcess | None] = queue.SimpleQueue()
        for process in self._all:
            self._idle.put(process)
        self._alive = len(self._all)
        self._count = threading.Lock()
        self._store: ObjectStore = open_store(setup.settings, create=False)
        self._threads = ThreadPoolExecutor(FETCHERS, "scan-fetch")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._all:
            process.end()

    def batch(self, tasks: Sequence[Task]) -> Batch:
        """An answer for each task; Unreachable when the object store does not answer."""
        return list(self._threads.map(self._one, tasks))

    def _one(self, task: Task) -> Answer | None:
        try:
            data = self._store.get(task.key)
        except NotFound:
            return Answer(problem="its signals are not in the object store: it is being erased, or they are lost")
        process = self._idle.get()
        if process is None:  # the last one is gone: whoever waits next must learn that, too
            self._idle.put(None)
            return None
        return self._evaluated(process, data, task)

    def _evaluated(self, process: EvaluatingProcess, data: bytes, task: Task) -> Answer:
        try:
            answer = process.evaluate(data, task.candidates, timeout_s=EVALUATION_S)
        except InvalidInput:
            answer = None
        if answer is not None:
            self._idle.put(process)
            return answer
        process.end()
        with self._count:
            self._alive -= 1
            if not self._alive:
                self._idle.put(None)
        return Answer(problem=_UNREADABLE)
