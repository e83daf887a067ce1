"""What the gateway does with manifests: those it refuses are kept with their reason, budgets say why and when."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.gateway.limits import GatewayLimits
from storage import ledger
from storage.database import Database
from storage.settings import Settings
from storage.uploads import dead_letters
from tests.ingest.gateway.conftest import MIB
from tests.ingest.gateway.serving import TusClient, running_gateway, some_bytes
from tests.support.fleet import TRIGGER, add_version, charged_manifest, enroll_vehicle, fire, manifest_of
from triggers.body_digest import content_digest
from triggers.contracts.base import MAX_ATTRIBUTE_TEXT
from triggers.contracts.campaign import BudgetLimits, Network
from triggers.contracts.clip import MAX_CLIP_BYTES, MAX_SOFTWARE_TEXT, CreationRequest, manifest_bound

SIZE = 1000


def letters(database: Database) -> list[dead_letters.DeadLetter]:
    with database.begin() as connection:
        return dead_letters.listing(connection)


def set_in(document: Any, path: str, value: Any) -> None:
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    for part in parents:
        document = document[part]
    document[last] = value


LIES: dict[str, tuple[str, Any, str]] = {
    "of another vehicle": ("manifest.recording.vehicle_id", "car-2", "car-2"),
    "a size that is not the announced one": ("manifest.size_bytes", SIZE + 1, "charged"),
    "a cell too many": ("manifest.cells", ["0" * 64] * 2, "cells"),
    "a hash that is none": ("manifest.cells.0", "x", "cells.0"),
    "no fires": ("manifest.recording.fires", [], "fires"),
    "a version nobody made": ("manifest.recording.fires.0.version", 7, "was never approved"),
    "a version beyond every integer": ("manifest.recording.fires.0.version", 2**70, "was never approved"),
    "an ordinal beyond every integer": ("manifest.recording.fires.0.ordinal", 2**63, "ordinal"),
    "a time beyond every integer": ("manifest.recording.end_ns", 2**63, "end_ns"),
    "another program": ("manifest.recording.fires.0.program_digest", "0" * 64, "not the approved one"),
    "a trigger the campaign has not": ("manifest.recording.fires.0.trigger", "no_such", "no trigger no_such"),
    "U+0000 in an attribute": ("manifest.recording.attributes", {"colour": "re\x00d"}, "U+0000"),
    "an unknown field": ("surprise", 1, "surprise"),
    "an unknown field of the manifest": ("manifest.network", "wifi", "manifest.network"),
    "a network of no known class": ("network", "pigeon", "network"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_manifest_that_lies_is_refused_kept_and_charged_nothing(
    client: TusClient, database: Database, lie: str
) -> None:
    path, value, said = LIES[lie]
    document = {"manifest": json.loads(charged_manifest({"wide": SIZE}).canonical_json()), "network": "wifi"}
    set_in(document, path, value)
    body = json.dumps(document).encode()
    refused = client.create_raw(body, SIZE)
    assert refused.status_code == 422, refused.text
    assert refused.json()["code"] == "manifest_invalid"
    assert said in refused.json()["detail"]
    (letter,) = letters(database)
    assert (letter.stage, letter.reason, letter.vehicle_id) == ("gateway", "manifest_invalid", "car-1")
    assert letter.detail == refused.json()["detail"]
    with database.begin() as connection:
        assert dead_letters.get(connection, letter.id)[1] == body
        assert ledger.usage(connection) == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"manifest":' * 500, b"[" * 100_000])
def test_what_is_no_manifest_at_all_is_refused_too(client: TusClient, database: Database, body: bytes) -> None:
    assert client.create_raw(body, SIZE).status_code == 422
    (letter,) = letters(database)
    assert letter.fires == 0


def test_a_manifest_with_a_key_twice_is_refused_by_its_name(client: TusClient, database: Database) -> None:
    manifest = charged_manifest({"wide": SIZE}).canonical_json()
    twice = manifest.replace(b'"size_bytes":', b'"size_bytes":999,"size_bytes":', 1)
    refused = client.create_raw(b'{"manifest":%s,"network":"wifi"}' % twice, SIZE)
    assert (refused.status_code, refused.json()["code"]) == (422, "manifest_invalid")
    assert "the key `size_bytes` is given twice" in refused.json()["detail"]
    (letter,) = letters(database)
    assert "given twice" in letter.detail


def test_a_length_that_differs_from_the_manifest_is_refused_with_its_fires_counted(
    client: TusClient, database: Database
) -> None:
    manifest = manifest_of(some_bytes(SIZE), [fire("wide", SIZE - 1), fire("brake", 1)])
    assert client.create(manifest, Upload_Length=str(SIZE + 1)).status_code == 422
    assert letters(database)[0].fires == 2


def test_a_request_that_was_altered_on_the_way_is_no_mistake_of_its_manifest(
    client: TusClient, database: Database
) -> None:
    sent = CreationRequest(manifest=charged_manifest({"wide": SIZE}), network=Network.WIFI).canonical_json()
    digest = content_digest(sent)
    for arrived in (sent.replace(b"wifi", b"wigi"), sent.replace(b'"end_ns":1', b'"end_ns":3'), sent[:-1] + b"]"):
        assert arrived != sent
        refused = client.create_raw(arrived, SIZE, Content_Digest=digest)
        assert (refused.status_code, refused.json()["code"]) == (400, "bad_header")
        assert "altered on the way" in refused.json()["detail"]
    assert letters(database) == []
    assert client.create_raw(sent, SIZE, Content_Digest=f"sha-512=:AA==:, {digest}").status_code == 201


@pytest.mark.parametrize("chunked", [False, True])
def test_a_manifest_above_the_bound_is_refused(client: TusClient, database: Database, chunked: bool) -> None:
    body = b" " * (manifest_bound(SIZE) + 1)
    content: Callable[[], Any] = lambda: iter([body]) if chunked else body  # noqa: E731
    headers = {"Upload-Length": str(SIZE), "Content-Type": "application/json"}
    answer = client.http.post("/v1/uploads", content=content(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert letters(database) == []


@pytest.mark.parametrize("length", [MAX_CLIP_BYTES + 1, 10**15, 2**63, 10**4000])
def test_a_length_beyond_the_largest_clip_is_too_large_however_many_digits_it_has(
    client: TusClient, length: int
) -> None:
    answer = client.create_raw(b"{}", length)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert len(answer.content) < 500


def test_software_is_versions_and_not_documents(client: TusClient) -> None:
    manifest = charged_manifest({"wide": SIZE})
    recording = manifest.recording.model_copy(update={"software": {"agent": "1" * (MAX_SOFTWARE_TEXT + 1)}})
    refused = client.create(manifest.model_copy(update={"recording": recording}))
    assert (refused.status_code, refused.json()["code"]) == (422, "manifest_invalid")
    assert str(MAX_SOFTWARE_TEXT) in refused.json()["detail"]
    assert len(refused.json()["detail"]) < 500


def test_an_attribute_has_no_name_that_no_index_takes(client: TusClient) -> None:
    """The clip would arrive whole, be paid for, and could not be stored."""
    manifest = charged_manifest({"wide": SIZE})
    for name, status in (("\u4e00" * MAX_ATTRIBUTE_TEXT, 201), ("a" * (MAX_ATTRIBUTE_TEXT + 1), 422)):
        recording = manifest.recording.model_copy(update={"attributes": {name: 1}, "recording_id": f"rec-{status}"})
        answer = client.create(manifest.model_copy(update={"recording": recording}))
        assert answer.status_code == status, answer.text
    assert answer.json()["code"] == "manifest_invalid" and "shorter name" in answer.json()["remedy"]


def test_a_vehicle_cannot_fill_the_dead_letters(database: Database, settings: Settings, token: str) -> None:
    with database.begin() as connection:
        other_token = enroll_vehicle(connection, "car-2")
    with running_gateway(settings, GatewayLimits(rejections_per_vehicle=3, rejected_manifest_bytes=100)) as (url, _app):
        client, other = TusClient(url, token), TusClient(url, other_token)
        assert {client.create_raw(b"{}", SIZE).status_code for _ in range(5)} == {422}
        assert other.create_raw(b" " * 101, SIZE).status_code == 422
        client.close()
        other.close()
    kept = letters(database)
    assert [letter.vehicle_id for letter in kept] == ["car-2", "car-1", "car-1", "car-1"]
    assert "not kept" in kept[0].detail
    with database.begin() as connection:
        assert dead_letters.get(connection, kept[0].id)[1] is None


@pytest.mark.parametrize("state", ["approved", "active", "paused", "stopped", "completed"])
def test_fires_of_every_version_that_was_approved_once_are_taken(
    client: TusClient, database: Database, state: str
) -> None:
    with database.begin() as connection:
        add_version(connection, "old", 3, state=state)
    manifest = manifest_of(some_bytes(SIZE), [fire("old", SIZE, version=3)])
    assert client.create(manifest).status_code == 201


def test_fires_of_a_version_that_was_never_approved_are_not(client: TusClient, database: Database) -> None:
    with database.begin() as connection:
        add_version(connection, "draft_only", state="submitted", approved=False)
    assert client.create(charged_manifest({"draft_only": SIZE})).status_code == 422


def test_a_budget_says_who_is_out_of_it_and_when_to_try_again(client: TusClient) -> None:
    client.begin(charged_manifest({"brake": 7 * MIB}))
    before = datetime.now(UTC)
    refused = client.create(charged_manifest({"brake": 2 * MIB, "wide": MIB}))
    assert refused.status_code == 403
    assert refused.headers["Content-Type"] == "application/problem+json"
    problem = refused.json()
    assert problem["code"] == "budget_exhausted"
    assert problem["campaigns"] == ["brake"]
    assert problem["accounts"] == [f"campaign_vehicle_day:brake:car-1:{before.date()}"]
    midnight = datetime.combine(before.date() + timedelta(days=1), datetime.min.time(), tzinfo=UTC)
    assert abs(problem["retry_after_s"] - (midnight - before).total_seconds()) < 30
    assert refused.headers["Retry-After"] == str(problem["retry_after_s"])
    assert client.create(charged_manifest({"wide": MIB})).status_code == 201


def test_a_trigger_that_is_out_of_its_own_budget_is_named_apart_from_its_campaign(
    client: TusClient, database: Database
) -> None:
    with database.begin() as connection:
        own = BudgetLimits(vehicle_day_clips=1)
        add_version(connection, "mixed", limits=BudgetLimits(clips=9), of_triggers={TRIGGER: None, "rare": own})
    client.begin(charged_manifest({"mixed.rare": MIB}))
    problem = client.create(charged_manifest({"mixed": MIB, "mixed.rare": MIB})).json()
    assert (problem["code"], problem["campaigns"], problem["triggers"]) == ("budget_exhausted", [], ["mixed.rare"])
    assert problem["accounts"] == [f"trigger_vehicle_day_clips:mixed:rare:car-1:{datetime.now(UTC).date()}"]
    assert client.create(charged_manifest({"mixed": MIB})).status_code == 201


def test_a_total_that_is_used_up_gives_no_time_to_try_again(client: TusClient, database: Database) -> None:
    with database.begin() as connection:
        add_version(connection, "tiny", limits=BudgetLimits(total_bytes=10))
    refused = client.create(charged_manifest({"tiny": 11}))
    assert "retry_after_s" not in refused.json()
    assert "Retry-After" not in refused.headers
