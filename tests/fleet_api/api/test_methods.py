"""HEAD, OPTIONS and Allow of both applications (RFC 9110): right on every path, whichever route comes first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.support.applications import api_application, gateway_application

API_METHODS = {
    "/v1/campaigns": {"GET", "HEAD", "POST"},
    "/v1/campaigns/braking/1": {"GET", "HEAD"},
    "/v1/campaigns/braking/1/approve": {"POST"},
    "/v1/vehicles": {"GET", "HEAD", "POST"},
    "/v1/vehicles/car-1": {"DELETE", "GET", "HEAD"},
    "/v1/vehicles/car-1/check-in": {"POST"},
    "/v1/clips": {"GET", "HEAD"},
    "/v1/clips/0123": {"DELETE", "GET", "HEAD"},
    "/v1/label-jobs/1/renew": {"POST"},
    "/objects/clips/a.mcap": {"GET", "HEAD"},
    "/healthz": {"GET", "HEAD"},
    "/openapi.json": {"GET", "HEAD"},
    "/docs": {"GET", "HEAD"},
}
GATEWAY_METHODS = {
    "/v1/uploads": {"POST"},
    "/v1/uploads/0123": {"DELETE", "HEAD", "PATCH"},
    "/healthz": {"GET", "HEAD"},
    "/readyz": {"GET", "HEAD"},
}
EVERY = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT", "TRACE")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with TestClient(api_application(tmp_path_factory.mktemp("api")), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def gateway() -> Iterator[TestClient]:
    with TestClient(gateway_application(), raise_server_exceptions=False) as client:
        yield client


def check_methods(client: TestClient, path: str, methods: set[str]) -> None:
    allowed = ", ".join(sorted({*methods, "OPTIONS"}))
    asked = client.options(path)
    assert (asked.status_code, asked.headers["allow"]) == (204, allowed)
    for method in EVERY:
        if method not in methods:
            refused = client.request(method, path)
            assert (refused.status_code, refused.headers["allow"]) == (405, allowed)
            assert refused.headers["content-type"] == "application/problem+json"
            assert method == "HEAD" or refused.json()["title"] == "Method Not Allowed"


@pytest.mark.parametrize("path", API_METHODS)
def test_the_api_knows_the_methods_of_a_path(api: TestClient, path: str) -> None:
    check_methods(api, path, API_METHODS[path])


@pytest.mark.parametrize("path", GATEWAY_METHODS)
def test_the_gateway_knows_the_methods_of_a_path(gateway: TestClient, path: str) -> None:
    check_methods(gateway, path, GATEWAY_METHODS[path])


def test_a_path_without_a_route_has_no_methods(api: TestClient, gateway: TestClient) -> None:
    for client in (api, gateway):
        for method in ("OPTIONS", "GET", "PUT"):
            refused = client.request(method, "/v1/nothing/here/at/all")
            assert refused.status_code == 404
            assert "allow" not in refused.headers


def test_head_answers_as_get_does(api: TestClient) -> None:
    for path in ("/healthz", "/readyz", "/v1/clips", "/docs", "/openapi.json"):
        head, get = api.head(path), api.get(path)
        assert (head.status_code, head.headers["content-type"]) == (get.status_code, get.headers["content-type"])
        assert head.headers["content-length"] == get.headers["content-length"]


def test_a_slash_at_the_end_is_another_address_but_for_uploads(api: TestClient, gateway: TestClient) -> None:
    assert api.get("/v1/campaigns/", follow_redirects=False).status_code == 404
    assert gateway.options("/v1/uploads/", follow_redirects=False).headers["allow"] == "OPTIONS, POST"


def test_a_key_of_an_object_is_one_path(tmp_path: Path, api: TestClient) -> None:
    assert api.options("/objects/extracted/x/signals.parquet").headers["allow"] == "GET, HEAD, OPTIONS"
