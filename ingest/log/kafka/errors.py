"""Translates errors of kafka-python into one line that names the setting and says what to do.

A client that cannot connect only says that it could not (`KafkaTimeoutError`). The reason is then found by repeating
the steps one by one: connection, TLS, credentials, the addresses that the brokers advertise.
"""

from __future__ import annotations

import socket
import ssl

from kafka import errors

from ingest.log.kafka.location import KafkaLocation, tls_context
from storage.settings import Settings
from triggers.errors import LongtailError, Misconfigured, Unreachable

PROBE_TIMEOUT_S = 3.0
_CREDENTIALS = (
    errors.SaslAuthenticationFailedError,
    errors.UnsupportedSaslMechanismError,
    errors.IllegalSaslStateError,
)
_TOO_LARGE = (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError)
_MAX_TEXT = 200


def translated(error: errors.KafkaError, location: KafkaLocation, what: str) -> LongtailError:
    """The error in trying to do `what` (such as "append to topic 'cells'").

    Misconfigured for errors that only a change of settings fixes, Unreachable for all others.
    """
    at = f"LONGTAIL_LOG_URL: Kafka at {location.shown}"
    if isinstance(error, _CREDENTIALS):
        return wrong_credentials(location)
    if isinstance(error, errors.AuthorizationError):
        remedy = "let the user of LONGTAIL_KAFKA_SASL_USERNAME do this (kafka-acls.sh)"
        return Misconfigured(f"{at} does not allow this user to {what}", remedy=remedy)
    if isinstance(error, errors.InvalidReplicationFactorError):
        remedy = "set LONGTAIL_KAFKA_REPLICATION_FACTOR to at most the number of brokers"
        return Misconfigured(f"{at} has too few brokers to {what}", remedy=remedy)
    if isinstance(error, errors.InvalidSessionTimeoutError):
        remedy = "set LONGTAIL_LOG_LEASE_S between the brokers' group.min. and group.max.session.timeout.ms"
        return Misconfigured(f"{at} does not allow this lease, so a reader could not {what}", remedy=remedy)
    if isinstance(error, _TOO_LARGE):
        remedy = "raise max.message.bytes of the topic (`longtail doctor` says to what value)"
        return Misconfigured(f"{at} does not take records of this size: could not {what}", remedy=remedy)
    if isinstance(error, (errors.PolicyViolationError, errors.InvalidConfigurationError)):
        return Misconfigured(f"{at} refused to {what}: {_text(error)}", remedy="ask its administrator")
    return Unreachable(f"{at} did not {what}: {_text(error)}", remedy="check that it is running")


def wrong_credentials(location: KafkaLocation) -> Misconfigured:
    """The error for a broker that refuses our credentials."""
    return Misconfigured(
        f"LONGTAIL_LOG_URL: Kafka at {location.shown} does not accept the user or the password",
        remedy="correct LONGTAIL_KAFKA_SASL_USERNAME, LONGTAIL_KAFKA_SASL_PASSWORD or LONGTAIL_KAFKA_SASL_MECHANISM",
    )


def _text(error: Exception) -> str:
    name = type(error).__name__.removesuffix("Error")
    return " ".join(f"{name}: {error}".split())[:_MAX_TEXT]


def require_listener(location: KafkaLocation) -> None:
    """Unreachable at once when none of the bootstrap servers listens."""
    reasons = []
    for host, port in location.servers:
        try:
            socket.create_connection((host, port), timeout=PROBE_TIMEOUT_S).close()
        except OSError as error:
            reasons.append(f"{host}:{port}: {error.strerror or error}")
        else:
            return
    raise Unreachable(
        f"LONGTAIL_LOG_URL: Kafka does not answer ({'; '.join(reasons)[:_MAX_TEXT]})",
        remedy="start it, or correct LONGTAIL_LOG_URL",
    )


def why_not_connected(settings: Settings, location: KafkaLocation) -> LongtailError:
    """Why no client could connect, although kafka-python tried for a while."""
    try:
        require_listener(location)
    except Unreachable as error:
        return error
    protocol = settings.kafka_security_protocol
    context = tls_context(settings)
    problem = _tls_problem(location, context) if context is not None else None
    if problem is not None:
        return problem
    if protocol.startswith("SASL"):
        return wrong_credentials(location)
    encrypted = context is None and _tls_problem(location, _any_tls()) is None
    guess = "it expects TLS" if encrypted else "it may still be starting, or expect TLS or a user"
    return (Misconfigured if encrypted else Unreachable)(
        f"LONGTAIL_LOG_URL: {location.shown} accepts connections, but does not answer Kafka over {protocol}: {guess}",
        remedy="set LONGTAIL_KAFKA_SECURITY_PROTOCOL to the protocol of the broker's listener",
    )


def _any_tls() -> ssl.SSLContext:
    """A context to find out whether the server speaks TLS at all; nothing is sent over it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _tls_problem(location: KafkaLocation, context: ssl.SSLContext) -> LongtailError | None:
    host, port = location.servers[0]
    at = f"LONGTAIL_LOG_URL: Kafka at {host}:{port}"
    try:
        with (
            socket.create_connection((host, port), timeout=PROBE_TIMEOUT_S) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return None
    except ssl.SSLCertVerificationError as error:
        return Misconfigured(
            f"{at} has a certificate that cannot be trusted ({error.verify_message})",
            remedy="set LONGTAIL_KAFKA_CA_FILE to its authority, and name the broker as the certificate does",
        )
    except ssl.SSLError as error:
        return Misconfigured(
            f"{at} does not speak TLS with us ({error.reason})",
            remedy="correct LONGTAIL_KAFKA_SECURITY_PROTOCOL, or set LONGTAIL_KAFKA_CLIENT_CERT_FILE",
        )
    except OSError as error:
        return Unreachable(
            f"{at} closed the connection during the TLS handshake ({error})", remedy="wait until it has started"
        )


def require_advertised(location: KafkaLocation, brokers: list[tuple[str, int]]) -> None:
    """Unreachable when no broker answers at the address that it advertises (some may be down)."""
    for host, port in brokers:
        try:
            socket.create_connection((host, port), timeout=PROBE_TIMEOUT_S).close()
        except OSError as error:
            problem = Unreachable(
                f"LONGTAIL_LOG_URL: Kafka answers at {location.shown} but sends its clients to {host}:{port}, "
                f"which cannot be reached from here ({error.strerror or error})",
                remedy="correct `advertised.listeners` of the broker",
            )
        else:
            return
    if brokers:
        raise problem
