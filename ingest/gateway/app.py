"""The gateway's ASGI application: its routes, its lifespan, and how its errors are answered.

PATCH is the only route that waits for the log, in its own thread pool; every other route is one short transaction in
another pool. It runs as a separate process, in any number of replicas.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingest.gateway.creation import create_upload
from ingest.gateway.limits import GatewayLimits
from ingest.gateway.service import Gateway
from ingest.gateway.tus import protocol
from ingest.gateway.tus.middleware import TusRoutes
from ingest.gateway.writing import write_upload
from ingest.http.bounds.rates import RateLimit, Rates
from ingest.http.methods import options_response
from ingest.http.middleware import public_middleware
from ingest.http.problems import exception_handlers, problem_response
from ingest.http.query import check_query
from ingest.http.raising import raises
from ingest.http.unexpected import UnexpectedErrors
from ingest.metrics.exposition import Exposition
from storage.settings import Settings
from storage.uploads import endings, rows
from triggers.errors import Conflict, LongtailError

PATH = "/v1/uploads"

Endpoint = Callable[[Gateway, Request], Awaitable[Response]]


def create_app(settings: Settings, limits: GatewayLimits | None = None) -> Starlette:
    """The gateway as an ASGI application. It starts even without database and log, and is ready once both answer."""
    bounds = limits or GatewayLimits()
    settings.require_database_url()
    metrics = Exposition("gateway", settings)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.gateway = Gateway(settings, bounds)
        try:
            yield
        finally:
            app.state.gateway.close()
            metrics.close()

    app = Starlette(
        routes=[
            _route(PATH, "OPTIONS", describe),
            _route(PATH, "POST", create_upload),
            _route(PATH + "/{upload_id}", "OPTIONS", describe),
            _route(PATH + "/{upload_id}", "HEAD", show_upload),
            _route(PATH + "/{upload_id}", "PATCH", write_upload),
            _route(PATH + "/{upload_id}", "DELETE", terminate_upload),
            _route("/healthz", "GET", healthz),
            _route("/readyz", "GET", readyz),
            *metrics.public_routes(),
        ],
        middleware=_middleware(settings),
        exception_handlers=exception_handlers(),
        lifespan=lifespan,
    )
    app.state.metrics = metrics
    app.router.redirect_slashes = False  # a redirect would lose a proxy's prefix
    return app


def _middleware(settings: Settings) -> list[Middleware]:
    public = public_middleware(
        settings.effective_gateway_url(), origins=settings.allowed_origins(), headers=protocol.HEADERS
    )
    rates = Rates(settings.requests_per_token, settings.requests_per_address)
    return [*public, Middleware(TusRoutes, path=PATH), Middleware(RateLimit, rates=rates), Middleware(UnexpectedErrors)]


def _route(path: str, method: str, endpoint: Endpoint) -> Route:
    async def handle(request: Request) -> Response:
        check_query(request.query_params, known=())
        return await endpoint(request.app.state.gateway, request)

    handle.__name__ = endpoint.__name__
    return Route(path, handle, methods=[method])


async def describe(_gateway: Gateway, request: Request) -> Response:
    """The methods of an address, and the protocol's version and extensions."""
    return options_response(request, protocol.SERVER_HEADERS)


@raises(*protocol.UPLOAD_PROBLEMS)
async def show_upload(gateway: Gateway, request: Request) -> Response:
    """The offset to continue at. 404 for an unknown upload, 410 for one closed before it was complete."""
    protocol.require_version(request.headers)
    vehicle_id = await gateway.caller(request)
    upload_id = protocol.upload_id(request.path_params["upload_id"])
    now = datetime.now(UTC)
    upload = await gateway.transact(lambda c: rows.find_usable(c, upload_id, vehicle_id, now=now))
    return Response(headers={"Cache-Control": "no-store", **protocol.state_headers(upload)})


@raises(*protocol.UPLOAD_PROBLEMS, Conflict)
async def terminate_upload(gateway: Gateway, request: Request) -> Response:
    """Terminate an upload and release its reservation. 409 when all its bytes have arrived."""
    protocol.require_version(request.headers)
    vehicle_id = await gateway.caller(request)
    upload_id = protocol.upload_id(request.path_params["upload_id"])
    now = datetime.now(UTC)
    await gateway.transact(lambda c: endings.terminate(c, upload_id, vehicle_id, now=now))
    return Response(status_code=204)


async def healthz(_gateway: Gateway, _request: Request) -> Response:
    """200 as long as the process and its event loop run."""
    return JSONResponse({"status": "ok"})


async def readyz(gateway: Gateway, _request: Request) -> Response:
    """200 when database and log answer, else 503. What does not answer is logged, but not told to clients."""
    try:
        return JSONResponse({"status": "ok", "deployment": await gateway.check()})
    except LongtailError as error:
        return problem_response(error, status=503)
