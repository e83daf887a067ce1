"""The ends of a process's children as something that `select` can wait for, beside a socket."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

_MANY_BYTES = 4096


class ChildEnds:
    """Readable once a child may have ended: only then can it be waited for. For the main thread of a process.

    A pipe that a child holds would end earlier, while the kernel still takes the child's memory apart, or later, when
    something that the child started holds it too.
    """

    def __init__(self) -> None:
        self._told, self._telling = os.pipe()
        for end in (self._told, self._telling):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._telling, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # what is ignored wakes nobody

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._told

    def forget(self) -> None:
        """Not readable until the next end; call it before looking for children that have ended."""
        with suppress(BlockingIOError):
            os.read(self._told, _MANY_BYTES)

    def close(self) -> None:
        """In a forked child: the pipe is the server's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(self._told)
        os.close(self._telling)
