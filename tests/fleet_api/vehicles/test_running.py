"""The running campaigns in memory: read again when the revision rises, and never older than was asked for."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import update

from fleet_api.running import RunningCampaigns
from storage.campaigns.life import raise_revision
from storage.campaigns.queries import running
from storage.database import Database
from storage.tables import assignment_revision
from tests.support.fleet import add_version

REVISIONS = 20


def raised_revision(database: Database) -> int:
    with database.begin() as connection:
        raise_revision(connection)
        return running(connection)[0]


def test_revisions_are_the_time_in_ms_and_never_given_twice(database: Database) -> None:
    before_ms = time.time_ns() // 10**6
    given = [raised_revision(database) for _ in range(5)]
    assert given == sorted(set(given))
    assert before_ms - 60_000 <= given[0] <= given[-1] <= before_ms + 60_000
    with database.begin() as connection:
        connection.execute(update(assignment_revision).values(revision=given[-1] + 10**9))
    assert raised_revision(database) == given[-1] + 10**9 + 1, "a clock that was set back gives no lower one"


def test_what_runs_is_read_again_when_the_revision_rises_and_only_then(database: Database) -> None:
    known = RunningCampaigns()
    with database.begin() as connection:
        assert known.at(connection, 0) == (0, ())
    with database.begin() as connection:
        add_version(connection, "braking")
        assert known.at(connection, 0) == (0, ()), "the revision did not rise"
    raised = raised_revision(database)
    with database.begin() as connection:
        revision, campaigns = known.at(connection, 1)
        assert (revision, [campaign.campaign for campaign in campaigns]) == (raised, ["braking"])
        assert known.at(connection, 0)[0] == raised, "an older revision never comes back"


def test_check_ins_at_once_get_what_runs_by_their_revision_and_never_go_back(database: Database) -> None:
    """Version n of the campaign runs by the nth revision, so an answer that mixes two revisions would show."""
    known, started, done = RunningCampaigns(), threading.Barrier(5), threading.Event()

    def check_in_until_done() -> list[tuple[int, int, int]]:
        answers = []
        started.wait(timeout=30)
        while not done.is_set() or not answers:
            with database.begin() as connection:
                asked, _ = running(connection)
                revision, campaigns = known.at(connection, asked)
            answers.append((asked, revision, campaigns[0].version if campaigns else 0))
        return answers

    with ThreadPoolExecutor(4) as pool:
        vehicles = [pool.submit(check_in_until_done) for _ in range(4)]
        started.wait(timeout=30)
        revisions = [0]
        try:
            for version in range(1, REVISIONS + 1):
                with database.begin() as connection:
                    add_version(connection, "braking", version)
                    raise_revision(connection)
                    revisions.append(running(connection)[0])
        finally:
            done.set()
    for answers in [vehicle.result() for vehicle in vehicles]:
        assert all(asked <= revision == revisions[version] for asked, revision, version in answers)
        assert [revision for _, revision, _ in answers] == sorted(revision for _, revision, _ in answers)
    with database.begin() as connection:
        assert known.at(connection, 0)[0] <= revisions[-1]
        assert known.at(connection, revisions[-1])[0] == revisions[-1]
