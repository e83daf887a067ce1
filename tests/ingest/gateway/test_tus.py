"""Every MUST of tus 1.0.0: core, and the extensions creation, expiration, termination and checksum.

Each test is named after what the specification demands (https://tus.io/protocols/resumable-upload).
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import text, update

from storage.database import Database
from storage.settings import Settings
from storage.tables import uploads
from storage.uploads import endings
from tests.ingest.gateway.serving import CHUNK, TusClient, logged_bytes, some_bytes
from tests.support.fleet import clip_manifest
from tests.support.waiting import wait_for
from triggers.contracts.clip import CELL_BYTES, MAX_CLIP_BYTES, ClipManifest

DATA = some_bytes(2 * CELL_BYTES + 100)


def clip(data: bytes = DATA) -> ClipManifest:
    return clip_manifest(data, "wide")


def metadata(**values: str | bytes) -> str:
    raw = {key: value.encode() if isinstance(value, str) else value for key, value in values.items()}
    return ",".join(f"{key} {base64.b64encode(value).decode()}" for key, value in raw.items())


def plain_creation(client: TusClient, manifest: ClipManifest, **headers: str) -> httpx.Response:
    """A creation as an ordinary tus client sends it: no body, everything in headers."""
    described = metadata(filename="clip.mcap", manifest=manifest.canonical_json(), network="wifi")
    own = {"Upload-Length": str(manifest.size_bytes), "Upload-Metadata": described, **headers}
    return client.http.post("/v1/uploads", headers=own)


# Core


def test_options_has_version_extensions_and_size_without_any_header(gateway_url: str) -> None:
    for path in ("/v1/uploads", f"/v1/uploads/{'0' * 32}"):
        answer = httpx.options(gateway_url + path, timeout=60)
        assert answer.status_code in (200, 204)
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert answer.headers["Tus-Extension"].split(",") == ["creation", "expiration", "checksum", "termination"]
        assert answer.headers["Tus-Max-Size"] == str(MAX_CLIP_BYTES)


def test_head_has_offset_and_length_even_of_new_and_whole_uploads_and_is_not_cached(client: TusClient) -> None:
    location = client.begin(clip())
    for offset in (0, len(DATA)):
        head = client.http.head(location)
        assert head.status_code == 200
        assert (head.headers["Upload-Offset"], head.headers["Upload-Length"]) == (str(offset), str(len(DATA)))
        assert head.headers["Cache-Control"] == "no-store"
        client.patch(location, offset, DATA[offset:])


@pytest.mark.parametrize("upload", ["0" * 32, "unknown", "a/b", "%2e%2e"])
def test_head_of_an_unknown_upload_has_no_offset(client: TusClient, upload: str) -> None:
    head = client.http.head(f"/v1/uploads/{upload}")
    assert head.status_code == 404
    assert "Upload-Offset" not in head.headers


def test_patch_takes_only_its_own_content_type(client: TusClient) -> None:
    location = client.begin(clip())
    assert client.patch(location, 0, DATA, {"Content-Type": "application/octet-stream"}).status_code == 415
    assert client.http.patch(location, content=b"", headers={"Upload-Offset": "0"}).status_code == 415
    assert client.offset(location) == 0


def test_patch_at_another_offset_is_a_conflict_that_changes_nothing(client: TusClient) -> None:
    location = client.begin(clip())
    client.patch(location, 0, DATA[:10])
    for offset in (0, 9, 11, len(DATA)):
        refused = client.patch(location, offset, b"")
        assert (refused.status_code, refused.headers["Upload-Offset"]) == (409, "10")
    assert client.offset(location) == 10


def test_an_offset_that_is_given_twice_is_refused(client: TusClient) -> None:
    location = client.begin(clip())
    headers = [("Upload-Offset", "0"), ("Upload-Offset", "7"), *CHUNK.items()]
    refused = client.http.patch(location, content=DATA, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_header")
    assert refused.json()["detail"] == "Upload-Offset is given 2 times: '0', '7'"
    assert client.offset(location) == 0


def test_patch_answers_204_with_the_new_offset(client: TusClient) -> None:
    location = client.begin(clip())
    answer = client.patch(location, 0, DATA[:10])
    assert (answer.status_code, answer.headers["Upload-Offset"], answer.content) == (204, "10", b"")


def test_patch_of_an_unknown_upload_is_404(client: TusClient) -> None:
    assert client.patch(f"/v1/uploads/{'0' * 32}", 0, b"x").status_code == 404


def test_every_answer_has_the_version(client: TusClient, gateway_url: str) -> None:
    location = client.begin(clip())
    answers = [
        client.http.head(location),
        client.patch(location, 5, b""),
        client.http.get(location),
        client.http.post("/v1/uploads"),
        client.http.delete(location),
        httpx.head(location, timeout=60),
    ]
    assert [answer.headers["Tus-Resumable"] for answer in answers] == ["1.0.0"] * len(answers)
    assert "Tus-Resumable" not in httpx.get(f"{gateway_url}/healthz", timeout=60).headers


@pytest.mark.parametrize("version", [None, "0.2.2", "1.0", "1.0.0, 2.0.0", ""])
@pytest.mark.parametrize("method", ["POST", "HEAD", "PATCH", "DELETE"])
def test_another_version_is_412_with_the_supported_ones_and_is_not_processed(
    client: TusClient, method: str, version: str | None
) -> None:
    location = client.begin(clip())
    headers = {"Authorization": f"Bearer {client.token}", "Upload-Offset": "0", **CHUNK}
    headers |= {} if version is None else {"Tus-Resumable": version}
    refused = httpx.request(
        method, location if method != "POST" else location.rsplit("/", 1)[0], headers=headers, timeout=60
    )
    assert (refused.status_code, refused.headers["Tus-Version"]) == (412, "1.0.0")
    assert client.offset(location) == 0


@pytest.mark.parametrize("actual", ["POST", "GET", "PUT"])
def test_the_overriding_method_counts_and_the_actual_one_is_ignored(client: TusClient, actual: str) -> None:
    location = client.begin(clip())

    def override(method: str, **headers: str) -> httpx.Response:
        own = {"X-HTTP-Method-Override": method, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return client.http.request(actual, location, headers=own, content=DATA if method == "PATCH" else None)

    assert override("HEAD").headers["Upload-Offset"] == "0"
    written = override("PATCH", Upload_Offset="0", Content_Type=CHUNK["Content-Type"])
    assert (written.status_code, written.headers["Upload-Offset"]) == (204, str(len(DATA)))
    other = client.begin(clip())
    location = other
    assert override("DELETE").status_code == 204
    assert client.http.head(other).status_code == 410
    assert override("BREW").status_code == 405


@pytest.mark.parametrize("path", ["/v1/uploads", "/v1/uploads/"])
def test_a_method_without_a_route_is_told_all_that_the_address_has(client: TusClient, path: str) -> None:
    location = client.begin(clip())
    assert client.http.get(path).headers["Allow"] == "OPTIONS, POST"
    refused = client.http.get(location)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "DELETE, HEAD, OPTIONS, PATCH")
    assert client.http.options(location).headers["Allow"] == "DELETE, HEAD, OPTIONS, PATCH"


# Creation


def test_creation_without_a_body_takes_the_manifest_from_the_metadata(client: TusClient) -> None:
    manifest = clip()
    created = plain_creation(client, manifest)
    assert created.status_code == 201, created.text
    assert client.location(created) == client.location(client.create(manifest))
    again = plain_creation(client, manifest)
    assert (again.status_code, again.headers["Location"]) == (201, created.headers["Location"])


def test_head_repeats_the_metadata_of_the_creation(client: TusClient) -> None:
    created = plain_creation(client, manifest := clip())
    sent = metadata(filename="clip.mcap", manifest=manifest.canonical_json(), network="wifi")
    assert client.http.head(client.location(created)).headers["Upload-Metadata"] == sent
    by_body = client.create(clip(), Upload_Metadata="name Ym9i,flag")
    assert client.http.head(client.location(by_body)).headers["Upload-Metadata"] == "name Ym9i,flag"


@pytest.mark.parametrize("path", ["/v1/uploads", "/v1/uploads/"])
def test_the_location_of_an_upload_fits_the_address_of_its_creation(client: TusClient, path: str) -> None:
    manifest = clip()
    described = metadata(manifest=manifest.canonical_json(), network="wifi")
    headers = {"Upload-Length": str(manifest.size_bytes), "Upload-Metadata": described}
    created = client.http.post(path, headers=headers)
    assert created.status_code == 201
    assert client.offset(client.location(created)) == 0


@pytest.mark.parametrize(
    "sent", ["a b c", "a YQ==,a YQ==", "a =", "a !!!!", ",", "a YQ==,,b YQ==", "ä YQ==".encode("latin-1"), "x , ,"]
)
def test_metadata_that_breaks_the_grammar_is_refused(client: TusClient, sent: Any) -> None:
    manifest = clip()
    headers = {"Upload-Length": str(manifest.size_bytes), "Content-Type": "application/json", "Upload-Metadata": sent}
    refused = client.http.post("/v1/uploads", headers=headers, content=b"{}")
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_header")
    assert "Upload-Metadata" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("values", "status", "said"),
    [
        ({"manifest": "{}", "network": "wifi"}, 422, "manifest"),
        ({"manifest": "{}"}, 400, "network"),
        ({"manifest": clip().canonical_json(), "network": "pigeon"}, 422, "pigeon"),
        ({"manifest": b"\xff\xfe", "network": "wifi"}, 422, "manifest"),
        ({"manifest": "x" * 20_000, "network": "wifi"}, 413, "JSON body"),
        ({"filename": "clip.mcap"}, 415, "`manifest` and `network`"),
    ],
)
def test_metadata_without_a_good_manifest_says_what_to_send(
    client: TusClient, values: dict[str, Any], status: int, said: str
) -> None:
    headers = {"Upload-Length": str(len(DATA)), "Upload-Metadata": metadata(**values)}
    refused = client.http.post("/v1/uploads", headers=headers)
    assert refused.status_code == status, refused.text
    assert said in refused.json()["detail"] + refused.json()["remedy"]


@pytest.mark.parametrize(("length", "status"), [("-1", 400), ("1e3", 400), ("", 400), (str(MAX_CLIP_BYTES + 1), 413)])
def test_a_length_that_is_none_or_beyond_the_largest_size_is_refused(
    client: TusClient, length: str, status: int
) -> None:
    assert client.create(clip(), Upload_Length=length).status_code == status


def test_leading_zeros_of_a_length_do_not_count_and_a_long_one_is_shown_as_cut(client: TusClient) -> None:
    created = client.create(clip(), Upload_Length="0" * 5000 + str(len(DATA)))
    assert (created.status_code, created.headers["Upload-Offset"]) == (201, "0"), created.text
    refused = client.create(clip(), Upload_Length="9" * 40)
    assert (refused.status_code, refused.json()["detail"].split(" bytes")[0]) == (413, f"the clip has {'9' * 30}…")


@pytest.mark.parametrize("extension", ["Upload_Defer_Length", "Upload_Concat"])
def test_extensions_that_are_not_offered_are_refused_by_name(client: TusClient, extension: str) -> None:
    refused = client.create(clip(), **{extension: "1"})
    assert refused.status_code == 400
    assert extension.replace("_", "-") in refused.json()["detail"]


# Expiration


def expires(answer: httpx.Response) -> datetime:
    return parsedate_to_datetime(answer.headers["Upload-Expires"])


def test_creation_head_and_every_patch_say_when_the_upload_expires(client: TusClient) -> None:
    created = client.create(clip())
    location = client.location(created)
    answers = [
        created,
        client.http.head(location),
        client.patch(location, 7, b""),
        client.patch(location, 0, b""),
        client.patch(location, 0, DATA[:10]),
        client.patch(location, 10, DATA),
        client.patch(location, 10, DATA[11:] + b"x"),
    ]
    assert [answer.status_code for answer in answers] == [201, 200, 409, 204, 204, 413, 460]
    assert all(answer.headers["Upload-Expires"].endswith(" GMT") for answer in answers)
    whole = client.patch(location, 0, DATA)
    assert "Upload-Expires" not in whole.headers, "a whole upload does not expire"


def test_an_upload_expires_soon_without_a_byte_and_progress_puts_its_end_off(
    client: TusClient, database: Database, settings: Settings
) -> None:
    created = client.create(clip())
    location, now = client.location(created), datetime.now(UTC)
    assert abs(expires(created) - now - timedelta(seconds=settings.upload_start_s)) < timedelta(minutes=1)
    first = client.patch(location, 0, DATA[:10])
    assert abs(expires(first) - now - timedelta(seconds=settings.upload_expiry_s)) < timedelta(minutes=1)
    with database.begin() as connection:
        connection.execute(update(uploads).values(expires_at=now + timedelta(seconds=60)))
    assert expires(client.patch(location, 10, b"")) < now + timedelta(seconds=90), "no progress, no delay"
    later = client.patch(location, 10, DATA[10 : CELL_BYTES + 10])
    assert abs(expires(later) - now - timedelta(seconds=settings.upload_expiry_s)) < timedelta(minutes=1)


def test_an_upload_does_not_hold_its_budget_for_ever(client: TusClient, database: Database, settings: Settings) -> None:
    location = client.begin(clip())
    age = timedelta(seconds=30 * settings.upload_expiry_s - 60)
    with database.begin() as connection:
        connection.execute(update(uploads).values(created_at=datetime.now(UTC) - age))
    assert expires(client.patch(location, 0, DATA[:10])) <= datetime.now(UTC) + timedelta(
        seconds=settings.upload_start_s
    )


def test_an_expired_upload_is_gone(client: TusClient, database: Database) -> None:
    location = client.begin(clip())
    with database.begin() as connection:
        connection.execute(update(uploads).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert client.http.head(location).status_code == 410
    assert client.patch(location, 0, DATA).status_code == 410


# Termination


def test_a_terminated_upload_answers_204_and_is_gone_then(client: TusClient) -> None:
    location = client.begin(clip())
    client.patch(location, 0, DATA[:10])
    assert client.http.delete(location).status_code == 204
    assert client.http.head(location).status_code == 410
    assert client.patch(location, 10, DATA[10:]).status_code == 410


# Checksum


def checksum(algorithm: str, data: bytes) -> dict[str, str]:
    digest = hashlib.new(algorithm, data).digest()
    return {**CHUNK, "Upload-Checksum": f"{algorithm} {base64.b64encode(digest).decode()}"}


def test_options_names_the_algorithms(gateway_url: str) -> None:
    assert set(httpx.options(f"{gateway_url}/v1/uploads", timeout=60).headers["Tus-Checksum-Algorithm"].split(",")) == {
        "md5",
        "sha1",
        "sha256",
    }


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
@pytest.mark.parametrize("chunk", [300_000, CELL_BYTES, len(DATA)])
def test_chunks_with_the_right_checksum_are_taken(
    client: TusClient, database: Database, settings: Settings, algorithm: str, chunk: int
) -> None:
    location = client.begin(clip())
    for start in range(0, len(DATA), chunk):
        part = DATA[start : start + chunk]
        answer = client.patch(location, start, part, checksum(algorithm, part))
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(start + len(part)))
    assert logged_bytes(database, settings, location.rsplit("/", 1)[1]) == DATA


@pytest.mark.parametrize("chunk", [300_000, CELL_BYTES, len(DATA)])
def test_a_chunk_with_another_checksum_is_460_and_discarded(client: TusClient, database: Database, chunk: int) -> None:
    location = client.begin(clip())
    wrong = checksum("sha1", b"something else")
    for start in range(0, len(DATA), chunk):
        part = DATA[start : start + chunk]
        refused = client.patch(location, start, part, wrong)
        assert (refused.status_code, refused.headers["Upload-Offset"]) == (460, str(start))
        assert client.offset(location) == start
        assert client.patch(location, start, part, checksum("sha1", part)).status_code == 204
    assert client.offset(location) == len(DATA)


def test_a_chunk_with_a_flipped_bit_is_460_and_discarded(client: TusClient) -> None:
    location = client.begin(clip())
    wrong = bytearray(DATA)
    wrong[CELL_BYTES + 5] ^= 1
    refused = client.patch(location, 0, bytes(wrong), checksum("sha256", DATA))
    assert (refused.status_code, client.offset(location)) == (460, 0)


@pytest.mark.parametrize("sent", ["crc32 AAAA", "sha1", "sha1 !", "sha1 AAAA", "", "SHA1 " + "A" * 28])
def test_an_unsupported_algorithm_or_a_value_that_is_none_is_400(client: TusClient, sent: str) -> None:
    location = client.begin(clip())
    refused = client.patch(location, 0, DATA, {**CHUNK, "Upload-Checksum": sent})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_header")
    assert client.offset(location) == 0


# An upload that others make whole meanwhile


def test_an_upload_that_the_assembler_stored_first_is_answered_as_whole(
    client: TusClient, database: Database, gateway_url: str
) -> None:
    location = client.begin(clip())
    with client.open_patch(location, 0, len(DATA), DATA[:-1]) as connection:
        upload_id = location.rsplit("/", 1)[1]
        _wait_for_writer(database, upload_id)
        with database.begin() as storing:
            assert endings.mark_stored(storing, upload_id)
        connection.sendall(DATA[-1:])
        answer = connection.recv(10_000).decode().lower()
    assert answer.startswith("http/1.1 204 ")
    assert f"upload-offset: {len(DATA)}\r\n" in answer


def _wait_for_writer(database: Database, upload_id: str) -> None:
    def begun() -> bool:
        with database.begin() as connection:
            epoch = text("SELECT writer_epoch FROM uploads WHERE id = :id")
            return bool(connection.execute(epoch, {"id": upload_id}).scalar_one())

    wait_for(begun, within_s=10, what="the request's beginning")
