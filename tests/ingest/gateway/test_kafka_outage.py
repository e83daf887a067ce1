"""The gateway while its log in Kafka is away or its topic was deleted: what it answers, and that it recovers alone."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ingest.log import CELLS_TOPIC
from storage.database import Database
from storage.settings import Settings
from tests.ingest.gateway.pressure import DATA, clip
from tests.ingest.gateway.serving import TusClient, running_gateway, some_bytes
from tests.support.servers.kafka_server import KafkaServer
from tests.support.waiting import wait_for
from triggers.contracts.clip import CELL_BYTES

pytestmark = pytest.mark.integration

RECOVERY_S = 60
UPLOADS = 8


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    with KafkaServer(tmp_path_factory.mktemp("gateway") / "kafka") as server:
        yield server


@pytest.fixture
def settings(database: Database, broker: KafkaServer) -> Settings:
    return Settings(
        database_url=database.url,
        database_pool_size=6,
        log_partitions=4,
        log_url=f"kafka://{broker.bootstrap}/{uuid.uuid4().hex[:12]}",
        kafka_delivery_timeout_s=3,
    )


class Uploading:
    """Uploads that go on in threads until each is whole, whatever the gateway answers."""

    def __init__(self, url: str, token: str) -> None:
        self.statuses: list[int] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._upload, args=[url, token, n]) for n in range(UPLOADS)]

    def _upload(self, url: str, token: str, number: int) -> None:
        client = TusClient(url, token)
        data = some_bytes(3 * CELL_BYTES, seed=number)
        location = client.begin(clip(data))
        offset = 0
        while offset < len(data) and not self._stop.is_set():
            answer = client.patch(location, offset, data[offset:])
            self.statuses.append(answer.status_code)
            offset = client.offset(location)
            self._stop.wait(0.05)
        client.close()

    def __enter__(self) -> Uploading:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    @property
    def done(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)


def ready(url: str) -> int:
    return httpx.get(f"{url}/readyz", timeout=30).status_code


def test_uploads_go_on_after_an_outage_and_readiness_tells_the_truth_all_along(
    broker: KafkaServer, settings: Settings, token: str
) -> None:
    with running_gateway(settings) as (url, _app):
        assert ready(url) == 200
        with TusClient(url, token).http as http:
            assert http.get("/healthz").status_code == 200
        first = TusClient(url, token)
        first.patch(first.begin(clip()), 0, DATA)
        broker.stop()
        with Uploading(url, token) as uploads:
            wait_for(lambda: uploads.statuses.count(503) >= 3 * UPLOADS, within_s=60, what="refusals during the outage")
            assert ready(url) == 503
            assert set(uploads.statuses) == {503}
            broker.start()
            wait_for(lambda: uploads.done, within_s=RECOVERY_S, what="the uploads' end after the outage")
        wait_for(lambda: ready(url) == 200, within_s=RECOVERY_S, what="readiness after the outage")


def test_readiness_returns_by_a_probe_where_nobody_uploads(broker: KafkaServer, settings: Settings, token: str) -> None:
    with running_gateway(settings) as (url, _app):
        client = TusClient(url, token)
        location = client.begin(clip())
        broker.stop()
        assert client.patch(location, 0, DATA).status_code == 503
        broker.start()
        wait_for(lambda: ready(url) == 200, within_s=RECOVERY_S, what="readiness after the outage")
        assert status_of_the_rest(client, location, DATA) == 204
        client.close()


def test_a_deleted_topic_is_created_again_and_named_in_the_log(
    broker: KafkaServer, settings: Settings, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    with running_gateway(settings) as (url, _app):
        client = TusClient(url, token)
        location = client.begin(clip())
        assert status_of_the_rest(client, location, DATA[:CELL_BYTES]) == 204
        delete_topic(broker, settings)
        wait_for(
            lambda: status_of_the_rest(client, location, DATA) == 204,
            within_s=RECOVERY_S,
            what="an append after the topic was deleted",
        )
        assert ready(url) == 200
        assert CELLS_TOPIC in caplog.text
        client.close()


def test_a_topic_that_returns_with_fewer_partitions_ends_uploads_of_the_others_at_once_and_takes_their_clips_again(
    broker: KafkaServer, settings: Settings, token: str
) -> None:
    settings = settings.model_copy(update={"log_partitions": 1})
    make_topic(broker, settings, partitions=4)
    with running_gateway(settings) as (url, _app):
        clips = [some_bytes(2 * CELL_BYTES, seed=number) for number in range(UPLOADS)]
        client = TusClient(url, token)
        locations = [client.begin(clip(data)) for data in clips]
        client.patch(locations[0], 0, clips[0][:CELL_BYTES])
        delete_topic(broker, settings)
        make_topic(broker, settings, partitions=1)
        begun_again = 0
        for data, location in zip(clips, locations, strict=True):
            status = status_of_the_rest(client, location, data)
            if status == 410:
                begun_again += 1
                status = status_of_the_rest(client, client.begin(clip(data)), data)
            assert status == 204
        assert begun_again, "no upload had one of the partitions that are gone"
        assert ready(url) == 200
        client.close()


def status_of_the_rest(client: TusClient, location: str, data: bytes) -> int:
    """The first answer other than 503 to the bytes that an upload misses."""
    statuses: list[int] = []

    def answered() -> bool:
        offset = client.offset(location)
        statuses.append(client.patch(location, offset, data[offset:]).status_code)
        return statuses[-1] != 503

    wait_for(answered, within_s=RECOVERY_S, what="an answer about the upload")
    return statuses[-1]


def make_topic(broker: KafkaServer, settings: Settings, *, partitions: int) -> None:
    from kafka import KafkaAdminClient
    from kafka.admin import NewTopic
    from kafka.errors import TopicAlreadyExistsError

    admin: Any
    topic = NewTopic(topic_name(settings), num_partitions=partitions, replication_factor=1)

    def made() -> bool:
        try:
            admin.create_topics([topic])
        except TopicAlreadyExistsError:  # the broker still deletes it
            return False
        return True

    with KafkaAdminClient(**broker.client_settings) as admin:
        wait_for(made, within_s=RECOVERY_S, what="the topic that is made again")


def topic_name(settings: Settings) -> str:
    return f"{settings.log_url.rsplit('/', 1)[1]}.{CELLS_TOPIC}"


def delete_topic(broker: KafkaServer, settings: Settings) -> None:
    from kafka import KafkaAdminClient

    admin: Any
    with KafkaAdminClient(**broker.client_settings) as admin:
        admin.delete_topics([topic_name(settings)])
