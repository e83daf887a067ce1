"""Uploads survive cuts at every place, and only the gateway's own word makes an outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.triggers.vehicle.cloud import Cloud, Reply
from tests.triggers.vehicle.support import a_fire
from tests.triggers.vehicle.uploads.car import Car, a_large_fire, large
from triggers.contracts.campaign import Network, UploadRoute
from triggers.contracts.clip import CELL_BYTES, cell_count
from triggers.errors import BudgetExhausted, ClipFailed, Conflict, ManifestInvalid, TooLarge
from triggers.vehicle.journal.clips import QueuedClip
from triggers.vehicle.journal.terminations import MAX_KEPT
from triggers.vehicle.recording.fires import FireOutcome, Reason
from triggers.vehicle.uploads.terminations import MAX_REFUSALS


def test_a_clip_arrives_byte_for_byte_and_its_fires_are_handed_over(cloud: Cloud, car: Car) -> None:
    clip = car.add(a_fire(5))
    data = clip.path.read_bytes()
    report = car.upload()
    assert (report.handed_over, report.bytes_acknowledged) == (1, len(data))
    assert bytes(cloud.uploads[clip.clip_id].data) == data
    assert car.counts().handed_over == 1
    assert car.queue.all() == []
    assert not clip.path.exists()


@pytest.mark.parametrize("chunk_cells", [1, 3, 16])
def test_cut_after_every_cell_in_turn_it_resumes_and_arrives_whole(
    cloud: Cloud, new_car: Callable[..., Car], chunk_cells: int
) -> None:
    car = new_car(chunk_bytes=chunk_cells * CELL_BYTES)
    ordinal = 0
    cells = 6
    for cells_before_cut in range(cells):
        for beyond in (0, 1, CELL_BYTES - 1):
            ordinal += 1
            clip = car.add(a_large_fire(ordinal=ordinal), held=large())
            assert cell_count(clip.size_bytes) == cells - 1
            data = clip.path.read_bytes()
            cloud.cuts = [cells_before_cut * CELL_BYTES + beyond]
            assert car.upload(deadline_s=60).handed_over == 1
            assert bytes(cloud.uploads[clip.clip_id].data) == data
    assert car.counts().handed_over == ordinal
    assert len(cloud.uploads) == ordinal


def test_with_every_request_cut_it_still_gains_ground_cell_by_cell(cloud: Cloud, car: Car) -> None:
    clip = car.add(a_large_fire(), held=large())
    data = clip.path.read_bytes()
    cloud.cuts = [CELL_BYTES + 7] * 20
    assert car.upload(deadline_s=60).handed_over == 1
    assert bytes(cloud.uploads[clip.clip_id].data) == data
    assert car.clock.slept_s == []


def test_an_acknowledgement_that_was_lost_is_found_by_asking(cloud: Cloud, car: Car) -> None:
    clip = car.add(a_fire(5))
    cloud.cuts = [clip.size_bytes]
    assert car.upload().handed_over == 1
    assert cloud.methods["PATCH"] == 1


def test_without_any_gain_it_waits_longer_each_time_and_says_why(cloud: Cloud, car: Car) -> None:
    car.add(a_fire(5))
    cloud.cuts = [0] * 1000
    car.upload(deadline_s=100)
    waits = car.clock.slept_s
    assert waits[:4] == pytest.approx([1.5, 3.0, 6.0, 12.0], rel=1e-3)
    (waiting,) = car.queue.all()
    assert cloud.url in waiting.problem
    assert "gateway_url" in waiting.problem
    assert car.counts().in_flight == 1


def test_a_new_process_resumes_where_the_old_one_was_cut(cloud: Cloud, new_car: Callable[..., Car]) -> None:
    first = new_car(chunk_bytes=CELL_BYTES)
    clip = first.add(a_large_fire(), held=large())
    data = clip.path.read_bytes()
    first.upload(deadline_s=0)
    assert len(cloud.uploads[clip.clip_id].data) == CELL_BYTES
    first.close()
    assert new_car(chunk_bytes=CELL_BYTES).upload(deadline_s=60).handed_over == 1
    assert cloud.methods["POST"] == 1
    assert bytes(cloud.uploads[clip.clip_id].data) == data


def test_killed_after_the_last_acknowledgement_the_clip_is_not_sent_again(
    cloud: Cloud, new_car: Callable[..., Car], monkeypatch: pytest.MonkeyPatch
) -> None:
    car = new_car()
    car.add(a_fire(5))
    monkeypatch.setattr(car.queue, "hand_over", lambda clip: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        car.upload()
    car.close()
    again = new_car()
    assert again.upload().handed_over == 1
    assert cloud.methods["PATCH"] == 1


@pytest.mark.parametrize("status", [404, 410])
def test_an_expired_upload_is_created_again(cloud: Cloud, new_car: Callable[..., Car], status: int) -> None:
    car = new_car(chunk_bytes=CELL_BYTES)
    clip = car.add(a_large_fire(), held=large())
    data = clip.path.read_bytes()
    car.upload(deadline_s=0)
    cloud.uploads.clear()
    cloud.answers["HEAD"] = [Reply(status)]
    assert car.upload(deadline_s=60).handed_over == 1
    assert bytes(cloud.uploads[clip.clip_id].data) == data


def test_an_upload_that_expires_between_two_chunks_is_created_again(cloud: Cloud, car: Car) -> None:
    clip = car.add(a_large_fire(), held=large())
    cloud.answers["PATCH"] = [Reply(410)]
    assert car.upload(deadline_s=60).handed_over == 1
    assert len(cloud.uploads[clip.clip_id].data) == clip.size_bytes


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_gateway_is_asked_again_when_it_says(cloud: Cloud, car: Car, status: int) -> None:
    car.add(a_fire(5))
    cloud.answers["POST"] = [Reply(status, headers={"Retry-After": "77"})]
    assert car.upload(deadline_s=200).handed_over == 1
    assert car.clock.slept_s == pytest.approx([77 * 1.05], rel=1e-3)


def test_a_rejected_manifest_is_a_failure_that_is_counted(cloud: Cloud, car: Car) -> None:
    clip = car.add(a_fire(5))
    cloud.answers["POST"] = [Reply.refusing(ManifestInvalid("two fires are one"))]
    report = car.upload()
    assert (report.failed, report.handed_over) == (1, 0)
    assert "two fires are one" in report.problems[0]
    assert car.counts().failed == {"manifest_rejected": 1}
    assert not clip.path.exists()


def test_a_clip_that_is_too_large_for_the_gateway_is_a_failure_with_its_own_reason(cloud: Cloud, car: Car) -> None:
    clip = car.add(a_fire(5))
    cloud.answers["POST"] = [Reply(413), Reply.refusing(TooLarge("the manifest is larger than"))]
    car.upload(deadline_s=100)
    assert car.counts().failed == {"too_large": 1}
    assert cloud.methods["POST"] == 2, "without the gateway's own document it may be a proxy that says so"
    assert not clip.path.exists()


def test_a_refusal_by_a_proxy_says_nothing_about_the_clip(cloud: Cloud, car: Car) -> None:
    clip = car.add(a_fire(5))
    cloud.answers["POST"] = [Reply(422), Reply(403, {"message": "no"}), Reply.refusing(Conflict("no"))]
    car.upload()
    assert clip.path.exists()
    assert car.upload(deadline_s=100).handed_over == 1


def test_a_clip_that_failed_in_the_cloud_is_not_sent_again(cloud: Cloud, car: Car) -> None:
    car.add(a_fire(5))
    cloud.answers["POST"] = [Reply.refusing(ClipFailed("a cell had another hash"))]
    assert car.upload().failed == 1
    assert car.counts().failed == {"clip_failed": 1}
    assert car.queue.all() == []


def budget(*campaigns: str, retry_after_s: int | None = None) -> Reply:
    return Reply.refusing(
        BudgetExhausted("the campaign's bytes are spent", accounts=(), campaigns=campaigns, retry_after_s=retry_after_s)
    )


def test_a_budgets_refusal_cuts_the_clip_again_for_the_other_campaigns(cloud: Cloud, car: Car) -> None:
    whole = car.add(
        a_fire(4, before_s=2, after_s=2), a_fire(6, campaign="swerve", before_s=2, after_s=2, signals=("steer",))
    )
    cloud.answers["POST"] = [budget("braking")]
    report = car.upload()
    assert (report.refused, report.handed_over) == (1, 1)
    assert car.counts("braking").refused == {"budget": 1}
    assert car.counts("swerve").handed_over == 1
    (upload,) = cloud.uploads.values()
    recording = upload.manifest.recording
    assert [fire.campaign for fire in recording.fires] == ["swerve"]
    assert recording.signals == ("steer",)
    assert upload.manifest.size_bytes < whole.size_bytes
    assert list(car.config.clips_directory.iterdir()) == []


def test_a_budgets_refusal_of_all_campaigns_or_of_none_by_name_is_final_for_the_clip(cloud: Cloud, car: Car) -> None:
    car.add(a_fire(5), a_fire(6, campaign="swerve"))
    cloud.answers["POST"] = [budget("braking", "swerve")]
    car.upload()
    car.add(a_fire(5, ordinal=2))
    cloud.answers["POST"] = [budget()]
    car.upload()
    assert car.counts("braking").refused == {"budget": 2}
    assert car.counts("swerve").refused == {"budget": 1}
    assert car.queue.all() == []
    assert cloud.uploads == {}


def test_a_file_that_changed_on_disk_fails_instead_of_being_sent_for_ever(cloud: Cloud, car: Car) -> None:
    clip = car.add(a_fire(5))
    clip.path.write_bytes(clip.path.read_bytes()[:-1])
    car.upload()
    assert car.counts().failed == {"file_damaged": 1}
    clip = car.add(a_fire(5, ordinal=2))
    clip.path.unlink()
    car.upload()
    assert car.counts().failed == {"file_damaged": 1, "file_lost": 1}


def test_the_highest_priority_goes_first_then_the_oldest(cloud: Cloud, car: Car) -> None:
    order = []
    for ordinal, priority in enumerate([50, 90, 10, 50], start=1):
        order.append(car.add(a_fire(5, ordinal=ordinal, priority=priority)).clip_id)
        car.clock.advance(1)
    car.upload()
    assert list(cloud.uploads) == [order[1], order[0], order[3], order[2]]


def test_a_clip_travels_only_where_one_of_its_campaigns_lets_it(cloud: Cloud, car: Car) -> None:
    cellular = UploadRoute(network=Network.CELLULAR, up_to_bytes=10**6)
    wifi_only = car.add(a_fire(5, ordinal=1))
    small = car.add(a_fire(5, ordinal=2, upload=(cellular,)))
    shared = car.add(a_fire(5, ordinal=3), a_fire(5, campaign="swerve", upload=(cellular,)))
    too_large = car.add(a_large_fire(ordinal=4, upload=(cellular,)), held=large())
    car.upload(network=None)
    assert cloud.requests == []
    car.upload(network=Network.CELLULAR)
    assert set(cloud.uploads) == {small.clip_id, shared.clip_id}
    assert {upload.network for upload in cloud.uploads.values()} == {Network.CELLULAR}
    car.upload(network=Network.WIFI)
    assert wifi_only.clip_id in cloud.uploads
    assert too_large.clip_id not in cloud.uploads


def test_a_clip_queued_by_an_older_agent_whose_manifest_named_a_network_is_uploaded(
    cloud: Cloud, new_car: Callable[..., Car]
) -> None:
    car = new_car()
    clip = car.add(a_fire(5))
    declared = car.queue.manifest(clip)
    old = declared.canonical_json().replace(b'],"recording":', b'],"network":"wifi","recording":', 1)
    with car.journal.transaction() as db:
        db.execute("UPDATE clips SET manifest = ?", (old,))
        db.execute("DROP TABLE events")
        db.execute("PRAGMA user_version=4")
    car.journal.close()
    again = Car(car.config, car.clock)
    assert again.queue.manifest(clip) == declared
    assert again.upload(network=Network.CELLULAR).handed_over == 0
    assert again.upload(network=Network.WIFI).handed_over == 1


def test_on_another_network_the_clip_is_announced_again(cloud: Cloud, new_car: Callable[..., Car]) -> None:
    both = (UploadRoute(network=Network.CELLULAR), UploadRoute(network=Network.WIFI))
    car = new_car(chunk_bytes=CELL_BYTES)
    clip = car.add(a_large_fire(upload=both), held=large())
    car.upload(network=Network.CELLULAR, deadline_s=0)
    assert cloud.uploads[clip.clip_id].network == Network.CELLULAR
    assert car.upload(network=Network.WIFI, deadline_s=60).handed_over == 1
    assert cloud.uploads[clip.clip_id].network == Network.WIFI


def test_the_token_goes_to_no_other_host_than_the_configured_gateway(cloud: Cloud, car: Car) -> None:
    car.add(a_fire(5))
    cloud.absolute_locations = "https://inner.example:9"
    assert car.upload().handed_over == 1
    assert cloud.methods["PATCH"] == 1


def test_a_clip_that_never_gets_through_is_dropped_as_expired_and_counted(
    cloud: Cloud, new_car: Callable[..., Car]
) -> None:
    car = new_car(max_clip_age_ns=3600 * 10**9)
    clip = car.add(a_fire(5))
    cloud.answers["POST"] = [Reply(401) for _ in range(1000)]
    report = car.upload(deadline_s=4 * 3600)
    assert report.expired == 1
    assert car.counts().dropped == {"expired": 1}
    assert not clip.path.exists()


def test_an_unreachable_gateway_keeps_the_clip_and_names_address_and_setting(new_car: Callable[..., Car]) -> None:
    car = new_car(gateway_url="http://127.0.0.1:9")
    car.add(a_fire(5))
    report = car.upload()
    assert "http://127.0.0.1:9" in report.problems[0]
    assert "gateway_url" in report.problems[0]
    assert car.counts().in_flight == 1


def half_uploaded(cloud: Cloud, car: Car, **changes: Any) -> QueuedClip:
    """A clip of which the gateway has a cell."""
    clip = car.add(a_large_fire(**changes), held=large())
    car.upload(deadline_s=0)
    assert len(cloud.uploads[clip.clip_id].data) == CELL_BYTES
    return clip


@pytest.fixture
def slow_car(new_car: Callable[..., Car]) -> Car:
    return new_car(chunk_bytes=CELL_BYTES, max_clip_age_ns=3600 * 10**9)


def test_an_upload_whose_clip_expired_is_terminated_in_the_same_call(cloud: Cloud, slow_car: Car) -> None:
    half_uploaded(cloud, slow_car)
    slow_car.clock.advance(3601)
    assert slow_car.upload().expired == 1
    assert (cloud.uploads, cloud.methods["DELETE"], slow_car.remembered()) == ({}, 1, [])


def test_an_upload_whose_clip_found_no_room_is_terminated_before_others_are_sent(
    cloud: Cloud, new_car: Callable[..., Car]
) -> None:
    car = new_car(chunk_bytes=CELL_BYTES, queue_bytes=3_000_000)
    clip = half_uploaded(cloud, car, priority=1)
    clips_before = len(cloud.requests)
    while any(queued.clip_id == clip.clip_id for queued in car.queue.all()):
        last = car.add(a_large_fire(ordinal=car.counts().watermark + 1), held=large())
    car.upload(deadline_s=60)
    assert cloud.requests[clips_before].startswith("DELETE")
    assert clip.clip_id not in cloud.uploads
    assert last.clip_id in cloud.uploads


def test_an_upload_whose_file_is_damaged_or_refused_on_another_network_is_terminated(
    cloud: Cloud, slow_car: Car
) -> None:
    damaged = half_uploaded(cloud, slow_car)
    damaged.path.write_bytes(b"short")
    slow_car.upload(deadline_s=60)
    assert slow_car.counts().failed == {"file_damaged": 1}
    both = (UploadRoute(network=Network.CELLULAR), UploadRoute(network=Network.WIFI))
    half_uploaded(cloud, slow_car, ordinal=2, upload=both)
    cloud.answers["POST"] = [budget("braking")]
    slow_car.upload(network=Network.CELLULAR)
    assert slow_car.counts().refused == {"budget": 1}
    assert (cloud.uploads, cloud.methods["DELETE"], slow_car.remembered()) == ({}, 2, [])


def test_a_clip_that_was_handed_over_is_never_terminated(cloud: Cloud, car: Car) -> None:
    car.add(a_fire(5))
    assert car.upload().handed_over == 1
    car.upload()
    assert cloud.methods["DELETE"] == 0


def test_a_termination_outlives_outages_and_restarts(cloud: Cloud, slow_car: Car, new_car: Callable[..., Car]) -> None:
    clip = half_uploaded(cloud, slow_car)
    slow_car.clock.advance(3601)
    slow_car.upload(network=None)
    cloud.answers["DELETE"] = [Reply(status) for status in (503, 500, 401) * 4 * MAX_REFUSALS]
    for _ in range(3 * MAX_REFUSALS):
        slow_car.upload()
        assert clip.clip_id in cloud.uploads
    cloud.answers.clear()
    slow_car.close()
    again = new_car()
    again.upload()
    assert (cloud.uploads, again.remembered()) == ({}, [])


@pytest.mark.parametrize("answer", [Reply(404), Reply(410), Reply.refusing(Conflict("the upload is whole"))])
def test_a_termination_ends_when_there_is_nothing_to_terminate(cloud: Cloud, slow_car: Car, answer: Reply) -> None:
    half_uploaded(cloud, slow_car)
    slow_car.clock.advance(3601)
    cloud.answers["DELETE"] = [answer]
    slow_car.upload()
    assert slow_car.remembered() == []
    assert cloud.methods["DELETE"] == 1


@pytest.mark.parametrize("status", [403, 405, 409])
def test_a_gateway_that_keeps_refusing_is_not_asked_for_ever(cloud: Cloud, slow_car: Car, status: int) -> None:
    half_uploaded(cloud, slow_car)
    slow_car.clock.advance(3601)
    cloud.answers["DELETE"] = [Reply(status) for _ in range(50)]
    for _ in range(MAX_REFUSALS):
        slow_car.upload()
    assert cloud.methods["DELETE"] == MAX_REFUSALS
    assert slow_car.remembered() == []


def test_so_many_terminations_are_remembered_and_no_more(cloud: Cloud, car: Car) -> None:
    with car.journal.transaction() as db:
        db.executemany(
            "INSERT INTO terminations (url) VALUES (?)", [(f"{cloud.url}/v1/uploads/{n}",) for n in range(MAX_KEPT)]
        )
    clip = car.add(a_fire(5))
    car.queue.remember_upload(clip, f"{cloud.url}/v1/uploads/{clip.clip_id}", Network.WIFI)
    car.queue.give_up(clip, FireOutcome.DROPPED, Reason.EXPIRED)
    remembered = car.remembered()
    assert len(remembered) == MAX_KEPT
    assert remembered[0].endswith("/1")
    assert remembered[-1].endswith(clip.clip_id)
