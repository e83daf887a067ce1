"""Whether a process in its container is ready: `health.py api`, `gateway` or `ingest`. If not, it ends with 1 and why.

It finds the process by the variables that the process itself reads, and imports nothing of Longtail, so that it costs
little every few seconds.
"""

from __future__ import annotations

import os
import ssl
import sys
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection

TIMEOUT_S = 9.0
PORTS = {"api": 8080, "gateway": 8081, "ingest": 8082}
"""Where each listens if no variable says otherwise; a test compares them with the settings."""


class _UnusableCertificate(Exception):
    """The file has no certificate and key, or cannot be read."""


def why_not_ready(process: str) -> str:
    """Why the process is not ready; empty when it is."""
    host, port = _given(f"{process.upper()}_HOST") or "127.0.0.1", _given(f"{process.upper()}_PORT")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    try:
        with closing(_connection(host, int(port or PORTS[process]))) as connection:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            said = answer.read(200).decode(errors="replace")
    except _UnusableCertificate as error:
        return f"the certificate in LONGTAIL_CLIENT_CERT_FILE cannot be used: {error}"
    except (OSError, HTTPException) as error:
        remedy = "" if isinstance(error, ConnectionRefusedError | TimeoutError) else _remedy()  # it is still starting
        return f"no answer from {host}: {error or type(error).__name__}{remedy}"
    return "" if answer.status == 200 else f"status {answer.status}: {said}"


def _remedy() -> str:
    if not _given("TLS_CLIENT_CA_FILE"):
        return ""
    if not _given("CLIENT_CERT_FILE"):
        return "; it refuses clients without a certificate: set LONGTAIL_CLIENT_CERT_FILE"
    return "; is LONGTAIL_CLIENT_CERT_FILE a certificate, with its key, of LONGTAIL_TLS_CLIENT_CA_FILE?"


def _connection(host: str, port: int) -> HTTPConnection:
    if not _given("TLS_CERT_FILE"):
        return HTTPConnection(host, port, timeout=TIMEOUT_S)
    # In this container, and nothing secret is sent: the certificate is for the process's public name.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if own := _given("CLIENT_CERT_FILE"):
        try:
            context.load_cert_chain(own, password="")  # a key with a password is refused, and nobody asked for it
        except OSError as error:
            raise _UnusableCertificate(f"{own}: {error}") from error
    return HTTPSConnection(host, port, timeout=TIMEOUT_S, context=context)


def _given(name: str) -> str:
    return os.environ.get(f"LONGTAIL_{name}", "")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in PORTS:
        sys.exit(f"usage: health.py {'|'.join(PORTS)}")
    sys.exit(why_not_ready(sys.argv[1]) or 0)
