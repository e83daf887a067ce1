"""What the log in Kafka does beyond the contract: a broker's death, security, and errors that name the setting."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from ingest.log import Log, NotOwner, open_log
from ingest.log.contract import CELLS_TOPIC
from ingest.log.kafka.group import share_out
from ingest.log.kafka.location import parse_location
from ingest.log.kafka.log import KafkaLog
from ingest.log.kafka.producer import parts
from storage.database import Database
from storage.settings import Settings
from tests.ingest.log.support import TOPIC, drain, wait_until
from tests.support.servers.kafka_server import KafkaServer
from triggers.errors import LongtailError, Misconfigured, NotFound, Unreachable

pytestmark = pytest.mark.integration

USER, PASSWORD = "longtail", "correct horse"


def settings_of(server: KafkaServer, **changes: object) -> Settings:
    values: dict[str, Any] = {"log_url": f"kafka://{server.bootstrap}/{uuid.uuid4().hex[:12]}", "log_lease_s": 10}
    return Settings(**(values | changes))


@pytest.fixture
def settings(kafka_server: KafkaServer) -> Settings:
    return settings_of(kafka_server)


@pytest.fixture
def log(settings: Settings) -> Iterator[Log]:
    log = KafkaLog(settings)
    yield log
    log.close()


@pytest.fixture
def admin(kafka_server: KafkaServer) -> Iterator[Any]:
    from kafka import KafkaAdminClient

    with KafkaAdminClient(**kafka_server.client_settings) as client:
        yield client


def the_error(log: KafkaLog) -> LongtailError:
    """What `check` finds wrong, in one line that names the setting."""
    try:
        with pytest.raises(LongtailError) as caught:
            log.check()
    finally:
        log.close()
    assert "\n" not in str(caught.value)
    assert "LONGTAIL_LOG_URL" in str(caught.value)
    return caught.value


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """A broker that tests may stop and kill; they leave it running."""
    with KafkaServer(tmp_path_factory.mktemp("own") / "kafka") as server:
        yield server


def test_what_was_acknowledged_survives_kill_9_of_the_broker_between_appends_and_reads(
    own_broker: KafkaServer,
) -> None:
    with closing(KafkaLog(settings_of(own_broker))) as log:
        log.ensure_topic(TOPIC, partitions=2, retention_s=3600)
        acknowledged: list[tuple[int, bytes]] = []
        stop = threading.Event()

        def write() -> None:
            for number in itertools.count():
                if stop.is_set():
                    return
                records = [(b"", b"%d.%d" % (number, part) + b" " * 50_000) for part in range(1 + number % 3)]
                try:
                    log.append(TOPIC, number % 2, records)
                except Unreachable:
                    continue  # not acknowledged: nothing is promised of these
                acknowledged.extend((number % 2, value.strip()) for _, value in records)

        writer = threading.Thread(target=write)
        writer.start()
        read: list[tuple[int, bytes]] = []
        with log.consumer(TOPIC, group="g", member="a") as consumer:

            def read_more() -> int:
                with suppress(Unreachable, NotOwner):  # where the broker's start outlasts the lease, records come again
                    records = consumer.poll(max_records=100, timeout_s=0.1)
                    read.extend((record.partition, record.value.strip()) for record in records)
                    consumer.commit({record.partition: record.offset + 1 for record in records})
                return len(read)

            for _ in range(2):
                target = len(read) + 40
                wait_until(lambda: read_more() >= target, 60)  # noqa: B023
                own_broker.kill()
                own_broker.start()
            target = len(read) + 40
            wait_until(lambda: read_more() >= target, 60)
            stop.set()
            writer.join()
            wait_until(lambda: read_more() and set(acknowledged) <= set(read), 60)
        for partition in (0, 1):
            numbers = [int(value.split(b".")[0]) for at, value in dict.fromkeys(read) if at == partition]
            assert numbers == sorted(numbers)


def test_a_log_opens_and_says_unreachable_while_no_broker_runs(own_broker: KafkaServer) -> None:
    with closing(KafkaLog(settings_of(own_broker))) as log:
        own_broker.stop()
        for ask in (
            lambda: log.ensure_topic(TOPIC, partitions=1, retention_s=60),
            lambda: log.partitions(TOPIC),
            lambda: log.append(TOPIC, 0, [(b"", b"x")]),
            log.check,
        ):
            with pytest.raises(Unreachable, match=rf"LONGTAIL_LOG_URL.*{own_broker.port}"):
                ask()
        own_broker.start()
        log.ensure_topic(TOPIC, partitions=1, retention_s=60)
        assert log.append(TOPIC, 0, [(b"", b"x")]) == [0]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """A broker with users and TLS, and bounds on leases."""
    folder, bounds = tmp_path_factory.mktemp("secured"), {"group.min.session.timeout.ms": "6000"}
    with KafkaServer(folder, sasl_users={USER: PASSWORD}, tls=True, settings=bounds) as server:
        yield server


def secured_settings(server: KafkaServer, **changes: object) -> Settings:
    values: dict[str, object] = {
        "kafka_security_protocol": "SASL_SSL",
        "kafka_sasl_username": USER,
        "kafka_sasl_password": PASSWORD,
        "kafka_ca_file": server.ca_file,
    }
    return settings_of(server, **(values | changes))


def test_records_go_through_scram_and_tls(secured: KafkaServer) -> None:
    settings = secured_settings(secured)
    assert PASSWORD not in repr(settings)
    log = KafkaLog(settings)
    log.ensure_topic(TOPIC, partitions=2, retention_s=3600)
    values = [bytes([number]) * 512 * 1024 for number in range(8)]
    for number, value in enumerate(values):
        log.append(TOPIC, number % 2, [(b"%d" % number, value)])
    with log.consumer(TOPIC, group="g", member="a") as consumer:
        records = drain(consumer, 8)
        assert sorted(record.value for record in records) == values
        consumer.commit({0: 4, 1: 4})
    assert log.committed_offsets(TOPIC, "g") == log.end_offsets(TOPIC) == {0: 4, 1: 4}
    assert "Kafka 4" in log.check()
    log.close()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"kafka_sasl_password": "wrong"}, "LONGTAIL_KAFKA_SASL_PASSWORD"),
        ({"kafka_sasl_username": "nobody"}, "LONGTAIL_KAFKA_SASL_USERNAME"),
        ({"kafka_sasl_mechanism": "PLAIN"}, "LONGTAIL_KAFKA_SASL_MECHANISM"),
        ({"kafka_ca_file": None}, "LONGTAIL_KAFKA_CA_FILE"),
        ({"kafka_security_protocol": "PLAINTEXT"}, "LONGTAIL_KAFKA_SECURITY_PROTOCOL"),
    ],
)
def test_wrong_credentials_and_authorities_are_named(
    secured: KafkaServer, changes: dict[str, object], named: str
) -> None:
    error = the_error(KafkaLog(secured_settings(secured, **changes), connect_timeout_s=1.5))
    assert isinstance(error, Misconfigured)
    assert named in str(error)
    assert PASSWORD not in str(error)


def test_tls_to_a_listener_without_it_is_named(kafka_server: KafkaServer) -> None:
    error = the_error(KafkaLog(settings_of(kafka_server, kafka_security_protocol="SSL"), connect_timeout_s=1.5))
    assert isinstance(error, Misconfigured)
    assert "LONGTAIL_KAFKA_SECURITY_PROTOCOL" in str(error)


def test_a_broker_that_is_not_where_it_says_is_named_with_both_addresses(tmp_path: Path) -> None:
    with KafkaServer(tmp_path / "kafka", advertised="127.0.0.1:9") as server:

        def error() -> str:
            return str(the_error(KafkaLog(settings_of(server))))

        wait_until(lambda: "advertised.listeners" in error(), 60)
        said = error()
        assert "127.0.0.1:9," in said
        assert server.bootstrap in said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"max.message.bytes": "100000"}, "max.message.bytes=100000"),
        ({"retention.ms": "1000"}, "retention.ms=1000.*LONGTAIL_UPLOAD_EXPIRY_S"),
        ({"retention.bytes": "1000000"}, "retention.bytes=1000000"),
        ({"cleanup.policy": "compact"}, "cleanup.policy=compact"),
    ],
)
def test_a_topic_that_cannot_carry_the_log_is_named(
    settings: Settings, admin: Any, changed: dict[str, str], said: str
) -> None:
    from kafka.admin import ConfigResource, ConfigResourceType

    log = KafkaLog(settings)
    log.ensure_topic(CELLS_TOPIC, partitions=4, retention_s=settings.log_retention_s)
    assert "4 partitions, kept 259200 s" in log.check()
    topic = parse_location(settings.log_url).topic(CELLS_TOPIC)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=changed)])
    changed_log = KafkaLog(settings)
    with pytest.raises(Misconfigured, match=said):
        wait_until(lambda: not changed_log.check())
    changed_log.close()
    log.close()


def test_too_few_partitions_are_named_and_one_replica_is_a_warning(log: Log, settings: Settings) -> None:
    assert "does not exist yet" in log.check()
    log.ensure_topic(CELLS_TOPIC, partitions=2, retention_s=settings.log_retention_s)
    with pytest.raises(Misconfigured, match="2 partitions, LONGTAIL_LOG_PARTITIONS asks for 4"):
        log.check()
    log.ensure_topic(CELLS_TOPIC, partitions=4, retention_s=settings.log_retention_s)
    assert "warning" in log.check()


def test_more_replicas_than_brokers_are_named(kafka_server: KafkaServer) -> None:
    log = KafkaLog(settings_of(kafka_server, kafka_replication_factor=3))
    with pytest.raises(Misconfigured, match="LONGTAIL_KAFKA_REPLICATION_FACTOR"):
        log.ensure_topic(TOPIC, partitions=1, retention_s=60)
    log.close()


def test_a_lease_that_the_brokers_do_not_allow_is_named(secured: KafkaServer) -> None:
    with closing(KafkaLog(secured_settings(secured, log_lease_s=2))) as log:
        log.ensure_topic(TOPIC, partitions=1, retention_s=60)
        consumer = log.consumer(TOPIC, group="g", member="a")
        with pytest.raises(Misconfigured, match="LONGTAIL_LOG_LEASE_S"):
            drain(consumer, 1)


def test_a_prefix_keeps_deployments_apart(kafka_server: KafkaServer, log: Log) -> None:
    log.ensure_topic(TOPIC, partitions=1, retention_s=60)
    other = KafkaLog(settings_of(kafka_server))
    with pytest.raises(NotFound):
        other.partitions(TOPIC)
    other.close()


def test_topics_are_never_made_by_asking_for_them(log: Log, settings: Settings, admin: Any) -> None:
    for ask in (lambda: log.append(TOPIC, 0, [(b"", b"x")]), lambda: log.consumer(TOPIC, group="g", member="a")):
        with pytest.raises(NotFound):
            ask()
    assert not [name for name in admin.list_topics() if name.startswith(parse_location(settings.log_url).prefix)]


@pytest.mark.parametrize(
    "url",
    [
        "kafka://",
        "kafka://host:0",
        "kafka://host:99999",
        "kafka://u:p@host",
        "kafka://a,,b",
        "kafka://h/a/b",
        "kafka://h?x=1",
    ],
)
def test_urls_that_name_no_cluster_are_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match="LONGTAIL_LOG_URL") as caught:
        open_log(Settings(log_url=url), Database("postgresql+psycopg://nobody@127.0.0.1:1/none"))
    assert ":p@" not in str(caught.value)


def test_a_url_names_servers_and_a_prefix() -> None:
    location = parse_location("kafka://a:1,b,[::1]:2/fleet")
    assert location.servers == (("a", 1), ("b", 9092), ("[::1]", 2))
    assert location.topic("cells") == "fleet.cells"
    assert location.group("assembler", "cells") == "fleet.assembler@cells"
    assert parse_location("kafka://a").topic("cells") == "cells"


def test_sasl_without_a_user_and_files_that_are_none_are_refused(tmp_path: Path) -> None:
    no_pem = tmp_path / "ca.pem"
    no_pem.write_text("nothing")
    for changes, named in (
        ({"kafka_security_protocol": "SASL_SSL"}, "LONGTAIL_KAFKA_SASL_USERNAME"),
        ({"kafka_security_protocol": "SSL", "kafka_ca_file": no_pem}, "LONGTAIL_KAFKA_CA_FILE"),
        ({"kafka_security_protocol": "SSL", "kafka_ca_file": tmp_path / "absent"}, "LONGTAIL_KAFKA_CA_FILE"),
        ({"kafka_security_protocol": "SSL", "kafka_client_cert_file": no_pem}, "LONGTAIL_KAFKA_CLIENT_CERT_FILE"),
    ):
        with pytest.raises(Misconfigured, match=named):
            KafkaLog(Settings(log_url="kafka://127.0.0.1:1", **changes))


def test_without_the_package_crc32c_the_log_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.log.kafka.location.importlib.util.find_spec", lambda _: None)
    with pytest.raises(Misconfigured, match="uv pip install crc32c"):
        KafkaLog(Settings(log_url="kafka://127.0.0.1:1"))


def test_partitions_move_only_when_nobody_claims_them_any_more() -> None:
    assert share_out(4, {"a": {0, 1, 2, 3}, "b": set()}) == {"a": [0, 1], "b": []}
    assert share_out(4, {"a": {0, 1}, "b": set()}) == {"a": [0, 1], "b": [2, 3]}
    assert share_out(2, {"a": {0, 1}, "b": {1}}) == {"a": [0], "b": []}
    assert share_out(0, {"a": set()}) == {"a": []}
    assert share_out(1, {"a": {0, 7}}) == {"a": [0]}


def test_long_appends_are_sent_in_parts_in_their_order() -> None:
    records = [(b"k", b"x" * size) for size in (3, 9, 30, 1, 1)]
    sent = list(parts(records, 10))
    assert [record for part, _ in sent for record in part] == records
    assert [size for _, size in sent] == [4, 10, 31, 4]
