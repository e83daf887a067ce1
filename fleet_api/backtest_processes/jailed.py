"""The process of a backtest: it compiles within limits, enters its jail, and then reads drives and clips.

Machines are made before the jail is entered, which lets no memory become executable. From then on the process can read
the files of its task, and write to its pipe; nothing else.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

from pydantic import BaseModel

from fleet_api.backtest_processes.messages import write
from fleet_api.backtest_processes.tasks import Limits, ListTask, RunTask, Task, Wrong
from ingest.extraction.sandbox.lone_process import address_space_bytes, shut_in
from triggers.contracts.problem import problem_of
from triggers.errors import LongtailError
from triggers.processes.death_signal import signal_on_parents_death
from triggers.processes.jail.jail import interpreter_paths
from triggers.processes.refused_imports import refuse_imports

COMPILING_CPU_S = 30
COMPILING_MEMORY_BYTES = 2 * 1024**3
MAX_FILE_BYTES = 1024**3
"""Of a clip's signals, as they are written for a run."""


class Process:
    """This process: what it says, and how it goes from compiling to its jail."""

    def __init__(self, pipe: Connection, limits: Limits) -> None:
        self._pipe = pipe
        self._limits = limits

    def say(self, message: BaseModel) -> None:
        """Tell the API something."""
        write(self._pipe, message.model_dump_json().encode())

    def begin(self) -> None:
        """Limit what compiling may take; the rest comes with the jail."""
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        compiling_s = min(COMPILING_CPU_S, self._limits.cpu_s)
        resource.setrlimit(resource.RLIMIT_CPU, (compiling_s, self._limits.cpu_s + 1))
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (address_space_bytes() + COMPILING_MEMORY_BYTES, hard))

    def compiled(self) -> None:
        """The hostile text is compiled: machines, which come next, reserve more memory than they use."""
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))

    def shut_in(self, readable: Sequence[Path], writable: Sequence[Path] = ()) -> None:
        """From now on, read these files alone, and those of the interpreter."""
        gc.freeze()
        shut_in(
            self._pipe.fileno(),
            memory_bytes=self._limits.memory_bytes,
            cpu_s=self._limits.cpu_s,
            file_bytes=MAX_FILE_BYTES,
            readable=[*map(Path, interpreter_paths()), *readable],
            writable=writable,
            isolation=self._limits.isolation,
        )


def serve(pipe: Connection, task: Task, limits: Limits) -> NoReturn:
    """In the process: do the task, say what came of it, and end."""
    signal_on_parents_death(signal.SIGKILL)
    process = Process(pipe, limits)
    status = 1
    try:
        process.begin()
        refuse_imports("pandas")  # pyarrow would load it at its first conversion, where it is installed
        process.say(_done(process, task))
        status = 0
    except LongtailError as error:
        process.say(Wrong(problem=problem_of(error).to_json()))
    except (MemoryError, BrokenPipeError):  # the API tells of the former; of the latter nobody wants to know
        pass
    except Exception as error:  # noqa: BLE001 - a defect, which the API has to tell from a limit that was met
        print(f"a backtest's process: {type(error).__name__}: {error}", file=sys.stderr, flush=True)  # noqa: T201
        defect = LongtailError("an unexpected error ended the backtest's process", remedy="see the log of the API")
        process.say(Wrong(problem=problem_of(defect).to_json()))
    finally:
        os._exit(status)


def _done(process: Process, task: Task) -> BaseModel:
    if isinstance(task, RunTask):
        from fleet_api.backtest_processes.running import ran  # noqa: PLC0415 - with pyarrow and wasmtime

        return ran(task, process)
    from fleet_api.backtest_processes.looking import listed, signals_of  # noqa: PLC0415 - with pyarrow

    return listed(task, process) if isinstance(task, ListTask) else signals_of(task, process)
