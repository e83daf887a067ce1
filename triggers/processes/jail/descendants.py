"""The end of everything that a child has started, also of what left its process group (Linux; elsewhere: the group)."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

from triggers.processes.jail.kernel import prctl

_PR_SET_CHILD_SUBREAPER = 36


class Descendants:
    """Adopts what its children leave behind, so that it can be ended. For a process with one thread."""

    def __init__(self) -> None:
        self._list = -1
        if sys.platform == "linux":
            prctl(_PR_SET_CHILD_SUBREAPER, 1)
            # Opened now: in the jail there is no /proc. Some kernels are built without this list.
            with contextlib.suppress(FileNotFoundError):
                own = f"/proc/self/task/{os.getpid()}/children"
                self._list = os.open(own, os.O_RDONLY | os.O_CLOEXEC)

    def end(self) -> bool:
        """Kill and reap all of them, and theirs; False if some are left whose numbers nobody tells."""
        while True:
            try:
                if os.waitpid(-1, os.WNOHANG)[0]:
                    continue
            except ChildProcessError:
                return True
            known = self._known()
            if not known:
                return False
            for pid in known:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            os.waitpid(known[0], 0)

    def _known(self) -> list[int]:
        if self._list < 0:
            return []
        os.lseek(self._list, 0, os.SEEK_SET)
        return [int(pid) for pid in os.read(self._list, 65536).split()]

    def close(self) -> None:
        """In a forked child: the list is the server's."""
        if self._list >= 0:
            os.close(self._list)
            self._list = -1
