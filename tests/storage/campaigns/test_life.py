"""Campaign versions: one runs at a time whoever races, every change raises the revision, time and budgets end them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, insert, text

from ingest.steward.campaigns import move_on
from storage.campaigns import life as campaigns
from storage.campaigns.queries import CampaignVersion, get_version, get_versions, list_campaigns, running
from storage.database import Database
from storage.tables import clip_fires, fires, ledger_accounts
from tests.storage.clips.catalog_support import add_clip
from tests.support.fleet import PROGRAM, PROGRAM_DIGEST, campaign_settings
from tests.support.rows import add_row
from triggers.contracts.campaign import BudgetLimits
from triggers.errors import Conflict, Forbidden, InvalidInput, NotFound

KEY = Ed25519PrivateKey.generate()
TODAY = datetime.now(UTC).date()


def apply(database: Database, name: str = "braking", source: str = "one", **changes: Any) -> CampaignVersion:
    """A submitted version by ann."""
    limits = changes.pop("limits", BudgetLimits(clips=10))
    settings = campaign_settings(name, limits).model_copy(update=changes)
    with database.begin() as connection:
        version, _ = campaigns.apply(
            connection,
            settings=settings,
            program=PROGRAM,
            source=source,
            signal_catalog="",
            author="ann",
            draft=False,
        )
    return version


def approve(database: Database, version: CampaignVersion, user: str = "bob", **changes: Any) -> CampaignVersion:
    """Approve it."""
    fields = {"digest": PROGRAM_DIGEST, "user": user, "key": KEY, "allow_self_approval": False, **changes}
    with database.begin() as connection:
        return campaigns.approve(connection, version.campaign, version.version, **fields)


def revision(database: Database) -> int:
    """The assignment revision."""
    with database.begin() as connection:
        return running(connection)[0]


def state(database: Database, version: CampaignVersion) -> str:
    """The version's state now."""
    with database.begin() as connection:
        return get_version(connection, version.campaign, version.version).state


def test_every_change_of_what_runs_raises_the_revision(database: Database) -> None:
    version = apply(database)
    seen = [revision(database)]
    approve(database, version)
    seen.append(revision(database))
    for step in (campaigns.pause, campaigns.resume):
        with database.begin() as connection:
            step(connection, "braking", 1)
        seen.append(revision(database))
    with database.begin() as connection:
        campaigns.stop(connection, "braking", 1, user="bob")
    seen.append(revision(database))
    assert seen == sorted(set(seen))


def test_a_rolled_back_step_leaves_state_and_revision(database: Database) -> None:
    version = approve(database, apply(database))
    before = revision(database)
    with pytest.raises(RuntimeError), database.begin() as connection:
        campaigns.pause(connection, "braking", 1)
        raise RuntimeError
    assert (state(database, version), revision(database)) == ("active", before)


def test_of_versions_approved_at_once_one_runs(database: Database) -> None:
    versions = [apply(database, source=str(number)) for number in range(6)]
    barrier = threading.Barrier(6)

    def race(version: CampaignVersion) -> str:
        barrier.wait(timeout=30)
        return approve(database, version).state

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(race, versions)) == ["active"] * 6
    with database.begin() as connection:
        found = get_versions(connection, "braking")
        assert len(running(connection)[1]) == 1
    assert sorted(each.state for each in found) == ["active", *["stopped"] * 5]
    assert {each.ended_reason for each in found} == {None, "superseded"}


def test_of_equal_steps_at_once_one_succeeds(database: Database) -> None:
    version = apply(database)

    def race(_: int) -> str:
        try:
            return approve(database, version).state
        except Conflict as error:
            return error.code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(race, range(4))) == ["active", "conflict", "conflict", "conflict"]


def test_the_same_text_applied_at_once_is_one_version(database: Database) -> None:
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: apply(database), range(6)))
    assert {each.version for each in made} == {1}


def test_who_wrote_or_submitted_a_version_does_not_approve_it_alone(database: Database) -> None:
    version = apply(database)
    with pytest.raises(Forbidden):
        approve(database, version, user="ann")
    assert approve(database, version, user="ann", allow_self_approval=True).approved_by == "ann"


def test_another_digest_or_version_is_not_approved(database: Database) -> None:
    version = apply(database)
    with pytest.raises(Conflict, match="program"):
        approve(database, version, digest="0" * 64)
    with pytest.raises(NotFound), database.begin() as connection:
        campaigns.pause(connection, "braking", 2**40)
    assert state(database, version) == "submitted"


def test_texts_that_cannot_be_stored_are_invalid(database: Database) -> None:
    with pytest.raises(InvalidInput, match="source"):
        apply(database, source="\x00")


def test_a_pause_does_not_count_for_the_rollout(database: Database) -> None:
    approve(database, apply(database))
    with database.begin() as connection:
        connection.execute(text("UPDATE campaign_versions SET rollout_from = now() - interval '1 day'"))
        campaigns.pause(connection, "braking", 1)
        connection.execute(text("UPDATE campaign_versions SET paused_at = now() - interval '20 hours'"))
    with database.begin() as connection:
        resumed = campaigns.resume(connection, "braking", 1)
    assert resumed.rollout_from is not None
    assert timedelta(hours=3.9) < datetime.now(UTC) - resumed.rollout_from < timedelta(hours=4.1)


def test_a_waiting_version_begins_on_its_day_and_supersedes(database: Database) -> None:
    old = approve(database, apply(database))
    waiting = approve(database, apply(database, source="two", active_from=TODAY + timedelta(days=1)))
    assert (waiting.state, state(database, old)) == ("approved", "active")
    with database.begin() as connection:
        assert move_on(connection) == []
        connection.execute(
            text("UPDATE campaign_versions SET settings = settings || CAST(:past AS jsonb) WHERE version = 2"),
            {"past": '{"active_from": "2020-01-01"}'},
        )
        (begun,) = move_on(connection)
    assert (begun.version, begun.state, state(database, old)) == (2, "active", "stopped")


def _settle(connection: Connection, kind: str, amount: int) -> None:
    unit = "clips" if kind == "campaign_clips" else "bytes"
    connection.execute(
        insert(ledger_accounts).values(kind=kind, campaign="braking", unit=unit, held=amount, settled=amount)
    )


def _fire_of(connection: Connection, charged_bytes: int) -> None:
    clip_id = add_clip(connection)
    add_row(connection, fires, ordinal=1)
    add_row(connection, clip_fires, ordinal=1, clip_id=clip_id, charged_bytes=charged_bytes)


@pytest.mark.parametrize(
    ("settled", "reason"),
    [
        ({"campaign_clips": 9}, None),
        ({"campaign_clips": 10}, "clips"),
        ({"campaign_bytes": 900}, None),
        ({"campaign_bytes": 901}, "budget"),
        ({"campaign_bytes": 1000}, "budget"),
    ],
)
def test_a_campaign_completes_when_no_further_clip_can_come(
    database: Database, settled: dict[str, int], reason: str | None
) -> None:
    version = approve(database, apply(database, limits=BudgetLimits(clips=10, total_bytes=1000)))
    before = revision(database)
    with database.begin() as connection:
        _fire_of(connection, charged_bytes=100)
        for kind, amount in settled.items():
            _settle(connection, kind, amount)
        changed = move_on(connection)
        assert move_on(connection) == []
    assert [each.ended_reason for each in changed] == ([reason] if reason else [])
    assert state(database, version) == ("completed" if reason else "active")
    assert (revision(database) > before) == bool(reason)


def test_a_campaign_completes_after_its_last_day(database: Database) -> None:
    over = approve(database, apply(database, active_to=TODAY - timedelta(days=1)))
    last_day = approve(database, apply(database, "other", active_to=TODAY))
    with database.begin() as connection:
        (changed,) = move_on(connection)
    assert (changed.campaign, changed.ended_reason) == ("braking", "date")
    assert (state(database, over), state(database, last_day)) == ("completed", "active")


def test_of_each_campaign_the_running_version_is_listed_else_the_newest(database: Database) -> None:
    approve(database, apply(database))
    apply(database, source="two")
    apply(database, "other")
    with database.begin() as connection:
        listed = list_campaigns(connection)
        assert [(each.campaign, each.version) for each in list_campaigns(connection, after="braking")] == [("other", 1)]
    assert [(each.campaign, each.version, each.state) for each in listed] == [
        ("braking", 1, "active"),
        ("other", 1, "submitted"),
    ]
