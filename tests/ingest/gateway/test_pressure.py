"""The gateway under pressure: slow and silent vehicles, a log that stands still or fails, more bytes than its bound."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

from ingest.cell_record import CellRecord
from ingest.gateway.limits import GatewayLimits
from ingest.http.bounds.pace import Pace
from storage.database import Database
from storage.settings import Settings
from tests.ingest.gateway.pressure import DATA, clip, held_bytes, log_stands_still, wait_for_held
from tests.ingest.gateway.serving import TusClient, logged_bytes, running_gateway, some_bytes
from tests.support.fleet import enroll_vehicle
from tests.support.locks import waits_for_a_lock
from tests.support.waiting import wait_for
from triggers.contracts.clip import CELL_BYTES, manifest_bound


def test_bytes_in_flight_are_bounded_over_all_requests(database: Database, settings: Settings, token: str) -> None:
    tight = settings.model_copy(update={"gateway_in_flight_bytes": 2 * CELL_BYTES})
    whole = some_bytes(CELL_BYTES)
    with running_gateway(tight, GatewayLimits(in_flight_wait_s=0.2)) as (url, app), ExitStack() as slow:
        client = TusClient(url, token)
        location = client.begin(clip())
        slow.enter_context(client.open_patch(location, 0, len(DATA), DATA[: CELL_BYTES - 1]))
        wait_for_held(app, CELL_BYTES - 1)
        location = client.begin(clip(whole))
        refused = client.patch(location, 0, whole)
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert f"holds {CELL_BYTES - 1 + int(refused.headers['Upload-Offset'])} of" in refused.json()["detail"]
        assert int(refused.headers["Retry-After"]) > 0
        slow.close()
        wait_for_held(app, 0)
        reached = int(refused.headers["Upload-Offset"])
        assert client.patch(location, reached, whole[reached:]).headers["Upload-Offset"] == str(CELL_BYTES)
        assert held_bytes(app) == 0
        client.close()


def send_all(connection: socket.socket, data: bytes) -> None:
    with suppress(OSError):  # the gateway may have refused it by then
        connection.sendall(data)


def test_vehicles_that_send_nothing_but_a_byte_hold_a_byte(database: Database, settings: Settings, token: str) -> None:
    tight = settings.model_copy(update={"gateway_in_flight_bytes": 4 * CELL_BYTES})
    with database.begin() as connection:
        honest_token = enroll_vehicle(connection, "car-2")
    with running_gateway(tight, GatewayLimits(in_flight_wait_s=0.2)) as (url, app), ExitStack() as slow:
        client, honest = TusClient(url, token), TusClient(url, honest_token)
        for _ in range(8):
            slow.enter_context(client.open_patch(client.begin(clip()), 0, len(DATA), DATA[:1]))
        wait_for_held(app, 8)
        location = honest.begin(clip(vehicle_id="car-2"))
        assert honest.patch(location, 0, DATA).status_code == 204
        client.close()
        honest.close()


def test_manifests_that_never_end_keep_no_other_vehicle_out(database: Database, settings: Settings, token: str) -> None:
    with database.begin() as connection:
        honest_token = enroll_vehicle(connection, "car-2")
    size = manifest_bound(5)
    announced = {"Content-Length": str(size), "Upload-Length": "5", "Content-Type": "application/json"}
    limits = GatewayLimits(manifests_in_flight_bytes=4 * size, in_flight_wait_s=0.5)
    with running_gateway(settings, limits) as (url, app), ExitStack() as slow:
        client, honest = TusClient(url, token), TusClient(url, honest_token)
        for _ in range(4):
            connection = slow.enter_context(client.open_request("POST", f"{url}/v1/uploads", announced))
            sender = threading.Thread(target=send_all, args=(connection, b" " * (size - 1)))
            sender.start()
            slow.callback(sender.join)
        wait_for(lambda: app.state.gateway.manifests_in_flight.held_bytes >= size - 1, within_s=10, what="manifests")
        assert honest.create(clip(vehicle_id="car-2")).status_code == 201
        client.close()
        honest.close()


def test_many_uploads_through_the_smallest_bound_all_arrive(database: Database, settings: Settings, token: str) -> None:
    tight = settings.model_copy(update={"gateway_in_flight_bytes": 2 * CELL_BYTES})
    clips = [some_bytes(3 * CELL_BYTES + number, number) for number in range(6)]
    with running_gateway(tight, GatewayLimits(in_flight_wait_s=30)) as (url, app):

        def send(data: bytes) -> str:
            client = TusClient(url, token)
            location = client.begin(clip(data))
            assert client.patch(location, 0, data).headers["Upload-Offset"] == str(len(data))
            client.close()
            return location.rsplit("/", 1)[1]

        with ThreadPoolExecutor(6) as threads:
            uploads = list(threads.map(send, clips))
        assert held_bytes(app) == 0
    for upload_id, data in zip(uploads, clips, strict=True):
        assert logged_bytes(database, settings, upload_id) == data


def test_sixty_slow_uploads_do_not_delay_creation(database: Database, settings: Settings, token: str) -> None:
    with running_gateway(settings, GatewayLimits(writers_per_vehicle=60)) as (url, app), ExitStack() as slow:
        client = TusClient(url, token)
        for _ in range(60):
            location = client.begin(clip())
            slow.enter_context(client.open_patch(location, 0, len(DATA), DATA[:100]))
        wait_for_held(app, 60 * 100)
        client.begin(clip())
        assert held_bytes(app) == 60 * 100, "all of them still wait"
        slow.close()
        wait_for_held(app, 0)
        client.close()


def test_uploads_that_wait_for_the_log_do_not_delay_creation(
    database: Database, settings: Settings, token: str
) -> None:
    small = some_bytes(1000)
    with running_gateway(settings, GatewayLimits(writers_per_vehicle=60)) as (url, app), ExitStack() as waiting:
        client = TusClient(url, token)
        locations = [client.begin(clip(small)) for _ in range(60)]
        with log_stands_still(database):
            for location in locations:
                waiting.enter_context(client.open_patch(location, 0, len(small), small))
            wait_for_held(app, 60 * len(small))
            client.begin(clip())  # answered while the log stands still
            assert client.offset(locations[0]) == 0
        for location in locations:
            wait_for(lambda url=location: client.offset(url) == len(small), within_s=20, what="the end of an upload")  # type: ignore[misc]
        client.close()


def test_cells_that_come_while_the_log_is_busy_are_appended_together(
    database: Database, settings: Settings, token: str
) -> None:
    batches: list[int] = []
    with running_gateway(settings) as (url, app):
        gateway, append = app.state.gateway, app.state.gateway.append

        async def noting(partition: int, cells: Sequence[CellRecord]) -> None:
            batches.append(len(cells))
            await append(partition, cells)

        gateway.append = noting
        client = TusClient(url, token)
        location = client.begin(clip())
        with log_stands_still(database), client.open_patch(location, 0, len(DATA), DATA) as connection:
            wait_for_held(app, len(DATA))
        assert connection
        wait_for(lambda: client.offset(location) == len(DATA), within_s=10, what="the end of the upload")
        client.close()
    assert batches == [1, 3]


def test_a_request_takes_no_more_than_its_own_share_of_memory(
    database: Database, settings: Settings, token: str
) -> None:
    with running_gateway(settings, GatewayLimits(cells_per_request=2)) as (url, app):
        client = TusClient(url, token)
        location = client.begin(clip())
        with log_stands_still(database):
            connection = client.open_patch(location, 0, len(DATA), b"")
            sender = threading.Thread(target=connection.sendall, args=(DATA,))
            sender.start()
            wait_for_held(app, 2 * CELL_BYTES)
            wait_for(lambda: waits_for_a_lock(database), within_s=10, what="an append that waits")
            assert held_bytes(app) == 2 * CELL_BYTES
        sender.join()
        wait_for(lambda: client.offset(location) == len(DATA), within_s=10, what="the end of the upload")
        connection.close()
        client.close()


def test_a_silent_body_is_given_up_and_what_came_counts(database: Database, settings: Settings, token: str) -> None:
    with running_gateway(settings, GatewayLimits(pace=Pace(silence_s=0.3))) as (url, app):
        client = TusClient(url, token)
        location, reached = client.begin(clip()), 0
        while reached < CELL_BYTES + 1:  # once, unless this machine lets the sender wait, which is silent then
            with client.open_patch(
                location, reached, len(DATA) - reached, DATA[reached : CELL_BYTES + 1]
            ) as connection:
                answer = connection.recv(10_000).decode()
            assert answer.startswith("HTTP/1.1 408 ")
            reached = client.offset(location)
            assert f"upload-offset: {reached}\r\n" in answer.lower()
        assert reached == CELL_BYTES + 1
        assert held_bytes(app) == 0
        client.close()


def test_a_silent_manifest_is_given_up(settings: Settings, token: str) -> None:
    with running_gateway(settings, GatewayLimits(pace=Pace(silence_s=0.3))) as (url, app):
        client = TusClient(url, token)
        head = {"Content-Length": "1000"}
        location = f"{url}/v1/uploads"
        with client.open_request(
            "POST", location, {**head, "Upload-Length": "9", "Content-Type": "application/json"}
        ) as c:
            assert c.recv(10_000).startswith(b"HTTP/1.1 408 ")
        assert app.state.gateway.manifests_in_flight.held_bytes == 0
        client.close()


def test_a_body_that_trickles_in_is_given_up(database: Database, settings: Settings, token: str) -> None:
    with running_gateway(settings, GatewayLimits(pace=Pace(step_s=0.5))) as (url, app):
        client = TusClient(url, token)
        location = client.begin(clip())
        with client.open_patch(location, 0, len(DATA), DATA[:1]) as connection:
            connection.settimeout(0.05)
            answer = b""
            for _ in range(400):
                try:
                    connection.sendall(b"x")
                    answer = connection.recv(10_000)
                    break
                except TimeoutError:
                    continue
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert held_bytes(app) == 0
        client.close()


def test_one_vehicle_cannot_hold_all_memory(database: Database, settings: Settings, token: str) -> None:
    with database.begin() as connection:
        other_token = enroll_vehicle(connection, "car-2")
    with running_gateway(settings, GatewayLimits(writers_per_vehicle=2)) as (url, app), ExitStack() as slow:
        client, other = TusClient(url, token), TusClient(url, other_token)
        for _ in range(2):
            slow.enter_context(client.open_patch(client.begin(clip()), 0, len(DATA), DATA[:100]))
        wait_for_held(app, 2 * 100)
        third = client.begin(clip())
        assert client.patch(third, 0, DATA).status_code == 503
        theirs = other.begin(clip(vehicle_id="car-2"))
        assert other.patch(theirs, 0, DATA).status_code == 204
        slow.close()
        wait_for_held(app, 0)
        assert client.patch(third, 0, DATA).status_code == 204
        client.close()
        other.close()
