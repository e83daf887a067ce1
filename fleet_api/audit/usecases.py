"""Use cases for the audit log: reading it."""

from __future__ import annotations

from datetime import UTC, datetime

from fleet_api.services import Services
from storage import audit
from storage.jsonb import storable
from triggers.contracts.api.audit import AuditPage
from triggers.contracts.users import Role, User


def read_audit(
    services: Services,
    user: User,
    *,
    since: datetime | None,
    who: str | None,
    about: str | None,
    after: int,
    limit: int,
) -> AuditPage:
    """Entries with a sequence above `after` that the filters leave, oldest first; a time without a zone is in UTC."""
    user.require(Role.OPERATOR)
    moment = since if since is None or since.tzinfo is not None else since.replace(tzinfo=UTC)
    chosen = audit.AuditFilter(
        since=moment, who=storable(who, what="the user"), about=storable(about, what="the object")
    )
    with services.database.begin() as connection:
        entries = audit.listing(connection, chosen, after=after, limit=limit)
    return AuditPage(entries=entries, next=entries[-1].sequence if len(entries) == limit else None)
