"""Use cases for the audit log: reading it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fleet_api.services import Services
from storage import audit
from storage.jsonb import storable
from triggers.contracts.api.audit import AuditPage
from triggers.contracts.users import Role, User

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_audit(
    services: Services,
    user: User,
    *,
    since_ns: int | None,
    who: str | None,
    about: str | None,
    after: int,
    limit: int,
) -> AuditPage:
    """Entries with a sequence above `after` that the filters leave, oldest first."""
    user.require(Role.OPERATOR)
    chosen = audit.AuditFilter(
        since=None if since_ns is None else _EPOCH + timedelta(microseconds=since_ns // 1000),
        who=storable(who, what="the user"),
        about=storable(about, what="the object"),
    )
    with services.database.begin() as connection:
        entries = audit.listing(connection, chosen, after=after, limit=limit)
    return AuditPage(entries=entries, next=entries[-1].sequence if len(entries) == limit else None)
