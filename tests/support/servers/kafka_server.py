"""Apache Kafka for the tests: one broker in KRaft mode, plain or with SASL/SCRAM and TLS.

`with KafkaServer(folder) as kafka:` gives `kafka.bootstrap`; `kafka.client_settings` is what kafka-python takes.
Ports and data stay the same over `stop`, `kill` and `start`. A log segment is 64 MiB, a record at most 8 MiB.
"""

from __future__ import annotations

import base64
import uuid
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from tests.support.servers.certificates import write_server_certificate
from tests.support.servers.java_server import QUICK_START, class_path, free_ports, run_java
from tests.support.servers.kept_server import KeptServer

MAX_RECORD_BYTES = 8 * 1024**2
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
_PROBE_MS = 2000


class KafkaServer(KeptServer):
    """A broker that keeps everything in `folder`.

    `sasl_users` (passwords by name) lets only these in, by SCRAM-SHA-512; `tls` encrypts with a certificate of an
    authority whose file is `ca_file`; `advertised` is the HOST:PORT the broker tells its clients instead of its own;
    `settings` are properties of the broker that replace those chosen here.
    """

    def __init__(
        self,
        folder: Path,
        *,
        sasl_users: dict[str, str] | None = None,
        tls: bool = False,
        advertised: str | None = None,
        settings: dict[str, str] | None = None,
        holders: Path | None = None,
        optimised: bool = False,
    ) -> None:
        super().__init__(folder, holders=holders, optimised=optimised)
        self.sasl_users = sasl_users or {}
        self.ca_file = folder / "ca.pem" if tls else None
        self._advertised = advertised
        self._settings = settings or {}

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def broker_port(self) -> int:
        """The listener among brokers, which is never advertised under another name."""
        return self._ports[2]

    @property
    def security_protocol(self) -> str:
        return ("SASL_" if self.sasl_users else "") + ("SSL" if self.ca_file else "PLAINTEXT")

    @property
    def client_settings(self) -> dict[str, Any]:
        """Keyword arguments for a client of kafka-python; the first of the users."""
        settings: dict[str, Any] = {"bootstrap_servers": self.bootstrap, "security_protocol": self.security_protocol}
        if self.ca_file:
            settings["ssl_cafile"] = str(self.ca_file)
        if self.sasl_users:
            name, password = next(iter(self.sasl_users.items()))
            settings["sasl_mechanism"] = "SCRAM-SHA-512"
            settings |= {"sasl_plain_username": name, "sasl_plain_password": password}
        return settings

    def _prepare(self, attempt: int) -> list[int]:
        if self.ca_file:
            write_server_certificate(self.ca_file, self.folder / "server.pem")
        ports = free_ports(3)
        (self.folder / "server.properties").write_text(self._properties(ports, self.folder / f"data-{attempt}"))
        self._format()
        return ports

    def _format(self) -> None:
        random_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        cluster_id = "L" + random_id[1:]  # a leading dash would be taken for an option
        users = [
            argument
            for name, password in self.sasl_users.items()
            for argument in ("--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]")
        ]
        tool = [QUICK_START, "-cp", class_path("kafka"), "kafka.tools.StorageTool", "format"]
        run_java([*tool, "-t", cluster_id, "-c", str(self.folder / "server.properties"), *users])

    def _arguments(self) -> list[str]:
        program = ["-Xmx512m", "-cp", class_path("kafka"), "kafka.Kafka"]
        return [*program, str(self.folder / "server.properties")]

    def _answers(self) -> bool:
        """Whether the broker has taken up its duties: a cluster without live brokers answers too."""
        # Under an advertised name that leads nowhere only the listener among brokers answers.
        settings = {"bootstrap_servers": f"127.0.0.1:{self.broker_port}"} if self._advertised else self.client_settings
        try:
            client = KafkaAdminClient(**settings, bootstrap_timeout_ms=_PROBE_MS, request_timeout_ms=_PROBE_MS)
        except KafkaError:
            return False
        try:
            return bool(client.describe_cluster()["brokers"])
        except KafkaError:
            return False
        finally:
            client.close()

    def _properties(self, ports: list[int], data: Path) -> str:
        clients, controller, brokers = (f"127.0.0.1:{port}" for port in ports)
        protocols = {"CLIENTS": self.security_protocol, "CONTROLLER": "PLAINTEXT", "BROKERS": "PLAINTEXT"}
        properties = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{controller}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "BROKERS",
            "listeners": f"CLIENTS://{clients},CONTROLLER://{controller},BROKERS://{brokers}",
            "advertised.listeners": f"CLIENTS://{self._advertised or clients},BROKERS://{brokers}",
            "listener.security.protocol.map": ",".join(f"{name}:{kind}" for name, kind in protocols.items()),
            "log.dirs": str(data),
            "message.max.bytes": str(MAX_RECORD_BYTES),
            "auto.create.topics.enable": "false",
            **_SMALL,
            **(self._sasl_properties() if self.sasl_users else {}),
            **(self._tls_properties() if self.ca_file else {}),
            **self._settings,
        }
        return "".join(f"{key}={value}\n" for key, value in properties.items())

    def _sasl_properties(self) -> dict[str, str]:
        return {
            "listener.name.clients.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.clients.scram-sha-512.sasl.jaas.config": _SCRAM,
        }

    def _tls_properties(self) -> dict[str, str]:
        return {
            "listener.name.clients.ssl.keystore.type": "PEM",
            "listener.name.clients.ssl.keystore.location": str(self.folder / "server.pem"),
        }


_SMALL = {
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "broker.session.timeout.ms": "3000",  # a killed broker may come back when its last session is over
    "broker.heartbeat.interval.ms": "500",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "500",
    "log.segment.bytes": str(64 * 1024**2),
    "log.cleaner.dedupe.buffer.size": str(4 * 1024**2),
    "log.retention.check.interval.ms": "1000",
    "num.network.threads": "2",
    "num.io.threads": "2",
}
"""One broker that is alone, starts fast, and shows retention and rebalances within a test's time."""
