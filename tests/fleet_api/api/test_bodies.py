"""Bodies of requests to the API: what they hold in memory is bounded per caller, and so is what is made of them."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import httpx
import pytest

from ingest.http.server.connections import ConnectionLimits
from ingest.http.server.serve import listen, server
from tests.fleet_api.api_server import Api
from tests.support.waiting import wait_for

MIB = 1024**2


@pytest.fixture
def address(api: Api) -> Iterator[tuple[str, int]]:
    """The API behind its own server; the budget of bodies is at `server.config.app`."""
    with serving(api) as where:
        yield where


@contextmanager
def serving(api: Api) -> Iterator[tuple[str, int]]:
    listener = listen("127.0.0.1", 0, setting="")
    running = server(api.app, ConnectionLimits(100, 100))
    running.config.lifespan = "off"  # the application runs already
    thread = threading.Thread(target=running.run, args=([listener],))
    thread.start()
    try:
        wait_for(lambda: running.started, within_s=20, what="the server's start")
        yield listener.getsockname()[:2]
    finally:
        running.should_exit = True
        thread.join(60)


def send_all(connection: socket.socket, data: bytes) -> None:
    with suppress(OSError):  # the server may have refused it by then
        connection.sendall(data)


def begin(address: tuple[str, int], headers: dict[str, str], size: int) -> socket.socket:
    """Begin a request to apply a campaign, with a body that is announced but not sent."""
    connection = socket.create_connection(address, timeout=60)
    own = {"Host": "x", **headers, "Content-Type": "application/json", "Content-Length": str(size)}
    lines = ["POST /v1/campaigns HTTP/1.1", *(f"{name}: {value}" for name, value in own.items()), "", ""]
    connection.sendall("\r\n".join(lines).encode())
    return connection


def test_bodies_that_never_end_hold_a_callers_share_and_no_more(api: Api, address: tuple[str, int]) -> None:
    size, bodies = 16 * MIB, api.app.state.bodies
    with ExitStack() as held:
        for _ in range(6):
            connection = held.enter_context(begin(address, api.as_("author"), size))
            sender = threading.Thread(target=send_all, args=(connection, b" " * (size - 1)))
            sender.start()
            held.callback(sender.join)
        wait_for(lambda: bodies.held_bytes >= bodies.share_bytes, within_s=30, what="a full share")
        assert bodies.held_bytes <= bodies.share_bytes + size
        url = f"http://{address[0]}:{address[1]}/v1/label-jobs/claim"
        claimed = httpx.post(url, json={"task": "t", "worker": "w"}, headers=api.as_("labeler"), timeout=30)
        assert claimed.status_code in {200, 422}, claimed.text
    wait_for(lambda: bodies.held_bytes == 0, within_s=30, what="the end of all bodies")


@pytest.mark.parametrize(
    ("path", "role", "size"),
    [("/v1/label-jobs/1/complete", "labeler", 4 * MIB), ("/v1/campaigns", "author", 16 * MIB)],
)
def test_more_bytes_than_a_route_takes_are_refused(api: Api, path: str, role: str, size: int) -> None:
    headers = {**api.as_(role), "Content-Type": "application/json"}
    answer = api.client.post(path, content=b" " * (size + 1), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert str(size) in answer.json()["detail"]


def test_a_body_that_is_cut_is_one_line_in_the_log(
    api: Api, address: tuple[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        begin(address, api.as_("author"), 1000).close()
        wait_for(lambda: "client disconnected" in caplog.text, within_s=10, what="the line about the cut body")
    (server,) = {record.thread for record in caplog.records if "client disconnected" in record.getMessage()}
    of_server = [record for record in caplog.records if record.thread == server]  # other threads may be of other tests
    assert all(record.levelname == "INFO" and not record.exc_info for record in of_server), caplog.text


def test_a_small_document_of_very_many_values_is_refused_before_it_is_built(api: Api) -> None:
    body = b'{"token":1,"openlabel":{"a":[' + b"{}," * 300_000 + b"{}]}}"
    headers = {**api.as_("labeler"), "Content-Type": "application/json"}
    answer = api.client.post("/v1/label-jobs/1/complete", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "values" in answer.json()["detail"]
    assert json.loads(body), "it is JSON"
