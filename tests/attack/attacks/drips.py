"""Drips: connections, heads, bodies and readers that take their time, to hold what others need."""

from __future__ import annotations

import contextlib
import resource
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import psutil

from tests.attack.attack import Attack, Notes
from tests.attack.target import ATTACKERS_ADDRESS, StolenVehicle, Target
from tests.support.load.wire import Answer, request_of
from tests.support.waiting import let_pass
from triggers.contracts.clip import CELL_BYTES
from triggers.contracts.limits import MAX_TELEMETRY_BYTES

IDLE = 1100
VEHICLES = 6
DROP_EVERY_S = 1.0
_TUS = {"Tus_Resumable": "1.0.0"}
_JSON = {"Content_Type": "application/json"}


def idle_connections_by_the_thousand(target: Target, notes: Notes, seconds: float) -> None:
    """Nothing is sent. Each takes an open file of the server."""
    for url in (target.api, target.gateway):
        with _connections(url, IDLE) as held:
            _drip(held, b"", seconds / 2)
            notes.remarks.append(f"{_open(held)} of {IDLE} connections to {url} were still open")


def heads_that_never_end(target: Target, notes: Notes, seconds: float) -> None:
    """A byte a second of a head."""
    for url in (target.api, target.gateway):
        with _connections(url, IDLE // 2) as held:
            _send(held, b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            _drip(held, b"a", seconds / 2)
            _hear(held, notes)


def manifests_that_never_come(target: Target, notes: Notes, seconds: float) -> None:
    """A large manifest is announced, and not a byte of it follows."""
    stolen = target.steal_vehicle()
    head = request_of(
        "POST",
        f"{target.gateway}/v1/uploads",
        token=stolen.token,
        **_TUS,
        **_JSON,
        Upload_Length="5",
        Content_Length="900000",
    )
    with _connections(target.gateway, 40) as held:
        _send(held, head)
        _drip(held, b"", seconds)
        _hear(held, notes)


def a_byte_a_second_of_many_clips(target: Target, notes: Notes, seconds: float) -> None:
    """Many vehicles, each with many requests whose bodies are announced as a cell and come a byte at a time."""
    with contextlib.ExitStack() as stack:
        held: list[socket.socket] = []
        for _ in range(VEHICLES):
            stolen = target.steal_vehicle()
            for _ in range(8):
                held += _begun_patch(target, notes, stolen, stack)
        _drip(held, b"x", seconds)
        _hear(held, notes)


def reports_that_lack_their_last_byte(target: Target, notes: Notes, seconds: float) -> None:
    """All of a large body but its end, on many connections: memory, if it were nobody's share."""
    stolen = target.steal_vehicle()
    url = f"{target.api}/v1/vehicles/{stolen.vehicle_id}/telemetry"
    head = request_of("POST", url, token=stolen.token, **_JSON, Content_Length=str(MAX_TELEMETRY_BYTES))
    before = _memory_bytes(target)
    with _connections(target.api, 60) as held:
        _send(held, head + b" " * (MAX_TELEMETRY_BYTES - 1))
        _drip(held, b"", seconds)
        grown = _memory_bytes(target) - before
        _hear(held, notes)
    notes.remarks.append(f"the API grew by {grown / 1024**2:.0f} MiB")
    notes.require(grown < 64 * 1024**2, f"the API holds {grown / 1024**2:.0f} MiB more for bodies that never end")


def answers_that_nobody_reads(target: Target, notes: Notes, seconds: float) -> None:
    """Many requests on each connection, none of whose answers is taken."""
    request = request_of("GET", f"{target.api}/openapi.json")
    with _connections(target.api, 40) as held:
        _send(held, request * 20)
        _drip(held, b"", seconds)
    notes.remarks.append("no answer was read")


def _begun_patch(
    target: Target, notes: Notes, stolen: StolenVehicle, stack: contextlib.ExitStack
) -> Sequence[socket.socket]:
    created = notes.hear(target.begin(stolen, bytes(CELL_BYTES)))
    if created.status_code != httpx.codes.CREATED:
        return ()
    held = stack.enter_context(_connections(target.gateway, 1))
    headers = {**_TUS, "Upload_Offset": "0", "Content_Type": "application/offset+octet-stream"}
    _send(
        held,
        request_of("PATCH", target.located(created), token=stolen.token, **headers, Content_Length=str(CELL_BYTES)),
    )
    return held


@contextmanager
def _connections(url: str, count: int) -> Iterator[list[socket.socket]]:
    """So many connections from the attackers' address; those that are refused are left out."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    parts = urlsplit(url)
    held: list[socket.socket] = []
    try:
        for _ in range(count):
            with contextlib.suppress(OSError):
                held.append(socket.create_connection((parts.hostname, parts.port), 5, (ATTACKERS_ADDRESS, 0)))
        yield held
    finally:
        for connection in held:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _send(held: Sequence[socket.socket], data: bytes) -> None:
    for connection in held:
        with contextlib.suppress(OSError):  # it was closed for another one, or the other side reads no more
            connection.settimeout(0.2)
            connection.sendall(data)


def _drip(held: Sequence[socket.socket], drop: bytes, seconds: float) -> None:
    for _ in range(max(1, round(seconds / DROP_EVERY_S))):
        let_pass(DROP_EVERY_S, why="slowness is what is tried")
        if drop:
            _send(held, drop)


def _hear(held: Sequence[socket.socket], notes: Notes) -> None:
    """Note the answers that have come, and how many connections are still open."""
    for connection in held:
        data = _received(connection)
        if data.startswith(b"HTTP/1.1 "):
            head, _, body = data.partition(b"\r\n\r\n")
            again = head.lower().partition(b"retry-after: ")[2].partition(b"\r\n")[0]
            notes.answers.append(Answer(int(head[9:12]), body, again.decode()))
    notes.remarks.append(f"{_open(held)} of {len(held)} connections were still open")


def _received(connection: socket.socket) -> bytes:
    connection.setblocking(False)
    data = b""
    try:
        while part := connection.recv(65536):
            data += part
    except OSError:
        return data
    return data


def _open(held: Sequence[socket.socket]) -> int:
    count = 0
    for connection in held:
        connection.setblocking(False)
        try:
            count += connection.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            count += 1
        except OSError:
            continue
    return count


def _memory_bytes(target: Target) -> int:
    pid = target.running.pid("api")
    return int(psutil.Process(pid).memory_info().rss)


ATTACKS = [
    Attack("drip", idle_connections_by_the_thousand, in_short=True),
    Attack("drip", heads_that_never_end),
    Attack("drip", manifests_that_never_come, in_short=True),
    Attack("drip", a_byte_a_second_of_many_clips),
    Attack("drip", reports_that_lack_their_last_byte, in_short=True),
    Attack("drip", answers_that_nobody_reads),
]
