"""Processes of backtests as the API holds them: each has one task, says how far it is, and ends with its answer."""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self, TypeVar

from pydantic import TypeAdapter, ValidationError

from fleet_api.backtest_processes.messages import Messages
from fleet_api.backtest_processes.tasks import Limits, Said, Task, Wrong
from triggers.errors import InvalidInput, Unreachable

_ASK_S = 0.5
_said: TypeAdapter[Said] = TypeAdapter(Said)
_Answer = TypeVar("_Answer")

_processes = multiprocessing.get_context("forkserver")


class Ended(InvalidInput):
    """A process has not answered: it took more processor time or memory than it may, or time in all."""


class Aside:
    """A process with its task; a context manager that ends it."""

    def __init__(self, task: Task, limits: Limits) -> None:
        """Unreachable when this machine cannot start a process now."""
        self._task = task
        self._limits = limits
        self._deadline_s = time.monotonic() + limits.in_all_s
        self.pipe, theirs = _processes.Pipe(duplex=False)
        self._messages = Messages(self.pipe)
        self._process = _processes.Process(target=begin, args=(theirs, task, limits), daemon=True)
        try:
            self._process.start()
        except OSError as error:
            self.pipe.close()
            raise Unreachable(
                f"no process can be started for a backtest ({error})",
                remedy="let the API's user start processes, and write to /tmp or to the folder of TMPDIR",
            ) from error
        finally:
            theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.join()
        self.pipe.close()  # last: a process that writes into a closed pipe would print a traceback as it ends

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended yet."""
        return self._process.is_alive()

    def said(self) -> Said | None:
        """What it says next; None when it has not said it within half a second, or only a part of it.

        Raises what it raised. Ended when it ended without an answer, or takes too long, whatever it says.
        """
        if time.monotonic() > self._deadline_s:
            raise self._ended()
        try:
            message = self._messages.next(_ASK_S)
        except (EOFError, OSError) as error:
            raise self._ended() from error
        if message is None:
            return None
        try:
            said = _said.validate_json(message)
        except ValidationError as error:
            raise InvalidInput("the backtest's process said something that cannot be right") from error
        if isinstance(said, Wrong):
            raise said.error()
        return said

    def _ended(self) -> Ended:
        limits, task = self._limits, self._task
        return Ended(
            f"{task.what} takes more than {limits.cpu_s} s of processor time or {limits.memory_bytes // 2**20} MiB of "
            f"memory, or more than {limits.in_all_s} s",
            remedy=task.remedy,
        )


def answer_of(task: Task, limits: Limits, kind: type[_Answer]) -> _Answer:
    """The answer to a task that is short; errors as in `Aside.said`."""
    with Aside(task, limits) as aside:
        while not isinstance(said := aside.said(), kind):
            pass
        return said


def begin(pipe: Connection, task: Task, limits: Limits) -> None:
    """In the process: load what its work takes, and do it."""
    from fleet_api.backtest_processes.jailed import serve  # noqa: PLC0415 - what only the process needs

    serve(pipe, task, limits)
