"""A supervised process ends when its supervisor is gone, however the supervisor died.

Its standard input is a pipe whose other end the supervisor holds and never writes to: the kernel closes it with the
supervisor, on every system. Linux also sends a signal at the parent's death, for the time before the pipe is watched.
The process first gets SIGTERM, and so an orderly end; what is left of its process group after that is killed.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time

from triggers.processes.death_signal import die_with_parent

ORPHAN_PATIENCE_S = 5.0
_CHECK_EVERY_S = 1.0


def hold_lifeline(fd: int = 0, *, patience_s: float = ORPHAN_PATIENCE_S) -> None:
    """Watch the lifeline on `fd` from now on. Call it once, early, in the main thread of a supervised process.

    Without its supervisor the process has `patience_s` seconds to end by itself.
    """
    parent = os.getppid()
    die_with_parent(signal.SIGTERM)
    threading.Thread(target=_watch, args=(fd, parent, patience_s), name="lifeline", daemon=True).start()


def _watch(fd: int, parent: int, patience_s: float) -> None:
    """A forked child of the supervisor may hold the pipe open, so the parent itself is watched too."""
    while os.getppid() == parent:
        ready, _, _ = select.select([fd], [], [], _CHECK_EVERY_S)
        if ready and not os.read(fd, 1):
            break
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(patience_s)
    if os.getpgrp() == os.getpid():  # the supervisor made it so; the group is our own children
        os.killpg(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
