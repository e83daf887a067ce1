"""The embedded PostgreSQL: started, watched and stopped on behalf of one owner process."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import time
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

from storage.embedded.access import Access
from storage.embedded.binaries import Binaries, binaries_for, installed_binaries
from storage.embedded.cancellation import Cancelled, give_up_if, never
from storage.embedded.cluster import SUPERUSER, Cluster
from storage.embedded.guardian import Guardian
from storage.embedded.locks import FileLock
from storage.embedded.memory import available_bytes, shared_buffers
from storage.embedded.runas import ServerUser, prepare_data_dir, server_user
from storage.embedded.sockets import PORT, make_socket_dir, remove_socket_dir, socket_in, url_at
from storage.roles.rights import DatabaseRole
from triggers.errors import Conflict, Misconfigured, Unreachable

DATABASE = "longtail"
_POLL_S = 0.05
_PROGRESS_EVERY_S = 2.0
_ORPHAN_PATIENCE_S = 10.0
_SMALL_SHM_BYTES = 512 * 1024 * 1024
_SETTINGS: Mapping[str, str] = {
    "max_connections": "200",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_startup_progress_interval": "2s",
    "cluster_name": "longtail",
}
_FIXED: Mapping[str, str] = {  # privacy and durability cannot be switched off
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "logging_collector": "off",  # the guard bounds the log, and would not see it otherwise
    "fsync": "on",
    "full_page_writes": "on",
}
_VOLATILE: Mapping[str, str] = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
_NOT_SETTABLE = frozenset(_FIXED) | {"unix_socket_directories", "data_directory", "hba_file", "config_file"}

Progress = Callable[[str], None]


def _silent(_: str) -> None:
    return None


class EmbeddedPostgres:
    """A PostgreSQL server in `data_dir` that lives no longer than this object's process.

    `settings` are PostgreSQL's (`{"max_connections": 50}`); what guards privacy and durability cannot be set. Only a
    `volatile` server never waits for the disk: it may lose its data with the machine, and is for tests. Members of
    `group` may connect as the roles of processes, with passwords (see access.py; only for root).
    Not thread-safe. The server survives neither `stop()` nor the death of this process, however it dies.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        settings: Mapping[str, str | int] | None = None,
        volatile: bool = False,
        group: int | None = None,
    ) -> None:
        self.data_dir = Path(data_dir).absolute()
        given = {name: str(value) for name, value in (settings or {}).items()}
        cache = {"shared_buffers": shared_buffers(available_bytes())}
        self._settings = {**_SETTINGS, **cache, **given, **_FIXED, **(_VOLATILE if volatile else {})}
        if refused := _NOT_SETTABLE.intersection(settings or {}):
            raise Misconfigured(f"the embedded PostgreSQL fixes {', '.join(sorted(refused))}", remedy="leave it out")
        self._cluster = Cluster(self.data_dir)
        self._access = Access(group)
        self.log = self.data_dir / "server.log"
        self._owner_lock: FileLock | None = None
        self._server_lock: FileLock | None = None
        self._socket_dir: Path | None = None
        self._guardian: Guardian | None = None
        _servers.add(self)

    def start(self, progress: Progress = _silent, *, cancelled: Cancelled = never) -> None:
        """Start the server and wait until it answers, as long as it lives: recovery may take long.

        `cancelled` is asked many times a second; once it is true the start ends within seconds with StartCancelled,
        and nothing is left running.
        Raises Conflict when the directory is in use, Misconfigured when it (or the installation) cannot be used,
        Unreachable with the end of the server's log when the server gives up.
        """
        if self._guardian is not None:
            raise Conflict(f"the embedded PostgreSQL in {self.data_dir} has been started already")
        try:
            self._start(progress, cancelled)
        except OSError as error:
            self.stop()
            raise Misconfigured(
                f"the embedded PostgreSQL in {self.data_dir} cannot be started: {error}",
                remedy="check the disk space and the permissions there",
            ) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server in good order (for at most about a minute, then by force); idempotent."""
        if self._guardian is not None:
            self._guardian.stop()
            self._guardian = None
        if self._socket_dir is not None:  # the guard removes it, unless it was killed
            shutil.rmtree(self._socket_dir, ignore_errors=True)
            self._socket_dir = None
        for lock in (self._server_lock, self._owner_lock):
            if lock is not None:
                lock.close()
        self._server_lock = self._owner_lock = None

    @property
    def url(self) -> str:
        """SQLAlchemy's URL of the database for the superuser."""
        return self.url_of(DATABASE)

    def url_as(self, role: DatabaseRole) -> str:
        """SQLAlchemy's URL of the database for the owner or a process."""
        return url_at(self._reachable(), DATABASE, user=role, password=self._access.password(role))

    def url_of(self, database: str) -> str:
        """SQLAlchemy's URL of another database on this server, for the superuser."""
        return url_at(self._reachable(), database)

    @property
    def alive(self) -> bool:
        """Whether the server's process runs."""
        return self._guardian is not None and self._guardian.poll() is None

    def log_tail(self) -> str:
        """The last lines of the server's log since its start."""
        return self._guardian.log_tail() if self._guardian else ""

    def version(self) -> str:
        """PostgreSQL's version, as in `18.4`."""
        return installed_binaries().version()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self, progress: Progress, cancelled: Cancelled) -> None:
        user = server_user(self.data_dir)
        prepare_data_dir(self.data_dir, user)
        self._owner_lock = self._take_ownership()
        lock = self._wait_for_previous_server(progress, cancelled)
        remove_socket_dir(_noted(self._owner_lock).get("socket_dir"))
        binaries = binaries_for(user)
        self._cluster.create_if_missing(
            binaries, user=user, log=self.log, lock=lock, progress=progress, cancelled=cancelled
        )
        self._cluster.remove_stale_pidfile()
        self._launch(binaries, user)
        self._wait_until_ready(progress, cancelled)
        self._ensure_database()

    def _take_ownership(self) -> FileLock:
        lock = _open_lock(self.data_dir / "owner.lock")
        if lock.try_acquire():
            _write_note(lock, _noted(lock).get("socket_dir"))  # a killed owner's is removed once its server is gone
            return lock
        pid = _noted(lock).get("pid", "unknown")
        lock.close()
        raise Conflict(
            f"the data directory {self.data_dir} is in use by process {pid}",
            remedy="stop that process, or choose another data directory",
        )

    def _wait_for_previous_server(self, progress: Progress, cancelled: Cancelled) -> FileLock:
        """Wait for the lock that every process of a server holds: a server whose owner is gone is shutting down."""
        lock = self._server_lock = _open_lock(self.data_dir / "server.lock")
        began_s = reported_s = time.monotonic()
        orphan: int | None = None
        while not lock.try_acquire():
            give_up_if(cancelled, f"the previous server in {self.data_dir} was ending")
            now_s = time.monotonic()
            if now_s - reported_s >= _PROGRESS_EVERY_S:
                progress("waiting for the previous server to end")
                reported_s = now_s
            if orphan is None and now_s - began_s > _ORPHAN_PATIENCE_S:
                orphan = self._cluster.running_postmaster()  # its guard was killed, on a system without a death signal
                if orphan:
                    os.kill(orphan, signal.SIGINT)
            time.sleep(_POLL_S)
        return lock

    def _launch(self, binaries: Binaries, user: ServerUser | None) -> None:
        assert self._owner_lock is not None and self._server_lock is not None  # noqa: S101 - taken by `_start`
        self._socket_dir = make_socket_dir(user)
        self._access.open_folder(self._socket_dir)
        _write_note(self._owner_lock, str(self._socket_dir))
        own = self._access.settings(self.data_dir)
        settings = self._settings | own | {"unix_socket_directories": str(self._socket_dir)} | _shared_memory()
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._guardian = Guardian(
            [binaries.postgres, "-D", self._cluster.path, *options],
            user=user,
            log=self.log,
            lock=self._server_lock,
            remove_at_end=self._socket_dir,
        )
        self._server_lock.close()  # from here on only the server's processes hold it
        self._server_lock = None

    def _wait_until_ready(self, progress: Progress, cancelled: Cancelled) -> None:
        reported_s = time.monotonic()
        while self._cluster.status() != "ready":
            self._fail_if_dead()
            give_up_if(cancelled, f"PostgreSQL was starting in {self.data_dir}")
            if time.monotonic() - reported_s >= _PROGRESS_EVERY_S:
                reported_s = time.monotonic()
                last_line = self.log_tail().rpartition("\n")[2]
                progress(f"PostgreSQL is starting: {last_line}" if last_line else "PostgreSQL is starting")
            time.sleep(_POLL_S)

    def _fail_if_dead(self) -> None:
        assert self._guardian is not None  # noqa: S101 - set by `_launch`
        if (code := self._guardian.poll()) is not None:
            raise Unreachable(
                f"the embedded PostgreSQL in {self.data_dir} ended with status {code}; the end of its log:\n"
                f"{self._guardian.last_words()}",
                remedy=f"fix what these lines say; the whole log is {self.log}",
            )

    def _ensure_database(self) -> None:
        try:
            with psycopg.connect(**self._connection("postgres"), autocommit=True) as connection:
                database = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if database is None:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
                vector = connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'").fetchone()
            with psycopg.connect(**self._connection(DATABASE), autocommit=True) as connection:
                self._access.make_roles(connection)
        except psycopg.Error as error:
            self._fail_if_dead()
            raise Unreachable(
                f"the embedded PostgreSQL in {self.data_dir} started but does not serve: {error}",
                remedy=f"its log is {self.log}",
            ) from error
        if vector is None:
            raise Misconfigured("the embedded PostgreSQL lacks the extension pgvector", remedy="run `make setup` again")

    def _reachable(self) -> Path:
        """The socket's folder; Unreachable when there is none."""
        if self._socket_dir is None:
            raise Unreachable(f"the embedded PostgreSQL in {self.data_dir} is not running", remedy="start it first")
        return self._socket_dir

    def _connection(self, database: str) -> dict[str, Any]:
        return {"host": str(self._socket_dir), "port": PORT, "user": SUPERUSER, "dbname": database}

    def _forget_in_forked_child(self) -> None:
        """A forked child of the owner owns nothing: held open there, lock and pipe would outlive the owner."""
        if self._guardian is not None:
            self._guardian.forget()
        for lock in (self._owner_lock, self._server_lock):
            if lock is not None:
                lock.close()
        self._guardian = self._owner_lock = self._server_lock = self._socket_dir = None


_servers: weakref.WeakSet[EmbeddedPostgres] = weakref.WeakSet()


def _forget_all_in_forked_child() -> None:
    for server in list(_servers):
        server._forget_in_forked_child()


os.register_at_fork(after_in_child=_forget_all_in_forked_child)


def running_url(data_dir: Path) -> str | None:
    """The owner's URL of the server that runs in `data_dir`, None when there is none."""
    with contextlib.suppress(OSError, ValueError):
        note = json.loads((Path(data_dir) / "owner.lock").read_bytes())
        socket_dir = note.get("socket_dir")
        if socket_dir and socket_in(Path(socket_dir)).is_socket():
            return url_at(Path(socket_dir), DATABASE, user=DatabaseRole.OWNER)
    return None


def _open_lock(path: Path) -> FileLock:
    try:
        return FileLock(path)
    except OSError as error:
        raise Misconfigured(
            f"cannot open {path}: {error.strerror}",
            remedy="run longtail as the user who made this data directory, or choose another one",
        ) from error


def _noted(lock: FileLock) -> dict[str, Any]:
    """What the (last) owner wrote; empty when it was killed before."""
    with contextlib.suppress(ValueError):
        note = json.loads(lock.read_note())
        if isinstance(note, dict):
            return note
    return {}


def _write_note(lock: FileLock, socket_dir: object) -> None:
    lock.write_note(json.dumps({"pid": os.getpid(), "socket_dir": socket_dir}).encode())


def _shared_memory() -> dict[str, str]:
    """Containers often come with 64 MiB of /dev/shm, too little to build a vector index in parallel."""
    with contextlib.suppress(OSError):
        shared = os.statvfs("/dev/shm")  # noqa: S108 - only measured
        if shared.f_frsize * shared.f_blocks < _SMALL_SHM_BYTES:
            return {"dynamic_shared_memory_type": "mmap"}
    return {}
