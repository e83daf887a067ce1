"""Reports of backtests that are attached to campaign versions: a compressed document, and its key figures."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, LargeBinary, Row, Select, and_, func, select
from sqlalchemy.dialects.postgresql import insert

from storage.campaigns.queries import checked_version
from storage.jsonb import storable
from storage.tables import campaign_reports, campaign_versions, users
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


def digest_of(connection: Connection, campaign: str, version: int) -> str | None:
    """The SHA-256 of what is shown of a version's backtest, its forecast and its report; None while it has neither.

    Approvals name it, since both can be replaced until a version is approved.
    """
    versions = campaign_versions.c
    is_its = and_(_c.campaign == versions.campaign, _c.version == versions.version)
    row = connection.execute(
        select(versions.forecast, func.sha256(_c.document, type_=LargeBinary).label("document"))
        .select_from(campaign_versions)
        .outerjoin(campaign_reports, is_its)
        .where(versions.campaign == campaign, versions.version == checked_version(version))
    ).one_or_none()
    if row is None or (row.forecast is None and row.document is None):
        return None
    shown = {"forecast": row.forecast, "report": None if row.document is None else bytes(row.document).hex()}
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def _of(campaign: str, version: int) -> Select[Any]:
    return (
        select(_c.summary, users.c.name, _c.attached_by_id, _c.attached_at)
        .join(users, users.c.id == _c.attached_by_id)
        .where(_c.campaign == campaign, _c.version == checked_version(version))
    )


def _summary(row: Row[Any]) -> AttachedSummary:
    return AttachedSummary(row.summary, row.name, row.attached_by_id, row.attached_at)
