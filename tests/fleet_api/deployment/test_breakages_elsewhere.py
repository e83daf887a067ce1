"""Breakages of Kafka and S3: the doctor names them, and goes on to what does not depend on them."""

from __future__ import annotations

from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from sqlalchemy import update

from fleet_api.deployment.doctor import examine
from fleet_api.deployment.doctor.findings import Finding
from fleet_api.deployment.keys import ensure_signing_key
from ingest.log import ensure_cells_topic, open_log
from storage.database import Database
from storage.objects import open_store
from storage.settings import Settings
from storage.tables import uploads
from tests.storage.clips.catalog_support import add_clip
from tests.support.servers.kafka_server import KafkaServer
from tests.support.servers.s3_server import S3Server
from tests.support.waiting import wait_for
from triggers.errors import NotFound

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(tmp_path: Path, database: Database) -> Settings:
    made = Settings(
        data_dir=tmp_path, database_url=database.url, api_url="http://127.0.0.1:1", gateway_url="http://127.0.0.1:1"
    )
    ensure_signing_key(made)
    open_store(made)
    return made


def found(settings: Settings) -> dict[str, Finding]:
    return {finding.check: finding for finding in examine(settings)}


def on_kafka(settings: Settings, kafka_server: KafkaServer, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"log_url": f"kafka://{kafka_server.bootstrap}/{tmp_path.name}"})


def test_a_kafka_that_does_not_answer_fails_the_log_and_nothing_else_is_left_out(settings: Settings) -> None:
    findings = found(settings.model_copy(update={"log_url": "kafka://127.0.0.1:1"}))
    assert findings["log"].status == "fail" and "LONGTAIL_LOG_URL" in findings["log"].remedy
    assert findings["objects"].status == findings["consistency"].status == findings["ledger"].status == "ok"
    assert {"api", "gateway"} <= set(findings)


def test_without_database_kafka_and_objects_are_examined_all_the_same(
    settings: Settings, kafka_server: KafkaServer, tmp_path: Path
) -> None:
    away = on_kafka(settings, kafka_server, tmp_path).model_copy(
        update={"database_url": "postgresql+psycopg://a@127.0.0.1:1/b"}
    )
    findings = found(away)
    assert findings["database"].status == "fail"
    assert findings["log"].status == findings["objects"].status == "ok"


def test_a_topic_that_was_deleted_fails_once_bytes_were_acknowledged(
    settings: Settings, kafka_server: KafkaServer, database: Database, tmp_path: Path
) -> None:
    settings = on_kafka(settings, kafka_server, tmp_path)
    assert found(settings)["log lag"].status == "warn", "a new deployment has none yet"
    log = open_log(settings, database)
    ensure_cells_topic(log, settings)
    # A broker that has only just started has no coordinator of groups yet.
    wait_for(lambda: found(settings)["log lag"].status == "ok", within_s=60, what="the group's coordinator")
    admin = KafkaAdminClient(bootstrap_servers=kafka_server.bootstrap)

    def there() -> list[str]:
        return [topic for topic in admin.list_topics() if tmp_path.name in topic]

    admin.delete_topics(there())
    wait_for(lambda: not there(), within_s=60, what="the end of the topic")
    admin.close()
    with pytest.raises(NotFound):
        log.partitions("longtail.cells")
    log.close()
    with database.begin() as connection:
        add_clip(connection)
        connection.execute(update(uploads).values(offset_bytes=1, size_bytes=1))
    lag = found(settings)["log lag"]
    assert lag.status == "fail" and "is gone" in lag.message


def test_an_s3_that_refuses_the_credentials_fails_the_objects_with_the_setting(
    settings: Settings, s3_server: S3Server
) -> None:
    s3 = s3_server.settings().model_dump(include={"objects_url", "objects_access_key", "objects_secret_key"})
    assert found(settings.model_copy(update=s3))["objects"].status == "ok"
    refused = found(settings.model_copy(update=s3 | {"objects_secret_key": "wrong"}))
    assert refused["objects"].status == "fail" and "LONGTAIL_OBJECTS_SECRET_KEY" in refused["objects"].remedy
    assert {"log", "ledger", "api", "gateway"} <= set(refused)
