"""The server of API and gateway against clients that send half a head, no body, or rubbish, or do not read."""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import select
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ingest.http.server.connections import ConnectionLimits, Connections
from ingest.http.server.newcomers import LONGEST_S, Newcomers
from ingest.http.server.protocol import BoundedProtocol, Deadlines
from ingest.http.server.serve import AcceptErrors, listen, server
from tests.support.processes import python_process, read_line
from tests.support.waiting import wait_for
from triggers.errors import Misconfigured

QUICK = Deadlines(head_s=0.3, body_silence_s=0.3, reader_s=0.3)
PATIENT = Deadlines(head_s=60, body_silence_s=60, reader_s=60)
HALF_A_HEAD = b"HEAD /v1/uploads/x HTTP/1.1\r\nX: "
ANSWER_BYTES = 64 * 1024**2


async def size(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def large(_request: Request) -> Response:
    return Response(bytes(ANSWER_BYTES))


async def later(_request: Request) -> Response:
    """The second in which it answers, which is not that of its request."""
    began_s = int(time.time())
    while int(time.time()) == began_s:
        await asyncio.sleep(0.01)
    return PlainTextResponse(str(int(time.time())))


def application() -> Starlette:
    routes = [Route("/size", size, methods=["GET", "POST"]), Route("/large", large), Route("/later", later)]
    return Starlette(routes=routes)


@contextmanager
def running(limits: ConnectionLimits, deadlines: Deadlines, app: Starlette | None = None) -> Iterator[tuple[str, int]]:
    listener = listen("127.0.0.1", 0, setting="")
    running = server(app or application(), limits, deadlines)
    thread = threading.Thread(target=running.run, args=([listener],))
    thread.start()
    try:
        wait_for(lambda: running.started, within_s=10, what="the server's start")
        yield listener.getsockname()[:2]
    finally:
        running.should_exit = True
        thread.join(60)


def connect(address: tuple[str, int], *, from_host: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(address, timeout=60, source_address=(from_host, 0))


def get(address: tuple[str, int]) -> int:
    return httpx.get(f"http://{address[0]}:{address[1]}/size", timeout=60).status_code


def everything(connection: socket.socket) -> bytes:
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionError:
        pass
    return received


@pytest.mark.parametrize("begin", [b"", HALF_A_HEAD])
def test_half_a_head_is_given_up_with_a_reason(begin: bytes) -> None:
    with running(ConnectionLimits(100, 100), QUICK) as address, connect(address) as connection:
        connection.sendall(begin)
        head, _, body = everything(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert json.loads(body)["code"] == "http_408"


def test_half_a_head_after_an_answer_is_given_up_too() -> None:
    with running(ConnectionLimits(100, 100), QUICK) as address, connect(address) as connection:
        connection.sendall(b"GET /size HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.sendall(HALF_A_HEAD)
        assert b"HTTP/1.1 408 " in everything(connection)


def test_a_silent_body_is_given_up() -> None:
    with running(ConnectionLimits(100, 100), QUICK) as address, connect(address) as connection:
        connection.sendall(b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123")
        assert everything(connection) == b""


@pytest.mark.parametrize("sent", [b"123", b"1234567890"], ids=["a part", "all of it"])
def test_what_came_of_a_body_that_is_cut_is_read_before_the_cut(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    """However late the application is at it: what a vehicle has sent over a bad connection need not be sent again."""
    cut, read, came = threading.Event(), threading.Event(), bytearray()
    lost = BoundedProtocol.connection_lost

    def noted(self: BoundedProtocol, exc: Exception | None) -> None:
        lost(self, exc)
        cut.set()

    async def reads_late(request: Request) -> Response:
        while not cut.is_set():
            await asyncio.sleep(0.01)
        with suppress(ClientDisconnect):
            async for piece in request.stream():
                came.extend(piece)
        read.set()
        return Response()

    monkeypatch.setattr(BoundedProtocol, "connection_lost", noted)
    app = Starlette(routes=[Route("/late", reads_late, methods=["POST"])])
    with running(ConnectionLimits(100, 100), PATIENT, app) as address:
        with connect(address) as connection:
            connection.sendall(b"POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n" + sent)
        assert read.wait(60)
    assert came == sent


def test_a_client_that_does_not_read_is_given_up() -> None:
    with running(ConnectionLimits(100, 100), QUICK) as address, connect(address) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        threading.Event().wait(2)  # the client sleeps, which is what is tested
        assert len(everything(connection)) < ANSWER_BYTES


def test_the_rest_of_a_body_that_was_refused_does_not_come_for_ever() -> None:
    with running(ConnectionLimits(100, 100), QUICK) as address, connect(address) as connection:
        connection.sendall(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
        connection.settimeout(0.05)
        answer, cut = b"", False
        for _ in range(400):
            try:
                connection.sendall(b"x")
                answer += connection.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                cut = True
                break
        assert cut
        answer += everything(connection)  # where the cut was noticed before the answer was read
        assert answer.startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA b: c\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nLong: " + b"a" * 100_000, 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/3\r\n\r\n", 400),
    ],
)
def test_what_is_not_http_is_refused_with_a_problem_document(sent: bytes, status: int) -> None:
    with running(ConnectionLimits(100, 100), PATIENT) as address, connect(address) as connection:
        connection.sendall(sent)
        head, _, body = everything(connection).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status)
        problem = json.loads(body)
        assert problem["detail"]
        assert problem["remedy"]
        assert get(address) == 200


def test_an_answers_date_is_of_its_own_second_however_long_the_request_took() -> None:
    with running(ConnectionLimits(100, 100), PATIENT) as (host, port):
        answer = httpx.get(f"http://{host}:{port}/later", timeout=60)
    (date,) = answer.headers.get_list("Date")
    assert int(answer.text) <= parsedate_to_datetime(date).timestamp() <= time.time()


def test_a_connection_that_ends_with_a_problem_is_told_the_time_too() -> None:
    with running(ConnectionLimits(100, 100), QUICK) as address, connect(address) as connection:
        head, _, _ = everything(connection).partition(b"\r\n\r\n")
    (date,) = (line for line in head.decode().split("\r\n") if line.startswith("Date: "))
    assert abs(parsedate_to_datetime(date.removeprefix("Date: ")).timestamp() - time.time()) < 60


def test_a_new_connection_takes_the_place_of_one_that_only_waits() -> None:
    with running(ConnectionLimits(total=5, per_address=5), PATIENT) as address, ExitStack() as held:
        waiting = [held.enter_context(connect(address)) for _ in range(20)]
        for connection in waiting:
            try:
                connection.sendall(HALF_A_HEAD)
            except ConnectionError:
                continue  # it made room already
        for _ in range(10):
            assert get(address) == 200


def test_one_address_cannot_take_the_places_of_others() -> None:
    with running(ConnectionLimits(total=10, per_address=4), PATIENT) as address, ExitStack() as held:
        honest = held.enter_context(connect(address))
        for _ in range(30):
            held.enter_context(connect(address, from_host="127.0.0.2"))
        honest.sendall(b"GET /size HTTP/1.1\r\nHost: x\r\n\r\n")
        assert honest.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_a_request_under_way_is_never_closed_for_another_one() -> None:
    with running(ConnectionLimits(total=2, per_address=2), PATIENT) as address, ExitStack() as held:
        working = [held.enter_context(connect(address)) for _ in range(2)]
        for connection in working:
            connection.sendall(b"POST /size HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        refused = everything(held.enter_context(connect(address)))
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: " in refused
        for connection in working:
            connection.sendall(b"123")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert get(address) == 200


def test_new_connections_of_one_address_are_heard_at_its_rate_and_those_of_others_at_once() -> None:
    limits = ConnectionLimits(100, 100, new_per_s=1)
    with running(limits, PATIENT) as address, ExitStack() as held:
        many = [held.enter_context(connect(address, from_host="127.0.0.2")) for _ in range(7)]
        for connection in many:
            connection.sendall(b"GET /size HTTP/1.1\r\nHost: x\r\n\r\n")
        for connection in many[:5]:
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert get(address) == 200
        assert not select.select(many[6:], [], [], 0)[0]  # it has two seconds to wait
        for connection in many[5:]:
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_new_connections_of_a_proxy_do_not_wait() -> None:
    bounds = Connections(ConnectionLimits(1000, 2, ("a",), new_per_s=1))
    assert {bounds.opened(Noted(), "a") for _ in range(100)} == {0.0}


def test_a_line_of_newcomers_moves_evenly_and_is_forgotten_by_those_who_left() -> None:
    now = [1000.0]
    newcomers = Newcomers(2, monotonic_s=lambda: now[0])
    assert [newcomers.wait_s("a") for _ in range(12)] == [0.0] * 10 + [0.5, 1.0]
    assert newcomers.wait_s("b") == 0.0
    assert max(newcomers.wait_s("a") for _ in range(1000)) == LONGEST_S
    now[0] += LONGEST_S + 1.0
    assert newcomers.wait_s("a") == 0.0


class Noted:
    def __init__(self) -> None:
        self.ended = ""

    def make_room(self) -> None:
        self.ended = "made room"

    def refuse(self) -> None:
        self.ended = "refused"


@pytest.mark.parametrize("sent", [b"", HALF_A_HEAD, b"GET /size HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_a_closed_connection_leaves_no_garbage_to_collect(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    """Collecting what a flood leaves takes a tenth of a second, in which nobody is answered."""
    count, alive = 3, weakref.WeakSet[object]()
    made = BoundedProtocol.connection_made

    def watched(self: BoundedProtocol, transport: asyncio.Transport) -> None:
        made(self, transport)
        alive.update((self, self.conn, transport))

    monkeypatch.setattr(BoundedProtocol, "connection_made", watched)
    with running(ConnectionLimits(100, 100), PATIENT) as address:
        gc.disable()
        try:
            for _ in range(count):
                with connect(address) as connection:
                    connection.sendall(sent)
                    wait_for(lambda: len(alive) > 0, within_s=10, what="a connection")
                    if sent.endswith(b"\r\n\r\n"):
                        select.select([connection], [], [], 10)  # the answer is there, and is not read
                wait_for(lambda: not alive, within_s=10, what="its end")
        finally:
            gc.enable()


def test_the_address_with_most_connections_makes_room_first_and_its_oldest_does() -> None:
    bounds = Connections(ConnectionLimits(total=4, per_address=4))
    one, many = Noted(), [Noted() for _ in range(3)]
    bounds.opened(one, "a")
    for each in many:
        bounds.opened(each, "b")
    bounds.works(many[0])
    bounds.opened(newcomer := Noted(), "c")
    assert [each.ended for each in (one, *many, newcomer)] == ["", "", "made room", "", ""]
    assert len(bounds) == 4
    for each in (one, *many, newcomer):
        bounds.closed(each)
    assert len(bounds) == 0


LOW = """
import os, resource, sys
os.dup2(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT), 2)
resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
from ingest.http.server.connections import ConnectionLimits
from ingest.http.server.serve import listen, serve
from tests.ingest.http.test_server import application
listener = listen("127.0.0.1", 0, setting="")
print(listener.getsockname()[1], flush=True)
serve(application(), listener, ConnectionLimits.of_process(2000, 2000, new_per_s=1000))
"""


def test_a_process_with_few_open_files_answers_while_half_heads_flood_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft > 300 or hard > 300
    with python_process("-c", LOW, str(log)) as process, ExitStack() as held:
        address = ("127.0.0.1", int(read_line(process)))
        for _ in range(260):
            connection = held.enter_context(connect(address))
            try:
                connection.sendall(HALF_A_HEAD)
            except ConnectionError:
                continue
        assert [get(address) for _ in range(5)] == [200] * 5
        process.terminate()
        process.wait(30)
    assert "Traceback" not in log.read_text()
    assert log.stat().st_size < 4000


def test_the_limit_of_open_files_is_raised_at_the_start() -> None:
    script = (
        "import resource; hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1];"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard));"
        "from ingest.http.server.connections import raise_open_files; print(raise_open_files(), hard)"
    )
    raised, hard = map(int, subprocess.check_output([sys.executable, "-c", script]).split())
    assert raised == min(hard, 65_536) or hard < 0


def test_an_error_of_accepting_is_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    handler = AcceptErrors()
    for _ in range(3):
        handler(None, {"message": "socket.accept() out of system resource", "exception": OSError(24, "Too many")})  # type: ignore[arg-type]
    assert caplog.text.count("cannot accept connections") == 1


@pytest.mark.parametrize("host", ["", "999.1.1.1", "192.0.2.7"])
def test_an_address_that_is_not_this_machines_is_not_taken_for_a_port_in_use(host: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        listen(host, 0, setting="LONGTAIL_API_PORT or --port")
    assert "LONGTAIL_API_HOST" in caught.value.remedy and "PORT" not in caught.value.remedy
