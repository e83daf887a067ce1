"""Use cases for the audit log: reading it."""

from __future__ import annotations

from datetime import UTC, datetime

from fleet_api.services import Services
from storage import audit
from storage.jsonb import storable
from triggers.contracts.api.audit import AuditPage
from triggers.contracts.users import Role, User
from triggers.errors import InvalidInput


def read_audit(
    services: Services,
    user: User,
    *,
    since: str | None,
    who: str | None,
    about: str | None,
    after: int,
    limit: int,
) -> AuditPage:
    """Entries with a sequence above `after` that the filters leave, oldest first."""
    user.require(Role.OPERATOR)
    chosen = audit.AuditFilter(
        since=None if since is None else _moment(since),
        who=storable(who, what="the user"),
        about=storable(about, what="the object"),
    )
    with services.database.begin() as connection:
        entries = audit.listing(connection, chosen, after=after, limit=limit)
    return AuditPage(entries=entries, next=entries[-1].sequence if len(entries) == limit else None)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"invalid time: {text!r}", remedy="write it as 2026-11-28T09:00:00Z") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
