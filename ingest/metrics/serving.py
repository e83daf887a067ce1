"""`/metrics` on a port of its own, for a network in which only those who watch are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from starlette.applications import Starlette

from ingest.http.problems import exception_handlers
from ingest.http.server.connections import ConnectionLimits
from ingest.http.server.serve import listen, serve_aside
from ingest.http.server.tls import Tls, require_protected
from ingest.metrics.exposition import Exposition
from storage.settings import Settings

CONNECTIONS = 32
"""Those who watch are few."""


def metrics_port(settings: Settings, process: str) -> int | None:
    """The port for the metrics of this process; None where it has none."""
    port: int | None = getattr(settings, f"{process}_metrics_port")
    return port


@contextmanager
def serving_metrics(settings: Settings, process: str, exposition: Exposition, tls: Tls | None) -> Iterator[int | None]:
    """Meanwhile, serve the metrics on their port, if there is one; yields it.

    Misconfigured when the address cannot be used, or when it can be reached from other machines without TLS.
    """
    port = metrics_port(settings, process)
    with nullcontext() if port is None else _serving(settings, process, port, exposition, tls) as own:
        yield own


@contextmanager
def _serving(settings: Settings, process: str, port: int, exposition: Exposition, tls: Tls | None) -> Iterator[int]:
    listener = listen(settings.metrics_host, port, setting=f"LONGTAIL_{process.upper()}_METRICS_PORT")
    require_protected(listener, settings)
    app = Starlette(routes=[exposition.route()], exception_handlers=exception_handlers())
    limits = ConnectionLimits.of_process(CONNECTIONS, CONNECTIONS, (), new_per_s=CONNECTIONS)
    with serve_aside(app, listener, limits, tls):
        yield int(listener.getsockname()[1])
