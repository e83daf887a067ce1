"""Below a proxy's path: found with the prefix and without it, and every address that is given keeps it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.support.applications import api_application, gateway_application

API = "https://fleet.example/longtail/api"
GATEWAY = "https://fleet.example/longtail/ingest/"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return api_application(tmp_path_factory.mktemp("api"), api_url=API, gateway_url=GATEWAY)


@pytest.fixture(scope="module")
def api(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_the_prefix_may_be_passed_on_or_removed(api: TestClient) -> None:
    for prefix in ("", "/longtail/api"):
        assert api.get(f"{prefix}/healthz").status_code == 200
        assert api.options(f"{prefix}/v1/campaigns").headers["allow"] == "GET, HEAD, OPTIONS, POST"
        assert api.get(f"{prefix}/docs/start.js").status_code == 200
    assert api.get("/longtail/apiary").status_code == 404
    to_the_console = api.get("/longtail/api", follow_redirects=False)
    assert (to_the_console.status_code, to_the_console.headers["location"]) == (307, "/longtail/api/console")


def test_the_document_names_the_addresses_below_the_prefix(api: TestClient) -> None:
    document = api.get("/longtail/api/openapi.json").json()
    assert [server["url"] for server in document["servers"]] == ["/longtail/api", API]
    assert "/v1/campaigns" in document["paths"]
    assert document["paths"]["/v1/uploads"]["servers"][0]["url"] == GATEWAY.rstrip("/")


def test_links_to_objects_keep_the_prefix(app: FastAPI, api: TestClient) -> None:
    store = app.state.services.store
    store.put("clips/a.mcap", b"data")
    link = store.link("clips/a.mcap", expires_s=60)
    assert link.startswith(f"{API}/objects/clips/a.mcap?")
    for address in (link, link.replace("/longtail/api", "")):
        assert api.get(address).content == b"data"


def test_the_gateway_is_found_below_its_prefix() -> None:
    with TestClient(gateway_application(gateway_url=GATEWAY), raise_server_exceptions=False) as gateway:
        for prefix in ("", "/longtail/ingest"):
            answer = gateway.options(f"{prefix}/v1/uploads")
            assert (answer.status_code, answer.headers["tus-resumable"]) == (204, "1.0.0")
