"""A whole deployment on one machine: PostgreSQL, signer, API, upload gateway and ingest, started and stopped together.

A start goes in this order: database, schema, keys, sockets, processes, readiness, `client.json`. A stop goes the other
way: first API and gateway, then ingest and signer, then the database. Every part also ends when this process is killed.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from fleet_api.client.data_dir import ClientFile, default_data_dir, read_client_file, write_client_file
from fleet_api.client.transport import showing
from fleet_api.deployment.keys import require_key_not_lost
from fleet_api.deployment.trust import ensure_trust
from fleet_api.deployment.users.process_users import group_of, users_of
from fleet_api.signing.bundle_key import read_bundle_key
from fleet_api.signing.list_keys import ListKeys
from fleet_api.signing.socket_path import listen_at
from ingest.extraction.sandbox.isolation import require_isolation
from ingest.http.server.serve import listen
from ingest.http.server.tls import Tls, require_protected
from ingest.log import ensure_cells_topic, open_log
from storage import tokens
from storage.database import Database
from storage.embedded import EmbeddedPostgres, StartCancelled
from storage.embedded.cancellation import Cancelled, give_up_if, never
from storage.embedded.locks import FileLock
from storage.migrate import migrate
from storage.objects.catalog_store import open_store_of_catalog
from storage.roles.process_settings import settings_of_process
from storage.roles.rights import PROCESS_ROLES, DatabaseRole
from storage.settings import Settings
from triggers.errors import Conflict, LongtailError, Misconfigured, Unauthenticated, Unreachable
from triggers.private_files import private_folder
from triggers.processes.child import ChildProcess
from triggers.processes.supervisor import Supervisor

READY_TIMEOUT_S = 300.0
"""How long the processes may take to be ready: on a busy machine minutes. One that ends instead is told at once."""
ADMIN = "admin"
_PARTS = ("api", "gateway", "ingest")
SIGNER = "signer"
RECOVERY_FIRST_PAUSE_S = 1.0
RECOVERY_LONGEST_PAUSE_S = 30.0
_WATCH_EVERY_S = 0.5
_RENEW_EVERY_S = 3600.0
_READY_POLL_S = 0.05
_READY_ANSWER_S = 6.0
"""How long a process may take to say whether it is ready: it asks the database itself, for at most 5 s."""


def _silent(_: str) -> None:
    return None


class Deployment:
    """Everything of one data directory; a context manager. Not thread-safe.

    `settings` without a database URL get the embedded PostgreSQL; a port 0 becomes a free one. After `start` the
    `settings` of this object are the effective ones. `cancelled` ends a long start with StartCancelled.
    """

    def __init__(
        self, settings: Settings, *, report: Callable[[str], None] = _silent, cancelled: Cancelled = never
    ) -> None:
        self.data_dir = Path(settings.data_dir or default_data_dir()).absolute()
        self.settings = settings.model_copy(update={"data_dir": self.data_dir})
        self.admin_token = ""
        self._report = report
        self._cancelled = cancelled
        self._postgres: EmbeddedPostgres | None = None
        self._supervisor: Supervisor | None = None
        self._listeners: dict[str, socket.socket] = {}
        self._lock: FileLock | None = None

    @property
    def api_url(self) -> str:
        """Where users and vehicles reach the API."""
        return self.settings.effective_api_url()

    @property
    def gateway_url(self) -> str:
        """Where vehicles reach the upload gateway."""
        return self.settings.effective_gateway_url()

    def start(self) -> None:
        """Start everything; returns when API, gateway and ingest are ready.

        Raises Conflict when the data directory is in use, Misconfigured or Unreachable when a part cannot start.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything in order; idempotent."""
        if self._supervisor is not None:
            self._supervisor.stop()
            self._supervisor = None
        for listener in self._listeners.values():
            listener.close()
        self._listeners = {}
        if self._postgres is not None:
            self._postgres.stop()
            self._postgres = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def run_until(self, stop: threading.Event) -> None:
        """Watch the deployment until `stop` is set; a database that died is restarted until it recovers."""
        self._cancelled = stop.is_set
        renew_s = time.monotonic() + _RENEW_EVERY_S
        while not stop.wait(_WATCH_EVERY_S):
            if time.monotonic() >= renew_s:
                renew_s = time.monotonic() + _RENEW_EVERY_S
                self._renew_admin_token()
            if self._supervisor is not None:
                self._supervisor.raise_failure()
            if self._postgres is not None and not self._postgres.alive:
                self._replace_database(stop)

    def issue_token(self, user: str, roles: Sequence[str]) -> str:
        """A token for a user with these roles, as an administrator would issue it."""
        database = Database(self.settings.require_database_url(), pool_size=1)
        try:
            with database.begin() as connection:
                return tokens.issue(connection, user, roles)
        finally:
            database.close()

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the process `api`, `gateway`, `ingest` or `signer`; the supervisor then replaces it."""
        self._child(name).send(number)

    def pid(self, name: str) -> int | None:
        """The pid of the process `api`, `gateway`, `ingest` or `signer`; None while it is down."""
        return self._child(name).pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _child(self, name: str) -> ChildProcess:
        if self._supervisor is None:
            raise Unreachable("the deployment is not running", remedy="start it first")
        return self._supervisor.child(name)

    def _start(self) -> None:
        _on_this_machine(self.settings)  # before anything is made: it ends a start whose certificate is missing
        if not self.settings.database_url:
            self._start_database()
        self._take_data_dir()
        self._prepare_database()
        self._listen()
        self._start_processes()
        self._write_client_file()

    def _start_database(self) -> None:
        group = group_of(self.settings) if users_of(self.settings) else None
        self._postgres = EmbeddedPostgres(self.data_dir / "postgres", group=group)
        self._postgres.start(self._report, cancelled=self._cancelled)
        urls = {f"{name}_database_url": self._postgres.url_as(role) for name, role in PROCESS_ROLES.items()}
        urls["database_url"] = self._postgres.url_as(DatabaseRole.OWNER)
        self.settings = self.settings.model_copy(update=urls)

    def _take_data_dir(self) -> None:
        try:
            logs = self.data_dir / "logs"
            private_folder(logs)
            self._lock = FileLock(self.data_dir / "up.lock")
        except OSError as error:
            raise Misconfigured(
                f"the data directory {self.data_dir} cannot be used: {error.strerror or error}",
                remedy="choose another one (--data, LONGTAIL_DATA_DIR)",
            ) from error
        if not self._lock.try_acquire():
            raise Conflict(
                f"another `longtail up` runs in {self.data_dir}", remedy="stop it, or choose another data directory"
            )

    def _prepare_database(self) -> None:
        """Prepare schema, signing key, and the administrator's token (issued once, kept in client.json)."""
        database = Database.from_settings(self.settings)
        try:
            database.check_server()
            migrate(database)
            require_key_not_lost(self.settings, database)
            ensure_trust(self.settings, database, self._report)
            self.admin_token = self._admin_token(database)
            self._check_engines(database)
        finally:
            database.close()

    def _check_engines(self, database: Database) -> None:
        """End the start here, with one line, if a part cannot work, instead of in a child's log."""
        read_bundle_key(self.settings)
        ListKeys(self.settings)
        for lack in require_isolation(self.settings):
            self._report(f"clips are extracted without isolation: {lack}; {lack.remedy}")
        open_store_of_catalog(self.settings, database).check()
        log = open_log(self.settings, database)
        try:
            ensure_cells_topic(log, self.settings)
            log.check()
        finally:
            log.close()

    def _admin_token(self, database: Database) -> str:
        """The administrator's token: the known one during the first half of its time, then its successor."""
        known = read_client_file(self.data_dir)
        ttl_s = tokens.lifetime_s(self.settings, None)
        with database.begin() as connection:
            if known is not None:
                with contextlib.suppress(Unauthenticated):
                    user = tokens.authenticate(connection, known.token)
                    if user.may("admin") and user.origin.token_id is not None:
                        if not tokens.is_past_half(connection, user.origin.token_id):
                            return known.token
                        overlap_s = self.settings.token_overlap_s
                        return tokens.rotate(connection, user.origin.token_id, ttl_s=ttl_s, overlap_s=overlap_s)[1]
            return tokens.issue(connection, ADMIN, ["admin"], name="client.json", ttl_s=ttl_s)

    def _renew_admin_token(self) -> None:
        """Keep the token in `client.json` valid, however long this deployment runs."""
        database = Database(self.settings.require_database_url(), pool_size=1)
        try:
            token = self._admin_token(database)
            if token != self.admin_token:
                self.admin_token = token
                self._write_client_file()
        except LongtailError as error:
            self._report(f"the administrator's token could not be renewed yet: {error.message}")
        finally:
            database.close()

    def _write_client_file(self) -> None:
        api, gateway, ingest = map(self._local_url, _PARTS)
        write_client_file(self.data_dir, ClientFile(api, gateway, self.admin_token, ingest))

    def _listen(self) -> None:
        """Open the sockets here, so that a free port stays ours and survives a child's restart."""
        Tls.from_settings(self.settings)
        for name in _PARTS:
            host, port = getattr(self.settings, f"{name}_host"), getattr(self.settings, f"{name}_port")
            listener = listen(host, port, setting=f"LONGTAIL_{name.upper()}_PORT or --port")
            require_protected(listener, self.settings)
            self._listeners[name] = listener
            self.settings = self.settings.model_copy(update={f"{name}_port": listener.getsockname()[1]})
        path = self.settings.signer_socket or self.data_dir / "run" / "signer.sock"
        self._listeners[SIGNER] = listen_at(path)
        self.settings = self.settings.model_copy(update={"signer_socket": path})

    def _start_processes(self) -> None:
        self._run_processes()
        self._wait_until_ready()

    def _run_processes(self) -> None:
        facing, behind = ("api", "gateway"), ("ingest", SIGNER)
        waves = [[self._make_child(name) for name in wave] for wave in (facing, behind)]
        self._supervisor = Supervisor(waves, self._report)
        self._supervisor.start()

    def _wait_until_ready(self) -> None:
        verified = _on_this_machine(self.settings)
        deadline_s = time.monotonic() + READY_TIMEOUT_S
        for name in _PARTS:
            self._wait_ready(name, verified, deadline_s)

    def _make_child(self, name: str) -> ChildProcess:
        log = self.data_dir / "logs" / f"{name}.log"
        listener = self._listeners[name]
        return ChildProcess(
            name,
            [sys.executable, "-P", "-m", "fleet_api.cli", name, "--supervised", f"--listen-fd={listener.fileno()}"],
            environment=settings_of_process(self.settings, name).environment(),
            log=log,
            inherited_fds=[listener.fileno()],
        )

    def _wait_ready(self, name: str, verified: ssl.SSLContext, deadline_s: float) -> None:
        assert self._supervisor is not None  # noqa: S101 - started by the caller
        url, answer = f"{self._local_url(name)}/readyz", "no answer"
        while time.monotonic() < deadline_s:
            give_up_if(self._cancelled, f"the process {name} was starting")
            self._raise_if_database_ended(f"the process {name} was starting")  # first: without it, processes end, too
            self._supervisor.raise_if_failing()
            try:
                response = httpx.get(url, timeout=_READY_ANSWER_S, trust_env=False, verify=verified)
                if response.status_code == httpx.codes.OK:
                    return
                answer = f"status {response.status_code}: {response.text[:200]}"
            except httpx.HTTPError as error:
                answer = f"no answer: {str(error) or type(error).__name__}"
            time.sleep(_READY_POLL_S)
        log = self.data_dir / "logs" / f"{name}.log"
        raise Unreachable(f"{url} is not ready after {READY_TIMEOUT_S:g} s ({answer})", remedy=f"its log is {log}")

    def _raise_if_database_ended(self, what: str) -> None:
        if self._postgres is not None and not self._postgres.alive:
            raise Unreachable(f"the database ended while {what}", remedy=f"its log is {self._postgres.log}")

    def _local_url(self, name: str) -> str:
        """The URL at which this machine reaches a part, whatever its public address is."""
        host, port = self._listeners[name].getsockname()[:2]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
        return f"{self.settings.scheme}://[{host}]:{port}" if ":" in host else f"{self.settings.scheme}://{host}:{port}"

    def _replace_database(self, stop: threading.Event) -> None:
        """Restart the database and the processes, which need its new socket; their own sockets stay open.

        What prevents it, such as a full disk, may pass: it is tried again until it succeeds, or `stop` is set.
        Once the database is back, processes that are not ready in time, or do not stay up, are left to the supervisor:
        where a machine is as slow as that, another start would take as long, and none would ever end.
        """
        self._report("the database ended unexpectedly; restarting it and the processes")
        pause_s = RECOVERY_FIRST_PAUSE_S
        while not stop.is_set():
            self._stop_parts()
            try:
                self._start_database()
                self._run_processes()
                self._report_ready()
            except StartCancelled as error:
                self._report(f"{error.message}; the next start continues with it")
                return
            except LongtailError as error:
                reason = "; ".join(filter(None, [error.message.strip().splitlines()[-1], error.remedy]))
                self._report(f"the deployment cannot recover yet ({reason}); trying again in {pause_s:g} s")
                stop.wait(pause_s)
                pause_s = min(2 * pause_s, RECOVERY_LONGEST_PAUSE_S)
            else:
                return

    def _report_ready(self) -> None:
        try:
            self._wait_until_ready()
        except (Unreachable, Misconfigured) as error:  # the client's certificate may be being replaced
            self._raise_if_database_ended("the processes were starting")
            self._report(f"the database is back; {error}")
        else:
            self._report("the deployment works again")

    def _stop_parts(self) -> None:
        """Stop processes and database, as far as they run."""
        if self._supervisor is not None:
            self._supervisor.stop()
            self._supervisor = None
        if self._postgres is not None:
            self._postgres.stop()
            self._postgres = None


def _on_this_machine(settings: Settings) -> ssl.SSLContext:
    """How processes are asked whether they are ready: nothing secret is sent, so their certificate need not name the
    address. Misconfigured if they refuse clients without a certificate, and there is none for this."""
    if settings.tls_client_ca_file is not None and settings.client_cert_file is None:
        raise Misconfigured(
            "clients without a certificate are refused (LONGTAIL_TLS_CLIENT_CA_FILE), and `longtail up` has none with "
            "which to ask its own processes whether they are ready",
            remedy="set LONGTAIL_CLIENT_CERT_FILE to a PEM file with a certificate of these authorities and its key",
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return showing(context, settings.client_cert_file)
