"""A supervised child process: its start, its log, its orderly end, and killing what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from triggers.processes.bounded_log import BoundedLog
from triggers.processes.ends import kill_group

_TAIL_BYTES = 16 * 1024
_TAIL_LINES = 12
_READ_BYTES = 65536
_LINE_CHARACTERS = 500
_DRAIN_S = 2.0


class ChildProcess:
    """A program in its own session, so that Ctrl-C only reaches the supervisor.

    `inherited_fds` are listening sockets that stay open in the supervisor, so that connections are queued while a dead
    child is replaced. `environment` holds the settings. A thread copies the output to the bounded `log`; what it cannot
    write there is lost, but the last lines are always known. It works in `/`, whatever lies in our folder, and what it
    creates is its owner's alone.
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
        self._output = BoundedLog(log)
        self._last_words = b""
        self._copying: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._started_s = 0.0
        self._swept = True

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    def start(self) -> None:
        """Start it. The calling thread must outlive the child: Linux sends the death signal when that thread ends."""
        self._process = subprocess.Popen(
            self._argv,
            stdin=subprocess.PIPE,  # the lifeline: nothing is ever written to it
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment,
            pass_fds=self._inherited_fds,
            start_new_session=True,
            cwd="/",
            umask=0o077,
        )
        self._last_words = b""
        self._copying = threading.Thread(
            target=self._copy, args=(self._process,), name=f"log of {self.name}", daemon=True
        )
        self._copying.start()
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

    def request_end(self) -> None:
        """Ask it to end in order, also if somebody has stopped it: it would not notice otherwise."""
        self.send(signal.SIGTERM)
        self.send(signal.SIGCONT)

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
        """The last lines that it has written since its latest start."""
        return "\n".join(self._last_words.decode("utf-8", "replace").splitlines()[-_TAIL_LINES:])

    def last_line(self) -> str:
        """The last line that says something: the reason, when it has ended; empty when it wrote nothing."""
        lines = [line.strip() for line in self._last_words.decode("utf-8", "replace").splitlines()]
        return next((line[:_LINE_CHARACTERS] for line in reversed(lines) if line), "")

    def _copy(self, process: subprocess.Popen[bytes]) -> None:
        """Copy output until its end: every process that the child has started holds the pipe, too."""
        assert process.stdout is not None  # noqa: S101 - opened as a pipe
        with process.stdout as output:
            while data := os.read(output.fileno(), _READ_BYTES):
                if process is self._process:
                    self._last_words = (self._last_words + data)[-_TAIL_BYTES:]
                self._output.write(data)

    def _sweep(self) -> None:
        """Kill what is left of its process group, such as an extractor, so that nothing outlives the child.

        Done only once, when it ends: later its number may belong to another group.
        """
        assert self._process is not None  # noqa: S101 - `poll` and `finish` have checked it
        if self._swept:
            return
        self._swept = True
        kill_group(self._process.pid)
        if self._copying is not None:
            self._copying.join(_DRAIN_S)
        if self._process.stdin is not None:
            self._process.stdin.close()
