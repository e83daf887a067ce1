"""Signal catalogs that operators have published: versions under a name, which are added and never changed."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, exists, insert, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from storage import users
from storage.campaigns.queries import MAX_VERSION
from storage.jsonb import storable
from storage.tables import signal_catalogs
from triggers.contracts.base import text_digest
from triggers.contracts.users import User
from triggers.errors import NotFound

_c = signal_catalogs.c
_LOCK = 0x6C745F636174616C  # any number that no other advisory lock has: "lt_catal"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"[1-9][0-9]{0,9}")


@dataclass(frozen=True, slots=True)
class PublishedCatalog:
    """A published version without its text. `state_bytes` and `operations` are the limits that it sets for programs."""

    name: str
    version: int
    digest: str
    signals: int
    state_bytes: int
    operations: int
    published_by: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class NewCatalog:
    """A catalog that is to be published, with what its text says."""

    name: str
    text: str
    signals: int
    state_bytes: int
    operations: int


_COLUMNS = (
    *(_c[name] for name in ("name", "version", "digest", "signals", "state_bytes", "operations")),
    users.name_in(signal_catalogs, "published_by_id").label("published_by"),
    _c.published_at,
)


def publish(connection: Connection, catalog: NewCatalog, *, user: User) -> tuple[PublishedCatalog, bool]:
    """Add a version of this name, and say whether it is new: the newest version is returned if it has the same text."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    digest = text_digest(storable(catalog.text, what="the signal catalog"))
    newest = _newest(connection, catalog.name)
    if newest is not None and newest.digest == digest:
        return newest, False
    row = connection.execute(
        insert(signal_catalogs)
        .values(
            **asdict(catalog),
            version=1 if newest is None else newest.version + 1,
            digest=digest,
            published_by_id=user.id,
        )
        .returning(*_COLUMNS)
    ).one()
    return PublishedCatalog(*row), True


def newest_of_each(connection: Connection, *, after: str, limit: int) -> list[PublishedCatalog]:
    """The newest version of each name that sorts after `after`; at most `limit`."""
    rows = connection.execute(
        select(*_COLUMNS)
        .ext(distinct_on(_c.name))
        .where(_c.name > after)
        .order_by(_c.name, _c.version.desc())
        .limit(limit)
    )
    return [PublishedCatalog(*row) for row in rows]


def find(connection: Connection, reference: str) -> tuple[PublishedCatalog, str]:
    """The version that `NAME` (its newest), `NAME@VERSION` or a digest names, and its text; or NotFound."""
    row = connection.execute(
        select(*_COLUMNS, _c.text).where(_named(reference)).order_by(_c.version.desc(), _c.name).limit(1)
    ).one_or_none()
    if row is None:
        raise NotFound(
            f"no published signal catalog is {reference[:100]!r}",
            remedy="name one of `longtail signals list`, as NAME, NAME@VERSION or by its digest",
        )
    return PublishedCatalog(*row[:-1]), row.text


def published_as(connection: Connection, digest: str) -> list[str]:
    """Under which names and versions a text with this digest was published, as `NAME@VERSION`, newest first."""
    rows = connection.execute(
        select(_c.name, _c.version).where(_c.digest == digest).order_by(_c.published_at.desc(), _c.name).limit(100)
    )
    return [f"{row.name}@{row.version}" for row in rows]


def any_is_published(connection: Connection) -> bool:
    """Whether operators have published catalogs, so that authors need not bring their own."""
    return bool(connection.execute(select(exists(select(_c.name)))).scalar_one())


def _newest(connection: Connection, name: str) -> PublishedCatalog | None:
    row = connection.execute(
        select(*_COLUMNS).where(_c.name == name).order_by(_c.version.desc()).limit(1)
    ).one_or_none()
    return None if row is None else PublishedCatalog(*row)


def _named(reference: str) -> ColumnElement[bool]:
    if _DIGEST.fullmatch(reference):
        return _c.digest == reference
    name, at, version = reference.partition("@")
    if not at:
        return _c.name == name
    number = int(version) if _VERSION.fullmatch(version) else 0
    return and_(_c.name == name, _c.version == (number if number <= MAX_VERSION else 0))
