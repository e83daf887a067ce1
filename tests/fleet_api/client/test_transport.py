"""The client's HTTP: problems come back as the errors they were, tokens stay home, odd answers and texts are errors."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from fleet_api.client import Client
from fleet_api.client.transport import on_this_machine
from tests.support.servers.certificates import write_server_certificate
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
    TooMany,
    Unauthenticated,
    Unreachable,
)


class Api(ThreadingHTTPServer):
    """A server that answers what it is told, and remembers what it was asked; over TLS for clients of an authority."""

    def __init__(self, cert_file: Path | None = None, client_ca_file: Path | None = None) -> None:
        self.status, self.body = 200, b"{}"
        self.announced_bytes: int | None = None
        self.asked: list[tuple[str, dict[str, list[str]], str | None]] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        self._scheme = "http" if cert_file is None else "https"
        if cert_file is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(cert_file)
            context.load_verify_locations(client_ca_file)
            context.verify_mode = ssl.CERT_REQUIRED
            self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        self.server.asked.append((parts.path, query, self.headers.get("Authorization")))
        self.send_response(self.server.status)
        if self.server.announced_bytes is not None:
            self.send_header("Content-Length", str(self.server.announced_bytes))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: Any) -> None:
        return None


@contextmanager
def serving(server: Api) -> Iterator[Api]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def api() -> Iterator[Api]:
    with serving(Api()) as server:
        yield server


@pytest.fixture
def client(api: Api) -> Iterator[Client]:
    with Client(api.url, "lt_mine") as opened:
        yield opened


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (422, "invalid_input", InvalidInput),
        (400, "invalid_input", InvalidInput),
        (422, "manifest_invalid", ManifestInvalid),
        (404, "not_found", NotFound),
        (409, "conflict", Conflict),
        (409, "lease_lost", LeaseLost),
        (401, "unauthenticated", Unauthenticated),
        (403, "forbidden", Forbidden),
        (503, "unreachable", Unreachable),
        (503, "overloaded", Overloaded),
        (503, "misconfigured", Misconfigured),
        (500, "internal", LongtailError),
        (422, "diagnostics", DiagnosticsError),
    ],
)
def test_a_problem_is_raised_as_the_error_it_was(
    api: Api, client: Client, status: int, code: str, kind: type[LongtailError]
) -> None:
    document = {"status": status, "code": code, "detail": "what", "diagnostics": [], "retry_after_s": 3}
    api.status, api.body = status, json.dumps(document).encode()
    with pytest.raises(LongtailError, match="what") as caught:
        client.outcomes.count()
    assert type(caught.value) is kind


def test_a_refused_budget_keeps_its_accounts_and_when_to_come_back(api: Api, client: Client) -> None:
    problem = problem_of(BudgetExhausted("m", accounts=("a",), campaigns=("c",), retry_after_s=60)).to_json()
    api.status, api.body = 403, json.dumps(problem).encode()
    with pytest.raises(BudgetExhausted) as caught:
        client.outcomes.count()
    assert (caught.value.accounts, caught.value.campaigns, caught.value.retry_after_s) == (("a",), ("c",), 60)


@pytest.mark.parametrize("body", [b"<html>502 Bad Gateway</html>", b"[1]", b""])
def test_a_refusal_without_a_problem_document_is_reported_with_its_status(
    api: Api, client: Client, body: bytes
) -> None:
    api.status, api.body = 502, body
    with pytest.raises(Unreachable, match="answered 502"):
        client.outcomes.count()


def test_the_token_goes_to_the_api_and_to_nobody_else(api: Api, client: Client) -> None:
    client.clips.read("/objects/clips/a.mcap?signature=1")
    client.clips.read(f"{api.url}/objects/clips/b.mcap")
    other = api.url.replace("127.0.0.1", "localhost")
    client.clips.read(f"{other}/objects/clips/c.mcap")
    assert [authorization for _, _, authorization in api.asked] == ["Bearer lt_mine", "Bearer lt_mine", None]


def test_a_download_replaces_its_target_and_leaves_nothing_beside_it(api: Api, client: Client, tmp_path: Path) -> None:
    target = tmp_path / "clip.mcap"
    target.write_bytes(b"old")
    api.body = bytes(range(256)) * 4096
    client.clips.download("/objects/clips/a.mcap", target)
    assert target.read_bytes() == api.body
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(("status", "kind"), [(200, Unreachable), (404, NotFound)])
def test_a_download_that_fails_leaves_what_was_there(
    api: Api, client: Client, tmp_path: Path, status: int, kind: type[LongtailError]
) -> None:
    target = tmp_path / "clip.mcap"
    target.write_bytes(b"old")
    api.status, api.announced_bytes = status, 100 if status == 200 else None  # 200 is cut off after 2 of 100 bytes
    with pytest.raises(kind):
        client.clips.download("/objects/clips/a.mcap", target)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("clip.mcap", b"old")]


def test_a_download_into_a_folder_that_is_not_there_names_it(client: Client, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="nowhere"):
        client.clips.download("/objects/clips/a.mcap", tmp_path / "nowhere" / "clip.mcap")


def test_reading_into_memory_has_a_limit(api: Api, client: Client) -> None:
    api.body = b"x" * 1000
    assert client.clips.read("/objects/signals", limit_bytes=1000) == api.body
    with pytest.raises(InvalidInput, match="more than 999 bytes"):
        client.clips.read("/objects/signals", limit_bytes=999)


@pytest.mark.parametrize("url", ["not a url", "ftp://x", "http://[::1", "http://", "", "http://127.0.0.1:1"])
def test_an_address_that_cannot_work_is_named_with_its_setting(url: str) -> None:
    with pytest.raises(LongtailError, match="LONGTAIL_API_URL"), Client(url, "lt_x") as client:
        client.outcomes.count()


@pytest.mark.parametrize("token", ["lt x", "lt_\n", "lt_\u00e9", "lt_\udcff"])
def test_a_token_that_no_header_can_hold_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(Misconfigured, match="LONGTAIL_TOKEN") as caught:
        Client("http://127.0.0.1:1", token)
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [b"<html>It works!</html>", b"", b"[]", b"\xff\xfe", b'{"outcomes": 1}', b"[" * 100_000, b'{"outcomes": []}'],
)
def test_an_answer_of_something_else_than_longtail_is_named_with_its_setting(
    api: Api, client: Client, body: bytes
) -> None:
    api.body = body
    with pytest.raises(Misconfigured, match=r"outcomes is not one of Longtail's API.*LONGTAIL_API_URL"):
        client.outcomes.count()


class Busy:
    """A server that asks to come again, until it has been asked often enough."""

    def __init__(self, status: int, refusals: int, *, code: str = "too_many", after_s: int = 3) -> None:
        self.asked: list[str] = []
        self._status, self._refusals, self._code, self._after_s = status, refusals, code, after_s

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.method)
        if len(self.asked) > self._refusals:
            return httpx.Response(200, json={"outcomes": [], "dead_letters": {}, "id": "a"})
        document = {"status": self._status, "code": self._code, "detail": "busy", "retry_after_s": self._after_s}
        return httpx.Response(self._status, json=document, headers={"Retry-After": str(self._after_s)})

    def client(self, patience_s: float = 30) -> Client:
        http = httpx.Client(transport=httpx.MockTransport(self))
        return Client("http://x", "lt_x", http=http, patience_s=patience_s)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that the client makes, which take no time."""
    made: list[float] = []
    monkeypatch.setattr("fleet_api.client.transport.time.sleep", made.append)
    return made


@pytest.mark.parametrize(("status", "code"), [(429, "too_many"), (503, "overloaded"), (503, "unreachable")])
def test_a_request_waits_as_the_answer_asks_and_is_sent_again(pauses: list[float], status: int, code: str) -> None:
    busy = Busy(status, 2, code=code)
    assert busy.client().outcomes.count().outcomes == []
    assert (busy.asked, pauses) == (["GET"] * 3, [3, 3])


def test_patience_ends(pauses: list[float]) -> None:
    busy = Busy(429, 100, after_s=12)
    with pytest.raises(TooMany) as caught:
        busy.client().outcomes.count()
    assert (len(busy.asked), pauses, caught.value.retry_after_s) == (3, [12, 12], 12)
    with pytest.raises(TooMany):
        busy.client(patience_s=0).outcomes.count()
    assert pauses == [12, 12]


def test_what_changes_something_is_sent_again_only_if_nothing_was_done(pauses: list[float]) -> None:
    refused = Busy(429, 1)
    refused.client().dead_letters.discard(1)
    assert refused.asked == ["POST", "POST"]
    unknown = Busy(503, 1, code="unreachable")
    with pytest.raises(Unreachable):
        unknown.client().dead_letters.discard(1)
    assert (unknown.asked, pauses) == (["POST"], [3])


def test_a_link_waits_likewise(pauses: list[float]) -> None:
    busy = Busy(503, 1, code="overloaded")
    assert busy.client().clips.read("/objects/a").startswith(b"{")
    assert (busy.asked, pauses) == (["GET", "GET"], [3])


def test_members_that_a_newer_server_adds_are_ignored(api: Api, client: Client) -> None:
    api.body = b'{"outcomes": [], "dead_letters": {"fire_reused": 2}, "since": 7}'
    assert client.outcomes.count().dead_letters == {"fire_reused": 2}


def test_parameters_keep_their_names_and_those_without_value_are_left_out(api: Api, client: Client) -> None:
    api.body = b'{"clips": [], "next": null}'
    assert list(client.clips.search("id = 'a'", limit=3)) == []
    assert list(client.clips.search(sortby="size_bytes")) == []
    assert [query for _, query, _ in api.asked] == [
        {"filter": ["id = 'a'"], "filter-lang": ["cql2-text"], "limit": ["3"]},
        {"sortby": ["size_bytes"], "limit": ["100"]},
    ]


@pytest.mark.parametrize("name", ["", ".", "..", "\udcff", "x" * 100_000])
def test_a_text_that_no_path_can_hold_is_refused_before_anything_is_sent(api: Api, client: Client, name: str) -> None:
    with pytest.raises(InvalidInput):
        client.campaigns.versions(name)
    assert api.asked == []


def test_a_name_with_signs_of_a_path_stays_one_segment(api: Api, client: Client) -> None:
    api.body = b'{"campaign": "a", "versions": []}'
    client.campaigns.versions("..a?b#c%2f")
    assert api.asked[0][0] == "/v1/campaigns/..a%3Fb%23c%252f"


@pytest.mark.parametrize("filter_text", ["id = '\udcff'", "x" * 1_000_000])
def test_a_filter_that_cannot_be_sent_is_refused(client: Client, filter_text: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be sent"):
        list(client.clips.search(filter_text))


def deep(levels: int) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for _ in range(levels):
        document = {"a": document}
    return document


@pytest.mark.parametrize("document", [{"a": "\udcff"}, deep(100_000)], ids=["surrogate", "deep"])
def test_a_document_that_json_cannot_hold_is_refused(client: Client, document: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        client.labels.complete(1, 1, document)


def test_a_request_that_breaks_a_rule_names_the_value(client: Client) -> None:
    with pytest.raises(InvalidInput, match="count"):
        client.labels.claim("auto", "me", count=101)


@pytest.mark.parametrize("url", ["http://127.0.0.1/\udce9", "http://[::1", "127.0.0.1:8080", "ftp://x"])
def test_an_address_that_cannot_be_one_is_named(url: str) -> None:
    with pytest.raises(Misconfigured, match="LONGTAIL_API_URL"):
        Client(url, "lt_1")


@pytest.mark.parametrize(
    ("url", "is_here"),
    [
        ("http://localhost:8080", True),
        ("http://127.0.0.1:8080/longtail", True),
        ("http://127.8.9.10", True),
        ("http://[::1]:8080", True),
        ("http://127.evil.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://localhost.evil.example", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_only_this_machine_is_reached_without_the_proxies_of_the_environment(url: str, is_here: bool) -> None:
    assert on_this_machine(url) is is_here


def test_what_a_link_leads_to_is_shown_the_certificate_and_may_be_of_the_authority_that_are_given(
    api: Api, tmp_path: Path
) -> None:
    ca, own = tmp_path / "ca.pem", tmp_path / "own.pem"
    write_server_certificate(ca, own)
    with serving(Api(own, ca)) as store:
        store.body = b"of the clip"
        link = f"{store.url}/objects/a"
        with Client(api.url, "lt_x", ca_file=ca, client_cert_file=own) as client:
            assert client.clips.read(link) == b"of the clip"
        assert store.asked == [("/objects/a", {}, None)], "without the token"
        for ca_file, shown in ((None, own), (ca, None)):
            refused = Client(api.url, "lt_x", ca_file=ca_file, client_cert_file=shown)
            with refused as client, pytest.raises(Unreachable):
                client.clips.read(link)


def test_authorities_that_cannot_be_read_are_told_by_what_names_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_server_certificate(tmp_path / "ca.pem", tmp_path / "own.pem")
    with pytest.raises(Misconfigured, match=r"nowhere\.pem") as refused:
        Client("https://fleet.example", "lt_x", ca_file=Path("nowhere.pem"))
    assert "LONGTAIL_CA_FILE" in refused.value.remedy
    monkeypatch.setenv("SSL_CERT_FILE", "nowhere.pem")
    with pytest.raises(Misconfigured, match="SSL_CERT_FILE"):
        Client("https://fleet.example", "lt_x", client_cert_file=tmp_path / "own.pem")
