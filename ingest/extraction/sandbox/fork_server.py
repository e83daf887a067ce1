"""The fork server of extraction: a process that has imported everything, and forks one child for each clip.

Started as `python -P -m ingest.extraction.sandbox.fork_server`, with a socket as its standard input (see `orders`). The
first line says how to confine it. An order is a line with the descriptor of a work folder; its answer, once the child
and all that it started have ended, is a line too. Anything that is sent meanwhile kills the child; so does the end of
the socket, after which the server ends. It reads no clip itself and has no threads, so each child begins as clean as
the server was, and what a clip did to one child never reaches the next.
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

from ingest.extraction.sandbox.child_ends import ChildEnds
from ingest.extraction.sandbox.confinement import be_first_to_go, confine, forbid_processes
from ingest.extraction.sandbox.orders import (
    ERRORS_FILE,
    FILE_TOO_LARGE,
    MAX_LINE_BYTES,
    NOT_JAILED,
    OUT_OF_MEMORY,
    Ended,
    LackView,
    Order,
    Ready,
    Setup,
    hear,
)
from triggers.processes.death_signal import signal_on_parents_death
from triggers.processes.ends import kill_group
from triggers.processes.jail.descendants import Descendants
from triggers.processes.jail.isolation import Isolation
from triggers.processes.jail.jail import Jail
from triggers.processes.jail.parts import Lack
from triggers.processes.jail.privileges import Account
from triggers.processes.refused_imports import refuse_imports

PACKAGES = ("triggers", "ingest", "storage")
"""Our own code, which a child may read: where it is installed."""

Work = Callable[[Path], None]


class Server:
    """Forks children that run `work` in their folders. Without `jailed` only limits hold them: for comparisons."""

    def __init__(self, work: Work, control: socket.socket, *, jailed: bool) -> None:
        self._work = work
        self._control = control
        self._jailed = jailed
        self._jail: Jail | None = None
        self._descendants = Descendants()
        self._ends = ChildEnds()
        self._null = os.open(os.devnull, os.O_RDWR)

    def begin(self) -> bool:
        """Confine this process as the first line says; False if that is refused."""
        said = hear(self._control)
        if not said.line:
            return False
        setup = Setup.from_json(said.line, what="the setup")
        be_first_to_go()
        if setup.shared:
            os.umask(0o027)
        lacks = self._confine(setup, said.descriptor) if self._jailed else []
        signal_on_parents_death(signal.SIGKILL)  # after the change of user, which clears it
        # What is alive now stays so: collections in a child would otherwise copy every page of it.
        gc.collect()
        gc.freeze()
        self._say(Ready(lacks=tuple(LackView(part=lack.part, why=lack.why) for lack in lacks)))
        return not lacks or setup.isolation is Isolation.BEST_EFFORT

    def _confine(self, setup: Setup, folder: int) -> list[Lack]:
        self._jail = Jail(folder, packages=PACKAGES)
        user = None if setup.uid is None or setup.gid is None else Account(setup.uid, setup.gid)
        return self._jail.begin(user)

    def run(self) -> None:
        """One child for each order, until there are no more."""
        while (said := hear(self._control)).line:
            child = self._fork(Order.from_json(said.line, what="the order"), said.descriptor)
            os.close(said.descriptor)
            ended = self._wait(child)
            kill_group(child)
            all_ended = self._descendants.end()
            self._say(ended)
            if not all_ended:
                return

    def _say(self, what: Ready | Ended) -> None:
        self._control.sendall(what.canonical_json() + b"\n")

    def _fork(self, order: Order, folder: int) -> int:
        child = os.fork()
        if child == 0:
            self._run_child(order, folder)
        with contextlib.suppress(ProcessLookupError, PermissionError):  # the child does the same, whoever is first
            os.setpgid(child, child)
        return child

    def _run_child(self, order: Order, folder: int) -> NoReturn:
        """In the child: never returns into the server's code."""
        status = NOT_JAILED
        try:
            os.setpgid(0, 0)
            os.fchdir(folder)
            self._redirect()
            confine(**order.model_dump())
            if self._jail is not None:
                forbid_processes()
                self._jail.enter(folder)
            status = 1
            self._work(Path())
            status = 0
        except MemoryError:
            status = OUT_OF_MEMORY
        except OSError as error:
            status = FILE_TOO_LARGE if error.errno == errno.EFBIG else status
            traceback.print_exc()
        except BaseException:  # noqa: BLE001 - reported by the exit status and on standard error
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _redirect(self) -> None:
        """Standard input and output are the null device, standard error a file; no descriptor of the server is left."""
        errors = os.open(ERRORS_FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o640)
        self._control.detach()  # its descriptor is the standard input
        for opened, standard in ((self._null, 0), (self._null, 1), (errors, 2)):
            os.dup2(opened, standard)
        os.close(self._null)
        os.close(errors)
        self._descendants.close()
        self._ends.close()

    def _wait(self, child: int) -> Ended:
        """Until the child has ended; it is killed as soon as anything arrives on the socket, or the socket ends."""
        watched: list[ChildEnds | socket.socket] = [self._ends, self._control]
        while True:
            self._ends.forget()
            pid, status, used = os.wait4(child, os.WNOHANG)
            if pid:
                cpu_s = used.ru_utime + used.ru_stime
                kib = 1 if sys.platform == "darwin" else 1024
                return Ended(
                    status=os.waitstatus_to_exitcode(status), cpu_s=round(cpu_s, 4), peak_bytes=used.ru_maxrss * kib
                )
            ready, _, _ = select.select(watched, [], [])
            if self._control in ready:
                kill_group(child)
                if not self._control.recv(MAX_LINE_BYTES):
                    os._exit(0)


def serve(work: Work, *, jailed: bool = True) -> None:
    """Fork a child that runs `work` for each order on standard input, until that ends."""
    os.umask(0o077)
    server = Server(work, socket.socket(fileno=0), jailed=jailed)
    if server.begin():
        server.run()


def work_in(folder: Path) -> None:
    """The work of a real child, which the name of the request's file tells: an extraction, or a clip's vector."""
    from ingest.extraction.likeness.contract import VECTOR_REQUEST_FILE  # noqa: PLC0415 - as below

    if (folder / VECTOR_REQUEST_FILE).exists():
        write_vector_in(folder)
    else:
        extract_in(folder)


def write_vector_in(folder: Path) -> None:
    """Read the request and the clip's signals, and write its vector."""
    from ingest.extraction.likeness.child import vector_in  # noqa: PLC0415 - done once, before the first fork
    from ingest.extraction.likeness.contract import (  # noqa: PLC0415
        VECTOR_REQUEST_FILE,
        VECTOR_RESULT_FILE,
        VectorRequest,
    )

    request = VectorRequest.from_json((folder / VECTOR_REQUEST_FILE).read_bytes(), what="the vector request")
    (folder / VECTOR_RESULT_FILE).write_bytes(vector_in(folder, request).canonical_json())


def extract_in(folder: Path) -> None:
    """Read the request, extract, write the result. Imported when the server starts."""
    from ingest.extraction.extract import extract  # noqa: PLC0415 - done once, before the first fork
    from ingest.extraction.outputs import REQUEST_FILE, RESULT_FILE, ExtractionRequest  # noqa: PLC0415

    request = ExtractionRequest.from_json((folder / REQUEST_FILE).read_bytes(), what="the extraction request")
    result = extract(folder, request)
    (folder / RESULT_FILE).write_bytes(result.canonical_json())


if __name__ == "__main__":
    # Where pandas is installed, pyarrow would import it at its first conversion: a second and 50 MB, for nothing.
    refuse_imports("pandas")
    from ingest.extraction.sandbox.warm_up import warm_up

    warm_up()
    serve(work_in)
