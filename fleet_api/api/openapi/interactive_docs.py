"""The interactive documentation at /docs: Swagger UI from an installed package, under a strict content policy.

Addresses in the page are relative, so that it works under any path prefix of a proxy.
"""

from __future__ import annotations

from importlib.resources import files
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response

from fleet_api.http.routing import ApiRoute
from triggers.errors import NotFound

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Longtail API</title>
<link rel="icon" href="docs/favicon.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
});
"""
_MEDIA_TYPES = {"css": "text/css", "js": "text/javascript", "png": "image/png"}
_ASSETS = ("favicon.png", "swagger-ui.css", "swagger-ui-bundle.js")
_CACHED = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}

router = APIRouter(include_in_schema=False, route_class=ApiRoute)


@router.get("/docs")
async def page(request: Request) -> Response:
    """The page. It may call the API and the gateway, and load only what is served here."""
    gateway = urlsplit(request.app.state.services.settings.effective_gateway_url())
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self' {gateway.scheme}://{gateway.netloc}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
    return Response(_PAGE, media_type="text/html", headers=headers)


@router.get("/docs/start.js")
async def start() -> Response:
    """The script that starts Swagger UI; a separate file, as the policy allows no script inside the page."""
    return Response(_START, media_type=_MEDIA_TYPES["js"], headers=_CACHED)


@router.get("/docs/{asset}")
def asset(asset: str) -> Response:
    """A file of Swagger UI."""
    if asset not in _ASSETS:
        raise NotFound(f"there is no file {asset[:64]!r}")
    content = files("fastapi_offline").joinpath("static", asset).read_bytes()
    return Response(content, media_type=_MEDIA_TYPES[asset.rpartition(".")[2]], headers=_CACHED)
