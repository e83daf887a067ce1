"""`longtail history` and `longtail latency`: each stage of a clip, why it is not further, and fires without a clip."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from ingest.steward import events
from storage.clips import extraction_results
from storage.clips import writer as clip_writer
from storage.clips.extraction_results import Findings
from storage.erasure import clips as erased
from storage.labels import jobs as label_jobs
from storage.tables import clips, uploads
from storage.tables.erasure import ErasureCause
from storage.uploads import endings
from storage.watching.latency import latencies
from tests.fleet_api.api_server import Api
from tests.fleet_api.cli.conftest import Longtail
from tests.fleet_api.watching.test_metrics import report
from tests.storage.erasure.erasure_support import begin, claim, complete, findings_of, store
from tests.support.fleet import add_version, clip_manifest, enroll_vehicle, fire, manifest_of
from triggers.clips.damage import Remark
from triggers.errors import Forbidden, NotFound

STAGES = ["fired", "announced", "upload_ended", "stored", "extraction_queued"]


@pytest.fixture(autouse=True)
def _fleet(api: Api) -> None:
    with api.database.begin() as connection:
        enroll_vehicle(connection)
        add_version(connection, "braking")
        enroll_vehicle(connection)  # again, to be given it


def history(longtail: Longtail, subject: str) -> dict[str, Any]:
    found: dict[str, Any] = longtail("history", subject, "--json").json()
    return found


def happened(found: dict[str, Any]) -> list[str]:
    assert [event["at"] for event in found["events"]] == sorted(event["at"] for event in found["events"])
    return [event["what"] for event in found["events"]]


def test_an_upload_under_way_waits_for_its_vehicle(api: Api, longtail: Longtail) -> None:
    manifest = clip_manifest(bytes(1000))
    with api.database.begin() as connection:
        upload = begin(connection, manifest)
        connection.execute(update(uploads).values(offset_bytes=400))
    found = history(longtail, upload.clip_id)
    assert found["stage"] == "announced" and happened(found) == ["fired", "announced"]
    assert "400 of 1000 bytes have come over wifi" in found["waits_for"]
    assert found["vehicle_id"] == "car-1"
    [one] = manifest.recording.fires
    assert history(longtail, f"car-1/braking/1/{one.ordinal}")["clip_ids"] == [upload.clip_id]


def test_a_received_upload_waits_for_the_assembler(api: Api, longtail: Longtail) -> None:
    with api.database.begin() as connection:
        upload = begin(connection, clip_manifest(b"a clip"))
        connection.execute(update(uploads).values(state="received", created_at=datetime.now(UTC) - timedelta(hours=1)))
    found = history(longtail, upload.clip_id)
    assert found["stage"] == "received"
    assert "the assembler of `longtail ingest`" in found["waits_for"]
    assert "longtail_ingest_lag_records" in found["waits_for"]


def test_a_stored_clip_waits_for_its_extraction_and_says_who_does_it(api: Api, longtail: Longtail) -> None:
    clip_id = store(api.database)
    found = history(longtail, clip_id)
    assert (found["stage"], happened(found)) == ("stored", STAGES)
    assert found["waits_for"].startswith("the extraction: it waits for a worker of `longtail ingest` since ")
    claim(api.database)
    told = history(longtail, clip_id)["waits_for"]
    assert re.fullmatch(r"the extraction: w has the job until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", told)


def test_a_ready_clip_waits_for_its_event_then_for_a_labeler_then_for_the_one_who_has_it(
    api: Api, longtail: Longtail
) -> None:
    clip_id = store(api.database)
    with api.database.begin() as connection:
        events.dispatch(connection)
    job = claim(api.database)
    with api.database.begin() as connection:
        extraction_results.write(connection, job, findings_of(clip_id))
    found = history(longtail, clip_id)
    assert (found["stage"], found["waits_for"]) == ("ready", "a label job: its event waits to be dispatched")
    with api.database.begin() as connection:
        events.dispatch(connection)
    assert "it waits for a labeler to claim its job" in history(longtail, clip_id)["waits_for"]
    with api.database.begin() as connection:
        [job] = label_jobs.claim(connection, user="ann", task="auto", labeler="net-7", count=1, lease_s=60)  # type: ignore[assignment]
    assert history(longtail, clip_id)["waits_for"].startswith("labels: net-7 has the job until ")


def test_who_only_labels_learns_of_the_clips_that_it_has_claimed_and_of_no_fire(api: Api) -> None:
    clip_id = store(api.database)
    with api.database.begin() as connection:
        assert label_jobs.ensure(connection, clip_id, "auto")
    labeler = api.as_client("labeler")
    with pytest.raises(NotFound, match="has claimed no clip"):
        labeler.history.clip(clip_id)
    with pytest.raises(Forbidden):
        labeler.history.fire("car-1", "braking", 1, 1)
    assert labeler.labels.claim("auto", "net-7")
    assert labeler.history.clip(clip_id).stage == "stored"


def test_a_labelled_clip_waits_for_nothing(api: Api, longtail: Longtail) -> None:
    manifest = clip_manifest(b"a clip")
    clip_id = store(api.database, manifest)
    complete(api.database, claim(api.database))
    found = history(longtail, clip_id)
    assert (found["stage"], found["waits_for"]) == ("labelled", None)
    assert happened(found) == [*STAGES, "extraction_done", "ready", "label_job_queued", "label_job_done"]
    shown = longtail("history", f"car-1/braking/1/{manifest.recording.fires[0].ordinal}").out
    assert "nothing is left to do" in shown and clip_id in shown and "hard_brake of braking version 1" in shown


def test_a_damaged_clip_says_what_is_wrong_with_it(api: Api, longtail: Longtail) -> None:
    clip_id = store(api.database)
    job = claim(api.database)
    with api.database.begin() as connection:
        extraction_results.write(connection, job, Findings(remarks=[Remark("object_missing", "it is gone")]))
    found = history(longtail, clip_id)
    assert (found["stage"], found["waits_for"]) == ("damaged", None)
    assert any(event["what"] == "damaged" and "it is gone" in event["detail"] for event in found["events"])


def test_what_was_read_of_a_damaged_clip_is_for_those_who_see_positions(api: Api) -> None:
    clip_id = store(api.database)
    quoted = Remark("position_out_of_range", "2 of 9 samples (the first is 48.13243)", 2)
    with api.database.begin() as connection:
        connection.execute(update(clips).values(state="damaged", damage=quoted.description))
    assert "48.13243" in str(api.as_client("viewer").history.clip(clip_id))
    api.change_settings(position_roles="")
    assert "48.13243" not in str(api.as_client("viewer").history.clip(clip_id))
    assert "position_out_of_range" in str(api.as_client("viewer").history.clip(clip_id))


def test_an_upload_that_failed_or_ended_says_why_and_the_next_attempt_is_told_with_it(
    api: Api, longtail: Longtail
) -> None:
    manifest = clip_manifest(b"a clip")
    with api.database.begin() as connection:
        upload = begin(connection, manifest)
        endings.expire_one(connection, upload.id)
    found = history(longtail, upload.clip_id)
    assert found["stage"] == "expired" and found["waits_for"].startswith("the vehicle, if it still has the clip")
    store(api.database, manifest)
    again = history(longtail, upload.clip_id)
    assert again["stage"] == "stored"
    assert happened(again).count("announced") == 2 and "upload_expired" in happened(again)


def test_of_attempts_that_have_all_ended_the_newest_says_what_a_clip_waits_for(api: Api, longtail: Longtail) -> None:
    """Its cells were lost, so the vehicle began again, and that attempt expired: it was told that no clip can come."""
    manifest = clip_manifest(b"a clip")
    with api.database.begin() as connection:
        first = begin(connection, manifest)
        clip_writer.fail_upload(connection, first, reason=endings.CELLS_LOST, detail="the log has lost them")
        connection.execute(update(uploads).values(created_at=datetime.now(UTC) - timedelta(hours=1)))
    found = history(longtail, first.clip_id)
    assert found["stage"] == "failed" and found["waits_for"].startswith("the vehicle, if it still has the clip")
    with api.database.begin() as connection:
        second = begin(connection, manifest)
        endings.expire_one(connection, second.id)
    found = history(longtail, first.clip_id)
    assert found["stage"] == "expired"
    assert found["waits_for"] == "the vehicle, if it still has the clip: its upload ended before it was whole (expired)"
    assert {"upload_failed", "upload_expired", "dead_letter"} <= set(happened(found))


def test_a_dead_letter_of_an_attempt_before_is_closed_when_the_clip_is_ready(api: Api, longtail: Longtail) -> None:
    manifest = clip_manifest(b"a clip")
    with api.database.begin() as connection:
        first = begin(connection, manifest)
        clip_writer.fail_upload(connection, first, reason=endings.CELLS_LOST, detail="the log has lost them")
    clip_id = store(api.database, manifest)
    job = claim(api.database)
    with api.database.begin() as connection:
        extraction_results.write(connection, job, findings_of(clip_id))
    (letter,) = (event for event in history(longtail, clip_id)["events"] if event["what"] == "dead_letter")
    assert "(replayed)" in letter["detail"]


def test_a_clip_that_can_never_come_names_its_dead_letter(api: Api, longtail: Longtail) -> None:
    manifest = clip_manifest(b"a clip")
    with api.database.begin() as connection:
        upload = begin(connection, manifest)
        clip_writer.fail_upload(connection, upload, reason="cell_mismatch", detail="cell 0 is another one")
    found = history(longtail, upload.clip_id)
    assert found["stage"] == "failed" and found["waits_for"].startswith("nothing: ")
    assert any("cell 0 is another one" in event["detail"] for event in found["events"])
    of_fire = history(longtail, f"car-1/braking/1/{manifest.recording.fires[0].ordinal}")
    assert (of_fire["stage"], of_fire["clip_ids"]) == ("failed", [])
    assert "cell_mismatch" in of_fire["waits_for"]


def test_an_erased_clip_says_so_and_nothing_of_its_vehicle(api: Api, longtail: Longtail) -> None:
    clip_id = store(api.database)
    with api.database.begin() as connection:
        erased.erase(connection, [clip_id], ErasureCause.ERASED, reason="somebody asked", by="ann")
    found = history(longtail, clip_id)
    assert (found["stage"], found["waits_for"], found["vehicle_id"]) == ("erased", None, "")
    assert any("a user erased it: somebody asked" in event["detail"] for event in found["events"])


def test_a_fire_without_a_clip_is_explained_by_what_its_vehicle_reported(api: Api, longtail: Longtail) -> None:
    dropped = '{"disk_full": 2}'
    report(api.database, "car-1", "braking", watermark=7, sampled_out=3, dropped=dropped, in_flight=1)
    found = history(longtail, "car-1/braking/1/5")
    assert (found["stage"], found["clip_ids"]) == ("fired", [])
    assert "of its 7 fires" in found["waits_for"]
    assert "3 sampled out, 2 dropped (disk_full); 1 still wait on the vehicle" in found["waits_for"]
    later = history(longtail, "car-1/braking/1/8")["waits_for"]
    assert later.startswith("the vehicle: its newest report, of ") and "is of 7 fires, and this one is later" in later


def test_what_nobody_knows_is_not_found_and_what_is_neither_is_refused(longtail: Longtail) -> None:
    for subject, said in {
        "nothing": "there is no clip nothing, and nobody announced one",
        "car-1/braking/1/5": "nothing is known of fire 5 of braking version 1 on car-1",
        "car-1/braking": "VEHICLE/CAMPAIGN/VERSION/ORDINAL",
        "car-1/braking/one/5": "VEHICLE/CAMPAIGN/VERSION/ORDINAL",
    }.items():
        shown = longtail("history", subject)
        assert shown.status == 1 and said in shown.err, shown


def test_latency_is_of_the_first_fire_by_campaign_and_network(api: Api, longtail: Longtail) -> None:
    assert longtail("latency", "braking").err == "no clip was stored in the last 24 hours\n"
    with api.database.begin() as connection:
        add_version(connection, "lanes")
        enroll_vehicle(connection)
    now_ns = int(datetime.now(UTC).timestamp()) * 10**9
    for age_s in (100, 200, 300):
        first, second = now_ns - age_s * 10**9, now_ns - (age_s - 50) * 10**9
        fires = [
            fire(campaign, 3, t_ns=t_ns, window_start_ns=t_ns, window_end_ns=t_ns)
            for campaign, t_ns in (("braking", first), ("braking", second), ("lanes", second))
        ]
        store(api.database, manifest_of(b"ninebytes", fires, start_ns=first, end_ns=now_ns))
    late_s = datetime.now(UTC).timestamp() - now_ns / 1e9
    complete(api.database, claim(api.database))
    found = longtail("latency", "--json").json()
    assert found["capped"] is False
    braking, lanes = found["rows"]
    assert (braking["campaign"], braking["network"], braking["clips"]) == ("braking", "wifi", 3)
    assert braking["stored"]["p50"] == pytest.approx(200, abs=late_s + 10)
    assert braking["stored"]["p99"] == pytest.approx(300, abs=late_s + 10)
    assert lanes["stored"]["p50"] == pytest.approx(150, abs=late_s + 10)
    assert braking["labelled_clips"] == 1 and braking["ready"]["p50"] is not None
    shown = longtail("latency", "lanes", "--csv").out.splitlines()
    assert shown[0].startswith("campaign,network,clips,stored_p50_s") and len(shown) == 2
    refused = longtail("latency", "lane")
    assert refused.status == 1 and "there is no campaign 'lane'; did you mean lanes?" in refused.err


def test_clips_by_a_clock_that_cannot_be_right_are_left_out_and_a_cap_is_told(api: Api) -> None:
    store(api.database)
    store(api.database)
    since = datetime.now(UTC) - timedelta(hours=1)
    with api.database.begin() as connection:
        rows, capped = latencies(connection, since=since, cap=1)
        assert capped and rows[0].clips == 2
        connection.execute(update(clips).values(tags=["clock_implausible"]))
        implausible = connection.execute(text("SELECT count(*) FROM clips WHERE recorded_ns <> start_ns")).scalar_one()
        assert implausible == 2
        assert latencies(connection, since=since) == ([], False)
