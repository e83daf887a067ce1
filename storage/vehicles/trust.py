"""The chain of trust documents as it was published, sealed; what it says is understood elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, ScalarSelect, func, select
from sqlalchemy.dialects.postgresql import insert

from storage.tables import trust_documents
from triggers.errors import Conflict

_c = trust_documents.c


def newest_version() -> ScalarSelect[int]:
    """The version of the newest document, 0 if there is none, as a part of a statement."""
    return select(func.coalesce(func.max(_c.version), 0)).scalar_subquery()


def chain(connection: Connection) -> Sequence[bytes]:
    """All documents, oldest first: version 1 is at index 0."""
    return [bytes(sealed) for sealed in connection.execute(select(_c.sealed).order_by(_c.version)).scalars()]


def add(connection: Connection, version: int, sealed: bytes, *, by: str) -> None:
    """Publish the next document. Conflict unless it is the next one, also if another came at the same time."""
    known = connection.execute(select(newest_version())).scalar_one()
    if version == known + 1:
        added = connection.execute(
            insert(trust_documents)
            .values(version=version, sealed=sealed, published_by=by)
            .on_conflict_do_nothing()
            .returning(_c.version)
        ).one_or_none()
        if added is not None:
            return
    raise Conflict(
        f"trust document {version} does not follow {known}, the newest one that is published",
        remedy="make it again from the published one, and have it signed again",
    )
