"""The console's page as it is sent: its files' addresses below a proxy's prefix, and the settings that it reads."""

from __future__ import annotations

import json
from html import escape
from importlib.metadata import version as installed_version

from starlette.responses import Response

from fleet_api.console import built
from fleet_api.console.policy import page_headers
from ingest.http.prefix import prefix_of
from storage.objects import ObjectStore
from storage.settings import Settings
from triggers.contracts.problem import status_of
from triggers.errors import LongtailError

_EMPTY_SETTINGS = 'name="longtail-settings" content="{}"'
_PLAIN = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Longtail: {title}</title>
<link rel="icon" href="data:,">
</head>
<body>
<main>
<h1>{title}</h1>
{body}</main>
</body>
</html>
"""
_NOT_BUILT = f"""<p>Everything else works: the API, its <a href="{{prefix}}/docs">documentation</a>,
the command line.</p>
<p>To build it, let this machine reach the npm registry (or a mirror: <code>npm_config_registry=https://...</code>),
run <code>{built.HOW_TO_BUILD}</code> in Longtail's repository, and start the API again.</p>
"""
_NOT_SIGNED_IN = """<p>{detail}</p>
<p>{remedy}</p>
<p><a href="{prefix}/console/signin">Sign in in another way</a></p>
"""


def page_of_problem(settings: Settings, store: ObjectStore, error: LongtailError) -> Response:
    """Why somebody could not be signed in, for a person who comes back from a provider."""
    prefix = prefix_of(settings.effective_api_url())
    body = _NOT_SIGNED_IN.format(detail=escape(error.message), remedy=escape(error.remedy or ""), prefix=escape(prefix))
    text = _PLAIN.format(title="You are not signed in", body=body)
    return Response(text, status_of(error), media_type="text/html", headers=page_headers(settings, store))


def page_of(settings: Settings) -> str | None:
    """The application's page; None where it was not built."""
    index = built.index()
    if index is None:
        return None
    prefix = prefix_of(settings.effective_api_url())
    told = {
        "prefix": prefix,
        "version": installed_version("longtail"),
        "provider": bool(settings.oidc_issuer),
        "mapStyleUrl": settings.map_style_url or None,
        "authorCatalogs": settings.author_catalogs,
    }
    placed = index.replace('"./', f'"{escape(prefix)}/console/')
    return placed.replace(_EMPTY_SETTINGS, f'name="longtail-settings" content="{escape(json.dumps(told))}"')


def page_not_built(settings: Settings) -> str:
    """A plain page that says so, and how to build it."""
    body = _NOT_BUILT.format(prefix=escape(prefix_of(settings.effective_api_url())))
    return _PLAIN.format(title="The console is not built", body=body)
