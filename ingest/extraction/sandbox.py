"""Extracts clips in children of a fork server: limits, no secrets in the environment, and answers that are checked."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ingest.extraction.fork_server import ERRORS_FILE, FILE_TOO_LARGE, KILL, OUT_OF_MEMORY, READY, Ended, Order
from ingest.extraction.outputs import MAX_RESULT_BYTES, REQUEST_FILE, RESULT_FILE, ExtractionRequest, ExtractionResult
from triggers.errors import InvalidInput, LongtailError
from triggers.processes.ends import described_end, kill_group

FILE_BYTES_BASE = 256 * 1024**2
WALL_GRACE_S = 5
START_S = 120.0
MODULE = ("-m", "ingest.extraction.fork_server")
_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
_ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # pyarrow's jemalloc would start one at import
}
_POLL_S = 0.05


class ChildFailed(LongtailError):
    """The child gave no answer: it crashed or took too long. Another attempt may succeed."""

    code = "extraction_failed"


class Interrupted(LongtailError):
    """The caller stopped waiting, and the child was killed."""

    code = "interrupted"


class LimitReached(ChildFailed):
    """The child met a limit on its processor time, memory or files: another attempt would meet it too."""

    code = "extraction_limit"


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """What one child may use. `timeout_s` limits its processor time, in seconds; it may live twice as long."""

    memory_bytes: int
    timeout_s: float

    @property
    def lifetime_s(self) -> float:
        """How long it may take; more than its processor time, so that a busy machine is no reason to give up a clip."""
        return 2 * self.timeout_s


class Sandbox:
    """Extracts one clip at a time. Its server starts with the first clip, and again after it ended for any reason."""

    def __init__(self, log: Path, program: Sequence[str] = MODULE) -> None:
        """The server's standard error is written to the file `log`."""
        self._log = log
        self._program = tuple(program)
        self._server: _Server | None = None
        self.used: Ended | None = None
        """How the latest child ended, and what it used."""

    def run(
        self, folder: Path, request: ExtractionRequest, limits: ChildLimits, *, go_on: Callable[[], bool]
    ) -> ExtractionResult:
        """Extract the clip in the folder. ChildFailed without an answer, Interrupted once `go_on` returns False.

        `go_on` is called all the time; the child and its process group are gone when this returns or raises.
        """
        (folder / REQUEST_FILE).write_bytes(request.canonical_json())
        order = _order(folder, limits)
        if self._server is None or not self._server.alive():
            self._server = _Server(self._log, self._program)
        try:
            self.used = self._server.run(order, limits.lifetime_s, go_on)
        except BaseException:
            if not self._server.idle:  # it may still have a child
                self.close()
            raise
        _require_success(self.used.status, limits, folder)
        return _result(folder, request)

    def close(self) -> None:
        """End the server, with its child if it has one."""
        if self._server is not None:
            self._server.close()
            self._server = None


class _Server:
    """A running fork server, and the socket to it."""

    def __init__(self, log: Path, program: Sequence[str]) -> None:
        """Starts it, and waits until it is ready. ChildFailed if it does not become so."""
        self.idle = True
        log.parent.mkdir(parents=True, exist_ok=True)
        self._control, theirs = socket.socketpair()
        with theirs, log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-P", *program],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=_environment(),
                cwd="/",
                start_new_session=True,
            )
        self._end = weakref.finalize(self, _end, self._process, self._control)
        try:
            ready = self._answer(time.monotonic() + START_S, lambda: True) == READY
        except _TimedOut:
            ready = False
        if not ready:
            self.close()
            raise ChildFailed(f"the extractor does not start{_last_line(log)}")

    def alive(self) -> bool:
        """Whether it can be given an order."""
        return self._process.poll() is None

    def run(self, order: Order, lifetime_s: float, go_on: Callable[[], bool]) -> Ended:
        """Let a child work. ChildFailed when it takes too long or the server dies, Interrupted when `go_on` says so."""
        self.idle = False
        try:
            self._control.sendall(order.canonical_json() + b"\n")
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


def _end(process: subprocess.Popen[bytes], control: socket.socket) -> None:
    """The end of the socket lets the server kill its child; then it is killed itself."""
    control.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(WALL_GRACE_S)
    kill_group(process.pid)
    process.wait()


def _order(folder: Path, limits: ChildLimits) -> Order:
    cpu_s = max(1, round(limits.timeout_s))
    return Order(
        folder=str(folder.absolute()),
        memory_bytes=limits.memory_bytes,
        cpu_s=cpu_s,
        file_bytes=FILE_BYTES_BASE + 2 * sum(path.stat().st_size for path in folder.iterdir()),
        wall_s=round(limits.lifetime_s) + WALL_GRACE_S,
    )


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    return kept | _ONE_THREAD


def _require_success(status: int, limits: ChildLimits, folder: Path) -> None:
    if status == 0:
        return
    if status == OUT_OF_MEMORY or (status == -signal.SIGABRT and _refused_memory(folder / ERRORS_FILE)):
        allowed = f"{limits.memory_bytes} bytes of memory (LONGTAIL_EXTRACTION_MEMORY_BYTES)"
        raise LimitReached(f"the extractor needed more than {allowed}")
    if status == -signal.SIGXCPU:
        allowed = f"{limits.timeout_s:g} s of processor time (LONGTAIL_EXTRACTION_TIMEOUT_S)"
        raise LimitReached(f"the extractor needed more than {allowed}")
    if status in (FILE_TOO_LARGE, -signal.SIGXFSZ):
        raise LimitReached("the extractor wrote a file that is much larger than the clip")
    raise ChildFailed(f"the extractor {described_end(status)}{_last_line(folder / ERRORS_FILE)}")


def _last_line(path: Path) -> str:
    lines = _last_text(path).strip().splitlines()
    return f": {lines[-1][:300]}" if lines else ""


def _last_text(path: Path) -> str:
    with path.open("rb") as errors:
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - 2000))
        return errors.read().decode(errors="replace")


def _refused_memory(path: Path) -> bool:
    """Whether a library in C++ or Rust gave up because it got no memory: such a library aborts the process."""
    text = _last_text(path)
    return "bad_alloc" in text or "memory allocation" in text


def open_output(path: Path, max_bytes: int) -> BinaryIO:
    """A file that a child wrote; ChildFailed if it is a link, no plain file, or larger than it may be."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise ChildFailed(f"the extractor's {path.name} cannot be read: {error.strerror}") from error
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_size > max_bytes:
        os.close(handle)
        raise ChildFailed(f"the extractor's {path.name} is not a plain file of at most {max_bytes} bytes")
    return os.fdopen(handle, "rb")


def _result(folder: Path, request: ExtractionRequest) -> ExtractionResult:
    """The child's answer, as far as it can be true; ChildFailed without one."""
    with open_output(folder / RESULT_FILE, MAX_RESULT_BYTES) as file:
        data = file.read()
    try:
        result = ExtractionResult.from_json(data, what="the extractor's answer")
        result.require_possible(request)
    except InvalidInput as error:
        raise ChildFailed(f"the extractor left no usable answer: {error}") from error
    return result
