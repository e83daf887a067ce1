"""Running one child process until it ends, times out, or is interrupted by its caller."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from triggers.errors import LongtailError
from triggers.processes.ends import kill_group

_POLL_S = 0.05


class TimedOut(LongtailError):
    """The child did not end in time and was killed."""

    code = "timed_out"


class Interrupted(LongtailError):
    """The caller stopped waiting, and the child was killed."""

    code = "interrupted"


def run_bounded(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    errors: Path,
    timeout_s: float,
    go_on: Callable[[], bool],
) -> int:
    """Run a program in its own session and return its exit status (negative: the signal).

    Its standard error is written to the file `errors`. Raises TimedOut after `timeout_s`, and Interrupted once `go_on`,
    which is polled, returns False. The child and everything it started are gone when this returns or raises.
    """
    with errors.open("wb") as stderr:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env=dict(environment),
            start_new_session=True,
        )
    try:
        return _wait(process, timeout_s, go_on)
    finally:
        kill_group(process.pid)
        process.wait()


def _wait(process: subprocess.Popen[bytes], timeout_s: float, go_on: Callable[[], bool]) -> int:
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            return process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            if time.monotonic() > deadline_s:
                raise TimedOut(f"the process did not end within {timeout_s:g} s") from None
            if not go_on():
                raise Interrupted("the process was interrupted") from None
