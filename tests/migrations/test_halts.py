"""The migration of halts knows the pauses that last, and taking it back lets a rollout that is held go on."""

from __future__ import annotations

from alembic import command
from sqlalchemy import Connection, text

from storage.campaigns import halts, life
from storage.campaigns.queries import get_version
from storage.database import Database
from storage.migrate import alembic_config
from tests.support.fleet import a_user, add_version
from tests.support.paths import REPOSITORY
from triggers.contracts.campaign import CampaignState, HaltKind

(_FILE,) = (REPOSITORY / "migrations" / "versions").glob("*_halts_of_rollouts.py")
BEFORE = f"{int(_FILE.name[:4]) - 1:04d}"
ELAPSED = text("SELECT now() - rollout_from = interval '2 hours' FROM campaign_versions WHERE campaign = 'braking'")
RESUMED = text("SELECT paused_at - rollout_from = interval '2 hours' FROM campaign_versions WHERE campaign = 'merging'")
"""How far it will be when the pause has ended, which adds what passes from `paused_at` on."""


def test_pauses_that_last_are_known_and_a_held_rollout_is_where_it_was(database: Database) -> None:
    with database.begin() as connection:
        for name in ("braking", "lanes", "merging"):
            add_version(connection, name, state=CampaignState.ACTIVE)
        life.hold(connection, "merging", 1, user=a_user(connection), reason="too many")
    with database.begin() as connection:
        life.hold(connection, "braking", 1, user=a_user(connection), reason="too many")
        life.pause(connection, "lanes", 1, user=a_user(connection), reason="no network")
        life.pause(connection, "merging", 1, user=a_user(connection), reason="no network")
        at = {"rollout_from": "5 hours", "held_at": "3 hours"}
        for name, halts_at in {"braking": at, "merging": at | {"paused_at": "1 hour"}}.items():
            changes = ", ".join(f"{column} = now() - interval '{ago}'" for column, ago in halts_at.items())
            connection.execute(text(f"UPDATE campaign_versions SET {changes} WHERE campaign = '{name}'"))
        again(connection)
        assert connection.execute(ELAPSED).scalar_one() and connection.execute(RESUMED).scalar_one()
        assert halts.listing(connection, "braking", 1) == []
        (halt,) = halts.listing(connection, "lanes", 1)
        paused_at = get_version(connection, "lanes", 1).paused_at
        assert (halt.kind, halt.since, halt.until) == (HaltKind.PAUSED, paused_at, None)
        assert (halt.halted_by, halt.reason) == (None, None)


def again(connection: Connection) -> None:
    """Go back to the schema of before, and to this one again."""
    config = alembic_config()
    config.attributes["connection"] = connection
    command.downgrade(config, BEFORE)
    command.upgrade(config, "head")
