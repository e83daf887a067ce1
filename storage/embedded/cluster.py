"""The database cluster on disk: created whole or not at all, of the right major version, without a stale pid file."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from storage.embedded.binaries import MAJOR_VERSION, Binaries
from storage.embedded.cancellation import Cancelled, give_up_if
from storage.embedded.guardian import Guardian
from storage.embedded.locks import FileLock
from storage.embedded.runas import ServerUser
from triggers.errors import Conflict, Misconfigured

SUPERUSER = "longtail"
_UNFINISHED = "cluster.unfinished-"
_PROGRESS_EVERY_S = 2.0
_POLL_S = 0.1
_PIDFILE_STATUS_LINE = 7  # LOCK_FILE_LINE_PM_STATUS in PostgreSQL's src/include/utils/pidfile.h, from 0
_INITDB_OPTIONS = (
    f"--username={SUPERUSER}",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--auth-local=trust",  # the socket's folder lets in only the owner
    "--auth-host=reject",
    "--data-checksums",
    "--no-instructions",
)


class Cluster:
    """The folder `cluster` in a data directory. Its methods are for the holder of the directory's locks."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self.path = data_dir / "cluster"

    def create_if_missing(
        self,
        binaries: Binaries,
        *,
        user: ServerUser | None,
        log: Path,
        lock: FileLock,
        progress: Callable[[str], None],
        cancelled: Cancelled,
    ) -> None:
        """Run initdb in a side folder and rename it, so that a crash half-way leaves nothing in the way."""
        for leftover in self._data_dir.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(leftover)
        if self.path.exists():
            self._check_version()
            return
        progress(f"creating the database cluster in {self._data_dir}")
        unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._data_dir))
        if user:
            os.chown(unfinished, user.uid, user.gid, follow_symlinks=False)
        argv: list[str | Path] = [binaries.initdb, *_INITDB_OPTIONS, "-D", unfinished]
        guardian = Guardian(argv, user=user, log=log, lock=lock)
        try:
            reported_s = time.monotonic()
            while not guardian.wait(_POLL_S):
                give_up_if(cancelled, f"the database cluster in {self._data_dir} was being created")
                if time.monotonic() - reported_s >= _PROGRESS_EVERY_S:
                    reported_s = time.monotonic()
                    progress("still creating the database cluster")
        finally:
            guardian.stop()
        if guardian.poll() != 0:
            raise Misconfigured(
                f"PostgreSQL could not create its cluster in {self._data_dir}:\n{guardian.last_words()}",
                remedy="fix what these lines say (disk space, permissions) and start again",
            )
        unfinished.rename(self.path)
        _sync_folder(self._data_dir)

    def status(self) -> str:
        """What a starting server says of itself in its pid file: `starting`, `ready`, ..., or empty."""
        lines = self._pidfile_lines()
        return lines[_PIDFILE_STATUS_LINE].strip() if len(lines) > _PIDFILE_STATUS_LINE else ""

    def running_postmaster(self) -> int | None:
        """The pid in the pid file if that process is a server in this cluster, never a foreign one."""
        lines = self._pidfile_lines()
        try:
            pid = abs(int(lines[0]))
        except (IndexError, ValueError):
            return None
        return pid if pid and _is_server_in(pid, self.path) else None

    def remove_stale_pidfile(self) -> None:
        """Remove the pid file of a crashed server; Conflict when a server (started by hand) really runs there.

        PostgreSQL would not start while any process of the same user has the pid in that file.
        """
        if pid := self.running_postmaster():
            raise Conflict(
                f"process {pid}, a PostgreSQL server that Longtail did not start, runs in {self.path}",
                remedy="stop that server first (pg_ctl stop)",
            )
        with contextlib.suppress(FileNotFoundError):
            (self.path / "postmaster.pid").unlink()

    def _pidfile_lines(self) -> list[str]:
        try:
            return (self.path / "postmaster.pid").read_text("utf-8", "replace").splitlines()
        except FileNotFoundError:
            return []

    def _check_version(self) -> None:
        try:
            major = (self.path / "PG_VERSION").read_text("ascii", "replace").strip()
        except FileNotFoundError:
            raise Misconfigured(
                f"{self.path} is not a PostgreSQL cluster (it has no file PG_VERSION)",
                remedy="restore it from a backup, or move it away to begin with an empty database",
            ) from None
        if major != str(MAJOR_VERSION):
            raise Misconfigured(
                f"the cluster in {self.path} has the format of PostgreSQL {major}; "
                f"this Longtail brings PostgreSQL {MAJOR_VERSION}",
                remedy=f"dump it with PostgreSQL {major} (pg_dumpall) and restore the dump into a new data directory, "
                "or use the Longtail version that made it",
            )


def _is_server_in(pid: int, cluster: Path) -> bool:
    """PostgreSQL's working directory is its cluster; where the kernel does not tell, the command line decides."""
    if sys.platform.startswith("linux"):
        try:
            return Path(f"/proc/{pid}/cwd").samefile(cluster)
        except OSError:  # no such process, or one that we may not inspect: not ours
            return False
    argv = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]
    answer = subprocess.run(argv, cwd="/", capture_output=True, text=True, errors="replace", check=False)
    return "postgres" in answer.stdout and str(cluster) in answer.stdout


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
