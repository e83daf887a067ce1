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
from functools import partial
from multiprocessing.connection import Connection
from typing import Self

from fleet_api.scans.evaluating import EvaluatingProcess, fork
from fleet_api.scans.tasks import GROUP, Answer, Batch, ClipData, Setup, Task
from storage.objects import ObjectStore, open_store
from triggers.contracts.problem import problem_of
from triggers.errors import LongtailError, NotFound
from triggers.language.webassembly.host.machine import load
from triggers.scan.evaluate import Evaluator

FETCHERS = 8
GROUP_BYTES = 8 * 1024**2
"""Of signals that are evaluated together; a larger clip is evaluated alone."""
EVALUATION_S = 60.0
"""What a group of clips may take, however busy the machine is."""
_GONE = "its signals are not in the object store: it is being erased, or they are lost"
_UNREADABLE = "its signals cannot be read: reading them took more time or memory than it may"


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
        groups = [tasks[first : first + GROUP] for first in range(0, len(tasks), GROUP)]
        return [answer for answers in self._threads.map(self._group, groups) for answer in answers]

    def _group(self, tasks: Sequence[Task]) -> Batch:
        """Fetch and evaluate some clips together, as far as they are small together."""
        answers: Batch = [None] * len(tasks)
        held: list[tuple[int, ClipData]] = []
        for index, task in enumerate(tasks):
            try:
                data = self._store.get(task.key)
            except NotFound:
                answers[index] = Answer(problem=_GONE)
                continue
            held.append((index, (data, task.candidates)))
            if sum(len(data) for _, (data, _) in held) >= GROUP_BYTES:
                self._evaluate(held, answers)
                held = []
        self._evaluate(held, answers)
        return answers

    def _evaluate(self, held: Sequence[tuple[int, ClipData]], answers: Batch) -> None:
        """Have clips evaluated; where a process ends over them, each alone, so that the one to blame is found."""
        if not held or (process := self._free()) is None:
            return
        given = process.evaluate([clip for _, clip in held], timeout_s=EVALUATION_S)
        if given is not None:
            self._idle.put(process)
            for (index, _), answer in zip(held, given, strict=True):
                answers[index] = answer
            return
        self._bury(process)
        if len(held) == 1:
            answers[held[0][0]] = Answer(problem=_UNREADABLE)
            return
        for one in held:
            self._evaluate([one], answers)

    def _free(self) -> EvaluatingProcess | None:
        """A process that has nothing to do, once there is one; None if all are gone."""
        process = self._idle.get()
        if process is None:  # whoever waits next must learn that, too
            self._idle.put(None)
        return process

    def _bury(self, process: EvaluatingProcess) -> None:
        process.end()
        with self._count:
            self._alive -= 1
            if not self._alive:
                self._idle.put(None)
