"""Exit statuses in words, and killing a whole process group."""

from __future__ import annotations

import contextlib
import os
import signal


def described_end(status: int) -> str:
    """An exit status (negative: the signal) in words."""
    if status < 0:
        try:
            return f"was killed by {signal.Signals(-status).name}"
        except ValueError:
            return f"was killed by signal {-status}"
    return f"ended with status {status}"


def kill_group(leader: int) -> None:
    """Kill what is left of the process group that `leader` began, including the leader.

    Call it before the leader is waited for or right afterwards: later the number may belong to another group.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        os.killpg(leader, signal.SIGKILL)
