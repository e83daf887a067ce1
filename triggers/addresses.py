"""Addresses whose traffic nobody on the way can read or change: HTTPS, or HTTP that does not leave this machine."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

_HOST_AND_PORT = re.compile(r"[A-Za-z0-9.:\[\]-]+")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own.

    >>> is_loopback("localhost"), is_loopback("127.0.0.9"), is_loopback("::1"), is_loopback("127.0.0.1.example")
    (True, True, True, False)
    """
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_protected(url: str) -> bool:
    """Whether what is sent to this URL is protected on its way. False also for what is not a URL.

    >>> is_protected("https://login.example/"), is_protected("http://[::1]:8080"), is_protected("http://login.example")
    (True, True, False)
    """
    parts = _split(url)
    if parts is None or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))


def web_origin(url: str) -> str:
    """The origin of a URL as a browser states it (RFC 6454): scheme, host, and the port unless it is the scheme's own.

    >>> web_origin("HTTPS://Fleet.example:443/longtail"), web_origin("http://127.0.0.1:8080/docs")
    ('https://fleet.example', 'http://127.0.0.1:8080')
    """
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    port = "" if parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def optional_web_address(url: str) -> str:
    """An address of the web whose origin can stand in a content security policy; '' for none. ValueError for others.

    >>> optional_web_address("https://maps.example/style.json?key=a")
    'https://maps.example/style.json?key=a'
    """
    parts = _split(url) if url else None
    usable = parts is not None and parts.scheme in ("http", "https") and _HOST_AND_PORT.fullmatch(parts.netloc)
    if url and not usable:
        raise ValueError("must be an address such as https://maps.example/style.json")
    return url


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - it raises for what is not a port
    except ValueError:
        return None
    return parts if url.isascii() and url.isprintable() and " " not in url and not parts.username else None
