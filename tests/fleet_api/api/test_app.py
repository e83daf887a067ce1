"""The application without its parts: what it says when the database or the key is missing."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from fleet_api.api.app import create_app
from fleet_api.deployment.keys import ensure_signing_key
from storage.settings import Settings
from tests.support.applications import api_application
from triggers.errors import Misconfigured


def test_without_a_database_it_lives_and_its_log_alone_says_what_is_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(database_url="postgresql://nobody@127.0.0.1:9/none", data_dir=tmp_path)
    ensure_signing_key(settings)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        assert client.get("/healthz").status_code == 200
        not_ready = client.get("/readyz")
        refused = client.get("/v1/campaigns", headers={"Authorization": f"Bearer lt_{'A' * 43}"})
    for answer in (not_ready, refused):
        assert (answer.status_code, answer.json()["code"]) == (503, "unreachable")
        assert answer.headers["retry-after"] == "5"
        assert not re.search("127|nobody|none|DATABASE", answer.text)
    assert "127.0.0.1:9" in caplog.text
    assert "LONGTAIL_DATABASE_URL" in caplog.text


def test_every_thread_that_waits_for_scans_ends_with_the_run_of_the_application_that_began_it(tmp_path: Path) -> None:
    def waiting() -> int:
        return sum(thread.name.startswith("scans-") for thread in threading.enumerate())

    before = waiting()
    app = api_application(tmp_path, scan_workers=2)
    with TestClient(app), TestClient(app):  # each run of it has its own
        assert waiting() == before + 4
    assert waiting() == before


def test_without_settings_it_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="LONGTAIL_DATABASE_URL"):
        create_app(Settings(data_dir=tmp_path))
    with pytest.raises(Misconfigured, match=r"signing\.pem"):
        create_app(Settings(data_dir=tmp_path, database_url="postgresql://x@127.0.0.1/x"))
