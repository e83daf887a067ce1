"""The examples of docs/upload-protocol.md run as they are printed, and its table has every status of the gateway."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.gateway.document import paths
from tests.ingest.gateway.serving import TusClient, some_bytes
from tests.support import npm_packages
from tests.support.fleet import clip_manifest
from tests.support.npm_packages import NODE, PackagesMissing
from tests.support.paths import REPOSITORY
from tests.support.servers.jars import leave_out
from triggers.contracts.clip import CELL_BYTES

DOCUMENT = (REPOSITORY / "docs/upload-protocol.md").read_text()
DATA = some_bytes(2 * CELL_BYTES + 5)
MANIFEST = clip_manifest(DATA, "wide")


def example(language: str) -> str:
    (code,) = re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
    return str(code)


@pytest.fixture
def environment(client: TusClient, gateway_url: str, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "clip.mcap").write_bytes(DATA)
    return {
        **os.environ,
        "GATEWAY": gateway_url,
        "TOKEN": client.token,
        "CLIP": str(tmp_path / "clip.mcap"),
        "RECORDING": MANIFEST.recording.canonical_json().decode(),
    }


def test_the_example_in_python_uploads_a_clip(client: TusClient, environment: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-c", example("python")], env=environment, check=True, timeout=60)
    created = client.create(MANIFEST)
    assert (created.status_code, created.headers["Upload-Offset"]) == (200, str(len(DATA)))


def test_the_example_in_javascript_uploads_a_clip(client: TusClient, environment: dict[str, str]) -> None:
    try:
        modules = npm_packages.npm_packages(Path(npm_packages.__file__).parent / "tus_js")
    except PackagesMissing as error:
        leave_out(error)
    location = client.begin(MANIFEST)
    environment |= {"NODE_PATH": str(modules), "UPLOAD_URL": location}
    subprocess.run([NODE, "-e", example("javascript")], env=environment, check=True, timeout=60)
    assert client.offset(location) == len(DATA)


def test_every_refusal_of_the_gateway_is_in_the_table() -> None:
    operations = paths("http://gateway.example")
    declared = {
        int(s) for item in operations.values() for o in item.values() if isinstance(o, dict) for s in o["responses"]
    }
    told = {
        int(status) for row in re.findall(r"^\| ([0-9, ]+) \|", DOCUMENT, re.MULTILINE) for status in row.split(",")
    }
    assert declared - told == {500}
