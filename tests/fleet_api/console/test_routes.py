"""The console as it is served: its page at every address, its files, what browsers may do, and when it is not built."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fleet_api.console import built, page, routes
from tests.support.applications import api_application

SETTINGS = re.compile(r'name="longtail-settings" content="([^"]*)"')


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, built_console: None) -> Iterator[TestClient]:
    with TestClient(api_application(tmp_path_factory.mktemp("api")), raise_server_exceptions=False) as client:
        yield client


def told(answer: Any) -> Any:
    """The settings in a page's head."""
    (content,) = SETTINGS.findall(answer.text)
    return json.loads(unescape(content))


@pytest.mark.parametrize("path", ["/console", "/console/", "/console/campaigns/braking?tab=funnel", "/console/x/y/z"])
def test_every_address_below_console_is_the_application(served: TestClient, path: str) -> None:
    answer = served.get(path)
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store" and '<div id="app">' in answer.text
    assert (told(answer)["provider"], told(answer)["authorCatalogs"]) == (False, False)


def test_who_opens_the_api_gets_to_the_console(served: TestClient) -> None:
    answer = served.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/console")


def test_the_page_loads_files_that_may_be_cached_for_ever(served: TestClient) -> None:
    addresses = re.findall(r'(?:src|href)="(/console/assets/[^"]+)"', served.get("/console/clips").text)
    assert addresses
    for address in addresses:
        plain = served.get(address, headers={"Accept-Encoding": "identity"})
        assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert plain.headers["content-type"].split(";")[0] in ("text/javascript", "text/css")
        assert plain.headers["x-content-type-options"] == "nosniff" and plain.headers["vary"] == "Accept-Encoding"
        found = built.file(address.removeprefix("/console/"))
        assert found is not None and plain.content == found.content
        if found.compressed is not None:
            assert served.get(address).headers["content-encoding"] == "gzip"
            assert gzip.decompress(found.compressed) == found.content and len(found.compressed) < len(found.content)


@pytest.mark.parametrize("path", ["assets/../../page.py", "assets/index-old.js", "assets/%2e%2e/%2e%2e/page.py"])
def test_a_file_of_another_build_and_one_outside_are_not_there(served: TestClient, path: str) -> None:
    assert "import" not in served.get(f"/console/{path}").text
    assert served.get("/console/assets/index-old.js").status_code == 404


def test_the_policy_allows_files_of_this_origin_and_nothing_in_the_page(served: TestClient) -> None:
    headers = served.get("/console").headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["worker-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"] and "*" not in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer" and headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin" and "camera=()" in headers["permissions-policy"]
    text = served.get("/console").text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", text)


def test_below_a_proxys_prefix_files_and_requests_are_below_it_too(tmp_path: Path, built_console: None) -> None:
    app = api_application(tmp_path, api_url="https://fleet.example/longtail")
    with TestClient(app, "https://fleet.example", raise_server_exceptions=False) as client:
        answer = client.get("/longtail/console/clips")
        assert told(answer)["prefix"] == "/longtail"
        (script,) = re.findall(r'src="([^"]+)"', answer.text)
        assert script.startswith("/longtail/console/assets/") and client.get(script).status_code == 200
        assert client.get("/longtail/", follow_redirects=False).headers["location"] == "/longtail/console"


def test_a_map_server_and_a_bucket_are_the_only_others_that_pages_may_ask(tmp_path: Path, built_console: None) -> None:
    app = api_application(
        tmp_path,
        map_style_url="https://maps.example/styles/plain.json?key=a&b",
        objects_url="s3://clips?endpoint=https://s3.example&region=eu-central-1",
        objects_access_key="a",
        objects_secret_key="b",
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/console")
    assert told(answer)["mapStyleUrl"] == "https://maps.example/styles/plain.json?key=a&b"
    policy = answer.headers["content-security-policy"]
    assert "connect-src 'self' https://maps.example https://s3.example;" in policy
    assert "script-src 'self';" in policy


def test_where_it_is_not_built_a_plain_page_says_how(served: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(built, "index", lambda: None)
    monkeypatch.setattr(built, "file", lambda name: None)
    answer = served.get("/console/campaigns")
    assert answer.status_code == 200 and built.HOW_TO_BUILD in answer.text
    assert built.address("http://127.0.0.1:8080").startswith("not built")
    assert page.page_of is routes.page_of


def test_a_build_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert built.index(tmp_path / "none") is None
    assert built.names(tmp_path / "none") == frozenset()
    assert built.file("index.html", tmp_path / "none") is None
