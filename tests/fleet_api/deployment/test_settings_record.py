"""The audit log has the settings that a process runs with, once for each change, and no secret."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fleet_api.deployment.settings_record import OF_ONE_PROCESS, record_settings, recorded_settings, recording_settings
from storage import audit
from storage.database import Database
from storage.settings import Settings
from tests.support.waiting import wait_for
from triggers.contracts.api.audit import AuditEntryView

SECRETS: dict[str, Any] = {
    "database_url": "postgresql://u:p4ss-word@h/db?sslpassword=p4ss-word",
    "objects_access_key": "p4ss-word",
    "objects_secret_key": "p4ss-word",
    "kafka_sasl_password": "p4ss-word",
    "metrics_token": "p4ss-word-p4ss-word",
}


def entries(database: Database, process: str = "api") -> list[AuditEntryView]:
    with database.begin() as connection:
        return audit.listing(connection, audit.AuditFilter(about=process))


def test_settings_are_recorded_when_they_differ_from_the_last_entry(database: Database, settings: Settings) -> None:
    wider = settings.model_copy(update={"allow_self_approval": True, "proxies": "10.0.0.1"})
    written = [record_settings(database, "api", each) for each in (settings, settings, wider, wider, settings)]
    assert written == [True, False, True, False, True]
    first, second, third = entries(database)
    assert (first.before, first.user_name, first.action) == (None, "longtail (system)", "settings.change")
    assert second.before == {"LONGTAIL_ALLOW_SELF_APPROVAL": False, "LONGTAIL_PROXIES": ""}
    assert second.after is not None and second.after["LONGTAIL_PROXIES"] == "10.0.0.1"
    assert third.before == {"LONGTAIL_ALLOW_SELF_APPROVAL": True, "LONGTAIL_PROXIES": "10.0.0.1"}
    assert record_settings(database, "gateway", settings), "each process has its own"
    with database.begin() as connection:
        assert audit.walk(connection)[1] is None


def test_replicas_that_start_at_once_leave_one_entry(database: Database, settings: Settings) -> None:
    with ThreadPoolExecutor(4) as pool:
        written = list(pool.map(lambda _: record_settings(database, "api", settings), range(4)))
    assert sorted(written) == [False, False, False, True]


def test_every_setting_is_recorded_but_secrets_and_what_tells_processes_apart() -> None:
    shown = recorded_settings(Settings(**SECRETS))
    assert "p4ss-word" not in repr(shown)
    left_out = {name for name in Settings.model_fields if f"LONGTAIL_{name.upper()}" not in shown}
    assert left_out == OF_ONE_PROCESS | {
        "objects_access_key",
        "objects_secret_key",
        "kafka_sasl_password",
        "metrics_token",
    }


def test_all_settings_fit_into_an_entry(database: Database, settings: Settings) -> None:
    long = "/" + "x" * 200
    record_settings(database, "api", settings.model_copy(update={"tls_cert_file": long, "tls_key_file": long}))
    (entry,) = entries(database)
    assert entry.after is not None and entry.after["LONGTAIL_TLS_CERT_FILE"] == long


def test_a_process_records_its_settings_beside_its_work(database: Database, settings: Settings) -> None:
    with recording_settings("gateway", settings):
        wait_for(lambda: bool(entries(database, "gateway")), within_s=30, what="an entry")
