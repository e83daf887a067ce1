"""The process in a jail that evaluates conditions: signals of clips come through a pipe, instants go back.

The signals are files that extraction made of what vehicles sent. Whatever is wrong with one, this process can reach
nothing but its pipe: no file, no socket, no program, no credential.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import NoReturn

from fleet_api.scans.tasks import Answer, Answers, ClipData, Limits
from ingest.extraction.sandbox.lone_process import shut_in
from triggers.errors import InvalidInput
from triggers.scan.evaluate import Evaluator, scan_clips
from triggers.scan.scanned import Scanned

MAX_ANSWER_BYTES = 1024**2
MEMORY_BYTES = 2 * 1024**3
"""Beside what the process has when it begins."""


class EvaluatingProcess:
    """One such process, as its parent holds it. Not for several threads at a time."""

    def __init__(self, pid: int, pipe: Connection) -> None:
        self.pid = pid
        self._pipe = pipe

    def evaluate(self, clips: Sequence[ClipData], *, timeout_s: float) -> list[Answer] | None:
        """Evaluate, for each clip, the first of its conditions whose signals it has.

        None if the process did not survive one of them, did not answer in time, or not with answers.
        """
        # One that a file has taken over may read no clip, or say half of an answer: its end alone ends the wait.
        too_late = threading.Event()
        timer = threading.Timer(timeout_s, self._kill, [too_late])
        timer.daemon = True
        timer.start()
        try:
            self._pipe.send_bytes(json.dumps([candidates for _, candidates in clips]).encode())
            for data, _ in clips:
                self._pipe.send_bytes(data)
            answers = Answers.from_json(self._pipe.recv_bytes(MAX_ANSWER_BYTES), what="its answer").answers
        except (EOFError, OSError, InvalidInput):
            return None
        finally:
            timer.cancel()
            timer.join()
        return list(answers) if len(answers) == len(clips) and not too_late.is_set() else None

    def _kill(self, too_late: threading.Event | None = None) -> None:
        if too_late is not None:
            too_late.set()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, 9)

    def end(self) -> None:
        """End it at once."""
        self._kill()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        self._pipe.close()


def fork(
    pipes: tuple[Connection, Connection], evaluators: Sequence[Callable[[], Evaluator]], limits: Limits
) -> EvaluatingProcess:
    """Fork an evaluating process; `evaluators` make the conditions' evaluators in it. Only without other threads."""
    ours, theirs = pipes
    pid = os.fork()
    if pid == 0:
        _be_child(theirs, evaluators, limits)
    theirs.close()
    return EvaluatingProcess(pid, ours)


def _be_child(pipe: Connection, evaluators: Sequence[Callable[[], Evaluator]], limits: Limits) -> NoReturn:
    """In the child: never returns into the parent's code."""
    status = 1
    try:
        ready = [make() for make in evaluators]  # the jail lets no memory become executable
        gc.freeze()  # what is imported stays: collections would go through all of it, again and again
        shut_in(pipe.fileno(), memory_bytes=MEMORY_BYTES, cpu_s=limits.seconds, isolation=limits.isolation)
        status = 0
        _serve(pipe, ready)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        status = 0
    finally:
        os._exit(status)


def _serve(pipe: Connection, evaluators: Sequence[Evaluator]) -> None:
    while True:
        of_clips: list[list[int]] = json.loads(pipe.recv_bytes())
        clips = [(pipe.recv_bytes(), [evaluators[index] for index in candidates]) for candidates in of_clips]
        answers = Answers(answers=tuple(_answer(scanned) for scanned in scan_clips(clips)))
        pipe.send_bytes(answers.model_dump_json().encode())


def _answer(scanned: Scanned) -> Answer:
    problem = None if scanned.problem is None else scanned.problem[:500]
    return Answer(t_ns=scanned.t_ns, count=scanned.count, problem=problem)
