"""A real gateway on a real port, a client that speaks tus, and what the log and the database hold afterwards."""

from __future__ import annotations

import random
import secrets
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpx
import uvicorn
from pydantic.json_schema import models_json_schema
from starlette.applications import Starlette
from starlette.types import ASGIApp

from ingest.cell_record import CellRecord
from ingest.gateway import document
from ingest.gateway.app import create_app
from ingest.gateway.limits import GatewayLimits
from ingest.http.raising import REF_TEMPLATE
from ingest.log import CELLS_TOPIC, open_log
from storage.database import Database
from storage.settings import Settings
from tests.support.declared_answers import DeclaredAnswers, Operations
from tests.support.waiting import LEAST_S, Deadline, wait_for
from triggers.contracts.campaign import Network
from triggers.contracts.clip import ClipManifest, CreationRequest
from triggers.contracts.problem import Problem

TUS = {"Tus-Resumable": "1.0.0"}
CHUNK = {"Content-Type": "application/offset+octet-stream"}


@contextmanager
def serve(app: ASGIApp, listener: socket.socket | None = None) -> Iterator[str]:
    """The application behind uvicorn in a thread; yields its URL. `listener` is bound, for an address known before."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="on", timeout_graceful_shutdown=5)
    )
    thread = threading.Thread(target=server.run, args=([listener] if listener else None,))
    thread.start()
    try:
        wait_for(lambda: server.started or not thread.is_alive(), within_s=10, what="the gateway's start")
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        assert not thread.is_alive()


@contextmanager
def running_gateway(settings: Settings, limits: GatewayLimits | None = None) -> Iterator[tuple[str, Starlette]]:
    """A gateway with these settings; yields its URL and its application. No answer may be missing in the document."""
    app = create_app(settings, limits)
    answers = DeclaredAnswers(app, gateway_operations())
    with serve(answers) as url:
        yield url, app
    assert answers.mistakes == []


@cache
def gateway_operations() -> Operations:
    """What the gateway's part of the OpenAPI document declares."""
    _, definitions = models_json_schema(
        [(model, "validation") for model in (Problem, *document.MODELS)], ref_template=REF_TEMPLATE
    )
    schemas = {"schemas": definitions["$defs"]}
    return Operations({"paths": document.paths("http://gateway"), "components": schemas})


class TusClient:
    """One vehicle, or somebody with its token."""

    def __init__(self, url: str, token: str) -> None:
        self.token = token
        self.http = httpx.Client(base_url=url, headers={**TUS, "Authorization": f"Bearer {token}"}, timeout=30)

    def create(self, manifest: ClipManifest, **headers: str) -> httpx.Response:
        request = CreationRequest(manifest=manifest, network=Network.WIFI)
        return self.create_raw(request.canonical_json(), manifest.size_bytes, **headers)

    def create_raw(self, body: bytes, length: int, **headers: str) -> httpx.Response:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        own = {"Upload-Length": str(length), "Content-Type": "application/json", **names}
        return self.http.post("/v1/uploads", content=body, headers=own)

    def begin(self, manifest: ClipManifest) -> str:
        """Create an upload; returns its URL."""
        created = self.create(manifest)
        assert created.status_code == 201, created.text
        return self.location(created)

    def location(self, created: httpx.Response) -> str:
        """The absolute address that a creation's answer names."""
        return str(created.url.join(created.headers["Location"]))

    def patch(self, location: str, offset: int, body: Any, headers: Mapping[str, str] = CHUNK) -> httpx.Response:
        return self.http.patch(location, content=body, headers={"Upload-Offset": str(offset), **headers})

    def offset(self, location: str) -> int:
        answer = self.http.head(location)
        assert answer.status_code == 200, answer.status_code
        return int(answer.headers["Upload-Offset"])

    def open_patch(self, location: str, offset: int, announced: int, body: bytes) -> socket.socket:
        """Send the beginning of a PATCH whose body is announced longer, and leave the connection open."""
        headers = {**CHUNK, "Upload-Offset": str(offset), "Content-Length": str(announced)}
        connection = self.open_request("PATCH", location, headers)
        connection.sendall(body)
        return connection

    def open_request(self, method: str, location: str, headers: Mapping[str, str]) -> socket.socket:
        """Send a request's head and leave the connection open."""
        url = httpx.URL(location)
        assert url.port is not None
        connection = socket.create_connection((url.host, url.port), timeout=60)
        every = {"Host": url.host, "Authorization": f"Bearer {self.token}", **TUS, **headers}
        lines = [f"{method} {url.path} HTTP/1.1", *(f"{name}: {value}" for name, value in every.items()), "", ""]
        connection.sendall("\r\n".join(lines).encode())
        return connection

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            try:
                return self.http.get("/readyz").status_code == 200
            except httpx.TransportError:
                return False

        wait_for(ready, within_s=20, what="the gateway's readiness")

    def close(self) -> None:
        self.http.close()


def some_bytes(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def logged_cells(database: Database, settings: Settings) -> list[CellRecord]:
    """Every cell that the log holds, from the beginning."""
    log = open_log(settings, database)
    wanted = sum(log.end_offsets(CELLS_TOPIC).values())
    cells: list[CellRecord] = []
    with log.consumer(CELLS_TOPIC, group=f"test-{secrets.token_hex(4)}", member="reader") as consumer:
        deadline = Deadline(LEAST_S)
        while len(cells) < wanted:
            deadline.check(f"the arrival of {wanted} records ({len(cells)} came)")
            cells += [CellRecord.decode(r.value) for r in consumer.poll(max_records=1000, timeout_s=0.2)]
    return cells


def logged_bytes(database: Database, settings: Settings, upload_id: str) -> bytes:
    """An upload's bytes as its cells in the log give them; AssertionError when the same cell came with other bytes."""
    by_index: dict[int, bytes] = {}
    for cell in logged_cells(database, settings):
        if cell.upload_id == upload_id:
            assert by_index.setdefault(cell.index, cell.payload) == cell.payload
    assert sorted(by_index) == list(range(len(by_index)))
    return b"".join(by_index[index] for index in sorted(by_index))
