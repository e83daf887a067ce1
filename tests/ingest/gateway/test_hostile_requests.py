"""Requests made of anything: whatever headers and bodies say, the answer is a refusal with a reason and never a 500."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.database import Database
from storage.settings import Settings
from tests.ingest.gateway.serving import CHUNK, TUS, TusClient, running_gateway, some_bytes
from tests.support.fleet import clip_manifest
from triggers.contracts.clip import CELL_BYTES

DATA = some_bytes(1000)
MANIFEST = clip_manifest(DATA, "wide")
REFUSALS = {400, 401, 403, 404, 405, 408, 409, 410, 412, 413, 415, 422, 431, 460, 503}
HEADERS = [
    "Authorization",
    "Content-Encoding",
    "Content-Type",
    "Tus-Resumable",
    "Upload-Checksum",
    "Upload-Concat",
    "Upload-Defer-Length",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Offset",
]

numbers = st.integers(-(2**70), 2**70).map(str)
values = st.one_of(
    numbers,
    st.sampled_from(
        ["", "PATCH", "DELETE", "HEAD", "sha1", "sha1 AAAA", "gzip", "manifest", "1e3", "0x10", "+1", " 1"]
    ),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=200),
    st.binary(max_size=60).map(lambda raw: "manifest " + base64.b64encode(raw).decode() + ",network d2lmaQ=="),
)
headers = st.dictionaries(st.sampled_from(HEADERS), values, max_size=4)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
fields = st.sampled_from(["key", "manifest", "cells", "recording", "fires", "0", "network", "start_ns"])
quickly = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def quiet(database: Database, token: str) -> Iterator[TusClient]:
    with running_gateway(Settings(database_url=database.url, database_pool_size=4, log_partitions=2)) as (url, app):
        client = TusClient(url, token)
        yield client
        assert app.state.gateway.in_flight.held_bytes == 0
        assert app.state.gateway.manifests_in_flight.held_bytes == 0
        client.close()


def explained(answer: httpx.Response, *, method: str) -> None:
    if answer.status_code < 400:
        return
    assert answer.status_code in REFUSALS, answer.text
    if method != "HEAD" and answer.content:
        problem = answer.json()
        assert problem["detail"]
        assert problem["code"]


def latin(sent: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.strip().encode("latin-1")) for name, value in sent.items()]


@quickly
@given(changed=headers, method=st.sampled_from(["POST", "PATCH", "HEAD", "DELETE"]), body=st.binary(max_size=2000))
def test_any_headers_are_answered_with_a_reason(
    quiet: TusClient, changed: dict[str, str], method: str, body: bytes
) -> None:
    location = quiet.location(quiet.create(MANIFEST))
    good = {**TUS, **CHUNK, "Authorization": f"Bearer {quiet.token}", "Upload-Offset": "0", "Upload-Length": "1000"}
    url = location if method != "POST" else location.rsplit("/", 1)[0]
    explained(httpx.request(method, url, headers=latin({**good, **changed}), content=body, timeout=30), method=method)


@quickly
@given(
    path=st.lists(fields, max_size=4),
    value=json_values,
)
def test_any_manifest_is_answered_with_a_reason(quiet: TusClient, path: list[str], value: Any) -> None:
    document: Any = {"manifest": json.loads(MANIFEST.canonical_json()), "network": "wifi"}
    place = document
    for step in path[:-1]:
        inner = place.get(step) if isinstance(place, dict) else None
        place = inner if isinstance(inner, dict) else place
    place[path[-1] if path else "manifest"] = value
    answer = quiet.create_raw(json.dumps(document).encode("utf-8", "surrogatepass"), len(DATA))
    assert answer.status_code in {200, 201, 422, 503}, answer.text


@quickly
@given(body=st.binary(max_size=300))
def test_any_bytes_for_a_manifest_are_answered_with_a_reason(quiet: TusClient, body: bytes) -> None:
    answer = quiet.create_raw(body, len(DATA))
    assert (answer.status_code, answer.json()["code"]) == (422, "manifest_invalid")
    assert answer.json()["detail"]


@quickly
@given(cuts=st.lists(st.integers(1, 3 * CELL_BYTES), min_size=1, max_size=6, unique=True))
def test_a_clip_sent_in_any_pieces_arrives(quiet: TusClient, cuts: list[int]) -> None:
    data = some_bytes(3 * CELL_BYTES + 1, seed=sum(cuts))
    location = quiet.begin(clip_manifest(data, "wide"))
    start = 0
    for end in [*sorted(cuts), len(data)]:
        answer = quiet.patch(location, start, data[start:end])
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(end))
        start = end
    assert quiet.http.head(location).headers["Upload-Offset"] == str(len(data))


@quickly
@given(raw=st.binary(min_size=1, max_size=400), half=st.booleans())
def test_any_bytes_on_a_connection_harm_nobody(quiet: TusClient, raw: bytes, half: bool) -> None:
    base = quiet.http.base_url
    assert base.port is not None
    with socket.create_connection((base.host, base.port), timeout=60) as connection:
        connection.sendall((b"PATCH /v1/uploads/x HTTP/1.1\r\n" if half else b"") + raw)
    assert quiet.http.get("/healthz").status_code == 200
