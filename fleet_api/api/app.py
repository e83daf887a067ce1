"""The API's FastAPI application: its services, routes, middleware and error handlers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, partial
from importlib.metadata import version as installed_version

from fastapi import Depends, FastAPI
from starlette.middleware import Middleware

from fleet_api.api.errors import handlers, refuse_nul
from fleet_api.api.openapi import interactive_docs
from fleet_api.api.openapi.document import build_document
from fleet_api.api.routers import ROUTERS
from fleet_api.http.bodies import new_bodies
from fleet_api.http.routing import refuse_odd_numbers, refuse_unknown_query
from fleet_api.known import KnownVehicles
from fleet_api.services import Services, open_bundle_key, open_signer
from ingest.http.middleware import public_middleware
from ingest.http.unexpected import UnexpectedErrors
from ingest.single_check import SingleCheck
from storage.database import Database
from storage.migrate import require_current
from storage.objects.catalog_store import open_store_of_catalog
from storage.settings import Settings

DESCRIPTION = """Longtail's API: campaigns, vehicles, the catalog of clips, and the feed for labeling.

Send `Authorization: Bearer <token>`. Errors are problem documents (RFC 9457) with `code` and `remedy`. HEAD works
wherever GET does. Unknown query parameters are refused. Times in `_ns` are nanoseconds since the
Unix epoch.
"""
STORE_ATTEMPTS = 2
"""Of a request to the object store: somebody waits for the answer."""


def create_app(settings: Settings) -> FastAPI:
    """The application for these settings. It starts even without its database, and is ready once that answers.

    Misconfigured when the database's URL, the object store or the signing key cannot work.
    """
    database = Database.from_settings(settings)
    services = Services(
        settings=settings,
        database=database,
        store=open_store_of_catalog(settings, database, attempts=STORE_ATTEMPTS),
        key=open_bundle_key(settings),
        signer=open_signer(settings),
        known=KnownVehicles(staleness_s=settings.check_in_staleness_s),
    )
    check = SingleCheck(lambda: require_current(services.database))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            check.close()
            services.known.flush(services.database)
            services.database.close()

    app = FastAPI(
        title="Longtail",
        version=installed_version("longtail"),
        description=DESCRIPTION,
        lifespan=lifespan,
        exception_handlers=handlers(),
        dependencies=[Depends(refuse_nul), Depends(refuse_unknown_query), Depends(refuse_odd_numbers)],
        middleware=[
            *public_middleware(settings.effective_api_url(), origins=settings.allowed_origins()),
            Middleware(UnexpectedErrors),
        ],
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,
        redoc_url=None,
        root_path_in_servers=False,
        redirect_slashes=False,  # a redirect would lose a proxy's prefix
    )
    app.state.services = services
    app.state.check = check
    app.state.bodies = new_bodies(settings.api_body_bytes)
    for router in (*ROUTERS, interactive_docs.router):
        app.include_router(router)
    app.openapi = cache(partial(build_document, app, settings))  # type: ignore[method-assign]
    return app
