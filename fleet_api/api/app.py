"""The API's FastAPI application: its services, routes, middleware and error handlers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version as installed_version
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.middleware import Middleware

from fleet_api.api.errors import handlers
from fleet_api.api.openapi import published
from fleet_api.api.openapi.document import build_document
from fleet_api.api.routers import ROUTES
from fleet_api.backtests.runner import BacktestRunner
from fleet_api.campaigns import compilation
from fleet_api.http.bodies import new_bodies
from fleet_api.http.threads import new_vehicle_threads
from fleet_api.known import KnownVehicles
from fleet_api.openid.configuration import OpenId
from fleet_api.scans.runner import ScanRunner
from fleet_api.services import Services, open_signer
from fleet_api.signing.bundle_key import open_bundle_key
from fleet_api.watching.alerts.watch import AlertWatch
from fleet_api.watching.source import WatchSource, watched_folders
from ingest.http.bounds.rates import RateLimit, Rates
from ingest.http.middleware import public_middleware
from ingest.http.unexpected import UnexpectedErrors
from ingest.metrics.exposition import Exposition
from ingest.metrics.sources import Disks
from ingest.single_check import SingleCheck
from storage.database import Database
from storage.diagnosis.deployment import deployment_of
from storage.ledger.limits import fleet_terms
from storage.objects.catalog_store import open_store_of_catalog
from storage.settings import Settings

DESCRIPTION = """Longtail's API: campaigns, vehicles, the catalog of clips, and the feed for labeling.

Send `Authorization: Bearer <token>`. Errors are problem documents (RFC 9457) with `code` and `remedy`. HEAD works
wherever GET does. Unknown query parameters are refused. Times in `_ns` are nanoseconds since the
Unix epoch.
"""
STORE_ATTEMPTS = 2
"""Of a request to the object store: somebody waits for the answer."""

WATCH_CONNECTIONS = 2
"""For metrics, beside those for requests: one for a scrape, one to count once a minute; opened when needed."""
REQUEST_WAIT_S = 2.0
"""How long a request waits for a connection to the database; then its client is told to come again."""


def create_app(settings: Settings) -> FastAPI:
    """The application for these settings. It starts even without its database, and is ready once that answers.

    Misconfigured when the database's URL, the object store, the signing key or log-in cannot work.
    """
    if settings.oidc_issuer:
        OpenId.from_settings(settings)
    database = _pool(settings, settings.database_pool_size - settings.database_pool_size // 2)
    services = Services(
        settings=settings,
        database=database,
        vehicle_database=_pool(settings, settings.database_pool_size // 2),
        store=open_store_of_catalog(settings, database, attempts=STORE_ATTEMPTS),
        key=open_bundle_key(settings),
        signer=open_signer(settings),
        known=KnownVehicles(staleness_s=settings.check_in_staleness_s),
    )
    check = SingleCheck(lambda: deployment_of(services.database))
    watching = WatchSource(_pool(settings, WATCH_CONNECTIONS), fleet_terms(settings))
    metrics = Exposition("api", settings, watching, Disks(watched_folders(settings)))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        compilation.begin()
        scans = app.state.scans = ScanRunner(_pool(settings, settings.scan_workers), settings, services.positions)
        scans.start()
        backtests = app.state.backtests = BacktestRunner(_pool(settings, settings.backtest_workers), services)
        backtests.start()
        instance = urlsplit(settings.effective_api_url()).netloc
        alerts = app.state.alerts = AlertWatch(database, metrics.families, instance=instance)
        alerts.start()
        try:
            yield
        finally:
            check.close()
            alerts.stop()
            scans.close()
            backtests.close()
            app.state.vehicle_threads.close()
            services.known.flush(services.vehicle_database)
            services.used_tokens.write()
            metrics.close()
            alerts.close()
            watching.close()
            services.vehicle_database.close()
            services.database.close()

    app = FastAPI(
        title="Longtail",
        version=installed_version("longtail"),
        description=DESCRIPTION,
        lifespan=lifespan,
        exception_handlers=handlers(),
        middleware=[
            *public_middleware(settings.effective_api_url(), origins=settings.allowed_origins()),
            Middleware(RateLimit, rates=Rates(settings.requests_per_token, settings.requests_per_address)),
            Middleware(UnexpectedErrors),
        ],
        docs_url=None,
        openapi_url=None,
        redoc_url=None,
        root_path_in_servers=False,
        redirect_slashes=False,  # a redirect would lose a proxy's prefix
    )
    app.state.services = services
    app.state.check = check
    app.state.vehicle_threads = new_vehicle_threads()
    app.state.bodies = new_bodies(settings.api_body_bytes)
    app.router.routes.extend((*ROUTES, *metrics.public_routes()))
    app.state.metrics = metrics
    app.openapi = partial(build_document, app, settings)  # type: ignore[method-assign]
    app.state.document = published.PublishedDocument(app)
    return app


def _pool(settings: Settings, size: int) -> Database:
    """A part of the connections of this process, for requests: somebody waits for each."""
    return Database(
        settings.require_database_url(),
        pool_size=max(1, size),
        connection_wait_s=REQUEST_WAIT_S,
        silence_s=settings.database_silence_s,
        statement_s=settings.database_statement_s,
    )
