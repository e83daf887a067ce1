"""Saved searches: a filter and an order of clips under a name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.clips.query import ClipQuery
from storage.jsonb import storable
from storage.rows import columns_of
from storage.tables import saved_searches, users
from triggers.contracts.users import User
from triggers.errors import NotFound

_c = saved_searches.c


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A saved search, and who saved it."""

    name: str
    filter: str
    sortby: str
    saved_by_id: int
    saved_at: datetime
    saved_by: str


def check(filter_source: str, sortby: str) -> None:
    """InvalidInput for a filter or an order that cannot be used."""
    ClipQuery.parse(filter_source=filter_source, sortby=sortby)
    storable(filter_source, what="the filter")


def add(connection: Connection, name: str, *, filter_source: str, sortby: str, user: User) -> bool:
    """Keep a search; whether it was, as no other has this name."""
    values = {"name": name, "filter": filter_source, "sortby": sortby, "saved_by_id": user.id}
    row = connection.execute(
        insert(saved_searches).values(**values).on_conflict_do_nothing().returning(_c.name)
    ).one_or_none()
    return row is not None


def replace(connection: Connection, name: str, *, filter_source: str, sortby: str, user: User) -> None:
    """Let a name stand for another search."""
    values = {"filter": filter_source, "sortby": sortby, "saved_by_id": user.id, "saved_at": func.now()}
    connection.execute(update(saved_searches).where(_c.name == name).values(**values))


def remove(connection: Connection, name: str) -> None:
    """Forget a search."""
    connection.execute(delete(saved_searches).where(_c.name == name))


def find(connection: Connection, name: str, *, lock: bool = False) -> SavedSearch:
    """The search of this name, or NotFound; `lock` keeps others from changing it until the transaction ends."""
    statement = select(*_COLUMNS).join_from(saved_searches, users, users.c.id == _c.saved_by_id).where(_c.name == name)
    row = connection.execute(statement.with_for_update(of=saved_searches) if lock else statement).one_or_none()
    if row is None:
        raise NotFound(f"there is no saved search {name[:64]!r}", remedy="`longtail search list` shows all of them")
    return SavedSearch(*row)


def list_searches(connection: Connection, *, after: str, limit: int) -> list[SavedSearch]:
    """Searches whose name sorts after `after`, by name; at most `limit`."""
    rows = connection.execute(
        select(*_COLUMNS)
        .join_from(saved_searches, users, users.c.id == _c.saved_by_id)
        .where(_c.name > after)
        .order_by(_c.name)
        .limit(limit)
    )
    return [SavedSearch(*row) for row in rows]


_COLUMNS = (*columns_of(SavedSearch, saved_searches, without=("saved_by",)), users.c.name)
