"""The health check of the image and the compose file: one script, which finds each process by its own variables."""

from __future__ import annotations

import json
import runpy
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from storage.settings import Settings
from tests.support.paths import REPOSITORY
from tests.support.servers.certificates import write_server_certificate

SCRIPT = REPOSITORY / "packaging" / "health.py"
NOT_READY = 503


def checked(process: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), process]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@contextmanager
def answering(host: str, *, status: int = 200, tls: Path | None = None, client_ca: Path | None = None) -> Iterator[str]:
    """A server whose readiness is this, over TLS with this certificate and key, for clients of this authority; yields
    its port."""

    class Ready(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()
            self.wfile.write(b"the log is silent")

        def log_message(self, *_: object) -> None:
            """Nothing."""

    class Server(HTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    with Server((host, 0), Ready) as server:
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            if client_ca is not None:
                context.load_verify_locations(client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
            server.socket = context.wrap_socket(server.socket, server_side=True)
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield str(server.server_port)
        finally:
            server.shutdown()
            serving.join()


@pytest.mark.parametrize("process", ["api", "gateway", "ingest"])
@pytest.mark.parametrize("with_tls", [False, True])
def test_a_process_is_asked_at_its_own_port_with_or_without_tls(process: str, with_tls: bool, tmp_path: Path) -> None:
    write_server_certificate(tmp_path / "ca.pem", tmp_path / "served.pem")
    environment = {"LONGTAIL_TLS_CERT_FILE": "served.pem" if with_tls else ""}
    with answering("127.0.0.1", tls=tmp_path / "served.pem" if with_tls else None) as port:
        environment[f"LONGTAIL_{process.upper()}_PORT"] = port
        assert checked(process, environment).returncode == 0
    gone = checked(process, environment | {"LONGTAIL_TLS_CLIENT_CA_FILE": "ca.pem"})
    assert gone.returncode == 1
    assert "no answer from 127.0.0.1" in gone.stderr and "certificate" not in gone.stderr


def test_where_clients_show_a_certificate_the_check_shows_the_one_that_is_set_for_it(tmp_path: Path) -> None:
    ca, served, stranger = (str(tmp_path / name) for name in ("ca.pem", "served.pem", "stranger.pem"))
    write_server_certificate(Path(ca), Path(served))
    write_server_certificate(tmp_path / "other-ca.pem", Path(stranger))
    environment = {"LONGTAIL_TLS_CERT_FILE": served, "LONGTAIL_TLS_CLIENT_CA_FILE": ca}
    with answering("127.0.0.1", tls=Path(served), client_ca=Path(ca)) as environment["LONGTAIL_API_PORT"]:
        assert checked("api", environment | {"LONGTAIL_CLIENT_CERT_FILE": served}).returncode == 0
        for own in ("", stranger, ca, "nowhere.pem"):
            refused = checked("api", environment | {"LONGTAIL_CLIENT_CERT_FILE": own})
            assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
            assert "LONGTAIL_CLIENT_CERT_FILE" in refused.stderr
            assert ("nowhere.pem: " in refused.stderr) == (own == "nowhere.pem")


@pytest.mark.parametrize(
    ("listening", "host"), [("127.0.0.1", "0.0.0.0"), ("127.0.0.1", ""), ("127.0.0.2", "127.0.0.2"), ("::1", "::")]
)
def test_a_process_is_asked_where_it_listens_and_no_proxy_is(listening: str, host: str) -> None:
    with answering(listening) as port:
        proxied = {"http_proxy": "http://127.0.0.1:1"}
        assert checked("api", proxied | {"LONGTAIL_API_HOST": host, "LONGTAIL_API_PORT": port}).returncode == 0


def test_a_process_that_is_not_ready_says_why() -> None:
    with answering("127.0.0.1", status=NOT_READY) as port:
        found = checked("ingest", {"LONGTAIL_INGEST_PORT": port})
    assert (found.returncode, found.stderr.strip()) == (1, "status 503: the log is silent")


def test_the_ports_are_those_of_the_settings() -> None:
    ports: dict[str, int] = runpy.run_path(str(SCRIPT))["PORTS"]
    assert ports == {process: getattr(Settings(), f"{process}_port") for process in ports}


def test_the_image_and_each_service_that_listens_run_the_script_that_the_image_has() -> None:
    steps = (REPOSITORY / "Dockerfile").read_text()
    services: dict[str, Any] = yaml.safe_load((SCRIPT.parent / "compose.yaml").read_text())["services"]
    commands = {"api": json.loads(steps.partition("HEALTHCHECK ")[2].partition("CMD ")[2].splitlines()[0])}
    for process in ("gateway", "ingest"):
        run, *commands[process] = services[process]["healthcheck"]["test"]
        assert run == "CMD"
    assert "healthcheck" not in services["api"], "the image's own"
    for process, command in commands.items():
        assert command == ["python", "/opt/longtail/health.py", process]
    assert "COPY packaging/health.py /opt/longtail/health.py\n" in steps
