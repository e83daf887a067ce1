"""What both HTTP clients of a vehicle share: the connection, bounded replies, and refusals as errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from triggers.errors import Forbidden, InvalidInput, LongtailError, Overloaded, Unauthenticated, Unreachable
from triggers.vehicle.config import VehicleConfig

MAX_PROBLEM_BYTES = 64 * 1024
MAX_RETRY_AFTER_S = 86_400
BUSY = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)


def make_client(config: VehicleConfig, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """A client that presents the vehicle's token, follows no redirects, and waits no longer than configured."""
    return httpx.Client(
        headers={"Authorization": f"Bearer {config.token}", "User-Agent": "longtail-vehicle"},
        timeout=httpx.Timeout(config.read_timeout_s, connect=config.connect_timeout_s),
        follow_redirects=False,
        transport=transport,
    )


def json_body(content: bytes) -> dict[str, Any]:
    """Arguments of a request that sends JSON bytes as they are."""
    return {"content": content, "headers": {"Content-Type": "application/json"}}


@contextmanager
def reaching(what: str, setting: str, url: str) -> Iterator[None]:
    """Turn a transport's failure into Unreachable that names the address and the setting it came from."""
    try:
        yield
    except httpx.HTTPError as error:
        raise Unreachable(
            f"{what} at {url} does not answer: {error or type(error).__name__}", remedy=f"check {setting}"
        ) from error


def read_bounded(response: httpx.Response, limit_bytes: int) -> bytes:
    """The body of a streamed reply; InvalidInput when it is longer than `limit_bytes`."""
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) > limit_bytes:
            raise InvalidInput(f"the reply of {response.url} is longer than {limit_bytes} bytes")
    return bytes(body)


def problem_of(body: bytes) -> dict[str, Any]:
    """The problem document of a refusal, or an empty one where the body is something else."""
    try:
        document = json.loads(body[:MAX_PROBLEM_BYTES])
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def retry_after_s(response: httpx.Response, default_s: int) -> int:
    """Seconds that a busy server asks for (RFC 9110, 10.2.3; only the form in seconds), at most a day."""
    text = response.headers.get("Retry-After", "")
    return min(int(text), MAX_RETRY_AFTER_S) if text.isascii() and text.isdigit() else default_s


def refusal(response: httpx.Response, body: bytes, what: str) -> LongtailError:
    """The error that a reply which is no success stands for."""
    message = problem_of(body).get("message")
    said = f"{what}: {response.status_code} {message if isinstance(message, str) else response.reason_phrase}"[:900]
    if response.status_code in BUSY:
        return Overloaded(said, retry_after_s=retry_after_s(response, 30))
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return Unauthenticated(said, remedy="check the vehicle's token")
    if response.status_code == httpx.codes.FORBIDDEN:
        return Forbidden(said)
    return Unreachable(said) if response.is_server_error else InvalidInput(said)
