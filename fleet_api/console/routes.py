"""Routes of the web console: its page at every address below /console, and the files that the page loads."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from fleet_api.console import built
from fleet_api.console.page import page_not_built, page_of
from fleet_api.console.policy import page_headers
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from ingest.http.prefix import prefix_of
from triggers.errors import NotFound

_ASSETS = "assets/"
_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_AN_HOUR = "public, max-age=3600"


class PageRoute(ApiRoute):
    """A route of the application: its query is the application's own."""

    takes_any_query = True


router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/")
async def home(services: Use) -> Response:
    """Who opens the API's address in a browser gets to the console."""
    return RedirectResponse(f"{prefix_of(services.settings.effective_api_url())}/console", status_code=307)


@router.get("/console")
@router.get("/console/{page:path}")
def console(request: Request, services: Use, page: str = "") -> Response:
    """A file of the build, else the application, which shows the page of this address itself."""
    if (found := built.file(page)) is not None:
        return _file(request, page, found)
    if page.startswith(_ASSETS):
        raise NotFound(f"the console has no file {page[:100]!r}", remedy="load the page again: it was updated")
    text = page_of(services.settings)
    if text is None:
        text = page_not_built(services.settings)
    return Response(text, media_type="text/html", headers=page_headers(services.settings, services.store))


def _file(request: Request, name: str, found: built.BuiltFile) -> Response:
    """A file. Those under assets/ have a digest in their names, so what was cached is never out of date."""
    headers = {
        "Cache-Control": _FOR_EVER if name.startswith(_ASSETS) else _FOR_AN_HOUR,
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Encoding",
    }
    content = found.content
    if found.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        content = found.compressed
        headers["Content-Encoding"] = "gzip"
    return Response(content, media_type=found.media_type, headers=headers)
