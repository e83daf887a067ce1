"""The location of Kafka: LONGTAIL_LOG_URL and LONGTAIL_KAFKA_* as arguments of kafka-python's clients.

Errors in the settings are found here, before anything is sent, and name the variable.
"""

from __future__ import annotations

import importlib.util
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from storage.settings import Settings, shown_url
from triggers.errors import Misconfigured

DEFAULT_PORT = 9092
CONNECT_TIMEOUT_S = 5.0
REQUEST_TIMEOUT_S = 10.0
_PREFIX = re.compile(r"[A-Za-z0-9._-]{0,40}")
_SERVER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
_EXAMPLE = "use kafka://HOST:PORT[,HOST:PORT...][/PREFIX]"


@dataclass(frozen=True, slots=True)
class KafkaLocation:
    """A cluster, given by its bootstrap servers, and the prefix of our topics and groups in it."""

    servers: tuple[tuple[str, int], ...]
    prefix: str

    @property
    def shown(self) -> str:
        """The bootstrap servers as messages show them."""
        return ",".join(f"{host}:{port}" for host, port in self.servers)

    def topic(self, name: str) -> str:
        """A topic's name in this cluster."""
        return f"{self.prefix}{name}"

    def group(self, name: str, topic: str) -> str:
        """The name of a consumer group of one topic: Kafka has one space of members for all topics of a group."""
        return f"{self.prefix}{name}@{topic}"


def parse_location(url: str) -> KafkaLocation:
    """The location in LONGTAIL_LOG_URL, `kafka://HOST:PORT[,HOST:PORT...][/PREFIX]`; or Misconfigured."""
    parts = urlsplit(url)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise _wrong_url(url, "it must not contain credentials or parameters (use LONGTAIL_KAFKA_* for them)")
    prefix = parts.path.strip("/")
    if not _PREFIX.fullmatch(prefix):
        raise _wrong_url(url, "a prefix is up to 40 of A-Z a-z 0-9 . _ -")
    return KafkaLocation(tuple(_server(url, text) for text in parts.netloc.split(",")), f"{prefix}." if prefix else "")


def _server(url: str, text: str) -> tuple[str, int]:
    match = _SERVER.fullmatch(text)
    if match is None:
        raise _wrong_url(url, f"{text!r} is not HOST:PORT")
    host, port = match.group(1), int(match.group(2) or DEFAULT_PORT)
    if not 1 <= port <= 65535:
        raise _wrong_url(url, f"{port} is not a port")
    return host, port


def _wrong_url(url: str, what: str) -> Misconfigured:
    return Misconfigured(f"LONGTAIL_LOG_URL: {shown_url(url)[:200]!r}: {what}", remedy=_EXAMPLE)


def require_fast_checksums() -> None:
    """Misconfigured without the package `crc32c`: kafka-python would compute checksums in Python, at 5 MB/s."""
    if importlib.util.find_spec("crc32c") is None:
        raise Misconfigured(
            "LONGTAIL_LOG_URL: Kafka needs the package crc32c, without which checksums take most of the time",
            remedy="install it: uv pip install crc32c",
        )


def client_arguments(settings: Settings, location: KafkaLocation, *, connect_timeout_s: float) -> dict[str, Any]:
    """Arguments common to all kafka-python clients: addresses, security, timeouts. Misconfigured if invalid."""
    arguments: dict[str, Any] = {
        "bootstrap_servers": [f"{host}:{port}" for host, port in location.servers],
        "client_id": f"longtail-{settings.worker_id}",
        "security_protocol": settings.kafka_security_protocol,
        "bootstrap_timeout_ms": int(connect_timeout_s * 1000),
        "request_timeout_ms": int(REQUEST_TIMEOUT_S * 1000),
        "reconnect_backoff_max_ms": 1000,
    }
    context = tls_context(settings)
    if context is not None:
        arguments["ssl_context"] = context
    if settings.kafka_security_protocol.startswith("SASL"):
        arguments |= _sasl_arguments(settings)
    return arguments


def _sasl_arguments(settings: Settings) -> dict[str, str]:
    if not settings.kafka_sasl_username or not settings.kafka_sasl_password:
        raise Misconfigured(
            f"LONGTAIL_KAFKA_SECURITY_PROTOCOL is {settings.kafka_security_protocol}, but user or password is missing",
            remedy="set LONGTAIL_KAFKA_SASL_USERNAME and LONGTAIL_KAFKA_SASL_PASSWORD",
        )
    return {
        "sasl_mechanism": settings.kafka_sasl_mechanism,
        "sasl_plain_username": settings.kafka_sasl_username,
        "sasl_plain_password": settings.kafka_sasl_password,
    }


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """The TLS context for the brokers; None without TLS. Misconfigured names a file that cannot be used."""
    if not settings.kafka_security_protocol.endswith("SSL"):
        return None
    context = ssl.create_default_context()
    if settings.kafka_ca_file is not None:
        with _reading("LONGTAIL_KAFKA_CA_FILE", settings.kafka_ca_file):
            context = ssl.create_default_context(cafile=settings.kafka_ca_file)
    if settings.kafka_client_cert_file is not None:
        with _reading("LONGTAIL_KAFKA_CLIENT_CERT_FILE", settings.kafka_client_cert_file):
            context.load_cert_chain(settings.kafka_client_cert_file, settings.kafka_client_key_file)
    return context


class _reading:  # noqa: N801  reads as a statement
    """Translates the errors of a PEM file into Misconfigured."""

    def __init__(self, variable: str, path: Path) -> None:
        self._variable, self._path = variable, path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):  # ssl.SSLError is one
            raise Misconfigured(
                f"{self._variable}: {self._path} cannot be used ({error.strerror or error})", remedy="name a PEM file"
            ) from error
