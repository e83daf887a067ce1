"""Query parameters: unknown and repeated ones are refused by name, with the nearest known names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from tests.support.applications import api_application, gateway_application

TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with TestClient(api_application(tmp_path_factory.mktemp("api")), raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "detail", "remedy"),
    [
        ("/v1/clips?filter_lang=cql2-json", "unknown query parameter 'filter_lang'", "did you mean filter-lang"),
        ("/v1/clips?sort=start", "unknown query parameter 'sort'", "did you mean sortby?"),
        ("/v1/vehicles?offset=3", "unknown query parameter 'offset'", "the known parameters are after, limit"),
        ("/v1/clips?limit=1&limit=2", "the query parameter 'limit' is sent twice", "send it once"),
        ("/v1/campaigns/x?y=1", "unknown query parameter 'y'", "this address takes no query parameters"),
        ("/healthz?x", "unknown query parameter 'x'", "this address takes no query parameters"),
        ("/readyz?x=1", "unknown query parameter 'x'", "this address takes no query parameters"),
        (f"/v1/clips?{'x' * 1000}=1", f"unknown query parameter {'x' * 64!r}", "the known parameters are "),
    ],
)
def test_what_a_route_does_not_know_is_refused(api: TestClient, path: str, detail: str, remedy: str) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert answer.json()["detail"] == detail
    assert answer.json()["remedy"].startswith(remedy)


def test_what_a_dependency_knows_is_known(api: TestClient) -> None:
    answer = api.get("/objects/a?expires=1&signature=x")
    assert answer.json()["code"] != "invalid_input"


def test_the_gateway_takes_no_query_parameters() -> None:
    with TestClient(gateway_application(), raise_server_exceptions=False) as gateway:
        for answer in (gateway.post("/v1/uploads?x=1", headers=TUS), gateway.get("/healthz?x=1")):
            assert (answer.status_code, answer.json()["detail"]) == (422, "unknown query parameter 'x'")
