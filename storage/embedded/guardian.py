"""The owner's side of the guard: starts it, gives it its orders, and asks it to stop the server in good order."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from storage.embedded.locks import FileLock
from storage.embedded.runas import ServerUser

_GUARD_SCRIPT = Path(__file__).with_name("guard.py")
_LOG_TAIL_LINES = 15
_LOG_TAIL_BYTES = 16 * 1024


class Guardian:
    """One program under a guard. The program holds `lock` until its last process is gone."""

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        user: ServerUser | None,
        log: Path,
        lock: FileLock,
        remove_at_end: Path | None = None,
    ) -> None:
        self._log = log
        self._last_words = b""
        self._log_start_bytes = log.stat().st_size if log.exists() else 0
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_GUARD_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[lock.fileno()],
            cwd="/",
            env=_clean_environment(),  # ours has credentials
            umask=0o077,
            start_new_session=True,  # a Ctrl-C at the terminal reaches the owner, which then stops in its own order
        )
        orders = {
            "argv": [str(argument) for argument in argv],
            "env": _clean_environment(),
            "uid": user.uid if user else None,
            "gid": user.gid if user else None,
            "log": str(log),
            "owner_pid": os.getpid(),
            "remove_at_end": str(remove_at_end) if remove_at_end else None,
        }
        with contextlib.suppress(BrokenPipeError):  # a guard that died at once is noticed by `poll`
            self._send(json.dumps(orders).encode() + b"\n")

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> int | None:
        """The exit status once the program has ended, else None."""
        return self._process.poll()

    def wait(self, timeout_s: float) -> bool:
        """True as soon as the program has ended, False after `timeout_s`."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """Orderly end; returns when the program is gone. The guard bounds how long that takes."""
        with contextlib.suppress(BrokenPipeError):
            self._send(b"stop\n")
        self._process.send_signal(signal.SIGCONT)  # somebody may have stopped it, and it would not hear us
        self._process.wait()
        self.last_words()
        self._close()

    def forget(self) -> None:
        """In a forked child of the owner: drop the pipe, because its end must mean that the owner itself is gone."""
        self._close()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.poll()

    def last_words(self) -> str:
        """After the end: the last lines that the program wrote, from the guard itself."""
        if not self._last_words and self._process.stdout is not None and not self._process.stdout.closed:
            self._last_words = self._process.stdout.read(_LOG_TAIL_BYTES)
            self._process.stdout.close()
        return _last_lines(self._last_words) or "(no output)"

    def log_tail(self) -> str:
        """While it runs: the last lines that the program wrote to the log."""
        with contextlib.suppress(OSError), self._log.open("rb") as log:
            size_bytes = os.fstat(log.fileno()).st_size
            start_bytes = self._log_start_bytes if self._log_start_bytes <= size_bytes else 0  # it was rotated
            log.seek(max(start_bytes, size_bytes - _LOG_TAIL_BYTES))
            return _last_lines(log.read(_LOG_TAIL_BYTES))
        return ""

    def _send(self, data: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101 - opened as a pipe above
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def _close(self) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()


def _last_lines(text: bytes) -> str:
    return "\n".join(text.decode("utf-8", "replace").splitlines()[-_LOG_TAIL_LINES:])


def _clean_environment() -> dict[str, str]:
    """The part of our environment that the server may see: no PG* variable may configure it, no locale translate it."""
    keep = {key: os.environ[key] for key in ("PATH", "TZDIR", "LD_LIBRARY_PATH") if key in os.environ}
    return keep | {"LC_ALL": "C"}
