"""The console's page as it is sent: its files' addresses below a proxy's prefix, and the settings that it reads."""

from __future__ import annotations

import json
from html import escape
from importlib.metadata import version as installed_version

from fleet_api.console import built
from ingest.http.prefix import prefix_of
from storage.settings import Settings

_EMPTY_SETTINGS = 'name="longtail-settings" content="{}"'
_NOT_BUILT = f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Longtail: the console is not built</title></head>
<body>
<h1>The console is not built</h1>
<p>Everything else works: the API, its <a href="{{prefix}}/docs">documentation</a>, and the command line.</p>
<p>To build it, let this machine reach the npm registry (or a mirror: <code>npm_config_registry=https://...</code>),
run <code>{built.HOW_TO_BUILD}</code> in Longtail's repository, and start the API again.</p>
</body>
</html>
"""


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
    }
    placed = index.replace('"./', f'"{escape(prefix)}/console/')
    return placed.replace(_EMPTY_SETTINGS, f'name="longtail-settings" content="{escape(json.dumps(told))}"')


def page_not_built(settings: Settings) -> str:
    """A plain page that says so, and how to build it."""
    return _NOT_BUILT.format(prefix=escape(prefix_of(settings.effective_api_url())))
