"""`/metrics` of a process: one registry, one collection at a time, and only for whoever has the token."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Iterable, Iterator
from typing import Protocol

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingest.http.query import check_query
from ingest.metrics import names
from ingest.metrics.counted import counted_by
from ingest.single_check import SingleCheck
from storage.settings import Settings
from triggers.errors import LongtailError, Unauthenticated

PATH = "/metrics"
COLLECT_S = 10.0
"""How long a collection may take: Prometheus gives up after so long by default."""
_OPEN_METRICS = "application/openmetrics-text"
LOGGER = logging.getLogger(__name__)

Families = Iterable[Family]


class Source(Protocol):
    """Something that metrics are read from when they are asked for."""

    @property
    def name(self) -> str:
        """What it is called in `longtail_metrics_collected`."""
        ...

    def families(self) -> Families:
        """Metrics with their values; any LongtailError when they cannot be read now."""
        ...


class Sources:
    """Sources as a collector of a registry: one that fails leaves the others, and says so."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = tuple(sources)

    def collect(self) -> Iterator[Family]:
        """Everything that can be read now."""
        collected = []
        for source in self._sources:
            try:
                yield from list(source.families())
                collected.append(((source.name,), 1.0))
            except LongtailError as error:
                LOGGER.warning("metrics of %s are missing: %s", source.name, error)
                collected.append(((source.name,), 0.0))
            except Exception:
                LOGGER.exception("metrics of %s are missing", source.name)
                collected.append(((source.name,), 0.0))
        yield names.COLLECTED.family(collected)


class Exposition:
    """The metrics of one process."""

    def __init__(self, process: str, settings: Settings, *sources: Source) -> None:
        self._token = settings.metrics_token
        self.registry = CollectorRegistry(auto_describe=False)
        for metric in counted_by(process):
            self.registry.register(metric)
        self.registry.register(Sources(sources))
        ProcessCollector(registry=self.registry)
        self._checks: list[SingleCheck[bytes]] = []

    def public_routes(self) -> list[Route]:
        """`/metrics` where others may ask, too: only if a token is needed."""
        return [self.route()] if self._token else []

    def route(self) -> Route:
        """`/metrics`, for one application and its event loop."""
        forms: dict[str, SingleCheck[bytes]] = {
            openmetrics.CONTENT_TYPE_LATEST: SingleCheck(lambda: _open_metrics(self.registry), within_s=COLLECT_S),
            CONTENT_TYPE_PLAIN_0_0_4: SingleCheck(lambda: generate_latest(self.registry), within_s=COLLECT_S),
        }
        self._checks += forms.values()

        async def metrics(request: Request) -> Response:
            """The metrics in OpenMetrics for whoever accepts that, else in the older text format."""
            check_query(request.query_params, known=())
            self._require_token(request)
            asked = _OPEN_METRICS in request.headers.get("accept", "")
            media_type = openmetrics.CONTENT_TYPE_LATEST if asked else CONTENT_TYPE_PLAIN_0_0_4
            content = await forms[media_type].run()
            return Response(content, headers={"Content-Type": media_type, "Cache-Control": "no-store"})

        return Route(PATH, metrics, methods=["GET"], include_in_schema=False)

    def close(self) -> None:
        """Wait for collections in progress."""
        for check in self._checks:
            check.close()

    def _require_token(self, request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        is_given = scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self._token.encode())
        if self._token and not is_given:
            raise Unauthenticated("this is for whoever has the token of metrics", remedy="send LONGTAIL_METRICS_TOKEN")


def _open_metrics(registry: CollectorRegistry) -> bytes:
    content: bytes = openmetrics.generate_latest(registry)  # type: ignore[no-untyped-call]
    return content
