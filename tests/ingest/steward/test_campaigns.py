"""Campaigns move on by themselves: they begin on their day, and time and budgets end them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

from ingest.steward.campaigns import move_on
from storage import ledger
from storage.campaigns import life
from storage.campaigns.queries import CampaignVersion, get_version, running
from storage.database import Database
from storage.tables import ledger_accounts
from tests.storage.ledger.ledger_support import add_upload
from tests.support.fleet import PROGRAM, a_user, add_draft, campaign_settings, charged_manifest, enroll_vehicle
from triggers.contracts.campaign import BudgetLimits
from triggers.contracts.campaign_life import has_begun


def today() -> date:
    return datetime.now(UTC).date()


def approved(database: Database, name: str = "braking", source: str = "one", **changes: Any) -> CampaignVersion:
    """A version that was approved, and runs unless its day is still to come."""
    limits = changes.pop("limits", BudgetLimits(clips=10))
    settings = campaign_settings(name, limits).model_copy(update=changes)
    content = life.VersionContent(settings=settings, program=PROGRAM, source=source, signal_catalog="")
    with database.begin() as connection:
        number = add_draft(connection, content).version
        life.submit(connection, name, number, user=a_user(connection))
        version = life.approve(connection, name, number, bundle=source.encode(), user=a_user(connection, "bob"))
        return life.activate(connection, name, number) if has_begun(settings, today()) else version


def revision(database: Database) -> int:
    """The assignment revision."""
    with database.begin() as connection:
        return running(connection)[0]


def state(database: Database, version: CampaignVersion) -> str:
    """The version's state now."""
    with database.begin() as connection:
        return get_version(connection, version.campaign, version.version).state


def test_a_waiting_version_begins_on_its_day_and_supersedes(database: Database) -> None:
    old = approved(database)
    waiting = approved(database, source="two", active_from=today() + timedelta(days=1))
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
    """The account of a kind with an amount that has arrived."""
    unit = "clips" if kind == "campaign_clips" else "bytes"
    row = insert(ledger_accounts).values(kind=kind, campaign="braking", unit=unit, held=amount, settled=amount)
    changed = row.on_conflict_do_update(constraint="uq_ledger_accounts_key", set_={"held": amount, "settled": amount})
    connection.execute(changed)


def _clip_of(connection: Connection, charged_bytes: int) -> None:
    """A clip of the campaign that was charged so many bytes and is erased by now."""
    manifest = charged_manifest({"braking": charged_bytes})
    upload_id = add_upload(connection, manifest)
    ledger.reserve(connection, upload_id, manifest, now=datetime.now(UTC))
    ledger.settle(connection, upload_id)
    while ledger.fold(connection):
        pass
    for kind in ("campaign_bytes", "campaign_clips"):
        _settle(connection, kind, 0)


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
    version = approved(database, limits=BudgetLimits(clips=10, total_bytes=1000))
    before = revision(database)
    with database.begin() as connection:
        enroll_vehicle(connection)
        _clip_of(connection, charged_bytes=100)
        for kind, amount in settled.items():
            _settle(connection, kind, amount)
        changed = move_on(connection)
        assert move_on(connection) == []
    assert [version.ended_reason for version in changed] == ([reason] if reason else [])
    assert state(database, version) == ("completed" if reason else "active")
    assert (revision(database) > before) == bool(reason)


def test_a_campaign_completes_after_its_last_day(database: Database) -> None:
    over = approved(database, active_to=today() - timedelta(days=1))
    last_day = approved(database, "other", active_to=today())
    with database.begin() as connection:
        (changed,) = move_on(connection)
    assert (changed.campaign, changed.ended_reason) == ("braking", "date")
    assert (state(database, over), state(database, last_day)) == ("completed", "active")
