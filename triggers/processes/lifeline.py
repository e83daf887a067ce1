"""The lifeline, by which a supervised process ends when its supervisor dies, however that happens.

Its standard input is a pipe whose other end the supervisor holds and never writes to: when the supervisor dies the
kernel closes it, on every system. The process first gets SIGTERM, so that it can end in order; then the rest of its
process group is killed. On Linux a process that somebody has stopped (SIGSTOP) is continued for that: the signal of the
parent's death is SIGCONT, as a stopped process would neither see the pipe's end nor take a SIGTERM.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time

from triggers.processes.death_signal import signal_on_parents_death

ORPHAN_PATIENCE_S = 5.0
_CHECK_EVERY_S = 1.0


def hold_lifeline(fd: int = 0, *, patience_s: float = ORPHAN_PATIENCE_S) -> None:
    """Start to watch the lifeline on `fd`. Call this once, early, in the main thread of a supervised process.

    After the supervisor's death the process has `patience_s` seconds to end on its own.
    """
    parent = os.getppid()
    signal_on_parents_death(signal.SIGCONT)
    threading.Thread(target=_watch, args=(fd, parent, patience_s), name="lifeline", daemon=True).start()


def _watch(fd: int, parent: int, patience_s: float) -> None:
    """Also watch the parent process itself, because a forked child of the supervisor may keep the pipe open."""
    while os.getppid() == parent:
        ready, _, _ = select.select([fd], [], [], _CHECK_EVERY_S)
        if ready and not os.read(fd, 1):
            break
    leads = os.getpgrp() == os.getpid()  # the supervisor made it so; the group is our own children
    if leads:
        os.killpg(os.getpid(), signal.SIGCONT)  # one that was stopped would not notice our end either
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(patience_s)
    if leads:
        os.killpg(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
