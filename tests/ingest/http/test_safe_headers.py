"""What every answer tells browsers and caches, and requests that two parsers would read in two ways."""

from __future__ import annotations

import json

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from ingest.http.middleware import public_middleware
from ingest.http.server.connections import ConnectionLimits, Connections
from tests.ingest.http.test_server import PATIENT, Noted, connect, everything, running

BEARER = {"Authorization": "Bearer x"}


async def answer(_request: Request) -> Response:
    return PlainTextResponse("")


async def cached(_request: Request) -> Response:
    return PlainTextResponse("", headers={"Cache-Control": "private, max-age=60"})


async def address(request: Request) -> Response:
    await request.body()
    return PlainTextResponse(request.client.host if request.client else "")


def application(url: str = "http://fleet.example") -> Starlette:
    routes = [Route("/", answer), Route("/cached", cached), Route("/address", address, methods=["GET", "POST"])]
    return Starlette(routes=routes, middleware=public_middleware(url, origins=()))


def test_answers_to_callers_are_kept_by_no_cache_unless_the_route_says_so() -> None:
    client = TestClient(application())
    assert client.get("/", headers=BEARER).headers["Cache-Control"] == "no-store"
    assert client.get("/cached", headers=BEARER).headers["Cache-Control"] == "private, max-age=60"
    assert client.get("/nowhere", headers=BEARER).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("url", "told"), [("https://fleet.example", True), ("http://fleet.example", False)])
def test_no_answer_is_sniffed_and_tls_is_kept_to(url: str, told: bool) -> None:
    for path in ("/", "/nowhere"):
        headers = TestClient(application(url)).get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert ("Strict-Transport-Security" in headers) is told


def test_a_body_that_is_framed_in_two_ways_is_refused_and_the_connection_ends() -> None:
    with running(ConnectionLimits(100, 100), PATIENT, application()) as where, connect(where) as connection:
        connection.sendall(
            b"POST /address HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        )
        head, _, body = everything(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["code"] == "bad_header"


@pytest.mark.parametrize(("proxies", "seen"), [(("127.0.0.1",), b"203.0.113.9"), ((), b"127.0.0.1")])
def test_only_a_declared_proxy_says_where_a_request_comes_from(proxies: tuple[str, ...], seen: bytes) -> None:
    with running(ConnectionLimits(100, 100, proxies), PATIENT, application()) as where, connect(where) as connection:
        connection.sendall(
            b"GET /address HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n"
        )
        assert everything(connection).endswith(b"\r\n\r\n" + seen)


def test_a_declared_proxy_may_have_all_connections() -> None:
    bounds = Connections(ConnectionLimits(total=10, per_address=2, proxies=("10.0.0.7",)))
    proxied, others = [Noted() for _ in range(6)], [Noted() for _ in range(3)]
    for each in proxied:
        bounds.opened(each, "10.0.0.7")
    for each in others:
        bounds.opened(each, "10.0.0.8")
    assert [each.ended for each in proxied] == [""] * 6
    assert [bool(each.ended) for each in others] == [True, False, False]
