"""One server for all processes of a test run: the first that needs it starts it, the last to end stops it."""

from __future__ import annotations

import fcntl
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tests.support.servers.java_server import Holder
from tests.support.servers.kept_server import KeptServer

ServerT = TypeVar("ServerT", bound=KeptServer)


@contextmanager
def shared(base: Path, make: Callable[[Path, Path], ServerT]) -> Iterator[ServerT]:
    """The server of `base`, a folder that the processes of the run have in common. No test may stop or kill it.

    `make` gets the folder for its data and the file of its holders.
    """
    base.mkdir(parents=True, exist_ok=True)
    with (base / "starting").open("a") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        holder = Holder(base / "holders")  # returns when a server that is just ending is gone
        server = _adopted(base, make) or _started(base, make)
    try:
        yield server
    finally:
        holder.release()


def _adopted(base: Path, make: Callable[[Path, Path], ServerT]) -> ServerT | None:
    note = base / "running.json"
    if not note.exists():
        return None
    state = json.loads(note.read_text())
    server = make(base / state["folder"], base / "holders")
    return server if server.adopt(state) else None


def _started(base: Path, make: Callable[[Path, Path], ServerT]) -> ServerT:
    folder = base / f"run-{secrets.token_hex(4)}"
    server = make(folder, base / "holders")
    server.start()
    (base / "running.json").write_text(json.dumps({"folder": folder.name, **server.state()}))
    return server
