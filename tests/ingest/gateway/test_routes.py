"""The gateway's routes as tus 1.0.0 wants them: creation, offsets, expiry, termination, and every refusal."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest
from sqlalchemy import text, update

from storage import ledger
from storage.database import Database
from storage.settings import Settings
from storage.tables import uploads
from storage.uploads import endings, pieces
from tests.ingest.gateway.serving import CHUNK, TUS, TusClient, logged_bytes, some_bytes
from tests.support.fleet import clip_manifest, enroll_vehicle
from triggers.contracts.campaign import Network
from triggers.contracts.clip import CELL_BYTES, MAX_CLIP_BYTES, ClipManifest, CreationRequest


def clip(size: int = 1000, campaign: str = "wide", seed: int = 0) -> tuple[bytes, ClipManifest]:
    data = some_bytes(size, seed)
    return data, clip_manifest(data, campaign)


def row(database: Database, location: str) -> dict[str, object]:
    with database.begin() as connection:
        found = connection.execute(text("SELECT * FROM uploads WHERE id = :id"), {"id": location.rsplit("/", 1)[1]})
        return dict(found.mappings().one())


def pieces_kept(database: Database) -> int:
    with database.begin() as connection:
        return connection.execute(text("SELECT count(*) FROM upload_pieces")).scalar_one()


def held_bytes(database: Database) -> int:
    with database.begin() as connection:
        return ledger.usage(connection)[0].held


def test_options_says_what_is_spoken_without_a_token(gateway_url: str) -> None:
    answer = httpx.options(f"{gateway_url}/v1/uploads", timeout=60)
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Extension"] == "creation,expiration,checksum,termination"
    assert answer.headers["Tus-Checksum-Algorithm"] == "md5,sha1,sha256"
    assert answer.headers["Tus-Max-Size"] == str(MAX_CLIP_BYTES)
    assert answer.headers["Tus-Resumable"] == "1.0.0"


def test_a_clip_goes_from_creation_to_its_last_byte(client: TusClient, database: Database, settings: Settings) -> None:
    data, manifest = clip(2 * CELL_BYTES + 100)
    created = client.create(manifest)
    assert created.status_code == 201
    location = client.location(created)
    expires = parsedate_to_datetime(created.headers["Upload-Expires"])
    assert (
        timedelta(0) <= datetime.now(UTC) + timedelta(seconds=settings.upload_start_s) - expires < timedelta(minutes=1)
    )

    begun = client.http.head(location)
    assert (begun.status_code, begun.headers["Upload-Offset"]) == (200, "0")
    assert begun.headers["Upload-Length"] == str(len(data))
    assert begun.headers["Cache-Control"] == "no-store"
    assert begun.headers["Upload-Expires"] == created.headers["Upload-Expires"]

    written = client.patch(location, 0, data)
    assert (written.status_code, written.headers["Upload-Offset"]) == (204, str(len(data)))
    assert written.headers["Tus-Resumable"] == "1.0.0"
    assert client.offset(location) == len(data)
    assert row(database, location)["state"] == "received"
    assert logged_bytes(database, settings, location.rsplit("/", 1)[1]) == data


def test_an_open_upload_that_is_announced_on_another_network_has_that_one_from_then_on(
    client: TusClient, database: Database
) -> None:
    data, manifest = clip()
    location = client.begin(manifest)
    assert row(database, location)["network"] == "wifi"
    on_cellular = CreationRequest(manifest=manifest, network=Network.CELLULAR).canonical_json()
    again = client.create_raw(on_cellular, len(data))
    assert (again.status_code, client.location(again)) == (200, location)
    assert row(database, location)["network"] == "cellular"
    assert client.patch(location, 0, data).status_code == 204
    client.create(manifest)
    assert row(database, location)["network"] == "cellular", "all bytes have come"


def test_the_address_of_an_upload_is_right_behind_a_proxy_with_a_prefix(client: TusClient) -> None:
    _data, manifest = clip()
    created = client.create(manifest, Host="fleet.example")
    behind_proxy = httpx.URL("https://fleet.example/ingest/v1/uploads").join(created.headers["Location"])
    assert str(behind_proxy).startswith("https://fleet.example/ingest/v1/uploads/")


def test_the_same_clip_has_one_upload_and_one_reservation(client: TusClient, database: Database) -> None:
    data, manifest = clip(2 * CELL_BYTES)
    location = client.begin(manifest)
    client.patch(location, 0, data[:CELL_BYTES])
    again = client.create(manifest)
    assert again.status_code == 200
    assert client.location(again) == location
    assert again.headers["Upload-Offset"] == str(CELL_BYTES)
    assert held_bytes(database) == len(data)


def test_a_clip_that_is_stored_already_is_whole_at_once(client: TusClient, database: Database) -> None:
    data, manifest = clip()
    location = client.begin(manifest)
    client.patch(location, 0, data)
    with database.begin() as connection:
        assert endings.mark_stored(connection, location.rsplit("/", 1)[1])
    again = client.create(manifest)
    assert (again.status_code, again.headers["Upload-Offset"]) == (200, str(len(data)))
    assert client.offset(location) == len(data)


def test_a_clip_that_failed_is_not_taken_again(client: TusClient, database: Database) -> None:
    data, manifest = clip()
    location = client.begin(manifest)
    with database.begin() as connection:
        assert endings.fail(connection, location.rsplit("/", 1)[1], "cell_hash_mismatch")
    assert client.patch(location, 0, data).status_code == 410
    assert client.http.head(location).status_code == 410
    refused = client.create(manifest)
    assert (refused.status_code, refused.json()["code"]) == (409, "clip_failed")
    assert held_bytes(database) == 0


@pytest.mark.parametrize("chunk", [65_536, 262_144, 524_288, 1_000_000])
def test_chunks_of_every_size_are_acknowledged_whole(
    client: TusClient, database: Database, settings: Settings, chunk: int
) -> None:
    data, manifest = clip(3 * CELL_BYTES + 5)
    location = client.begin(manifest)
    for start in range(0, len(data), chunk):
        answer = client.patch(location, start, data[start : start + chunk])
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(min(len(data), start + chunk)))
    assert logged_bytes(database, settings, location.rsplit("/", 1)[1]) == data
    assert pieces_kept(database) == 0


def test_single_bytes_are_acknowledged_and_kept_in_a_bounded_number_of_rows(
    client: TusClient, database: Database, settings: Settings
) -> None:
    data, manifest = clip(150)
    location = client.begin(manifest)
    for start in range(149):
        assert client.patch(location, start, data[start : start + 1]).headers["Upload-Offset"] == str(start + 1)
        assert pieces_kept(database) <= pieces.MAX_PIECES
    assert client.patch(location, 149, data[149:]).headers["Upload-Offset"] == "150"
    assert logged_bytes(database, settings, location.rsplit("/", 1)[1]) == data


@pytest.mark.parametrize("end", ["terminated", "expired", "failed"])
def test_an_upload_that_ends_keeps_no_pieces(client: TusClient, database: Database, end: str) -> None:
    data, manifest = clip()
    location = client.begin(manifest)
    client.patch(location, 0, data[:10])
    assert pieces_kept(database) == 1
    with database.begin() as connection:
        match end:
            case "terminated":
                assert client.http.delete(location).status_code == 204
            case "expired":
                assert endings.expire(connection, now=datetime.now(UTC) + timedelta(days=2)) == 1
            case "failed":
                assert endings.fail(connection, location.rsplit("/", 1)[1], "cell_hash_mismatch")
    assert pieces_kept(database) == 0


def test_a_wrong_offset_is_told_the_right_one(client: TusClient, database: Database) -> None:
    data, manifest = clip(3 * CELL_BYTES)
    location = client.begin(manifest)
    client.patch(location, 0, data[:CELL_BYTES])
    epoch = row(database, location)["writer_epoch"]
    refused = client.patch(location, 0, data)
    assert (refused.status_code, refused.headers["Upload-Offset"]) == (409, str(CELL_BYTES))
    assert refused.json()["code"] == "wrong_offset"
    assert row(database, location)["writer_epoch"] == epoch


def test_a_whole_upload_takes_an_empty_patch_at_its_end_and_nothing_more(client: TusClient) -> None:
    data, manifest = clip()
    location = client.begin(manifest)
    client.patch(location, 0, data)
    assert client.patch(location, len(data), b"").headers["Upload-Offset"] == str(len(data))
    assert client.patch(location, len(data), b"x").status_code == 413


def test_an_announced_body_beyond_the_end_is_refused_unread(client: TusClient) -> None:
    data, manifest = clip(2 * CELL_BYTES)
    location = client.begin(manifest)
    refused = client.patch(location, 0, data + b"x")
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert client.offset(location) == 0


def test_bytes_beyond_the_end_of_a_chunked_body_are_not_stored(
    client: TusClient, database: Database, settings: Settings
) -> None:
    data, manifest = clip(CELL_BYTES + 10)
    location = client.begin(manifest)
    refused = client.patch(location, 0, iter([data, b"x"]))
    assert (refused.status_code, refused.headers["Upload-Offset"]) == (413, str(len(data)))
    assert logged_bytes(database, settings, location.rsplit("/", 1)[1]) == data


def test_termination_releases_the_budget_and_ends_the_upload(client: TusClient, database: Database) -> None:
    data, manifest = clip()
    location = client.begin(manifest)
    assert held_bytes(database) == len(data)
    assert client.http.delete(location).status_code == 204
    assert held_bytes(database) == 0
    assert client.http.head(location).status_code == 410
    assert client.http.delete(location).status_code == 410
    again = client.create(manifest)
    assert again.status_code == 201
    assert client.location(again) != location


def test_a_whole_upload_cannot_be_terminated(client: TusClient) -> None:
    data, manifest = clip()
    location = client.begin(manifest)
    client.patch(location, 0, data)
    assert client.http.delete(location).status_code == 409
    assert client.offset(location) == len(data)


def test_an_upload_whose_time_is_over_is_gone_and_can_be_begun_again(client: TusClient, database: Database) -> None:
    data, manifest = clip()
    location = client.begin(manifest)
    with database.begin() as connection:
        connection.execute(update(uploads).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    gone = client.patch(location, 0, data)
    assert (gone.status_code, gone.json()["code"]) == (410, "upload_gone")
    assert client.http.head(location).status_code == 410
    assert client.create(manifest).status_code == 201
    assert row(database, location)["state"] == "expired"
    assert held_bytes(database) == len(data)


def test_unknown_uploads_and_those_of_others_do_not_exist(
    client: TusClient, gateway_url: str, database: Database
) -> None:
    _data, manifest = clip()
    location = client.begin(manifest)
    for path in (f"/v1/uploads/{'0' * 32}", "/v1/uploads/x", "/v1/uploads/%00"):
        assert client.http.head(path).status_code == 404
    with database.begin() as connection:
        other = TusClient(gateway_url, enroll_vehicle(connection, "car-2"))
    assert other.http.head(location).status_code == 404
    assert other.patch(location, 0, b"x").status_code == 404
    assert other.http.delete(location).status_code == 404
    other.close()


@pytest.mark.parametrize("method", ["POST", "HEAD", "PATCH", "DELETE"])
@pytest.mark.parametrize("version", [None, "0.2.2"])
def test_other_versions_of_tus_are_refused(gateway_url: str, token: str, method: str, version: str | None) -> None:
    path = "/v1/uploads" if method == "POST" else f"/v1/uploads/{'0' * 32}"
    headers = {"Authorization": f"Bearer {token}"} | ({"Tus-Resumable": version} if version else {})
    answer = httpx.request(method, gateway_url + path, headers=headers, timeout=60)
    assert answer.status_code == 412
    assert answer.headers["Tus-Version"] == "1.0.0"


@pytest.mark.parametrize("authorization", [None, "Bearer x", "Basic lt_x", "Bearer lt_" + "A" * 43])
def test_nobody_gets_in_without_a_token_of_the_fleet(gateway_url: str, token: str, authorization: str | None) -> None:
    headers = dict(TUS) | ({"Authorization": authorization} if authorization else {})
    answer = httpx.post(f"{gateway_url}/v1/uploads", headers=headers, content=b"{}", timeout=60)
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthenticated"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/octet-stream"}, 415),
        ({**CHUNK, "Content-Encoding": "gzip"}, 415),
        ({**CHUNK, "Upload-Offset": "-1"}, 400),
        ({**CHUNK, "Upload-Offset": "9" * 30}, 400),
        ({**CHUNK, "Upload-Offset": "1"}, 409),
    ],
)
def test_a_patch_with_wrong_headers_stores_nothing(client: TusClient, headers: dict[str, str], status: int) -> None:
    data, manifest = clip()
    location = client.begin(manifest)
    assert client.patch(location, 0, data, headers).status_code == status
    assert client.offset(location) == 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload_Length": "x"}, 400),
        ({"Upload_Length": str(MAX_CLIP_BYTES + 1)}, 413),
        ({"Upload_Defer_Length": "1"}, 400),
        ({"Content_Type": "text/plain"}, 415),
    ],
)
def test_a_creation_with_wrong_headers_is_refused(client: TusClient, headers: dict[str, str], status: int) -> None:
    _data, manifest = clip()
    assert client.create(manifest, **headers).status_code == status


def test_errors_of_routing_are_problems_too(gateway_url: str) -> None:
    assert httpx.get(f"{gateway_url}/nowhere", timeout=60).json()["code"] == "http_404"
    assert httpx.get(f"{gateway_url}/v1/uploads", timeout=60).status_code == 405


def test_the_gateway_is_alive_and_ready(gateway_url: str) -> None:
    assert httpx.get(f"{gateway_url}/healthz", timeout=60).json() == {"status": "ok"}
    ready = httpx.get(f"{gateway_url}/readyz", timeout=60)
    assert (ready.status_code, ready.json()["status"]) == (200, "ok")
    assert re.fullmatch("[0-9a-f]{32}", ready.json()["deployment"])
