"""The journal's counts add up, whatever happened to the process that wrote it."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.paths import REPOSITORY
from tests.triggers.vehicle.support import a_fire, footage
from triggers.contracts.checkin import FireCounts
from triggers.contracts.fire import FireKey
from triggers.errors import Conflict, Misconfigured, Unreachable
from triggers.times import NS_PER_S
from triggers.vehicle.journal.fires import NewFire, RunIncrement
from triggers.vehicle.journal.journal import Journal
from triggers.vehicle.recording.clips import RecordingContext, make_clip
from triggers.vehicle.recording.fires import FireOutcome, Reason
from triggers.vehicle.uploads.clip_queue import ClipQueue


def record(journal: Journal, ordinal: int, *, campaign: str = "braking", sampled_out: bool = False) -> FireKey:
    captured = a_fire(float(ordinal), ordinal=ordinal, campaign=campaign)
    fire = NewFire(captured, sampled_in=not sampled_out)
    journal.record([RunIncrement(campaign, 1, suppressed=2, armed_ns=10, distance_mm=1500, fires=(fire,))])
    return captured.key


def only(journal: Journal) -> FireCounts:
    (counts,) = journal.counts()
    return counts


def test_counts_are_exactly_the_fires_and_their_outcomes(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    keys = [record(journal, n, sampled_out=n == 3) for n in range(1, 7)]
    journal.conclude([keys[0]], FireOutcome.HANDED_OVER)
    journal.conclude([keys[1]], FireOutcome.REFUSED, Reason.BUDGET)
    journal.conclude([keys[3]], FireOutcome.DROPPED, Reason.QUEUE_FULL)
    journal.conclude([keys[4]], FireOutcome.FAILED, Reason.MANIFEST_REJECTED)
    assert only(journal) == FireCounts(
        campaign="braking",
        version=1,
        watermark=6,
        suppressed=12,
        sampled_out=1,
        refused={"budget": 1},
        dropped={"queue_full": 1},
        failed={"manifest_rejected": 1},
        in_flight=1,
        handed_over=1,
        per_trigger={"hard": 6},
        armed_ns=60,
        distance_m=9,
    )


def test_an_outcome_is_final_and_an_ordinal_is_given_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    key = record(journal, 1)
    journal.conclude([key], FireOutcome.HANDED_OVER)
    with pytest.raises(Conflict):
        journal.conclude([key], FireOutcome.DROPPED, Reason.EXPIRED)
    for ordinal in (1, 3):
        with pytest.raises(Conflict):
            record(journal, ordinal)
    assert only(journal).watermark == 1
    assert journal.outcome(key) == (FireOutcome.HANDED_OVER, "")


def test_a_step_that_fails_leaves_nothing_of_itself(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    first, second = record(journal, 1), record(journal, 2)
    journal.conclude([second], FireOutcome.HANDED_OVER)
    with pytest.raises(Conflict):
        journal.conclude([first, second], FireOutcome.DROPPED, Reason.EXPIRED)
    assert only(journal).in_flight == 1


def test_fires_whose_recording_was_not_finished_are_dropped_by_a_restart(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    record(journal, 1)
    record(journal, 2, sampled_out=True)
    journal.close()
    counts = only(Journal(tmp_path / "j.sqlite"))
    assert (counts.watermark, counts.dropped, counts.sampled_out) == (2, {"restart": 1}, 1)


def test_a_state_directory_serves_one_agent_at_a_time(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    with pytest.raises(Misconfigured, match="locked"):
        Journal(tmp_path / "j.sqlite")
    journal.close()
    Journal(tmp_path / "j.sqlite").close()


def test_a_damaged_or_newer_journal_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "bad.sqlite").write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(Misconfigured, match=r"bad\.sqlite"):
        Journal(tmp_path / "bad.sqlite")
    journal = Journal(tmp_path / "new.sqlite")
    with journal.transaction() as db:
        db.execute("PRAGMA user_version=9")
    journal.close()
    with pytest.raises(Misconfigured, match="schema 9"):
        Journal(tmp_path / "new.sqlite")


def test_a_journal_of_an_older_agent_is_brought_up_to_date_and_keeps_its_counts(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    record(journal, 1)
    with journal.transaction() as db:
        db.execute("DROP TABLE terminations")
        db.execute("DROP TABLE compared")
        db.execute("DROP TABLE events")
        db.execute("ALTER TABLE versions DROP COLUMN state_number")
        db.execute("PRAGMA user_version=1")
    journal.close()
    again = Journal(tmp_path / "j.sqlite")
    assert only(again).watermark == 1
    assert again.reading.execute("SELECT * FROM terminations").fetchall() == []


def test_on_a_full_disk_the_step_is_undone_and_the_message_says_so(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    record(journal, 1)
    (pages,) = journal.reading.execute("PRAGMA page_count").fetchone()
    journal.reading.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(Unreachable, match="full"):
        for ordinal in range(2, 500):
            record(journal, ordinal)
    counts = only(journal)
    assert counts.in_flight == counts.watermark
    journal.reading.execute("PRAGMA max_page_count=100000")
    record(journal, counts.watermark + 1)


def test_an_evaluators_state_is_given_out_once_and_only_to_its_program(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    journal.save_states({("braking", 1, "aa"): b"state"})
    assert journal.take_state("braking", 1, "aa") == b"state"
    assert journal.take_state("braking", 1, "aa") is None
    journal.save_states({("braking", 1, "aa"): b"state"})
    assert journal.take_state("braking", 1, "bb") is None


def test_only_the_newest_states_are_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    for version in (3, 1, 2, 4, 1):
        journal.save_states({("braking", version, "aa"): b"state"})
    record(journal, 1)
    before = journal.counts()
    journal.keep_states(2)
    assert journal.counts() == before
    kept = [version for version in (1, 2, 3, 4) if journal.take_state("braking", version, "aa") is not None]
    assert kept == [1, 4]
    journal.keep_states(0)
    journal.close()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]),
            st.sampled_from([*FireOutcome]),
            st.sampled_from([Reason.BUDGET, Reason.EXPIRED]),
        ),
        max_size=40,
    ),
    st.integers(0, 10),
)
@settings(max_examples=25)
def test_folding_old_fires_changes_no_count(
    tmp_path_factory: pytest.TempPathFactory, fires: list[tuple[str, FireOutcome, Reason]], kept: int
) -> None:
    journal = Journal(tmp_path_factory.mktemp("fold") / "j.sqlite")
    ordinals = {"a": 0, "b": 0}
    for campaign, outcome, reason in fires:
        ordinals[campaign] += 1
        key = record(journal, ordinals[campaign], campaign=campaign, sampled_out=outcome == FireOutcome.SAMPLED_OUT)
        if outcome in (FireOutcome.REFUSED, FireOutcome.DROPPED, FireOutcome.FAILED):
            journal.conclude([key], outcome, reason)
        elif outcome == FireOutcome.HANDED_OVER:
            journal.conclude([key], outcome)
    before = journal.counts()
    settled = sum(outcome != FireOutcome.IN_FLIGHT for _, outcome, _ in fires)
    assert journal.compact(kept) == max(0, settled - kept)
    assert journal.counts() == before
    journal.close()


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_a_random_point_the_counts_add_up_and_keep_what_was_acknowledged(tmp_path: Path, seed: int) -> None:
    """The writer records, queues and settles in a loop and says what is done; it is killed, restarted and killed."""
    chance = random.Random(seed)
    fired = handed_over = 0
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-m", "tests.triggers.vehicle.journal_writer", str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )
        assert writer.stdout is not None
        said = []
        for _ in range(chance.randrange(1, 60)):
            said.append(writer.stdout.readline().split())
        with contextlib.suppress(subprocess.TimeoutExpired):
            writer.wait(timeout=chance.random() * 0.02)
        os.kill(writer.pid, signal.SIGKILL)
        rest, _ = writer.communicate()
        said += [line.split() for line in rest.splitlines(keepends=True) if line.endswith("\n")]
        assert all(said), "the writer ended before it was killed"
        fired = max([fired, *(int(n) for what, n in said if what == "fired")])
        handed_over = max([handed_over, *(int(n) for what, n in said if what == "handed_over")])

        journal = Journal(tmp_path / "j.sqlite")
        queue = ClipQueue(journal, tmp_path / "clips", max_bytes=10**9, max_age_ns=10**18)
        counts = only(journal)
        assert fired <= counts.watermark <= fired + 1
        assert handed_over <= counts.handed_over <= handed_over + 1
        queued = queue.all()
        assert counts.in_flight == sum(len(queue.fires(clip)) for clip in queued)
        assert {clip.path for clip in queued} == set((tmp_path / "clips").iterdir())
        fired, handed_over = counts.watermark, counts.handed_over
        journal.close()


def test_the_queue_drops_the_lowest_priority_then_the_oldest(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    context = RecordingContext(vehicle_id="car", max_span_ns=60 * NS_PER_S)
    clips = []
    (tmp_path / "clips").mkdir()
    for ordinal, priority in enumerate([50, 10, 90, 10, 50], start=1):
        record(journal, ordinal)
        fire = a_fire(float(ordinal), ordinal=ordinal, priority=priority)
        clips.append(make_clip(tmp_path / "clips", [fire], footage(0, 6), context))
    limit = sum(clip.manifest.size_bytes for clip in clips[:3])
    queue = ClipQueue(journal, tmp_path / "clips2", max_bytes=limit, max_age_ns=100)
    for clip in clips:
        clip.path.rename(tmp_path / "clips2" / clip.path.name)
    dropped = [d.clip_id for n, clip in enumerate(clips) for d in queue.add(clip, now_ns=n)]
    assert dropped == [clips[1].manifest.clip_id, clips[3].manifest.clip_id]
    assert [clip.clip_id for clip in queue.all()] == [clips[n].manifest.clip_id for n in (2, 0, 4)]
    assert only(journal).dropped == {"queue_full": 2}
    assert len(list((tmp_path / "clips2").iterdir())) == 3
    queue.expire(now_ns=102)
    assert only(journal).dropped == {"queue_full": 2, "expired": 1}


def test_a_clip_whose_file_is_gone_at_the_start_is_counted_as_lost(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    queue = ClipQueue(journal, tmp_path / "clips", max_bytes=10**9, max_age_ns=10**18)
    record(journal, 1)
    clip = make_clip(
        tmp_path / "clips", [a_fire(1.0)], footage(0, 6), RecordingContext(vehicle_id="car", max_span_ns=60 * NS_PER_S)
    )
    queue.add(clip, 0)
    clip.path.unlink()
    (tmp_path / "clips" / "stray.mcap").write_bytes(b"left by a crash")
    ClipQueue(journal, tmp_path / "clips", max_bytes=10**9, max_age_ns=10**18)
    assert only(journal).failed == {"file_lost": 1}
    assert list((tmp_path / "clips").iterdir()) == []
