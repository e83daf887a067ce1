"""The process that compiles programs for an agent: each within limits, one after the other, from pipe to pipe.

In: what one compilation may take (ORDER), then modules, each after its length (LENGTH). Out, for each: VERDICT, with
`b"+"` and the compiled module, or `b"-"` and why it is refused. A module that takes more than it may ends the process,
and so does one that the compiler cannot bear; what that means is the agent's to say.
"""

from __future__ import annotations

import contextlib
import math
import os
import resource
import signal
import struct
import sys
from pathlib import Path
from typing import BinaryIO

from triggers.errors import InvalidInput
from triggers.language.webassembly.host.engine import compiled
from triggers.processes.death_signal import signal_on_parents_death
from triggers.processes.jail import privileges

ORDER = struct.Struct("<QQQ")
"""Seconds of processor time for each module, bytes of address space, and the most bytes of a compiled module."""
LENGTH = struct.Struct("<Q")
VERDICT = struct.Struct("<cQ")
COMPILED, REFUSED = b"+", b"-"
SMALLEST = b"\0asm\x01\0\0\0"
TOO_LARGE = 3
"""The exit status when a compiled module has more bytes than it may."""


def main() -> None:
    """Compile until there is no more."""
    modules, verdicts = sys.stdin.buffer, sys.stdout.buffer
    cpu_s, memory_bytes, max_bytes = ORDER.unpack(modules.read(ORDER.size))
    compiled(SMALLEST, metered=True).serialize()  # whatever is loaded late is loaded before the limits
    confine(memory_bytes)
    while head := modules.read(LENGTH.size):
        module = modules.read(*LENGTH.unpack(head))
        allow(cpu_s)
        kind, answer = verdict_on(module)
        if len(answer) > max_bytes:
            sys.exit(TOO_LARGE)
        send(verdicts, kind, answer)


def verdict_on(module: bytes) -> tuple[bytes, bytes]:
    """The compiled module, or why it is refused."""
    try:
        return COMPILED, bytes(compiled(module, metered=True).serialize())
    except InvalidInput as error:
        return REFUSED, error.message.encode()


def send(verdicts: BinaryIO, kind: bytes, answer: bytes) -> None:
    """Write one verdict."""
    verdicts.write(VERDICT.pack(kind, len(answer)))
    verdicts.write(answer)
    verdicts.flush()


def confine(memory_bytes: int) -> None:
    """No more memory than this, no file, no socket, no core; first to go when the vehicle's memory is short."""
    signal_on_parents_death(signal.SIGKILL)
    if sys.platform == "linux":
        Path("/proc/self/oom_score_adj").write_text("1000")
    for kind, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        # Standard input, output and error stay open. There is no number left for a file or a socket.
        (resource.RLIMIT_NOFILE, 3),
        (resource.RLIMIT_AS, memory_bytes),
    ):
        resource.setrlimit(kind, (limit, limit))
    # As root it could raise the limits again. The jail's filter of system calls is of no use here: it forbids memory
    # that can be executed, and the runtime compiles into such memory.
    with contextlib.suppress(OSError):  # the limits hold for everybody but root, with or without it
        privileges.drop_capabilities()


def allow(cpu_s: int) -> None:
    """So much processor time from now on; the signal at its end says why this process ended."""
    used = os.times()
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used.user + used.system) + cpu_s, hard))


if __name__ == "__main__":
    main()
