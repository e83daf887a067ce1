"""The signer signs vehicles' lists within their bounds and nothing else, and outlives its clients and its restarts."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fleet_api.deployment.keys import create_key
from fleet_api.signing import frames
from fleet_api.signing.list_keys import ListKeys
from fleet_api.signing.remote import RemoteSigner
from fleet_api.signing.reports import open_report
from fleet_api.signing.service import SignerService
from fleet_api.signing.socket_path import address_of, listen_at
from storage.settings import Settings
from triggers.contracts.checkin import AssignmentList
from triggers.contracts.erasure.report import ErasureReport
from triggers.contracts.signing import ASSIGNMENTS, key_id, public_keys, unseal
from triggers.errors import InvalidInput, Misconfigured, Unreachable

HOUR_NS = 3600 * 10**9


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(data_dir=tmp_path, signer_socket=tmp_path / ("deep" * 30) / "signer.sock")
    create_key(tmp_path / "keys" / "list.pem")
    return made


@contextmanager
def serving(settings: Settings) -> Iterator[RemoteSigner]:
    assert settings.signer_socket is not None
    with listen_at(settings.signer_socket) as listener:
        service = SignerService(ListKeys(settings), listener)
        thread = threading.Thread(target=service.serve, daemon=True)
        thread.start()
        try:
            yield RemoteSigner(settings.signer_socket)
        finally:
            service.stop()
            thread.join(60)
            assert not thread.is_alive()


def a_list(**changes: Any) -> bytes:
    now_ns = time.time_ns()
    values: dict[str, Any] = {
        "vehicle_id": "car-1",
        "revision": now_ns // 10**6,
        "issued_at_ns": now_ns,
        "expires_at_ns": now_ns + HOUR_NS,
        "assignments": (),
    }
    return AssignmentList(**{**values, **changes}).canonical_json()


def test_threads_share_a_signer_at_a_path_that_is_too_long_for_an_address(settings: Settings, tmp_path: Path) -> None:
    key = create_key(tmp_path / "keys" / "list.pem").public_key()
    trusted = public_keys(key.public_bytes_raw())
    with serving(settings) as signer, ThreadPoolExecutor(4) as pool:
        lists = [a_list(vehicle_id=f"car-{number}") for number in range(40)]
        for payload, envelope in zip(
            lists, pool.map(lambda each: signer.sign(each, [key_id(key)]), lists), strict=True
        ):
            assert unseal(envelope, purpose=ASSIGNMENTS, trusted=trusted) == payload


def test_the_signer_signs_reports_on_erasures_and_nothing_that_only_looks_like_one(
    settings: Settings, tmp_path: Path
) -> None:
    key = create_key(tmp_path / "keys" / "list.pem").public_key().public_bytes_raw()
    report = ErasureReport(
        deployment="d",
        vehicle_digest="a" * 64,
        requested_at="2026-12-05T12:00:00Z",
        finished_at="2026-12-05T12:00:10Z",
        erased_by="olga",
        reason="the owner asked",
        erased={"clips": 3},
        unlinked={},
        clips_digest="b" * 64,
    )
    with serving(settings) as signer:
        assert open_report(signer.sign_report(report.canonical_json()), [key]) == report
        for other in (a_list(), b"{}", b" " + report.canonical_json(), report.canonical_json() * 2000):
            with pytest.raises(Misconfigured):
                signer.sign_report(other)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"revision": 2**62}, "cannot have been given yet"),
        ({"issued_at_ns": time.time_ns() + 30 * HOUR_NS}, "ahead of the clock"),
        ({"issued_at_ns": time.time_ns() - 30 * HOUR_NS}, "more than an hour ago"),
        ({"expires_at_ns": time.time_ns() + 31 * 24 * HOUR_NS}, "is valid for"),
    ],
)
def test_a_list_out_of_bounds_is_not_signed(settings: Settings, changes: dict[str, Any], why: str) -> None:
    with serving(settings) as signer, pytest.raises(Misconfigured, match=why):
        signer.sign(a_list(**changes), [])


@pytest.mark.parametrize(
    "payload", [b"", b"{}", b'{"version":1}', b"\xff\xfe", b" " + a_list(), a_list().replace(b'"car-1"', b'"car\\n1"')]
)
def test_what_is_no_list_is_not_signed(settings: Settings, payload: bytes) -> None:
    with pytest.raises(InvalidInput):
        ListKeys(settings).sign(payload, [])


def test_a_key_that_is_added_later_is_found_and_one_that_is_missing_is_named(
    settings: Settings, tmp_path: Path
) -> None:
    with serving(settings) as signer:
        later = create_key(tmp_path / "keys" / "list-2.pem").public_key()
        signer.sign(a_list(), [key_id(later)])
        with pytest.raises(Misconfigured, match=r"0000000000000000.*rotate-list-key"):
            signer.sign(a_list(), [bytes(8)])


def test_the_api_goes_on_with_a_signer_that_was_restarted(settings: Settings) -> None:
    assert settings.signer_socket is not None
    client = RemoteSigner(settings.signer_socket)
    for _ in range(2):
        with serving(settings):
            assert client.sign(a_list(), [])
        with pytest.raises(Unreachable, match="LONGTAIL_SIGNER_SOCKET"):
            client.sign(a_list(), [])


def test_odd_clients_do_not_end_the_signer(settings: Settings) -> None:
    assert settings.signer_socket is not None
    odd = [b"", b"\x00", b"\xff\xff\xff\xff", (5).to_bytes(4, "big") + b"ab", (1).to_bytes(4, "big") + b"\x10"]
    with serving(settings) as signer:
        for sent in odd:
            with socket.socket(socket.AF_UNIX) as connection, address_of(settings.signer_socket) as address:
                connection.connect(address)
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(30)
                assert connection.recv(4096)[4:5] in (b"", b"\x01")
        assert signer.sign(a_list(), [])
    assert settings.signer_socket.stat().st_mode & 0o077 == 0


def test_requests_and_answers_are_read_as_they_were_written() -> None:
    ids = [bytes([number]) * 8 for number in range(16)]
    assert frames.payload_and_keys(frames.request_of(b"payload", ids)) == (b"payload", ids)
    assert frames.envelope_in(frames.signed(b"envelope")) == b"envelope"
    with pytest.raises(Misconfigured, match=r"refuses: no; do that"):
        frames.envelope_in(frames.refused(InvalidInput("no", remedy="do that")))


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_a_socket_takes_the_place_of_nothing_but_a_socket(tmp_path: Path, kind: str) -> None:
    other, path = tmp_path / "other", tmp_path / "here"
    other.write_text("kept")
    if kind == "link":
        path.symlink_to(other)
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_text("kept")
    with pytest.raises(Misconfigured, match="there is something else at this path"):
        listen_at(path)
    assert path.exists() and other.read_text() == "kept"


def test_a_signer_that_ends_in_order_leaves_its_socket_to_the_next(settings: Settings) -> None:
    assert settings.signer_socket is not None
    remote = RemoteSigner(settings.signer_socket)
    with listen_at(settings.signer_socket) as listener:
        for _ in range(2):
            service = SignerService(ListKeys(settings), listener)
            thread = threading.Thread(target=service.serve, daemon=True)
            thread.start()
            assert remote.sign(a_list(), ())
            service.stop()
            thread.join(60)
            assert not thread.is_alive()
