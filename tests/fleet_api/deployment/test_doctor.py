"""The doctor: each thing that can be wrong is found, named, and comes with a remedy."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select, text, update

from fleet_api.client.data_dir import ClientFile, write_client_file
from fleet_api.deployment.doctor import described_settings, examine, settings_of_deployment
from fleet_api.deployment.doctor.findings import Finding
from fleet_api.deployment.doctor.settings import check
from fleet_api.deployment.keys import ensure_signing_key
from storage.database import Database
from storage.diagnosis.deployment import deployment_of
from storage.erasure import objects as erased_objects
from storage.objects import open_store
from storage.settings import Settings
from storage.tables import clips, extraction_jobs, uploads
from storage.uploads import dead_letters
from storage.vehicles.telemetry import record_counts
from tests.storage.clips.catalog_support import add_clip
from tests.support.fleet import add_version, enroll_vehicle
from triggers.contracts.checkin import FireCounts, Telemetry


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings.load(
        data_dir=tmp_path,
        database_url="",
        api_url="http://127.0.0.1:1",
        gateway_url="http://127.0.0.1:1",
        spool_bytes=4 * 1024**2,
    )
    ensure_signing_key(made)
    open_store(made)
    return made


@pytest.fixture
def with_database(settings: Settings, database: Database) -> Settings:
    return settings.model_copy(update={"database_url": database.url})


def findings(settings: Settings) -> dict[str, Finding]:
    found = list(examine(settings))
    assert len({finding.check for finding in found}) == len(found), "a check is made twice"
    assert all(finding.remedy for finding in found if finding.status != "ok")
    return {finding.check: finding for finding in found}


def test_a_missing_database_is_one_failure_and_what_depends_on_it_is_left_out(settings: Settings) -> None:
    found = findings(settings)
    assert found["database"].status == "fail"
    assert not {"schema", "log", "clock", "uploads", "consistency"} & set(found)
    assert found["data directory"].status == found["signing key"].status == found["objects"].status == "ok"


def test_an_unreachable_database_is_named_without_its_password(settings: Settings) -> None:
    url = "postgresql+psycopg://ann:secret@127.0.0.1:1/x"
    found = findings(settings.model_copy(update={"database_url": url}))
    assert found["database"].status == "fail"
    assert "127.0.0.1:1" in found["database"].message and "secret" not in str(found)


def test_services_that_do_not_answer_fail_with_their_address_and_setting(settings: Settings) -> None:
    found = findings(settings)
    for name in ("api", "gateway"):
        assert found[name].status == "fail" and "http://127.0.0.1:1" in found[name].message
        assert f"LONGTAIL_{name.upper()}_URL" in found[name].remedy


def test_a_log_that_forgets_before_an_upload_may_end_fails(settings: Settings) -> None:
    found = findings(settings.model_copy(update={"log_retention_s": 3600, "upload_expiry_s": 7200}))
    assert found["log retention"].status == "fail" and "LONGTAIL_LOG_RETENTION_S" in found["log retention"].remedy


def test_a_missing_key_fails_and_one_that_others_can_read_is_warned_about(settings: Settings) -> None:
    key = settings.effective_signing_key()
    key.chmod(0o644)
    assert findings(settings)["signing key"].status == "warn"
    key.write_text("no key")
    assert findings(settings)["signing key"].status == "fail"
    key.unlink()
    assert findings(settings)["signing key"].status == "fail"


def test_a_data_directory_that_is_not_there_fails(settings: Settings, tmp_path: Path) -> None:
    gone = settings.model_copy(update={"data_dir": tmp_path / "gone", "objects_url": (tmp_path / "o").as_uri()})
    found = findings(gone)
    assert found["data directory"].status == "fail" and "gone" in found["data directory"].message


def test_looking_at_a_data_directory_that_is_not_there_does_not_make_it(
    with_database: Settings, tmp_path: Path
) -> None:
    found = findings(with_database.model_copy(update={"data_dir": tmp_path / "gone", "objects_url": ""}))
    assert found["data directory"].status == "fail" and found["database"].status == "ok"
    assert "objects" not in found
    assert not (tmp_path / "gone").exists()


def test_an_empty_deployment_is_well(with_database: Settings) -> None:
    found = findings(with_database)
    well = (
        "database",
        "schema",
        "clock",
        "uploads",
        "extraction",
        "dead letters",
        "deletions",
        "derived",
        "consistency",
        "objects",
    )
    assert {name: found[name].status for name in well} == dict.fromkeys(well, "ok")


def test_an_old_schema_fails_and_a_changed_one_is_warned_about(with_database: Settings, database: Database) -> None:
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE clips ADD COLUMN by_hand integer"))
    found = findings(with_database)["schema"]
    assert found.status == "warn" and "by_hand" in found.message
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    found = findings(with_database)["schema"]
    assert found.status == "fail" and "longtail migrate" in found.remedy


def test_uploads_that_wait_too_long_and_open_dead_letters_are_warned_about(
    with_database: Settings, database: Database
) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    with database.begin() as connection:
        add_clip(connection)
        connection.execute(update(uploads).values(state="received", created_at=long_ago, closed_at=None))
        dead_letters.record(connection, stage="gateway", reason="manifest_invalid", detail="it lies", fires=1)
    found = findings(with_database)
    assert found["uploads"].status == "warn" and "1 received but not assembled" in found["uploads"].message
    assert found["dead letters"].status == "warn"


def test_deletions_of_objects_that_are_overdue_are_warned_about(with_database: Settings, database: Database) -> None:
    with database.begin() as connection:
        erased_objects.add(connection, ["clips/a", "clips/b"], after=timedelta(hours=-1))
        erased_objects.add(connection, ["clips/c"], after=timedelta(hours=1))
    found = findings(with_database)["deletions"]
    assert found.status == "warn" and found.message.startswith("2 objects of erased or expired clips")
    assert "longtail ingest" in found.remedy


def test_a_failed_extraction_is_warned_about_until_its_dead_letter_is_discarded(
    with_database: Settings, database: Database
) -> None:
    with database.begin() as connection:
        damaged, ready = (add_clip(connection, state=state) for state in ("damaged", "ready"))
        for clip_id in (damaged, ready):
            vehicle_id = select(clips.c.vehicle_id).where(clips.c.id == clip_id).scalar_subquery()
            failed = {"clip_id": clip_id, "extractor_version": 1, "state": "failed", "vehicle_id": vehicle_id}
            connection.execute(extraction_jobs.insert().values(failed))
        letter = dead_letters.record(
            connection, stage="extraction", reason="unreadable", detail="cut off", upload_id=damaged, clip_id=damaged
        )
    found = findings(with_database)
    assert found["extraction"].status == "warn" and "1 failed" in found["extraction"].message
    assert "longtail dead-letters list" in found["extraction"].remedy
    with database.begin() as connection:
        dead_letters.discard(connection, letter)
    found = findings(with_database)
    assert (found["extraction"].status, found["dead letters"].status) == ("ok", "ok")


def test_a_clip_without_its_object_fails_and_an_object_without_a_row_is_warned_about(
    with_database: Settings, database: Database
) -> None:
    store = open_store(with_database)
    store.put("clips/2026/01/05/nobody.mcap", b"x")
    found = findings(with_database)["consistency"]
    assert found.status == "warn" and "nobody.mcap" in found.message
    with database.begin() as connection:
        add_clip(connection)
        key = str(connection.execute(clips.select()).one().object_key)
    found = findings(with_database)["consistency"]
    assert found.status == "fail" and key in found.message


def test_fires_that_were_handed_over_and_are_nowhere_fail_with_their_campaigns(
    with_database: Settings, database: Database
) -> None:
    assert findings(with_database)["fires"].status == "ok"
    counts = FireCounts(
        campaign="braking", version=1, watermark=3, suppressed=0, handed_over=2, in_flight=1, per_trigger={"hard": 3}
    )
    with database.begin() as connection:
        enroll_vehicle(connection)
        add_version(connection, "braking")
        record_counts(connection, "car-1", Telemetry(counts=(counts,), reported_at_ns=1))
    found = findings(with_database)["fires"]
    assert found.status == "fail"
    assert found.message == "2 fires were handed over but cannot be found: braking version 1 (2)"


def test_a_variable_that_no_setting_reads_is_warned_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGTAIL_LOG_RETENTON_S", "600")
    monkeypatch.setenv("LONGTAIL_TOKEN", "lt_1")
    warned = [finding for finding in check(Settings.load()) if finding.status == "warn"]
    assert [finding.check for finding in warned] == ["setting LONGTAIL_LOG_RETENTON_S"]
    assert warned[0].remedy == "did you mean LONGTAIL_LOG_RETENTION_S?"


def test_settings_are_told_with_where_they_come_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LONGTAIL_DATABASE_URL", "postgresql://ann:secret@db/x")
    monkeypatch.setenv("LONGTAIL_DATA_DIR", str(tmp_path))
    rows: dict[str, dict[str, Any]] = {row["variable"]: row for row in described_settings(Settings.load())}
    assert rows["LONGTAIL_DATABASE_URL"]["source"] == "variable"
    assert "secret" not in str(rows)
    assert rows["LONGTAIL_API_PORT"] == {"variable": "LONGTAIL_API_PORT", "value": 8080, "source": "default"}


def test_the_doctor_makes_no_directory_in_place_of_one_that_is_gone(
    with_database: Settings, database: Database, tmp_path: Path
) -> None:
    """A process that lost its store would go on in the new one, and what it stores be hidden by the next mount."""
    with database.begin() as connection:
        add_clip(connection)
    (tmp_path / "objects").rename(tmp_path / "unmounted")
    found = {finding.check: finding for finding in examine(with_database, full=True)}
    assert found["objects"].status == found["consistency"].status == found["full"].status == "fail"
    assert "is not there" in found["objects"].message and "mount or restore it" in found["objects"].remedy
    assert not (tmp_path / "objects").exists()


class _Ready(BaseHTTPRequestHandler):
    """A process of another deployment: it is ready, whoever asks."""

    answer = b'{"status": "ok", "deployment": "another"}'

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_what_answers_for_another_deployment_is_not_taken_for_one_that_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deployment that was stopped leaves its addresses behind, and others may get its ports."""
    for name in [name for name in os.environ if name.startswith("LONGTAIL_")]:
        monkeypatch.delenv(name)
    with HTTPServer(("127.0.0.1", 0), _Ready) as other:
        Thread(target=other.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{other.server_port}"
        write_client_file(tmp_path, ClientFile(url, url, "lt_old", url))
        found = {finding.check: finding for finding in examine(settings_of_deployment(tmp_path))}
        monkeypatch.setenv("LONGTAIL_API_URL", url)
        asked_for = {finding.check: finding for finding in examine(settings_of_deployment(tmp_path))}
        other.shutdown()
    assert [found[name].status for name in ("database", "api", "gateway", "ingest")] == ["fail"] * 4
    assert "does not run" in found["api"].message
    assert asked_for["api"].status == "warn", "an address that is given is examined"
    assert asked_for["api"].message.startswith(f"{url} is ready, but no database says")
    assert "what is said of the database" in asked_for["api"].remedy, "it may be its schema that is the matter"


def test_a_process_of_another_deployment_is_not_taken_for_one_of_this(
    with_database: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HTTPServer(("127.0.0.1", 0), _Ready) as other:
        Thread(target=other.serve_forever, daemon=True).start()
        addresses = {"api_url": "", "api_port": other.server_port, "ingest_port": other.server_port}
        settings = with_database.model_copy(update=addresses)
        found = findings(settings)
        own = deployment_of(database)
        monkeypatch.setattr(_Ready, "answer", f'{{"deployment": "{own}"}}'.encode())
        same = findings(settings)
        monkeypatch.setattr(_Ready, "answer", b"<html>welcome</html>")
        foreign = findings(settings)
        other.shutdown()
    for name in ("api", "ingest"):
        assert found[name].status == "fail" and "belongs to another deployment (another)" in found[name].message
        assert own in found[name].message and f"LONGTAIL_{name.upper()}" in found[name].remedy
        assert same[name].status == "ok"
        assert foreign[name].status == "warn" and "does not say" in foreign[name].message
