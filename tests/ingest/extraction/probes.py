"""What code in the extracting child may try once a clip has taken it over: `python probes.py jailed|free`.

The child runs every probe and writes down what became of each. `targets.json` in its folder says where to aim.
"""

from __future__ import annotations

import ctypes
import encodings.idna  # noqa: F401 - for addresses: in the jail it may be too late to import it
import json
import mmap
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from ingest.extraction.sandbox.fork_server import serve

TARGETS_FILE, OUTCOMES_FILE = "targets.json", "outcomes.json"
DONE = "done"
PTRACE_TRACEME = 0
Targets = dict[str, str]


def read_the_signing_key(targets: Targets) -> None:
    Path(targets["key"]).read_bytes()


def list_the_data_directory(targets: Targets) -> None:
    list(Path(targets["data_dir"]).iterdir())


def read_the_environment_of_ingest(targets: Targets) -> None:
    Path("/proc", targets["ingest_pid"], "environ").read_bytes()


def connect_to_the_database(targets: Targets) -> None:
    with socket.socket(socket.AF_UNIX) as database:
        database.connect(targets["database_socket"])


def connect_by_tcp(targets: Targets) -> None:
    socket.create_connection(("127.0.0.1", int(targets["tcp_port"])), timeout=60).close()


def open_a_pair_of_sockets(_: Targets) -> None:
    for end in socket.socketpair():
        end.close()


def run_a_program(_: Targets) -> None:
    subprocess.run(["/bin/true"], check=True)


def replace_itself(_: Targets) -> None:
    """Tried in a new process where that is possible; in the jail neither is."""
    try:
        child = os.fork()
    except OSError:
        os.execv("/bin/true", ["true"])
    if not child:
        os.execv("/bin/true", ["true"])
    os.waitpid(child, 0)


def leave_a_grandchild(_: Targets) -> None:
    child = os.fork()
    if not child:
        os.setsid()
        os._exit(0)
    os.waitpid(child, 0)


def start_a_thread(_: Targets) -> None:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()


def link_the_thumbnail_to_the_key(targets: Targets) -> None:
    Path("thumbnail.jpg").symlink_to(targets["key"])


def give_the_key_a_second_name(targets: Targets) -> None:
    os.link(targets["key"], "thumbnail.jpg.2")


def write_beside_its_folder(targets: Targets) -> None:
    Path(targets["data_dir"], "written").write_bytes(b"x")


def truncate_the_key(targets: Targets) -> None:
    os.truncate(targets["spare_key"], 0)


def open_the_key_to_all(targets: Targets) -> None:
    Path(targets["key"]).chmod(0o600)


def make_a_pipe_in_its_folder(_: Targets) -> None:
    os.mkfifo("pipe")


def trace(_: Targets) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(PTRACE_TRACEME, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def signal_its_server(_: Targets) -> None:
    os.kill(os.getppid(), 0)


def signal_everybody(_: Targets) -> None:
    os.kill(-1, 0)


def make_memory_executable(_: Targets) -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC).close()


def lock_a_file_for_a_signal(targets: Targets) -> None:
    """F_SETOWN, by which a descriptor signals whom it names."""
    import fcntl

    fcntl.fcntl(2, fcntl.F_SETOWN, os.getppid())


def become_traceable(_: Targets) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(4, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


FILES: tuple[Callable[[Targets], None], ...] = (
    read_the_signing_key,
    list_the_data_directory,
    read_the_environment_of_ingest,
    write_beside_its_folder,
    link_the_thumbnail_to_the_key,
    give_the_key_a_second_name,
    make_a_pipe_in_its_folder,
)
"""Refused by Landlock, some of them by the filter of system calls too."""
CALLS: tuple[Callable[[Targets], None], ...] = (
    connect_to_the_database,
    connect_by_tcp,
    open_a_pair_of_sockets,
    run_a_program,
    replace_itself,
    leave_a_grandchild,
    start_a_thread,
    truncate_the_key,
    open_the_key_to_all,
    signal_its_server,
    signal_everybody,
    make_memory_executable,
    lock_a_file_for_a_signal,
    become_traceable,
    trace,  # last: what is traced stops at its next signal
)
"""Refused by the filter of system calls."""


def try_everything(folder: Path) -> None:
    targets = json.loads((folder / TARGETS_FILE).read_text())
    outcomes = {}
    for probe in (*FILES, *CALLS):
        try:
            probe(targets)
            outcomes[probe.__name__] = DONE
        except (OSError, RuntimeError) as error:
            outcomes[probe.__name__] = f"{type(error).__name__}: {error}"
    (folder / OUTCOMES_FILE).write_text(json.dumps(outcomes))
    (folder / "result.json").write_text("{}")


if __name__ == "__main__":
    serve(try_everything, jailed=sys.argv[1] == "jailed")
