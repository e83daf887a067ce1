"""Label jobs: never to two at once, never lost, and nobody writes over another's work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, text

from storage.database import Database
from storage.labels import jobs as label_jobs
from storage.tables import labels
from tests.storage.clips.catalog_support import OPENLABEL, add_clip
from triggers.errors import Forbidden, InvalidInput, LeaseLost, NotFound


def make_jobs(database: Database, count: int) -> None:
    """That many clips with a job each."""
    with database.begin() as connection:
        for _ in range(count):
            assert label_jobs.ensure(connection, add_clip(connection), "auto")


def claim(database: Database, labeler: str = "anna", count: int = 1, task: str = "auto") -> list[label_jobs.LabelJob]:
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
        claimed = [job for each in pool.map(work, range(8)) for job in each]
    assert sorted(claimed) == sorted(set(claimed))
    assert len(claimed) == 40


def test_completing_writes_the_labels_once(database: Database) -> None:
    make_jobs(database, 1)
    (job,) = claim(database)
    with database.begin() as connection:
        label_jobs.complete(
            connection, job.id, user="lab", token=job.token, openlabel=OPENLABEL, provenance={"model": "x"}
        )
    with pytest.raises(LeaseLost), database.begin() as connection:  # other content
        label_jobs.complete(connection, job.id, user="lab", token=job.token, openlabel=OPENLABEL, provenance={})
    with database.begin() as connection:
        (row,) = connection.execute(select(labels)).all()
    assert (row.clip_id, row.labeler, row.types) == (job.clip_id, "lab/anna", ["braking", "car"])
    assert (row.openlabel, row.provenance) == (OPENLABEL, {"model": "x"})
    assert stats(database)["done"] == 1


def test_completing_again_with_the_same_content_gives_the_same_labels(database: Database) -> None:
    make_jobs(database, 1)
    (job,) = claim(database)
    made_by = {"model": "x", "score": 1.0, "seed": 10**20}
    ids = []
    for _ in range(2):
        with database.begin() as connection:
            ids.append(
                label_jobs.complete(
                    connection, job.id, user="lab", token=job.token, openlabel=OPENLABEL, provenance=made_by
                )
            )
    assert ids[0] == ids[1]
    with pytest.raises(LeaseLost), database.begin() as connection:
        label_jobs.complete(
            connection, job.id, user="lab", token=job.token - 1, openlabel=OPENLABEL, provenance=made_by
        )


@pytest.mark.parametrize("done", [False, True])
def test_a_token_serves_the_user_who_claimed_with_it_and_an_administrator(database: Database, done: bool) -> None:
    make_jobs(database, 1)
    (job,) = claim(database)

    def complete(user: str | None) -> int:
        with database.begin() as connection:
            return label_jobs.complete(
                connection, job.id, user=user, token=job.token, openlabel=OPENLABEL, provenance={}
            )

    if done:
        complete("lab")
    steps: list[Callable[[Any], object]] = [
        lambda c: label_jobs.complete(c, job.id, user="la", token=job.token, openlabel=OPENLABEL, provenance={}),
        lambda c: label_jobs.renew(c, job.id, user="anna", token=job.token, lease_s=60),
        lambda c: label_jobs.fail(c, job.id, user="lab/anna", token=job.token, reason="x"),
    ]
    for step in steps:
        with pytest.raises(Forbidden), database.begin() as connection:
            step(connection)
    assert complete(None) == complete("lab")


def test_an_expired_job_goes_to_the_next_and_its_first_holder_is_fenced(database: Database) -> None:
    make_jobs(database, 1)
    (first,) = claim(database, "slow")
    assert claim(database, "next") == []
    expire(database)
    assert stats(database)["expired"] == 1
    (second,) = claim(database, "next")
    assert (second.id, second.token > first.token, second.attempts) == (first.id, True, 2)
    steps: list[Callable[[Any], object]] = [
        lambda c: label_jobs.complete(c, first.id, user="lab", token=first.token, openlabel=OPENLABEL, provenance={}),
        lambda c: label_jobs.renew(c, first.id, user="lab", token=first.token, lease_s=60),
        lambda c: label_jobs.fail(c, first.id, user="lab", token=first.token, reason="x"),
    ]
    for step in steps:
        with pytest.raises(LeaseLost), database.begin() as connection:
            step(connection)
    with database.begin() as connection:
        label_jobs.complete(connection, second.id, user="lab", token=second.token, openlabel=OPENLABEL, provenance={})


def test_a_late_holder_may_finish_or_renew_while_nobody_else_has_the_job(database: Database) -> None:
    make_jobs(database, 1)
    (job,) = claim(database)
    expire(database)
    with database.begin() as connection:
        label_jobs.renew(connection, job.id, user="lab", token=job.token, lease_s=60)
    assert claim(database, "next") == []


def test_attempts_are_counted_and_bounded(database: Database) -> None:
    make_jobs(database, 2)
    states = []
    for _ in range(label_jobs.MAX_ATTEMPTS):
        failing, _silent = claim(database, count=2)
        with database.begin() as connection:
            states.append(label_jobs.fail(connection, failing.id, user="lab", token=failing.token, reason="no video"))
        expire(database)
    assert states == ["ready"] * (label_jobs.MAX_ATTEMPTS - 1) + ["failed"]
    assert claim(database, count=2) == []
    assert stats(database) == {"ready": 0, "leased": 0, "expired": 0, "done": 0, "failed": 2}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"openlabel": []},
        {"openlabel": {}},
        {"openlabel": {"metadata": {}}},
        {"openlabel": {"metadata": {"schema_version": 1}}},
        {"openlabel": {"metadata": {"schema_version": "new"}}},
        {**OPENLABEL, "more": 1},
        {"openlabel": {**OPENLABEL["openlabel"], "objects": [1]}},
        {"openlabel": {**OPENLABEL["openlabel"], "frames": {"0": "\x00"}}},
        {"openlabel": {**OPENLABEL["openlabel"], "frames": {"0": float("nan")}}},
    ],
)
def test_what_is_no_openlabel_is_refused_and_the_job_stays_leased(database: Database, document: dict[str, Any]) -> None:
    make_jobs(database, 1)
    (job,) = claim(database)
    with pytest.raises(InvalidInput), database.begin() as connection:
        label_jobs.complete(connection, job.id, user="lab", token=job.token, openlabel=document, provenance={})
    assert stats(database)["leased"] == 1


def test_bad_claims_and_unknown_jobs_are_refused(database: Database) -> None:
    for wrong in ({"task": ""}, {"labeler": "a b"}, {"count": 0}, {"count": 101}):
        with pytest.raises(InvalidInput):
            claim(database, **wrong)  # type: ignore[arg-type]
    with pytest.raises(NotFound), database.begin() as connection:
        label_jobs.renew(connection, 2**70, user="lab", token=1, lease_s=1)
