"""What browsers may do on the console's page: the content security policy and the headers beside it."""

from __future__ import annotations

import logging

from storage.objects import ObjectStore
from storage.settings import Settings
from triggers.addresses import web_origin
from triggers.errors import LongtailError

_NO_DEVICES = ("camera", "microphone", "geolocation", "payment", "usb", "serial", "hid", "display-capture", "midi")
_log = logging.getLogger(__name__)


def page_headers(settings: Settings, store: ObjectStore) -> dict[str, str]:
    """The headers of the page. Only files of this origin run; pictures, videos and data come from it, from the bucket
    that the API links to, and from the map server of the settings.

    A trigger text, a note or a tag that got past everything else could still load nothing and run nothing.
    """
    own = web_origin(settings.effective_api_url())
    origins = {origin for origin in (object_origin(store), map_origin(settings)) if origin} - {own}
    beside = "".join(f" {origin}" for origin in sorted(origins))
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "font-src": "'self'",
        "img-src": f"'self' blob: data:{beside}",
        "media-src": f"'self' blob:{beside}",
        "worker-src": "'self'",
        "connect-src": f"'self'{beside}",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in policy.items()),
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{name}=()" for name in _NO_DEVICES),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }


def map_origin(settings: Settings) -> str | None:
    """The origin of the map server; None without one."""
    return web_origin(settings.map_style_url) if settings.map_style_url else None


def object_origin(store: ObjectStore) -> str | None:
    """The origin of the links to objects; None if the store cannot make one now, as without credentials."""
    try:
        return web_origin(store.link("any", expires_s=60))
    except LongtailError as error:
        _log.warning("the console cannot be told where objects are: %s", error)
        return None
