"""Reports of backtests that are attached to campaign versions: a compressed document, and its key figures."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select
from sqlalchemy.dialects.postgresql import insert

from storage.campaigns.queries import checked_version
from storage.jsonb import storable
from storage.tables import campaign_reports, users
from triggers.contracts.users import User

_c = campaign_reports.c


@dataclass(frozen=True, slots=True)
class AttachedSummary:
    """The key figures of a version's report, and who attached it when."""

    summary: dict[str, Any]
    attached_by: str
    attached_by_id: int
    attached_at: datetime


def attach(
    connection: Connection, campaign: str, version: int, *, document: bytes, summary: Mapping[str, Any], user: User
) -> None:
    """Keep the report of a version, a JSON document, in place of an earlier one. Call with the version locked."""
    values = {
        "document": zlib.compress(document),
        "summary": storable(dict(summary), what="the report"),
        "attached_by_id": user.known_id(),
        "attached_at": func.now(),
    }
    adding = insert(campaign_reports).values(campaign=campaign, version=version, **values)
    connection.execute(adding.on_conflict_do_update(index_elements=[_c.campaign, _c.version], set_=values))


def summary_of(connection: Connection, campaign: str, version: int) -> AttachedSummary | None:
    """The key figures of a version's report; None while it has none."""
    row = connection.execute(_of(campaign, version)).one_or_none()
    return None if row is None else _summary(row)


def report_of(connection: Connection, campaign: str, version: int) -> tuple[AttachedSummary, bytes] | None:
    """A version's report with its document; None while it has none."""
    row = connection.execute(_of(campaign, version).add_columns(_c.document)).one_or_none()
    return None if row is None else (_summary(row), zlib.decompress(row.document))


def _of(campaign: str, version: int) -> Select[Any]:
    return (
        select(_c.summary, users.c.name, _c.attached_by_id, _c.attached_at)
        .join(users, users.c.id == _c.attached_by_id)
        .where(_c.campaign == campaign, _c.version == checked_version(version))
    )


def _summary(row: Row[Any]) -> AttachedSummary:
    return AttachedSummary(row.summary, row.name, row.attached_by_id, row.attached_at)
