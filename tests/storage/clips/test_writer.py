"""The transactions that end an upload: all or nothing, once, and a fire has one outcome whatever its clips have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from storage.clips import writer as clip_writer
from storage.clips.writer import PendingUpload, clip_key
from storage.database import Database
from storage.tables import clip_fires, clips, fires, outbox
from storage.tables.clips import fired_terms
from storage.uploads import dead_letters, endings
from tests.ingest.assembler.world import SentClip, World, random_bytes
from tests.support.fleet import T_NS, clip_manifest
from triggers.clips.clock import IMPLAUSIBLE
from triggers.contracts.clip import DriveSource, Fire

pytestmark = pytest.mark.integration


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def pending(world: World, clip: SentClip) -> PendingUpload:
    with world.database.begin() as connection:
        upload = clip_writer.find_upload(connection, clip.upload_id)
    assert upload is not None
    return upload


def shared_fire(world: World, *seeds: int) -> list[SentClip]:
    """Clips of 100 bytes with one and the same fire."""
    fire: Fire | None = None
    made = []
    for seed in seeds:
        manifest = clip_manifest(random_bytes(100, seed))
        fire = fire or manifest.recording.fires[0]
        recording = manifest.recording.model_copy(update={"fires": (fire,)})
        made.append(world.clip(100, seed=seed, manifest=manifest.model_copy(update={"recording": recording})))
    return made


def test_a_fire_in_two_clips_is_one_fire_with_two_links(world: World) -> None:
    for clip in shared_fire(world, 1, 2):
        upload = pending(world, clip)
        with world.database.begin() as connection:
            assert clip_writer.store_clip(connection, upload, extractor_version=1).won
    assert world.fire_outcomes() == [("catalogued", None)]
    with world.database.begin() as connection:
        assert connection.execute(select(func.count()).select_from(clip_fires)).scalar_one() == 2


@pytest.mark.parametrize("failed_first", [True, False])
def test_a_fire_is_catalogued_once_one_of_its_clips_is(world: World, failed_first: bool) -> None:
    bad, good = (pending(world, clip) for clip in shared_fire(world, 1, 2))
    with world.database.begin() as connection:
        if failed_first:
            clip_writer.fail_upload(connection, bad, reason="cell_hash_mismatch", detail="d")
        clip_writer.store_clip(connection, good, extractor_version=1)
        if not failed_first:
            clip_writer.fail_upload(connection, bad, reason="cell_hash_mismatch", detail="d")
    assert world.fire_outcomes() == [("catalogued", None)]


def test_a_clip_whose_fire_bears_the_ordinal_of_another_is_never_stored_silently(world: World) -> None:
    """Both uploads were open when the first was stored, so that the gateway could not know."""
    first, second = (pending(world, clip) for clip in shared_fire(world, 1, 2))
    fire = second.manifest.recording.fires[0]
    recording = second.manifest.recording.model_copy(
        update={"fires": (fire.model_copy(update={"t_ns": fire.t_ns + 1}),)}
    )
    other = replace(second, manifest=second.manifest.model_copy(update={"recording": recording}))
    with world.database.begin() as connection:
        assert clip_writer.store_clip(connection, first, extractor_version=1).state == "stored"
    with world.database.begin() as connection:
        ending = clip_writer.store_clip(connection, other, extractor_version=1)
        (letter,) = dead_letters.listing(connection)
        assert connection.execute(select(clips.c.id)).scalars().all() == [first.clip_id]
        assert connection.execute(select(fires.c.t_ns)).scalars().all() == [fire.t_ns]
    assert (ending.state, ending.won) == ("failed", True)
    assert (letter.reason, letter.object_key, letter.fires) == ("fire_reused", other.object_key, 1)


def test_a_closed_upload_is_not_stored_and_not_failed_again(world: World) -> None:
    upload = pending(world, world.clip(100))
    with world.database.begin() as connection:
        endings.fail(connection, upload.id, "given_up")
    with world.database.begin() as connection:
        stored = clip_writer.store_clip(connection, upload, extractor_version=1)
        failed = clip_writer.fail_upload(connection, upload, reason="r", detail="d")
        assert [(ending.state, ending.won) for ending in (stored, failed)] == [("failed", False)] * 2
        for table in (clips, fires, outbox):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0
        assert dead_letters.listing(connection) == []


def test_an_unreadable_manifest_gives_its_upload_up_with_the_bytes_kept(world: World) -> None:
    clip = world.clip(100)
    with world.database.begin() as connection:
        assert clip_writer.fail_unread(connection, clip.upload_id, reason="manifest_unreadable", detail="old")
        assert not clip_writer.fail_unread(connection, clip.upload_id, reason="manifest_unreadable", detail="old")
        (letter,) = dead_letters.listing(connection)
        assert dead_letters.get(connection, letter.id)[1] == clip.manifest.canonical_json()
    assert letter.reason == "manifest_unreadable"
    assert (world.upload_state(clip), world.held_bytes()) == ("failed", 0)


def test_a_clips_key_is_a_function_of_its_identity_whatever_its_clock_says() -> None:
    assert clip_key("ab", T_NS) == "clips/2023/11/14/ab.mcap"
    assert clip_key("ab", 10**30) == "clips/undated/ab.mcap"


YEAR_NS = 365 * 86_400 * 10**9


@pytest.mark.parametrize(
    ("start_ns", "offset_ns", "source", "marked"),
    [
        (T_NS, 0, None, False),
        (0, 0, None, True),
        (230 * YEAR_NS, 0, None, True),
        (2**63 - 10**9, 0, None, True),
        (T_NS, 10 * YEAR_NS, None, True),
        (T_NS, -10 * YEAR_NS, None, True),
        (T_NS, 3600 * 10**9, None, False),
        (0, 0, DriveSource(drive="old", offset_ns=0), False),
    ],
    ids=["now", "1970", "2200", "2262", "ahead", "behind", "an hour", "replayed"],
)
def test_a_clip_of_a_clock_that_cannot_be_right_bears_a_tag(
    world: World, start_ns: int, offset_ns: int, source: DriveSource | None, marked: bool
) -> None:
    manifest = clip_manifest(random_bytes(100, 1))
    times = {"t_ns": start_ns, "window_start_ns": start_ns, "window_end_ns": start_ns}
    recording = manifest.recording.model_copy(
        update={
            "start_ns": start_ns,
            "end_ns": start_ns + 1,
            "clock_offset_ns": offset_ns,
            "source": source,
            "fires": tuple(fire.model_copy(update=times) for fire in manifest.recording.fires),
        }
    )
    clip = world.clip(100, seed=1, manifest=manifest.model_copy(update={"recording": recording}))
    upload = pending(world, clip)
    with world.database.begin() as connection:
        clip_writer.store_clip(connection, upload, extractor_version=1)
        (tags,) = connection.execute(select(clips.c.tags)).scalars()
    assert (IMPLAUSIBLE in tags) == marked


def test_a_link_repeats_the_fire_and_when_the_clip_was_recorded(world: World) -> None:
    (clip,) = shared_fire(world, 1)
    upload = pending(world, clip)
    with world.database.begin() as connection:
        clip_writer.store_clip(connection, upload, extractor_version=1)
        repeated = [column for column in fires.c if column.name in clip_fires.c]
        same = [clip_fires.c[column.name] == column for column in repeated]
        joined = select(clip_fires.c.recorded_ns, clips.c.recorded_ns, clips.c.fired).where(*same)
        link, recorded, fired = connection.execute(joined.where(clips.c.id == clip_fires.c.clip_id)).one()
    (of_clip,) = upload.manifest.recording.fires
    assert link == recorded
    assert fired == sorted(fired_terms(of_clip.campaign, of_clip.trigger))


def test_what_another_clip_said_of_a_fire_before_stays(world: World) -> None:
    first, second = (pending(world, clip) for clip in shared_fire(world, 1, 2))
    (of_clip,) = second.manifest.recording.fires
    other = of_clip.model_copy(update={"inclusion_probability": 0.5})
    recording = second.manifest.recording.model_copy(update={"fires": (other,)})
    second = replace(second, manifest=second.manifest.model_copy(update={"recording": recording}))
    with world.database.begin() as connection:
        for upload in (first, second):
            clip_writer.store_clip(connection, upload, extractor_version=1)
        said = connection.execute(select(clip_fires.c.inclusion_probability)).scalars().all()
        assert said == [of_clip.inclusion_probability] * 2
