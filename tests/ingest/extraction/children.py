"""Stand-ins for the extracting child that do what hostile bytes may make it do: `python children.py ROLE`."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from ingest.extraction.sandbox.fork_server import serve

MIB = 1024**2


def eat_memory(folder: Path) -> None:
    hoard = [bytearray(16 * MIB) for _ in range(1000)]
    (folder / "hoard").write_text(str(len(hoard)))


def hang(_folder: Path) -> None:
    signal.pause()


def fill_the_disk(folder: Path) -> None:
    with (folder / "signals.parquet").open("wb") as file:
        for _ in range(1000):
            file.write(bytes(16 * MIB))


def lie(folder: Path) -> None:
    (folder / "result.json").write_text('{"files": [{"asset": "../../etc/passwd"}]}')


def link_its_answer(folder: Path) -> None:
    (folder / "result.json").symlink_to("/etc/passwd")


def tell_secrets(folder: Path) -> None:
    tell(folder, ",".join(sorted(os.environ)))


def spin(_folder: Path) -> None:
    while True:
        pass


def crash(_folder: Path) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def count(folder: Path) -> None:
    """Leave something behind in the process, and tell what an earlier child left."""
    LEFT_BEHIND.append(str(folder))
    tell(folder, f"{len(LEFT_BEHIND)} folders, {entries('task')} threads, {entries('fd')} files")


def entries(kind: str) -> int:
    return len(list(Path("/proc/self", kind).iterdir()))


def leave_a_child(folder: Path) -> None:
    """One that has left session and group, and whose own parent is gone."""
    told, telling = os.pipe()
    if not os.fork():
        os.setsid()
        if not os.fork():
            os.write(telling, str(os.getpid()).encode())
            signal.pause()
        os._exit(0)
    tell(folder, os.read(told, 100).decode())


def tell(folder: Path, message: str) -> None:
    remark = {"reason": "messages_unreadable", "message": message}
    (folder / "result.json").write_text(json.dumps({"remarks": [remark]}))


LEFT_BEHIND: list[str] = []

ROLES: dict[str, Callable[[Path], None]] = {
    "eats-memory": eat_memory,
    "hangs": hang,
    "fills-the-disk": fill_the_disk,
    "lies": lie,
    "links-its-answer": link_its_answer,
    "tells-secrets": tell_secrets,
    "spins": spin,
    "crashes": crash,
    "counts": count,
    "leaves-a-child": leave_a_child,
}


UNJAILED = frozenset({"leaves-a-child", "counts", "links-its-answer"})
"""What the jail would refuse, and the server has to stand or to tell all the same."""


if __name__ == "__main__":
    serve(ROLES[sys.argv[1]], jailed=sys.argv[1] not in UNJAILED)
