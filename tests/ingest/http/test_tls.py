"""TLS of the listeners with real certificates: who is verified, what is read again, and where plain HTTP may be."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fleet_api.deployment.doctor.access import tls as doctor
from fleet_api.deployment.doctor.findings import FindingStatus
from ingest.http.server.connections import ConnectionLimits
from ingest.http.server.protocol import BoundedProtocol
from ingest.http.server.serve import listen, server
from ingest.http.server.tls import Tls, require_protected
from storage.settings import Settings
from tests.support.servers.certificates import write_server_certificate
from tests.support.waiting import wait_for
from triggers.errors import Misconfigured


async def hello(_request: Request) -> Response:
    return PlainTextResponse("hello")


@contextmanager
def running(tls: Tls) -> Iterator[str]:
    listener = listen("127.0.0.1", 0, setting="")
    served = server(Starlette(routes=[Route("/", hello)]), ConnectionLimits(100, 100), tls=tls)
    thread = threading.Thread(target=served.run, args=([listener],))
    thread.start()
    try:
        wait_for(lambda: served.started, within_s=10, what="the server's start")
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        served.should_exit = True
        thread.join(60)


def get(url: str, ca_file: Path, own: Path | None = None) -> str:
    context = ssl.create_default_context(cafile=ca_file)
    if own is not None:
        context.load_cert_chain(own)
    return httpx.get(url, verify=context, trust_env=False, timeout=60).text


def test_a_changed_certificate_is_used_without_a_restart_and_half_a_change_is_not(tmp_path: Path) -> None:
    first, second, served = (tmp_path / name for name in ("first-ca.pem", "second-ca.pem", "served.pem"))
    write_server_certificate(first, served)
    with running(Tls(served)) as url:
        assert get(url, first) == "hello"
        whole = tmp_path / "second.pem"
        write_server_certificate(second, whole)
        served.write_bytes(whole.read_bytes()[:200])
        assert get(url, first) == "hello"
        served.write_bytes(whole.read_bytes())

        def is_used() -> bool:
            try:
                return get(url, second) == "hello"
            except httpx.ConnectError:
                return False

        wait_for(is_used, within_s=20, what="the new certificate")
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            get(url, first)


def test_a_pair_that_does_not_fit_leaves_the_former_in_use(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("ca.pem", "a.pem", "b.pem")]
    write_server_certificate(files[0], files[1])
    write_server_certificate(tmp_path / "other-ca.pem", files[2])
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    key.write_bytes(files[1].read_bytes())
    cert.write_bytes(files[1].read_bytes())
    tls = Tls(cert, key)
    with running(tls) as url:
        cert.write_bytes(files[2].read_bytes())
        assert not tls.reload()
        assert get(url, files[0]) == "hello"
        key.write_bytes(files[2].read_bytes())
        wait_for(
            lambda: tls.reload() or get(url, tmp_path / "other-ca.pem") == "hello", within_s=20, what="the new pair"
        )
        assert get(url, tmp_path / "other-ca.pem") == "hello"


def test_with_client_authorities_only_their_clients_are_answered(tmp_path: Path) -> None:
    ca, served, other_ca, other = (tmp_path / name for name in ("ca.pem", "served.pem", "other-ca.pem", "other.pem"))
    write_server_certificate(ca, served)
    write_server_certificate(other_ca, other)
    with running(Tls(served, None, ca)) as url:
        assert get(url, ca, own=served) == "hello"
        for stranger in (None, other):
            with pytest.raises(httpx.HTTPError):
                get(url, ca, own=stranger)


def test_files_that_cannot_be_used_are_named_with_their_settings(tmp_path: Path) -> None:
    missing, empty = tmp_path / "missing.pem", tmp_path / "empty.pem"
    empty.touch()
    for file in (missing, empty):
        with pytest.raises(Misconfigured, match=file.name) as refused:
            Tls(file)
        assert "LONGTAIL_TLS_CERT_FILE" in str(refused.value.remedy)
    with pytest.raises(Misconfigured, match="no certificate"):
        Tls.from_settings(Settings(tls_key_file=empty))


@pytest.mark.parametrize(
    ("host", "is_safe"), [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("0.0.0.0", False)]
)
def test_plain_http_stays_on_this_machine_unless_a_proxy_is_declared(host: str, is_safe: bool) -> None:
    for settings, allowed in ((Settings(), is_safe), (Settings(behind_proxy=True), True)):
        with listen(host, 0, setting="") as listener:
            if allowed:
                require_protected(listener, settings)
                assert listener.fileno() >= 0
            else:
                with pytest.raises(Misconfigured, match="plain HTTP") as refused:
                    require_protected(listener, settings)
                assert "LONGTAIL_BEHIND_PROXY" in str(refused.value.remedy)


def test_the_doctor_says_when_a_certificate_expires(tmp_path: Path) -> None:
    served = tmp_path / "served.pem"
    write_server_certificate(tmp_path / "ca.pem", served)
    settings = Settings(tls_cert_file=served, tls_client_ca_file=tmp_path / "ca.pem", client_cert_file=served)
    now = datetime.now(UTC)
    for at, status in (
        (now, FindingStatus.WARN),
        (now + timedelta(days=2), FindingStatus.FAIL),
        (now - timedelta(days=40), FindingStatus.OK),
    ):
        assert {finding.status for finding in doctor.check(settings, now=at)} == {status}
    assert [finding.status for finding in doctor.check(Settings())] == [FindingStatus.OK]


def test_a_closed_connection_leaves_no_garbage_to_collect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As without TLS, in test_server.py. What refers to the socket is asyncio's transport below that of TLS."""
    sockets, made, count = weakref.WeakSet[object](), BoundedProtocol.connection_made, []

    def watched(self: BoundedProtocol, transport: asyncio.Transport) -> None:
        made(self, transport)
        count.append(1)
        found = gc.get_referents(transport.get_extra_info("socket"))
        sockets.update(each for each in found if isinstance(each, socket.socket))
        assert sockets

    monkeypatch.setattr(BoundedProtocol, "connection_made", watched)
    ca, served = tmp_path / "ca.pem", tmp_path / "served.pem"
    write_server_certificate(ca, served)
    with running(Tls(served)) as url:
        gc.disable()
        try:
            for _ in range(3):
                assert get(url, ca) == "hello"
            wait_for(lambda: not sockets, within_s=10, what="the end of the connections")
        finally:
            gc.enable()
    assert len(count) == 3
