"""Whatever a server answers, an exchange of the vehicle ends in time, with little memory, and changes nothing."""

from __future__ import annotations

import gzip
import re
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.triggers.vehicle.hostile import Answer, answering, dripping, endless, once, silent
from tests.triggers.vehicle.support import ManualClock
from triggers.contracts.checkin import FireCounts
from triggers.errors import InvalidInput, LongtailError, Unreachable, Untrusted
from triggers.vehicle.checkin import MAX_LIST_BYTES, CheckInClient
from triggers.vehicle.config import VehicleConfig
from triggers.vehicle.http import make_client
from triggers.vehicle.journal.journal import Journal
from triggers.vehicle.uploads.tus import OpenUpload, TusClient

SHORT_S = 0.5
OVER = "the exchange is not complete after 0.5 s|timed out"
LONG_S = 60.0
"""An exchange that ends by what the server answers, however busy the machine is."""
MIB = 1024**2


def body(data: bytes, *headers: str, status: str = "200 OK") -> Answer:
    """A whole answer with this body."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", *headers]
    return once("\r\n".join([*lines, "", ""]).encode() + data)


def config_of(url: str, folder: Path, *, exchange_s: float) -> VehicleConfig:
    return VehicleConfig(
        vehicle_id="car-1",
        token="t",
        api_url=url,
        gateway_url=url,
        trusted_keys=(Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw(),),
        state_directory=folder,
        exchange_s=exchange_s,
    )


@contextmanager
def checking_in(url: str, folder: Path, *, exchange_s: float) -> Iterator[CheckInClient]:
    config = config_of(url, folder, exchange_s=exchange_s)
    journal = Journal(folder / "vehicle.sqlite")
    with make_client(config) as http:
        try:
            yield CheckInClient(config, journal, http, ManualClock())
        finally:
            journal.close()


def refusal_of(
    answer: Answer, folder: Path, step: Callable[[CheckInClient], object], *, exchange_s: float = LONG_S
) -> LongtailError:
    """How a step fails; it must hold little memory meanwhile."""
    with answering(answer) as url, checking_in(url, folder, exchange_s=exchange_s) as client:
        tracemalloc.start()
        try:
            with pytest.raises(LongtailError) as caught:
                step(client)
            assert tracemalloc.get_traced_memory()[1] < MAX_LIST_BYTES + 8 * MIB
        finally:
            tracemalloc.stop()
    return caught.value


def check_in(client: CheckInClient) -> None:
    client.check_in()


def send_counts(client: CheckInClient) -> None:
    client.send_counts((FireCounts(campaign="a", version=1, watermark=0, suppressed=0),))


STEPS = pytest.mark.parametrize("step", [check_in, send_counts])


@pytest.mark.parametrize("packing", ["gzip", "gzip, gzip", "zstd", "br"])
def test_a_packed_reply_is_refused_whatever_it_unpacks_to(tmp_path: Path, packing: str) -> None:
    bomb = zstandard.compress(bytes(64 * MIB)) if packing == "zstd" else gzip.compress(bytes(64 * MIB))
    error = refusal_of(body(bomb, f"Content-Encoding: {packing}"), tmp_path, check_in)
    assert isinstance(error, InvalidInput)
    assert "packed" in str(error)


@STEPS
def test_a_packed_refusal_counts_by_its_status(tmp_path: Path, step: Callable[[CheckInClient], None]) -> None:
    bomb = body(gzip.compress(bytes(64 * MIB)), "Content-Encoding: gzip", status="500 Broken")
    assert isinstance(refusal_of(bomb, tmp_path, step), Unreachable)


@STEPS
@pytest.mark.parametrize(
    "answer",
    [
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n", b"x"),
        dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        dripping(b"HTTP/1.1 500 Broken\r\nContent-Length: 4000000\r\n\r\n", b"x"),
        dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        silent,
    ],
    ids=["body", "chunks", "error", "headers", "interim answers", "nothing"],
)
def test_an_answer_a_drop_at_a_time_ends_with_the_exchange(
    tmp_path: Path, answer: Answer, step: Callable[[CheckInClient], None]
) -> None:
    error = refusal_of(answer, tmp_path, step, exchange_s=SHORT_S)
    assert isinstance(error, Unreachable)
    assert re.search(OVER, str(error))


@STEPS
@pytest.mark.parametrize("status", ["200 OK", "500 Broken"])
def test_an_endless_body_is_not_read_to_its_end(
    tmp_path: Path, status: str, step: Callable[[CheckInClient], None]
) -> None:
    error = refusal_of(endless(f"HTTP/1.1 {status}\r\n\r\n".encode()), tmp_path, step)
    assert isinstance(error, Unreachable if status.startswith("500") else InvalidInput)


def test_three_megabytes_of_headers_are_refused(tmp_path: Path) -> None:
    headers = "".join(f"X-{number}: {'a' * 1000}\r\n" for number in range(3000))
    answer = once(f"HTTP/1.1 200 OK\r\n{headers}Content-Length: 0\r\n\r\n".encode())
    assert isinstance(refusal_of(answer, tmp_path, check_in), Unreachable)


def test_nothing_new_is_no_answer_for_a_vehicle_that_has_no_list(tmp_path: Path) -> None:
    error = refusal_of(once(b"HTTP/1.1 304 Not Modified\r\n\r\n"), tmp_path, check_in)
    assert isinstance(error, Untrusted)


@STEPS
def test_a_redirect_is_refused_and_the_token_goes_nowhere_else(
    tmp_path: Path, step: Callable[[CheckInClient], None]
) -> None:
    came = threading.Event()

    def note(connection: socket.socket, over: threading.Event) -> None:
        came.set()

    with answering(note, reads=False) as elsewhere:
        refusal_of(body(b"", f"Location: {elsewhere}/steal", status="307 Temporary Redirect"), tmp_path, step)
    assert not came.is_set()


def test_a_gateway_that_reads_nothing_holds_a_chunk_no_longer_than_the_exchange(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mcap"
    clip.write_bytes(bytes(64 * MIB))
    config = config_of("http://127.0.0.1", tmp_path, exchange_s=SHORT_S)
    with answering(silent, reads=False) as url, make_client(config) as http:
        tus = TusClient(url, http, chunk_bytes=64 * MIB)
        with pytest.raises(Unreachable, match=OVER):
            tus.send_chunk(OpenUpload(f"{url}/v1/uploads/a", 0), clip, 64 * MIB)
