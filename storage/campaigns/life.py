"""Writing campaign versions: new drafts, and every step of a version's life.

Versions are immutable except for their state, and every step is one compare-and-swap on it. A step that changes which
campaigns run raises the assignment revision in the same transaction. Who may take a step, and when one is due, is
decided elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import JSONB

from storage.backup.restored import next_revision, version_floor
from storage.campaigns import halts, owners
from storage.campaigns.queries import (
    VERSION_COLUMNS,
    CampaignVersion,
    checked_version,
    get_version,
    settings_of,
    version_of,
)
from storage.jsonb import storable
from storage.ledger.limits import hold_reservations
from storage.tables import assignment_revision, campaign_versions
from triggers.contracts import campaign_life
from triggers.contracts.campaign import ENDED, RUNNING, CampaignSettings, CampaignState, HaltKind
from triggers.contracts.campaign_life import CampaignStep
from triggers.contracts.users import User

SUPERSEDED = "superseded"
"""The reason recorded when another version of the campaign replaces one."""

_c = campaign_versions.c
_NOT_REJECTED = {"rejected_by_id": None, "rejected_at": None, "rejected_reason": None}


@dataclass(frozen=True, slots=True)
class VersionContent:
    """What a campaign version consists of: its settings and program, and the texts that they were compiled from."""

    settings: CampaignSettings
    program: bytes
    source: str
    signal_catalog: str

    def columns(self) -> dict[str, Any]:
        """The columns that identify this content, by name; InvalidInput for text that cannot be stored."""
        return {
            "source": storable(self.source, what="the source"),
            "signal_catalog": storable(self.signal_catalog, what="the signal catalog"),
            "settings": storable(self.settings.model_dump(mode="json"), what="the campaign"),
            "program_digest": hashlib.sha256(self.program).hexdigest(),
        }


def find_open(connection: Connection, content: VersionContent) -> CampaignVersion | None:
    """The newest version of the campaign that has exactly this content and has not ended."""
    same = and_(*(_c[name] == value for name, value in content.columns().items()))
    row = connection.execute(
        select(*VERSION_COLUMNS)
        .where(_c.campaign == content.settings.name, _c.state.not_in(ENDED), same)
        .order_by(_c.version.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else version_of(row)


def next_draft(connection: Connection, content: VersionContent) -> tuple[int, CampaignSettings]:
    """The number of the campaign's next version, and its settings as the database gives them back (no -0.0, say)."""
    lock_campaigns(connection)
    columns = content.columns()
    latest = select(func.coalesce(func.max(_c.version), 0)).where(_c.campaign == content.settings.name)
    version, stored = connection.execute(
        select(
            func.greatest(latest.scalar_subquery(), version_floor()) + 1,
            bindparam("settings", columns["settings"], type_=JSONB),
        )
    ).one()
    return version, settings_of(stored)


def add_draft(
    connection: Connection, content: VersionContent, version: int, *, approval_digest: str, author: User
) -> CampaignVersion:
    """Write a version of the campaign, a draft; `version` is the one that `next_draft` has given.

    The author of its first version owns the campaign.
    """
    owners.claim(connection, content.settings.name, author.known_id())
    row = connection.execute(
        insert(campaign_versions)
        .values(
            campaign=content.settings.name,
            version=version,
            state=CampaignState.DRAFT,
            program=content.program,
            approval_digest=approval_digest,
            author_id=author.id,
            **content.columns(),
        )
        .returning(*VERSION_COLUMNS)
    ).one()
    return version_of(row)


def set_forecast(connection: Connection, campaign: str, version: int, forecast: Mapping[str, Any]) -> None:
    """Keep what a backtest of the version's program expects, in place of an earlier forecast, until it is approved."""
    waiting = _c.state.in_((CampaignState.DRAFT, CampaignState.SUBMITTED))
    connection.execute(
        update(campaign_versions)
        .where(_c.campaign == campaign, _c.version == checked_version(version), waiting)
        .values(forecast=storable(dict(forecast), what="the forecast"))
    )


def submit(connection: Connection, campaign: str, version: int, *, user: User) -> CampaignVersion:
    """Submit a draft, and record who did. That it was rejected before is over."""
    values = {"submitted_by_id": user.id, "submitted_at": func.now(), **_NOT_REJECTED}
    return _take(campaign_life.SUBMIT, connection, campaign, version, values)


def approve(connection: Connection, campaign: str, version: int, *, bundle: bytes, user: User) -> CampaignVersion:
    """Approve a submitted version, record who did, and store its sealed bundle.

    Another approved version that still waits for its start date is stopped as superseded in the same transaction.
    """
    values = {
        "approved_by_id": user.id,
        "approved_at": func.now(),
        "bundle": bundle,
        "bundle_digest": hashlib.sha256(bundle).hexdigest(),
    }
    approved = _take(campaign_life.APPROVE, connection, campaign, version, values)
    _supersede(connection, campaign, version, states=(CampaignState.APPROVED,))
    return approved


def reject(connection: Connection, campaign: str, version: int, *, reason: str, user: User) -> CampaignVersion:
    """Return a submitted version to its author as a draft, and record who did and why."""
    values = {
        "rejected_by_id": user.id,
        "rejected_at": func.now(),
        "rejected_reason": storable(reason, what="the reason"),
    }
    return _take(campaign_life.REJECT, connection, campaign, version, values)


def activate(connection: Connection, campaign: str, version: int) -> CampaignVersion:
    """Start an approved version, and stop the version that ran before as superseded."""
    lock_campaigns(connection)
    # Supersede first: a unique index allows only one running version per campaign at any moment.
    _supersede(connection, campaign, version, states=RUNNING)
    values = {"activated_at": func.now(), "rollout_from": func.now()}
    return _take(campaign_life.ACTIVATE, connection, campaign, version, values)


def pause(
    connection: Connection, campaign: str, version: int, *, user: User, reason: str | None = None
) -> CampaignVersion:
    """Take an active version off the vehicles, and keep its place in the rollout."""
    paused = _take(campaign_life.PAUSE, connection, campaign, version, {"paused_at": func.now()})
    halts.begin(connection, campaign, version, HaltKind.PAUSED, user=user, reason=reason)
    return paused


def resume(connection: Connection, campaign: str, version: int) -> CampaignVersion:
    """Give a paused version back to the vehicles; its rollout continues from where it was paused, unless it is held."""
    going_on = _c.rollout_from + (func.now() - _c.paused_at)
    # The time of a hold around the pause is added when that ends.
    values = {"rollout_from": case((_c.held_at.is_(None), going_on), else_=_c.rollout_from), "paused_at": None}
    resumed = _take(campaign_life.RESUME, connection, campaign, version, values)
    halts.end(connection, campaign, version, HaltKind.PAUSED)
    return resumed


def hold(connection: Connection, campaign: str, version: int, *, user: User, reason: str) -> CampaignVersion:
    """Keep an active version on the vehicles of the stage that its rollout has reached."""
    _take(campaign_life.HOLD, connection, campaign, version, {"held_at": func.now()})
    halts.begin(connection, campaign, version, HaltKind.HELD, user=user, reason=reason)
    return get_version(connection, campaign, version)


def release(connection: Connection, campaign: str, version: int) -> CampaignVersion:
    """Let the rollout of an active version that is held go on from where it was held."""
    values = {"rollout_from": _c.rollout_from + (func.now() - func.coalesce(_c.held_at, func.now())), "held_at": None}
    released = _take(campaign_life.RELEASE, connection, campaign, version, values)
    halts.end(connection, campaign, version, HaltKind.HELD)
    return released


def stop(connection: Connection, campaign: str, version: int, *, user: User) -> CampaignVersion:
    """End a version for good, whatever state it is in, unless it has ended."""
    values = {"ended_at": func.now(), "ended_reason": f"stopped by {user.name}"}
    return _take(campaign_life.STOP, connection, campaign, version, values)


def end(connection: Connection, campaign: str, version: int, *, reason: str) -> CampaignVersion:
    """Complete a running version, for `reason`."""
    values = {"ended_at": func.now(), "ended_reason": reason}
    return _take(campaign_life.COMPLETE, connection, campaign, version, values)


def lock_campaigns(connection: Connection) -> None:
    """Keep every other transaction from changing any campaign until this one ends; check-ins are not blocked.

    One lock covers all campaigns: steps are rare, and one transaction can take several without deadlock.
    """
    connection.execute(select(assignment_revision.c.revision).with_for_update())


def raise_revision(connection: Connection) -> None:
    """Record that this transaction changes which campaigns run: assignment lists made before it are out of date.

    A revision is the time in ms, or the next number. So a restored database does not stay behind its vehicles, and a
    vehicle can tell that a revision cannot have been given yet.
    """
    connection.execute(update(assignment_revision).values(revision=next_revision()))


def utc_today(connection: Connection) -> date:
    """Today's date in UTC, by the database's clock."""
    today: date = connection.execute(text("SELECT (now() AT TIME ZONE 'UTC')::date")).scalar_one()
    return today


def _supersede(connection: Connection, campaign: str, version: int, *, states: tuple[CampaignState, ...]) -> None:
    connection.execute(
        update(campaign_versions)
        .where(_c.campaign == campaign, _c.version != checked_version(version), _c.state.in_(states))
        .values(state=CampaignState.STOPPED, ended_at=func.now(), ended_reason=SUPERSEDED)
    )


def _take(
    step: CampaignStep, connection: Connection, campaign: str, version: int, values: Mapping[str, Any]
) -> CampaignVersion:
    """Compare-and-swap on the state; NotFound, or Conflict naming the state that does not allow the step."""
    lock_campaigns(connection)
    hold_reservations(connection)  # which version runs decides on the limits
    row = connection.execute(
        update(campaign_versions)
        .where(_c.campaign == campaign, _c.version == checked_version(version), _c.state.in_(step.from_states))
        .values(state=step.to, **values)
        .returning(*VERSION_COLUMNS)
    ).one_or_none()
    if row is None:
        raise step.refused(campaign, version, get_version(connection, campaign, version).state)
    if step.changes_what_runs:
        raise_revision(connection)
    return version_of(row)
