"""Children forked out of one process that has imported everything already, so that tests can afford to kill many.

`python -m tests.support.fork_server MODULE` forks on request and lets a child run `MODULE.main(arguments, stop)`, with
`stop` set by SIGTERM. Requests are lines of JSON: `["start", [...]]` is answered with the child's pid, then with the
line that the child prints once it works; `["wait", pid]` with its exit status (negative: the signal).
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from tests.support.paths import REPOSITORY
from tests.support.processes import read_line

Main = Callable[[list[str], threading.Event], None]


@dataclass(frozen=True)
class ForkedChild:
    """A child of the server. It is killed with the server at the latest."""

    server: subprocess.Popen[str]
    pid: int

    def kill(self) -> None:
        """Kill it, and return when it is gone."""
        os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def end(self) -> int:
        """Ask it to end in order; returns its exit status."""
        os.kill(self.pid, signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Its exit status, once it has ended."""
        return int(_ask(self.server, ["wait", self.pid]))


class ForkServer:
    """The tests' end of the server."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, *arguments: object) -> ForkedChild:
        """A new child, working already."""
        pid = int(_ask(self._process, ["start", [str(argument) for argument in arguments]]))
        read_line(self._process)
        return ForkedChild(self._process, pid)


@contextmanager
def fork_server(module: str) -> Iterator[ForkServer]:
    """A server of children that run `module`; it and they are gone at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.fork_server", module],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield ForkServer(process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _ask(process: subprocess.Popen[str], request: list[object]) -> str:
    assert process.stdin is not None
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()
    return read_line(process)


def _serve(main: Main) -> None:
    for line in sys.stdin:
        match json.loads(line):
            case ["start", arguments]:
                told, tell = os.pipe()
                pid = os.fork()
                if pid == 0:
                    os.close(tell)
                    os.read(told, 1)  # its number is told before it says anything
                    _run(main, arguments)
                _say(pid)
                os.close(tell)
                os.close(told)
            case ["wait", pid]:
                _say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _run(main: Main, arguments: list[str]) -> NoReturn:
    """In the child: never return into the server's loop."""
    status = 1
    try:
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        main(arguments, stop)
        status = 0
    finally:
        os._exit(status)


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _serve(importlib.import_module(sys.argv[1]).main)
