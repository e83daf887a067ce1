"""PostgreSQL 15 with PostGIS from Debian's packages, unpacked into a folder and started there; nothing is installed.

`.venv/bin/python -m bench.search.debian_postgres` fetches the packages, if the cache lacks them, and says where they
are. apt checks their signatures. Needs Debian 12, or a machine whose apt offers `postgresql-15-postgis-3`.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

from storage.embedded.runas import ServerUser, server_user
from tools.fetch_jars import cache_dir

PACKAGES = (
    "postgresql-15",
    "postgresql-client-15",
    "postgresql-15-postgis-3",
    "postgresql-15-postgis-3-scripts",
)
"""Unpacked even where they are installed: the server then finds all its files beside it."""
SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "2GB",
    "effective_cache_size": "8GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "4GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_locks_per_transaction": "1024",
    "timezone": "UTC",
}
"""Generous: about ten times the memory that ours has, random reads as cheap as on a solid-state disk, room for locks of
partitions; without JIT, which takes longer than a search of milliseconds."""
_FETCH_TIMEOUT_S = 600
_START_TIMEOUT_S = 60
_STOP_TIMEOUT_S = 60
_NEW = re.compile(r"^Inst (\S+) \((\S+)", re.MULTILINE)  # one that is installed has its version in brackets first


class PeerMissing(Exception):
    """The peer cannot be had or started here; the message says why, and what to do."""


def packages() -> list[Path]:
    """Debian's packages of the server and of what this machine lacks for it, fetched if necessary."""
    folder = cache_dir() / "debian" / PACKAGES[0]
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".fetching-", dir=folder.parent))
        try:
            planned = _apt(["--simulate", "install", "--no-install-recommends", *PACKAGES], fresh)
            needed = [name for name, _ in _NEW.findall(planned) if name not in PACKAGES]
            _apt(["download", *PACKAGES, *needed], fresh)
            fresh.rename(folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return sorted(folder.glob("*.deb"))


class DebianPostgres:
    """A server in `folder` for the time of a `with` block, reached by its socket there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._root, self._data, self._log = (self._folder / name for name in ("unpacked", "data", "server.log"))
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """The server's only database, for its superuser."""
        return f"postgresql://postgres@/postgres?host={self._folder}"

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        for package in packages():
            self._run(["dpkg-deb", "--extract", str(package), str(self._root)], user=None)
        extensions = self._root / "usr/share/postgresql/15/extension"
        (extensions / "postgis.control").symlink_to("postgis-3.control")  # as the package does when it is installed
        user = server_user(self._folder)
        self._data.mkdir()
        if user is not None:
            for path in (self._folder, self._data):
                os.chown(path, user.uid, user.gid)
        trusted = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
        self._run([self._program("initdb"), *trusted, f"--pgdata={self._data}"], user=user)
        try:
            self._start(user)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server, whose clients are disconnected; idempotent."""
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(signal.SIGINT)
            try:
                self._server.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._server.send_signal(signal.SIGQUIT)
                self._server.wait()
        self._server = None

    def _start(self, user: ServerUser | None) -> None:
        given = [f"--{name}={value}" for name, value in SETTINGS.items()]
        command = [self._program("postgres"), "-D", str(self._data), "-k", str(self._folder), *given]
        with self._log.open("wb") as log:
            self._server = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **_as(user), env=self._variables(), cwd="/"
            )
        deadline_s = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                psycopg.connect(self.dsn).close()
                return
            except psycopg.OperationalError as error:
                if self._server.poll() is not None or time.monotonic() > deadline_s:
                    said = self._log.read_text(errors="replace")[-2000:]
                    raise PeerMissing(f"PostgreSQL 15 did not start in {self._folder}:\n{said}") from error
            time.sleep(0.05)

    def _program(self, name: str) -> str:
        return str(self._root / "usr/lib/postgresql/15/bin" / name)

    def _variables(self) -> dict[str, str]:
        libraries = ":".join(str(path.parent) for path in sorted(self._root.glob("usr/lib/*/libpq.so.5")))
        proj = self._root / "usr/share/proj"  # of PostGIS, where this machine has none
        return {
            "LC_ALL": "C.UTF-8",
            "PATH": os.defpath,
            "LD_LIBRARY_PATH": ":".join(filter(None, [libraries, *map(str, self._root.glob("usr/lib/*-linux-gnu"))])),
            **({"PROJ_DATA": str(proj)} if proj.is_dir() else {}),
        }

    def _run(self, command: Sequence[str], *, user: ServerUser | None) -> None:
        try:
            done = subprocess.run(
                command, check=False, capture_output=True, **_as(user), env=self._variables(), cwd="/"
            )
        except FileNotFoundError as error:
            raise PeerMissing(f"there is no {command[0]} here: this needs Debian, or a system made of it") from error
        if done.returncode:
            raise PeerMissing(f"{Path(command[0]).name} failed:\n{done.stderr.decode(errors='replace')[-2000:]}")


def _as(user: ServerUser | None) -> dict[str, Any]:
    """The arguments of subprocess for a user: PostgreSQL refuses to run as root."""
    return {} if user is None else {"user": user.uid, "group": user.gid, "extra_groups": []}


def _apt(arguments: Sequence[str], folder: Path) -> str:
    command = ["apt-get", "-o", "APT::Sandbox::User=root", "--quiet", *arguments]
    how = "run `apt-get update`, and on another system than Debian 12 see what its apt offers"
    try:
        done = subprocess.run(command, check=False, cwd=folder, capture_output=True, timeout=_FETCH_TIMEOUT_S)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise PeerMissing(f"Debian's packages cannot be fetched: {error}; {how}") from error
    if done.returncode:
        raise PeerMissing(f"apt-get cannot fetch {PACKAGES[2]}: {done.stderr.decode(errors='replace')[-1000:]}\n{how}")
    return done.stdout.decode()


if __name__ == "__main__":
    for path in packages():
        print(path)
