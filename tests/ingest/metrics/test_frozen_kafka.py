"""A Kafka that answers nothing costs ingest the metrics of its lag, and no others."""

from __future__ import annotations

import os
import signal
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from ingest.log import ensure_cells_topic
from ingest.log.kafka.log import KafkaLog
from ingest.metrics.exposition import Exposition
from ingest.metrics.sources import Disks, Lag, Parts
from ingest.metrics.text import Form
from ingest.readiness import Readiness
from storage.settings import Settings
from tests.fleet_api.watching.scraping import Scrape, parsed
from tests.support.servers.kafka_server import KafkaServer
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration


def test_the_scrape_of_ingest_goes_on_while_its_kafka_is_frozen_and_has_the_lag_again_afterwards(
    tmp_path: Path,
) -> None:
    with KafkaServer(tmp_path / "kafka") as broker:
        settings = Settings(data_dir=tmp_path, log_url=f"kafka://{broker.bootstrap}/{uuid.uuid4().hex[:12]}")
        lag = Lag()
        metrics = Exposition("ingest", settings, Parts(Readiness()), lag, Disks({"spool": tmp_path}))
        with closing(KafkaLog(settings)) as log:
            ensure_cells_topic(log, settings)
            lag.log = log

            def scraped() -> Scrape:
                return parsed(metrics.text(Form.OPEN_METRICS).decode())

            def is_read() -> bool:
                return scraped().by("longtail_metrics_collected", "source") == {"parts": 1, "log": 1, "disks": 1}

            wait_for(is_read, within_s=60, what="the lag in a scrape")
            os.kill(broker.pids()[1], signal.SIGSTOP)
            try:
                found = scraped()
            finally:
                os.kill(broker.pids()[1], signal.SIGCONT)
            assert found.by("longtail_metrics_collected", "source") == {"parts": 1, "log": 0, "disks": 1}
            assert found.value("longtail_disk_free_bytes", disk="spool") > 0
            wait_for(is_read, within_s=120, what="the lag in a scrape")
            metrics.close()
