"""The migrations make exactly the schema that the code declares, and come back from it."""

from __future__ import annotations

from alembic import command

from storage.database import Database
from storage.migrate import _config, current_revision, differences, head_revision, migrate, require_current


def test_the_migrated_schema_is_the_one_in_code(database: Database) -> None:
    assert differences(database) == []


def test_migrating_twice_changes_nothing(database: Database) -> None:
    assert migrate(database) == head_revision() == current_revision(database)
    require_current(database)


def test_every_migration_can_be_taken_back(database: Database) -> None:
    config = _config()
    with database.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert current_revision(database) is None
    migrate(database)
    assert differences(database) == []
