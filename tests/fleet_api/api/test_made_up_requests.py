"""Requests that schemathesis makes up from the OpenAPI document: against the API and the gateway, as they run.

The same requests in every run: their number is bounded, and not the time. `schemathesis.toml` says which checks there
are, and `st run` prints the command that repeats a failure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet_api.api.app import create_app
from storage import tokens
from storage.database import Database
from storage.settings import Settings
from tests.fleet_api.api_server import Api, campaign_text
from tests.ingest.gateway.serving import running_gateway, serve
from tests.support.fleet import enroll_vehicle

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
UPLOADS = "^/v1/uploads"
STAC = "^/stac"
A_TO_C = "^/v1/[a-c]"
"""About half of the routes, so that both halves can be tried side by side."""
EXAMPLES = 10
"""Requests made up for each operation, beside those that try the borders of every parameter."""

WITHIN_S = 840.0
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def credentials(database: Database) -> dict[str, str]:
    """Tokens of an administrator and of car-1, as the configuration takes them."""
    with database.begin() as connection:
        return {
            "LONGTAIL_TEST_USER_TOKEN": tokens.issue(connection, "root", ["admin"]),
            "LONGTAIL_TEST_VEHICLE_TOKEN": enroll_vehicle(connection, "car-1"),
        }


def run_schemathesis(url: str, document: Path, credentials: dict[str, str], *selection: str) -> None:
    """AssertionError with what `st run` prints when it finds something, or makes up next to nothing."""
    command = [
        str(Path(sys.executable).with_name("st")),
        f"--config-file={CONFIGURATION}",
        "run",
        str(document),
        f"--url={url}",
        "--phases=coverage,fuzzing,stateful",
        f"--max-examples={EXAMPLES}",
        "--no-color",
        *selection,
    ]
    environment = {**os.environ, **credentials, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(
        command, cwd=document.parent, env=environment, text=True, capture_output=True, timeout=WITHIN_S, check=False
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert "No issues found" in done.stdout


def without_rates(settings: Settings) -> Settings:
    """Requests are made up as fast as they are answered, and none is to be refused for that."""
    return settings.model_copy(update={"requests_per_address": 1e6, "requests_per_token": 1e6})


@pytest.fixture
def document(settings: Settings, tmp_path: Path) -> Path:
    """The document in a file."""
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(create_app(settings).openapi()))
    return file


@pytest.fixture
def api_url(settings: Settings, api: Api) -> Iterator[str]:
    """The API on a port, with a campaign that runs."""
    api.activate(campaign_text())
    with serve(create_app(without_rates(settings))) as url:
        yield url


@pytest.mark.parametrize(
    "selection",
    [f"--include-path-regex={A_TO_C}", f"--exclude-path-regex={A_TO_C}|{UPLOADS}|{STAC}"],
    ids=["a to c", "others"],
)
def test_the_api_answers_whatever_is_made_up_as_its_document_says(
    selection: str, api_url: str, document: Path, credentials: dict[str, str]
) -> None:
    run_schemathesis(api_url, document, credentials, selection)


def test_the_stac_routes_answer_whatever_is_made_up_as_the_document_says(
    api_url: str, document: Path, credentials: dict[str, str]
) -> None:
    run_schemathesis(api_url, document, credentials, f"--include-path-regex={STAC}")


def test_the_gateway_answers_whatever_is_made_up_as_the_document_says(
    settings: Settings, document: Path, credentials: dict[str, str]
) -> None:
    with running_gateway(without_rates(settings)) as (url, _app):
        run_schemathesis(url, document, credentials, f"--include-path-regex={UPLOADS}")
