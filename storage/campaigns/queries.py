"""Reading campaigns: their versions, texts and bundles, and which ones run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    Connection,
    Label,
    Row,
    ScalarSelect,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import distinct_on

from storage.campaigns.names import no_campaign
from storage.rows import columns_of
from storage.tables import assignment_revision, campaign_owners, campaign_versions, rollout_halts, users
from triggers.contracts.campaign import RUNNING, CampaignSettings, CampaignState, RunningCampaign
from triggers.errors import NotFound

_c = campaign_versions.c
MAX_VERSION = 2**31 - 1
"""The largest number that the column `version` holds."""


@dataclass(frozen=True, slots=True)
class CampaignVersion:
    """A campaign version without its texts and bytes. People have the names that they have now.

    `owner` and `cost_centre` are its campaign's.
    """

    campaign: str
    version: int
    state: CampaignState
    settings: dict[str, Any]
    program_digest: str
    approval_digest: str
    bundle_digest: str | None
    author: str
    author_id: int
    created_at: datetime
    submitted_by: str | None
    submitted_by_id: int | None
    submitted_at: datetime | None
    approved_by: str | None
    approved_by_id: int | None
    approved_at: datetime | None
    rejected_by: str | None
    rejected_by_id: int | None
    rejected_at: datetime | None
    rejected_reason: str | None
    activated_at: datetime | None
    rollout_from: datetime | None
    paused_at: datetime | None
    held_at: datetime | None
    held_by: str | None
    held_reason: str | None
    ended_at: datetime | None
    ended_reason: str | None
    owner: str
    owner_id: int
    cost_centre: str

    @property
    def halted_at(self) -> datetime | None:
        """Since when the stages of its rollout do not count, because it is paused or held; None while they do."""
        return min(filter(None, (self.paused_at, self.held_at)), default=None)


@dataclass(frozen=True, slots=True)
class StoredContent:
    """What a version consists of: settings as JSON, its program, the texts that both were compiled from, a forecast."""

    version: int
    settings: dict[str, Any]
    program: bytes
    source: str
    signal_catalog: str
    forecast: dict[str, Any] | None = None


_OF_HOLD = ("held_by", "held_reason")
_PEOPLE = ("author", "submitted_by", "approved_by", "rejected_by")


def _name_of(person: str) -> Label[Any]:
    # Its name, not the column: in RETURNING of an INSERT a subquery would get a `FROM campaign_versions` of its own.
    user_id: ColumnClause[int] = literal_column(f"{campaign_versions.name}.{person}_id")
    return select(users.c.name).where(users.c.id == user_id).scalar_subquery().label(person)


def _of_campaign(column: ColumnElement[Any]) -> ScalarSelect[Any]:
    campaign: ColumnClause[str] = literal_column(f"{campaign_versions.name}.campaign")
    return select(column).where(campaign_owners.c.campaign == campaign).scalar_subquery()


def _of_hold(column: ColumnElement[Any], name: str) -> Label[Any]:
    """Something about the hold that lasts; null without one."""
    halt = rollout_halts.c
    lasts = [
        of_halt == literal_column(f"{campaign_versions.name}.{of_version}")
        for of_halt, of_version in ((halt.campaign, "campaign"), (halt.version, "version"), (halt.since, "held_at"))
    ]
    return select(column).where(*lasts).scalar_subquery().label(name)


_OWNER_ID = _of_campaign(campaign_owners.c.owner_id)
_OWNER = select(users.c.name).where(users.c.id == _OWNER_ID).scalar_subquery()
VERSION_COLUMNS = (
    *columns_of(CampaignVersion, campaign_versions, without=(*_PEOPLE, *_OF_HOLD, "owner", "owner_id", "cost_centre")),
    *(_name_of(person) for person in _PEOPLE),
    _of_hold(select(users.c.name).where(users.c.id == rollout_halts.c.halted_by_id).scalar_subquery(), "held_by"),
    _of_hold(rollout_halts.c.reason, "held_reason"),
    _OWNER_ID.label("owner_id"),
    _OWNER.label("owner"),
    _of_campaign(campaign_owners.c.cost_centre).label("cost_centre"),
)


def get_version(connection: Connection, campaign: str, version: int) -> CampaignVersion:
    """One version, or NotFound."""
    row = connection.execute(
        select(*VERSION_COLUMNS).where(_c.campaign == campaign, _c.version == checked_version(version))
    ).one_or_none()
    if row is None:
        raise no_version(campaign, version)
    return version_of(row)


def get_content(connection: Connection, campaign: str, version: int) -> StoredContent:
    """What a version consists of, or NotFound."""
    row = connection.execute(
        select(_c.version, _c.settings, _c.program, _c.source, _c.signal_catalog, _c.forecast).where(
            _c.campaign == campaign, _c.version == checked_version(version)
        )
    ).one_or_none()
    if row is None:
        raise no_version(campaign, version)
    return StoredContent(*row)


def get_forecasts(connection: Connection, versions: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Any]:
    """What the authors' backtests of these versions expect, as documents; without those that have none."""
    asked = tuple_(_c.campaign, _c.version).in_(versions) & _c.forecast.is_not(None)
    rows = connection.execute(select(_c.campaign, _c.version, _c.forecast).where(asked))
    return {(row.campaign, row.version): row.forecast for row in rows}


def running_version(connection: Connection, campaign: str) -> int | None:
    """The number of the campaign's version that is active or paused, if there is one."""
    return connection.execute(
        select(_c.version).where(_c.campaign == campaign, _c.state.in_(RUNNING))
    ).scalar_one_or_none()


def get_program(connection: Connection, campaign: str, version: int) -> bytes:
    """A version's program, a WebAssembly module, or NotFound."""
    program = connection.execute(
        select(_c.program).where(_c.campaign == campaign, _c.version == checked_version(version))
    ).scalar_one_or_none()
    if program is None:
        raise no_version(campaign, version)
    return bytes(program)


def newest_version(connection: Connection, campaign: str) -> CampaignVersion | None:
    """The campaign's version with the highest number; None if it has none."""
    newest = select(*VERSION_COLUMNS).where(_c.campaign == campaign).order_by(_c.version.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return None if row is None else version_of(row)


def get_versions(connection: Connection, campaign: str, *, limit: int = 1000) -> list[CampaignVersion]:
    """A campaign's versions, newest first; NotFound when it has none."""
    rows = connection.execute(
        select(*VERSION_COLUMNS).where(_c.campaign == campaign).order_by(_c.version.desc()).limit(limit)
    ).all()
    if not rows:
        raise no_campaign(connection, campaign)
    return [version_of(row) for row in rows]


def list_campaigns(connection: Connection, *, after: str = "", limit: int = 1000) -> list[CampaignVersion]:
    """One version per campaign, by name, for names that sort after `after`: the running version, else the newest."""
    rows = connection.execute(
        select(*VERSION_COLUMNS)
        .where(_c.campaign > after)
        .ext(distinct_on(_c.campaign))
        .order_by(_c.campaign, _c.state.in_(RUNNING).desc(), _c.version.desc())
        .limit(limit)
    )
    return [version_of(row) for row in rows]


def running(connection: Connection) -> tuple[int, tuple[RunningCampaign, ...]]:
    """The assignment revision and the campaigns active at it, by name, read in one statement."""
    rows = connection.execute(
        select(
            assignment_revision.c.revision,
            _c.campaign,
            _c.version,
            _c.settings,
            _c.bundle_digest,
            func.coalesce(_c.rollout_from, _c.created_at).label("rollout_from"),
            _c.held_at,
        )
        .select_from(assignment_revision)
        .outerjoin(campaign_versions, _c.state == CampaignState.ACTIVE)
        .order_by(_c.campaign)
    ).all()
    revision = rows[0].revision if rows else 0
    active = (row for row in rows if row.campaign is not None)
    return revision, tuple(
        RunningCampaign(
            row.campaign, row.version, settings_of(row.settings), row.bundle_digest, row.rollout_from, row.held_at
        )
        for row in active
    )


def settings_of(stored: Mapping[str, Any]) -> CampaignSettings:
    """A campaign's settings, parsed from their column."""
    return CampaignSettings.model_validate_json(json.dumps(stored))


def checked_version(version: int) -> int:
    """`version`, or 0, which no version has, when the column cannot hold it."""
    return version if 0 < version <= MAX_VERSION else 0


def no_version(campaign: str, version: int) -> NotFound:
    """NotFound for a version that does not exist."""
    return NotFound(
        f"there is no version {version} of campaign {campaign!r}", remedy="`longtail campaign list` shows all campaigns"
    )


def version_of(row: Row[Any]) -> CampaignVersion:
    """The CampaignVersion of a row of VERSION_COLUMNS."""
    values = row._asdict()
    return CampaignVersion(**values | {"state": CampaignState(values["state"])})
