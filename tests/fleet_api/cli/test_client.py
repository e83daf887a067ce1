"""The command line's HTTP client: problems come back as the errors they were, pages are followed, tokens stay home."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fleet_api.client.client import ApiClient, open_client
from fleet_api.client.client_file import ClientFile, read_client_file, write_client_file
from triggers.contracts.problem import problem_of
from triggers.errors import (
    BudgetExhausted,
    Conflict,
    DiagnosticsError,
    Forbidden,
    InvalidInput,
    LeaseLost,
    LongtailError,
    ManifestInvalid,
    Misconfigured,
    NotFound,
    Overloaded,
    Unauthenticated,
    Unreachable,
)


class Api(ThreadingHTTPServer):
    """A server that answers what it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.status, self.body = 200, b"{}"
        self.announced_bytes: int | None = None
        self.asked: list[tuple[str, dict[str, list[str]], str | None]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        self.server.asked.append((parts.path, query, self.headers.get("Authorization")))
        body = self.server.body
        if parts.path == "/v1/clips":
            first = int(query.get("token", ["0"])[0])
            size = int(query["limit"][0])
            clips = [{"id": number} for number in range(first, min(first + size, 250))]
            body = json.dumps({"clips": clips, "next": str(first + size) if first + size < 250 else None}).encode()
        self.send_response(self.server.status)
        if self.server.announced_bytes is not None:
            self.send_header("Content-Length", str(self.server.announced_bytes))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return None


@pytest.fixture
def api() -> Iterator[Api]:
    server = Api()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(api: Api) -> Iterator[ApiClient]:
    with ApiClient(api.url, "lt_mine") as opened:
        yield opened


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (422, "invalid_input", InvalidInput),
        (422, "manifest_invalid", ManifestInvalid),
        (404, "not_found", NotFound),
        (409, "conflict", Conflict),
        (409, "lease_lost", LeaseLost),
        (401, "unauthenticated", Unauthenticated),
        (403, "forbidden", Forbidden),
        (503, "unreachable", Unreachable),
        (503, "overloaded", Overloaded),
        (500, "misconfigured", Misconfigured),
        (500, "internal", LongtailError),
        (422, "diagnostics", DiagnosticsError),
    ],
)
def test_a_problem_is_raised_as_the_error_it_was(
    api: Api, client: ApiClient, status: int, code: str, kind: type[LongtailError]
) -> None:
    document = {"status": status, "code": code, "detail": "what", "diagnostics": [], "retry_after_s": 3}
    api.status, api.body = status, json.dumps(document).encode()
    with pytest.raises(LongtailError, match="what") as caught:
        client.get("/v1/campaigns")
    assert type(caught.value) is kind


def test_a_refused_budget_keeps_its_accounts_and_when_to_come_back(api: Api, client: ApiClient) -> None:
    problem = problem_of(BudgetExhausted("m", accounts=("a",), campaigns=("c",), retry_after_s=60)).to_json()
    api.status, api.body = 403, json.dumps(problem).encode()
    with pytest.raises(BudgetExhausted) as caught:
        client.get("/v1/campaigns")
    assert (caught.value.accounts, caught.value.campaigns, caught.value.retry_after_s) == (("a",), ("c",), 60)


@pytest.mark.parametrize("body", [b"<html>502 Bad Gateway</html>", b"[1]", b""])
def test_an_answer_that_is_no_problem_document_is_told_with_its_status(
    api: Api, client: ApiClient, body: bytes
) -> None:
    api.status, api.body = 502, body
    with pytest.raises(Unreachable, match="answered 502"):
        client.get("/v1/campaigns")


def test_search_follows_pages_to_the_end_or_to_the_limit(api: Api, client: ApiClient) -> None:
    assert [clip["id"] for clip in client.search_clips("trigger = 'x'")] == list(range(250))
    assert [query.get("filter-lang") for _, query, _ in api.asked] == [["cql2-text"]] * 3
    assert [clip["id"] for clip in client.search_clips(None, limit=120)] == list(range(120))
    assert [query["limit"] for _, query, _ in api.asked[3:]] == [["100"], ["20"]]


def test_the_token_goes_to_the_api_and_to_nobody_else(api: Api, client: ApiClient) -> None:
    client.read("/objects/clips/a.mcap?signature=1")
    client.read(f"{api.url}/objects/clips/b.mcap")
    other = api.url.replace("127.0.0.1", "localhost")
    client.read(f"{other}/objects/clips/c.mcap")
    assert [authorization for _, _, authorization in api.asked] == ["Bearer lt_mine", "Bearer lt_mine", None]


def test_a_download_replaces_its_target_and_leaves_nothing_beside_it(
    api: Api, client: ApiClient, tmp_path: Path
) -> None:
    target = tmp_path / "clip.mcap"
    target.write_bytes(b"old")
    api.body = bytes(range(256)) * 4096
    client.download("/objects/clips/a.mcap", target)
    assert target.read_bytes() == api.body
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(("status", "kind"), [(200, Unreachable), (404, NotFound)])
def test_a_download_that_fails_leaves_what_was_there(
    api: Api, client: ApiClient, tmp_path: Path, status: int, kind: type[LongtailError]
) -> None:
    target = tmp_path / "clip.mcap"
    target.write_bytes(b"old")
    api.status, api.announced_bytes = status, 100 if status == 200 else None  # 200 is cut off after 2 of 100 bytes
    with pytest.raises(kind):
        client.download("/objects/clips/a.mcap", target)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("clip.mcap", b"old")]


def test_a_download_into_a_folder_that_is_not_there_names_it(client: ApiClient, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="nowhere"):
        client.download("/objects/clips/a.mcap", tmp_path / "nowhere" / "clip.mcap")


def test_reading_into_memory_has_a_limit(api: Api, client: ApiClient) -> None:
    api.body = b"x" * 1000
    assert client.read("/objects/signals", limit_bytes=1000) == api.body
    with pytest.raises(InvalidInput, match="more than 999 bytes"):
        client.read("/objects/signals", limit_bytes=999)


@pytest.mark.parametrize("url", ["not a url", "ftp://x", "http://[::1", "http://127.0.0.1:1"])
def test_an_address_that_cannot_work_is_named_with_its_setting(url: str) -> None:
    with ApiClient(url, "lt_x") as client, pytest.raises(LongtailError, match="LONGTAIL_API_URL"):
        client.get("/v1/campaigns")


def test_the_client_file_is_private_replaced_whole_and_read_back(tmp_path: Path) -> None:
    for token in ("lt_a", "lt_b"):
        content = ClientFile("http://127.0.0.1:1", "http://127.0.0.1:2", token)
        write_client_file(tmp_path, content)
        assert read_client_file(tmp_path) == content
    assert [path.name for path in tmp_path.iterdir()] == ["client.json"]
    assert (tmp_path / "client.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", '{"api_url": "x"}'])
def test_a_damaged_client_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "client.json").write_text(text)
    with pytest.raises(Misconfigured, match=r"client\.json"):
        open_client(None, None, tmp_path)
