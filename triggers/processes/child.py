"""A supervised child process: its start, its log, its orderly end, and killing what it leaves behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from triggers.processes.ends import kill_group

_TAIL_BYTES = 16 * 1024
_TAIL_LINES = 12


class ChildProcess:
    """A program in its own session, so that Ctrl-C only reaches the supervisor.

    `inherited_fds` are listening sockets that stay open in the supervisor, so that connections are queued while a dead
    child is replaced. `environment` holds the settings. Output is appended to `log`.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str],
        log: Path,
        inherited_fds: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.log = log
        self.starts = 0
        self._argv = list(argv)
        self._environment = dict(environment)
        self._inherited_fds = tuple(inherited_fds)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_s = 0.0
        self._swept = True

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    def start(self) -> None:
        """Start it. The calling thread must outlive the child: Linux sends the death signal when that thread ends."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._argv,
                stdin=subprocess.PIPE,  # the lifeline: nothing is ever written to it
                stdout=log,
                stderr=log,
                env=self._environment,
                pass_fds=self._inherited_fds,
                start_new_session=True,
            )
        self.starts += 1
        self._swept = False
        self._started_s = time.monotonic()

    def poll(self) -> int | None:
        """None while it runs; then its exit status (negative: the signal), after its own children were killed."""
        if self._process is None:
            return None
        status = self._process.poll()
        if status is not None:
            self._sweep()
        return status

    @property
    def ran_s(self) -> float:
        """Seconds since its latest start."""
        return time.monotonic() - self._started_s

    def send(self, number: signal.Signals) -> None:
        """Send a signal; does nothing if the child has ended."""
        if self._process is not None:
            self._process.send_signal(number)

    def finish(self, deadline_s: float) -> bool:
        """Wait until `deadline_s` (monotonic) for it to end, then kill it; False if it had to be killed."""
        if self._process is None:
            return True
        orderly = True
        try:
            self._process.wait(max(0.0, deadline_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            orderly = False
            self._process.kill()
            self._process.wait()
        self._sweep()
        return orderly

    def log_tail(self) -> str:
        """The last lines of its log."""
        with contextlib.suppress(OSError), self.log.open("rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - _TAIL_BYTES))
            return "\n".join(log.read().decode("utf-8", "replace").splitlines()[-_TAIL_LINES:])
        return ""

    def _sweep(self) -> None:
        """Kill what is left of its process group, such as an extractor, so that nothing outlives the child.

        Done only once, when it ends: later its number may belong to another group.
        """
        assert self._process is not None  # noqa: S101 - `poll` and `finish` have checked it
        if self._swept:
            return
        self._swept = True
        kill_group(self._process.pid)
        if self._process.stdin is not None:
            self._process.stdin.close()


def rotate_log(log: Path) -> None:
    """Keep the log of the previous run under `<name>.1`."""
    if log.exists():
        log.replace(log.with_name(log.name + ".1"))
