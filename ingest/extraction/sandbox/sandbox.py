"""Extracts clips in children of a fork server: limits, a jail, no secrets in the environment, checked answers."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

from ingest.extraction.outputs import REQUEST_FILE, ExtractionRequest, ExtractionResult
from ingest.extraction.sandbox.answers import ChildFailed, last_line, read_result, require_success
from ingest.extraction.sandbox.isolation import not_isolated
from ingest.extraction.sandbox.limits import ChildLimits
from ingest.extraction.sandbox.orders import KILL, Ended, Order, Ready, Setup
from ingest.extraction.sandbox.starter import MODULE, WALL_GRACE_S, OwnServer, StartedServer, Starter
from triggers.errors import LongtailError, Unreachable
from triggers.private_files import private_folder
from triggers.processes.jail.isolation import Isolation
from triggers.processes.jail.parts import Part, lack
from triggers.processes.jail.privileges import Account

FILE_BYTES_BASE = 256 * 1024**2
START_S = 120.0
_POLL_S = 0.05


class Interrupted(LongtailError):
    """The caller stopped waiting, and the child was killed."""

    code = "interrupted"


class Sandbox:
    """Extracts one clip at a time. Its server starts with the first clip, and again after it ended for any reason."""

    def __init__(
        self,
        folder: Path,
        *,
        isolation: Isolation = Isolation.REQUIRE,
        user: Account | None = None,
        program: Sequence[str] = MODULE,
        starter: Starter | None = None,
    ) -> None:
        """All clips' folders are beneath `folder`, in which the server's log is. `user`: whom children become.

        A `starter` starts the servers where this process has given up root; it says whom they become.
        """
        self._folder = folder
        whom = user if starter is None else None  # its servers are another user's from the beginning
        self._setup = Setup(
            isolation=isolation, uid=whom and whom.uid, gid=whom and whom.gid, shared=starter is not None
        )
        self._starter = starter
        self._program = tuple(program)
        self._server: _Server | None = None
        self.used: Ended | None = None
        """How the latest child ended, and what it used."""

    def run(
        self, folder: Path, request: ExtractionRequest, limits: ChildLimits, *, go_on: Callable[[], bool]
    ) -> ExtractionResult:
        """Extract the clip in the folder, which is new and this clip's alone.

        ChildFailed without an answer, Unreachable when no child can be had, Interrupted once `go_on` returns False,
        Misconfigured without the isolation that is required. `go_on` is called all the time; the child and all that it
        started are gone when this returns or raises.
        """
        self.work(folder, REQUEST_FILE, request.canonical_json(), limits, go_on=go_on)
        return read_result(folder, request)

    def work(
        self, folder: Path, request_file: str, request: bytes, limits: ChildLimits, *, go_on: Callable[[], bool]
    ) -> None:
        """Let a child do what the request file asks for; its name says which work that is. Errors as in `run`."""
        (folder / request_file).write_bytes(request)
        order = _order(folder, limits)
        if self._server is None or not self._server.alive():
            self._server = _Server(self._folder, self._setup, self._program, self._starter)
        _hand_over(folder, self._server.user, shared=self._setup.shared)
        try:
            self.used = self._server.run(order, folder, limits.lifetime_s, go_on)
        except BaseException:
            if not self._server.idle:  # it may still have a child
                self.close()
            raise
        require_success(self.used, limits, folder)

    def close(self) -> None:
        """End the server, with its child if it has one."""
        if self._server is not None:
            self._server.close()
            self._server = None


class _Server:
    """A running fork server, and the socket to it."""

    def __init__(self, folder: Path, setup: Setup, program: Sequence[str], starter: Starter | None) -> None:
        """Starts it, and waits until it is ready. Unreachable if it does not become so, Misconfigured if unconfined."""
        self.idle = True
        log = folder / "server.log"
        private_folder(folder)
        self._control, theirs = socket.socketpair()
        with theirs, log.open("wb") as errors:
            descriptors = theirs.fileno(), errors.fileno()
            self._process = starter.start(*descriptors) if starter else OwnServer(tuple(program), *descriptors, folder)
        self._end = weakref.finalize(self, _end, self._process, self._control)
        try:
            self._send(setup, folder)
            answer = self._answer(time.monotonic() + START_S, lambda: True)
        except (_TimedOut, OSError):
            answer = b""
        if not answer:
            self.close()
            raise Unreachable(  # it has seen no clip yet, so none is to blame
                f"the extractor does not start{last_line(log)}", remedy="make room in the data directory, or in memory"
            )
        lacks = [lack(view.part, view.why) for view in Ready.from_json(answer, what="the extractor's start").lacks]
        if lacks and setup.isolation is Isolation.REQUIRE:
            self.close()
            raise not_isolated(lacks)
        changed = setup.uid is not None and setup.gid is not None and Part.USER not in [each.part for each in lacks]
        became = Account(setup.uid or 0, setup.gid or 0) if changed else None
        self.user = became if starter is None else starter.user
        """Whom the server has become; None: nobody else."""

    def alive(self) -> bool:
        """Whether it can be given an order."""
        return self._process.alive()

    def run(self, order: Order, folder: Path, lifetime_s: float, go_on: Callable[[], bool]) -> Ended:
        """Let a child work in the folder.

        ChildFailed when it takes too long or the server dies, Interrupted when `go_on` says so.
        """
        self.idle = False
        try:
            self._send(order, folder)
            answer = self._answer(time.monotonic() + lifetime_s, go_on)
        except OSError as error:
            raise ChildFailed(f"the extractor's server has ended: {error}") from error
        except Interrupted:
            self._kill_child()
            raise
        except _TimedOut:
            self._kill_child()
            raise ChildFailed(f"the extractor did not finish within {lifetime_s:g} s") from None
        if not answer:
            raise ChildFailed("the extractor's server has ended")
        self.idle = True
        return Ended.from_json(answer, what="the extractor's end")

    def _send(self, what: Setup | Order, folder: Path) -> None:
        """A line, with a descriptor of the folder: who reads it may not be able to pass the folders above."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            socket.send_fds(self._control, [what.canonical_json() + b"\n"], [descriptor])
        finally:
            os.close(descriptor)

    def _kill_child(self) -> None:
        with contextlib.suppress(OSError, _TimedOut):
            self._control.sendall(KILL)
            self.idle = bool(self._answer(time.monotonic() + WALL_GRACE_S, lambda: True))

    def _answer(self, deadline_s: float, go_on: Callable[[], bool]) -> bytes:
        """The next line from the server; empty if it ended."""
        answer = b""
        while not answer.endswith(b"\n"):
            left_s = max(0.0, deadline_s - time.monotonic())
            ready, _, _ = select.select([self._control], [], [], min(_POLL_S, left_s))
            if ready:
                piece = self._control.recv(65536)
                if not piece:
                    return b""
                answer += piece
            elif time.monotonic() >= deadline_s:
                raise _TimedOut("the extractor did not finish in time")
            elif not go_on():
                raise Interrupted("the extraction was interrupted")
        return answer

    def close(self) -> None:
        """End it, and everything of its process group."""
        self._end()


class _TimedOut(Exception):
    """No answer within the time."""


def _end(process: OwnServer | StartedServer, control: socket.socket) -> None:
    control.close()
    process.end()


def _order(folder: Path, limits: ChildLimits) -> Order:
    return Order(
        memory_bytes=limits.memory_bytes,
        cpu_s=max(1, round(limits.timeout_s)),
        file_bytes=FILE_BYTES_BASE + 2 * sum(path.stat().st_size for path in folder.iterdir()),
        wall_s=round(limits.lifetime_s) + WALL_GRACE_S,
    )


def _hand_over(folder: Path, user: Account | None, *, shared: bool) -> None:
    """Let the child's user read what it is given, and write into its folder, which nobody else can enter.

    `shared`: the folder stays ours, and its group is the child's, since only root can give it away.
    """
    if user is None:
        return
    for given in folder.iterdir():
        given.chmod(0o644)
    if shared:
        os.chown(folder, -1, user.gid)
        folder.chmod(0o770)
    else:
        os.chown(folder, user.uid, user.gid)
