"""The compiler of a vehicle: programs are compiled in a process of its own, within limits, and bad ones are remembered.

Signed bytes can still hold a compiler for minutes or take all memory. What ends the compiling process is written to the
journal by the program's digest and the limits, so that it is tried again only when the limits or the compiler change.
The limits keep a program from exhausting the vehicle. They are no jail: what a faulty compiler makes of a program is
run by the agent, as it is.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self

from triggers.errors import InvalidInput
from triggers.language.webassembly.host.machine import LoadedModule, load
from triggers.processes.ends import described_end, kill_group
from triggers.vehicle.journal.journal import Journal
from triggers.vehicle.programs import compiling

MIB = 1024**2
MAX_NATIVE_BYTES = 64 * MIB
PATIENCE = 4
"""A compilation that waits instead of computing is ended after so many times its processor time."""
START_S = 60
"""What the process may take to start, in addition: a vehicle starts many things at once."""
MARKS = "unfit_programs"
"""The fact with the programs that ended the compiler, by digest, newest last."""
KEPT_MARKS = 256
ENDED_FROM_OUTSIDE = (-signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP)
_KEPT_ENVIRONMENT = ("LD_LIBRARY_PATH", "PYTHONPATH")


@dataclass(frozen=True)
class CompilerLimits:
    """What the compilation of one program may take."""

    cpu_s: int = 20
    memory_bytes: int = 1024 * MIB

    @property
    def name(self) -> str:
        """What a mark holds for: these limits, with this compiler."""
        return f"{self.cpu_s} s and {self.memory_bytes} bytes with wasmtime {importlib.metadata.version('wasmtime')}"


DEFAULT_LIMITS = CompilerLimits()


class Unfit(InvalidInput):
    """The program ended the process that compiled it."""


class Compiler:
    """Compiles programs, one after the other. The process starts with the first one and ends with `close`."""

    def __init__(self, journal: Journal, limits: CompilerLimits) -> None:
        self._journal = journal
        self._limits = limits
        self._process: _Process | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def module(self, program: bytes) -> LoadedModule:
        """The program, compiled and checked. Raises InvalidInput if it is none, and Unfit if it ended the compiler."""
        digest = hashlib.sha256(program).hexdigest()
        marks = self._marks()
        limits, reason = marks.get(digest, ("", ""))
        if limits == self._limits.name:
            raise Unfit(f"program: it {reason}, and is not compiled again with {limits}")
        if self._process is None:
            self._process = _Process(self._limits)
        try:
            native = self._process.compile(program)
        except Unfit as error:
            self.close()
            self._mark(marks, digest, error.message)
            raise Unfit(f"program: it {error.message}, so it does not run") from error
        except BaseException:
            self.close()
            raise
        return load(program, metered=True, native=native)

    def _marks(self) -> dict[str, tuple[str, str]]:
        kept = json.loads(self._journal.fact(MARKS) or b"{}")
        return {digest: (limits, reason) for digest, (limits, reason) in kept.items()}

    def _mark(self, marks: dict[str, tuple[str, str]], digest: str, reason: str) -> None:
        marks.pop(digest, None)
        newest = [*marks.items(), (digest, (self._limits.name, reason))][-KEPT_MARKS:]
        self._journal.set_facts({MARKS: json.dumps(dict(newest)).encode()})


class _Process:
    """A running compiler."""

    def __init__(self, limits: CompilerLimits) -> None:
        """Start it. Raises InvalidInput if the vehicle cannot start a process."""
        self._limits = limits
        try:
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", compiling.__name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ},
                cwd="/",
                start_new_session=True,
                umask=0o077,
            )
        except OSError as error:
            raise InvalidInput(f"program: its compiler does not start: {error}") from error
        self._to, self._from = _pipe(self._child.stdin), _pipe(self._child.stdout)
        self._order = compiling.ORDER.pack(limits.cpu_s, limits.memory_bytes, MAX_NATIVE_BYTES)
        self._too_slow = False

    def compile(self, program: bytes) -> bytes:
        """The compiled program. Raises InvalidInput with the compiler's reason, Unfit (why, alone) if it ended it."""
        patience_s = START_S + PATIENCE * self._limits.cpu_s
        timer = threading.Timer(patience_s, self._give_up)
        timer.start()
        try:
            self._to.write(self._order + compiling.LENGTH.pack(len(program)) + program)
            self._to.flush()
            self._order = b""
            kind, size = compiling.VERDICT.unpack(self._read(compiling.VERDICT.size))
            answer = self._read(size)
        except OSError as error:
            raise self._end_of() from error
        finally:
            timer.cancel()
        if kind == compiling.REFUSED:
            raise InvalidInput(answer.decode())
        return answer

    def close(self) -> None:
        """Kill it, with whatever it has started."""
        kill_group(self._child.pid)
        self._child.wait()
        for pipe in (self._to, self._from):
            try:
                pipe.close()
            except BrokenPipeError:  # what was still to be written is for nobody
                continue

    def _read(self, size: int) -> bytes:
        if size > MAX_NATIVE_BYTES:
            raise BrokenPipeError(f"an answer of {size} bytes")
        data = self._from.read(size)
        if len(data) < size:
            raise BrokenPipeError("the compiler has ended")
        return data

    def _give_up(self) -> None:
        self._too_slow = True
        self._child.kill()

    def _end_of(self) -> InvalidInput:
        """What the end of the process says about the program."""
        status = self._child.wait(START_S)
        if status in ENDED_FROM_OUTSIDE:
            return InvalidInput(f"program: its compiler {described_end(status)} from outside")
        if self._too_slow:
            return Unfit("took the compiler longer than it may")
        if status == -signal.SIGXCPU:
            return Unfit(f"took the compiler more than {self._limits.cpu_s} s of processor time")
        if status == compiling.TOO_LARGE:
            return Unfit(f"has more than {MAX_NATIVE_BYTES} bytes when it is compiled")
        return Unfit(f"ended the compiler, which {described_end(status)} within {self._limits.memory_bytes} bytes")


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    if end is None:
        raise ValueError("the compiler was started without pipes")
    return end
