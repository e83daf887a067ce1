"""Certificates of the listeners: whether they can be used, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from fleet_api.deployment.doctor.findings import Finding, fail, ok, warn
from ingest.http.server.tls import Tls
from storage.settings import PREFIX, Settings
from triggers.errors import Misconfigured

WARN_DAYS = 21


def check(settings: Settings, *, now: datetime | None = None) -> Iterator[Finding]:
    """Whether TLS is on or a proxy has it, and when the certificates expire."""
    Tls.from_settings(settings)
    if settings.tls_cert_file is None:
        where = "a proxy in front is said to have TLS" if settings.behind_proxy else "plain HTTP, for this machine only"
        yield ok("tls", where)
        return
    at = now or datetime.now(UTC)
    yield from (_expiry("certificate", "TLS_CERT_FILE", settings.tls_cert_file, at), *_authorities(settings, at))


def _authorities(settings: Settings, now: datetime) -> Iterator[Finding]:
    if settings.tls_client_ca_file is None:
        return
    yield _expiry("client authority", "TLS_CLIENT_CA_FILE", settings.tls_client_ca_file, now)
    if settings.client_cert_file is not None:
        yield _expiry("client's certificate", "CLIENT_CERT_FILE", settings.client_cert_file, now)
    else:
        yield warn(
            "tls",
            "clients without a certificate are refused, and checks on this machine have none",
            f"set {PREFIX}CLIENT_CERT_FILE to a PEM file with a certificate of these authorities and its key",
        )


def _expiry(name: str, setting: str, file: Path, now: datetime) -> Finding:
    """The finding for the certificate in the file of a setting that is the first to expire."""
    try:
        certificates = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        remedy = f"name a PEM file with one ({PREFIX}{setting})"
        raise Misconfigured(f"the {name} cannot be read from {file}: {error}", remedy=remedy) from error
    expires_at = min(certificate.not_valid_after_utc for certificate in certificates)
    days = (expires_at - now).total_seconds() / 86400
    until = f"the {name} in {file} expires at {expires_at:%Y-%m-%d %H:%M} UTC"
    remedy = f"renew it in place; it is read again by itself ({PREFIX}{setting})"
    if days < 0:
        return fail("tls", until.replace("expires", "expired"), remedy)
    return warn("tls", f"{until}, in {days:.1f} days", remedy) if days < WARN_DAYS else ok("tls", until)
