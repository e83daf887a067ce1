"""Errors over HTTP: what a route of API or gateway raises is what a client reads, and a part of ours is not named."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.responses import StreamingResponse
from starlette.routing import Route

from tests.support.applications import api_application, gateway_application
from triggers import errors
from triggers.contracts.problem import STATUSES, error_of
from triggers.errors import LongtailError

ARGUMENTS: dict[type[LongtailError], dict[str, Any]] = {
    errors.DiagnosticsError: {"diagnostics": [{"code": "LT101", "line": 3}]},
    errors.WrongRange: {"size_bytes": 17},
    errors.ChecksumMismatch: {"offset": 524288},
    errors.WrongOffset: {"offset": 524288},
    errors.BudgetExhausted: {"accounts": ("fleet",), "campaigns": ("cut_in",), "retry_after_s": 3600},
    errors.Overloaded: {"retry_after_s": 30},
    errors.TooMany: {"retry_after_s": 30},
}
KINDS = {kind.__name__: kind for kind in STATUSES}
HIDDEN = (errors.Unreachable, errors.Misconfigured)


def error_named(name: str) -> LongtailError:
    kind = KINDS[name]
    return kind("ümlaut: what was wrong at db.internal", remedy="what to do", **ARGUMENTS.get(kind, {}))


async def fail(request: Request) -> None:
    """A route that raises the error named by the path."""
    raise error_named(request.path_params["name"])


def api(tmp_path: Path) -> FastAPI:
    app = api_application(tmp_path)
    app.add_api_route("/raise/{name}", fail)
    return app


def gateway() -> Any:
    app = gateway_application()
    app.routes.append(Route("/raise/{name}", fail))
    return app


@pytest.fixture(params=["api", "gateway"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TestClient]:
    app = api(tmp_path) if request.param == "api" else gateway()
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_every_error_arrives_as_it_was_raised(client: TestClient) -> None:
    for name, kind in KINDS.items():
        answer = client.get(f"/raise/{name}")
        received = error_of(answer.status_code, answer.headers, answer.content, what="GET /raise")
        assert (answer.status_code, type(received)) == (STATUSES[kind], kind)
        assert answer.headers["content-type"] == "application/problem+json"
        if kind not in HIDDEN:
            assert vars(received) == vars(error_named(name))


def test_the_seconds_of_an_overloaded_server_arrive(client: TestClient) -> None:
    answer = client.get("/raise/Overloaded")
    assert answer.headers["retry-after"] == "30"
    received = error_of(answer.status_code, answer.headers, answer.content, what="GET /raise")
    assert isinstance(received, errors.Overloaded)
    assert received.retry_after_s == 30


@pytest.mark.parametrize("kind", HIDDEN)
def test_what_a_part_of_ours_is_called_is_logged_and_not_told(
    client: TestClient, kind: type[LongtailError], caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.get(f"/raise/{kind.__name__}")
    assert "db.internal" not in answer.text
    assert "db.internal; what to do" in caplog.text


def test_readiness_names_no_host_user_or_database(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "unreachable")
    assert answer.headers["retry-after"] == "5"
    for secret in ("127.0.0.1", "somebody", "hidden", "postgresql"):
        assert secret not in answer.text
        assert secret in caplog.text


def test_an_unexpected_error_is_logged_once_and_a_page_can_read_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = api_application(tmp_path, cors_origins="https://console.example")
    app.add_api_route("/defect", lambda: 1 // 0)
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/defect", headers={"Origin": "https://console.example"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.headers["access-control-allow-origin"] == "https://console.example"
    assert caplog.text.count("ZeroDivisionError") == 1
    assert "division" not in answer.text


def test_a_defect_in_the_middle_of_an_answer_cuts_it_off(tmp_path: Path) -> None:
    async def half(_request: Request) -> StreamingResponse:
        async def body() -> AsyncIterator[bytes]:
            yield b"half"
            raise ZeroDivisionError

        return StreamingResponse(body())

    app = api_application(tmp_path)
    app.routes.append(Route("/half", half))
    with TestClient(app) as client, pytest.raises(ZeroDivisionError):
        client.get("/half")


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/v1/vehicles/car-1/telemetry", "/v1/uploads"])
@pytest.mark.parametrize(
    ("length", "said"), [(b"2", "the client disconnected"), (b"0", "not answered")], ids=["with a body", "without"]
)
async def test_a_client_that_goes_away_is_not_an_error(
    tmp_path: Path, path: str, length: bytes, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(_message: Any) -> None:
        """Nobody is there."""

    async def read(request: Request) -> None:
        await request.body()

    app = api_application(tmp_path) if "vehicles" in path else gateway_application()
    app.routes.insert(0, Route(path, read, methods=["POST"]))
    headers = [(b"content-length", length)]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
    with caplog.at_level(logging.INFO):
        await app(scope, receive, send)
    assert said in caplog.text
    assert "Traceback" not in caplog.text


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
