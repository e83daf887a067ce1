"""The fork server of extraction: a process that has imported everything, and forks one child for each clip.

Started as `python -P -m ingest.extraction.fork_server`, with a socket as its standard input. An order is a line of JSON
(`Order`); its answer, once the child has ended, is a line too (`Ended`). Anything that is sent meanwhile kills the
child; so does the end of the socket, after which the server ends. It reads no clip itself and has no threads, so each
child begins as clean as the server was, and what a clip did to one child never reaches the next.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from ingest.extraction.confinement import confine
from triggers.contracts.base import Contract
from triggers.processes.death_signal import die_with_parent
from triggers.processes.ends import kill_group

READY = b"ready\n"
KILL = b"kill\n"
ERRORS_FILE = "stderr.txt"
OUT_OF_MEMORY, FILE_TOO_LARGE = 70, 71
"""Exit statuses of a child that met a limit and could say so."""
MAX_LINE_BYTES = 64 * 1024
_CHECK_S = 0.01
_CHECK_LEFT_OPEN_S = 0.25
"""How long an end may go unnoticed whose pipe something else holds open."""

Work = Callable[[Path], None]


class Order(Contract):
    """One clip: the folder to work in, and the limits of its child (`ingest.extraction.confinement`)."""

    folder: str
    memory_bytes: int
    cpu_s: int
    file_bytes: int
    wall_s: int


class Ended(Contract):
    """How a child ended (negative: the signal), and what it used."""

    status: int
    cpu_s: float
    peak_bytes: int


def serve(work: Work) -> None:
    """Fork a child that runs `work` in its folder, for each order on standard input, until that ends."""
    os.umask(0o077)
    die_with_parent(signal.SIGKILL)
    control = socket.socket(fileno=0)
    # What is alive now stays so: collections in a child would otherwise copy every page of it.
    gc.collect()
    gc.freeze()
    control.sendall(READY)
    while line := _line(control):
        if line == KILL:  # of a child that had just ended
            continue
        order = Order.from_json(line, what="the order")
        child, done = _begin(work, order, control)
        ended = _wait(child, done, control)
        kill_group(child)
        control.sendall(ended.canonical_json() + b"\n")


def _line(control: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n") and len(line) < MAX_LINE_BYTES:
        piece = control.recv(MAX_LINE_BYTES)
        if not piece:
            return b""
        line += piece
    return line


def _begin(work: Work, order: Order, control: socket.socket) -> tuple[int, int]:
    """Fork; returns the child, and a pipe that ends when it does."""
    done, held = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(done)
        _work(work, order, control)
    os.close(held)
    with contextlib.suppress(ProcessLookupError, PermissionError):  # the child does the same, whoever is first
        os.setpgid(child, child)
    return child, done


def _work(work: Work, order: Order, control: socket.socket) -> NoReturn:
    """The child: never returns into the server's code."""
    status = 1
    try:
        os.setpgid(0, 0)
        _redirect(Path(order.folder) / ERRORS_FILE)
        control.detach()
        confine(memory_bytes=order.memory_bytes, cpu_s=order.cpu_s, file_bytes=order.file_bytes, wall_s=order.wall_s)
        work(Path(order.folder))
        status = 0
    except MemoryError:
        status = OUT_OF_MEMORY
    except OSError as error:
        status = FILE_TOO_LARGE if error.errno == errno.EFBIG else 1
        traceback.print_exc()
    except BaseException:  # noqa: BLE001 - reported by the exit status and on standard error
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _redirect(errors: Path) -> None:
    """Standard input and output are the null device, standard error is a file; the control socket is gone."""
    null = os.open(os.devnull, os.O_RDWR)
    file = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    for opened, standard in ((null, 0), (null, 1), (file, 2)):
        os.dup2(opened, standard)
    os.close(null)
    os.close(file)


def _wait(child: int, done: int, control: socket.socket) -> Ended:
    """Until the child has ended; it is killed as soon as anything arrives on the socket, or the socket ends."""
    watched: list[int] = [done, control.fileno()]
    while True:
        pid, status, used = os.wait4(child, os.WNOHANG)
        if pid:
            os.close(done)
            cpu_s = used.ru_utime + used.ru_stime
            kib = 1 if sys.platform == "darwin" else 1024
            return Ended(
                status=os.waitstatus_to_exitcode(status), cpu_s=round(cpu_s, 4), peak_bytes=used.ru_maxrss * kib
            )
        ready, _, _ = select.select(watched, [], [], _CHECK_LEFT_OPEN_S if done in watched else _CHECK_S)
        if control.fileno() in ready:
            kill_group(child)
            if not control.recv(MAX_LINE_BYTES):
                os._exit(0)
        if done in ready:
            watched.remove(done)


def extract_in(folder: Path) -> None:
    """The work of a real child: read the request, extract, write the result. Imported when the server starts."""
    from ingest.extraction.extract import extract  # noqa: PLC0415 - done once, before the first fork
    from ingest.extraction.outputs import REQUEST_FILE, RESULT_FILE, ExtractionRequest  # noqa: PLC0415

    request = ExtractionRequest.from_json((folder / REQUEST_FILE).read_bytes(), what="the extraction request")
    result = extract(folder, request)
    (folder / RESULT_FILE).write_bytes(result.canonical_json())


if __name__ == "__main__":
    import ingest.extraction.extract  # noqa: F401 - parsing libraries are loaded once, and no clip is read with them here
    from ingest.extraction.warm_up import warm_up

    warm_up()
    serve(extract_in)
