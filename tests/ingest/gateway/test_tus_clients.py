"""The official tus clients for Python and JavaScript, unchanged: they create, upload in any chunk size, resume."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tusclient import client as tuspy

from storage.database import Database
from storage.settings import Settings
from tests.ingest.gateway.serving import TusClient, logged_bytes, some_bytes
from tests.support import npm_packages
from tests.support.fleet import clip_manifest
from tests.support.npm_packages import NODE, PackagesMissing
from tests.support.servers.jars import leave_out
from triggers.contracts.clip import ClipManifest

DATA = some_bytes(3_000_000)
CHUNKS = [100_000, 262_144, 524_288, 600_000, 1_000_000, 5_000_000]
SCRIPT = Path(npm_packages.__file__).parent / "tus_js" / "upload.cjs"


@pytest.fixture
def manifest() -> ClipManifest:
    return clip_manifest(DATA, "wide")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mcap"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def metadata(manifest: ClipManifest) -> dict[str, str]:
    return {"filename": "clip.mcap", "manifest": manifest.canonical_json().decode(), "network": "wifi"}


def python_client(url: str, client: TusClient) -> Any:
    return tuspy.TusClient(url, headers={"Authorization": f"Bearer {client.token}"})


def javascript_client(client: TusClient, file: Path, **options: Any) -> dict[str, Any]:
    """What the client reports: its error, and the method and status of every request."""
    try:
        modules = npm_packages.npm_packages(SCRIPT.parent)
    except PackagesMissing as error:
        leave_out(error)
    asked = json.dumps({"token": client.token, "file": str(file), **options})
    environment = {**os.environ, "NODE_PATH": str(modules)}
    done = subprocess.run(
        [NODE, SCRIPT, asked], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def stored(database: Database, settings: Settings, location: str) -> bytes:
    return logged_bytes(database, settings, location.rsplit("/", 1)[1])


@pytest.mark.parametrize("chunk", CHUNKS)
def test_the_python_client_uploads_in_chunks_of_any_size(
    client: TusClient, database: Database, settings: Settings, manifest: ClipManifest, file: Path, chunk: int
) -> None:
    location = client.begin(manifest)
    uploader = python_client(location, client).uploader(str(file), url=location, chunk_size=chunk)
    uploader.upload()
    assert uploader.offset == len(DATA)
    assert stored(database, settings, location) == DATA


def test_the_python_client_creates_sends_checksums_and_resumes(
    client: TusClient, gateway_url: str, database: Database, settings: Settings, metadata: dict[str, str], file: Path
) -> None:
    tus = python_client(f"{gateway_url}/v1/uploads", client)
    first = tus.uploader(str(file), chunk_size=700_000, metadata=metadata, upload_checksum=True)
    first.upload_chunk()
    location = first.url
    resumed = tus.uploader(str(file), url=location, chunk_size=400_000, upload_checksum=True)
    assert resumed.offset == 700_000
    resumed.upload()
    assert client.offset(location) == len(DATA)
    assert stored(database, settings, location) == DATA


@pytest.mark.parametrize("chunk", [*CHUNKS, 0])
def test_the_javascript_client_uploads_in_chunks_of_any_size(
    client: TusClient, database: Database, settings: Settings, manifest: ClipManifest, file: Path, chunk: int
) -> None:
    location = client.begin(manifest)
    report = javascript_client(client, file, uploadUrl=location, chunkSize=chunk)
    assert report["error"] is None
    patches = -(-len(DATA) // chunk) if chunk else 1
    assert report["requests"] == [["HEAD", 200], *[["PATCH", 204]] * patches]
    assert stored(database, settings, location) == DATA


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_javascript_client_creates_and_can_do_without_patch(
    client: TusClient, gateway_url: str, metadata: dict[str, str], file: Path, slash: str
) -> None:
    report = javascript_client(
        client,
        file,
        endpoint=f"{gateway_url}/v1/uploads{slash}",
        chunkSize=1_000_000,
        metadata=metadata,
        overridePatchMethod=True,
    )
    assert report["error"] is None
    assert report["requests"] == [["POST", 201], ["POST", 204], ["POST", 204], ["POST", 204]]


def test_a_client_that_creates_without_a_manifest_is_told_how(client: TusClient, gateway_url: str, file: Path) -> None:
    report = javascript_client(client, file, endpoint=f"{gateway_url}/v1/uploads", metadata={"filename": "x"})
    assert "415" in report["error"]
    assert "uploadUrl" in report["error"]
