"""Label jobs: never to two at once, never lost, and no worker writes over another's work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, text

from storage.database import Database
from storage.labels import jobs as label_jobs
from storage.labels.jobs import LabelClaim, LabelJob
from storage.tables import labels
from tests.storage.clips.catalog_support import OPENLABEL, add_clip
from triggers.contracts.api.labels import JobState
from triggers.errors import Conflict, InvalidInput, LeaseLost, NotFound


def make_jobs(database: Database, count: int) -> None:
    """That many clips with a job each."""
    with database.begin() as connection:
        for _ in range(count):
            assert label_jobs.ensure(connection, add_clip(connection), "auto")


def claim(database: Database, labeler: str = "anna", count: int = 1, task: str = "auto") -> list[LabelJob]:
    """Claim in a transaction of its own."""
    with database.begin() as connection:
        return label_jobs.claim(connection, user="lab", task=task, labeler=labeler, count=count, lease_s=60)


def expire(database: Database) -> None:
    """Let every lease be over."""
    with database.begin() as connection:
        connection.execute(text("UPDATE label_jobs SET lease_until = now() - interval '1 s'"))


def stats(database: Database) -> dict[str, int]:
    """Counts of the task."""
    with database.begin() as connection:
        return label_jobs.stats(connection).get("auto", {})


def test_a_clip_has_one_job_of_a_task(database: Database) -> None:
    with database.begin() as connection:
        clip_id = add_clip(connection)
        made = [label_jobs.ensure(connection, clip_id, task) for task in ("auto", "auto", "human")]
    assert made == [True, False, True]


def test_claimers_at_once_never_get_the_same_job(database: Database) -> None:
    make_jobs(database, 40)
    barrier = threading.Barrier(8)

    def work(number: int) -> list[int]:
        barrier.wait(timeout=30)
        mine = []
        while jobs := claim(database, f"worker-{number}", 3):
            mine += [job.id for job in jobs]
        return mine

    with ThreadPoolExecutor(8) as pool:
        claimed = [job for jobs in pool.map(work, range(8)) for job in jobs]
    assert sorted(claimed) == sorted(set(claimed))
    assert len(claimed) == 40


def complete(database: Database, job: LabelJob, provenance: dict[str, Any]) -> int:
    """Complete a job with OPENLABEL."""
    with database.begin() as connection:
        return label_jobs.complete(
            connection, job.id, token=job.token, types=["car"], openlabel=OPENLABEL, provenance=provenance
        )


def test_completing_writes_the_labels_once(database: Database) -> None:
    make_jobs(database, 1)
    (job,) = claim(database)
    complete(database, job, {"model": "x"})
    with pytest.raises(LeaseLost):
        complete(database, job, {"model": "x"})
    with database.begin() as connection:
        (row,) = connection.execute(select(labels)).all()
    assert (row.clip_id, row.labeler, row.types) == (job.clip_id, "lab/anna", ["car"])
    assert (row.openlabel, row.provenance) == (OPENLABEL, {"model": "x"})
    assert stats(database)["done"] == 1


def test_labels_are_found_by_just_their_content(database: Database) -> None:
    make_jobs(database, 1)
    (job,) = claim(database)
    made_by = {"model": "x", "score": 1.0, "seed": 10**20}
    label_id = complete(database, job, made_by)
    with database.begin() as connection:
        assert label_jobs.find_labels(connection, job.id, openlabel=OPENLABEL, provenance=made_by) == label_id
        assert label_jobs.find_labels(connection, job.id, openlabel=OPENLABEL, provenance={}) is None


def test_the_newest_token_names_the_claim_and_no_other_token_does(database: Database) -> None:
    make_jobs(database, 1)
    with database.begin() as connection:
        assert label_jobs.lock_claim(connection, 1, token=0) is None
    (job,) = claim(database)
    with database.begin() as connection:
        assert label_jobs.lock_claim(connection, job.id, token=job.token) == LabelClaim(JobState.LEASED, "lab")
        assert label_jobs.lock_claim(connection, job.id, token=job.token - 1) is None
        assert label_jobs.lock_claim(connection, 2**70, token=2**70) is None
    complete(database, job, {})
    with database.begin() as connection:
        assert label_jobs.lock_claim(connection, job.id, token=job.token) == LabelClaim(JobState.DONE, "lab")


def test_an_expired_job_goes_to_the_next_and_its_first_holder_is_fenced(database: Database) -> None:
    make_jobs(database, 1)
    (first,) = claim(database, "slow")
    assert claim(database, "next") == []
    expire(database)
    assert stats(database)["expired"] == 1
    (second,) = claim(database, "next")
    assert (second.id, second.token > first.token, second.attempts) == (first.id, True, 2)
    with pytest.raises(LeaseLost):
        complete(database, first, {})
    steps: list[Callable[[Any], object]] = [
        lambda c: label_jobs.renew(c, first.id, token=first.token, lease_s=60),
        lambda c: label_jobs.fail(c, first.id, token=first.token, reason="x"),
    ]
    for step in steps:
        with pytest.raises(LeaseLost), database.begin() as connection:
            step(connection)
    complete(database, second, {})


def test_a_late_holder_may_finish_or_renew_while_nobody_else_has_the_job(database: Database) -> None:
    make_jobs(database, 1)
    (job,) = claim(database)
    expire(database)
    with database.begin() as connection:
        label_jobs.renew(connection, job.id, token=job.token, lease_s=60)
    assert claim(database, "next") == []


def test_attempts_are_counted_and_bounded(database: Database) -> None:
    make_jobs(database, 2)
    states = []
    for _ in range(label_jobs.MAX_ATTEMPTS):
        failing, _silent = claim(database, count=2)
        with database.begin() as connection:
            states.append(label_jobs.fail(connection, failing.id, token=failing.token, reason="no video"))
        expire(database)
    assert states == ["ready"] * (label_jobs.MAX_ATTEMPTS - 1) + ["failed"]
    assert claim(database, count=2) == []
    assert stats(database) == {"ready": 0, "leased": 0, "expired": 0, "done": 0, "failed": 2}


@pytest.mark.parametrize("text", ["\x00", "\ud800"])
def test_labels_that_cannot_be_stored_are_refused_and_the_job_stays_leased(database: Database, text: str) -> None:
    make_jobs(database, 1)
    (job,) = claim(database)
    with pytest.raises(InvalidInput):
        complete(database, job, {"by": text})
    assert stats(database)["leased"] == 1


def test_bad_claims_and_unknown_jobs_are_refused(database: Database) -> None:
    for count in (0, 101):
        with pytest.raises(InvalidInput):
            claim(database, count=count)
    with pytest.raises(NotFound), database.begin() as connection:
        label_jobs.renew(connection, 2**70, token=1, lease_s=1)


def test_jobs_are_claimed_oldest_first(database: Database) -> None:
    make_jobs(database, 5)
    first, rest = claim(database, count=2), claim(database, count=5)
    ids = [job.id for job in first + rest]
    assert ids == sorted(ids)
    assert len(ids) == 5


def give_back(database: Database, job: LabelJob) -> JobState:
    """Give back in a transaction of its own."""
    with database.begin() as connection:
        return label_jobs.fail(connection, job.id, token=job.token, reason="CUDA out of memory")


def test_a_job_that_was_given_back_rests_longer_each_time_and_then_waits_behind_those_that_were_free_before(
    database: Database,
) -> None:
    make_jobs(database, 1)
    rests = []
    for _ in range(label_jobs.MAX_ATTEMPTS - 1):
        (job,) = claim(database)
        give_back(database, job)
        assert claim(database) == []
        with database.begin() as connection:
            rest = text("SELECT extract(epoch FROM lease_until - now()) FROM label_jobs WHERE id = :id")
            rests.append(float(connection.execute(rest, {"id": job.id}).scalar_one()) / label_jobs.FIRST_PAUSE_S)
        expire(database)
    assert rests == [pytest.approx(factor, rel=0.1) for factor in (1, 4, 16, 64)]
    with database.begin() as connection:
        connection.execute(text("UPDATE label_jobs SET created_at = now() - interval '1 h'"))
        fresh = [label_jobs.ensure(connection, add_clip(connection), "auto") for _ in range(2)]
        connection.execute(text("UPDATE label_jobs SET created_at = now() - interval '1 h' WHERE attempts = 0"))
    assert fresh == [True, True]
    assert [found.attempts for _ in range(3) for found in claim(database)] == [1, 1, 5]


def test_a_failed_job_can_be_tried_again_with_all_its_attempts_and_no_other_job_can(database: Database) -> None:
    make_jobs(database, 2)
    (job,) = claim(database)
    with database.begin() as connection:
        connection.execute(text("UPDATE label_jobs SET attempts = 5 WHERE id = :id"), {"id": job.id})
    assert give_back(database, job) == JobState.FAILED
    with database.begin() as connection:
        label_jobs.retry(connection, job.id)
    with pytest.raises(Conflict, match="is ready, not failed"), database.begin() as connection:
        label_jobs.retry(connection, job.id)
    with pytest.raises(NotFound), database.begin() as connection:
        label_jobs.retry(connection, 2**70)
    assert {found.id: found.attempts for found in claim(database, count=2)}[job.id] == 1


def test_jobs_are_listed_newest_first_with_their_reasons_page_by_page(database: Database) -> None:
    make_jobs(database, 3)
    (job,) = claim(database)
    give_back(database, job)
    with database.begin() as connection:
        page = label_jobs.listing(connection, task="auto", state=JobState.READY, before_id=None, limit=2)
        rest = label_jobs.listing(connection, task="auto", state=None, before_id=page[-1].id, limit=2)
        assert label_jobs.listing(connection, task="human", state=None, before_id=None, limit=2) == []
    ids = [found.id for found in page + rest]
    assert ids == sorted(ids, reverse=True)
    assert [found.reason for found in page + rest] == [None, None, "CUDA out of memory"]
    assert (rest[0].claimed_by, rest[0].labeler, rest[0].attempts) == ("lab", "anna", 1)
