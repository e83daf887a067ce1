"""Migrations of the ledger on rows that were there before: owners of campaigns, networks and regions of entries."""

from __future__ import annotations

from alembic import command
from sqlalchemy import select, text, update

from storage import ledger
from storage.database import Database
from storage.diagnosis.ledger import accounts_that_differ
from storage.migrate import alembic_config
from storage.tables import campaign_owners, campaign_versions, ledger_entries, uploads
from tests.storage.ledger.ledger_support import NOON, add_upload
from tests.support.fleet import TRIGGER, a_user, add_version, charged_manifest, enroll_vehicle
from triggers.contracts.campaign import BudgetLimits


def test_campaigns_of_before_belong_to_who_applied_them_first_and_have_no_cost_centre(database: Database) -> None:
    config = alembic_config()
    with database.begin() as connection:
        add_version(connection, "wide", 1)
        add_version(connection, "wide", 2)
        zoe = a_user(connection, "zoe").id
        connection.execute(update(campaign_versions).where(campaign_versions.c.version == 2).values(author_id=zoe))
        config.attributes["connection"] = connection
        command.downgrade(config, "0043")
        command.upgrade(config, "0044")
        owned = connection.execute(select(campaign_owners)).all()
        assert owned == [("wide", a_user(connection, "ann").id, "")]


def test_entries_of_before_get_the_network_of_their_upload_and_the_region_of_its_vehicle(database: Database) -> None:
    config = alembic_config()
    with database.begin() as connection:
        enroll_vehicle(connection)
        add_version(connection, "wide")
        manifest = charged_manifest({"wide": 7})
        upload_id = add_upload(connection, manifest)
        ledger.reserve(connection, upload_id, manifest, now=NOON)
        connection.execute(update(uploads).values(network="cellular"))
        config.attributes["connection"] = connection
        command.downgrade(config, "0043")
        command.upgrade(config, "0044")
        rows = select(ledger_entries.c.network, ledger_entries.c.region).distinct()
        assert connection.execute(rows).all() == [("cellular", "eu")]


def test_an_older_version_finds_every_reservation_in_its_account_and_no_account_that_it_does_not_know(
    database: Database,
) -> None:
    config = alembic_config()
    with database.begin() as connection:
        enroll_vehicle(connection)
        add_version(connection, "wide")
        manifest = charged_manifest({"wide": 7})
        upload_id = add_upload(connection, manifest)
        ledger.reserve(connection, upload_id, manifest, now=NOON)
        ledger.add_received(connection, {upload_id: 7})
        config.attributes["connection"] = connection
        command.downgrade(config, "0049")
        held = connection.execute(text("SELECT kind, held FROM ledger_accounts ORDER BY kind")).all()
        assert held == [("campaign_bytes", 7), ("campaign_clips", 1), ("campaign_vehicle_day", 7), ("fleet", 7)]
        command.upgrade(config, "head")
        assert accounts_that_differ(connection) == []


def test_an_older_version_has_no_clips_of_days_and_no_budgets_of_triggers(database: Database) -> None:
    config = alembic_config()
    own = BudgetLimits(total_bytes=100, clips=5, vehicle_day_bytes=50, vehicle_day_clips=5)
    kinds = text("SELECT DISTINCT kind FROM ledger_accounts ORDER BY kind")
    with database.begin() as connection:
        enroll_vehicle(connection)
        add_version(connection, "wide", limits=BudgetLimits(vehicle_day_clips=9), of_triggers={TRIGGER: own})
        manifest = charged_manifest({"wide": 7})
        ledger.reserve(connection, add_upload(connection, manifest), manifest, now=NOON)
        assert len(connection.execute(kinds).all()) == 12
        config.attributes["connection"] = connection
        command.downgrade(config, "0062")
        left = ["campaign_bytes", "campaign_clips", "campaign_vehicle_day", "fleet", "fleet_month"]
        assert connection.execute(kinds).scalars().all() == left
        command.upgrade(config, "0063")
        ledger.reserve(connection, add_upload(connection, manifest), manifest, now=NOON)
        assert accounts_that_differ(connection) == []
