"""Users: one row for each person or service, whatever the spelling of its name; the id stays when the name changes."""

from __future__ import annotations

import re

from sqlalchemy import ColumnClause, Connection, ScalarSelect, Table, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from storage import audit
from storage.tables import label_jobs, users
from triggers.contracts.users import User, name_key
from triggers.errors import Conflict, InvalidInput, NotFound

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,99}")


def name_in(table: Table, column: str) -> ScalarSelect[str]:
    """The name of the user whose id rows of a table have in a column; also for RETURNING."""
    # Its name, not the column: in RETURNING of an INSERT a subquery would get a FROM of its own.
    id_: ColumnClause[int] = literal_column(f"{table.name}.{column}")
    return select(users.c.name).where(users.c.id == id_).scalar_subquery()


def ensure(connection: Connection, name: str) -> tuple[int, str]:
    """The id and name of the user whose name this is a spelling of; a new one if there is none.

    InvalidInput for what cannot be a name.
    """
    _require_name(name)
    connection.execute(
        insert(users).values(name=name, name_key=name_key(name)).on_conflict_do_nothing(index_elements=["name_key"])
    )
    return find(connection, name)


def create(connection: Connection, name: str) -> tuple[int, str] | None:
    """A new user's id and name; None if a spelling of it is somebody's. InvalidInput for what cannot be a name."""
    _require_name(name)
    added = insert(users).values(name=name, name_key=name_key(name))
    row = connection.execute(added.on_conflict_do_nothing(index_elements=["name_key"]).returning(users.c.id)).first()
    return None if row is None else (row.id, name)


def find(connection: Connection, name: str) -> tuple[int, str]:
    """The id of a user and the name as it is spelled; NotFound if there is none."""
    row = connection.execute(select(users.c.id, users.c.name).where(users.c.name_key == name_key(name))).one_or_none()
    if row is None:
        raise NotFound(f"there is no user {name[:100]!r}")
    return row.id, row.name


def rename(connection: Connection, name: str, new_name: str, *, by: User | None = None) -> int:
    """Give a user another name, under which everything that the user did is shown from then on; returns the id.

    NotFound for an unknown user, Conflict when somebody else has the name.
    """
    _require_name(new_name)
    user_id, old_name = find(connection, name)
    changed = update(users).where(users.c.id == user_id).values(name=new_name, name_key=name_key(new_name))
    try:
        connection.execute(changed)
    except IntegrityError as error:
        raise Conflict(f"there is a user {new_name!r} already", remedy="choose another name") from error
    claimed = update(label_jobs).where(label_jobs.c.claimed_by == old_name)
    connection.execute(claimed.values(claimed_by=new_name))
    audit.record(
        connection,
        by or audit.at_the_machine(),
        "user.rename",
        "user",
        str(user_id),
        before={"name": old_name},
        after={"name": new_name},
    )
    return user_id


def _require_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"not a user name: {name[:100]!r}", remedy="use letters, digits and _ . @ + -, at most 100")
