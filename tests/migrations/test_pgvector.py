"""pgvector's extension: made by whoever may, and where nobody here may, an error that says who has to."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from storage.database import Database
from storage.migrate import differences, migrate
from storage.roles.rights import DatabaseRole
from storage.roles.script import roles_script
from triggers.errors import Misconfigured

pytestmark = pytest.mark.integration


@pytest.fixture
def owned(database_url: str) -> Database:
    """An empty database whose owner is no superuser and may not create pgvector's extension, which is not trusted."""
    database = Database(database_url)
    with database.begin() as connection:
        connection.execute(text(roles_script().replace(":=", "\\:=")))
        connection.execute(text("DROP EXTENSION vector"))
    return database


def as_owner(database: Database) -> Database:
    url = make_url(database.url).set(username=DatabaseRole.OWNER)
    return Database(url.render_as_string(hide_password=False))


def test_an_owner_without_the_right_is_told_what_a_superuser_has_to_run(owned: Database) -> None:
    owner = as_owner(owned)
    with pytest.raises(Misconfigured, match="its owner may not create it") as caught:
        migrate(owner)
    assert "`CREATE EXTENSION vector`" in str(caught.value.remedy)
    with owned.begin() as connection:
        connection.execute(text("CREATE EXTENSION vector"))
    migrate(owner)
    assert differences(owner) == []
    owner.close()
    owned.close()


def test_the_roles_script_makes_the_extension(owned: Database) -> None:
    with owned.begin() as connection:
        connection.execute(text(roles_script().replace(":=", "\\:=")))
    owner = as_owner(owned)
    migrate(owner)
    owner.close()
    owned.close()


def test_a_superuser_makes_it_with_the_migration(database_url: str) -> None:
    database = Database(database_url)
    migrate(database)
    with database.begin() as connection:
        assert connection.execute(text("SELECT '[1,0]'::vector <=> '[0,1]'::vector")).scalar_one() == 1
    database.close()
