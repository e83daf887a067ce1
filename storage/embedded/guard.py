"""The guard: a small process that is the server's parent and stops it when the owner is gone, however the owner died.

It is a script of the standard library only (`python -I -S guard.py`), so that it is up in milliseconds.
Its standard input comes from the owner: one line of JSON (the orders, written by `guardian.py`), then either
`stop` (an orderly end) or the end of the file, which the kernel delivers when the owner is killed. The server
also gets a parent-death signal where the kernel has one (Linux), in case the guard itself is killed.
At the end the guard writes the server's last words to its standard output; its exit status is the server's, or
128 + n when signal n ended that.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import sys
import time
from typing import Any

# As in triggers/processes/death_signal.py, which this script cannot import: it runs without a search path (-I -S), and
# what it calls after its fork must be loaded before.
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36
_CONTROL_FD = 0
_ANSWER_FD = 1
_POLL_S = 0.5
_ORDERLY_PATIENCE_S = 60.0
_ORPHANED_PATIENCE_S = 2.0
_IMMEDIATE_PATIENCE_S = 7.0  # the postmaster itself kills a deaf backend 5 s after SIGQUIT
_LOG_DRAIN_S = 5.0
_LAST_WORDS_BYTES = 4096  # less than any pipe holds: writing them never blocks
_LOG_LIMIT_BYTES = 8 * 1024 * 1024


class BoundedLog:
    """A log file that is moved to `<path>.1` when it reaches its limit; a full disk costs lines, never the server."""

    def __init__(self, path: str, limit_bytes: int = _LOG_LIMIT_BYTES) -> None:
        self._path = path
        self._limit_bytes = limit_bytes
        self._fd = -1
        self._size_bytes = 0
        self._open()

    def _open(self) -> None:
        # No symbolic link is followed: the folder may belong to a user with fewer rights than the guard's.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(self._path, flags, 0o600)
        self._size_bytes = os.fstat(self._fd).st_size

    def write(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            if self._size_bytes + len(data) > self._limit_bytes:
                os.replace(self._path, f"{self._path}.1")  # noqa: PTH105 - pathlib would double the start-up time
                os.close(self._fd)
                self._open()
            self._size_bytes += os.write(self._fd, data)


class Guard:
    """Runs one server under the orders of one owner; `run` returns the exit status for the process."""

    def __init__(self, orders: dict[str, Any]) -> None:
        self._orders = orders
        self._log = BoundedLog(orders["log"])
        self._log_fd, self._log_write_fd = os.pipe()
        self._last_words = b""
        self._wake_fd = _wake_on_signals(self._on_terminate)
        self._control_open = True
        self._stop_signal: signal.Signals | None = None  # the last one sent
        self._deadline_s = float("inf")
        self._status: int | None = None
        self._pid = self._spawn()
        os.close(self._log_write_fd)

    def run(self) -> int:
        while self._status is None:
            self._wait_for_news(_POLL_S)
            self._reap()
            if os.getppid() != self._orders["owner_pid"]:  # a forked child of the owner may hold the pipe open
                self._control_open = False
                self._hurry(_ORPHANED_PATIENCE_S)
            if time.monotonic() > self._deadline_s:
                self._escalate()
        self._drain_log()
        if self._orders["remove_at_end"]:
            shutil.rmtree(self._orders["remove_at_end"], ignore_errors=True)
        os.write(_ANSWER_FD, self._last_words)  # the log may be on a disk that is full
        return self._status

    def _spawn(self) -> int:
        prctl = _linux_prctl()
        if prctl:
            prctl(_PR_SET_CHILD_SUBREAPER, 1)  # what a killed postmaster leaves is reaped here, not by a lazy PID 1
        guard_pid = os.getpid()
        pid = os.fork()
        if pid:
            return pid
        try:
            self._become_server(prctl, guard_pid)
        except BaseException as error:  # noqa: BLE001 - the forked child must never return into the guard's loop
            os.write(2, f"guard: cannot run {self._orders['argv'][0]}: {error}\n".encode())
        finally:
            os._exit(127)

    def _become_server(self, prctl: Any, guard_pid: int) -> None:
        null_fd = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null_fd, 0), (self._log_write_fd, 1), (self._log_write_fd, 2)):
            os.dup2(source, target)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.umask(0o077)
        if self._orders["uid"] is not None:
            os.setgroups([self._orders["gid"]])
            os.setgid(self._orders["gid"])
            os.setuid(self._orders["uid"])
        if prctl:
            prctl(_PR_SET_PDEATHSIG, int(signal.SIGQUIT))  # after setuid, which clears it
        if os.getppid() != guard_pid:  # killed before the line above took effect
            os._exit(127)
        os.chdir("/")
        os.execve(self._orders["argv"][0], self._orders["argv"], self._orders["env"])

    def _wait_for_news(self, timeout_s: float) -> None:
        fds = [self._wake_fd, self._log_fd, *([_CONTROL_FD] if self._control_open else [])]
        ready, _, _ = select.select(fds, [], [], timeout_s)
        if self._wake_fd in ready:
            os.read(self._wake_fd, 4096)
        if self._log_fd in ready and not self._copy_log():
            time.sleep(0.01)  # the server closed its log: its end will be seen by `_reap`
        if _CONTROL_FD in ready:
            self._obey(os.read(_CONTROL_FD, 4096))

    def _obey(self, order: bytes) -> None:
        if order:
            self._hurry(_ORDERLY_PATIENCE_S)
        else:
            self._control_open = False
            self._hurry(_ORPHANED_PATIENCE_S)

    def _on_terminate(self) -> None:
        self._hurry(_ORDERLY_PATIENCE_S)

    def _hurry(self, patience_s: float) -> None:
        """Begin a fast shutdown (SIGINT), or shorten the patience with the one that is under way."""
        if self._stop_signal is None:
            self._send(signal.SIGINT)
        if self._stop_signal is signal.SIGINT:
            self._deadline_s = min(self._deadline_s, time.monotonic() + patience_s)

    def _escalate(self) -> None:
        self._send(signal.SIGQUIT if self._stop_signal is signal.SIGINT else signal.SIGKILL)
        self._deadline_s = time.monotonic() + _IMMEDIATE_PATIENCE_S

    def _send(self, number: signal.Signals) -> None:
        self._stop_signal = number
        if self._status is None:  # until it is reaped its pid cannot belong to another process
            os.kill(self._pid, number)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self._pid:
                    code = os.waitstatus_to_exitcode(status)
                    self._status = code if code >= 0 else 128 - code

    def _copy_log(self) -> bool:
        data = os.read(self._log_fd, 65536)
        self._log.write(data)
        self._last_words = (self._last_words + data)[-_LAST_WORDS_BYTES:]
        return bool(data)

    def _drain_log(self) -> None:
        """Copy the rest of the log. Every process of the server holds the pipe: its end means that all are gone."""
        deadline_s = time.monotonic() + _LOG_DRAIN_S
        _end_orphans(signal.SIGQUIT)
        while (left_s := deadline_s - time.monotonic()) > 0:
            ready, _, _ = select.select([self._log_fd], [], [], left_s)
            if ready and not self._copy_log():
                break
        else:
            _end_orphans(signal.SIGKILL)
        self._reap()


def _end_orphans(number: signal.Signals) -> None:
    """Signal the backends of a killed postmaster, which would go on until they happen to notice.

    They are children of this process now (a subreaper, where the system has those), so no pid can be a stranger's.
    """
    with contextlib.suppress(OSError):
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as children:  # noqa: PTH123
            pids = [int(pid) for pid in children.read().split()]
        for pid in pids:
            os.kill(pid, number)


def _linux_prctl() -> Any:
    if not sys.platform.startswith("linux"):
        return None
    return ctypes.CDLL(None, use_errno=True).prctl


def _wake_on_signals(on_terminate: Any) -> int:
    """A descriptor that becomes readable with every signal; signals from the terminal are left to the owner."""
    wake_fd, write_fd = os.pipe()
    os.set_blocking(write_fd, False)
    os.set_blocking(wake_fd, False)
    signal.set_wakeup_fd(write_fd, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: on_terminate())
    return wake_fd


def main() -> int:
    prctl = _linux_prctl()
    if prctl:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGCONT))  # it would not notice if somebody had stopped it
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(_CONTROL_FD, 1)  # unbuffered: what follows the line belongs to the loop
        if not byte:
            return 0  # the owner died before it said what to run
        line += byte
    return Guard(json.loads(line)).run()


if __name__ == "__main__":
    sys.exit(main())
