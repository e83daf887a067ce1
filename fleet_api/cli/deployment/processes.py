"""`longtail api`, `gateway`, `ingest`, `signer` and `migrate`: the processes and the migration of a deployment."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from fleet_api.cli.numbers import WholeNumber

if TYPE_CHECKING:
    from ingest.http.server.connections import ConnectionLimits
    from storage.settings import Settings

_SIGNER_ENDS_S = 5.0
supervised_option = click.option("--supervised", is_flag=True, hidden=True, help="End when standard input ends.")
MIGRATE_CHECK = {"current": 0, "empty": 3, "behind": 3, "ahead": 4, "foreign": 1}
"""Exit statuses of `longtail migrate --check`, by the schema's state."""
listen_fd_option = click.option(
    "--listen-fd", type=WholeNumber(), hidden=True, help="A socket that is listening already."
)


@click.command()
@click.option("--host", help="Address to listen on (LONGTAIL_API_HOST).")
@click.option("--port", type=WholeNumber(0, 65535), help="Port to listen on (LONGTAIL_API_PORT).")
@supervised_option
@listen_fd_option
def api(host: str | None, port: int | None, supervised: bool, listen_fd: int | None) -> None:
    """Serve the HTTP API until SIGTERM. Settings come from LONGTAIL_* variables."""
    _begin("api", supervised)
    from fleet_api.api.app import create_app

    _serve("api", create_app, host, port, listen_fd, supervised=supervised)


@click.command()
@click.option("--host", help="Address to listen on (LONGTAIL_GATEWAY_HOST).")
@click.option("--port", type=WholeNumber(0, 65535), help="Port to listen on (LONGTAIL_GATEWAY_PORT).")
@supervised_option
@listen_fd_option
def gateway(host: str | None, port: int | None, supervised: bool, listen_fd: int | None) -> None:
    """Serve the upload gateway until SIGTERM. Settings come from LONGTAIL_* variables."""
    _begin("gateway", supervised)
    from ingest.gateway.app import create_app

    _serve("gateway", create_app, host, port, listen_fd, supervised=supervised)


@click.command()
@supervised_option
@listen_fd_option
def signer(supervised: bool, listen_fd: int | None) -> None:
    """Sign lists, bundles and reports on erased vehicles, on the socket LONGTAIL_SIGNER_SOCKET, until SIGTERM.

    Lists are signed with the list keys, and none whose revision or times are out of bounds; bundles with the
    deployment's bundle key; reports with its signing key, or a list key without one. It signs nothing else.
    """
    _begin("signer", supervised)
    from fleet_api.deployment.logs import log_as
    from fleet_api.deployment.users.lowering import drop_root
    from fleet_api.signing.bundle_key import read_bundle_key
    from fleet_api.signing.list_keys import ListKeys
    from fleet_api.signing.service import SignerService
    from fleet_api.signing.socket_path import listen_at
    from storage.roles.process_settings import settings_of_process
    from storage.settings import Settings
    from triggers.errors import Misconfigured

    settings = settings_of_process(Settings.load(), "signer")
    log_as("signer", settings.log_format)
    if listen_fd is not None:
        listener = socket.socket(fileno=listen_fd)
    elif settings.signer_socket is not None:
        listener = listen_at(settings.signer_socket)
    else:
        raise Misconfigured("the signer has no socket", remedy="set LONGTAIL_SIGNER_SOCKET")
    service = SignerService(ListKeys(settings), listener, read_bundle_key(settings))
    drop_root(settings, "signer", supervised=supervised)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serving = threading.Thread(target=service.serve, name="signer", daemon=True)
    serving.start()
    stop.wait()
    service.stop()
    serving.join(_SIGNER_ENDS_S)


@click.command()
@click.option("--host", help="Address to listen on (LONGTAIL_INGEST_HOST).")
@click.option("--port", type=WholeNumber(0, 65535), help="Port to listen on (LONGTAIL_INGEST_PORT).")
@supervised_option
@listen_fd_option
def ingest(host: str | None, port: int | None, supervised: bool, listen_fd: int | None) -> None:
    """Assemble and extract clips, and do periodic maintenance, until SIGTERM. Its port tells whether it works."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    _begin("ingest", supervised)
    from fleet_api.deployment.settings_record import recording_settings
    from fleet_api.deployment.users.lowering import drop_root
    from ingest.extraction.sandbox.isolation import extraction_user
    from ingest.extraction.sandbox.starter import Starter
    from ingest.health_app import create_app
    from ingest.http.server.serve import serve_aside
    from ingest.http.server.tls import Tls
    from ingest.metrics.exposition import Exposition
    from ingest.metrics.serving import serving_metrics
    from ingest.metrics.sources import Disks, Lag, Parts
    from ingest.readiness import Readiness
    from ingest.worker import run

    readiness, lag = Readiness(), Lag()
    settings, listener = _listening("ingest", host, port, listen_fd)
    tls = Tls.from_settings(settings)
    user = extraction_user(settings)  # while this process may make children that user's
    starter = Starter(user) if user is not None and settings.extraction_workers else None
    is_lowered = drop_root(settings, "ingest", supervised=supervised)
    if starter is not None and not is_lowered:
        starter.close()
        starter = None
    spool = settings.require_data_dir() / "spool"
    metrics = Exposition("ingest", settings, Parts(readiness), lag, Disks({"spool": spool}))
    serving = serve_aside(create_app(readiness, metrics.public_routes()), listener, _limits(settings), tls)
    measuring = serving_metrics(settings, "ingest", metrics, tls)
    with serving, measuring, recording_settings("ingest", settings):
        run(settings, stop, readiness, starter, lag)


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; tell the schema's state by the exit status.")
def migrate(check: bool) -> int:
    """Bring the schema of the database at LONGTAIL_DATABASE_URL up to date, and the rights of its roles.

    It is safe to run this repeatedly, and in several processes at once. With --check, the exit status is 0 when the
    schema is current, 3 when it has to be migrated, 4 when a newer version of Longtail has migrated it, and 1 when the
    database cannot be used.
    """
    from fleet_api.cli.output import print_result
    from storage import migrate as migration
    from storage.database import Database
    from storage.diagnosis.schema import schema_of
    from storage.settings import Settings, shown_url

    settings = Settings.load()
    database = Database.from_settings(settings)
    try:
        database.check_server()
        schema = schema_of(database)
        if check:
            print_result(f"{schema.state}: {schema.message}" + (f"; {schema.remedy}" if schema.remedy else ""))
            return MIGRATE_CHECK[schema.state]
        after = migration.migrate(database)
    finally:
        database.close()
    before = schema.revision
    change = f"is already at revision {after}" if before == after else f"went from {before or 'empty'} to {after}"
    print_result(f"the database at {shown_url(settings.database_url)} {change}")
    return 0


def _begin(process: str, supervised: bool) -> None:
    """Log to standard error, show others nothing of ours, and with `supervised` exit when the supervisor does."""
    from fleet_api.deployment.logs import log_to_stderr
    from triggers.processes.jail.privileges import hide_memory

    log_to_stderr(process)
    os.environ.setdefault("PGAPPNAME", f"longtail {process}")  # the server shows whose its sessions are
    hide_memory()
    os.umask(0o077)
    if supervised:
        from triggers.processes.lifeline import hold_lifeline

        hold_lifeline()


def _serve(
    name: str,
    create_app: Callable[..., Any],
    host: str | None,
    port: int | None,
    listen_fd: int | None,
    *,
    supervised: bool,
) -> None:
    from fleet_api.deployment.settings_record import recording_settings
    from fleet_api.deployment.users.lowering import drop_root
    from ingest.http.server.serve import serve
    from ingest.http.server.tls import Tls
    from ingest.metrics.serving import serving_metrics

    settings, listener = _listening(name, host, port, listen_fd)
    tls = Tls.from_settings(settings)
    if name == "api" and settings.signer_socket is None:  # it holds the keys itself, which only root may read
        application = create_app(settings)
        drop_root(settings, name, supervised=supervised)
    else:
        drop_root(settings, name, supervised=supervised)
        application = create_app(settings)
    measuring = serving_metrics(settings, name, application.state.metrics, tls)
    with measuring, recording_settings(name, settings):
        serve(application, listener, _limits(settings), tls)


def _listening(name: str, host: str | None, port: int | None, listen_fd: int | None) -> tuple[Settings, socket.socket]:
    """The settings of a process, and the socket that it serves on."""
    from fleet_api.deployment.logs import log_as
    from ingest.http.server.serve import listen
    from ingest.http.server.tls import require_protected
    from storage.roles.process_settings import settings_of_process
    from storage.settings import Settings

    given = {f"{name}_host": host, f"{name}_port": port}
    loaded = Settings.load(**{key: value for key, value in given.items() if value is not None})
    settings = settings_of_process(loaded, name)
    log_as(name, settings.log_format)
    if listen_fd is not None:
        return settings, socket.socket(fileno=listen_fd)
    variable = f"LONGTAIL_{name.upper()}_PORT or --port"
    listener = listen(getattr(settings, f"{name}_host"), getattr(settings, f"{name}_port"), setting=variable)
    require_protected(listener, settings)
    return settings, listener


def _limits(settings: Settings) -> ConnectionLimits:
    from ingest.http.server.connections import ConnectionLimits

    return ConnectionLimits.of_process(
        settings.connections,
        settings.connections_per_address,
        settings.trusted_proxies(),
        new_per_s=settings.requests_per_address,
    )
