"""A small, strict cloud on loopback: check-in, bundles, telemetry and tus, with faults that a test asks for.

It acknowledges whole cells only (and the last), checks every header the contract names, and answers a breach of it
with 400, which it also remembers: `breaches` must be empty at the end of a test.
"""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from triggers.contracts.campaign import Network
from triggers.contracts.checkin import CheckIn, Telemetry
from triggers.contracts.clip import CELL_BYTES, ClipManifest, CreationRequest
from triggers.contracts.problem import headers_of, problem_of, status_of
from triggers.errors import BadHeader, Conflict, LongtailError
from triggers.times import NS_PER_S

TOKEN = "secret-of-car-1"
VEHICLE = "car-1"


@dataclass
class HeldUpload:
    """An upload as the gateway holds it."""

    manifest: ClipManifest
    network: Network
    data: bytearray = field(default_factory=bytearray)


@dataclass
class Reply:
    """An answer given instead of the regular one."""

    status: int
    problem: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """What is sent instead of the problem, such as the login page of a network."""
    cut_bytes: int = 0
    """How many bytes of the announced body are not sent."""

    def content(self) -> bytes:
        """The body as it is announced."""
        return json.dumps(self.problem).encode() if self.body is None else self.body

    @classmethod
    def refusing(cls, error: LongtailError) -> Reply:
        """The answer that the real servers give for `error`."""
        return cls(status_of(error), problem_of(error).to_json(), headers_of(error))


@dataclass
class Cloud:
    """What the cloud holds, what it was told, and what it is to do wrong."""

    url: str = ""
    uploads: dict[str, HeldUpload] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    answers: dict[str, list[Reply]] = field(default_factory=dict)
    """Canned replies by method, used up one by one."""
    cuts: list[int] = field(default_factory=list)
    """Each PATCH takes the next and loses its connection after so many bytes of its body."""
    absolute_locations: str | None = None
    assignments: bytes | None = None
    bundles: dict[str, bytes] = field(default_factory=dict)
    check_ins: list[CheckIn] = field(default_factory=list)
    reports: list[Telemetry] = field(default_factory=list)
    reply_to_check_in: Reply | None = None

    @property
    def methods(self) -> Counter[str]:
        return Counter(request.split()[0] for request in self.requests)


EPOCH_NS = 1_790_000_000 * NS_PER_S
"""Where the clocks of the tests stand: the vehicle's until it is moved, the cloud's always."""


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 over one Cloud."""

    protocol_version = "HTTP/1.1"
    cloud: Cloud

    def date_time_string(self, timestamp: float | None = None) -> str:
        """`Date` by the tests' own clock: the vehicle's stands still at EPOCH_NS, and so does the cloud's."""
        return super().date_time_string(EPOCH_NS / NS_PER_S)

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self._begins():
            return
        if self.headers["Content-Type"] != "application/json":
            self._breach("POST without Content-Type: application/json")
        elif self.path == f"/v1/vehicles/{VEHICLE}/check-in":
            self._check_in(CheckIn.from_json(body, what="check-in"))
        elif self.path == f"/v1/vehicles/{VEHICLE}/telemetry":
            self.cloud.reports.append(Telemetry.from_json(body, what="telemetry"))
            self._reply(204)
        elif self.path == "/v1/uploads":
            self._create(body)
        else:
            self._reply(404)

    def do_GET(self) -> None:
        if self._begins():
            return
        sealed = self.cloud.bundles.get(self.path.removeprefix("/v1/bundles/"))
        self._reply(404) if sealed is None else self._reply(200, body=sealed)

    def do_HEAD(self) -> None:
        if self._begins():
            return
        upload = self.cloud.uploads.get(self.path.removeprefix("/v1/uploads/"))
        if self.headers["Tus-Resumable"] != "1.0.0":
            self._breach("HEAD without Tus-Resumable")
        elif upload is None:
            self._reply(404)
        else:
            self._reply(200, {"Upload-Offset": str(len(upload.data)), "Cache-Control": "no-store"})

    def do_PATCH(self) -> None:
        if self._begins():
            return
        upload = self.cloud.uploads.get(self.path.removeprefix("/v1/uploads/"))
        if upload is None:
            self._reply(404)
        elif (self.headers["Tus-Resumable"], self.headers["Content-Type"]) != (
            "1.0.0",
            "application/offset+octet-stream",
        ):
            self._breach("PATCH without Tus-Resumable or with a wrong Content-Type")
        elif int(self.headers["Upload-Offset"]) != len(upload.data):
            self._reply(409)
        else:
            self._append(upload)

    def do_DELETE(self) -> None:
        if self._begins():
            return
        clip_id = self.path.removeprefix("/v1/uploads/")
        upload = self.cloud.uploads.get(clip_id)
        if self.headers["Tus-Resumable"] != "1.0.0":
            self._breach("DELETE without Tus-Resumable")
        elif upload is None:
            self._reply(404)
        elif len(upload.data) == upload.manifest.size_bytes:
            self._refuse(Conflict("the upload is whole"))
        else:
            del self.cloud.uploads[clip_id]
            self._reply(204)

    def _append(self, upload: HeldUpload) -> None:
        length = int(self.headers["Content-Length"])
        cut = self.cloud.cuts.pop(0) if self.cloud.cuts else None
        body = self.rfile.read(length if cut is None else min(cut, length))
        size = upload.manifest.size_bytes
        end = len(upload.data) + len(body)
        if end > size:
            self._breach(f"{end} bytes sent for a clip of {size}")
            return
        kept = end if end == size else end // CELL_BYTES * CELL_BYTES
        upload.data += body[: max(0, kept - len(upload.data))]
        if cut is not None:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        else:
            self._reply(204, {"Upload-Offset": str(len(upload.data))})

    def _create(self, body: bytes) -> None:
        request = CreationRequest.from_json(body, what="the request")
        manifest = request.manifest
        if self.headers["Tus-Resumable"] != "1.0.0" or self.headers["Upload-Length"] != str(manifest.size_bytes):
            self._breach("creation with a wrong Tus-Resumable or Upload-Length")
            return
        base = self.cloud.absolute_locations or ""
        location = {
            "Location": f"{base}/v1/uploads/{manifest.clip_id}",
            "Upload-Expires": "Sat, 01 Jan 2050 00:00:00 GMT",
        }
        held = self.cloud.uploads.get(manifest.clip_id)
        if held is None:
            self.cloud.uploads[manifest.clip_id] = HeldUpload(manifest, request.network)
            self._reply(201, location)
        elif len(held.data) == manifest.size_bytes:
            self._reply(200, {**location, "Upload-Offset": str(len(held.data))})
        else:
            held.network = request.network
            self._reply(200, location)

    def _check_in(self, check_in: CheckIn) -> None:
        self.cloud.check_ins.append(check_in)
        canned = self.cloud.reply_to_check_in
        if canned is not None:
            self._reply(canned.status, canned.headers, canned.content(), cut_bytes=canned.cut_bytes)
        elif self.cloud.assignments is None:
            self._reply(304)
        else:
            self._reply(200, body=self.cloud.assignments)

    def _begins(self) -> bool:
        """Note the request; True when it has been answered here."""
        self.cloud.requests.append(f"{self.command} {self.path}")
        canned = self.cloud.answers.get(self.command)
        if canned:
            reply = canned.pop(0)
            headers = {**reply.headers, "Connection": "close"}  # the request's body may be unread
            self._reply(reply.status, headers, reply.content(), cut_bytes=reply.cut_bytes)
            return True
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._breach("a request without the vehicle's token")
            return True
        return False

    def _breach(self, what: str) -> None:
        self.cloud.breaches.append(what)
        self._refuse(BadHeader(what))
        self.close_connection = True

    def _refuse(self, error: LongtailError) -> None:
        answer = Reply.refusing(error)
        self._reply(answer.status, answer.headers, json.dumps(answer.problem).encode())

    def _reply(
        self, status: int, headers: dict[str, str] | None = None, body: bytes = b"", *, cut_bytes: int = 0
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body[: len(body) - cut_bytes])
        self.close_connection |= bool(cut_bytes)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that the test cut is not worth a line."""


@contextmanager
def running_cloud() -> Iterator[Cloud]:
    """A cloud on a free port, gone at the end."""
    cloud = Cloud()
    handler = type("BoundHandler", (Handler,), {"cloud": cloud})
    server = _Server(("127.0.0.1", 0), handler)
    cloud.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield cloud
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=60)
