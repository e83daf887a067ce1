"""`/metrics` of a process: what it counts and what its sources say, and only for whoever has the token."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from functools import partial

from prometheus_client import CollectorRegistry, ProcessCollector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingest.http.query import check_query
from ingest.metrics.counted import counted_by
from ingest.metrics.names import Family
from ingest.metrics.reading import WITHIN_S, Readers, Source
from ingest.metrics.text import Form, exposed
from ingest.single_check import SingleCheck
from storage.settings import Settings
from triggers.errors import Unauthenticated

PATH = "/metrics"
_OPEN_METRICS = "application/openmetrics-text"
COLLECT_S = WITHIN_S + 1.0
"""How long all of it may take: the slowest source, and the text of the others."""


class Exposition:
    """The metrics of one process."""

    def __init__(self, process: str, settings: Settings, *sources: Source) -> None:
        self._token = settings.metrics_token
        self._registry = CollectorRegistry(auto_describe=False)
        for metric in counted_by(process):
            self._registry.register(metric)
        ProcessCollector(registry=self._registry)
        self._readers = Readers(sources)
        self._checks: list[SingleCheck[bytes]] = []

    def text(self, form: Form) -> bytes:
        """All metrics; it may take as long as the slowest source may."""
        return exposed(self._registry, self._readers.families(), form)

    def families(self) -> Iterable[Family]:
        """What the sources say, for this process itself; it may take as long."""
        return self._readers.families()

    def public_routes(self) -> list[Route]:
        """`/metrics` where others may ask, too: only if a token is needed."""
        return [self.route()] if self._token else []

    def route(self) -> Route:
        """`/metrics`, for one application and its event loop."""
        forms = {form: SingleCheck(partial(self.text, form), within_s=COLLECT_S) for form in Form}
        self._checks += forms.values()

        async def metrics(request: Request) -> Response:
            """The metrics in OpenMetrics for whoever accepts that, else in the older text format."""
            check_query(request.query_params, known=())
            self._require_token(request)
            form = Form.OPEN_METRICS if _OPEN_METRICS in request.headers.get("accept", "") else Form.PLAIN
            content = await forms[form].run()
            return Response(content, headers={"Content-Type": form.value, "Cache-Control": "no-store"})

        return Route(PATH, metrics, methods=["GET"], include_in_schema=False)

    def close(self) -> None:
        """Wait for collections in progress: a bounded time, as they wait for sources no longer."""
        self._readers.close()
        for check in self._checks:
            check.close()

    def _require_token(self, request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        is_given = scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self._token.encode())
        if self._token and not is_given:
            raise Unauthenticated("this is for whoever has the token of metrics", remedy="send LONGTAIL_METRICS_TOKEN")
