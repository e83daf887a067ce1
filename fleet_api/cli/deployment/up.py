"""`longtail up`: everything on this machine, on the defaults, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from fleet_api.cli.output import remark


@click.command()
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Data directory (LONGTAIL_DATA_DIR).")
@click.option(
    "--port",
    type=click.IntRange(0, 65534),
    help="Port of the API; the gateway takes the next one. 0 takes free ones.",
)
def up(data: Path | None, port: int | None) -> None:
    """Start database, API, upload gateway and ingest on this machine, and keep them running.

    With LONGTAIL_DATABASE_URL set that database is used, else an embedded PostgreSQL in the data directory.
    """
    from fleet_api.deployment.deployment import Deployment
    from storage.settings import Settings

    given: dict[str, object] = {}
    if data is not None:
        given["data_dir"] = data
    if port is not None:
        given |= {"api_port": port, "gateway_port": port + 1 if port else 0}
    stop = threading.Event()
    interrupted = _stop_on_signals(stop)
    with Deployment(Settings.load(**given), report=remark, cancelled=stop.is_set) as deployment:
        remark(f"data      {deployment.data_dir}")
        remark(f"API       {deployment.api_url}")
        remark(f"gateway   {deployment.gateway_url}")
        remark("ready; Ctrl-C ends everything")
        interrupted.begun = True
        deployment.run_until(stop)
        remark("stopping")


class _Signals:
    """While things start, a signal raises KeyboardInterrupt; once they run, it asks for the end."""

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
