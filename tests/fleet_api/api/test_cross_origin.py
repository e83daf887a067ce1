"""CORS: pages of configured origins may call both applications and read what they need; no others may."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from storage.settings import Settings
from tests.support.applications import api_application, gateway_application
from triggers.errors import Misconfigured

CONSOLE = "https://console.example"
ORIGINS = f"{CONSOLE}, http://localhost:5173"
PREFLIGHT = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization,upload-offset"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    app = api_application(tmp_path_factory.mktemp("api"), cors_origins=ORIGINS)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def gateway() -> Iterator[TestClient]:
    with TestClient(gateway_application(cors_origins=ORIGINS), raise_server_exceptions=False) as client:
        yield client


def test_a_configured_origin_may_call_and_read_the_headers(api: TestClient) -> None:
    for origin in (CONSOLE, "http://localhost:5173"):
        answer = api.get("/healthz", headers={"Origin": origin})
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["vary"] == "Origin"
        exposed = set(answer.headers["access-control-expose-headers"].split(", "))
        assert {"Accept-Ranges", "Content-Range", "ETag", "Range", "Retry-After"} <= exposed
        assert "access-control-allow-credentials" not in answer.headers


def test_refusals_may_be_read_too(api: TestClient) -> None:
    for path, status in (("/v1/clips", 401), ("/v1/nothing", 404), ("/readyz", 503)):
        answer = api.get(path, headers={"Origin": CONSOLE})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, CONSOLE)


def test_a_preflight_allows_the_token_and_the_methods(api: TestClient, gateway: TestClient) -> None:
    for client, path in ((api, "/v1/campaigns"), (gateway, "/v1/uploads/0")):
        answer = client.options(path, headers={"Origin": CONSOLE, **PREFLIGHT})
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["access-control-allow-origin"] == CONSOLE
        assert "Authorization" in answer.headers["access-control-allow-headers"]
        assert {"DELETE", "PATCH", "POST"} <= set(answer.headers["access-control-allow-methods"].split(", "))


def test_the_gateway_exposes_the_headers_of_tus(gateway: TestClient) -> None:
    answer = gateway.options("/v1/uploads", headers={"Origin": CONSOLE})
    exposed = set(answer.headers["access-control-expose-headers"].split(", "))
    assert {"Location", "Tus-Resumable", "Tus-Max-Size", "Upload-Offset", "Upload-Length", "Upload-Expires"} <= exposed
    preflight = gateway.options("/v1/uploads", headers={"Origin": CONSOLE, **PREFLIGHT})
    assert "Upload-Offset" in preflight.headers["access-control-allow-headers"]


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "http://console.example", f"{CONSOLE}:8443", "null"])
def test_no_other_origin_is_allowed(api: TestClient, origin: str) -> None:
    for answer in (api.get("/healthz", headers={"Origin": origin}), preflight_of(api, origin)):
        assert answer.status_code in (200, 204)
        assert "access-control-allow-origin" not in answer.headers
        assert "Origin" in answer.headers["vary"]


def preflight_of(client: TestClient, origin: str) -> object:
    return client.options("/v1/campaigns", headers={"Origin": origin, **PREFLIGHT})


def test_without_the_setting_no_origin_is_allowed(tmp_path: Path) -> None:
    with TestClient(api_application(tmp_path)) as client:
        answer = client.get("/healthz", headers={"Origin": CONSOLE})
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_every_origin_can_be_allowed(tmp_path: Path) -> None:
    with TestClient(api_application(tmp_path, cors_origins="*")) as client:
        answer = client.get("/healthz", headers={"Origin": "https://anywhere.example"})
        assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "value", ["console.example", "https://console.example/", "https://a.example https://b.example"]
)
def test_what_is_not_an_origin_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("LONGTAIL_CORS_ORIGINS", value)
    with pytest.raises(Misconfigured, match=r"LONGTAIL_CORS_ORIGINS: .* is not an origin"):
        Settings.load()
