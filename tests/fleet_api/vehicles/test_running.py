"""The running campaigns in memory: read again when the revision rises, and never older than was asked for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from fleet_api.running import RunningCampaigns
from storage.campaigns.life import raise_revision
from storage.campaigns.queries import running
from storage.database import Database
from tests.support.fleet import add_version

REVISIONS = 20


def test_what_runs_is_read_again_when_the_revision_rises_and_only_then(database: Database) -> None:
    known = RunningCampaigns()
    assert known.at(database, 0) == (0, ())
    with database.begin() as connection:
        add_version(connection, "braking")
    assert known.at(database, 0) == (0, ()), "the revision did not rise"
    with database.begin() as connection:
        raise_revision(connection)
    revision, campaigns = known.at(database, 1)
    assert (revision, [campaign.campaign for campaign in campaigns]) == (1, ["braking"])
    assert known.at(database, 0)[0] == 1, "an older revision never comes back"


def test_check_ins_at_once_get_what_runs_by_their_revision_and_never_go_back(database: Database) -> None:
    """Version n of the campaign runs by revision n, so an answer that mixes two revisions would show."""
    known, started, done = RunningCampaigns(), threading.Barrier(5), threading.Event()

    def check_in_until_done() -> list[tuple[int, int, int]]:
        answers = []
        started.wait(timeout=30)
        while not done.is_set() or not answers:
            with database.begin() as connection:
                asked, _ = running(connection)
            revision, campaigns = known.at(database, asked)
            answers.append((asked, revision, campaigns[0].version if campaigns else 0))
        return answers

    with ThreadPoolExecutor(4) as pool:
        vehicles = [pool.submit(check_in_until_done) for _ in range(4)]
        started.wait(timeout=30)
        try:
            for version in range(1, REVISIONS + 1):
                with database.begin() as connection:
                    add_version(connection, "braking", version)
                    raise_revision(connection)
        finally:
            done.set()
    for answers in [vehicle.result() for vehicle in vehicles]:
        assert all(asked <= revision == version for asked, revision, version in answers)
        assert [revision for _, revision, _ in answers] == sorted(revision for _, revision, _ in answers)
    assert known.at(database, 0)[0] <= REVISIONS
    assert known.at(database, REVISIONS)[0] == REVISIONS
