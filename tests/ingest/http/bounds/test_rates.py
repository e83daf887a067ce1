"""Rates per token and per address: a flood is refused cheaply, and whoever has a valid token is served meanwhile."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from ingest.http.bounds.buckets import BURST_S, Buckets
from ingest.http.bounds.fair_turns import AT_ONCE
from ingest.http.bounds.rates import CALLER, RateLimit, Rates
from ingest.http.problems import exception_handlers
from triggers.errors import Unauthenticated

GOOD = {"Authorization": "Bearer good"}
SLOW = Rates(per_token=0.01, per_address=0.01)


async def whoever(request: Request) -> Response:
    if request.headers.get("authorization") != GOOD["Authorization"] and "signature" not in request.headers:
        raise Unauthenticated("no")
    setattr(request.state, CALLER, "vehicle")
    return PlainTextResponse("")


async def anybody(_request: Request) -> Response:
    return PlainTextResponse("")


def client(rates: Rates, address: str = "10.0.0.1") -> TestClient:
    routes = [Route("/whoever", whoever), Route("/readyz", anybody), Route("/healthz", anybody)]
    middleware = [Middleware(RateLimit, rates=rates)]
    app = Starlette(routes=routes, middleware=middleware, exception_handlers=exception_handlers())
    return TestClient(app, client=(address, 1))


def test_a_bucket_fills_again_at_its_rate_and_no_further() -> None:
    now = [0.0]
    buckets = Buckets(2.0, monotonic_s=lambda: now[0])
    assert [buckets.take(b"a") for _ in range(2 * BURST_S)] == [0.0] * 2 * BURST_S
    assert buckets.take(b"a") == pytest.approx(0.5)
    assert buckets.take(b"b") == 0.0
    now[0] = 0.5
    assert buckets.take(b"a") == 0.0
    assert buckets.take(b"a") > 0
    now[0] = 1000.0
    assert sum(buckets.take(b"a") == 0.0 for _ in range(100)) == 2 * BURST_S


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guess"}])
def test_requests_without_a_valid_token_are_refused_by_address(headers: dict[str, str]) -> None:
    http = client(SLOW)
    assert http.get("/whoever", headers=GOOD).status_code == 200
    assert http.get("/readyz", headers=headers).status_code == 200
    refused = http.get("/readyz", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many")
    assert int(refused.headers["Retry-After"]) > 0
    assert "0.01 requests per second" in refused.json()["detail"]
    assert http.get("/healthz", headers=headers).status_code == 200


def test_each_guess_of_a_token_counts_against_the_address_however_it_changes() -> None:
    http = client(Rates(per_token=1000, per_address=0.4))
    guesses = [http.get("/whoever", headers={"Authorization": f"Bearer {number}"}).status_code for number in range(5)]
    assert guesses == [401, 401, 429, 429, 429]


def test_a_valid_token_is_served_from_an_address_that_floods() -> None:
    http = client(Rates(per_token=1000, per_address=0.4))
    assert http.get("/whoever", headers=GOOD).status_code == 200
    while http.get("/readyz").status_code == 200:
        pass
    assert [http.get("/whoever", headers=GOOD).status_code for _ in range(20)] == [200] * 20


def test_one_token_is_refused_beyond_its_rate_and_others_are_not() -> None:
    http = client(Rates(per_token=0.01, per_address=1000))
    assert http.get("/whoever", headers=GOOD).status_code == 200
    assert http.get("/whoever", headers=GOOD).status_code == 429
    assert http.get("/readyz", headers={"Authorization": "Bearer other"}).status_code == 200


def test_requests_that_are_signed_count_against_their_vehicle_first_and_then_against_the_address() -> None:
    http = client(Rates(per_token=0.4, per_address=0.4))
    answers = [http.get("/whoever", headers={"Signature": "good"}).status_code for _ in range(5)]
    assert answers == [200, 200, 200, 200, 429]


def test_a_flood_is_worked_on_a_few_at_once_while_others_are_served_and_the_process_says_that_it_lives() -> None:
    under_way, most = 0, 0

    async def scene() -> None:
        go_on = asyncio.Event()

        async def slow(_request: Request) -> Response:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await go_on.wait()
            under_way -= 1
            return PlainTextResponse("")

        routes = [Route("/slow", slow), Route("/whoever", whoever), Route("/healthz", anybody)]
        middleware = [Middleware(RateLimit, rates=Rates(per_token=1000, per_address=1000))]
        app = Starlette(routes=routes, middleware=middleware, exception_handlers=exception_handlers())
        transport = httpx.ASGITransport(app, client=("10.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://api", timeout=60) as http:
            assert (await http.get("/whoever", headers=GOOD)).status_code == 200
            flood = [asyncio.create_task(http.get("/slow")) for _ in range(50)]
            async with asyncio.timeout(60):
                while under_way < AT_ONCE:
                    await asyncio.sleep(0.01)
                assert (await http.get("/whoever", headers=GOOD)).status_code == 200
                assert (await http.get("/healthz")).status_code == 200
                assert not any(task.done() for task in flood)
                go_on.set()
                assert {answer.status_code for answer in await asyncio.gather(*flood)} == {200}

    asyncio.run(scene())
    assert most == AT_ONCE
