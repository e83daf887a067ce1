"""What requests leave in the log: a line each with a bound, refused log-ins as warnings, and nothing forged."""

from __future__ import annotations

import logging

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from ingest.http.bounded_lines import BoundedLines
from ingest.http.trace import Trace


async def answer(request: Request) -> Response:
    return PlainTextResponse("", int(request.query_params.get("status", "200")))


@pytest.fixture
def client() -> TestClient:
    routes = [Route("/healthz", answer), Route("/{path:path}", answer)]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(Trace)]))


def test_every_request_leaves_a_line_with_what_it_asked_and_got(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client.get("/v1/clips?status=404")
    assert "GET /v1/clips answered 404 from testclient in " in caplog.text


@pytest.mark.parametrize("given", ["job-7.retry_2", "x" * 64])
def test_a_request_keeps_the_id_that_its_client_gave_it(
    client: TestClient, caplog: pytest.LogCaptureFixture, given: str
) -> None:
    caplog.set_level(logging.INFO)
    assert client.get("/v1/clips", headers={"X-Request-Id": given}).headers["x-request-id"] == given
    assert f", request {given}" in caplog.text


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\tb", "a;b", "é"])
def test_a_request_without_a_plain_id_gets_one(client: TestClient, given: str) -> None:
    answers = [client.get("/v1/clips", headers={"X-Request-Id": given.encode()}) for _ in range(2)]
    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len(ids) == 2 and all(len(each) == 32 and each.isalnum() for each in ids)


def test_a_refused_log_in_is_a_warning(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    client.get("/v1/clips?status=401")
    assert [record.levelname for record in caplog.records if record.name == "ingest.http.trace"] == ["WARNING"]


def test_a_probe_leaves_a_line_only_when_it_fails(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="ingest.http.trace")
    client.get("/healthz")
    assert "healthz" not in "".join(r.getMessage() for r in caplog.records if r.name == "ingest.http.trace")
    client.get("/healthz?status=503")
    assert "GET /healthz answered 503" in caplog.text


def test_only_the_addresses_of_probes_are_probes_below_a_proxys_path_or_not(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="ingest.http.trace")
    paths = ["/healthz", "/fleet/readyz", "/metrics", "/v1/clips/healthz", "/v1/datasets/a/metrics", "/other/healthz"]
    app = Starlette(routes=[Route("/{path:path}", answer)], middleware=[Middleware(Trace, prefix="/fleet")])
    with TestClient(app) as client:
        for path in paths:
            assert client.get(path).status_code == 200
    lines = [record.getMessage() for record in caplog.records if record.name == "ingest.http.trace"]
    assert [line.split()[1] for line in lines] == paths[3:]


def test_a_path_forges_no_line(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="ingest.http.trace")
    client.get("/a%0ab" + "x" * 1000)
    (line,) = [record.getMessage() for record in caplog.records if record.name == "ingest.http.trace"]
    assert "\n" not in line
    assert len(line) < 300


def test_lines_per_second_are_bounded_and_the_rest_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 0.0
    log = BoundedLines(logging.getLogger("bounded"), per_second=3, monotonic_s=lambda: now_s)
    for number in range(10):
        log.write(logging.WARNING, "line %d", number)
    now_s = 1.0
    log.write(logging.WARNING, "line %d", 10)
    assert [record.getMessage() for record in caplog.records if record.name == "bounded"] == [
        "line 0",
        "line 1",
        "line 2",
        "7 more lines were left out",
        "line 10",
    ]
