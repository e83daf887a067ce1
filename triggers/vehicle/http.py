"""HTTP for the clients of a vehicle: the connection, bounded replies, and refusals as errors."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from triggers.body_digest import HEADER, content_digest
from triggers.contracts.problem import error_of, retry_after_s
from triggers.contracts.signing import load_private_key
from triggers.errors import InvalidInput, LongtailError, Misconfigured, Overloaded, Unreachable
from triggers.foreign_text import escaped
from triggers.vehicle.config import VehicleConfig
from triggers.vehicle.exchange import ExchangeTransport
from triggers.vehicle.key import SignedRequests
from triggers.vehicle.turns import PatientTransport, Turns

MAX_PROBLEM_BYTES = 64 * 1024
MAX_MESSAGE_CHARACTERS = 900
BUSY = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)


def make_client(
    config: VehicleConfig, transport: httpx.BaseTransport | None = None, turns: Turns | None = None
) -> httpx.Client:
    """A client that sends the token, or signs, follows no redirects, and ends every exchange within `exchange_s`.

    `transport` replaces the one that keeps that deadline. Variables of the environment that name a proxy do not count.
    Waiting for a server gives the turn away.
    """
    authorization = {"Authorization": f"Bearer {config.token}"} if config.token else {}
    signed = None if config.token else SignedRequests(load_private_key(config.key_file), config.vehicle_id)
    return httpx.Client(
        auth=signed,
        headers={
            **authorization,
            "User-Agent": "longtail-vehicle",
            # Nothing is unpacked: 32 kB of a hostile reply can unpack to gigabytes before their size is known.
            "Accept-Encoding": "identity",
        },
        timeout=httpx.Timeout(config.read_timeout_s, connect=config.connect_timeout_s),
        follow_redirects=False,
        transport=PatientTransport(transport or ExchangeTransport(config.exchange_s, _tls(config)), turns or Turns()),
    )


def _tls(config: VehicleConfig) -> ssl.SSLContext | None:
    """How servers prove who they are, and the vehicle to them; Misconfigured for files that cannot be used."""
    if config.ca_file is None and config.client_cert_file is None:
        return None
    try:
        context = ssl.create_default_context(cafile=config.ca_file)
        if config.client_cert_file is not None:
            context.load_cert_chain(config.client_cert_file)
    except OSError as error:
        raise Misconfigured(
            f"the TLS files of the vehicle cannot be used: {error}", remedy="check ca_file and client_cert_file (PEM)"
        ) from error
    return context


def json_body(content: bytes) -> dict[str, Any]:
    """Arguments of a request that sends JSON bytes as they are."""
    return {"content": content, "headers": {"Content-Type": "application/json", HEADER: content_digest(content)}}


@contextmanager
def reaching(what: str, setting: str, url: str) -> Iterator[None]:
    """Turn a transport error into Unreachable, which names the address and the setting that it came from."""
    try:
        yield
    except httpx.HTTPError as error:
        raise Unreachable(
            f"{what} at {url} does not answer: {error or type(error).__name__}", remedy=f"check {setting}"
        ) from error


def read_bounded(response: httpx.Response, limit_bytes: int) -> bytes:
    """The body of a streamed reply, as it was sent; of a refusal no more than MAX_PROBLEM_BYTES of it.

    Raises InvalidInput if a reply that is no refusal is longer than `limit_bytes`, or packed. Why a server refuses is
    told by the status, too, so a refusal counts whatever its body is like.
    """
    packed = response.headers.get("Content-Encoding", "identity").strip().lower() != "identity"
    if not response.is_success:
        return b"" if packed else _begin_of(response, MAX_PROBLEM_BYTES)[:MAX_PROBLEM_BYTES]
    if packed:
        raise InvalidInput(
            f"the reply of {response.url} is packed, although it was asked for as it is",
            remedy="let nothing between the vehicle and its servers compress replies",
        )
    body = _begin_of(response, limit_bytes)
    if len(body) > limit_bytes:
        raise InvalidInput(f"the reply of {response.url} is longer than {limit_bytes} bytes")
    return body


def _begin_of(response: httpx.Response, enough_bytes: int) -> bytes:
    """The body up to the piece with which it is longer than `enough_bytes`."""
    body = bytearray()
    for piece in response.iter_raw():
        body += piece
        if len(body) > enough_bytes:
            break
    return bytes(body)


def refusal(response: httpx.Response, body: bytes, what: str) -> LongtailError:
    """The error for a refusal; its message says `what` was refused.

    A busy server is Overloaded whatever reason it gives, since only the time to retry matters. Any other failure of the
    server is Unreachable, because it says nothing about what was sent.
    """
    error = error_of(response.status_code, response.headers, body, what="the server")
    said = f"{what}: {escaped(error.message)}"[:MAX_MESSAGE_CHARACTERS]
    if response.status_code in BUSY:
        return Overloaded(said, retry_after_s=retry_after_s(response.headers), remedy=error.remedy)
    if response.is_server_error:
        return Unreachable(said, remedy=error.remedy)
    error.message = said
    return error
