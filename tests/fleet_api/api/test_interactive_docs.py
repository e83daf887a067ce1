"""The interactive documentation: everything comes from this host, and the policy allows nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.applications import api_application


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    app = api_application(tmp_path_factory.mktemp("api"), gateway_url="https://ingest.example/x")
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_the_page_loads_files_of_this_host_only(api: TestClient) -> None:
    page = api.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) == 4
    for address in addresses:
        assert "//" not in address
        found = api.get(f"/{address}")
        assert (found.status_code, found.headers["x-content-type-options"]) == (200, "nosniff")
    assert len(api.get("/docs/swagger-ui-bundle.js").content) > 10**6


def test_the_policy_is_strict(api: TestClient) -> None:
    policy = api.get("/docs").headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "connect-src 'self' https://ingest.example;" in policy
    assert "unsafe" not in policy
    assert "<script>" not in api.get("/docs").text


def test_the_page_shows_the_document_of_this_api(api: TestClient) -> None:
    assert 'url: "openapi.json"' in api.get("/docs/start.js").text
    document = api.get("/openapi.json")
    assert document.status_code == 200 and document.json()["info"]["title"] == "Longtail"


def test_who_has_the_document_already_is_told_so(api: TestClient) -> None:
    document = api.get("/openapi.json")
    again = api.get("/openapi.json", headers={"If-None-Match": document.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", document.headers["etag"])
    assert api.get("/openapi.json", headers={"If-None-Match": '"another"'}).content == document.content


def test_the_document_is_built_once_for_all_who_wait_for_it(tmp_path: Path) -> None:
    app = api_application(tmp_path)
    build, built = app.openapi, []
    app.openapi = lambda: built.append(1) or build()  # type: ignore[method-assign]
    with TestClient(app) as client, ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: client.get("/openapi.json").content, range(8)))
    assert len(set(answers)) == 1 and len(built) == 1


def test_a_document_that_could_not_be_built_is_built_again_for_the_next_who_asks(tmp_path: Path) -> None:
    app = api_application(tmp_path)
    build, defects = app.openapi, [RuntimeError("there was no memory")]

    def at_second_try() -> dict[str, Any]:
        if defects:
            raise defects.pop()
        return build()

    app.openapi = at_second_try  # type: ignore[method-assign]
    with TestClient(app, raise_server_exceptions=False) as client:
        assert [client.get("/openapi.json").status_code for _ in range(2)] == [500, 200]


def test_other_files_of_the_package_are_not_served(api: TestClient) -> None:
    for path in ("/docs/redoc.standalone.js", "/docs/..%2Fcore.py", "/docs/x"):
        assert api.get(path).status_code == 404
