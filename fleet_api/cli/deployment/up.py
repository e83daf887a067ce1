"""`longtail up`: a whole deployment on this machine, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import click

from fleet_api.cli.numbers import WholeNumber
from fleet_api.cli.output import remark


@click.command()
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Data directory (LONGTAIL_DATA_DIR).")
@click.option(
    "--port",
    type=WholeNumber(0, 65533),
    help="Port of the API; gateway and ingest get the next. 0 means free ports.  [default: 8080, or LONGTAIL_API_PORT]",
)
def up(data: Path | None, port: int | None) -> None:
    """Start the database, API, upload gateway and ingest on this machine, and keep them running.

    The database is the one at LONGTAIL_DATABASE_URL if that is set, else an embedded PostgreSQL in the data directory.
    """
    from fleet_api.cli.deployment.console_hints import how_to_sign_in
    from fleet_api.console import built
    from fleet_api.deployment.deployment import Deployment
    from fleet_api.deployment.systemd import notify_systemd
    from storage.settings import Settings
    from triggers.processes.jail.privileges import hide_memory

    hide_memory()
    os.umask(0o077)
    given: dict[str, object] = {}
    if data is not None:
        given["data_dir"] = data
    if port is not None:
        given |= {
            "api_port": port,
            "gateway_port": port + 1 if port else 0,
            "ingest_port": port + 2 if port else 0,
        }
    stop = threading.Event()
    interrupted = _stop_on_signals(stop)
    settings = Settings.load(**given)
    sign_in = how_to_sign_in(settings.data_dir)
    os.chdir("/")  # where the processes work too: a relative path in a URL is wrong here at once, and not only there
    with Deployment(settings, report=remark, cancelled=stop.is_set) as deployment:
        remark(f"data      {deployment.data_dir}")
        remark(f"API       {deployment.api_url}")
        remark(f"gateway   {deployment.gateway_url}")
        remark(f"console   {built.address(deployment.api_url)}")
        remark(f"sign in   with a token: {sign_in}")
        remark("ready; Ctrl-C stops everything")
        interrupted.begun = True  # first: whoever is told may stop it at once
        notify_systemd("READY=1")
        deployment.run_until(stop)
        remark("stopping")
        notify_systemd("STOPPING=1")


class _Signals:
    """The handler of signals: it raises KeyboardInterrupt during startup, and requests a stop afterwards."""

    def __init__(self, stop: threading.Event) -> None:
        self.begun = False
        self._stop = stop

    def __call__(self, *_: object) -> None:
        if not self.begun and not self._stop.is_set():
            self._stop.set()
            raise KeyboardInterrupt
        self._stop.set()


def _stop_on_signals(stop: threading.Event) -> _Signals:
    handler = _Signals(stop)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` asks for
            signal.signal(number, handler)
    return handler
