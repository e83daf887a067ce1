"""The starter: a small process that stays root and starts fork servers for an ingest that has given root up.

Only root can make a process another user's, and extractors must not be ingest's own user. Ingest begins it before it
gives up root, and asks over a socket: each message brings three descriptors, the server's socket, its log, and one
whose other end tells that ingest wants no more, or has ended. It starts one program as one user, reads nothing that a
clip or a network has sent, and knows no credentials: whoever takes over ingest gains nothing by it.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

from triggers.processes.ends import kill_group
from triggers.processes.jail.privileges import Account

MODULE = ("-m", "ingest.extraction.sandbox.fork_server")
WALL_GRACE_S = 5
_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
_FOR_LIBRARIES = {
    # One thread. The jail refuses more.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # pyarrow's jemalloc would start one at import
    # Memory in pages of 2 MiB, where the kernel gives them: a child would have to ask for each 4 KiB that it touches.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
_START = b"start"
_DESCRIPTORS = 3


class Starter:
    """Ingest's side, begun while it is root. Thread-safe."""

    def __init__(self, user: Account) -> None:
        """`user`: whose the servers are that it starts."""
        self.user = user
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "ingest.extraction.sandbox.starter", str(user.uid), str(user.gid)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=clean_environment(),
                cwd="/",
                umask=0o077,
            )
        self.close = weakref.finalize(self, _end_starter, self._process, self._control)
        """Ends it, with every server that it has started."""

    def start(self, control: int, log: int) -> StartedServer:
        """Start a fork server with this socket and log; OSError if the starter has ended."""
        ours, life = socket.socketpair()
        with life:
            socket.send_fds(self._control, [_START], [control, log, life.fileno()])
        return StartedServer(ours)


class StartedServer:
    """A fork server that the starter has started for us."""

    def __init__(self, life: socket.socket) -> None:
        self._life = life

    def alive(self) -> bool:
        """Whether it runs."""
        return not select.select([self._life], [], [], 0)[0]

    def end(self) -> None:
        """Let the starter kill it, unless it ends by itself as its socket has; returns when it is gone."""
        with suppress(OSError), self._life:
            self._life.shutdown(socket.SHUT_WR)
            select.select([self._life], [], [], 2 * WALL_GRACE_S)


class OwnServer:
    """A fork server that is our own child."""

    def __init__(self, program: tuple[str, ...], control: int, log: int, folder: Path) -> None:
        """`folder`: for its temporary files, as /tmp may be full, and is everybody's."""
        self._process = start_server(program, control, log, temporary=folder)

    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """Kill it, unless it ends by itself as its socket has."""
        end_server(self._process)


def start_server(
    program: tuple[str, ...], control: int, log: int, user: Account | None = None, temporary: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a fork server in a session of its own, with nothing of this process but these descriptors."""
    whose: dict[str, Any] = {} if user is None else {"user": user.uid, "group": user.gid, "extra_groups": []}
    return subprocess.Popen(
        [sys.executable, "-P", *program],
        stdin=control,
        stdout=subprocess.DEVNULL,
        stderr=log,
        env=clean_environment() | ({} if temporary is None else {"TMPDIR": str(temporary)}),
        cwd="/",
        umask=0o077,
        start_new_session=True,
        **whose,
    )


def end_server(process: subprocess.Popen[bytes]) -> None:
    """The end of its socket lets the server kill its child; then it is killed itself."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(WALL_GRACE_S)
    kill_group(process.pid)
    process.wait()


def clean_environment() -> dict[str, str]:
    """What of our environment extractors may see: no credentials, and settings of the libraries."""
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    return kept | _FOR_LIBRARIES


def serve(control: socket.socket, user: Account) -> None:
    """The starter's side: a thread for each server, until ingest has closed the socket."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, len(_START), _DESCRIPTORS)
        if not message:
            return
        if message == _START and len(descriptors) == _DESCRIPTORS:
            threading.Thread(target=_mind, args=(*descriptors, user)).start()


def _mind(control: int, log: int, life: int, user: Account) -> None:
    """Start a server; end it when ingest says so or is gone; closing `life` tells that it has ended."""
    with socket.socket(fileno=life) as told:
        try:
            process = start_server(MODULE, control, log, user)
        finally:
            os.close(control)
            os.close(log)
        waiting = threading.Thread(target=_wait, args=(process, told), daemon=True)
        waiting.start()
        with suppress(OSError):
            while told.recv(1):
                pass
        end_server(process)
        waiting.join()


def _wait(process: subprocess.Popen[bytes], told: socket.socket) -> None:
    """Wake the thread that listens to ingest when the server ends by itself."""
    process.wait()
    with suppress(OSError):
        told.shutdown(socket.SHUT_RD)


def _end_starter(process: subprocess.Popen[bytes], control: socket.socket) -> None:
    control.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(2 * WALL_GRACE_S)


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # it ends with ingest, which may still want to end its servers in order
    serve(socket.socket(fileno=0), Account(*map(int, sys.argv[1:])))
