"""Price books that operators have published: versions, which are added and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, insert, select, text

from storage import users
from storage.jsonb import storable
from storage.tables import price_books
from triggers.contracts.base import text_digest
from triggers.contracts.users import User
from triggers.errors import NotFound

_c = price_books.c
_LOCK = 0x6C745F7072696365  # any number that no other advisory lock has: "lt_price"


@dataclass(frozen=True, slots=True)
class PublishedPriceBook:
    """A published version without its text; `start` is the first day that has prices."""

    version: int
    digest: str
    currency: str
    start: date
    published_by: str
    published_at: datetime


_COLUMNS = (
    *(_c[name] for name in ("version", "digest", "currency", "start")),
    users.name_in(price_books, "published_by_id").label("published_by"),
    _c.published_at,
)


def lock(connection: Connection) -> None:
    """Let nobody else publish until this transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def newest(connection: Connection) -> PublishedPriceBook | None:
    """The newest version, or None if none is published."""
    row = connection.execute(select(*_COLUMNS).order_by(_c.version.desc()).limit(1)).one_or_none()
    return None if row is None else PublishedPriceBook(*row)


def newest_text(connection: Connection) -> tuple[int, str] | None:
    """Version and text of the newest, or None if none is published."""
    row = connection.execute(select(_c.version, _c.text).order_by(_c.version.desc()).limit(1)).one_or_none()
    return None if row is None else (row.version, row.text)


def add(
    connection: Connection, book: str, *, version: int, currency: str, start: date, user: User
) -> PublishedPriceBook:
    """Add a version; the caller holds `lock` and has seen that it is the next."""
    row = connection.execute(
        insert(price_books)
        .values(
            version=version,
            text=storable(book, what="the price book"),
            digest=text_digest(book),
            currency=currency,
            start=start,
            published_by_id=user.id,
        )
        .returning(*_COLUMNS)
    ).one()
    return PublishedPriceBook(*row)


def page(connection: Connection, *, before: int | None, limit: int) -> list[PublishedPriceBook]:
    """Versions before a number, the newest first; at most `limit`."""
    query = select(*_COLUMNS).order_by(_c.version.desc()).limit(limit)
    if before is not None:
        query = query.where(_c.version < before)
    return [PublishedPriceBook(*row) for row in connection.execute(query)]


def find(connection: Connection, version: int | None) -> tuple[PublishedPriceBook, str]:
    """A version, or the newest (None), and its text; or NotFound."""
    query = select(*_COLUMNS, _c.text).order_by(_c.version.desc()).limit(1)
    if version is not None:
        query = query.where(_c.version == version)
    row = connection.execute(query).one_or_none()
    if row is None:
        what = "no price book is published" if version is None else f"there is no version {version} of the price book"
        raise NotFound(
            what, remedy="list versions with `longtail cost books`, publish one with `longtail cost publish`"
        )
    return PublishedPriceBook(*row[:-1]), row.text
