"""Query parameters: unknown and repeated ones are refused by name, with the nearest known names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from fleet_api.api.routers import ROUTERS
from fleet_api.http.routing import ApiRoute
from tests.support.applications import api_application, gateway_application
from tests.support.foreign_words import FOREIGN_WORDS

TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    application = api_application(tmp_path_factory.mktemp("api"), requests_per_address=1e6)
    with TestClient(application, raise_server_exceptions=False) as client:
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
    status = 400 if path.startswith("/v1/clips") else 422
    assert (answer.status_code, answer.json()["code"]) == (status, "invalid_input")
    assert answer.json()["detail"] == detail
    assert answer.json()["remedy"].startswith(remedy)


ODD_NUMBERS = ("1_0", "+5", " 5", "5 ", "05", "1.0", "\uff15", "\u0665", "", "x", "0x10", "1e2", "2026-1-31")


def test_every_number_and_day_in_an_address_is_written_in_one_way(api: TestClient) -> None:
    tried = 0
    for route in api_routes():
        for name in route.forms:
            for odd in ODD_NUMBERS:
                in_path = f"{{{name}}}" in route.path
                if in_path and not odd:
                    continue
                path = route.path.replace(f"{{{name}}}", quote(odd)) if in_path else route.path
                query = {} if in_path else {name: odd}
                method = min(route.methods - {"HEAD"})
                answer = api.request(method, re.sub(r"\{\w+\}", "1", path), params=query)
                assert answer.status_code == route.refused_status, (path, odd, answer.text)
                assert answer.json()["detail"].startswith(f"{name}: {odd!r} is not a "), (path, odd)
                tried += 1
    assert tried > 100


def test_parameters_are_refused_in_words_of_ours(api: TestClient) -> None:
    odd = ("", "x" * 300, "0", "-1", "9" * 30, "unknown", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"))
    seen = 0
    for route in api_routes():
        for name in route.known_query | set(route.forms):
            for value in odd:
                path = re.sub(r"\{\w+\}", quote(value) or "1", route.path)
                query = {name: value} if name in route.known_query else {}
                answer = api.request(min(route.methods - {"HEAD"}), path, params=query)
                assert not FOREIGN_WORDS.search(answer.text), (path, query, answer.text)
                seen += answer.status_code == route.refused_status
    assert seen > 30


def api_routes() -> list[ApiRoute]:
    found = [route for router in ROUTERS for route in router.routes if isinstance(route, ApiRoute)]
    assert len(found) > 20
    return found


def test_what_a_dependency_knows_is_known(api: TestClient) -> None:
    answer = api.get("/objects/a?expires=1&signature=x")
    assert answer.json()["code"] != "invalid_input"


def test_the_gateway_takes_no_query_parameters() -> None:
    with TestClient(gateway_application(), raise_server_exceptions=False) as gateway:
        for answer in (gateway.post("/v1/uploads?x=1", headers=TUS), gateway.get("/healthz?x=1")):
            assert (answer.status_code, answer.json()["detail"]) == (422, "unknown query parameter 'x'")
